/**
 * Conversions from frames and workers without an origin: Shopify's pixels as example files, against a real forwarder.
 */
import { readFileSync } from "node:fs";
import { build } from "esbuild";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createConversionToken } from "../../dist/entry/edge.inline.js";
import { launch } from "./chromium.ts";
import { type PixelPage, pixelPage } from "./pixel-host.ts";
import { withFirefox } from "./settings.ts";
import { Shop, TOKEN_SECRET } from "./shop.ts";

declare const publish: (name: string, event: unknown) => void;
declare const collect: (customerPrivacy: unknown) => void;

/** Other browsers may be running at the same time. */
const poll = <T>(ask: () => T | Promise<T>) => expect.poll(ask, { timeout: 10_000 });

let browser: Browser;
let shop: Shop;
let clickId: string;
/** The app pixel, bundled as Shopify's CLI does. */
let appPixel: string;
beforeAll(async () => {
  browser = await launch();
  const { outputFiles } = await build({
    entryPoints: ["examples/shopify/app-pixel/src/index.ts"],
    bundle: true,
    write: false,
    format: "iife",
    minify: true,
    logLevel: "silent",
  });
  appPixel = outputFiles[0]?.text ?? "";
});
beforeEach(async () => {
  shop = await Shop.start();
  clickId = await shop.click();
  shop.addPage("/shop", 'tracker.attach({ to: "shopify" }); tracker.attach({ to: "frame", offerId: 12345 })');
});
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  await shop.stop();
});
afterAll(() => browser?.close());

/** The example file, with this test's shop in place of the example's. */
const customPixel = () =>
  readFileSync("examples/shopify/custom-pixel.js", "utf8")
    .replaceAll("https://shop.example/js/", `${shop.origin}/page/`)
    .replaceAll("https://shop.example", shop.origin);

function addPixel(path: string, more: Partial<PixelPage> = {}): void {
  const code = more.isApp ? appPixel : customPixel();
  shop.pages.set(path, pixelPage({ code, settings: { endpoint: `${shop.origin}/cake` }, ...more }));
}

/** An event as the platform publishes it: amounts as numbers and as text, in the shop's and the buyer's currency. */
const completed = (id: string | null, attributes: object[] = [], money: unknown = 18.5) => ({
  id: "event-1",
  name: "checkout_completed",
  type: "standard",
  data: {
    checkout: {
      order: { id },
      attributes,
      currencyCode: "EUR",
      totalPrice: { amount: money, currencyCode: "EUR" },
      subtotalPrice: { amount: "16.50", currencyCode: "USD" },
    },
  },
});

const sent = () => shop.asked("/cake/conversions").map(({ body }) => JSON.parse(body) as { conversion: object });

