/** The client of CAKE's API for JavaScript. The core decides about requests and about the meaning of answers. */
import { CakeError, call, toCakeError } from "../error.js";
import {
  checkNames,
  checkNoMore,
  choice,
  functionOption,
  integerOption,
  limitArguments,
  refuse,
  stringOption,
} from "../option.js";
import { createTimeZone, type TimeZone } from "../time-zone.js";
import { type CallOptions, type ReceivedResponse, type SentRequest, toJson } from "./call-options.js";
import { type Click, readClickPage, withInstant } from "./click.js";
import {
  type Conversion,
  type ConversionStatus,
  type Correction,
  complete,
  type ListedConversion,
  type ReportedConversion,
} from "./conversion.js";
import { checksCore, clientCore } from "./core.js";
import { type AnswerWarning, createDates, type UnreadField } from "./dates.js";
import { createList, type FetchedPage, type List, type ListOptions, type RowRange } from "./list.js";

/** The kind of CAKE's services that lists come from. */
export type Services = "young" | "older";

/** The check before a conversion is sent again. */
export type Verify = "click" | "report" | "none";

/** The options of the client. */
export interface CakeClientOptions {
  /** The account's address, `https://yourdomain.cakemarketing.com`, or a sandbox's origin on loopback. */
  readonly baseUrl: string;
  /** Your API key: CAKE, Setup, System Access, API Keys. Never in a page. */
  readonly apiKey: string;
  /** Replaces the global `fetch`, such as a service binding's or a mock. */
  readonly fetch?: (request: Request) => Promise<Response>;
  /** The time limit of one request, its body included, in milliseconds. @default 15000 */
  readonly timeoutMs?: number;
  /**
   * How often a request may be sent again, 0 to 10. It is sent again after no answer, 408, 425, 429, 5xx and
   * `Restricted`. The waits are random and growing, or as long as CAKE's Retry-After asks, up to a minute. Record
   * Conversion is sent again only with a `uniqueId`, and Create Postback never.
   * @default 2
   */
  readonly retries?: number;
  /**
   * The check before Record Conversion is sent again:
   *
   * - `"click"` asks Get Click, and never repeats if the click has converted.
   * - `"none"` trusts CAKE's own deduplication by unique id.
   * - `"report"` looks for the unique id in the conversion report of the day, and returns what it finds.
   *
   * Use `"report"`, in accounts that have it, for offers on which one click may convert more than once. Otherwise
   * choose `"none"` for such offers, and switch on that deduplication.
   * @default "click"
   */
  readonly verify?: Verify;
  /**
   * The kind of CAKE's services that lists come from. `"young"` is `/api/2/….json`. `"older"` is `/api/VERSION/….asmx`,
   * by which most accounts are integrated. It decides for `listClicks`, `listConversions` and `listTrackingDomains`.
   * Corrections and changes always use the older services, and every other call uses the young API.
   * @default "young"
   */
  readonly services?: Services;
  /**
   * The account's time zone, such as `America/New_York`. With it, dates come with their instant, and `conversionDate`
   * may be a `Date`.
   */
  readonly timeZone?: string;
  /** Refuses Record Conversion, Create Postback and corrections with `read_only`. @default false */
  readonly readOnly?: boolean;
  /** The most requests a second by this client, evenly spaced. @default no limit */
  readonly rateLimit?: number;
  /** Is called before each request is sent. Its errors are ignored. */
  readonly onRequest?: (request: SentRequest) => void;
  /** Is called with the outcome of each request. Its errors are ignored. */
  readonly onResponse?: (response: ReceivedResponse) => void;
  /**
   * Is called if a part of an answer cannot be read, once for each call and field. Examples are a date in an unknown
   * spelling, or an object in place of a text. Its errors are ignored.
   * @default `console.warn`
   */
  readonly onWarning?: (warning: AnswerWarning) => void;
}

