/**
 * The time at which a conversion is sent, in Chromium: at once, whatever network and visitor do, and never as a storm.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Tracker } from "../../js/page/index.ts";
import { launch } from "./chromium.ts";
import { Site } from "./site.ts";
import { open, type Visit, visit } from "./visit.ts";

declare const tracker: Tracker;

let site: Site;
let elsewhere: Site;
let browser: Browser;
beforeAll(async () => {
  site = await Site.start();
  elsewhere = await Site.start();
  browser = await launch();
  site.addTrackerPage("/");
  // What debug says is decided in the sender's file, which would be loaded for that.
  site.addTrackerPage("/quiet", "{ debug: false }");
  site.addTrackerPage("/thanks");
  elsewhere.pages.set("/", { html: "<!doctype html><title>elsewhere</title>" });
});
beforeEach(() => {
  site.trouble = undefined;
  site.fileTrouble.clear();
  site.received.length = 0;
  site.recorded.clear();
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(async () => {
  await browser?.close();
  await site?.stop();
  await elsewhere?.stop();
});

const buyer = (address = "/?reqid=abc-1"): Promise<Visit> => visit(browser, site, address);
const waiting = (page: Page) =>
  page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("cake_click_outbox:")).length);

/** Runs a conversion; returns its result and the seconds that it took. */
const timed = (page: Page, fields: object = { offerId: 1, uniqueId: "u" }) =>
  page.evaluate(async (fields) => {
    const start = performance.now();
    const result = await tracker.convert(fields as Parameters<Tracker["convert"]>[0]);
    return { result, seconds: (performance.now() - start) / 1_000 };
  }, fields);

const QUEUED = { state: "queued", code: "network" };

/** What a visitor of a site of its own does: such visits wait at once, and none has another's trouble. */
async function atOwnSite<T>(run: (site: Site, buyer: Visit) => Promise<T>): Promise<T> {
  const site = await Site.start();
  for (const path of ["/", "/thanks"]) site.addTrackerPage(path);
  try {
    return await run(site, await visit(browser, site, "/?reqid=abc-1"));
  } finally {
    await site.stop();
  }
}

test("an endpoint that never answers: queued within 15 s, and sent later", async () => {
  const troubles = [
    [{ silent: true }, undefined],
    // It never ends its answer.
    [{ endless: true }, undefined],
    // Neither does the file of what waits.
    [{ silent: true }, "silent"],
  ] as const;
  await Promise.all(
    troubles.map(([trouble, file]) =>
      atOwnSite(async (site, { page, go }) => {
        site.trouble = trouble;
        if (file) site.fileTrouble.set("outbox.js", file);
        const { result, seconds } = await timed(page);
        expect(result).toEqual(QUEUED);
        expect(seconds).toBeLessThan(15);
        expect(await waiting(page)).toBe(1);
        site.trouble = undefined;
        site.fileTrouble.clear();
        // In the same page, automatically; where the file never loads, in the next page.
        if (file) await go("/thanks");
        await expect.poll(() => waiting(page), { timeout: 40_000 }).toBe(0);
        expect(site.recorded.size).toBe(1);
      }),
    ),
  );
});

test("conversions of an order and of an address too are queued within 15 s", async () => {
  const { page } = await buyer();
  site.trouble = { silent: true };
  const all = await Promise.all([timed(page, { offerId: 1, orderId: "A" }), timed(page, { offerId: 1 })]);
  for (const { result, seconds } of all) {
    expect(result).toEqual(QUEUED);
    expect(seconds).toBeLessThan(15);
  }
});

test.each([
  ["a unique id", { offerId: 77, uniqueId: "u" }],
  ["an order id", { offerId: 77, orderId: "A" }],
] as const)("with %s it is sent in the same task, before any file is loaded", async (_, fields) => {
  site.fileTrouble.set("outbox.js", "silent");
  const { page } = await buyer();
  await page.evaluate((fields) => {
    void tracker.convert(fields);
    // After the next statement, nothing of this page runs.
    const end = performance.now() + 500;
    while (performance.now() < end);
  }, fields);
  expect(site.received.filter(({ offerId }) => offerId === 77)).toHaveLength(1);
  site.received.length = 0;
});

