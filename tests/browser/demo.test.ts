/**
 * The demo in Chromium, used as a person would: on the servers of `npm start`, and as a static build under a sub-path.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser, FrameLocator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildStaticDemo, root } from "../../scripts/build.ts";
import { type Served, serve } from "../../scripts/serve.ts";
import { launch, openPage, SCREENSHOTS, violations } from "./chromium.ts";
import { serveFolder } from "./folder.ts";

const WALKS = [
  ["served", "desktop", "light", 1280],
  ["served", "desktop", "dark", 1280],
  ["served", "phone", "light", 360],
  ["served", "phone", "dark", 360],
  ["static", "desktop", "light", 1280],
  ["static", "phone", "dark", 360],
] as const;

/** Retries take time, even at ten times the real speed. */
const SLOWLY = { timeout: 45_000 };

let served: Served;
let files: Awaited<ReturnType<typeof serveFolder>>;
let browser: Browser;
let home: Record<"served" | "static", string>;

beforeAll(async () => {
  await buildStaticDemo();
  served = await serve(0);
  const past = { method: "POST", body: JSON.stringify({ days: 30, clicks: 3_000 }) };
  await (await fetch(`${served.origin}/__sandbox/history`, past)).text();
  files = await serveFolder(join(root, "target/demo-static"), "/pages/of/somebody/");
  home = { served: `${served.origin}/`, static: files.home };
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await served?.stop();
  files?.close();
});

test.each(WALKS)("a click turns into money before one's eyes: %s, %s, %s", async (kind, device, colorScheme, width) => {
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

  await shop.getByRole("button", { name: "Get my quote" }).click();
  const orders = page.getByRole("region", { name: "The latest orders" }).getByRole("row");
  await expect
    .poll(() => orders.nth(1).textContent(), SLOWLY)
    .toMatch(/^ORD-\d+delivered 1 attempt\d+ approved18\.00answered 200$/);
  await expect.poll(() => stations(page)).toContain("Paid, Affiliate: done, postback answered 200");

  const broken = page.getByRole("switch", { name: "40 % of CAKE's answers fail" });
  await broken.click();
  await expect.poll(() => broken.getAttribute("aria-checked")).toBe("true");
  await page.getByRole("button", { name: "Or let 25 visitors buy at once" }).click();
  const machine = page.getByRole("img", { name: /^The forwarder:/ });
  await expect.poll(() => machine.getAttribute("aria-label"), SLOWLY).toMatch(/retrying [1-9]/);
  await page.screenshot({ path: picture("2"), fullPage: true });
  await broken.click();
  await expect.poll(() => machine.getAttribute("aria-label"), SLOWLY).toContain("delivered 26,");
  await expect
    .poll(() => page.locator(".figures").textContent())
    .toBe("handed over26recorded at CAKE26still in hand0counted twice0lost0");

  expect(await violations(page)).toEqual([]);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
  await page.screenshot({ path: picture("3"), fullPage: true });
  expect(problems).toEqual([]);
  await page.context().close();
});

test("the page is interactive before the lint and the plots have come", async () => {
  const { page } = await openPage(browser, { viewport: { width: 1280, height: 900 } });
  await page.route(LATER, (route) => route.abort());
  await page.goto(home.served);
  await page.locator("#link b").first().waitFor();
  await page.getByLabel("Sub id s1").fill("typed");
  await expect.poll(() => page.locator("#link").textContent()).toContain("s1=typed");
  await page.context().close();
});

test("the page is as heavy as docs/demo.md says", async () => {
  const { first, all } = await load();
  expect(first).toBeLessThan(45);
  expect(all).toBeLessThan(140);
});

/** Files that load after the page is shown: the lint and the plots. */
const LATER = /\/assets\/(edge|plot)/;

/** A first visit: gzip kB until a link appears below the form, and in total. */
async function load(): Promise<{ first: number; all: number }> {
  const { page } = await openPage(browser, { viewport: { width: 1280, height: 900 } });
  const loaded = new Map<string, Promise<number>>();
  page.on("response", (answer) => {
    const { pathname } = new URL(answer.url());
    if (pathname.startsWith("/assets/") || pathname === "/") {
      loaded.set(
        pathname,
        answer.body().then((body) => gzipSync(body).length / 1_000),
      );
    }
  });
  await page.goto(home.served);
  await page.locator(".u-wrap").first().waitFor();
  await page.getByText("Nothing looks wrong in it.").waitFor();
  let [first, all] = [0, 0];
  for (const [path, size] of loaded) {
    all += await size;
    if (!LATER.test(path)) first += await size;
  }
  await page.context().close();
  return { first, all };
}