const CLIENT_OPTIONS = [
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

/** The filters of Get Click. */
export interface ListClicksParams extends RowRange {
  /** The first day, `YYYY-MM-DD`, in the account's time zone. */
  readonly startDate?: string;
  /** The last day, `YYYY-MM-DD`. CAKE's reports have left out this day itself: see `dayRange`. */
  readonly endDate?: string;
  /** Only clicks on this offer. */
  readonly offerId?: number;
  /** Only clicks of this affiliate. */
  readonly affiliateId?: number;
}

/** The parameters of Record Conversion. */
export interface RecordConversionParams {
  /** The click id that was captured at click time. */
  readonly clickId: string;
  /** The offer that the conversion belongs to. */
  readonly offerId: number;
  /**
   * Overrides the affiliate's payout: an exact decimal such as `"18.00"`. A number counts as its digits: `18.5` is
   * accepted, `0.1 + 0.2` is refused.
   * @default by the offer's rules
   */
  readonly payout?: string | number;
  /** Overrides the advertiser's revenue, in the same form. @default by the offer's rules */
  readonly revenue?: string | number;
  /**
   * In the account's civil time, `YYYY-MM-DD HH:MM:SS`; or a `Date`, if the client knows the account's `timeZone`.
   * @default now, by CAKE's clock
   */
  readonly conversionDate?: string | Date;
  /**
   * Your transaction id, as your shop writes it: up to 128 characters, and no e-mail address. CAKE deduplicates only by
   * this id. Without it the conversion is never sent again.
   */
  readonly uniqueId?: string | number | bigint;
  /** Your order reference, in the same form. */
  readonly orderId?: string | number | bigint;
  /** Free for your own use. */
  readonly adv1?: string;
  /** Free for your own use. */
  readonly adv2?: string;
  /** Free for your own use. */
  readonly adv3?: string;
  /** Free for your own use. */
  readonly adv4?: string;
  /** Free for your own use. */
  readonly adv5?: string;
}

/** How to record one conversion. */
export interface RecordConversionOptions extends CallOptions {
  /** The check before this conversion is sent again. @default the client's */
  readonly verify?: Verify;
}

/** The filters of Get Conversions. */
export interface ListConversionsParams extends RowRange {
  /** The first day, `YYYY-MM-DD`, in the account's time zone. */
  readonly startDate: string;
  /** The last day, `YYYY-MM-DD`. CAKE's reports have left out this day itself: see `dayRange`. */
  readonly endDate: string;
  /** Only conversions on this offer. */
  readonly offerId?: number;
  /** Only conversions of this affiliate. */
  readonly affiliateId?: number;
  /** Only conversions for this advertiser. */
  readonly advertiserId?: number;
  /** Only conversions of this status. */
  readonly conversionStatus?: ConversionStatus;
  /** CAKE's name of the field to sort by, such as `conversion_date`. */
  readonly sortField?: string;
  /** Return the newest or largest first? @default false */
  readonly sortDescending?: boolean;
}

/** The filters of the conversion report. */
export interface ListConversionReportParams extends RowRange {
  /** The first day, `YYYY-MM-DD`, in the account's time zone. */
  readonly startDate: string;
  /** The last day, `YYYY-MM-DD`. CAKE's reports have left out this day itself: see `dayRange`. */
  readonly endDate: string;
  /** Only conversions on this offer. */
  readonly offerId?: number;
  /** Only conversions of this affiliate. */
  readonly affiliateId?: number;
  /** Only conversions of this status. */
  readonly conversionStatus?: ConversionStatus;
  /** CAKE's name of the field to sort by, such as `conversion_date`. */
  readonly sortField?: string;
  /** Return the newest or largest first? @default false */
  readonly sortDescending?: boolean;
}

/** The filters of conversions that changed. */
export interface ListConversionChangesParams extends RowRange {
  /** The first day of the changes, `YYYY-MM-DD`, in the account's time zone. */
  readonly since: string;
  /** Also return conversions that are only new? @default false */
  readonly includesNew?: boolean;
  /** Only conversions on this offer. */
  readonly offerId?: number;
  /** Only conversions of this affiliate. */
  readonly affiliateId?: number;
  /** Only conversions for this advertiser. */
  readonly advertiserId?: number;
  /** Return the newest first? @default false */
  readonly sortDescending?: boolean;
}

/** The parameters of a correction. Fields that are left out stay as they are. */
export interface CorrectConversionParams {
  /**
   * Your own id of this correction, without `[` and `]`. The note ends with it, such as `[refund-4711]`. If an answer
   * is lost, the client uses it to find out whether the correction was applied.
   */
  readonly correctionId?: string | number | bigint;
  /** CAKE's id of the conversion. Give this id or the `uniqueId`. */
  readonly conversionId?: number;
  /** Your transaction id of the conversion. */
  readonly uniqueId?: string | number | bigint;
  /** The offer that the conversion belongs to. */
  readonly offerId: number;
  /** The affiliate's new total payout: an exact decimal such as `"9.00"`, never negative. */
  readonly payout?: string | number;
  /** An amount to add to the payout; a minus takes it back. Sent once only. */
  readonly payoutAdded?: string | number;
  /** The advertiser's new total payment. */
  readonly revenue?: string | number;
  /** An amount to add to the revenue; a minus takes it back. Sent once only. */
  readonly revenueAdded?: string | number;
  /** The new status. A refund is `returned`. */
  readonly status?: "returned" | "rejected" | "approved" | "pending";
  /** CAKE's id of one of your account's dispositions, the reason for the status. */
  readonly dispositionId?: number;
  /**
   * A text to append to the conversion's note, up to 500 characters. If an answer is lost, the client uses it to find
   * out whether the correction was applied. So give each correction its own, such as `refund 4711`. A correction that
   * adds an amount must have a note or a `correctionId`.
   */
  readonly note?: string;
  /** The day that the correction counts for: `"today"`, `"conversion_date"` or `YYYY-MM-DD`. @default "today" */
  readonly effectiveDate?: "today" | "conversion_date" | (string & {});
}

/** The options of a correction. */
export interface CorrectConversionOptions extends CallOptions {
  /** Check the correction and return the request without sending it. @default false */
  readonly dryRun?: boolean;
}

/** The parameters of Create Postback. */
export interface CreatePostbackParams {
  /** The affiliate to tell. */
  readonly affiliateId: number;
  /** The offer; 0 for all offers. */
  readonly offerId: number;
  /** An https URL with CAKE's macros, such as `https://partner.example/?id=#reqsessid#&payout=#price#`. */
  readonly postbackUrl: string;
  /** The status of the new postback. @default "active" */
  readonly postbackStatus?: "active" | "inactive";
  /** The kind: 1 server to server, 2 iframe, 3 image, 4 JavaScript. @default CAKE's */
  readonly postbackTypeId?: 1 | 2 | 3 | 4;
}

/** A postback that CAKE will fire. */
export interface Postback {
  readonly postbackId: number;
  readonly affiliateId?: number;
  /** The offer; 0 for all offers. */
  readonly offerId?: number;
  readonly postbackUrl?: string;
  /** The kind, such as `Server`. */
  readonly postbackType?: string;
  readonly postbackStatus?: "active" | "inactive" | (string & {});
}

/** The filters of Get Tracking Domains. */
export interface ListTrackingDomainsParams {
  /** Only the domain with this id. */
  readonly trackingDomainId?: number;
  /** Only domains with this status. */
  readonly domainStatus?: "active" | "inactive";
}

/** A branded domain of the network. */
export interface TrackingDomain {
  readonly trackingDomainId: number;
  /** The host name, such as `track.yournetwork.com`. */
  readonly domain: string;
  readonly domainStatus?: "active" | "inactive" | (string & {});
  /** Is it the default domain of links? */
  readonly isDefault: boolean;
}

/** The options of the doctor. */
export interface CheckOptions extends CallOptions {
  /** The id of one of your clicks, to check that CAKE knows it. */
  readonly clickId?: string;
}

/** One check of the doctor. */
export interface Check {
  readonly name:
    | "reachable"
    | "key"
    | "domains"
    | "default_domain"
    | "clock"
    | "click"
    | "services"
    | "get_click"
    | "get_conversions"
    | "conversion_report";
  readonly status: "ok" | "failed" | "skipped";
  /** The finding. */
  readonly found: string;
  /** The advice, unless all is well. */
  readonly advice?: string;
}

/** The doctor's report. */
export interface CheckReport {
  /** Did no check fail? */
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

/**
 * CAKE's API. Every call may throw a CakeError: `invalid_…` before anything is sent. Errors of the network are
 * `network`, `timeout`, `aborted`. Errors of answers are `http_status`, `rate_limited`, `unauthorized`, `refused`,
 * `unexpected_answer`, `redirected`, `answer_too_large`.
 */
export interface CakeClient {
  /**
   * Get Click by click id; `undefined` if CAKE knows none.
   * @throws CakeError `invalid_click_id`, `placeholder_text`, and those of the network and of answers
   */
  getClick(clickId: string, options?: CallOptions): Promise<Click | undefined>;
  /**
   * Get Click by filters.
   * @throws CakeError `invalid_field`, `invalid_id`, and those of the network and of answers
   */
  listClicks(params?: ListClicksParams, options?: ListOptions): List<Click>;
  /**
   * Record Conversion. It is sent again only with a `uniqueId`, and only after Get Click has said that the click has
   * not converted (see `verify`).
   * @throws CakeError `outcome_unknown` if no clear answer came: the conversion may or may not be recorded, and `cause`
   * holds the error that came instead. `read_only`, `invalid_click_id`, `placeholder_text`, `invalid_id`,
   * `invalid_money`, `invalid_time`, `invalid_unique_id`, `invalid_text`, `invalid_field`, and those of answers
   */
  recordConversion(params: RecordConversionParams, options?: RecordConversionOptions): Promise<Conversion>;
  /**
   * Get Conversions.
   * @throws CakeError `invalid_field`, `invalid_id`, and those of the network and of answers
   */
  listConversions(params: ListConversionsParams, options?: ListOptions): List<ListedConversion>;
  /**
   * The conversions that changed since a day, including refunds and corrections of weeks later. They always come from
   * the older services, whatever the option `services` says.
   * @throws CakeError `invalid_field`, `invalid_id`, and those of the network and of answers
   */
  listConversionChanges(params: ListConversionChangesParams, options?: ListOptions): List<ListedConversion>;
  /**
   * Corrects a conversion after the sale: totals, a status, or an amount to add. Uses the older services. If no clear
   * answer came, the client first checks whether new totals or a status were applied, and sends them again if not. An
   * added amount is sent only once.
   * @throws CakeError `outcome_unknown` if no clear answer came and the conversion does not show the correction: it may
   * or may not be applied. `read_only`, `invalid_field`, `invalid_id`, `invalid_money`, `invalid_unique_id`,
   * `invalid_text`, and those of answers
   * @example
   * await cake.correctConversion({ uniqueId: "ORD-98765", offerId: 12345, status: "returned", payout: "0", note: "refund 4711" });
   */
  correctConversion(params: CorrectConversionParams, options?: CorrectConversionOptions): Promise<Correction>;
  /**
   * The conversion report, `report/conversion.json`: up to 10,000 rows a page, with the unique id. Not every account
   * has it; `npx cake-edge doctor` tells whether yours does.
   * @throws CakeError `invalid_field`, `invalid_id`, and those of the network and of answers
   */
  listConversionReport(params: ListConversionReportParams, options?: ListOptions): List<ReportedConversion>;
  /**
   * Create Postback, sent once.
   * @throws CakeError `outcome_unknown` if no clear answer came; `read_only`, `invalid_field`, `invalid_id`,
   * `invalid_postback_url`, and those of answers
   */
  createPostback(params: CreatePostbackParams, options?: CallOptions): Promise<Postback>;
  /**
   * Get Tracking Domains.
   * @throws CakeError `invalid_field`, `invalid_id`, and those of the network and of answers
   */
  listTrackingDomains(params?: ListTrackingDomainsParams, options?: CallOptions): Promise<TrackingDomain[]>;
  /**
   * The doctor: examines the account check by check, each with its advice. Use it in a settings page or a deploy
   * script. Problems of the account are in the report; they are not thrown.
   * @throws CakeError `invalid_click_id`, `placeholder_text`, `aborted`
   * @example
   * const { ok, checks } = await cake.check();
   * for (const { name, status, found, advice } of checks) console.log(status, name, found, advice ?? "");
   * if (!ok) process.exit(1);
   */
  check(options?: CheckOptions): Promise<CheckReport>;
}

type Action =
  | "getClick"
  | "listClicks"
  | "recordConversion"
  | "listConversions"
  | "listConversionReport"
  | "createPostback"
  | "listTrackingDomains"
  | "listConversionChanges"
  | "correctConversion";

const CALL_OPTIONS = ["signal", "timeoutMs", "retries"];
const MAX_TIMEOUT_MS = 600_000;

/**
 * Opens a client of CAKE's API. Nothing is sent yet.
 *
 * @throws CakeError `missing_api_key`, `invalid_base_url`, `invalid_field`; `key_in_page` in a page
 * @example
 * const cake = createCakeClient({ baseUrl: "https://yourdomain.cakemarketing.com", apiKey: env.CAKE_API_KEY });
 * await cake.recordConversion({ clickId, offerId: 12345, uniqueId: "ORD-98765" });
 */
export function createCakeClient(options: CakeClientOptions): CakeClient;
export function createCakeClient(options: CakeClientOptions, ...more: unknown[]): CakeClient {
  refusePages();
  checkNoMore("createCakeClient", 1, more);
  if (typeof options !== "object" || options === null) refuse("options", "must be an object");
  checkNames("options", options, CLIENT_OPTIONS);
  const { baseUrl, apiKey, fetch, onRequest, onResponse } = options;
  const timeoutMs = integerOption("timeoutMs", options.timeoutMs, 1, MAX_TIMEOUT_MS) ?? 15_000;
  const retries = integerOption("retries", options.retries, 0, 10) ?? 2;
  const verify = choice("verify", options.verify, VERIFY) ?? "click";
  const isOlder = choice("services", options.services, SERVICES) === "older";
  const readOnly = choice("readOnly", options.readOnly, [true, false]) ?? false;
  const zone = options.timeZone === undefined ? undefined : createTimeZone(stringOption("timeZone", options.timeZone));
  const dates = createDates(zone, quiet(functionOption("onWarning", options.onWarning)) ?? warnConsole);
  const client = clientCore.keep(
    ({ Client }) =>
      new Client(
        stringOption("baseUrl", baseUrl),
        stringOption("apiKey", apiKey),
        readOnly,
        isOlder,
        intervalOf(options.rateLimit),
        functionOption("fetch", fetch),
        quiet(functionOption("onRequest", onRequest)),
        quiet(functionOption("onResponse", onResponse)),
      ),
  );
  // Wrong options are reported at once.
  call(client);

  function run(
    action: Action,
    params: unknown,
    options: RecordConversionOptions | undefined,
    isDryRun = false,
  ): Promise<unknown> {
    const given = options ?? {};
    return clientCore.wait(() =>
      client().call(
        action,
        toJson(params),
        integerOption("retries", given.retries, 0, 10) ?? retries,
        integerOption("timeoutMs", given.timeoutMs, 1, MAX_TIMEOUT_MS) ?? timeoutMs,
        isDryRun ? "dry" : (choice("verify", given.verify, VERIFY) ?? verify),
        signalOf(given),
      ),
    );
  }

  function fetchConversions<Row extends ListedConversion | ReportedConversion>(
    action: "listConversions" | "listConversionReport" | "listConversionChanges",
    range: RowRange,
    given: ListOptions | undefined,
  ): Promise<FetchedPage<Row>> {
    return settle(async () => {
      const [json, , body = ""] = (await run(action, range, given)) as [string, unknown, string?];
      const page = parse<{ rows: Row[]; totalRows?: number; unread?: readonly UnreadField[] }>(json);
      const own = dates.of(action);
      own.tell(page.unread);
      return { rows: page.rows.map((row) => complete(row, own)), totalRows: page.totalRows, body };
    });
  }

  // Closures, not a class: printing the client shows nothing, and so no key.
  const methods: CakeClient = {
    getClick: (clickId, given) =>
      settle(async () => {
        checkNames("options", given, CALL_OPTIONS);
        const click: Click | null = parse(await run("getClick", { clickId: stringOption("clickId", clickId) }, given));
        return click === null ? undefined : withInstant(click, dates.of("getClick"));
      }),
    listClicks: (params, given) =>
      createList({
        params: params ?? {},
        options: given,
        pageRows: 1_000,
        maxPageRows: 10_000,
        idOf: (click) => click.clickId,
        fetchPage: (range) =>
          settle(async () => {
            const [page, taken, body] = (await run("listClicks", range, given)) as [string, unknown[]?, string?];
            return { ...readClickPage(page, taken, body ?? "", dates.of("listClicks")), body: body ?? "" };
          }),
      }),
    recordConversion: (params, given) =>
      settle(async () => {
        checkNames("options", given, [...CALL_OPTIONS, "verify"]);
        const read = parse<Conversion>(await run("recordConversion", withCivilDate(params, zone), given));
        return complete(read, dates.of("recordConversion"));
      }),
    listConversions: (params, given) =>
      createList({
        params,
        options: given,
        pageRows: isOlder ? 1_000 : 500,
        maxPageRows: isOlder ? 10_000 : 500,
        idOf: (conversion) => conversion.conversionId,
        fetchPage: (range) => fetchConversions<ListedConversion>("listConversions", range, given),
      }),
    listConversionChanges: (params, given) =>
      createList({
        params,
        options: given,
        pageRows: 1_000,
        maxPageRows: 10_000,
        idOf: (conversion) => conversion.conversionId,
        fetchPage: (range) => fetchConversions<ListedConversion>("listConversionChanges", range, given),
      }),
    correctConversion: (params, given) =>
      settle(async () => {
        checkNames("options", given, [...CALL_OPTIONS, "dryRun"]);
        const isDryRun = choice("dryRun", given?.dryRun, [true, false]) ?? false;
        return parse<Correction>(await run("correctConversion", params, given, isDryRun));
      }),
    listConversionReport: (params, given) =>
      createList({
        params,
        options: given,
        pageRows: 10_000,
        maxPageRows: 10_000,
        idOf: (conversion) => conversion.conversionId,
        fetchPage: (range) => fetchConversions<ReportedConversion>("listConversionReport", range, given),
      }),
    createPostback: (params, given) =>
      settle(async () => {
        checkNames("options", given, CALL_OPTIONS);
        // A read-only client refuses the call by itself.
        if (!readOnly) checksCore.api().checkPostback(toJson(params), client().isSandbox());
        return parse<Postback>(await run("createPostback", params, given));
      }),
    listTrackingDomains: (params, given) =>
      settle(async () => {
        checkNames("options", given, CALL_OPTIONS);
        return parse<TrackingDomain[]>(await run("listTrackingDomains", params ?? {}, given));
      }),
    check: (given) =>
      settle(async () => {
        checkNames("options", given, [...CALL_OPTIONS, "clickId"]);
        const report = await clientCore.wait(() =>
          client().check(
            given?.clickId === undefined ? undefined : stringOption("clickId", given.clickId),
            integerOption("retries", given?.retries, 0, 10) ?? retries,
            integerOption("timeoutMs", given?.timeoutMs, 1, MAX_TIMEOUT_MS) ?? timeoutMs,
            signalOf(given ?? {}),
          ),
        );
        return parse<CheckReport>(report);
      }),
  };
  return limitArguments(limitArguments(methods, LISTS), CALLS, "async");
}

/** The number of arguments of each call. */
const LISTS = { listClicks: 2, listConversions: 2, listConversionReport: 2, listConversionChanges: 2 };
const CALLS = {
  getClick: 2,
  recordConversion: 2,
  correctConversion: 2,
  createPostback: 2,
  listTrackingDomains: 2,
  check: 1,
};

const VERIFY = ["click", "report", "none"] as const;
const SERVICES = ["young", "older"] as const;

/** Everyone who can read a page can read its key. A worker or server has no document. */
function refusePages(): void {
  if (typeof globalThis === "object" && "document" in globalThis && "window" in globalThis) {
    throw new CakeError({
      code: "key_in_page",
      rule: "an API key must never be in a page: call CAKE from a server or a worker, or post to cake-edge/forwarder",
    });
  }
}

function warnConsole({ message }: AnswerWarning): void {
  // biome-ignore lint/suspicious/noConsole: what is told to nobody is lost; `onWarning` takes its place
  console.warn(`cake-edge: ${message}`);
}

/** Turns requests a second into milliseconds between them. */
export function intervalOf(rateLimit: unknown): number {
  if (rateLimit === undefined || rateLimit === null) return 0;
  if (typeof rateLimit === "number" && rateLimit > 0 && rateLimit <= 1_000) return Math.ceil(1_000 / rateLimit);
  return refuse("rateLimit", "must be a number of requests a second, above 0 and at most 1000");
}

function signalOf({ signal }: CallOptions): AbortSignal | undefined {
  if (signal === undefined || signal === null) return undefined;
  if (typeof signal === "object" && typeof signal.addEventListener === "function") return signal;
  return refuse("signal", "must be an AbortSignal");
}

/** A hook whose errors, sync or async, harm no call. */
function quiet<T>(hook: ((told: T) => unknown) | undefined): ((told: T) => void) | undefined {
  if (hook === undefined) return undefined;
  return (told) => {
    try {
      Promise.resolve(hook(Object.freeze(told))).catch(() => {});
    } catch {
      // The hook's error is ignored.
    }
  };
}

/** `conversionDate` as the account's civil time, if it is a Date. */
function withCivilDate(params: RecordConversionParams, zone: TimeZone | undefined): unknown {
  const date = params?.conversionDate;
  if (!(date instanceof Date)) return params;
  if (zone === undefined) return refuse("conversionDate", "may be a Date only where the client knows its timeZone");
  return { ...params, conversionDate: zone.findCivil(date) ?? "" };
}

function parse<T>(json: unknown): T {
  return JSON.parse(json as string) as T;
}

async function settle<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (thrown) {
    throw toCakeError(thrown);
  }
}
