/**
 * What a caller without types hands over is used or told: an argument too many, options of another type, fields that an
 * object does not hold itself. Every public call is walked, and one that is missing here fails the first test.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import * as edge from "../../dist/entry/edge.inline.js";
import * as forwarderMemory from "../../dist/entry/forwarder-memory.inline.js";
import * as forwarderNode from "../../dist/entry/forwarder-node.node.js";
import * as report from "../../dist/entry/report.node.js";
import * as sandbox from "../../dist/entry/sandbox-memory.inline.js";
import * as link from "../../dist/page/link.js";

type Call = (...given: readonly unknown[]) => unknown;

/** A call with arguments that are right; `options` are the places of those with named fields. */
interface Recipe {
  readonly call: Call;
  readonly args: readonly unknown[];
  readonly options: readonly number[];
}

const secret = "0123456789abcdef0123456789abcdef";
const home = mkdtempSync(join(tmpdir(), "cake-edge-arguments-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const request = new Request("https://shop.example/?reqid=a1");
const days = { startDate: "2026-01-01", endDate: "2026-01-31" };
const domain = "track.yournetwork.com";
const parts = { domain, affiliateId: 1, creativeId: 2 };
const postback = { affiliateId: 1, offerId: 0, postbackUrl: "https://p.example/?id=#reqsessid#" };
const journal = { read: () => [], append: () => undefined };
const offline = { baseUrl: "http://127.0.0.1", apiKey: "sandbox-key", retries: 0 };
const cake = edge.createCakeClient({ ...offline, fetch: () => Promise.reject(new Error("offline")) });
const memory = { ...offline, operatorSecret: secret, retries: undefined };
const { retries: _, ...forwarderOptions } = memory;
const ofMemory = forwarderMemory.createForwarderInProcess(forwarderOptions);
const ofSandbox = sandbox.createSandbox();
const opened = await report.openReport();
// A result is one of the rows that were there: this report gets no more.
const reconciled = await report.openReport();
const result = await reconciled.reconcile();
const list = cake.listClicks({});
const nodeOptions = { ...forwarderOptions, folder: join(home, "open") };
const ofNode = forwarderNode.openForwarder(nodeOptions);
await link.ready();
afterAll(() => ofNode.close());

const from = (call: unknown, args: readonly unknown[] = [], ...options: readonly number[]): Recipe => ({
  call: call as Call,
  args,
  options,
});
const method = (holder: object, name: string, args: readonly unknown[] = [], ...options: readonly number[]) =>
  from((...given: readonly unknown[]) => (holder as Record<string, Call>)[name]?.(...given), args, ...options);

/** Each first page of a list: a list is made without a check, and asks for nothing. */
const page =
  (name: string): Call =>
  (...given) =>
    (method(cake, name).call(...given) as { page(): unknown }).page();

const readAll: Call = async (...given) => {
  for await (const row of cake.listClicks(...(given as [object]))) return row;
  return undefined;
};

const orders = new TextEncoder().encode("unique_id\nA\n");

const FUNCTIONS: Record<string, Recipe> = {
  createTrackingLink: from(edge.createTrackingLink, [parts], 0),
  parseTrackingLink: from(edge.parseTrackingLink, [`https://${domain}/?a=1&c=2`, {}], 1),
  createConversionToken: from(
    edge.createConversionToken,
    [{ offerId: 1, clickId: "a1", origin: "https://shop.example", secrets: [secret] }],
    0,
  ),
  lintTrackingLink: from(edge.lintTrackingLink, [`https://${domain}/?a=1&c=2`]),
  findClick: from(edge.findClick, ["https://shop.example/?reqid=a1", {}], 1),
  checkPostbackUrl: from(edge.checkPostbackUrl, [postback.postbackUrl]),
  createPixel: from(edge.createPixel, [{ domain, offerId: 1, clickId: "a1" }], 0),
  captureClick: from(edge.captureClick, [request, { secrets: [secret] }], 1),
  readClickCookie: from(edge.readClickCookie, [request, { secrets: [secret] }], 1),
  signConversion: from(edge.signConversion, ["{}", secret, {}], 2),
  dayRange: from(edge.dayRange, ["yesterday", { timeZone: "UTC" }], 1),
  createCakeClient: from(edge.createCakeClient, [offline], 0),
  applyPostbacks: from(edge.applyPostbacks, [[], { client: cake, journal }], 1),
  applyCorrections: from(edge.applyCorrections, [[], { client: cake, journal }], 1),
  checkPostbacks: from(edge.checkPostbacks, [[postback], {}], 1),
  // A Worker's environment is nobody's typing; what settings are is checked when the site starts.
  clickCapture: from(edge.clickCapture, [{ secrets: [secret] }], 0),
  pagesClickCapture: from(edge.pagesClickCapture, [{ secrets: [secret] }], 0),
  withClickCapture: from(edge.withClickCapture, [() => new Response(), { secrets: [secret] }], 1),
  init: from(edge.init, [new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])), {}], 1),
  createForwarderInProcess: from(forwarderMemory.createForwarderInProcess, [forwarderOptions], 0),
  parseOptions: from(forwarderNode.parseOptions, ["{}"]),
  openForwarder: from(
    (...given: readonly unknown[]) => {
      const made = (forwarderNode.openForwarder as Call)(...given) as forwarderNode.NodeForwarder;
      return made.close();
    },
    [{ ...nodeOptions, folder: join(home, "again") }],
    0,
  ),
  serveForwarder: from(
    async (...given: readonly unknown[]) => {
      const served = (await (forwarderNode.serveForwarder as Call)(...given)) as forwarderNode.ForwarderServer;
      await served.stop();
    },
    [{ ...nodeOptions, folder: join(home, "served"), port: 0 }],
    0,
  ),
  createSandbox: from(sandbox.createSandbox, [{}], 0),
  checkFixture: from(sandbox.checkFixture, [{ offers: [] }], 0),
  openReport: from(report.openReport, [{}], 0),
};

