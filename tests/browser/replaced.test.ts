/** Sites that carry their order's id under a click id's name, replace parts of the platform, or answer in a forwarder's place. In Chromium. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { PageConversion, Tracker } from "../../js/page/index.ts";
import { launch } from "./chromium.ts";
import { Site } from "./site.ts";
import { open, visit } from "./visit.ts";

declare const tracker: Tracker;

let site: Site;
let browser: Browser;
beforeAll(async () => {
  site = await Site.start();
  browser = await launch();
  site.addTrackerPage("/");
  site.addTrackerPage("/thanks");
  site.addTrackerPage("/pending", `{ consent: "pending" }`);
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

const PAID = "13b9ae60-4f60-4c9e-bf75-626dca035acf";
const convert = (page: Page, conversion: PageConversion) =>
  page.evaluate((fields) => tracker.convert(fields), conversion);
const clickIds = () => site.received.map(({ clickId }) => clickId);

test("an order's own id is forgotten as a click, in any spelling, and the paid click counts for all orders", async () => {
  const { page, context, go } = await visit(browser, site, `/?reqid=${PAID}`);
  const orders: readonly (readonly [string, Partial<PageConversion>])[] = [
    ["ORD-77", { orderId: "ORD-77" }],
    ["1077", { orderId: "#1077" }],
    ["%231078", { orderId: "1078" }],
    ["001079", { orderId: 1079 as never }],
    ["ord-80", { orderId: " ORD-80 " }],
    ["T-5", { uniqueId: "T-5" }],
    ["T-6", { uniqueId: "shop:T-6" }],
    ["1081", { orderId: "# 1081" }],
    ["1082", { uniqueId: "U-82", orderId: "1082" }],
  ];
  for (const [id, fields] of orders) {
    await go(`/thanks?click_id=${id}`);
    await convert(page, { offerId: 1, ...fields });
    expect(await page.evaluate(() => tracker.clickId)).toBe(PAID);
    // Nor does the page take it again from the same address.
    await page.evaluate(() => tracker.setConsent("granted"));
    expect(await page.evaluate(() => tracker.clickId)).toBe(PAID);
  }
  await go("/thanks");
  await convert(page, { offerId: 1, orderId: "NEXT" });
  expect(clickIds()).toEqual(orders.concat([["", {}]]).map(() => PAID));
  const [cookie] = await context.cookies();
  expect(cookie?.value).toMatch(/^1![^*]*\*[^*]*$/);
  expect(await page.evaluate(() => localStorage.getItem("cake_click"))).toBe(cookie?.value);
});

test("where the order's id was the only click, none is kept, and the stores are not those of a no", async () => {
  const { page, context } = await visit(browser, site, "/thanks?click_id=ORD-77");
  await convert(page, { offerId: 1, orderId: "ORD-77" });
  expect(await page.evaluate(() => [tracker.clickId ?? null, localStorage.getItem("cake_click")])).toEqual([
    null,
    "**",
  ]);
  expect(await context.cookies()).toMatchObject([{ value: "**" }]);
});

test("a click id is not dropped for an order that only resembles it", async () => {
  const { page, go } = await visit(browser, site, `/?reqid=${PAID}`);
  await convert(page, { offerId: 1, orderId: PAID.slice(0, 8), uniqueId: `sale:${PAID}` });
  await go("/?reqid=10770");
  await convert(page, { offerId: 1, orderId: "1077", uniqueId: "A-10770" });
  expect(clickIds()).toEqual([PAID, "10770"]);
});

test("while consent is pending it is forgotten in memory, and not taken again afterwards", async () => {
  const { page } = await visit(browser, site, `/pending?reqid=${PAID}`);
  await page.evaluate(() => history.pushState(null, "", "/thanks?click_id=ORD-77"));
  await page.evaluate(() => void tracker.convert({ offerId: 1, orderId: "ORD-77" }));
  await page.evaluate(() => tracker.setConsent("granted"));
  await expect.poll(clickIds).toEqual([PAID]);
  expect(await page.evaluate(() => tracker.clickId)).toBe(PAID);
});

test.each([
  ["URL is a text", `window.URL = "https://cdn.example.com/"`],
  ["URL is an object", `window.URL = { base: "/" }`],
  ["URL is a class of the site's", `window.URL = class { constructor(text) { this.text = text } }`],
  ["URL is a constant", `const URL = "/base/"`],
  ["URLSearchParams is missing", "window.URLSearchParams = undefined"],
  ["Object.fromEntries is missing", "Object.fromEntries = undefined"],
  ["currentScript throws", `Object.defineProperty(Document.prototype, "currentScript", { get() { throw 1 } })`],
  ["setTimeout throws", "window.setTimeout = () => { throw 1 }"],
  ["console.info throws", "console.info = () => { throw 1 }"],
  ["addEventListener throws", "window.addEventListener = document.addEventListener = () => { throw 1 }"],
  ["Math.random throws", "Math.random = () => { throw 1 }"],
  ["Date.now throws", "Date.now = () => { throw 1 }"],
  [
    "JSON.stringify throws at first",
    "const own = JSON.stringify; let n = 0; JSON.stringify = (...all) => { if (all[0]?.offerId && n++ < 2) throw 1; return own(...all) }",
  ],
])("%s: module and tag keep the click, and send", async (_, script) => {
  site.addTrackerPage("/replaced", "{}", { before: `<script>${script}</script>` });
  site.pages.set("/tag", {
    html: `<!doctype html><script>window.cakeEdge = function (use) { (cakeEdge.q = cakeEdge.q || []).push(use) };
      cakeEdge.options = { debug: true }; cakeEdge(function (made) { window.tracker = made })</script>
      <script>${script}</script><script src="/page/cake-edge.js?v=3&journey=5"></script>`,
  });
  for (const path of ["/replaced", "/tag"]) {
    const { page, said } = await open(await browser.newContext(), site);
    await page.goto(`${site.origin}${path}?reqid=abc-1`);
    await expect.poll(() => page.evaluate(() => "tracker" in globalThis)).toBe(true);
    expect(await page.evaluate(() => tracker.clickId)).toBe("abc-1");
    expect((await convert(page, { offerId: 1, orderId: path })).state).toBe("accepted");
    expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
  }
  expect(site.received.map(({ clickId, orderId }) => [clickId, orderId])).toEqual([
    ["abc-1", "/replaced"],
    ["abc-1", "/tag"],
  ]);
});

test.each([
  ["Map is a class of the site's", "class Map { constructor(element) { element.dataset.map = 1 } }"],
  ["Map is a function of the site's", "function Map(element) { element.dataset.map = 1 }"],
  ["Map is a text", `var Map = "https://maps.example/"`],
  ["Set is a class of the site's", "class Set { constructor(all) { this.all = all } }"],
  ["Set and WeakMap are functions of the site's", "function Set() {} function WeakMap() {}"],
])("%s: the page keeps the click, and sends", async (_, script) => {
  // The test's own tool needs these itself, so that nothing is asked of the page.
  const html = `<!doctype html><script>${script}</script><script>
      window.cakeEdge = function (use) { (cakeEdge.q = cakeEdge.q || []).push(use) };
      cakeEdge(function (tracker) { tracker.convert({ offerId: 1, orderId: location.pathname }) })</script>
      <script async src="/page/cake-edge.js"></script>`;
  site.pages.set("/kinds", { html });
  const context = await browser.newContext();
  const page = await context.newPage();
  const thrown: Error[] = [];
  page.on("pageerror", (error) => thrown.push(error));
  let refused = 0;
  site.trouble = () => {
    refused += 1;
    return { status: 503 };
  };
  await page.goto(`${site.origin}/kinds?reqid=abc-1`);
  await expect.poll(() => refused).toBeGreaterThan(0);
  site.trouble = undefined;
  await page.goto(`${site.origin}/kinds`);
  await expect.poll(() => site.recorded.size).toBe(1);
  expect((await context.cookies()).map(({ name, value }) => [name, value])).toEqual([
    ["cake_click", expect.stringContaining("abc-1")],
  ]);
  expect(site.received[0]).toMatchObject({ clickId: "abc-1", orderId: "/kinds" });
  expect(thrown).toEqual([]);
});

test("an answer that is not wholly the forwarder's ends nothing", async () => {
  const { page } = await visit(browser, site, "/?reqid=abc-1");
  const answers: readonly (readonly [number, unknown])[] = [
    [200, { id: "ord_1", state: "created" }],
    [200, { id: "ord_1", state: "created", duplicate: false }],
    [200, { id: "ord_1", duplicate: false }],
    [202, { id: "ord_1", state: "pending" }],
    [202, { id: "", state: "pending", duplicate: false }],
    [202, { id: "a", state: "pending", duplicate: "false" }],
    [202, { id: "a", state: "pending", duplicate: 0 }],
    [202, { id: "a", state: ["pending"], duplicate: false, more: 1 }],
    [400, { error: { code: "invalid_id", rule: "", retryable: false } }],
    [400, { error: { code: "invalid_id", rule: "x", retryable: "false" } }],
  ];
  for (const [index, [status, body]] of answers.entries()) {
    site.trouble = { status, body };
    expect([body, (await convert(page, { offerId: 1, uniqueId: `u-${index}` })).state]).toEqual([body, "queued"]);
  }
  // A redirect makes a GET of the POST: the refusal there is of no conversion.
  site.pages.set("/else", {
    html: JSON.stringify({ error: { code: "invalid_id", rule: "r", retryable: false } }),
    headers: { "content-type": "application/json" },
  });
  await page.route("**/else", (route) =>
    route.fulfill({ status: 400, json: { error: { code: "invalid_id", rule: "r", retryable: false } } }),
  );
  site.trouble = { status: 302, headers: { location: "/else" } };
  expect((await convert(page, { offerId: 1, uniqueId: "u-redirect" })).state).toBe("queued");
});

