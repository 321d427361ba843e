/** The operator's page in Chromium: signing in, the numbers, a replay. */
import { randomUUID } from "node:crypto";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Served, serve } from "../../scripts/serve.ts";
import { launch, openPage, SCREENSHOTS, violations } from "./chromium.ts";

let served: Served;
let browser: Browser;

beforeAll(async () => {
  served = await serve(0);
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await served?.stop();
});

async function convert(clickId: string): Promise<string> {
  const uniqueId = `ORD-${randomUUID()}`;
  const { origin } = served;
  const response = await fetch(`${origin}/cake/conversions?wait=1`, {
    method: "POST",
    headers: { origin, "content-type": "text/plain" },
    body: JSON.stringify({ clickId, offerId: 12_345, uniqueId }),
  });
  expect(response.status).toBe(202);
  return uniqueId;
}

test.each(["light", "dark"] as const)(
  "an operator signs in, sees what was refused and replays it (%s)",
  async (colorScheme) => {
    const clicked = await fetch(`${served.origin}/?a=67890&c=12`, { redirect: "manual" });
    const clickId = new URL(clicked.headers.get("location") ?? "").searchParams.get("reqid") ?? "";
    await convert(clickId);
    const refused = await convert(`nobody-${randomUUID()}`);
    // The page's policy forbids all scripts, and axe is a script.
    const { page, problems } = await openPage(browser, {
      colorScheme,
      bypassCSP: true,
      viewport: { width: 1000, height: 900 },
    });
    await page.goto(`${served.origin}/cake/operator`);
    expect(await violations(page)).toEqual([]);
    await page.getByLabel("Operator's secret").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect.poll(() => page.getByRole("alert").textContent()).toContain("not the operator's secret");
    await page.getByLabel("Operator's secret").fill(served.operatorSecret);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("oldest waiting").waitFor();
    expect(page.url()).toBe(`${served.origin}/cake/operator`);
    const cookies = await page.context().cookies();
    expect(cookies.map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite }))).toEqual([
      { name: "cake_operator", httpOnly: true, sameSite: "Strict" },
    ]);
    expect(await page.locator("tbody tr", { hasText: refused }).textContent()).toContain("refused");
    expect(await page.locator(".tile.delivered").textContent()).toMatch(/[1-9]\d* delivered/);
    expect(await page.locator(".plot .bar i").count()).toBeGreaterThan(0);
    await page.screenshot({ path: `${SCREENSHOTS}/operator-${colorScheme}.png`, fullPage: true });
    expect(await violations(page)).toEqual([]);
    await page.locator("tbody tr", { hasText: refused }).getByRole("button", { name: "Replay" }).click();
    await page.getByText("oldest waiting").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Operator's secret").waitFor();
    expect(await page.context().cookies()).toEqual([]);
    // The browser reports the 401 of the wrong secret.
    expect(problems.filter((problem) => !problem.includes("401"))).toEqual([]);
    await page.context().close();
  },
);

/** A page's tags in the order of the source. */
function tagsOf(html: string): string[] {
  const markup = html.replace(/<style>.*?<\/style>/s, "").replace(/<!doctype html>/i, "");
  return [...markup.matchAll(/<(\/?[a-z][a-z0-9]*)/g)].map(([, tag = ""]) => tag);
}

test.each([320, 360, 768, 1280])("the pages are valid HTML and fit %i px", async (width) => {
  const refused = await convert(`nobody-${randomUUID()}-${"0123456789".repeat(8)}`);
  const { page } = await openPage(browser, { bypassCSP: true, viewport: { width, height: 700 } });
  const looked = async (path: string) => {
    const answer = await page.goto(`${served.origin}/cake/operator${path}`);
    const source = (await answer?.text()) ?? "";
    // A parser that must correct the source moves, adds or drops a tag.
    expect(tagsOf(await page.content())).toEqual(tagsOf(source));
    const wide = await page.evaluate(() => ({
      page: document.documentElement.scrollWidth,
      elements: [...document.querySelectorAll("body *")]
        .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
        .map((element) => element.outerHTML.slice(0, 80)),
    }));
    expect(wide).toEqual({ page: width, elements: [] });
    const nested = "form form, p form, p div, p table, a a, button button, label label";
    expect(await page.locator(nested).count()).toBe(0);
    expect(await violations(page)).toEqual([]);
  };
  await looked("");
  await page.getByLabel("Operator's secret").fill(served.operatorSecret);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("oldest waiting").waitFor();
  for (const query of [
    "",
    "?state=refused",
    "?state=delivered",
    "?state=pending&offerId=777",
    "?since=2020-01-01&code=refused",
  ]) {
    await looked(query);
  }
  // Filtered, cancelled with a reason, and listed as cancelled.
  await page.goto(`${served.origin}/cake/operator`);
  const row = page.locator(".events tbody tr", { hasText: refused });
  await row.getByText("Cancel", { exact: true }).click();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  await row.getByLabel("Reason").fill("not <b>ours</b>");
  await row.getByRole("button", { name: "Cancel it" }).click();
  await page.getByText("oldest waiting").waitFor();
  await page.getByLabel("State").selectOption("cancelled");
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByText("not <b>ours</b>").first().waitFor();
  await looked("?state=cancelled");
  await page.screenshot({ path: `${SCREENSHOTS}/operator-${width}.png`, fullPage: true });
  await page.context().close();
});