const PAGE: Record<string, Recipe> = {
  createTrackingLink: from(link.createTrackingLink, [parts], 0),
  ready: from(link.ready),
};

const METHODS: Record<string, readonly [holder: object, recipes: Record<string, Recipe>]> = {
  client: [
    cake,
    {
      getClick: method(cake, "getClick", ["a1", {}], 1),
      listClicks: from(page("listClicks"), [{}, {}], 0, 1),
      recordConversion: method(cake, "recordConversion", [{ clickId: "a1", offerId: 1, uniqueId: "u1" }, {}], 0, 1),
      listConversions: from(page("listConversions"), [days, {}], 0, 1),
      listConversionReport: from(page("listConversionReport"), [days, {}], 0, 1),
      listConversionChanges: from(page("listConversionChanges"), [{ since: "2026-01-01" }, {}], 0, 1),
      correctConversion: method(cake, "correctConversion", [{ conversionId: 1, offerId: 1, payout: "1" }, {}], 0, 1),
      createPostback: method(cake, "createPostback", [postback, {}], 0, 1),
      listTrackingDomains: method(cake, "listTrackingDomains", [{}, {}], 0, 1),
      check: method(cake, "check", [{}], 0),
    },
  ],
  list: [list, { page: method(list, "page"), bytes: method(list, "bytes") }],
  sandbox: [
    ofSandbox,
    {
      fetch: method(ofSandbox, "fetch", [new Request("http://127.0.0.1/api/2/click.json")]),
      settle: method(ofSandbox, "settle"),
      snapshot: method(ofSandbox, "snapshot"),
    },
  ],
  forwarder: [ofMemory, { fetch: method(ofMemory, "fetch", [request]), settle: method(ofMemory, "settle") }],
  "forwarder of Node": [
    ofNode,
    { fetch: method(ofNode, "fetch", [request, "192.0.2.1"]), close: from(() => undefined) },
  ],
  report: [
    Object.getPrototypeOf(opened),
    {
      addOrders: method(opened, "addOrders", [orders, {}], 1),
      addConversions: method(opened, "addConversions", [new Uint8Array(), {}], 1),
      addClicks: method(opened, "addClicks", [new Uint8Array(), {}], 1),
      addDeliveries: method(opened, "addDeliveries", [new Uint8Array(), {}], 1),
      understood: method(opened, "understood"),
      reconcile: method(opened, "reconcile", [{}], 0),
      breakDown: method(opened, "breakDown", [{ by: ["offer"] }], 0),
      attribute: method(opened, "attribute", [{ models: ["last"] }], 0),
      dispose: from(() => undefined),
    },
  ],
  "report's result": [
    Object.getPrototypeOf(result),
    {
      byOfferAffiliate: method(result, "byOfferAffiliate"),
      rows: from(
        (...given: readonly unknown[]) => [...(method(result, "rows").call(...given) as Iterable<unknown>)],
        [{}],
        0,
      ),
      csv: method(result, "csv", [{}], 0),
      html: method(result, "html", [{}], 0),
      corrections: method(result, "corrections", [{}], 0),
    },
  ],
};

