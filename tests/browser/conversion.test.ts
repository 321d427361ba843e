/** Conversions, in Chromium: none is lost, none is counted twice. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { PageConversion, Tracker } from "../../js/page/index.ts";
import { launch } from "./chromium.ts";
import { Site } from "./site.ts";
import { open, type Visit, visit } from "./visit.ts";

declare const tracker: Tracker;
declare const other: Tracker;

let site: Site;
let browser: Browser;
beforeAll(async () => {
  site = await Site.start();
  browser = await launch();
  site.addTrackerPage("/");
  site.addTrackerPage("/thanks");
  site.addTrackerPage("/two", `{ endpoint: "/two" }`);
  site.pages.set("/both", {
    html: `<!doctype html><title>both</title><script type="module">import { createTracker } from "/page/page.js";
      Object.assign(window, { tracker: createTracker(), other: createTracker({ endpoint: "/two" }) });</script>`,
  });
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

const buyer = async (address = "/?reqid=abc-1"): Promise<Visit> => visit(browser, site, address);
const convert = (page: Page, conversion: PageConversion) =>
  page.evaluate((fields) => tracker.convert(fields), conversion);
const waiting = (page: Page) =>
  page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("cake_click_outbox:")).length);

test("a conversion goes to the site's own forwarder, without a preflight, and is then forgotten", async () => {
  const { page, said } = await buyer();
  site.requests.length = 0;
  expect(await convert(page, { offerId: 12_345, uniqueId: "ORD-1", orderId: "A" })).toEqual({
    state: "accepted",
    id: "id-ORD-1",
  });
  expect(site.received).toEqual([{ clickId: "abc-1", offerId: 12_345, uniqueId: "ORD-1", orderId: "A" }]);
  expect(site.requests.filter(({ path }) => path === "/cake/conversions")).toEqual([
    { method: "POST", path: "/cake/conversions", type: "text/plain;charset=UTF-8" },
  ]);
  expect(await waiting(page)).toBe(0);
  expect(await convert(page, { offerId: 12_345, uniqueId: "ORD-1" })).toMatchObject({ state: "duplicate" });
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

test("where no forwarder answers, the conversion waits for one", async () => {
  site.addTrackerPage("/other", `{ endpoint: "/x/y" }`);
  const { page } = await buyer("/other?reqid=abc-1");
  expect(await convert(page, { offerId: 1, uniqueId: "u" })).toEqual({ state: "queued", code: "no_forwarder" });
  expect(site.requests.map(({ path }) => path)).toContain("/x/y/conversions");
  // A site that answers every path with its home page has not accepted the conversion either.
  site.pages.set("/x/y/conversions", { html: "<h1>Home</h1>" });
  expect(await convert(page, { offerId: 1, uniqueId: "v" })).toEqual({ state: "queued", code: "no_forwarder" });
  expect(await waiting(page)).toBe(2);
});

test("a refusal is final and has the forwarder's code", async () => {
  const { page, said } = await buyer();
  site.trouble = { status: 400, body: { error: { code: "invalid_unique_id", rule: "must be …", retryable: false } } };
  expect(await convert(page, { offerId: 1, uniqueId: "a b" })).toEqual({ state: "refused", code: "invalid_unique_id" });
  expect(await waiting(page)).toBe(0);
  expect(said).toContain("cake-edge: invalid_unique_id");
});

test.each([408, 425, 429, 500, 503])("a status of %i is not final", async (status) => {
  const { page, go } = await buyer();
  site.trouble = { status, body: { error: { code: "rate_limited" } }, headers: { "retry-after": "3600" } };
  expect(await convert(page, { offerId: 1, uniqueId: "u" })).toEqual({ state: "queued", code: "rate_limited" });
  expect(await waiting(page)).toBe(1);
  site.trouble = undefined;
  await go("/thanks");
  await expect.poll(() => site.received).toHaveLength(1);
  await expect.poll(() => waiting(page)).toBe(0);
});

test("it is sent again in the same page when the forwarder's time has come", async () => {
  const { page } = await buyer();
  site.trouble = { status: 503, headers: { "retry-after": "1" } };
  expect(await convert(page, { offerId: 1, uniqueId: "u" })).toEqual({ state: "queued", code: "forwarder_busy" });
  site.trouble = undefined;
  // Five seconds, the least that an endpoint may ask for, plus a fifth.
  await expect.poll(() => waiting(page), { timeout: 10_000 }).toBe(0);
  expect(site.received).toHaveLength(1);
});

test("offline it waits, online it is sent", async () => {
  const { page, context, said } = await buyer();
  // The code for conversions is loaded with the first one.
  await convert(page, { offerId: 1, uniqueId: "first" });
  await context.setOffline(true);
  expect(await convert(page, { offerId: 1, uniqueId: "u" })).toEqual({ state: "queued", code: "network" });
  expect(said).toContain("cake-edge: network");
  expect(site.recorded.size).toBe(1);
  await context.setOffline(false);
  await expect.poll(() => [...site.recorded.keys()]).toEqual(["1 first", "1 u"]);
  await expect.poll(() => waiting(page)).toBe(0);
});

test("offline before the code was loaded it waits for the next page", async () => {
  const { page, context, go } = await buyer();
  await context.setOffline(true);
  expect(await convert(page, { offerId: 1, uniqueId: "u" })).toEqual({ state: "queued", code: "network" });
  await context.setOffline(false);
  await go("/thanks");
  await expect.poll(() => [...site.recorded.keys()]).toEqual(["1 u"]);
});

test("a page that is killed while sending has sent, and the next load finds it a duplicate", async () => {
  const { page, context } = await buyer();
  site.trouble = { silent: true };
  await page.evaluate(() => void tracker.convert({ offerId: 1, orderId: "A" }));
  await expect.poll(() => site.received).toHaveLength(1);
  await page.close();
  site.trouble = undefined;
  const next = await open(context, site);
  await next.go("/thanks");
  await expect.poll(() => site.received).toHaveLength(2);
  await expect.poll(() => waiting(next.page)).toBe(0);
  // Sent twice, recorded once: both had the same unique id.
  expect(site.recorded.size).toBe(1);
});

test("a conversion in the moment of leaving arrives", async () => {
  const { page, go } = await buyer();
  await page.evaluate(() => {
    void tracker.convert({ offerId: 1, uniqueId: "leaving" });
    location.href = "/thanks";
  });
  await page.waitForURL("**/thanks");
  await go("/thanks");
  await expect.poll(() => [...site.recorded.keys()]).toEqual(["1 leaving"]);
});

