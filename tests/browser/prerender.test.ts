/**
 * A page that Chromium prerenders. With puppeteer, because playwright prevents prerendered pages from loading their
 * scripts.
 */
import { setTimeout as sleep } from "node:timers/promises";
import puppeteer, { type Browser } from "puppeteer-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Tracker } from "../../js/page/index.ts";
import { Site } from "./site.ts";

declare const tracker: Tracker;

let site: Site;
let browser: Browser;
beforeAll(async () => {
  site = await Site.start();
  browser = await puppeteer.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
  site.addTrackerPage("/land");
  site.addTrackerPage("/thanks");
  site.pages.set("/", {
    html: `<!doctype html><title>before</title>
      <script type="speculationrules">{"prerender":[{"urls":["/land?reqid=abc-1"],"eagerness":"immediate"}]}</script>`,
  });
});
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});

test("a conversion, or a yes, of a prerendered page counts once it is shown", async () => {
  site.received.length = 0;
  const land = site.pages.get("/thanks")?.html ?? "";
  const act = `tracker.setConsent(true); window.result = tracker.convert({ offerId: 1, orderId: "A" });`;
  site.pages.set("/thanks", { html: land.replace("</script>", `;${act}</script>`) });
  site.pages.set("/shop", {
    html: `<!doctype html><title>before</title>
      <script type="speculationrules">{"prerender":[{"urls":["/thanks?reqid=abc-2"],"eagerness":"immediate"}]}</script>`,
  });
  const page = await (await browser.createBrowserContext()).newPage();
  await page.goto(`${site.origin}/shop`);
  const asked = () => site.requests.filter(({ path }) => path.startsWith("/thanks")).length;
  await expect.poll(asked).toBe(1);
  await sleep(1_000);
  expect(site.received).toEqual([]);
  expect(await page.evaluate(() => [document.cookie, localStorage.length])).toEqual(["", 0]);
  await page.evaluate(() => {
    location.href = "/thanks?reqid=abc-2";
  });
  await expect.poll(() => site.received).toMatchObject([{ clickId: "abc-2", orderId: "A" }]);
  expect(asked()).toBe(1);
  expect(await page.evaluate("window.result")).toEqual({ state: "queued", code: "consent_pending" });
});

test("while it is prerendered nothing is stored; once it is shown all is", async () => {
  const page = await browser.newPage();
  await page.goto(`${site.origin}/`);
  await expect.poll(() => site.requests.map(({ path }) => path)).toContain("/page/page.js");
  // Enough time to capture, if it did.
  await sleep(500);
  expect(await page.evaluate(() => [document.cookie, localStorage.length])).toEqual(["", 0]);

  await page.evaluate(() => {
    location.href = "/land?reqid=abc-1";
  });
  await expect.poll(() => page.evaluate(() => location.pathname)).toBe("/land");
  expect(await page.evaluate(() => tracker.clickId)).toBe("abc-1");
  expect(await page.evaluate(() => document.cookie)).toContain("abc-1");
  // The browser shows the prerendered page, not a new load.
  expect(site.requests.filter(({ path }) => path === "/land")).toHaveLength(1);
});