/** What a runtime calls, and adds its environment to, or a framework its context. */
const OPEN_ENDED = new Set(["fetch", "scheduled", "ready", "close", "dispose"]);

/** No calls of a caller: errors, classes that only calls make, lists of words. */
const NO_CALLS = ["CakeError", "isCakeError", "Report", "ReportResult", "Output"];

async function outcomeOf(
  call: Call,
  given: readonly unknown[],
): Promise<{ code: string; parameter?: string | undefined }> {
  try {
    await call(...given);
    return { code: "ok" };
  } catch (error) {
    if (!edge.isCakeError(error)) return { code: `threw ${String(error)}` };
    return { code: error.code, parameter: error.parameter };
  }
}

const all: [name: string, recipe: Recipe][] = [
  ...Object.entries(FUNCTIONS),
  ...Object.entries(PAGE).map(([name, recipe]): [string, Recipe] => [`page ${name}`, recipe]),
  ...Object.entries(METHODS).flatMap(([holder, [, recipes]]) =>
    Object.entries(recipes).map(([name, recipe]): [string, Recipe] => [`${holder} ${name}`, recipe]),
  ),
];

test("every public call is here", () => {
  const exported = [edge, forwarderMemory, forwarderNode, sandbox, report].flatMap((entry) =>
    Object.entries(entry).flatMap(([name, value]) => (typeof value === "function" ? [name] : [])),
  );
  const known = [...Object.keys(FUNCTIONS), ...NO_CALLS];
  expect(exported.filter((name) => !known.includes(name))).toEqual([]);
  // A name of one letter is for the page's other files: no type has it.
  const ofPage = Object.entries(link).filter(([name, value]) => typeof value === "function" && name.length > 1);
  expect(ofPage.map(([name]) => name).filter((name) => !(name in PAGE) && !NO_CALLS.includes(name))).toEqual([]);
  for (const [holder, [object, recipes]] of Object.entries(METHODS)) {
    const names = Object.getOwnPropertyNames(object).filter((name) => {
      const { value } = Object.getOwnPropertyDescriptor(object, name) ?? {};
      return typeof value === "function" && name !== "constructor";
    });
    expect(
      names.filter((name) => !(name in recipes)),
      holder,
    ).toEqual([]);
  }
});

test.each(all)("%s takes what is right, and tells an argument too many", async (name, { call, args }) => {
  const { code } = await outcomeOf(call, args);
  expect(code).not.toMatch(/^invalid_field|^internal|^threw/);
  if (OPEN_ENDED.has(name.split(" ").at(-1) ?? "")) return;
  for (const more of [{ sandbox: true }, {}, "more", () => 1, true, null]) {
    // A page counts bytes: it tells of options.
    if (name.startsWith("page ") && (typeof more !== "object" || more === null)) continue;
    const told = await outcomeOf(call, [...args, more]);
    const parameter = name.startsWith("page ") ? "options" : "arguments";
    expect(told, String(more)).toMatchObject({ code: "invalid_field", parameter });
  }
  expect((await outcomeOf(call, [...args, undefined])).code).toBe(code);
  // `links.map(lintTrackingLink)`
  if (args.length === 1) expect((await outcomeOf(call, [...args, 0, [args[0]]])).code).toBe(code);
});