test("a killed browser process loses nothing that was stored", async () => {
  const { page, context } = await buyer();
  await convert(page, { offerId: 1, uniqueId: "first" });
  site.trouble = { status: 503, headers: { "retry-after": "3600" } };
  await convert(page, { offerId: 1, uniqueId: "u" });
  const next = await open(context, site);
  await page.goto("chrome://crash").catch(() => undefined);
  site.trouble = undefined;
  await next.go("/thanks");
  await expect.poll(() => [...site.recorded.keys()]).toEqual(["1 first", "1 u"]);
});

const posts = () => site.requests.filter(({ method }) => method === "POST").map(({ path }) => path);

test("a sale goes to the endpoint of its own tracker, and when that asks for it, whoever sends it", async () => {
  const { page, go } = await buyer("/both?reqid=abc-1");
  site.requests.length = 0;
  site.trouble = { status: 503, headers: { "retry-after": "3600" } };
  await convert(page, { offerId: 1, uniqueId: "one" });
  await page.evaluate(() => other.convert({ offerId: 2, uniqueId: "two" }));
  await expect.poll(posts).toEqual(["/cake/conversions", "/two/conversions"]);
  await page.waitForTimeout(500);
  expect(posts()).toHaveLength(2);
  // Nor does a page that has only the other endpoint send it there.
  site.trouble = undefined;
  site.requests.length = 0;
  await go("/two");
  await expect.poll(() => [...site.recorded.keys()]).toEqual(["1 one"]);
  // The other's request follows this one.
  await expect.poll(() => posts().sort()).toEqual(["/cake/conversions", "/two/conversions"]);
});

