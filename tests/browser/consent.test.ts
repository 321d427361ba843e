/** Consent, in Chromium: which values are stored, held and deleted. */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Tracker } from "../../js/page/index.ts";
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
  site.addTrackerPage("/pending", `{ consent: "pending" }`);
  site.addTrackerPage("/denied", `{ consent: "denied" }`);
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});

const stored = () => ({ cookie: document.cookie, keys: Object.keys(localStorage) });
const NOTHING = { cookie: "", keys: [] };

test("pending, all is held in memory across the pages of a single-page site, and stored when granted", async () => {
  const { page, said } = await visit(browser, site, "/pending?reqid=one&s1=first");
  expect(await page.evaluate(() => tracker.clickId)).toBe("one");
  await page.evaluate(() => history.pushState(null, "", "/checkout?reqid=two"));
  expect(await page.evaluate(() => tracker.clickId)).toBe("two");
  const conversion = await page.evaluate(() => tracker.convert({ offerId: 1, uniqueId: "u" }));
  expect(conversion).toEqual({ state: "queued", code: "consent_pending" });
  expect(await page.evaluate(stored)).toEqual(NOTHING);
  expect(said).toContain("cake-edge: consent_pending");
  expect(site.received).toEqual([]);

  await page.evaluate(() => tracker.setConsent("granted"));
  const { cookie } = await page.evaluate(stored);
  expect(cookie).toMatch(/^cake_click=1!\w+\*\w+!reqid!two\*\w+!reqid!one!first$/);
  await expect.poll(() => site.received).toMatchObject([{ uniqueId: "u", clickId: "two" }]);
});

test.each([
  "reqid=one&clickid=two",
  "clickid=two&reqid=one",
  "reqid=one&ckm_request_id=two&click_id=three&clickid=four",
  "p=1?clickid=two&reqid=one",
  "REQID=one&amp;ClickID=two",
  "reqid=one&reqid=two",
])("an address of several ids has one click, however often it is read: %s", async (query) => {
  for (const path of ["/", "/pending", "/denied"]) {
    const { page, context } = await visit(browser, site, `${path}?${query}`);
    const first = await page.evaluate(() => tracker.clickId);
    if (path === "/denied") expect(first).toBeUndefined();
    else expect(first).toMatch(/^(one|two)$/);
    const after: unknown[] = [];
    for (let at = 0; at < 3; at += 1) {
      await page.evaluate((at) => history.replaceState(null, "", `#${at}`), at);
      await page.evaluate(() => tracker.setConsent("granted"));
      after.push(await page.evaluate(() => [tracker.clickId, document.cookie.split("reqid!").length <= 2]));
    }
    const [[known] = []] = after as string[][];
    expect(known).toMatch(/^(one|two)$/);
    if (first) expect(known).toBe(first);
    expect(after).toEqual(Array(3).fill([known, true]));
    await context.close();
  }
});

test("a conversion from before the answer has the click of an earlier visit, where a banner answers late", async () => {
  const { page, go } = await visit(browser, site, "/?reqid=one");
  const before = site.received.length;
  await go("/pending");
  await page.evaluate(() => tracker.convert({ offerId: 1, orderId: "ORD-1" }));
  await page.evaluate(() => tracker.convert({ offerId: 1, uniqueId: "own" }));
  expect(site.received).toHaveLength(before);
  await page.evaluate(() => tracker.setConsent("granted"));
  // The unique id equals that of any other tab, so that a reload counts once.
  await expect
    .poll(() => site.received.slice(before).sort((a, b) => (String(a["uniqueId"]) < String(b["uniqueId"]) ? -1 : 1)))
    .toMatchObject([
      { orderId: "ORD-1", uniqueId: "one:ORD-1", clickId: "one" },
      { uniqueId: "own", clickId: "one" },
    ]);
});

test("pending and then denied, nothing is left", async () => {
  const { page } = await visit(browser, site, "/pending?reqid=one");
  await page.evaluate(() => tracker.setConsent("denied"));
  expect(await page.evaluate(stored)).toEqual(NOTHING);
  expect(await page.evaluate(() => tracker.clickId)).toBeUndefined();
});

