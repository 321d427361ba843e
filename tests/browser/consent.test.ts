/** Consent, in Chromium: which values are stored, held and deleted. */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Tracker } from "../../js/page/index.ts";
import { launch } from "./chromium.ts";
import { Site } from "./site.ts";
import { visit } from "./visit.ts";

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