test.each([
  ["follows a link to another site", (url: string) => location.assign(url)],
  [
    "is sent elsewhere by a form",
    (url: string) => {
      const form = Object.assign(document.createElement("form"), { action: url });
      document.body.append(form);
      form.submit();
    },
  ],
  ["replaces the page", (url: string) => location.replace(url)],
] as const)("a visitor who %s in the very moment has converted", async (_, leave) => {
  site.fileTrouble.set("outbox.js", "silent");
  const { page } = await buyer();
  await page.evaluate(
    ([url, leave]) => {
      void tracker.convert({ offerId: 1, orderId: "leaving" });
      new Function("url", `(${leave})(url)`)(url);
    },
    [`${elsewhere.origin}/`, leave.toString()] as const,
  );
  await page.waitForURL(`${elsewhere.origin}/*`);
  await expect.poll(() => site.recorded.size).toBe(1);
});

test.each(["pagehide", "beforeunload", "visibilitychange"])(
  "converted while the page goes (%s), it is sent",
  async (event) => {
    const { page } = await buyer();
    await page.evaluate((event) => {
      const target = event === "visibilitychange" ? document : window;
      target.addEventListener(event, () => void tracker.convert({ offerId: 1, orderId: event }), { once: true });
    }, event);
    await page.goto(`${elsewhere.origin}/`);
    await expect.poll(() => [...site.recorded.values()].map(({ orderId }) => orderId)).toEqual([event]);
  },
);

test("a tab that is closed in the very moment has converted", async () => {
  const { page } = await buyer();
  await page.evaluate(() => void tracker.convert({ offerId: 1, orderId: "closed" }));
  await page.close({ runBeforeUnload: false });
  await expect.poll(() => site.recorded.size).toBe(1);
});

test("offline before anything was loaded: it is sent in the same page once the network is back", async () => {
  const { page, context } = await buyer();
  await context.setOffline(true);
  for (const fields of [{ offerId: 1, uniqueId: "u" }, { offerId: 1, orderId: "A" }, { offerId: 1 }]) {
    expect((await timed(page, fields)).result).toEqual(QUEUED);
  }
  await context.setOffline(false);
  await expect.poll(() => site.recorded.size, { timeout: 10_000 }).toBe(3);
  await expect.poll(() => waiting(page)).toBe(0);
});

test("the sender of what waits is loaded before it is needed, where a click is known", async () => {
  site.requests.length = 0;
  const { page, context } = await buyer("/quiet?reqid=abc-1");
  const isLoaded = () => site.requests.some(({ path }) => path === "/page/outbox.js");
  await expect.poll(isLoaded, { timeout: 10_000 }).toBe(true);
  // Loaded once: nothing is missing, whatever the network does now.
  await context.setOffline(true);
  await timed(page, { offerId: 1 });
  await context.setOffline(false);
  await expect.poll(() => site.recorded.size).toBe(1);
  // A visitor without a click makes no conversion.
  site.requests.length = 0;
  await visit(browser, site, "/quiet");
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  expect(isLoaded()).toBe(false);
}, 90_000);