test.each([
  ["denied", []],
  ["pending", ["denied"]],
  ["denied", ["pending", "denied", "denied"]],
  ["pending", ["denied", "nonsense"]],
] as const)(
  "%s, then %j, then a yes: the page view's clicks count, also where the site rewrites its address",
  async (first, words) => {
    const { page } = await visit(browser, site, `/${first}?reqid=one`);
    for (const word of words) await page.evaluate((word) => tracker.setConsent(word as "denied"), word);
    await page.evaluate(() => history.pushState(null, "", "/shop?reqid=two"));
    await page.evaluate(() => history.replaceState(null, "", "/shop"));
    if (words.at(-1) !== "nonsense") {
      await page.evaluate(() => tracker.setConsent("denied"));
      expect(await page.evaluate(stored)).toEqual(NOTHING);
      expect(await page.evaluate(() => tracker.clickId)).toBeUndefined();
    }
    await page.evaluate(() => tracker.setConsent("granted"));
    expect((await page.evaluate(stored)).cookie).toMatch(/^cake_click=1!\w+\*\w+!reqid!two\*\w+!reqid!one$/);
    expect(await page.evaluate(() => tracker.clickId)).toBe("two");
  },
);

test.each([
  ["granted", ["denied"]],
  ["granted", ["granted", "denied", "pending", "denied"]],
  ["pending", ["granted", "denied"]],
  ["denied", ["granted", "denied"]],
] as const)("%s, then %j, then a yes: clicks from before the no count again", async (first, words) => {
  const { page } = await visit(browser, site, `/${first === "granted" ? "" : first}?reqid=one`);
  await page.evaluate(() => history.pushState(null, "", "/shop?reqid=two"));
  await page.evaluate(() => history.replaceState(null, "", "/shop"));
  for (const word of words) await page.evaluate((word) => tracker.setConsent(word), word);
  expect(await page.evaluate(stored)).toEqual(NOTHING);
  for (const _ of [1, 2]) {
    await page.evaluate(() => tracker.setConsent("granted"));
    expect((await page.evaluate(stored)).cookie).toMatch(/^cake_click=1!\w+\*\w+!reqid!two\*\w+!reqid!one$/);
    expect(await page.evaluate(() => tracker.clickId)).toBe("two");
  }
});

test("a yes after a no that another tab has said brings this page's click back", async () => {
  const { page, context } = await visit(browser, site, "/?reqid=one");
  await page.evaluate(() => history.replaceState(null, "", "/shop"));
  const other = await open(context, site);
  await other.go("/denied");
  expect(await page.evaluate(() => tracker.clickId)).toBeUndefined();
  await page.evaluate(() => tracker.setConsent("granted"));
  expect(await page.evaluate(() => tracker.clickId)).toBe("one");
});

test.each([
  ["the journey has one place", 1, 1],
  ["five clicks follow", 5, 5],
])("a held conversion keeps its click where later ones take its place: %s", async (_, journey, later) => {
  site.addTrackerPage("/held", `{ consent: "pending", journey: ${journey} }`);
  const { page } = await visit(browser, site, "/held?reqid=first-1");
  const before = site.received.length;
  await page.evaluate(() => tracker.convert({ offerId: 1, orderId: "FIRST" }));
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  for (let number = 2; number < 2 + later; number += 1) {
    await page.evaluate((id) => history.pushState(null, "", `/shop?reqid=later-${id}`), number);
  }
  await page.evaluate(() => tracker.convert({ offerId: 1, orderId: "SECOND" }));
  await page.evaluate(() => tracker.setConsent("granted"));
  const sent = () => Object.fromEntries(site.received.slice(before).map(({ orderId, clickId }) => [orderId, clickId]));
  await expect.poll(sent).toEqual({ FIRST: "first-1", SECOND: `later-${later + 1}` });
});

test.each([0, 100])("a no that comes %i ms after a report without a click sends and keeps nothing", async (ms) => {
  site.addTrackerPage("/edge", "{ edge: true }");
  const { page } = await visit(browser, site, "/edge");
  await page.evaluate(() => tracker.convert({ offerId: 1, orderId: "warm" }));
  const before = site.attempts;
  const result = await page.evaluate(async (ms) => {
    const result = tracker.convert({ offerId: 1, orderId: "E-1" });
    await new Promise((resolve) => setTimeout(resolve, ms));
    tracker.setConsent("denied");
    return result;
  }, ms);
  expect(result).toEqual({ state: "refused", code: "consent_denied" });
  expect(site.attempts).toBe(before);
  expect((await page.evaluate(stored)).keys).toEqual([]);
});

