/** The sandbox's live view in Chromium: by mouse and by keyboard, in both colour schemes, on a phone. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SandboxProcess, startSandbox } from "../sandbox-process.ts";
import { launch, openPage, SCREENSHOTS, violations } from "./chromium.ts";

let sandbox: SandboxProcess;
let browser: Browser;

beforeAll(async () => {
  sandbox = await startSandbox(["--history", "7d", "--clicks", "2000"]);
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await sandbox?.stop();
});

/** Opens the view; returns the page and the complaints of its console. */
async function open(options: BrowserContextOptions): Promise<{ page: Page; problems: string[] }> {
  const { page, problems } = await openPage(browser, options);
  await page.goto(`${sandbox.origin}/__sandbox/`);
  await page.getByText("live", { exact: true }).waitFor();
  return { page, problems };
}

async function clickAndConvert(uniqueId: string, affiliate = 67_891, creative = 13, offer = 12_346): Promise<number> {
  const link = `${sandbox.origin}/?a=${affiliate}&c=${creative}&s1=seen_live`;
  const landing = (await fetch(link, { redirect: "manual" })).headers.get("location") ?? "";
  const clickId = new URL(landing).searchParams.get("reqid");
  const api = `${sandbox.origin}/api/2/conversion.json?api_key=sandbox-key`;
  const response = await fetch(`${api}&click_id=${clickId}&offer_id=${offer}&unique_id=${uniqueId}`);
  return ((await response.json()) as { conversion: { conversion_id: number } }).conversion.conversion_id;
}

test.each([
  ["light", 1280],
  ["dark", 1280],
  ["light", 390],
  ["dark", 390],
] as const)("the view is sound in %s at %i pixels", async (colorScheme, width) => {
  const { page, problems } = await open({ colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
  await page.getByRole("table").first().waitFor();
  expect(await violations(page)).toEqual([]);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
  await page.screenshot({ path: `${SCREENSHOTS}/view-${colorScheme}-${width}.png`, fullPage: true });
  expect(problems).toEqual([]);
  await page.context().close();
});

test("a conversion appears as it happens, and is approved and reversed by keyboard alone", async () => {
  const { page, problems } = await open({ viewport: { width: 1280, height: 900 } });
  const conversionId = await clickAndConvert("LIVE-1");
  const row = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: String(conversionId) }) });
  await expect.poll(() => row.textContent()).toContain("pending");
  await page.getByRole("button", { name: `Approve conversion ${conversionId}` }).focus();
  await page.keyboard.press("Enter");
  await expect.poll(() => row.textContent()).toContain("approved");
  await expect.poll(() => page.getByRole("status").textContent()).toBe(`Conversion ${conversionId} is approved.`);
  const postbacks = page.getByRole("region", { name: "Postbacks" }).getByRole("row");
  await expect.poll(() => postbacks.filter({ hasText: String(conversionId) }).textContent()).toContain("answered 200");
  await page.getByRole("button", { name: `Reverse conversion ${conversionId}` }).focus();
  await page.keyboard.press("Space");
  await expect.poll(() => row.textContent()).toContain("reversed");
  expect(problems).toEqual([]);
  await page.context().close();
});

test("filters narrow the rows, also those that arrive later", async () => {
  const { page, problems } = await open({ viewport: { width: 1280, height: 900 } });
  await page.getByLabel("Click id, unique id or s1").fill("FIND-ME");
  const rows = page.getByRole("region", { name: "Conversions" }).getByRole("row");
  await expect.poll(() => page.getByText("None yet: click a tracking link, then convert").count()).toBe(1);
  await clickAndConvert("OTHER-1");
  await clickAndConvert("FIND-ME-1");
  await expect.poll(() => rows.count()).toBe(2);
  expect(await rows.last().textContent()).toContain("FIND-ME-1");
  await page.getByRole("button", { name: "Show all" }).click();
  await expect.poll(() => rows.count()).toBeGreaterThan(20);
  expect(problems).toEqual([]);
  await page.context().close();
});

test.each([390, 1280])("a fault of many kinds keeps its button within its card (%i pixels)", async (width) => {
  const { page, problems } = await open({ viewport: { width, height: 900 } });
  const kinds = [
    "latency",
    "rate_limit",
    "server_error",
    "restricted",
    "html",
    "cut_off",
    "reset_before",
    "reset_after",
  ];
  await fetch(`${sandbox.origin}/__sandbox/faults`, {
    method: "PUT",
    body: JSON.stringify([{ actions: ["record_conversion", "get_click", "get_conversions"], share: 0.4, kinds }]),
  });
  const card = page.getByRole("region", { name: "Faults" });
  const remove = card.getByRole("button", { name: /^Remove/ });
  await remove.waitFor();
  const [outer, inner] = [await card.boundingBox(), await remove.boundingBox()];
  if (outer === null || inner === null) throw new Error("the card is not to be seen");
  expect(inner.x).toBeGreaterThanOrEqual(outer.x);
  expect(inner.x + inner.width).toBeLessThanOrEqual(outer.x + outer.width);
  await remove.click();
  await expect.poll(() => card.getByRole("listitem").count()).toBe(0);
  expect(problems).toEqual([]);
  await page.context().close();
});

test("a fault is added and removed, and strikes in between", async () => {
  const { page, problems } = await open({ viewport: { width: 1280, height: 900 } });
  const faults = page.getByRole("region", { name: "Faults" });
  await faults.getByLabel("Action").selectOption({ label: "Get Tracking Domains" });
  await faults.getByLabel("Kind").selectOption({ label: "429, Retry-After" });
  await faults.getByLabel("Share, %").fill("100");
  await faults.getByRole("button", { name: "Add fault" }).click();
  await expect.poll(() => faults.getByRole("listitem").textContent()).toContain("Get Tracking Domains: 100 %");
  const api = `${sandbox.origin}/api/2/tracking_domains.json?api_key=sandbox-key`;
  expect((await fetch(api)).status).toBe(429);
  await faults.getByRole("button", { name: /^Remove/ }).click();
  await expect.poll(() => faults.getByRole("listitem").count()).toBe(0);
  expect((await fetch(api)).status).toBe(200);
  expect(problems).toEqual([]);
  await page.context().close();
});
