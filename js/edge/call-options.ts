/** The options of one call of the client, and the arguments of its hooks. */
import { checkRecord, isDate, refuse } from "../option.js";

/** The options of one call. */
export interface CallOptions {
  /** Ends the call with `aborted`, or with `outcome_unknown` if a write was under way. */
  readonly signal?: AbortSignal | undefined;
  /** The time limit of one request, in milliseconds. @default the client's */
  readonly timeoutMs?: number | undefined;
  /** How often a request may be sent again. @default the client's */
  readonly retries?: number | undefined;
}

/** The request, as a hook sees it. It never contains the API key. */
export interface SentRequest {
  readonly method: "GET" | "POST";
  /** The path, such as `/api/2/click.json`. */
  readonly path: string;
  /** The query without the API key, such as `click_id=…`. Empty for a POST. */
  readonly query: string;
  /** The number of the request within one call, from 1. */
  readonly attempt: number;
}

/** The outcome of a request, as a hook sees it. */
export interface ReceivedResponse extends SentRequest {
  /** The time for the request and its body, in milliseconds. */
  readonly ms: number;
  /** The HTTP status, if an answer came. */
  readonly status?: number | undefined;
  /** The error's code, if no answer came. */
  readonly error?: string | undefined;
}

/** A Date where CAKE's clock is meant is a frequent slip. */
function refuseDate(name: string): never {
  const forms = { conversionDate: "YYYY-MM-DD HH:MM:SS", effectiveDate: '"today", "conversion_date" or YYYY-MM-DD' };
  const form = (forms as Readonly<Record<string, string>>)[name] ?? "YYYY-MM-DD";
  return refuse(name, `must be text, ${form} in the account's time zone, and is a Date`);
}

/** The caller's own ids, which shops have as numbers of any length. */
const OWN_IDS: ReadonlySet<string> = new Set(["uniqueId", "orderId", "correctionId"]);

/** A caller's parameters as JSON, for the core to check. Nothing is dropped. */
export function toJson(params: unknown): string {
  checkRecord("params", params);
  const entries = Object.entries(params).map(([name, value]) => {
    const kind = typeof value;
    const isId = OWN_IDS.has(name);
    // JSON would turn a Date into a text that is nobody's id, and no time in CAKE's form.
    const isOdd = kind === "object" && typeof (value as { readonly toJSON?: unknown } | null)?.toJSON === "function";
    if (isDate(value) && /date$|^since$/i.test(name)) refuseDate(name);
    // No parameter is an object: the core says what it must be instead.
    return [name, isOdd || kind === "function" || kind === "symbol" || (kind === "bigint" && !isId) ? {} : value];
  });
  try {
    // NaN is no amount and no id. JSON would turn it into null, and null counts as absent.
    return JSON.stringify(Object.fromEntries(entries), (_, value) =>
      typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value)) ? `${value}` : value,
    );
  } catch {
    return refuse("params", "must be an object of texts and numbers");
  }
}
