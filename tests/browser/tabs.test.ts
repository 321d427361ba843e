/** Several tabs of one visitor, in Chromium: the click that counts is the one of the whole browser, by its own time. */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { PageConversion, Tracker } from "../../js/page/index.ts";
import { launch } from "./chromium.ts";
import { Site } from "./site.ts";
import { open, type Visit, visit } from "./visit.ts";

declare const tracker: Tracker;

let site: Site;
let browser: Browser;
beforeAll(async () => {
  site = await Site.start();
  browser = await launch();
  const form = `<form class="checkout" action="/bought"><button>Buy</button></form>
    <a id="partner" href="https://partner.example/x?y=1">Partner</a>`;
  site.addTrackerPage("/", "{}", { before: form });
  site.addTrackerPage("/bought");
  site.addTrackerPage("/first", `{ touch: "first" }`);
  site.addTrackerPage("/pending", `{ consent: "pending" }`);
  site.addTrackerPage("/pending-first", `{ consent: "pending", touch: "first" }`);
  site.addTrackerPage("/edge", `{ edge: true }`);
  site.addTrackerPage("/short", `{ consent: "pending", journey: 1 }`);
  site.addTrackerPage("/one", `{ journey: 1 }`);
  site.addTrackerPage("/day", `{ windowDays: 1 }`);
  site.addTrackerPage("/js", "{}", {
    before: form,
    headers: { "content-security-policy": "script-src 'self' 'unsafe-inline'" },
  });
});
beforeEach(() => {
  site.received.length = 0;
  site.recorded.clear();
  site.requests.length = 0;
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});

const tab = async ({ context }: Visit, path: string): Promise<Visit> => {
  const opened = await open(context, site);
  await opened.go(path);
  return opened;
};
const convert = ({ page }: Visit, conversion: PageConversion) =>
  page.evaluate((fields) => tracker.convert(fields), conversion);
const clickIdOf = ({ page }: Visit) => page.evaluate(() => tracker.clickId);
const grant = ({ page }: Visit) => page.evaluate(() => tracker.setConsent("granted"));
/** Until the next second: touches have whole ones. */
const nextSecond = ({ page }: Visit) => page.waitForTimeout(1_050);

test.each([
  ["wasm", "/", "/?reqid=new-1"],
  ["js", "/js", "/js?reqid=new-1"],
])("a tab without a click has the one that another tab kept meanwhile (%s)", async (engine, here, landing) => {
  const own = await visit(browser, site, here);
  expect(await own.page.evaluate(() => tracker.engine)).toBe(engine);
  await own.page.evaluate(() => {
    tracker.decorate({ hosts: ["partner.example"] });
    tracker.attach({ to: "form", selector: ".checkout" });
    const seen: (string | null)[] = Object.assign(window, { seen: [] }).seen;
    addEventListener("click", (event) => {
      const link = event.target as Element;
      if (!link.id) return;
      seen.push(link.getAttribute("href"));
      event.preventDefault();
    });
  });
  const files = ["/page/decorate.js", "/page/attach.js"];
  await expect.poll(() => files.every((file) => site.requests.some(({ path }) => path === file))).toBe(true);
  await own.page.waitForTimeout(200);
  await tab(own, landing);
  expect(await convert(own, { offerId: 1, orderId: "T-1" })).toMatchObject({ state: "accepted" });
  expect(site.received).toMatchObject([{ clickId: "new-1", uniqueId: "new-1:T-1" }]);
  await own.page.click("#partner");
  expect(await own.page.evaluate(() => window["seen" as never])).toEqual(["https://partner.example/x?y=1&reqid=new-1"]);
  await own.page.click("button");
  await own.page.waitForURL("**/bought?reqid=new-1");
});

