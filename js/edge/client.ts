import { call, text, toCakeError } from "../error.js";
import * as wasm from "../wasm/edge.js";

/** Where the API is, and how to call it. */
export interface CakeClientOptions {
  /** `https://yourdomain.cakemarketing.com`, or a sandbox's origin on loopback. */
  readonly baseUrl: string;
  /** Your API key: CAKE, Setup, System Access, API Keys. Never in a page. */
  readonly apiKey: string;
  /** Stands in for the global `fetch`: a service binding's, or a mock. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /** How long one call may take, its body included, in milliseconds. @default 15000 */
  readonly timeoutMs?: number;
}

/** A click as CAKE reports it. */
export interface Click {
  readonly clickId: string;
  /** In the account's civil time: `YYYY-MM-DD HH:MM:SS`. */
  readonly clickDate?: string;
  readonly offerId: number;
  readonly affiliateId: number;
  readonly subId1?: string;
  readonly subId2?: string;
  readonly subId3?: string;
  readonly subId4?: string;
  readonly subId5?: string;
  readonly ipAddress?: string;
  /** Two letters. */
  readonly country?: string;
  readonly converted: boolean;
  readonly conversionId?: number;
}

/** The parameters of Record Conversion. */
export interface RecordConversionParams {
  /** The click id that was captured at click time. */
  readonly clickId: string;
  /** The offer that the conversion belongs to. */
  readonly offerId: number;
  /** Overrides the affiliate's payout: an exact decimal such as `"18.00"`. */
  readonly payout?: string;
  /** Overrides the advertiser's revenue: an exact decimal such as `"22.00"`. */
  readonly revenue?: string;
  /** In the account's civil time, `YYYY-MM-DD HH:MM:SS`. @default now, by CAKE's clock */
  readonly conversionDate?: string;
  /** Your transaction id: CAKE's only handle against counting twice. */
  readonly uniqueId?: string;
  /** Your order reference. */
  readonly orderId?: string;
  readonly adv1?: string;
  readonly adv2?: string;
  readonly adv3?: string;
  readonly adv4?: string;
  readonly adv5?: string;
}

/** A recorded conversion. */
export interface Conversion {
  readonly conversionId: number;
  readonly offerId?: number;
  readonly affiliateId?: number;
  readonly clickId?: string;
  readonly payout?: number;
  /** The payout exactly as CAKE wrote it, such as `18.00`. */
  readonly payoutText?: string;
  readonly revenue?: number;
  /** The revenue exactly as CAKE wrote it. */
  readonly revenueText?: string;
  readonly uniqueId?: string;
  /** In the account's civil time: `YYYY-MM-DD HH:MM:SS`. */
  readonly conversionDate?: string;
  /** An open set: CAKE has more words than its article. */
  readonly conversionStatus?: "approved" | "pending" | "rejected" | "ignored" | "reversed" | (string & {});
}

/** CAKE's API. */
export interface CakeClient {
  /**
   * Get Click by click id; `undefined` where CAKE knows none.
   * @throws CakeError `invalid_click_id`, and those of the network and of answers
   */
  getClick(clickId: string): Promise<Click | undefined>;
  /**
   * Record Conversion, sent once.
   * @throws CakeError `outcome_unknown` where no answer came: it may be recorded
   */
  recordConversion(params: RecordConversionParams): Promise<Conversion>;
}

/**
 * Opens a client of CAKE's API.
 *
 * @throws CakeError `missing_api_key`, `invalid_base_url`
 * @example
 * const cake = createCakeClient({ baseUrl: "https://yourdomain.cakemarketing.com", apiKey: env.CAKE_API_KEY });
 * await cake.recordConversion({ clickId, offerId: 12345, uniqueId: "ORD-98765" });
 */
export function createCakeClient(options: CakeClientOptions): CakeClient {
  const client = call(
    () =>
      new wasm.Client(
        text("baseUrl", options.baseUrl),
        text("apiKey", options.apiKey),
        options.fetch,
        options.timeoutMs ?? 15_000,
      ),
  );
  // Closures, not a class: nothing of the client, and so no key, can be printed.
  return {
    getClick: (clickId) => settle(() => client.getClick(text("clickId", clickId))),
    recordConversion: (params) => settle(() => client.recordConversion(params)),
  };
}

async function settle<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (thrown) {
    throw toCakeError(thrown);
  }
}
