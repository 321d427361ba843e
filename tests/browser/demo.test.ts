/** The demo in Chromium, walked as a person would: against `npm start`'s servers, and as a static build under a sub-path. */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { extname, join } from "node:path";
import type { Browser, FrameLocator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildStaticDemo, root } from "../../scripts/build.ts";
import { type Served, serve } from "../../scripts/serve.ts";
import { launch, openPage, SCREENSHOTS, violations } from "./chromium.ts";

const SIZES = [
  ["desktop", "light", 1280],
  ["desktop", "dark", 1280],
  ["phone", "light", 360],
  ["phone", "dark", 360],
] as const;

let served: Served;
let files: Server;
let browser: Browser;
let home: Record<"served" | "static", string>;

beforeAll(async () => {
  buildStaticDemo();
  served = await serve(0);
  const past = { method: "POST", body: JSON.stringify({ days: 30, clicks: 3_000 }) };
  await (await fetch(`${served.origin}/__sandbox/history`, past)).text();
  files = await serveFolder(join(root, "target/demo-static"), "/pages/of/somebody/");
  const address = files.address();
  const port = typeof address === "object" ? address?.port : 0;
  home = { served: `${served.origin}/`, static: `http://127.0.0.1:${port}/pages/of/somebody/` };
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await served?.stop();
  files?.close();
});

describe.each(["served", "static"] as const)("the demo, %s", (kind) => {
  test.each(SIZES)("a click turns into money before one's eyes: %s, %s", async (device, colorScheme, width) => {
    const { page, problems } = await openPage(browser, {
      colorScheme,
      viewport: { width, height: 900 },
      reducedMotion: "reduce",
    });
    const picture = (name: string) => `${SCREENSHOTS}/demo-${kind}-${device}-${colorScheme}-${name}.png`;
    await page.goto(home[kind]);
    await page.locator(".u-wrap").first().waitFor();
    expect(await violations(page)).toEqual([]);
    await page.screenshot({ path: picture("1") });

    const link = page.locator("#link");
    await page.getByLabel("Sub id s1").fill("käse & co");
    await expect.poll(() => link.textContent()).toMatch(/\/\?a=67890&c=12&s1=k%C3%A4se%20%26%20co$/);
    await page.getByLabel("Sub id s1").fill("spring_sale");

    const { shop, clickId } = await followLink(page);
    await expect.poll(() => page.locator("#keep dl").textContent()).toContain(clickId);
    await expect.poll(() => page.locator("#keep dl").textContent()).toContain("cookie and localStorage");
    await expect.poll(() => stations(page)).toContain("Kept, Shop: done, cookie, localStorage");

    if (kind === "served") {
      await shop.getByRole("button", { name: "Get my quote" }).click();
      const orders = page.getByRole("region", { name: "The latest orders" }).getByRole("row");
      await expect.poll(() => orders.nth(1).textContent()).toMatch(/^ORD-\d+delivered.*approved18\.00answered 200$/);
      await expect.poll(() => stations(page)).toContain("Paid, Affiliate: done, postback answered 200");
    }

    expect(await violations(page)).toEqual([]);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    await page.screenshot({ path: picture("2"), fullPage: true });
    expect(problems).toEqual([]);
    await page.context().close();
  });
});

/** Clicks the link of step 2 and waits for the shop in the visitor's browser. */
async function followLink(page: Page): Promise<{ shop: FrameLocator; clickId: string }> {
  await page.getByRole("link", { name: "Click the link" }).click();
  const shop = page.frameLocator("iframe[name=visitor]");
  await shop.getByRole("heading", { name: "Your car, insured by this evening" }).waitFor();
  const address = page.frame("visitor")?.url() ?? "";
  return { shop, clickId: new URL(address).searchParams.get("reqid") ?? "none" };
}

/** The journey as a screen reader has it. */
function stations(page: Page): Promise<string[]> {
  return page.locator(".journey ol li").allTextContents();
}

/** A static host that knows files and nothing else, below a folder. */
async function serveFolder(folder: string, base: string): Promise<Server> {
  const types: Record<string, string> = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".wasm": "application/wasm",
  };
  const server = createServer(({ url = "", method }, answer) => {
    const { pathname } = new URL(url, "http://static");
    const file = `${pathname.slice(base.length)}${pathname.endsWith("/") ? "index.html" : ""}`;
    try {
      if (method !== "GET" || !pathname.startsWith(base)) throw new Error("nothing here");
      const bytes = readFileSync(join(folder, file));
      answer.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" }).end(bytes);
    } catch {
      answer.writeHead(404).end("Not found");
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