test.each(["missing", "home page"] as const)(
  "a file of ours that the site lacks (%s) is told, and what can be sent is sent",
  async (how) => {
    site.fileTrouble.set("outbox.js", how);
    const { page, said } = await buyer();
    // The answer cannot be read without the file; the test is that the request arrived.
    expect((await timed(page)).result).toEqual({ state: "queued", code: "missing_file" });
    expect([...site.recorded.keys()]).toEqual(["1 u"]);
    // A conversion with its address alone needs the file.
    expect((await timed(page, { offerId: 1 })).result).toEqual({ state: "queued", code: "missing_file" });
    expect(said.some((line) => line.includes("missing_file") && line.includes("outbox.js"))).toBe(true);
    site.fileTrouble.clear();
    // The file is available again while the page is open: the next conversion finds it at the latest.
    expect((await timed(page, { offerId: 1, uniqueId: "v" })).result).toMatchObject({ state: "accepted" });
    expect((await timed(page, { offerId: 2 })).result).toMatchObject({ state: "accepted" });
    await expect.poll(() => site.recorded.size).toBe(4);
  },
);

test("a file that cannot be reached is the network's trouble", async () => {
  const context = await browser.newContext();
  await context.route("**/outbox.js*", (route) => route.abort());
  const { page, said, go } = await open(context, site);
  await go("/?reqid=abc-1");
  expect((await timed(page, { offerId: 1 })).result).toEqual(QUEUED);
  expect(said.join("\n")).not.toContain("missing_file");
  await context.unroute("**/outbox.js*");
  expect((await timed(page, { offerId: 2 })).result).toMatchObject({ state: "accepted" });
  await expect.poll(() => site.recorded.size).toBe(2);
});

