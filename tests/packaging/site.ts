/** Consumers' landing pages in Chromium: served from a folder with a policy, or by the consumer's own server. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";
import type { Browser, Page } from "playwright-core";
import { launch } from "../browser/chromium.ts";

const TYPES: Record<string, string> = {
  html: "text/html",
  js: "text/javascript",
  mjs: "text/javascript",
  wasm: "application/wasm",
};

/** A page's policy that allows WebAssembly, and one that does not. */
export const LOOSE = "script-src 'self' 'wasm-unsafe-eval'";
export const STRICT = "script-src 'self'";

const LINK = "https://track.yournetwork.com/?a=1&c=2";
/** The result of `shared/landing.js` with WebAssembly, and without. */
export const WITH_WASM = `wasm abc-1 accepted ${LINK} ${LINK} 0 orders`;
export const WITHOUT_WASM =
  /^js abc-1 accepted https:\/\/track.yournetwork.com\/\?a=1&c=2 wasm_unavailable: .*cake-edge\/page.* wasm_unavailable: /;

/** Serves a folder on a free port. */
export async function serveFolder(
  folder: string,
  policy?: string,
  more: Readonly<Record<string, string>> = {},
): Promise<{ origin: string; close(): void }> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://x").pathname));
    const file = path.endsWith("/") ? `${path}index.html` : path;
    try {
      const body = readFileSync(join(folder, file));
      const type = TYPES[file.split(".").at(-1) ?? ""] ?? "text/plain";
      const headers: Record<string, string> = { "content-type": type, ...more };
      if (policy !== undefined) headers["content-security-policy"] = policy;
      response.writeHead(200, headers).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

let browser: Promise<Browser> | undefined;

export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = undefined;
}

/** Opens a page with a click in its URL, answers the page's conversions, and calls `use`; `sent` has their bodies. */
export async function visit<T>(
  url: string,
  { hasWasm = true },
  use: (page: Page, sent: readonly string[]) => Promise<T>,
): Promise<T> {
  browser ??= launch();
  const context = await (await browser).newContext();
  const problems: string[] = [];
  const sent: string[] = [];
  try {
    if (!hasWasm) await context.addInitScript(() => Reflect.deleteProperty(globalThis, "WebAssembly"));
    // The forwarder is not under test here.
    await context.route("**/cake/conversions*", (route) => {
      sent.push(route.request().postData() ?? "");
      return route.fulfill({
        status: 202,
        contentType: "application/json",
        body: `{"id":"1","duplicate":false,"state":"pending"}`,
      });
    });
    const page = await context.newPage();
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    const address = new URL(url);
    address.searchParams.set("reqid", "abc-1");
    await page.goto(address.href);
    return await use(page, sent);
  } catch (error) {
    throw new Error(`${url}: ${problems.join("\n") || "no complaint"}`, { cause: error });
  } finally {
    await context.close();
  }
}

/** The result of `shared/landing.js` in the page, once the text differs from `before`. */
export async function landed(page: Page, before?: string): Promise<string> {
  const text = await page.waitForFunction(
    (before) => {
      const { landed } = document.documentElement.dataset;
      return landed === before ? undefined : landed;
    },
    before,
    { timeout: 30_000 },
  );
  return String(await text.jsonValue());
}

/** Opens a page and returns the result of `shared/landing.js` there. */
export function landOn(url: string, options: { hasWasm?: boolean } = {}): Promise<string> {
  return visit(url, options, (page) => landed(page));
}

/** Follows a starter's pages as a visitor: what they show, and the value of the cookie that the server has signed. */
export async function buy(landing: string): Promise<{ shown: string; state: string; cookie: string }> {
  browser ??= launch();
  const context = await (await browser).newContext({ extraHTTPHeaders: { "x-forwarded-proto": "http" } });
  const problems: string[] = [];
  try {
    const page = await context.newPage();
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    const textOf = async (selector: string) => (await page.locator(`${selector}:not(:empty)`).textContent()) ?? "";
    await page.goto(landing);
    const shown = await textOf("#click");
    const signed = (await context.cookies()).find(({ name, httpOnly }) => name === "cake_click_signed" && httpOnly);
    await page.getByText("Buy").click();
    return { shown, state: await textOf("#state"), cookie: signed?.value ?? "" };
  } catch (error) {
    throw new Error(`${landing}: ${problems.join("\n") || "no complaint"}`, { cause: error });
  } finally {
    await context.close();
  }
}