test("the lint speaks while one types, and what cannot be is refused in words", async () => {
  const { page, problems } = await openPage(browser, { viewport: { width: 1280, height: 900 } });
  await page.goto(home.served);
  const step = page.getByRole("region", { name: "Build a tracking link" });
  await step.getByText("Nothing looks wrong in it.").waitFor();
  await step.getByLabel("Sub id s1").fill("jane@example.com");
  await step.getByText(/e-mail address/).waitFor();
  await step.getByLabel("Affiliate id").fill("0");
  await expect.poll(() => step.getByRole("alert").textContent()).toContain("affiliateId must be a whole number");
  await expect.poll(() => page.getByRole("link", { name: "Click the link" }).count()).toBe(0);
  await step.getByLabel("Affiliate id").fill("67890");
  await step.getByRole("button", { name: "s2 to s5, deep link" }).click();
  await step.getByLabel(/Deep link/).fill("https://elsewhere.example/");
  await step
    .getByRole("alert")
    .getByText(/deepLink/)
    .waitFor();
  await step.getByLabel(/Deep link/).fill("https://shop.example.com/offers?x=1&y=2");
  await expect
    .poll(() => page.locator("#link").textContent())
    .toContain("ckmrdr=https%3A%2F%2Fshop.example.com%2Foffers%3Fx%3D1%26y%3D2");
  expect(problems).toEqual([]);
  await page.context().close();
});

test("on a phone the links at the top are one line", async () => {
  const { page } = await openPage(browser, { viewport: { width: 360, height: 780 } });
  await page.goto(home.served);
  const tops = await page
    .locator(".top nav a")
    .evaluateAll((links) => links.map((link) => link.getClientRects().length));
  expect(tops.length).toBeGreaterThan(1);
  expect(new Set(tops)).toEqual(new Set([1]));
  const boxes = await page
    .locator(".top nav a")
    .evaluateAll((links) => links.map((link) => link.getBoundingClientRect().top));
  expect(new Set(boxes).size).toBe(1);
  await page.screenshot({ path: `${SCREENSHOTS}/demo-top-phone.png` });
  await page.context().close();
});

test("the code of a step is changed by the arrow keys, and copied", async () => {
  const { page, problems } = await openPage(browser, {
    viewport: { width: 1280, height: 900 },
    permissions: ["clipboard-read", "clipboard-write"],
  });
  await page.goto(home.served);
  const step = page.getByRole("region", { name: "Build a tracking link" });
  await step.getByRole("tab", { name: /Page/ }).focus();
  await page.keyboard.press("ArrowRight");
  expect(await step.getByRole("tab", { name: "Worker" }).getAttribute("aria-selected")).toBe("true");
  await step.getByRole("button", { name: "Copy the code for Worker" }).click();
  await step.getByText("Copied").waitFor();
  const sample = readFileSync("www/samples/build.worker.ts", "utf8");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(sample).toContain(copied);
  expect(copied).toContain("HTMLRewriter");
  await step.getByRole("button", { name: "Copy the link" }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/\?a=67890&c=12&s1=spring_sale$/);
  expect(problems).toEqual([]);
  await page.context().close();
});