test.each([
  ["/", "/?reqid=new-1", "new-1"],
  ["/first", "/first?reqid=new-1", "old-1"],
])("the touch that counts is the whole browser's, on %s", async (path, landing, counts) => {
  const own = await visit(browser, site, `${path}?reqid=old-1`);
  await nextSecond(own);
  await tab(own, landing);
  expect(await clickIdOf(own)).toBe(counts);
  expect(await convert(own, { offerId: 1, orderId: "T-2" })).toMatchObject({ state: "accepted" });
  expect(site.received).toMatchObject([{ clickId: counts }]);
});

test("a tab that was told a no takes no other tab's click", async () => {
  const own = await visit(browser, site, "/");
  await own.page.evaluate(() => tracker.setConsent("denied"));
  await tab(own, "/?reqid=new-1");
  expect(await clickIdOf(own)).toBeUndefined();
});

test.each(["/pending", "/short"])("a held click does not replace a newer one of another tab, on %s", async (path) => {
  const older = await visit(browser, site, `${path}?reqid=older-1`);
  await nextSecond(older);
  const newer = await tab(older, `${path}?reqid=newer-1`);
  await grant(newer);
  await grant(older);
  expect([await clickIdOf(older), await clickIdOf(newer)]).toEqual(["newer-1", "newer-1"]);
  // A platform says yes several times.
  await grant(older);
  expect(await clickIdOf(older)).toBe("newer-1");
  const kept = await newer.page.evaluate(() => [document.cookie, localStorage.getItem("cake_click")]);
  const journey = path === "/short" ? /1!\w+\*\w+!reqid!newer-1$/ : /1!\w+\*\w+!reqid!newer-1\*\w+!reqid!older-1$/;
  for (const text of kept) expect(text).toMatch(journey);
});

/** What makes a page read its own address again. */
const AGAIN: Record<string, (own: Visit) => Promise<unknown>> = {
  "a sale with an order id": (own) => convert(own, { offerId: 1, orderId: "T-9" }),
  "a sale without one": (own) => convert(own, { offerId: 1 }),
  "a place of the page": ({ page }) => page.evaluate(() => history.pushState({}, "", "#top")),
  "another parameter": ({ page }) => page.evaluate(() => history.pushState({}, "", `${location.search}&tab=2`)),
  "one more yes": grant,
  "a yes after pending": async (own) => {
    await own.page.evaluate(() => tracker.setConsent("pending"));
    await grant(own);
  },
};

test.each(Object.keys(AGAIN))("a click that a newer one has pushed out does not come back: %s", async (how) => {
  const own = await visit(browser, site, "/one?reqid=older-1");
  await nextSecond(own);
  const newer = await tab(own, "/one?reqid=newer-1");
  await nextSecond(own);
  await AGAIN[how]?.(own);
  expect([await clickIdOf(own), await clickIdOf(newer)]).toEqual(["newer-1", "newer-1"]);
  expect((await own.context.cookies()).map(({ value }) => value)).toEqual([expect.stringMatching(/newer-1$/)]);
  if (how.startsWith("a sale")) expect(site.received).toMatchObject([{ clickId: "newer-1" }]);
});

/** A held click comes with its own time; one that was held for longer than the window still counts. */
const AT_ONCE = Object.keys(AGAIN).filter((how) => how !== "a yes after pending");

test.each(AT_ONCE)("a click that is past its window does not come back: %s", async (how) => {
  const own = await visit(browser, site, "/day?reqid=older-1");
  await own.page.evaluate(() => {
    const now = Date.now;
    Date.now = () => now() + 2 * 86_400_000;
  });
  await AGAIN[how]?.(own);
  expect(await clickIdOf(own)).toBeUndefined();
  for (const { clickId } of site.received) expect(clickId).toBeUndefined();
  await own.page.evaluate(() => history.pushState({}, "", "?reqid=newer-1&clickid=older-1"));
  expect(await clickIdOf(own)).toBe("newer-1");
});

