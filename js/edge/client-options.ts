/** The options of the API client. */
import type { ReceivedResponse, SentRequest } from "./call-options.js";
import type { AnswerWarning } from "./dates.js";

/** The kind of CAKE's services that lists come from. */
export type Services = "young" | "older";

/** The check before a conversion is sent again. */
export type Verify = "click" | "report" | "none";

/** The options of the client. */
export interface CakeClientOptions {
  /** The account's address, `https://yourdomain.cakemarketing.com`, or a sandbox's origin on loopback. */
  readonly baseUrl: string;
  /** Your API key: CAKE, Setup, System Access, API Keys. Never in a page. Without one the client throws `missing_api_key`. */
  readonly apiKey: string | undefined;
  /** Replaces the global `fetch`, such as a service binding's or a mock. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
  /** The time limit of one request, its body included, in milliseconds. @default 15000 */
  readonly timeoutMs?: number | undefined;
  /**
   * How often a request may be sent again, 0 to 10. It is sent again after no answer, 408, 425, 429, 5xx and
   * `Restricted`. The waits are random and growing, or as long as CAKE's Retry-After asks, up to a minute. Record
   * Conversion is sent again only with a `uniqueId`, and Create Postback never.
   * @default 2
   */
  readonly retries?: number | undefined;
  /**
   * The check before Record Conversion is sent again:
   *
   * - `"click"` asks Get Click, and never repeats if the click has converted. After a request whose time ran out,
   *   "not converted" is believed only after four times `timeoutMs`, at most a minute: CAKE may be at work.
   * - `"none"` trusts CAKE's own deduplication by unique id, and asks nothing. If CAKE then answers "duplicate" without
   *   a conversion's id, the call's outcome has no `conversionId`.
   * - `"report"` looks for the unique id in the conversion report of the day, and returns what it finds. A
   *   conversion is missing there only after the same time.
   *
   * Use `"report"`, in accounts that have it, for offers on which one click may convert more than once. Otherwise
   * choose `"none"` for such offers, and switch on that deduplication.
   * @default "click"
   */
  readonly verify?: Verify | undefined;
  /**
   * The kind of CAKE's services that lists come from. `"young"` is `/api/2/….json`. `"older"` is `/api/VERSION/….asmx`,
   * by which most accounts are integrated. It decides for `listClicks`, `listConversions` and `listTrackingDomains`.
   * Corrections and changes always use the older services, and every other call uses the young API.
   * @default "young"
   */
  readonly services?: Services | undefined;
  /**
   * The account's time zone, such as `America/New_York`. With it, dates come with their instant, and `conversionDate`
   * may be a `Date`.
   */
  readonly timeZone?: string | undefined;
  /** Refuses Record Conversion, Create Postback and corrections with `read_only`. @default false */
  readonly readOnly?: boolean | undefined;
  /** The most requests a second by this client, evenly spaced. @default no limit */
  readonly rateLimit?: number | undefined;
  /** Is called before each request is sent. Its errors are ignored. */
  readonly onRequest?: ((request: SentRequest) => void) | undefined;
  /** Is called with the outcome of each request. Its errors are ignored. */
  readonly onResponse?: ((response: ReceivedResponse) => void) | undefined;
  /**
   * Is called if a part of an answer cannot be read, once for each call and field. Examples are a date in an unknown
   * spelling, or an object in place of a text. Its errors are ignored.
   * @default `console.warn`
   */
  readonly onWarning?: ((warning: AnswerWarning) => void) | undefined;
}

/** The names of the options. */
export const CLIENT_OPTIONS = [
  "baseUrl",
  "apiKey",
  "fetch",
  "timeoutMs",
  "retries",
  "verify",
  "services",
  "timeZone",
  "readOnly",
  "rateLimit",
  "onRequest",
  "onResponse",
  "onWarning",
];