test("ids that are too long travel as digests; ids that are none are refused by rule", async () => {
  const { page } = await visit(browser, site, "/?reqid=abc-1");
  const long = "A".repeat(200);
  expect((await convert(page, { offerId: 1, orderId: long })).state).toBe("accepted");
  expect((await convert(page, { offerId: 1, orderId: long })).state).toBe("duplicate");
  expect((await convert(page, { offerId: 1, uniqueId: `${long}B`, orderId: `${long}C` })).state).toBe("accepted");
  expect((await convert(page, { offerId: 1, orderId: `${long}D` })).state).toBe("accepted");
  for (const { uniqueId, orderId = "" } of site.received) {
    expect([uniqueId.length <= 128, orderId.length <= 128]).toEqual([true, true]);
  }
  // What waited in the test before may come late; it has no order.
  expect([...site.recorded.values()].filter(({ orderId }) => orderId)).toHaveLength(3);
  for (const orderId of [1e21, Number.POSITIVE_INFINITY]) {
    expect(await convert(page, { offerId: 1, orderId: orderId as never })).toEqual({
      state: "refused",
      code: "invalid_unique_id",
    });
  }
  for (const offerId of ["0x10", "1e3", 0, -1, 1.5]) {
    expect(await convert(page, { offerId: offerId as never, orderId: "A" })).toEqual({
      state: "refused",
      code: "invalid_id",
    });
  }
});