test("the past is filtered by affiliate, sub id and days", async () => {
  const { page, problems } = await openPage(browser, { viewport: { width: 1280, height: 900 } });
  await page.goto(home.served);
  const past = page.getByRole("region", { name: "Which places earn money?" });
  await past.locator(".u-wrap").first().waitFor();
  const clicks = async () => Number((await past.locator("figcaption b").first().textContent())?.replaceAll(",", ""));
  const all = await clicks();
  await past.getByLabel("Affiliate").selectOption({ label: "Newsletter affiliate" });
  const affiliates = await clicks();
  await past.getByRole("button", { name: "newsletter", exact: true }).click();
  const places = await clicks();
  await past.getByLabel("Days").selectOption({ label: "the last 7" });
  const days = await clicks();
  expect([all > affiliates, affiliates > places, places > days, days > 0]).toEqual([true, true, true, true]);
  // Hovering shows the day.
  await past.locator(".u-over").first().hover();
  await expect.poll(() => past.locator(".day").textContent()).toMatch(/^\d{4}-\d\d-\d\d/);
  await page.mouse.move(0, 0);
  await past.getByRole("button", { name: "Show all", exact: true }).click();
  await expect.poll(clicks).toBe(all);
  // Dragging selects days.
  const box = await past.locator(".u-over").first().boundingBox();
  if (box === null) throw new Error("the plot is not to be seen");
  await page.mouse.move(box.x + box.width * 0.2, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 20, { steps: 4 });
  await page.mouse.up();
  await page.mouse.move(0, 0);
  await past.getByRole("button", { name: /to .* show all days/ }).waitFor();
  await expect.poll(clicks).toBeLessThan(all);
  await past.getByText("The same as a table").click();
  expect(await past.getByRole("region", { name: "Figures by day" }).getByRole("row").count()).toBe(31);
  expect(await violations(page)).toEqual([]);
  expect(problems).toEqual([]);
  await page.context().close();
});

test.each(["served", "static"] as const)("planted errors are found, and mended by typing (%s)", async (kind) => {
  const { page, problems } = await openPage(browser, { viewport: { width: 1280, height: 900 } });
  await page.goto(home[kind]);
  const week = page.getByRole("region", { name: "Do both sides agree?" });
  const differs = week.getByRole("listitem");
  const orders = week.getByRole("textbox");
  await differs.first().waitFor(SLOWLY);
  const found = (text: string) => differs.filter({ hasText: text }).count();
  const planted = [
    "but for case it is ORD-H",
    "twice in the file",
    "shop 12.00, CAKE ",
    "status differs",
    "unreadable",
    "ORD-W1 missing at CAKE",
    "no order id",
    "unknown to the shop",
  ];
  for (const text of planted) expect([text, await found(text)]).not.toEqual([text, 0]);
  await week.screenshot({ path: `${SCREENSHOTS}/demo-${kind}-reconcile.png` });

  const text = await orders.inputValue();
  await orders.fill(text.replace(/\nORD-W1.*/, ""));
  await expect.poll(() => found("ORD-W1"), SLOWLY).toBe(0);
  await orders.fill(text.replace("order_id,date", "number,date"));
  await expect.poll(() => week.getByRole("alert").textContent(), SLOWLY).toMatch(/is not in its header: number, date/);
  await week.getByRole("button", { name: "Without planted errors" }).click();
  await week.getByRole("row", { name: /^agree/ }).waitFor(SLOWLY);
  await expect.poll(() => found("shop 12.00"), SLOWLY).toBe(0);
  expect(await violations(page)).toEqual([]);
  expect(problems).toEqual([]);
  await page.context().close();
});

test.each(["served", "static"] as const)("consent withdrawn deletes, consent given stores (%s)", async (kind) => {
  const { page, problems } = await openPage(browser, { viewport: { width: 1280, height: 900 } });
  await page.goto(home[kind]);
  const { shop, clickId } = await followLink(page);
  const keep = page.locator("#keep");
  const stored = () => page.evaluate(() => [document.cookie, localStorage.getItem("cake_click")].join(" "));
  await expect.poll(() => keep.locator("dl").textContent()).toContain(clickId);
  expect(await stored()).toContain(clickId);
  await keep.getByLabel("refused").check();
  await expect.poll(() => keep.locator("dl").textContent()).toContain("Stored innothing");
  expect(await stored()).not.toContain(clickId);
  await expect.poll(() => stations(page)).toContain("Kept, Shop: trouble, refused: all deleted");
  // The switch on the shop's own page.
  await shop.getByLabel("not asked yet").check();
  await expect.poll(() => keep.locator("dl").textContent()).toContain("this page's memory alone");
  expect(await stored()).not.toContain(clickId);
  await shop.getByLabel("allowed").check();
  await expect.poll(() => keep.locator("dl").textContent()).toContain("cookie and localStorage");
  expect(await stored()).toContain(clickId);
  expect(await violations(page)).toEqual([]);
  expect(problems).toEqual([]);
  await page.context().close();
});

