/** The core flows in Firefox: capture, storage and conversion, with its own WebAssembly and without it. */
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Tracker } from "../../js/page/index.ts";
import { Site } from "./site.ts";

declare const tracker: Tracker;

let site: Site;
let browser: Browser;
beforeAll(async () => {
  site = await Site.start();
  browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: process.env["FIREFOX"] ?? "/usr/bin/firefox-esr",
    headless: true,
  });
  site.addTrackerPage("/");
  site.addTrackerPage("/thanks");
});
beforeEach(() => {
  site.trouble = undefined;
  site.received.length = 0;
  site.recorded.clear();
});
afterEach(() =>
  Promise.all(
    browser
      .browserContexts()
      .slice(1)
      .map((context) => context.close()),
  ),
);
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});

async function visit(path: string): Promise<Page> {
  const page = await (await browser.createBrowserContext()).newPage();
  await go(page, path);
  return page;
}

async function go(page: Page, path: string): Promise<void> {
  await page.goto(site.origin + path);
  await page.waitForFunction(() => "tracker" in globalThis);
}

const known = (page: Page) => page.evaluate(() => tracker.ready.then(() => [tracker.engine, tracker.clickId]));

test("a click id is kept, as the browser sees it, and known on the next page", async () => {
  const page = await visit("/?reqid=abc-1&s1=k%C3%A4se");
  expect(await known(page)).toEqual(["wasm", "abc-1"]);
  const [cookie] = await page.browserContext().cookies();
  expect(cookie).toMatchObject({ name: "cake_click", path: "/", sameSite: "Lax", secure: false, httpOnly: false });
  expect(cookie?.value).toMatch(/^1!\w+\*\w+!reqid!abc-1!k%C3%A4se$/);
  expect(await page.evaluate(() => localStorage.getItem("cake_click"))).toBe(cookie?.value);
  await go(page, "/thanks");
  expect(await known(page)).toEqual(["wasm", "abc-1"]);
});

test("single-page navigation is seen", async () => {
  const page = await visit("/");
  await page.evaluate(() => history.pushState(null, "", "/a?reqid=pushed"));
  expect(await known(page)).toEqual(["wasm", "pushed"]);
});

test("consent that is pending stores nothing, and denied deletes", async () => {
  site.addTrackerPage("/pending", `{ consent: "pending" }`);
  const page = await visit("/pending?reqid=abc-1");
  const stored = () => page.evaluate(() => [document.cookie.length > 0, localStorage.length]);
  expect(await stored()).toEqual([false, 0]);
  await page.evaluate(() => tracker.setConsent("granted"));
  expect(await stored()).toEqual([true, 1]);
  await page.evaluate(() => tracker.setConsent("denied"));
  expect(await stored()).toEqual([false, 0]);
});

test("links are built, and refused without a throw", async () => {
  const page = await visit("/");
  const links = await page.evaluate(async () => {
    const parts = { domain: "track.yournetwork.com", affiliateId: 67_890, creativeId: 12, s1: "käse" };
    return [await tracker.link(parts), await tracker.link({ ...parts, affiliateId: 0 })];
  });
  expect(links[0]).toBe("https://track.yournetwork.com/?a=67890&c=12&s1=k%C3%A4se");
  expect(links[1] ?? undefined).toBeUndefined();
});

test("a conversion arrives, also one that was made while the page was being left", async () => {
  const page = await visit("/?reqid=abc-1");
  expect(await page.evaluate(() => tracker.convert({ offerId: 1, uniqueId: "one" }))).toEqual({
    state: "accepted",
    id: "id-one",
  });
  await page.evaluate(() => void tracker.convert({ offerId: 1, uniqueId: "leaving" }));
  await go(page, "/thanks");
  await expect.poll(() => [...site.recorded.keys()]).toEqual(["1 one", "1 leaving"]);
  await expect.poll(() => page.evaluate(() => localStorage.length)).toBe(1);
});

test("what could not be sent is sent on the next load, once", async () => {
  const page = await visit("/?reqid=abc-1");
  site.trouble = { status: 503, headers: { "retry-after": "3600" } };
  expect(await page.evaluate(() => tracker.convert({ offerId: 1 }))).toEqual({
    state: "queued",
    code: "forwarder_busy",
  });
  site.trouble = undefined;
  await go(page, "/thanks");
  await expect.poll(() => site.recorded.size).toBe(1);
  await go(page, "/thanks");
  expect(site.received).toHaveLength(1);
});

test("a policy without 'wasm-unsafe-eval' gets plain JavaScript", async () => {
  site.pages.set("/strict.js", {
    html: `import { createTracker } from "/page/page.js"; window.tracker = createTracker();`,
    headers: { "content-type": "text/javascript" },
  });
  site.pages.set("/strict", {
    html: `<!doctype html><title>strict</title><script type="module" src="/strict.js"></script>`,
    headers: { "content-security-policy": "default-src 'none'; connect-src 'self'; script-src 'self'" },
  });
  const page = await (await browser.createBrowserContext()).newPage();
  await page.goto(`${site.origin}/strict?reqid=abc-1`);
  // The policy blocks waitForFunction, which compiles a text; evaluate uses the debugger.
  await expect.poll(() => page.evaluate(() => "tracker" in globalThis)).toBe(true);
  expect(await known(page)).toEqual(["js", "abc-1"]);
});