async function land(context: BrowserContext, query = `?reqid=${clickId}`): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${shop.origin}/shop${query}`);
  await page.waitForFunction(() => localStorage.getItem("cake_click_token"));
  return page;
}

async function checkout(page: Page, path = "/thanks"): Promise<void> {
  await page.goto(shop.origin + path);
  await page.waitForFunction(() => "isReady" in globalThis);
}

const publishTo = (page: Page, event: object) => page.evaluate((event) => publish("checkout_completed", event), event);
const stored = (page: Page) =>
  page.evaluate(() => [localStorage.getItem("cake_click_token"), localStorage.getItem("cake_click_frame")]);

test.each([
  ["a custom pixel, in a sandboxed frame", false],
  ["an app pixel, in a worker out of one", true],
])("%s, reports an order once, and its webhook adds the money", async (_, isApp) => {
  addPixel("/thanks", { isApp });
  const page = await land(await browser.newContext());
  await checkout(page);
  await publishTo(page, completed("gid://shopify/Order/5001", [{ key: "reqid", value: clickId }]));
  await poll(async () => (await shop.events()).map(({ conversion }) => conversion)).toEqual([
    { clickId, offerId: 12_345, uniqueId: "5001" },
  ]);
  expect(shop.asked("/cake/conversions").map(({ method, origin }) => [method, origin])).toEqual([["POST", "null"]]);
  // No amount of any currency leaves the frame.
  expect(sent().map(({ conversion }) => Object.keys(conversion).sort())).toEqual([["clickId", "offerId", "uniqueId"]]);
  // The token is used up, and no conversion waits.
  await poll(() => stored(page)).toEqual([null, null]);
  // The same event, with the id in another form, causes no second request.
  for (const id of ["5001", "gid://shopify/Order/5001?key=6f1c0a9be04d77", "gid://shopify/Order/5001?key=a/7"]) {
    await publishTo(page, completed(id, [], "18.50"));
  }
  expect(await shop.sendOrder("5001", { reqid: clickId })).toMatchObject({ outcome: "duplicate" });
  await page.waitForTimeout(100);
  expect(sent().length).toBe(1);
  await poll(async () => (await shop.recorded()).length).toBe(1);
  // The next page of the shop gets another token.
  await page.goto(`${shop.origin}/shop`);
  await poll(async () => (await stored(page))[0]).toMatch(/^12345!/);
});

test("the webhook that comes first is the sale, and the pixel's event a repetition", async () => {
  addPixel("/thanks");
  const page = await land(await browser.newContext());
  expect(await shop.sendOrder("5001", { reqid: clickId })).toMatchObject({ outcome: "accepted" });
  await checkout(page);
  await publishTo(page, completed("5001"));
  await poll(() => stored(page)).toEqual([null, null]);
  expect((await shop.events()).map(({ conversion }) => conversion)).toEqual([
    { clickId, offerId: 12_345, revenue: "18.00", uniqueId: "5001" },
  ]);
});

test("two orders at once have one token: the second waits, and the next frame sends it", async () => {
  addPixel("/thanks");
  const page = await land(await browser.newContext());
  const other = await shop.click();
  await checkout(page);
  await page.evaluate(
    ([first, second]) => {
      publish("checkout_completed", first);
      publish("checkout_completed", second);
    },
    [completed("5001"), completed("5002", [{ key: "Reqid", value: other }])] as const,
  );
  await poll(async () => (await stored(page))[1]).toContain("5002");
  await poll(async () => (await shop.events()).length).toBe(1);
  expect(sent().length).toBe(1);
  // The token of the other click comes with its landing.
  await page.goto(`${shop.origin}/shop?reqid=${other}`);
  await poll(async () => (await stored(page))[0]).toContain(other);
  await checkout(page);
  await poll(async () => (await shop.events()).map(({ conversion }) => conversion)).toEqual([
    { clickId: other, offerId: 12_345, uniqueId: "5002" },
    { clickId, offerId: 12_345, uniqueId: "5001" },
  ]);
  await poll(() => stored(page)).toEqual([null, null]);
});

test("an order of no click sends nothing and keeps nothing, and so does one without an id", async () => {
  addPixel("/thanks");
  shop.pages.set("/empty", "<!doctype html><title>empty</title>");
  const page = await (await browser.newContext()).newPage();
  await checkout(page);
  for (const event of [
    completed("5001"),
    completed("5002", [{ key: "reqid", value: "undefined" }]),
    completed("5003", [{ key: "note", value: "gift" }]),
    completed(null, [{ key: "reqid", value: clickId }]),
    completed("", [{ key: "reqid", value: clickId }]),
  ]) {
    await publishTo(page, event);
  }
  await page.waitForTimeout(200);
  expect([sent(), await stored(page)]).toEqual([[], [null, null]]);
});

test("what a network failure has left is sent by the next frame, by another token", async () => {
  addPixel("/thanks");
  const context = await browser.newContext();
  const page = await land(context);
  await checkout(page);
  shop.forwarderStatus = 503;
  await publishTo(page, completed("5001"));
  await poll(async () => (await stored(page))[1]).toContain("5001");
  await poll(() => sent().length).toBe(1);
  shop.forwarderStatus = 200;
  // As if the token had expired by then: the page's own tracker gets another one.
  await page.evaluate(() => localStorage.removeItem("cake_click_token"));
  await page.goto(`${shop.origin}/shop`);
  await page.waitForFunction(() => localStorage.getItem("cake_click_token"));
  await checkout(page);
  await poll(async () => (await shop.events()).map(({ conversion }) => conversion["uniqueId"])).toEqual(["5001"]);
  await poll(() => stored(page)).toEqual([null, null]);
});

test("a network failure is tried again while the frame lives", async () => {
  addPixel("/thanks");
  const page = await land(await browser.newContext());
  await page.clock.install();
  await checkout(page);
  shop.forwarderStatus = 503;
  await publishTo(page, completed("5001"));
  await poll(() => sent().length).toBe(1);
  shop.forwarderStatus = 200;
  await poll(async () => {
    await page.clock.runFor(2_000);
    return (await shop.events()).length;
  }).toBe(1);
});

test.each(["rejects", "hangs"] as const)("a storage whose bridge %s keeps nothing from being told", async (storage) => {
  // The page that creates the frame passes the token in.
  const page = await land(await browser.newContext());
  const [token] = await stored(page);
  const code = `${readFileSync("dist/page/cake-edge-frame.js", "utf8")};
    const tracker = cakeEdgeFrame.createFrameTracker({
      endpoint: "${shop.origin}/cake", storage: browser.localStorage, token: () => Promise.resolve(${JSON.stringify(token)}),
    });
    analytics.subscribe("checkout_completed", async ({ data }) => {
      parent.postMessage({ result: await tracker.convert({ uniqueId: data.checkout.order.id }) }, "*");
    });`;
  addPixel("/thanks", { storage, code });
  await checkout(page);
  await publishTo(page, completed("5001"));
  await poll(() => page.evaluate(() => (globalThis as unknown as { results: object[] }).results)).toMatchObject([
    { state: "accepted" },
  ]);
  // Where such a store holds the token itself, the order waits.
  addPixel("/worked", { storage });
  await checkout(page, "/worked");
  await publishTo(page, completed("5002", [{ key: "reqid", value: clickId }]));
  await page.waitForTimeout(100);
  expect(sent().length).toBe(1);
});

test("nothing is sent or kept before consent, and after a no all is deleted", async () => {
  addPixel("/thanks", { isMarketingAllowed: false });
  const page = await land(await browser.newContext());
  await checkout(page);
  const privacy = (marketingAllowed: boolean) =>
    page.evaluate((marketingAllowed) => collect({ marketingAllowed }), marketingAllowed);
  await publishTo(page, completed("5001"));
  await page.waitForTimeout(150);
  expect([sent(), (await stored(page))[1]]).toEqual([[], null]);
  await privacy(true);
  await poll(async () => (await shop.events()).length).toBe(1);
  await land(page.context());
  await privacy(false);
  await poll(() => stored(page)).toEqual([null, null]);
  await publishTo(page, completed("5002", [{ key: "reqid", value: clickId }]));
  await page.waitForTimeout(100);
  expect(sent().length).toBe(1);
});

test("a forged token tells nothing, and one that is over is given up for another", async () => {
  addPixel("/thanks");
  const page = await land(await browser.newContext());
  const put = (text: string) => page.evaluate((text) => localStorage.setItem("cake_click_token", text), text);
  const [token = ""] = await stored(page);
  await put(`${token?.slice(0, -2)}xx`);
  await checkout(page);
  await publishTo(page, completed("5001"));
  await poll(() => sent().length).toBe(1);
  await poll(async () => (await stored(page))[1]).toContain("5001");
  // Sixteen minutes ago.
  const now = Date.now;
  Date.now = () => now() - 960_000;
  const secrets = [TOKEN_SECRET];
  const old = createConversionToken({ offerId: 12_345, clickId, origin: shop.origin, secrets });
  Date.now = now;
  await put(old);
  await checkout(page);
  // The frame may read this answer: it removes the token and keeps the order.
  await poll(async () => (await stored(page))[0]).toBe(null);
  expect([(await stored(page))[1], await shop.events()]).toEqual([expect.stringContaining("5001"), []]);
  await put(createConversionToken({ offerId: 12_345, clickId, origin: shop.origin, secrets }));
  await checkout(page);
  await poll(async () => (await shop.events()).length).toBe(1);
  await poll(() => stored(page)).toEqual([null, null]);
});

test("the worked files of a shop: snippet, cart, consent, pixel and webhook are one conversion", async () => {
  const snippet = readFileSync("examples/shopify/cake-edge.liquid", "utf8")
    .replace(/\{%[\s\S]*?endcomment %\}/, "")
    .replaceAll("https://shop.example/js/", `${shop.origin}/page/`)
    .replaceAll("https://shop.example", shop.origin);
  expect(snippet).not.toContain("{%");
  // The platform's own global, and its event for the visitor's consent.
  const platform = `<script>
    let said = false;
    window.Shopify = {
      routes: { root: "/" },
      customerPrivacy: { marketingAllowed: () => said },
      loadFeatures: (features, done) => setTimeout(done),
    };
    window.say = (marketingAllowed) => {
      said = marketingAllowed;
      document.dispatchEvent(new CustomEvent("visitorConsentCollected", { detail: { marketingAllowed } }));
    };
  </script>`;
  shop.pages.set(
    "/theme",
    `<!doctype html><html><head><title>theme</title>${platform}${snippet}</head><body></body></html>`,
  );
  addPixel("/thanks");
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${shop.origin}/theme?reqid=${clickId}`);
  await page.waitForTimeout(200);
  expect(shop.requests).toEqual([]);
  await page.evaluate(() => (globalThis as unknown as { say(allowed: boolean): void }).say(true));
  await poll(async () => (await stored(page))[0]).toContain(clickId);
  await poll(() => [...shop.carts.values()]).toEqual([{ reqid: clickId }]);
  await checkout(page);
  await publishTo(page, completed("5001", [{ key: "reqid", value: clickId }]));
  await poll(() => stored(page)).toEqual([null, null]);
  expect(await shop.sendOrder("5001", [...shop.carts.values()][0] ?? {})).toMatchObject({ outcome: "duplicate" });
  await poll(async () => (await shop.recorded()).length).toBe(1);
});

