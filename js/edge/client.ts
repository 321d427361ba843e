/** The client of CAKE's API for JavaScript. The core decides about requests and about the meaning of answers. */
import { CakeError, call, toCakeError } from "../error.js";
import {
  checkNames,
  checkNoMore,
  choice,
  functionOption,
  hookOption,
  integerOption,
  isDate,
  limitArguments,
  refuse,
  signalOption,
  stringOption,
} from "../option.js";
import { refuseBroken } from "../secret.js";
import { createTimeZone, type TimeZone } from "../time-zone.js";
import type {
  CakeClient,
  CheckReport,
  Postback,
  RecordConversionOptions,
  RecordConversionParams,
  TrackingDomain,
} from "./cake-client.js";
import { toJson } from "./call-options.js";
import { type Click, readClickPage, withInstant } from "./click.js";
import { type CakeClientOptions, CLIENT_OPTIONS } from "./client-options.js";
import {
  type Conversion,
  type Correction,
  complete,
  type ListedConversion,
  type ReportedConversion,
} from "./conversion.js";
import { checksCore, clientCore } from "./core.js";
import { type AnswerWarning, createDates, type UnreadField } from "./dates.js";
import { createList, type FetchedPage, type ListOptions, type Page, type RowRange } from "./list.js";

/** A page that the core has read. */
interface ReadPage<Row> extends Page<Row> {
  readonly gaps?: readonly number[];
  readonly unread?: readonly UnreadField[];
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
 * @throws CakeError `missing_api_key`, `placeholder_text`, `invalid_base_url`, `invalid_field`; `key_in_page` in a page
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
  const { baseUrl, fetch, onRequest, onResponse } = options;
  const apiKey = stringOption("apiKey", options.apiKey);
  refuseBroken("apiKey", apiKey);
  const timeoutMs = integerOption("timeoutMs", options.timeoutMs, 1, MAX_TIMEOUT_MS) ?? 15_000;
  const retries = integerOption("retries", options.retries, 0, 10) ?? 2;
  const verify = choice("verify", options.verify, VERIFY) ?? "click";
  const isOlder = choice("services", options.services, SERVICES) === "older";
  const readOnly = choice("readOnly", options.readOnly, [true, false]) ?? false;
  const zone = options.timeZone === undefined ? undefined : createTimeZone(stringOption("timeZone", options.timeZone));
  const warn = hookOption("onWarning", options.onWarning) ?? warnConsole;
  const dates = createDates(zone, warn, (text) => client().shown(text));
  const client = clientCore.keep(
    ({ Client }) =>
      new Client(
        stringOption("baseUrl", baseUrl),
        apiKey,
        readOnly,
        isOlder,
        intervalOf(options.rateLimit),
        functionOption("fetch", fetch),
        frozen(hookOption("onRequest", onRequest)),
        frozen(hookOption("onResponse", onResponse)),
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
        signalOption(given.signal),
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
      const page = parse<ReadPage<Row>>(json);
      const own = dates.of(action);
      own.reportUnread(page.unread);
      return { ...page, rows: page.rows.map((row) => complete(row, own)), body };
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
        reportMissing: dates.of("listClicks").reportMissing,
        fetchPage: (range, own) =>
          settle(async () => {
            const [page, taken, body] = (await run("listClicks", range, own)) as [string, unknown[]?, string?];
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
        reportMissing: dates.of("listConversions").reportMissing,
        fetchPage: (range, own) => fetchConversions<ListedConversion>("listConversions", range, own),
      }),
    listConversionChanges: (params, given) =>
      createList({
        params,
        options: given,
        pageRows: 1_000,
        maxPageRows: 10_000,
        idOf: (conversion) => conversion.conversionId,
        reportMissing: dates.of("listConversionChanges").reportMissing,
        fetchPage: (range, own) => fetchConversions<ListedConversion>("listConversionChanges", range, own),
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
        reportMissing: dates.of("listConversionReport").reportMissing,
        fetchPage: (range, own) => fetchConversions<ReportedConversion>("listConversionReport", range, own),
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
        const page = parse<ReadPage<TrackingDomain>>(await run("listTrackingDomains", params ?? {}, given));
        dates.of("listTrackingDomains").reportUnread(page.unread);
        return [...page.rows];
      }),
    check: (given) =>
      settle(async () => {
        checkNames("options", given, [...CALL_OPTIONS, "clickId"]);
        const report = await clientCore.wait(() =>
          client().check(
            given?.clickId === undefined ? undefined : stringOption("clickId", given.clickId),
            integerOption("retries", given?.retries, 0, 10) ?? retries,
            integerOption("timeoutMs", given?.timeoutMs, 1, MAX_TIMEOUT_MS) ?? timeoutMs,
            signalOption(given?.signal),
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

/** A hook that cannot change what it is told. */
function frozen<T>(hook: ((told: T) => void) | undefined): ((told: T) => void) | undefined {
  return hook && ((told) => hook(Object.freeze(told)));
}

/** `conversionDate` as the account's civil time, if it is a Date. */
function withCivilDate(params: RecordConversionParams, zone: TimeZone | undefined): unknown {
  const date = params?.conversionDate;
  if (!isDate(date)) return params;
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