class Accessors {
  get offerId() {
    return 1;
  }
}

/** No options, however they came to be handed over. */
const WRONG: readonly (readonly [what: string, value: unknown])[] = [
  ["a text", "secrets"],
  ["a number", 7],
  ["a flag", true],
  ["a list", ["x"]],
  ["a function", (x: unknown) => x],
  ["a symbol", Symbol("x")],
  ["a bigint", 1n],
  ["a Map", new Map([["offerId", 1]])],
  ["a Set", new Set(["offerId"])],
  ["a promise", Promise.resolve({})],
  ["a Date", new Date()],
  ["a URL", new URL("https://a.example")],
  ["parameters of a URL", new URLSearchParams("offerId=1")],
  ["a form", new FormData()],
  ["headers", new Headers({ offerid: "1" })],
  ["an error", new Error("x")],
  ["a getter of a class", new Accessors()],
  ["an inherited name", Object.create({ sub1: "x" })],
  ["an inherited right name", Object.create({ signal: undefined, offerId: 1 })],
];

const withOptions = all.filter(([, { options }]) => options.length > 0);

test.each(withOptions)("%s takes no options but a plain object", async (name, { call, args, options }) => {
  for (const at of options) {
    const swap = (value: unknown) => args.map((each, index) => (index === at ? value : each));
    for (const [what, value] of WRONG) {
      const isOfPage = name.startsWith("page ") && /getter|inherited/.test(what);
      // A day may be one too, as text; a settings function takes an environment.
      const mayBe =
        (name === "dayRange" && what === "a text") || (/[cC]lickCapture/.test(name) && what === "a function");
      if (isOfPage || mayBe) continue;
      const { code } = await outcomeOf(call, swap(value));
      expect(code, `argument ${at}, ${what}`).toMatch(/^(invalid|missing)_/);
    }
    const right = args[at] as object;
    const { code } = await outcomeOf(call, args);
    // A getter that throws is the caller's own, and no bug of ours.
    const throwing = Object.defineProperty({ ...right }, "signal", {
      enumerable: true,
      get: () => {
        throw new Error("mine");
      },
    });
    const told = await outcomeOf(call, swap(throwing));
    expect(told.code, `argument ${at}, a getter`).toMatch(/^invalid_|^threw Error: mine/);
    // A name that is no text can be nobody's option; an object of a class that holds its fields is one as well.
    class Held {
      constructor() {
        Object.assign(this, right);
      }
    }
    for (const same of [{ ...right, [Symbol("mark")]: 1 }, new Held(), Object.assign(Object.create(null), right)]) {
      expect((await outcomeOf(call, swap(same))).code).toBe(code);
    }
  }
});

test.each([
  ["sandbox", "true"],
  ["sandbox", 1],
  ["spill", "false"],
  ["testAffiliate", "no"],
  ["s1", 7],
  ["s3", 0],
  ["s4", false],
  ["s5", Symbol("x")],
  ["priceFormat", 0],
  ["deepLink", 0],
  ["deepLink", new URL("https://a.example")],
  ["deepLinkHosts", "a.example"],
  ["extra", new Map([["x", "1"]])],
  ["extra", "x=1"],
  ["extra", 0],
  ["extra", { x: 1 }],
  ["affiliateId", "1"],
  ["affiliateId", Object.create(null)],
  ["domain", null],
])("a tracking link's %s of another type is told: %s", async (name, value) => {
  const { code } = await outcomeOf(edge.createTrackingLink as Call, [{ ...parts, [name]: value }]);
  expect(code).toMatch(/^invalid_/);
});

