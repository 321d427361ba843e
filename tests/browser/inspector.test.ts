/** The inspector in Chromium: its reading of each kind of text, and that none of the text leaves the page. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildStaticDemo, root } from "../../scripts/build.ts";
import { type Served, serve } from "../../scripts/serve.ts";
import { launch, openPage, SCREENSHOTS, violations } from "./chromium.ts";
import { serveFolder } from "./folder.ts";

let served: Served;
let files: Awaited<ReturnType<typeof serveFolder>>;
let browser: Browser;

beforeAll(async () => {
  await buildStaticDemo();
  served = await serve(0);
  files = await serveFolder(`${root}/target/demo-static`, "/pages/of/somebody/");
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await served?.stop();
  files?.close();
});

const said = (page: Page) => page.getByRole("region", { name: "What it says" });

async function paste(page: Page, text: string, verdict: RegExp): Promise<string> {
  await page.getByLabel("The text").fill(text);
  await expect.poll(() => said(page).getByRole("heading", { level: 2 }).textContent()).toMatch(verdict);
  return said(page).innerText();
}

test.each([
  ["desktop", "light", 1280],
  ["phone", "dark", 360],
] as const)("each kind of text is read, on %s, %s", async (device, colorScheme, width) => {
  const { page, problems } = await openPage(browser, {
    colorScheme,
    viewport: { width, height: 900 },
    reducedMotion: "reduce",
  });
  await page.goto(`${served.origin}/inspector/`);
  expect(await violations(page)).toEqual([]);

  for (const example of ["Tracking link", "Landing page's URL", "Postback URL", "CAKE's answer", "Set-Cookie"]) {
    await page.getByRole("button", { name: example, exact: true }).click();
    await expect.poll(() => said(page).locator(".kind").textContent()).toBe(example);
    expect(await violations(page)).toEqual([]);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow, example).toBeLessThanOrEqual(0);
    const name = example.toLowerCase().replace(/[^a-z]+/g, "-");
    await page.screenshot({ path: `${SCREENSHOTS}/inspector-${device}-${colorScheme}-${name}.png`, fullPage: true });
  }
  expect(problems).toEqual([]);
  await page.context().close();
});

test("what it says is what the package says", async () => {
  const { page } = await openPage(browser, { viewport: { width: 1280, height: 900 } });
  await page.goto(`${served.origin}/inspector/`);
  await said(page).waitFor();
  const link = "https://track.yournetwork.com/?a=67890&c=12&s1=spring";
  expect(await paste(page, link, /as it was meant/)).toContain("67890");
  expect(await paste(page, link.replace("&c", "&amp;c"), /with a doubt/)).toContain("html_entity");
  expect(await paste(page, "https://shop.example/?reqid=a1b2c3", /would be kept/)).toMatch(/Safari\s+7 days/);
  expect(await paste(page, "https://shop.example/?reqid=%23reqid%23", /No click id/)).toContain("unexpanded_macro");
  expect(await paste(page, "https://p.example/postback?id={clickid}", /would not say all/)).toContain("#s2#");
  expect(await paste(page, "https://p.example/pb?id=#reqsessid#", /fills in whole/)).toContain("a1b2c3d4");
  const click = { click_id: "a1", click_date: "2026-01-15 09:42:11", offer_id: 1, affiliate_id: 2, converted: false };
  const clicks = { request_status: "Success", response: { clicks: [click], total_rows: 1 } };
  expect(await paste(page, JSON.stringify(clicks), /success of Get Click/)).toContain("1 of 1");
  expect(await said(page).innerText()).not.toContain("undefined");
  const odd = {
    request_status: "Success",
    response: { clicks: [{ ...click, offer_id: { a: 1, b: 2 } }], total_rows: 1 },
  };
  expect(await paste(page, JSON.stringify(odd), /not read in full/)).toMatch(/unreadable_field\s+offerId/);
  const failure = { success: false, message: "Conversion Not Found" };
  expect(await paste(page, JSON.stringify(failure), /failure/)).toContain("Conversion Not Found");
  const cookie = "Set-Cookie: a=b; SameSite=None; Max-Age=99999999";
  expect(await paste(page, cookie, /some browser drops/)).toMatch(/400 days/);
  await page.getByLabel("Read it as").selectOption({ label: "Landing page's URL" });
  await expect.poll(() => said(page).locator(".kind").textContent()).toBe("Landing page's URL");
  await page.context().close();
});

test("nothing that is pasted leaves the page, in the static build either", async () => {
  for (const home of [served.origin, files.home.replace(/\/$/, "")]) {
    const { page } = await openPage(browser);
    const requests: string[] = [];
    page.on("request", (request) => requests.push(`${request.url()} ${request.postData() ?? ""}`));
    await page.goto(`${home}/inspector/`);
    const secret = "canary8472";
    await paste(page, `https://track.yournetwork.com/?a=1&c=2&s1=${secret}`, /as it was meant/);
    await paste(page, `https://shop.example/?reqid=${secret}`, /would be kept/);
    await paste(page, `https://p.example/pb?id=#reqsessid#&x=${secret}`, /fills in whole/);
    await paste(page, `{"success":false,"message":"${secret}"}`, /failure/);
    await paste(page, `a=${secret}; Path=/`, /every browser takes/);
    expect(requests.filter((request) => request.includes(secret))).toEqual([]);
    expect(
      requests.filter((request) => !request.startsWith(new URL(home).origin) && !/^(data|blob):/.test(request)),
    ).toEqual([]);
    // The page's own policy also forbids every other host.
    const went = await page.evaluate(() =>
      fetch("https://elsewhere.example/").then(
        () => "went",
        () => "held",
      ),
    );
    expect(went).toBe("held");
    expect(page.url()).not.toContain(secret);
    await page.context().close();
  }
});
