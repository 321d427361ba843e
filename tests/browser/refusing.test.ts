/**
 * A browser that refuses. Its own settings refuse, or each platform call of the page is missing, throws, rejects, never
 * answers or lies. The page continues, the click is kept where any storage works, and every possible conversion is
 * sent.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { ConvertResult, Tracker } from "../../js/page/index.ts";
import { launch } from "./chromium.ts";
import { withChromium, withFirefox } from "./settings.ts";
import { Site } from "./site.ts";
import { type Visit, visit } from "./visit.ts";

declare const tracker: Tracker;

let site: Site;
let browser: Browser;
beforeAll(async () => {
  site = await Site.start();
  browser = await launch();
  site.addTrackerPage("/");
  site.addTrackerPage("/thanks");
});
beforeEach(() => {
  site.trouble = undefined;
  site.received.length = 0;
  site.recorded.clear();
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});

/** The common part of both drivers' pages. */
interface Driven {
  evaluate<T>(run: () => T | Promise<T>): Promise<T>;
}

/** One conversion of each kind: with a unique id, with an order id, and with the page's address alone. */
const convertAll = (page: Driven): Promise<ConvertResult[]> =>
  page.evaluate(() =>
    Promise.all([
      tracker.convert({ offerId: 1, uniqueId: "u-1" }),
      tracker.convert({ offerId: 1, orderId: "A-1" }),
      tracker.convert({ offerId: 1 }),
    ]),
  );

async function expectAllSent(page: Driven): Promise<void> {
  const results = await convertAll(page);
  expect(results.map(({ state }) => state)).toEqual(["accepted", "accepted", "accepted"]);
  expect([...site.recorded.values()].map(({ clickId }) => clickId)).toEqual(["abc-1", "abc-1", "abc-1"]);
  expect(new Set([...site.recorded.values()].map(({ uniqueId }) => uniqueId)).size).toBe(3);
  // The same again: an order or address is recognised without any storage.
  const again = await convertAll(page);
  expect(again.map(({ state }) => state)).toEqual(["duplicate", "duplicate", "duplicate"]);
  expect(site.recorded.size).toBe(3);
}

const SITE_DATA = { cookies: 2 };

test.each([
  ["all site data is blocked", { profile: { default_content_setting_values: SITE_DATA } }, [], "127.0.0.1", false],
  [
    "all site data is blocked, on http",
    { profile: { default_content_setting_values: SITE_DATA } },
    [],
    "shop.example.com",
    false,
  ],
  [
    "this site's data is blocked",
    { profile: { content_settings: { exceptions: { cookies: { "http://127.0.0.1,*": { setting: 2 } } } } } },
    [],
    "127.0.0.1",
    false,
  ],
  [
    "site data lives as long as the browser",
    { profile: { default_content_setting_values: { cookies: 4 } } },
    [],
    "127.0.0.1",
    true,
  ],
  [
    "JavaScript is not optimised, and WebAssembly off",
    { profile: { default_content_setting_values: { javascript_jit: 2 } } },
    [],
    "127.0.0.1",
    true,
  ],
  ["http, without Web Locks and crypto.subtle", {}, [], "shop.example.com", true],
] as const)("Chromium's own settings: %s", async (_, preferences, args, host, isKept) => {
  await withChromium(preferences, args, async (context) => {
    const page = await context.newPage();
    const thrown: string[] = [];
    page.on("pageerror", (error) => thrown.push(String(error)));
    const origin = `http://${host}:${site.port}`;
    await page.goto(`${origin}/?reqid=abc-1`);
    await page.waitForFunction(() => "tracker" in globalThis);
    // Without WebAssembly, the click is known after the fallback has loaded.
    expect(await page.evaluate(() => tracker.ready.then(() => tracker.clickId))).toBe("abc-1");
    await expectAllSent(page);
    await page.evaluate(() => tracker.setConsent("denied"));
    await page.evaluate(() => tracker.setConsent("granted"));
    await page.goto(`${origin}/?reqid=abc-2`);
    await page.waitForFunction(() => "tracker" in globalThis);
    await page.evaluate(() => tracker.ready);
    await page.goto(`${origin}/thanks`);
    await page.waitForFunction(() => "tracker" in globalThis);
    expect((await page.evaluate(() => tracker.ready.then(() => tracker.clickId))) ?? null).toBe(
      isKept ? "abc-2" : null,
    );
    expect(thrown).toEqual([]);
  });
});