test("no Retry-After makes a storm", async () => {
  const values = ["0", "0.001", "-5", "1.5", "1e-9", "2592000", "1e12", "Infinity", "NaN", "soon", ""];
  values.push("Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT");
  const attemptsOf = (value: string) =>
    atOwnSite(async (site, { page }) => {
      site.trouble = { status: 503, headers: { "retry-after": value } };
      await page.evaluate(() => {
        for (const uniqueId of ["u", "v", "w"]) void tracker.convert({ offerId: 1, uniqueId });
      });
      // Several pages at once may take a while for the first attempts.
      await expect.poll(() => site.attempts, { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
      // Less than the five seconds after which a retry is due, with room for a busy machine.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      // Events that may wake the outbox, again and again.
      await page.evaluate(() => {
        for (let index = 0; index < 20; index += 1) {
          document.dispatchEvent(new Event("visibilitychange"));
          history.pushState(null, "", `/step-${index}`);
        }
      });
      await new Promise((resolve) => setTimeout(resolve, 300));
      return [value, site.attempts];
    });
  // A few pages at a time: where their first attempts take longer than five seconds, a retry is due and right.
  const attempts: unknown[] = [];
  for (let at = 0; at < values.length; at += 3) {
    attempts.push(...(await Promise.all(values.slice(at, at + 3).map(attemptsOf))));
  }
  expect(attempts).toEqual(values.map((value) => [value, 3]));
}, 90_000);

/** How long the page waits for an answer. This is a timer too, but no wait for the next attempt. */
const ANSWER_S = 12;

/** The waits of at least a second that the page asks its timers for, in seconds. */
const waits = async (value: string): Promise<number[]> => {
  const { page } = await visit(browser, site, "/?reqid=abc-1", () => {
    const asked: number[] = [];
    Object.assign(window, { asked });
    const own = window.setTimeout;
    // @ts-expect-error: only the form that the page calls.
    window.setTimeout = (run: () => void, ms: number) => {
      asked.push(ms);
      return own(run, ms);
    };
  });
  site.trouble = { status: 429, headers: { "retry-after": value } };
  await page.evaluate(async () => {
    (window as unknown as { asked: number[] }).asked.length = 0;
    await tracker.convert({ offerId: 1, uniqueId: "u" });
  });
  const asked = await page.evaluate("asked");
  return (asked as number[]).map((ms) => ms / 1_000).filter((seconds) => seconds >= 5 && seconds !== ANSWER_S);
};

test.each([
  ["120", 120],
  ["5", 5],
  ["1.5", 5],
  ["0", 5],
  ["-7", 5],
  ["2592000", 3_600],
  ["Infinity", 3_600],
  ["soon", 5],
  ["Fri, 31 Dec 9999 23:59:59 GMT", 3_600],
  ["Thu, 01 Jan 1970 00:00:00 GMT", 5],
])("Retry-After: %s is a wait of %i s", async (value, seconds) => {
  const asked = await waits(value);
  expect(asked).toHaveLength(1);
  // Up to a fifth more, so that the tabs of one site do not ask at the same moment.
  expect(asked[0]).toBeGreaterThanOrEqual(seconds);
  expect(asked[0]).toBeLessThanOrEqual(Math.min(seconds * 1.2, 3_600));
});

test("Retry-After: a date is understood", async () => {
  const [seconds] = await waits(new Date(Date.now() + 600_000).toUTCString());
  expect(seconds).toBeGreaterThan(580);
  expect(seconds).toBeLessThan(722);
});

test.each([
  ["an order id", { offerId: 1, orderId: "A-1" }, "{}"],
  ["the page's address", { offerId: 1 }, "{}"],
  ["an order id, the click in the edge's cookie", { offerId: 1, orderId: "A-1" }, "{ edge: true }"],
  ["the page's address, the click in the edge's cookie", { offerId: 1 }, "{ edge: true }"],
] as const)("three tabs of one order at once have one unique id: by %s", async (_, fields, options) => {
  site.addTrackerPage("/order", options);
  const { context, go, page } = await buyer("/order?reqid=abc-1");
  const tabs = [{ page, go }, await open(context, site), await open(context, site)];
  await Promise.all(tabs.map(({ go }) => go("/order?id=7")));
  const at = Date.now() + 500;
  const states = await Promise.all(
    tabs.map(({ page }) =>
      page.evaluate(
        async ([fields, at]) => {
          await new Promise((resolve) => setTimeout(resolve, at - Date.now()));
          return (await tracker.convert(fields)).state;
        },
        [fields, at] as const,
      ),
    ),
  );
  expect(states.sort()).toEqual(["accepted", "duplicate", "duplicate"]);
  expect(site.recorded.size).toBe(1);
  expect(new Set(site.received.map(({ uniqueId }) => uniqueId)).size).toBe(1);
});

test("two visitors of one thank-you page, whose click ids nobody sees, are two", async () => {
  site.addTrackerPage("/edge", "{ edge: true }");
  for (const _ of [1, 2]) {
    const { page } = await buyer("/edge");
    expect((await timed(page, { offerId: 77 })).result).toMatchObject({ state: "accepted" });
  }
  // A request of a page that an earlier test has closed may still come.
  const own = site.received.filter(({ offerId }) => offerId === 77);
  expect(new Set(own.map(({ uniqueId }) => uniqueId)).size).toBe(2);
});

test("a slow answer in one tab keeps no other from sending", async () => {
  const { page, context } = await buyer();
  site.trouble = (_, { uniqueId }) => (uniqueId === "slow" ? { silent: true } : undefined);
  await page.evaluate(() => void tracker.convert({ offerId: 1, uniqueId: "slow" }));
  const other = await open(context, site);
  await other.go("/thanks");
  const { result, seconds } = await timed(other.page, { offerId: 1, uniqueId: "quick" });
  expect(result).toMatchObject({ state: "accepted" });
  expect(seconds).toBeLessThan(3);
  // The same order in the other tab sends its own request.
  site.trouble = undefined;
  expect((await timed(other.page, { offerId: 1, uniqueId: "slow" })).result.state).toMatch(/accepted|duplicate/);
  await expect.poll(() => waiting(other.page), { timeout: 30_000 }).toBe(0);
});

test("what waits is held in memory too, where the site empties localStorage", async () => {
  const { page } = await buyer();
  site.trouble = { status: 503 };
  await timed(page);
  await page.evaluate(() => localStorage.clear());
  site.trouble = undefined;
  await expect.poll(() => site.recorded.size, { timeout: 10_000 }).toBe(1);
});