test("an order's own id that is removed in one tab is no visitor's no in another", async () => {
  const { page, context } = await visit(browser, site, "/?click_id=1077");
  const other = await open(context, site);
  await other.go("/");
  await page.evaluate(() => tracker.convert({ offerId: 1, orderId: "1077" }));
  expect(await page.evaluate(() => tracker.clickId)).toBeUndefined();
  expect(await page.evaluate(stored)).toMatchObject({ cookie: expect.stringMatching(/(^|=)\*\*$/) });
  await other.page.evaluate(() => history.pushState(null, "", "/shop?reqid=later-1"));
  expect(await other.page.evaluate(() => tracker.clickId)).toBe("later-1");
  // A no is heard all the same, and leaves nothing. One tab's localStorage shows what another one did a little later.
  await page.evaluate(() => tracker.setConsent("denied"));
  await expect.poll(() => other.page.evaluate(() => tracker.clickId)).toBeUndefined();
  expect(await page.evaluate(stored)).toEqual(NOTHING);
});

test.each(["throws", "takes nothing"])("nor is it where localStorage %s", async (what) => {
  const { page, context } = await visit(browser, site, "/?click_id=1077", what === "throws" ? blocked : full);
  const other = await open(context, site);
  await other.go("/");
  await page.evaluate(() => tracker.convert({ offerId: 1, orderId: "1077" }));
  expect(
    await other.page.evaluate((uniqueId) => tracker.convert({ offerId: 1, uniqueId, clickId: "own-1" }), what),
  ).toMatchObject({
    state: "accepted",
  });
  await other.page.evaluate(() => history.pushState(null, "", "/shop?reqid=later-1"));
  expect([await other.page.evaluate(() => tracker.clickId), await page.evaluate(() => tracker.clickId)]).toEqual([
    "later-1",
    "later-1",
  ]);
});

const blocked = () =>
  Object.defineProperty(window, "localStorage", {
    get() {
      throw new DOMException("no", "SecurityError");
    },
  });
const full = () => {
  Storage.prototype.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
};

test("a word that nobody knows is no consent", async () => {
  site.addTrackerPage("/word", `{ consent: "yes" }`);
  const { page } = await visit(browser, site, "/word?reqid=one");
  expect(await page.evaluate(stored)).toEqual(NOTHING);
});

test("consent withdrawn deletes cookie, storage and outbox", async () => {
  const { page } = await visit(browser, site, "/?reqid=one");
  site.trouble = { status: 503 };
  await page.evaluate(() => tracker.convert({ offerId: 1 }));
  site.trouble = undefined;
  // The click, and the conversion with its unique id.
  expect((await page.evaluate(stored)).keys).toHaveLength(2);
  await page.evaluate(() => tracker.setConsent("denied"));
  expect(await page.evaluate(stored)).toEqual(NOTHING);
  const before = site.received.length;
  expect(await page.evaluate(() => tracker.convert({ offerId: 1 }))).toEqual({
    state: "refused",
    code: "consent_denied",
  });
  expect(site.received).toHaveLength(before);
  expect(await page.evaluate(stored)).toEqual(NOTHING);
});

test("a page that is told no deletes what an earlier one kept", async () => {
  const { page, go, said } = await visit(browser, site, "/?reqid=one");
  expect(await page.evaluate(stored)).not.toEqual(NOTHING);
  await go("/denied?reqid=two");
  expect(await page.evaluate(stored)).toEqual(NOTHING);
  expect(said).toContain("cake-edge: consent_denied");
});

test("Global Privacy Control counts as no, unless the site says otherwise", async () => {
  const signal = () => Object.defineProperty(navigator, "globalPrivacyControl", { value: true });
  const { page } = await visit(browser, site, "/?reqid=one", signal);
  expect(await page.evaluate(stored)).toEqual(NOTHING);
  await page.evaluate(() => tracker.setConsent("granted"));
  expect(await page.evaluate(stored)).toEqual(NOTHING);

  site.addTrackerPage("/ignores", "{ ignoreGlobalPrivacyControl: true }");
  const other = await visit(browser, site, "/ignores?reqid=one", signal);
  expect((await other.page.evaluate(stored)).cookie).toContain("one");
});