test.each([
  ["cookies and site data are blocked", { "network.cookie.cookieBehavior": 2 }, false],
  ["no localStorage (dom.storage.enabled)", { "dom.storage.enabled": false }, true],
  ["no keepalive, no beacon", { "dom.fetchKeepalive.enabled": false, "beacon.enabled": false }, true],
  [
    "no performance entries",
    { "dom.enable_performance": false, "dom.enable_performance_navigation_timing": false },
    true,
  ],
  ["no WebAssembly", { "javascript.options.wasm": false }, true],
  ["resistFingerprinting", { "privacy.resistFingerprinting": true }, true],
] as const)("Firefox's own settings: %s", async (_, preferences, isKept) => {
  await withFirefox(preferences, async (firefox) => {
    const page = await firefox.newPage();
    const thrown: string[] = [];
    page.on("pageerror", (error) => {
      // Firefox reports a refused cookie in the same way.
      if (!String(error).includes("has been rejected for")) thrown.push(String(error));
    });
    await page.goto(`${site.origin}/?reqid=abc-1`);
    await page.waitForFunction(() => "tracker" in globalThis);
    expect(await page.evaluate(() => tracker.ready.then(() => tracker.clickId))).toBe("abc-1");
    await expectAllSent(page);
    await page.goto(`${site.origin}/thanks`);
    await page.waitForFunction(() => "tracker" in globalThis);
    expect((await page.evaluate(() => tracker.ready.then(() => tracker.clickId))) ?? null).toBe(
      isKept ? "abc-1" : null,
    );
    expect(thrown).toEqual([]);
  });
});

/** The replacement of a call, by the way in which it fails. Runs in the page. */
interface Refusal {
  /** The object that has the call, as an expression. */
  readonly of: string;
  readonly name: string;
  /** The body of a getter. */
  readonly get: string;
}

const throws = `throw new DOMException("refused", "SecurityError")`;
const call = (body: string) => `return function () { ${body} }`;
const rejects = call(`return Promise.reject(new DOMException("refused", "SecurityError"))`);
const hangs = call("return new Promise(function () {})");