test("a waiting sale of a closed tab does not bring back the click of its address", async () => {
  const own = await visit(browser, site, "/one?reqid=older-1");
  await nextSecond(own);
  const newer = await tab(own, "/one?reqid=newer-1");
  await nextSecond(own);
  site.fileTrouble.set("outbox.js", "missing");
  expect(await convert(own, { offerId: 1 })).toEqual({ state: "queued", code: "missing_file" });
  site.fileTrouble.clear();
  await own.page.close();
  await newer.go("/one");
  await expect.poll(() => site.received).toMatchObject([{ clickId: "newer-1" }]);
  expect(await clickIdOf(newer)).toBe("newer-1");
});

test.each(["in the same tab", "in another tab"])(
  "a held sale does not get a click that came after it, %s",
  async (where) => {
    const own = await visit(browser, site, "/pending");
    expect(await convert(own, { offerId: 1, orderId: "T-3" })).toEqual({ state: "queued", code: "consent_pending" });
    await nextSecond(own);
    if (where === "in another tab") await tab(own, "/?reqid=later-1");
    else await own.page.evaluate(() => history.pushState(null, "", "/x?reqid=later-1"));
    await grant(own);
    await expect.poll(() => site.received.length).toBe(1);
    expect(site.received[0]?.clickId).toBeUndefined();
    // The next sale does.
    expect(await convert(own, { offerId: 1, orderId: "T-4" })).toMatchObject({ state: "accepted" });
    expect(site.received.at(-1)).toMatchObject({ clickId: "later-1" });
  },
);

test("a held sale gets the click before it, although another one came after it", async () => {
  const own = await visit(browser, site, "/?reqid=before-1");
  await own.go("/pending");
  await nextSecond(own);
  await convert(own, { offerId: 1, orderId: "T-5" });
  await nextSecond(own);
  await tab(own, "/?reqid=later-1");
  await grant(own);
  await expect.poll(() => site.received).toMatchObject([{ clickId: "before-1", uniqueId: "before-1:T-5" }]);
  expect(await clickIdOf(own)).toBe("later-1");
});

test.each([
  ["of another tab that came before the sale", "/", "/pending", ["own-1", "other-1"], "other-1"],
  ["of the page, where it came last", "/", "/pending", ["other-1", "own-1"], "own-1"],
  ["that came first, where the first counts", "/first", "/pending-first", ["other-1", "own-1"], "other-1"],
  ["of the page, where it came first and the first counts", "/first", "/pending-first", ["own-1", "other-1"], "own-1"],
] as const)("a held sale takes the click that counts: the one %s", async (_, path, pending, order, counts) => {
  const held = await visit(browser, site, "/bought");
  const other = await tab(held, "/bought");
  for (const id of order) {
    await (id === "own-1" ? held : other).go(`${id === "own-1" ? pending : path}?reqid=${id}`);
    await nextSecond(held);
  }
  const result = held.page.evaluate(() => tracker.convert({ offerId: 1, orderId: " T-6 " }));
  await grant(held);
  await result;
  expect(await clickIdOf(held)).toBe(counts);
  await expect
    .poll(() => site.received)
    .toMatchObject([{ clickId: counts, uniqueId: `${counts}:T-6`, orderId: "T-6" }]);
});

/** A page whose clock is off by the number in `off`, in milliseconds, from its start. */
const wrongClock = async ({ page }: Visit, ms: number) =>
  page.addInitScript((ms) => {
    const right = Date.now;
    Object.assign(window, { off: ms });
    Date.now = () => right() + (window as unknown as { off: number }).off;
  }, ms);
const HOUR = 3_600_000;