test("the classic script has no import and no eval, and runs under a policy that refuses both", async () => {
  const code = readFileSync("dist/page/cake-edge-frame.js", "utf8");
  expect(code).not.toMatch(/\bimport\b|\beval\(|new Function|WebAssembly|navigator\.locks/);
  shop.addPage("/plain", "");
  const page = await land(await browser.newContext());
  const result = await page.evaluate(
    async ({ code, endpoint }) => {
      const token = localStorage.getItem("cake_click_token");
      const policy = `<meta http-equiv="content-security-policy" content="default-src 'none'; script-src 'unsafe-inline'; connect-src *">`;
      const frame = document.createElement("iframe");
      frame.setAttribute("sandbox", "allow-scripts");
      frame.srcdoc =
        `<!doctype html>${policy}<script>${code}</` +
        `script><script>
        onmessage = async ({ data }) => {
          const tracker = cakeEdgeFrame.createFrameTracker(data);
          const results = [];
          for (const sale of [{ uniqueId: 5001 }, { uniqueId: "5001" }, {}, { uniqueID: "x" }]) results.push(await tracker.convert(sale));
          parent.postMessage(results, "*");
        };</` +
        "script>";
      document.body.append(frame);
      await new Promise((resolve) => frame.addEventListener("load", resolve));
      frame.contentWindow?.postMessage({ endpoint, token }, "*");
      return new Promise((resolve) => addEventListener("message", ({ data }) => resolve(data)));
    },
    { code, endpoint: `${shop.origin}/cake/` },
  );
  expect(result).toMatchObject([
    { state: "accepted" },
    { state: "duplicate" },
    { state: "refused", code: "invalid_unique_id" },
    { state: "refused", code: "invalid_field" },
  ]);
});

test("Firefox's sandboxed frame reports an order as well", async () => {
  addPixel("/thanks");
  await withFirefox({}, async (firefox) => {
    const page = await firefox.newPage();
    await page.goto(`${shop.origin}/shop?reqid=${clickId}`);
    await page.waitForFunction(() => localStorage.getItem("cake_click_token"));
    await page.goto(`${shop.origin}/thanks`);
    await page.waitForFunction(() => "isReady" in globalThis);
    await page.evaluate((event) => publish("checkout_completed", event), completed("5001"));
    await poll(async () => (await shop.events()).map(({ conversion }) => conversion["uniqueId"])).toEqual(["5001"]);
  });
});