test("a sale whose endpoint has moved goes to the new one", { timeout: 20_000 }, async () => {
  const { page, go } = await buyer("/two?reqid=abc-1");
  expect(await convert(page, { offerId: 1, uniqueId: "u" })).toEqual({ state: "queued", code: "no_forwarder" });
  await go("/thanks");
  await expect.poll(() => [...site.recorded.keys()], { timeout: 10_000 }).toEqual(["1 u"]);
  await expect.poll(() => waiting(page)).toBe(0);
});

test("two tabs do not send the same one at once", async () => {
  const { page, context } = await buyer();
  site.trouble = { status: 503, headers: { "retry-after": "3600" } };
  for (const uniqueId of ["a", "b", "c"]) await convert(page, { offerId: 1, uniqueId });
  site.trouble = { lateMs: 500 };
  const tabs = await Promise.all([open(context, site), open(context, site)]);
  await Promise.all(tabs.map(({ go }) => go("/thanks")));
  await expect.poll(() => waiting(page), { timeout: 5_000 }).toBe(0);
  expect(site.received.map(({ uniqueId }) => uniqueId).sort()).toEqual(["a", "b", "c"]);
  expect(tabs.flatMap(({ said }) => said)).toContain("cake-edge: other_tab");
});

test("without a unique id a reload converts once, and another order again", async () => {
  const { page, go } = await buyer();
  await go("/thanks?x=1");
  await convert(page, { offerId: 1 });
  await go("/thanks?x=1");
  expect(await convert(page, { offerId: 1 })).toMatchObject({ state: "duplicate" });
  expect(site.recorded.size).toBe(1);
  expect(site.received[0]?.uniqueId).toMatch(/^[0-9a-f]{32}$/);
  // Another offer, order or address makes another conversion.
  expect(await convert(page, { offerId: 2 })).toMatchObject({ state: "accepted" });
  expect(await convert(page, { offerId: 1, orderId: "A" })).toMatchObject({ state: "accepted" });
  expect(await convert(page, { offerId: 1, orderId: "B" })).toMatchObject({ state: "accepted" });
  expect(await convert(page, { offerId: 1, orderId: "A" })).toMatchObject({ state: "duplicate" });
  await go("/thanks?x=2");
  expect(await convert(page, { offerId: 1 })).toMatchObject({ state: "accepted" });
});

test("a hundred wait in storage, no more", async () => {
  const { page, said } = await buyer();
  site.trouble = { status: 503, headers: { "retry-after": "3600" } };
  await page.evaluate(async () => {
    for (let index = 0; index < 101; index += 1) await tracker.convert({ offerId: 1, uniqueId: `u${index}` });
  });
  expect(await waiting(page)).toBe(100);
  expect(said).toContain("cake-edge: outbox_full");
});

test("what is a week old again or unreadable is let go", async () => {
  const { page, go, said } = await buyer();
  await page.evaluate(() => {
    const old = { at: Date.now() - 8 * 86_400_000, again: true, page: "/", fields: { offerId: 1, uniqueId: "old" } };
    const young = { at: Date.now() - 6 * 86_400_000, page: "/", fields: { offerId: 1, uniqueId: "young" } };
    localStorage.setItem("cake_click_outbox:1", JSON.stringify(old));
    localStorage.setItem("cake_click_outbox:2", JSON.stringify(young));
    localStorage.setItem("cake_click_outbox:3", "{");
  });
  await go("/thanks");
  await expect.poll(() => waiting(page)).toBe(0);
  expect([...site.recorded.keys()]).toEqual(["1 young"]);
  expect(said.filter((line) => line === "cake-edge: outbox_expired")).toHaveLength(2);
});

test("many large ones at once stay below what browsers allow in flight", async () => {
  const { page } = await buyer();
  site.trouble = { lateMs: 50 };
  const states = await page.evaluate(async () => {
    const orderId = "x".repeat(4_000);
    const sent = Array.from({ length: 40 }, (_, index) =>
      tracker.convert({ offerId: 1, uniqueId: `u${index}`, orderId }),
    );
    return (await Promise.all(sent)).map(({ state }) => state);
  });
  expect(new Set(states)).toEqual(new Set(["accepted"]));
  expect(site.recorded.size).toBe(40);
});