const REFUSALS: readonly (Refusal & { readonly how: string; readonly isSent?: false })[] = [
  { how: "localStorage throws", of: "window", name: "localStorage", get: throws },
  { how: "localStorage is null", of: "window", name: "localStorage", get: "return null" },
  { how: "localStorage is missing", of: "window", name: "localStorage", get: "return undefined" },
  { how: "getItem throws", of: "Storage.prototype", name: "getItem", get: call(throws) },
  { how: "getItem forgets", of: "Storage.prototype", name: "getItem", get: call("return null") },
  { how: "getItem lies", of: "Storage.prototype", name: "getItem", get: call("return 'nonsense'") },
  { how: "setItem throws", of: "Storage.prototype", name: "setItem", get: call(throws) },
  { how: "setItem does nothing", of: "Storage.prototype", name: "setItem", get: call("") },
  { how: "setItem is missing", of: "Storage.prototype", name: "setItem", get: "return undefined" },
  { how: "removeItem throws", of: "Storage.prototype", name: "removeItem", get: call(throws) },
  { how: "Storage's length throws", of: "Storage.prototype", name: "length", get: throws },
  { how: "Storage's key throws", of: "Storage.prototype", name: "key", get: call(throws) },
  {
    how: "its keys cannot be listed",
    of: "Object",
    name: "keys",
    get: `const keys = (of) => Reflect.ownKeys(of).filter((key) => Object.prototype.propertyIsEnumerable.call(of, key));
      return function (of) { if (of instanceof Storage) ${throws}; return keys(of) }`,
  },
  { how: "document.cookie throws", of: "Document.prototype", name: "cookie", get: throws },
  { how: "document.cookie is missing", of: "Document.prototype", name: "cookie", get: "return undefined" },
  { how: "document.cookie is null", of: "Document.prototype", name: "cookie", get: "return null" },
  { how: "navigator.locks is missing", of: "Navigator.prototype", name: "locks", get: "return undefined" },
  { how: "navigator.locks is null", of: "Navigator.prototype", name: "locks", get: "return null" },
  { how: "navigator.locks throws", of: "Navigator.prototype", name: "locks", get: throws },
  { how: "locks.request rejects", of: "LockManager.prototype", name: "request", get: rejects },
  { how: "locks.request throws", of: "LockManager.prototype", name: "request", get: call(throws) },
  { how: "locks.request never answers", of: "LockManager.prototype", name: "request", get: hangs },
  { how: "locks.request does nothing", of: "LockManager.prototype", name: "request", get: call("") },
  {
    how: "crypto is missing",
    of: "Window.prototype.constructor === Window && window",
    name: "crypto",
    get: "return undefined",
  },
  { how: "crypto.subtle is missing", of: "Crypto.prototype", name: "subtle", get: "return undefined" },
  { how: "getRandomValues throws", of: "Crypto.prototype", name: "getRandomValues", get: call(throws) },
  { how: "Math.random is constant", of: "Math", name: "random", get: call("return 0.5") },
  { how: "fetch is missing", of: "window", name: "fetch", get: "return undefined" },
  { how: "fetch throws", of: "window", name: "fetch", get: call(throws) },
  { how: "fetch rejects", of: "window", name: "fetch", get: rejects },
  { how: "fetch answers nothing", of: "window", name: "fetch", get: call("") },
  {
    how: "fetch gives a promise of another kind",
    of: "window",
    name: "fetch",
    get: call("return { then: function (_, fail) { fail(new TypeError('refused')) } }"),
  },
  { how: "AbortSignal.timeout throws", of: "AbortSignal", name: "timeout", get: call(throws) },
  { how: "Array.from is an old library's", of: "Array", name: "from", get: call("return [].slice.call(arguments[0])") },
  { how: "Request is missing", of: "window", name: "Request", get: "return undefined" },
  { how: "AbortController is missing", of: "window", name: "AbortController", get: "return undefined" },
  { how: "AbortSignal is missing", of: "window", name: "AbortSignal", get: "return undefined" },
  { how: "sendBeacon is missing", of: "Navigator.prototype", name: "sendBeacon", get: "return undefined" },
  { how: "sendBeacon throws", of: "Navigator.prototype", name: "sendBeacon", get: call(throws) },
  { how: "XMLHttpRequest is missing", of: "window", name: "XMLHttpRequest", get: "return undefined" },
  { how: "TextEncoder is missing", of: "window", name: "TextEncoder", get: "return undefined" },
  { how: "performance is missing", of: "window", name: "performance", get: "return undefined" },
  {
    how: "performance knows no navigation",
    of: "Performance.prototype",
    name: "getEntriesByType",
    get: call("return []"),
  },
  {
    how: "getEntriesByType is missing",
    of: "Performance.prototype",
    name: "getEntriesByType",
    get: "return undefined",
  },
  { how: "getEntriesByType throws", of: "Performance.prototype", name: "getEntriesByType", get: call(throws) },
  {
    how: "getEntriesByType knows no address",
    of: "Performance.prototype",
    name: "getEntriesByType",
    get: call("return [{ name: 'document' }]"),
  },
  { how: "navigation is the site's own", of: "window", name: "navigation", get: "return { open: true }" },
  { how: "navigation throws", of: "window", name: "navigation", get: throws },
  { how: "navigation is an element", of: "window", name: "navigation", get: "return document.createElement('nav')" },
  { how: "globalPrivacyControl throws", of: "Navigator.prototype", name: "globalPrivacyControl", get: throws },
  { how: "console is silenced", of: "window", name: "console", get: "return {}" },
  { how: "requestIdleCallback is missing", of: "window", name: "requestIdleCallback", get: "return undefined" },
  { how: "navigator.onLine lies", of: "Navigator.prototype", name: "onLine", get: "return false" },
];

function refuse(refusals: readonly Refusal[]): void {
  for (const { of, name, get } of refusals) {
    Object.defineProperty(new Function(`return ${of}`)(), name, {
      configurable: true,
      get: new Function(get) as () => unknown,
      set: () => undefined,
    });
  }
}

async function refused(refusals: readonly Refusal[]): Promise<Visit> {
  const context = await browser.newContext();
  await context.addInitScript(refuse, refusals as Refusal[]);
  await context.addInitScript(() => {
    // The driver itself needs some of the refused calls to wait.
    Object.assign(globalThis, { isRefused: true });
  });
  const { open } = await import("./visit.ts");
  const opened = await open(context, site);
  await opened.page.goto(`${site.origin}/?reqid=abc-1`);
  await expect.poll(() => opened.page.evaluate(() => "tracker" in globalThis)).toBe(true);
  return opened;
}