test.each([
  ["30 s, held for a yes", "/pending", 30_000],
  ["an hour, held for a yes", "/pending", HOUR],
  ["two days, held for a yes", "/pending", 48 * HOUR],
  ["an hour, without WebAssembly", "/js", HOUR],
])("a sale keeps its click where the clock was ahead at the landing by %s", async (_, path, ms) => {
  const context = await browser.newContext();
  const landing = await open(context, site);
  await wrongClock(landing, ms);
  await landing.go("/?reqid=early-1");
  await landing.page.close();
  const own = await open(context, site);
  await own.go(path);
  const result = own.page.evaluate(() => tracker.convert({ offerId: 1, orderId: "T-9" }));
  await own.page.waitForTimeout(300);
  await grant(own);
  await result;
  await expect.poll(() => site.received).toMatchObject([{ clickId: "early-1", uniqueId: "early-1:T-9" }]);
});

test.each([
  ["slow by 3 h", -3 * HOUR],
  ["slow by a year", -365 * 24 * HOUR],
])("a held sale keeps its click, and gets no later one, where the clock was %s at the report", async (_, ms) => {
  for (const [orderId, hasEarlier] of [
    ["T-10", true],
    ["T-11", false],
  ] as const) {
    if (!hasEarlier && ms < 0) continue;
    site.received.length = 0;
    const landing = await visit(browser, site, hasEarlier ? "/?reqid=before-1" : "/");
    const own = await open(landing.context, site);
    await wrongClock(own, ms);
    await own.go("/pending");
    await nextSecond(own);
    await convert(own, { offerId: 1, orderId });
    await own.page.evaluate(() => Object.assign(window, { off: 0 }));
    if (!hasEarlier) {
      await nextSecond(own);
      await tab(own, "/?reqid=later-1");
      await nextSecond(own);
    }
    await grant(own);
    await expect.poll(() => site.received.length).toBe(1);
    expect(site.received[0]?.clickId).toBe(hasEarlier ? "before-1" : undefined);
  }
});

test("what a page reuses for its next sale does not change a held one", async () => {
  const held = await visit(browser, site, "/pending?reqid=own-1");
  await held.page.evaluate(() => {
    const order = { offerId: 1, orderId: "T-7" };
    void tracker.convert(order);
    order.orderId = "T-8";
    void tracker.convert(order);
    tracker.setConsent("granted");
  });
  // Two sales of one second are sent in any order.
  await expect.poll(() => site.received.map(({ orderId }) => orderId).sort()).toEqual(["T-7", "T-8"]);
});

test.each(["with", "without"])("tabs that report one order at once have one unique id, %s locks", async (locks) => {
  for (const orders of [
    ["77", "77"],
    ["#1001", "1001", "001001"],
    ["88", "88", "88"],
  ]) {
    site.received.length = 0;
    const context = await browser.newContext();
    if (locks === "without")
      await context.addInitScript(() => Object.defineProperty(navigator, "locks", { value: null }));
    const tabs = [];
    for (const order of orders) {
      const opened = await open(context, site);
      await opened.go("/edge");
      tabs.push({ opened, order });
    }
    await Promise.all(tabs.map(({ opened, order }) => convert(opened, { offerId: 1, orderId: order })));
    // Requests of the orders before may still come: what is unanswered is sent once more when its page is closed.
    const own = site.received.filter(({ orderId }) => orders.includes(`${orderId}`));
    expect([...new Set(own.map(({ uniqueId }) => uniqueId))]).toHaveLength(1);
    await context.close();
  }
});

test("a sale goes once, however often a platform says yes in its task", async () => {
  for (let yeses = 1; yeses < 5; yeses += 1) {
    site.received.length = 0;
    const { page, context } = await visit(browser, site, `/pending?reqid=click-${yeses}`);
    const result = await page.evaluate((yeses) => {
      const result = tracker.convert({ offerId: 1, orderId: `Y-${yeses}` });
      for (let yes = 0; yes < yeses; yes += 1) tracker.setConsent("granted");
      return result;
    }, yeses);
    expect(result).toMatchObject({ state: "accepted" });
    await page.waitForTimeout(200);
    expect(site.received.filter(({ orderId }) => orderId === `Y-${yeses}`)).toHaveLength(1);
    await context.close();
  }
});