test("an inert tracker where there is a window and a document, but no address", async () => {
  const { execFileSync } = await import("node:child_process");
  const file = new URL("../../dist/page/page.js", import.meta.url);
  const script = `globalThis.window = globalThis; globalThis.document = {};
    const { createTracker } = await import(${JSON.stringify(file.href)});
    const made = createTracker(); made.setConsent("nonsense"); made.dispose();
    console.log(JSON.stringify(await made.convert({ offerId: 1, orderId: "A" }))); process.exit()`;
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(JSON.parse(said)).toEqual({ state: "refused", code: "no_page" });
});

test("a tag that is inlined, or run from a blob, finds its files", async () => {
  const source = await (await fetch(`${site.origin}/page/cake-edge.js`)).text();
  const head = `<!doctype html><meta charset=utf-8><script>window.errors = [];
    window.cakeEdge = function (use) { (cakeEdge.q = cakeEdge.q || []).push(use) };
    cakeEdge.options = { onError: (error) => errors.push(error.message) };
    cakeEdge(function (made) { window.tracker = made })</script>`;
  site.pages.set("/inline", { html: `${head}<script data-base="/page/">${source}</script>` });
  site.pages.set("/blob", {
    html: `${head}<script type="text/delayed" src="/page/cake-edge.js"></script><script type="module">
      const script = document.createElement("script");
      const text = await (await fetch("/page/cake-edge.js")).text();
      script.src = URL.createObjectURL(new Blob([text])); document.body.append(script)</script>`,
  });
  const { page, go } = await visit(browser, site, "/inline?reqid=abc-1");
  for (const path of ["/inline", "/blob"]) {
    await go(path);
    expect((await convert(page, { offerId: 1, orderId: path })).state).toBe("accepted");
    expect(await page.evaluate(() => (globalThis as unknown as { errors: string[] }).errors)).toEqual([]);
  }
});