test.each(REFUSALS)("$how: the click counts and conversions are sent", async (refusal) => {
  const { page, said } = await refused([refusal]);
  expect(await page.evaluate(() => tracker.clickId)).toBe("abc-1");
  await expectAllSent(page);
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

test.each(REFUSALS.filter(({ of, name }) => !(of === "Document.prototype" && name === "cookie")))(
  "$how: the other store serves on the next page",
  async (refusal) => {
    const { page } = await refused([refusal]);
    await page.goto(`${site.origin}/thanks`);
    await expect.poll(() => page.evaluate(() => "tracker" in globalThis)).toBe(true);
    expect(await page.evaluate(() => tracker.ready.then(() => tracker.clickId))).toBe("abc-1");
  },
);

test("names that an old library has added to every object are nobody's options and fields", async () => {
  const { visit } = await import("./visit.ts");
  const { page, said } = await visit(browser, site, "/?reqid=abc-1", () => {
    Object.assign(Object.prototype, { each: () => undefined, debug: "maybe" });
    Object.assign(Array.prototype, { toJSON: () => "list", each: () => undefined });
  });
  await expectAllSent(page);
  expect(said.filter((line) => /THROWN|invalid/.test(line))).toEqual([]);
});

test("a localStorage that returns numbers holds nothing, and breaks nothing", async () => {
  const { page, said } = await visit(browser, site, "/?reqid=abc-1", () => {
    Storage.prototype.getItem = () => 7 as never;
  });
  expect(await page.evaluate(() => tracker.convert({ offerId: 1, orderId: "T-7" }))).toMatchObject({
    state: "accepted",
  });
  expect(said.filter((line) => /THROWN|internal/.test(line))).toEqual([]);
});

test("without fetch and XMLHttpRequest the beacon is sent, and the conversion waits", async () => {
  const missing = (name: string) => ({ of: "window", name, get: "return undefined" });
  const { page } = await refused([missing("fetch"), missing("XMLHttpRequest")]);
  expect(await page.evaluate(() => tracker.convert({ offerId: 1, uniqueId: "u" }))).toEqual({
    state: "queued",
    code: "network",
  });
  await expect.poll(() => [...site.recorded.keys()]).toEqual(["1 u"]);
});

test("all of it at once: nothing is thrown, and convert says that it waits", async () => {
  const { page, said } = await refused([
    { of: "window", name: "localStorage", get: throws },
    { of: "Document.prototype", name: "cookie", get: throws },
    { of: "LockManager.prototype", name: "request", get: rejects },
    { of: "window", name: "crypto", get: throws },
    { of: "window", name: "fetch", get: rejects },
    { of: "window", name: "XMLHttpRequest", get: "return undefined" },
    { of: "Navigator.prototype", name: "sendBeacon", get: call(throws) },
    { of: "Performance.prototype", name: "getEntriesByType", get: call(throws) },
    { of: "window", name: "navigation", get: throws },
  ]);
  expect(await page.evaluate(() => tracker.clickId)).toBe("abc-1");
  const results = await convertAll(page);
  expect(results).toEqual(new Array(3).fill({ state: "queued", code: "network" }));
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

test("a page without an origin of its own (a sandboxed frame) captures and sends", async () => {
  site.isOpen = true;
  site.pages.set("/frame", {
    html: `<!doctype html><title>frame</title><iframe sandbox="allow-scripts" src="/?reqid=abc-1"></iframe>`,
  });
  const context = await browser.newContext();
  const page = await context.newPage();
  const thrown: string[] = [];
  page.on("pageerror", (error) => thrown.push(String(error)));
  await page.goto(`${site.origin}/frame`);
  await expect.poll(() => page.frames().length).toBe(2);
  const frame = page.frames()[1] as unknown as Page;
  await expect.poll(() => frame.evaluate(() => "tracker" in globalThis)).toBe(true);
  expect(await frame.evaluate(() => tracker.clickId)).toBe("abc-1");
  const result = await frame.evaluate(() => tracker.convert({ offerId: 1, uniqueId: "u" }));
  // The answer cannot be read from there; the test is that the request arrived.
  expect(result).toEqual({ state: "queued", code: "network" });
  expect([...site.recorded.keys()]).toEqual(["1 u"]);
  expect(thrown).toEqual([]);
});

test("a policy that lets no connection through: the conversion waits", async () => {
  site.addTrackerPage("/closed", "{}", { headers: { "content-security-policy": "connect-src 'none'" } });
  const { page, said, go } = await visit(browser, site, "/closed?reqid=abc-1");
  expect(await page.evaluate(() => tracker.convert({ offerId: 1, uniqueId: "u" }))).toEqual({
    state: "queued",
    code: "network",
  });
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
  await go("/thanks");
  await expect.poll(() => [...site.recorded.keys()]).toEqual(["1 u"]);
});

test("a form called cookie hides no cookie: a click is kept, and a no deletes it", async () => {
  site.addTrackerPage("/banner", "{}", { before: '<form name="cookie"><button>No</button></form>' });
  const { page, context, go } = await visit(browser, site, "/banner?reqid=abc-1");
  const kept = async () => (await context.cookies()).map(({ value }) => value.split("!")[3]);
  expect(await kept()).toEqual(["abc-1"]);
  await page.evaluate(() => localStorage.clear());
  await go("/banner");
  expect(await page.evaluate(() => tracker.clickId)).toBe("abc-1");
  await page.evaluate(() => tracker.setConsent("denied"));
  expect(await kept()).toEqual([]);
});