test.each<[string, Call, readonly unknown[]]>([
  ["findClick", edge.findClick as Call, ["https://a.example/?reqid=a1", { parameters: "reqid" }]],
  ["findClick", edge.findClick as Call, ["https://a.example/?reqid=a1", { fragment: "yes" }]],
  ["findClick", edge.findClick as Call, [{ url: "https://a.example/?reqid=a1" }]],
  ["findClick", edge.findClick as Call, [7]],
  ["parseTrackingLink", edge.parseTrackingLink as Call, [`https://${domain}/?a=1&c=2`, { deepLinkHosts: "a.example" }]],
  ["createPixel", edge.createPixel as Call, [{ domain, offerId: 1, clickId: "a1", sandbox: "true" }]],
  ["captureClick", edge.captureClick as Call, [request, { secrets: [secret], trustProxy: "yes" }]],
  ["captureClick", edge.captureClick as Call, ["https://a.example/?reqid=a1", { secrets: [secret] }]],
  ["captureClick", edge.captureClick as Call, [request]],
  ["readClickCookie", edge.readClickCookie as Call, [new Headers(), { secrets: [secret] }]],
  ["dayRange", edge.dayRange as Call, ["today", { timeZone: "UTC", now: "2026-01-01" }]],
  ["withClickCapture", edge.withClickCapture as Call, [{ fetch: () => undefined }, { secrets: [secret] }]],
  ["clickCapture", edge.clickCapture as Call, []],
  ["init", edge.init as Call, ["edge.wasm"]],
  ["listClicks", readAll, [{}, { onPage: "x" }]],
  ["openReport", report.openReport as Call, [{ statuses: new Map([["paid", "approved"]]) }]],
  ["openReport", report.openReport as Call, [{ keys: "uniqueId" }]],
  ["openReport", report.openReport as Call, [{ part: "1/2" }]],
  ["addOrders", method(opened, "addOrders").call, [orders, { columns: new Map([["revenue", "x"]]) }]],
  ["breakDown", method(opened, "breakDown").call, [{ by: "offer" }]],
  ["breakDown", method(opened, "breakDown").call, []],
  ["attribute", method(opened, "attribute").call, [{ models: "last" }]],
  [
    "createForwarderInProcess",
    forwarderMemory.createForwarderInProcess as Call,
    [{ ...forwarderOptions, upstreamDedupe: "false" }],
  ],
  [
    "createForwarderInProcess",
    forwarderMemory.createForwarderInProcess as Call,
    [{ ...forwarderOptions, upstreamDedupe: new Map() }],
  ],
  ["createForwarderInProcess", forwarderMemory.createForwarderInProcess as Call, [{ ...forwarderOptions, keep: "x" }]],
  ...[
    { postbacks: new Map() },
    { shops: new Map() },
    { shops: { shopify: new Map() } },
    { kept: "x" },
    { timeZone: 0 },
    { origins: "https://a.example" },
  ].map((wrong): [string, Call, readonly unknown[]] => [
    `createForwarderInProcess, ${Object.keys(wrong)[0]}`,
    forwarderMemory.createForwarderInProcess as Call,
    [{ ...forwarderOptions, ...wrong }],
  ]),
  ...[new Date(), new URL("https://a.example"), { toJSON: () => "u1" }, Symbol("u1"), () => "u1", ["u1"], true].map(
    (uniqueId): [string, Call, readonly unknown[]] => [
      "recordConversion",
      method(cake, "recordConversion").call,
      [{ clickId: "a1", offerId: 1, uniqueId }],
    ],
  ),
  ["sandbox.fetch", method(ofSandbox, "fetch").call, ["http://127.0.0.1/?a=1", { method: "POST" }]],
  ["forwarder.fetch", method(ofMemory, "fetch").call, ["http://127.0.0.1/cake/conversions", { method: "POST" }]],
  ["forwarder.fetch", method(ofNode, "fetch").call, [new URL("http://127.0.0.1/cake/conversions")]],
])("%s tells of a value of another type", async (_, call, args) => {
  const { code } = await outcomeOf(call, args);
  expect(code).toMatch(/^(invalid|weak|missing)_/);
});