test("with storage blocked a conversion is sent all the same", async () => {
  const { page, said } = await visit(browser, site, "/?reqid=abc-1", () =>
    Object.defineProperty(window, "localStorage", {
      get() {
        throw new DOMException("blocked", "SecurityError");
      },
    }),
  );
  expect(await convert(page, { offerId: 1 })).toMatchObject({ state: "accepted" });
  expect(await convert(page, { offerId: 1 })).toMatchObject({ state: "duplicate" });
  expect(said).toContain("cake-edge: storage_blocked");
});

test("a missing click id that a template printed replaces no kept one, and is refused where none is kept", async () => {
  const { page, context } = await visit(browser, site, "/?reqid=abc-1");
  const missing = ["undefined", "null", "NaN", " ", "#reqid#", "%23reqid%23", "{{ click_id }}", "ORD-undefined"];
  for (const clickId of missing) {
    await page.evaluate((clickId) => tracker.convert({ offerId: 1, uniqueId: `u-${clickId}`, clickId }), clickId);
    expect(site.received.at(-1)?.clickId, clickId).toBe("abc-1");
  }
  await page.evaluate(() => tracker.convert({ offerId: 1, uniqueId: "u", clickId: "own-2" }));
  expect(site.received.at(-1)?.clickId).toBe("own-2");
  await context.close();
  const other = await visit(browser, site, "/");
  await other.page.evaluate(() => tracker.convert({ offerId: 1, uniqueId: "v", clickId: "undefined" }));
  expect(site.received.at(-1)?.clickId).toBe("undefined");
});

test("a given click id counts with marks around it, and what is none is never another click", async () => {
  const { page } = await visit(browser, site, "/?reqid=other-1");
  const id = "99999999-60f0-4c9e-bf75-626dca035acf";
  const given = [`"${id}"`, `{${id}}`, `${id}/`, `${id}\u200b`, ` ${id} `, `${id},${id}`, "a b"];
  for (const clickId of given) {
    await page.evaluate((clickId) => tracker.convert({ offerId: 1, uniqueId: `u-${clickId}`, clickId }), clickId);
  }
  // The last two are what the forwarder refuses.
  expect(site.received.map(({ clickId }) => clickId)).toEqual([id, id, id, id, id, `${id},${id}`, "a b"]);
});

test("a cookie that the site's server has set again, percent-encoded, is read by the next conversion", async () => {
  const { page, context, go } = await visit(browser, site, "/?reqid=abc-1&s1=a%20b");
  const [cookie] = await context.cookies();
  const value = (cookie?.value ?? "").replaceAll("!", "%21").replaceAll("*", "%2A");
  await page.evaluate(() => localStorage.clear());
  await context.addCookies([{ ...cookie, value } as never]);
  await go("/");
  expect(await convert(page, { offerId: 1, orderId: "A1" })).toMatchObject({ state: "accepted" });
  expect(site.received.at(-1)?.clickId).toBe("abc-1");
  expect((await context.cookies())[0]?.value).toBe(cookie?.value);
});