test.each(["served", "static"] as const)("without WebAssembly the same core runs as JavaScript (%s)", async (kind) => {
  const { page } = await openPage(browser, { viewport: { width: 1280, height: 900 } });
  await page.goto(home[kind]);
  const { shop, clickId } = await followLink(page);
  const panel = shop.getByRole("complementary", { name: "Behind this page" });
  await panel.getByText("WebAssembly", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Under a policy without WebAssembly" }).click();
  await panel.getByText("JavaScript: the policy lets no WebAssembly run").waitFor();
  await panel.getByText(clickId).waitFor();
  const frame = page.frames().find((each) => each.url().includes("csp=strict"));
  expect(frame && (await violations(frame))).toEqual([]);
  await shop.getByRole("button", { name: "Get my quote" }).click();
  const orders = page.getByRole("region", { name: "The latest orders" }).getByRole("row");
  await expect.poll(() => orders.nth(1).textContent(), SLOWLY).toMatch(/delivered.*approved18\.00/);
  await page.context().close();
});

test.each(["light", "dark"] as const)(
  "the shop stands on its own, and without a click says so (%s)",
  async (colorScheme) => {
    const { page } = await openPage(browser, { colorScheme, viewport: { width: 360, height: 780 } });
    await page.goto(`${home.served}shop/`);
    const panel = page.getByRole("complementary", { name: "Behind this page" });
    await panel.getByText("none: no click led here").waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Get my quote" }).click();
    await page.getByRole("heading", { name: "Thank you" }).waitFor();
    await panel.getByText("refused, invalid_click_id: no click led here").waitFor();
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  },
);

test("the static demo answers a page that was reloaded past its worker, and keeps its rows", async () => {
  const { page, problems } = await openPage(browser, { viewport: { width: 1280, height: 900 } });
  await page.goto(home.static);
  const { clickId } = await followLink(page);
  const session = await page.context().newCDPSession(page);
  // Rows are written a moment later; then the worker ends, as an idle one does.
  await expect.poll(() => page.evaluate(storedRows), SLOWLY).toContain(clickId);
  await session.send("ServiceWorker.enable");
  await session.send("ServiceWorker.stopAllWorkers");
  // Reloads without the service worker, as Shift does.
  await session.send("Page.reload", { ignoreCache: true });
  await page.locator(".u-wrap").first().waitFor();
  const found = await page.evaluate(async (text) => {
    const { clicks } = await (await fetch(`__sandbox/state?text=${text}`)).json();
    return (clicks as { click_id: string }[]).map(({ click_id }) => click_id);
  }, clickId);
  expect(found).toEqual([clickId]);
  expect(problems).toEqual([]);
  await page.context().close();
});

test("the static demo has the network's live view", async () => {
  const { page, problems } = await openPage(browser, { viewport: { width: 1280, height: 900 } });
  await page.goto(home.static);
  await followLink(page);
  await page.getByRole("link", { name: "Live view" }).click();
  await page.getByText("live", { exact: true }).waitFor();
  await expect.poll(() => page.getByRole("region", { name: "Clicks" }).textContent()).toContain("spring_sale");
  expect(problems).toEqual([]);
  await page.context().close();
});

/** The network's rows in the browser's storage; runs in the page. */
function storedRows(): Promise<string> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("keyval-store");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const reading = database.transaction("keyval").objectStore("keyval").get("sandbox");
      reading.onerror = () => reject(reading.error);
      reading.onsuccess = () => {
        database.close();
        resolve(JSON.stringify(reading.result ?? null));
      };
    };
  });
}

/** Clicks the link of step 2 and waits for the shop in the visitor's browser. */
async function followLink(page: Page): Promise<{ shop: FrameLocator; clickId: string }> {
  await page.getByRole("link", { name: "Click the link" }).click();
  const shop = page.frameLocator("iframe[name=visitor]");
  await shop.getByRole("heading", { name: "Your car, insured by this evening" }).waitFor();
  const address = page.frame("visitor")?.url() ?? "";
  return { shop, clickId: new URL(address).searchParams.get("reqid") ?? "none" };
}

/** The journey as a screen reader presents it. */
function stations(page: Page): Promise<string[]> {
  return page.locator(".journey ol li").allTextContents();
}
