/** The life of a page, in Chromium: single-page navigation, back/forward cache, rewritten addresses. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Tracker, TrackerOptions } from "../../js/page/index.ts";
import { launch } from "./chromium.ts";
import { Site } from "./site.ts";
import { visit } from "./visit.ts";

declare const tracker: Tracker;
declare const createTracker: (options?: TrackerOptions) => Tracker;

let site: Site;
let browser: Browser;
beforeAll(async () => {
  site = await Site.start();
  // Playwright disables both features under test here.
  browser = await launch([], {
    ignoreDefaultArgs: ["--disable-back-forward-cache", "--disable-features=BackForwardCache"],
  });
  site.addTrackerPage("/");
  site.addTrackerPage("/thanks");
  // An address with a click that no tracker has seen: only going back brings it.
  const before = `<script>for (const query of ["?reqid=early", "?"]) history.pushState(null, "", query)</script>`;
  site.addTrackerPage("/early", "{}", { before });
  site.pages.set("/remount", {
    html: `<!doctype html><title>remount</title><script type="module">import { createTracker } from "/page/page.js";
      Object.assign(window, { createTracker, tracker: createTracker() });</script>`,
  });
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});

const clickIdOf = (page: Page) => page.evaluate(() => tracker.clickId);

test("an address that is rewritten before the tracker is made loses nothing", async () => {
  site.addTrackerPage("/rewritten", "{}", { before: `<script>history.replaceState(null, "", "/clean")</script>` });
  const { page } = await visit(browser, site, "/rewritten?reqid=abc-1");
  expect(new URL(page.url()).search).toBe("");
  expect(await clickIdOf(page)).toBe("abc-1");
});

test.each(["with the Navigation API", "without it"])("single-page navigation is seen, %s", async (how) => {
  const { page } = await visit(
    browser,
    site,
    "/early",
    how === "without it" ? () => Object.defineProperty(window, "navigation", { value: undefined }) : undefined,
  );
  expect(await clickIdOf(page)).toBeUndefined();
  await page.goBack();
  expect(await clickIdOf(page)).toBe("early");
  await page.goForward();
  await page.evaluate(() => history.pushState(null, "", "/a?reqid=pushed"));
  expect(await clickIdOf(page)).toBe("pushed");
  await page.evaluate(() => history.replaceState({ own: 1 }, "", "/b?reqid=replaced"));
  expect(await clickIdOf(page)).toBe("replaced");
  expect(await page.evaluate(() => history.state)).toEqual({ own: 1 });
});

test.each(["with the Navigation API", "without it"])(
  "dispose ends the following of addresses, and nothing else, %s",
  async (how) => {
    const { page } = await visit(
      browser,
      site,
      "/remount?reqid=first",
      how === "without it" ? () => Object.defineProperty(window, "navigation", { value: undefined }) : undefined,
    );
    await page.evaluate(() => tracker.dispose());
    await page.evaluate(() => history.pushState(null, "", "/a?reqid=pushed"));
    expect(await clickIdOf(page)).toBe("first");
    expect(await page.evaluate(() => tracker.convert({ offerId: 1, uniqueId: `${Math.random()}` }))).toMatchObject({
      state: "accepted",
    });
    // A component that is mounted again has its own tracker.
    const next = await page.evaluate(() => {
      const again = createTracker();
      const before = again.clickId;
      history.pushState(null, "", "/b?reqid=second");
      const after = again.clickId;
      again.dispose();
      again.dispose();
      return [before, after];
    });
    expect(next).toEqual(["pushed", "second"]);
  },
);

test.each([
  ["one tracker", 1],
  ["two trackers", 2],
])("what %s held when disposed is sent by the next tracker, with its click, after a yes", async (_, number) => {
  site.received.length = 0;
  const { page } = await visit(browser, site, "/remount?reqid=first");
  const states = await page.evaluate(async (number) => {
    const own = Array.from({ length: number }, () => createTracker({ consent: "pending" }));
    const results = own.map((each, at) => each.convert({ offerId: 1, orderId: `H-${at}` }));
    for (const each of own) each.dispose();
    for (const each of own) each.dispose();
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    createTracker({ consent: "pending" }).setConsent("granted");
    return (await Promise.all(results)).map(({ code }) => code);
  }, number);
  expect(new Set(states)).toEqual(new Set(["consent_pending"]));
  const orders = Array.from({ length: number }, (_, at) => `H-${at}`);
  await expect.poll(() => [...new Set(site.received.map(({ orderId }) => orderId))].sort()).toEqual(orders);
  expect(new Set(site.received.map(({ clickId }) => clickId))).toEqual(new Set(["first"]));
  // Each once, also when the page comes back to the visitor.
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await page.waitForTimeout(300);
  expect(site.received).toHaveLength(number);
});

test.each(["the disposed tracker", "the next one"])("a no that %s hears ends what was held", async (who) => {
  site.received.length = 0;
  const { page } = await visit(browser, site, "/remount?reqid=first");
  await page.evaluate(async (who) => {
    const own = createTracker({ consent: "pending" });
    await own.convert({ offerId: 1, orderId: "H-3" });
    own.dispose();
    if (who === "the disposed tracker") own.setConsent("denied");
    const next = createTracker({ consent: "pending" });
    if (who === "the next one") next.setConsent("denied");
    next.setConsent("granted");
  }, who);
  await page.waitForTimeout(500);
  expect(site.received).toEqual([]);
});

test("a disposed tracker that is told yes sends what it was given since", async () => {
  site.received.length = 0;
  const { page } = await visit(browser, site, "/remount?reqid=first");
  await page.evaluate(() => {
    const own = createTracker({ consent: "pending" });
    own.dispose();
    void own.convert({ offerId: 1, orderId: "H-4" });
    own.setConsent("granted");
  });
  await expect.poll(() => site.received).toMatchObject([{ orderId: "H-4", clickId: "first" }]);
});

test("the site's own wrappers of pushState go on working, before and after ours", async () => {
  const { page } = await visit(browser, site, "/", () => {
    Object.defineProperty(window, "navigation", { value: undefined });
    const calls: string[] = [];
    Object.assign(window, { calls });
    const own = history.pushState;
    history.pushState = function (...state) {
      calls.push("before");
      return own.apply(this, state);
    };
  });
  const calls = await page.evaluate(() => {
    const own = history.pushState;
    history.pushState = function (...state) {
      (window as unknown as { calls: string[] }).calls.push("after");
      return own.apply(this, state);
    };
    history.pushState(null, "", "/a?reqid=wrapped");
    return (window as unknown as { calls: string[] }).calls;
  });
  expect(calls).toEqual(["after", "before"]);
  expect(await clickIdOf(page)).toBe("wrapped");
});

test("a page that comes back from the back/forward cache has the click that counts now", async () => {
  const { page } = await visit(browser, site, "/?reqid=abc-1");
  await page.evaluate(() => {
    Object.assign(window, { stayed: true });
    addEventListener("pageshow", (event) => Object.assign(window, { persisted: event.persisted }));
  });
  // Touches have whole seconds.
  await page.waitForTimeout(1_050);
  await page.goto(`${site.origin}/thanks?reqid=abc-2`);
  await page.waitForFunction(() => "tracker" in globalThis);
  // Nothing is loaded, so there is no load event to wait for.
  await page.goBack({ waitUntil: "commit" });
  await page.waitForFunction(() => "persisted" in globalThis);
  // The page came from the cache, not from a new load.
  expect(await page.evaluate(() => [window["stayed" as never], window["persisted" as never]])).toEqual([true, true]);
  expect(await clickIdOf(page)).toBe("abc-2");
});

test("no unload listener keeps a page out of the back/forward cache", async () => {
  const { page } = await visit(browser, site, "/?reqid=abc-1", () => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    const own = window.addEventListener;
    window.addEventListener = function (this: Window, ...how: Parameters<typeof own>) {
      heard.push(how[0]);
      return own.apply(this, how);
    } as typeof own;
  });
  await page.evaluate(() => tracker.convert({ offerId: 1 }));
  const heard = await page.evaluate(() => (window as unknown as { heard: string[] }).heard);
  expect(heard).toContain("online");
  expect(heard).not.toContain("unload");
  expect(heard).not.toContain("beforeunload");
});