test("what cannot be a text is refused, not thrown", async () => {
  const { page, said } = await buyer();
  const result = await page.evaluate(() => {
    const orderId = Symbol("order") as unknown as string;
    return tracker.convert({ offerId: 1, orderId });
  });
  expect(result).toEqual({ state: "refused", code: "invalid_field" });
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

test("without Web Locks it is sent all the same", async () => {
  const { page } = await visit(browser, site, "/?reqid=abc-1", () =>
    Object.defineProperty(navigator, "locks", { value: undefined }),
  );
  expect(await convert(page, { offerId: 1, uniqueId: "u" })).toMatchObject({ state: "accepted" });
  expect(site.received).toHaveLength(1);
});

test("with edge no click id is sent: the forwarder reads its own cookie", async () => {
  site.addTrackerPage("/edge", "{ edge: true }");
  const { page } = await buyer("/edge?reqid=abc");
  await convert(page, { offerId: 1, uniqueId: "u" });
  expect(site.received).toEqual([{ offerId: 1, uniqueId: "u" }]);
});

test("an order counts once, also where its page is opened again after another click", async () => {
  const { page, go } = await buyer("/?reqid=click-A");
  expect(await convert(page, { offerId: 1, orderId: "ORD-1" })).toMatchObject({ state: "accepted" });
  await go("/thanks?reqid=click-B");
  expect(await convert(page, { offerId: 1, orderId: "ORD-1" })).toMatchObject({ state: "duplicate" });
  // A long order's unique id is a digest.
  const long = "L".repeat(130);
  expect(await convert(page, { offerId: 1, orderId: long })).toMatchObject({ state: "accepted" });
  // Another offer's order of that number is another one, and so is this visitor's next order.
  expect(await convert(page, { offerId: 2, orderId: "ORD-1" })).toMatchObject({ state: "accepted" });
  await go("/thanks?reqid=click-C");
  expect(await convert(page, { offerId: 1, orderId: "ORD-1" })).toMatchObject({ state: "duplicate" });
  expect(await convert(page, { offerId: 1, orderId: long })).toMatchObject({ state: "duplicate" });
  expect(await convert(page, { offerId: 1, orderId: "ORD-2" })).toMatchObject({ state: "accepted" });
  const keys = [...site.recorded.keys()].filter((key) => key.includes(":"));
  expect(keys).toEqual(["1 click-A:ORD-1", "2 click-B:ORD-1", "1 click-C:ORD-2"]);
  expect(site.recorded.size).toBe(4);
  // No word of an order is kept.
  const kept = await page.evaluate(() => JSON.stringify(localStorage));
  expect(kept).not.toContain("ORD-");
  await page.evaluate(() => tracker.setConsent("denied"));
  expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([]);
});

test("an order counts once in all spellings of its id", async () => {
  const { page, go } = await buyer("/?reqid=click-A");
  const spellings = ["1001", "#1001", "001001", "# 1001"];
  expect(await convert(page, { offerId: 1, orderId: "1001" })).toMatchObject({ state: "accepted" });
  for (const [at, orderId] of spellings.entries()) {
    expect([orderId, await convert(page, { offerId: 1, orderId })]).toMatchObject([orderId, { state: "duplicate" }]);
    await go(`/thanks?reqid=click-${at}`);
    expect([orderId, await convert(page, { offerId: 1, orderId })]).toMatchObject([orderId, { state: "duplicate" }]);
  }
  expect([...site.recorded.keys()]).toEqual(["1 click-A:1001"]);
  // These are others.
  for (const orderId of ["1001-A", "A1001", "10010"]) {
    expect([orderId, await convert(page, { offerId: 1, orderId })]).toMatchObject([orderId, { state: "accepted" }]);
  }
});

test("what was refused did not count, and may go with a later click", async () => {
  const { page, go } = await buyer("/?reqid=click-A");
  site.trouble = { status: 409, body: { error: { code: "click_converted", rule: "is used", retryable: false } } };
  expect(await convert(page, { offerId: 1, orderId: "ORD-1" })).toMatchObject({ state: "refused" });
  site.trouble = undefined;
  await go("/thanks?reqid=click-B");
  expect(await convert(page, { offerId: 1, orderId: "ORD-1" })).toMatchObject({ state: "accepted" });
  expect([...site.recorded.keys()]).toEqual(["1 click-B:ORD-1"]);
});

test("a getter that throws refuses the conversion, and rejects nothing", async () => {
  const { page } = await buyer();
  for (const name of ["offerId", "orderId", "uniqueId", "clickId"]) {
    const result = page.evaluate((name) => {
      const fields = { offerId: 1, orderId: "A" };
      Object.defineProperty(fields, name, {
        enumerable: true,
        get() {
          throw new Error("a getter");
        },
      });
      return tracker.convert(fields);
    }, name);
    expect(await result).toEqual({ state: "refused", code: "invalid_field" });
  }
  expect(site.received).toEqual([]);
});

test("a fetch that never settles: the retry goes by XMLHttpRequest", async () => {
  const { page } = await buyer();
  await page.evaluate(() => {
    window.fetch = () => new Promise(() => undefined);
  });
  expect(await convert(page, { offerId: 1, orderId: "A" })).toEqual({ state: "queued", code: "network" });
  await expect.poll(() => [...site.recorded.keys()], { timeout: 15_000 }).toEqual(["1 abc-1:A"]);
  await expect.poll(() => waiting(page)).toBe(0);
});
