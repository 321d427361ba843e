/** The demo page in Chromium, walked as a person would. */
import { mkdirSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Served, serve } from "../../scripts/serve.ts";

const SCREENSHOTS = "target/screenshots";
let served: Served;
let browser: Browser;

beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  served = await serve(0);
  const executablePath = process.env["CHROMIUM"];
  browser = await chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
});
afterAll(async () => {
  await browser?.close();
  await served?.stop();
});

test.each(["light", "dark"] as const)("a click becomes a conversion before one's eyes (%s)", async (colorScheme) => {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1000, height: 900 } });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));

  await page.goto(served.origin);
  await page.getByLabel("s1").fill("käse & co");
  await expect
    .poll(() => page.locator("#link").textContent())
    .toBe(`${served.origin}/?a=67890&c=12&s1=k%C3%A4se%20%26%20co`);
  await page.getByLabel("Affiliate id").fill("0");
  await expect.poll(() => page.getByRole("alert").textContent()).toContain("affiliateId");
  await page.getByLabel("Affiliate id").fill("67890");

  await page.getByRole("link", { name: "Click the link" }).click();
  await page.waitForURL("**/shop/?reqid=*");
  const clickId = new URL(page.url()).searchParams.get("reqid") ?? "";
  await expect.poll(() => page.locator("#click-id").textContent()).toBe(clickId);
  const cookies = await context.cookies();
  expect(cookies.find(({ name }) => name === "cake_click")?.value).toContain(clickId);
  expect(await page.evaluate(() => localStorage.getItem("cake_click"))).toContain(clickId);

  await page.getByRole("button", { name: "Buy insurance" }).click();
  await expect.poll(() => page.getByRole("status").textContent()).toMatch(/^Conversion ORD-\d+: accepted$/);
  await page.screenshot({ path: `${SCREENSHOTS}/shop-${colorScheme}.png` });

  await page.getByRole("link", { name: "Back to the network" }).click();
  await expect
    .poll(() => page.locator("#conversions tr").first().textContent())
    .toMatch(/approved18\.00fired, answered 200/);
  await page.screenshot({ path: `${SCREENSHOTS}/demo-${colorScheme}.png`, fullPage: true });
  expect(problems).toEqual([]);
  await context.close();
});

test("a landing page without a click says so", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${served.origin}/shop/`);
  await expect.poll(() => page.locator("#click-id").textContent()).toBe("none: no click led here");
  await page.getByRole("button", { name: "Buy insurance" }).click();
  await expect.poll(() => page.getByRole("status").textContent()).toMatch(/^invalid_\w+: refused$/);
  await context.close();
});
