/** The web template for Google Tag Manager, in Chromium, against the built tag. */
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Tracker } from "../../js/page/index.ts";
import type * as Emulator from "../gtm/emulator.ts";
import { readTemplate } from "../gtm/template.ts";
import { launch } from "./chromium.ts";
import { Site } from "./site.ts";

declare const gtm: typeof Emulator;
declare const cakeEdge: (use: (tracker: Tracker) => void) => void;

/** The parts of a test page beside the tag. */
interface Container {
  readonly consent: Emulator.ConsentMode;
  readonly used: string[];
  /** Fires the tag; returns its outcome. */
  fire(data: object): Promise<string>;
  readonly order: string[];
}
declare global {
  interface Window {
    readonly container: Container;
    readonly dataLayer?: object[];
  }
}

const template = readTemplate("examples/gtm/web.tpl");
const entryPoints = [fileURLToPath(new URL("../gtm/emulator.ts", import.meta.url))];
const emulator = buildSync({ entryPoints, bundle: true, format: "iife", globalName: "gtm", write: false })
  .outputFiles[0]?.text;

/** A page before its tag manager has run: without our tag. */
const PAGE = `<!doctype html><title>A page</title><script>${emulator}
  const consent = new gtm.ConsentMode(), used = [];
  window.container = { consent, used, order: [], fire: (data) => new Promise((resolve, reject) => {
    const given = { ...data, gtmOnSuccess: () => resolve("success"), gtmOnFailure: () => resolve("failure") };
    const onPermission = (each) => used.push(each);
    try {
      gtm.runTemplate(${JSON.stringify(template.code)}, given, { permissions: ${JSON.stringify(template.permissions)}, window, consent, onPermission });
    } catch (error) { reject(error) }
  }) };
</script>`;
const LOAD = { action: "load", consent: "mode", options: [{ name: "windowDays", value: "7" }] };

let site: Site;
let browser: Browser;
const used = new Set<string>();
beforeAll(async () => {
  site = await Site.start();
  browser = await launch();
});
beforeEach(() => {
  site.received.length = 0;
  site.pages.set("/landing", { html: PAGE });
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});

/** Opens the page under the name of an https site, which the test's own server answers. */
async function open(html = PAGE): Promise<Page> {
  const context = await browser.newContext();
  await context.route("https://shop.example/**", async (route) => {
    const { pathname, search } = new URL(route.request().url());
    if (pathname === "/landing") return route.fulfill({ contentType: "text/html; charset=utf-8", body: html });
    const answer = await route.fetch({ url: site.origin + pathname.replace(/^\/js\//, "/page/") + search });
    return route.fulfill({ response: answer });
  });
  const page = await context.newPage();
  await page.goto("https://shop.example/landing?reqid=abc-1");
  return page;
}
const fire = async (page: Page, data: object): Promise<string> => {
  const outcome = await page.evaluate((given) => window.container.fire(given), {
    src: "https://shop.example/js/cake-edge.js",
    ...data,
  });
  for (const each of await page.evaluate(() => window.container.used)) used.add(each);
  return outcome;
};
const cookieOf = async (page: Page) => (await page.context().cookies())[0];
const clickIdOf = (page: Page) =>
  page.evaluate(() => new Promise((resolve) => cakeEdge(({ clickId }) => resolve(clickId))));

test("it loads the tag with its options, captures, tells the data layer, and converts before and after", async () => {
  const page = await open();
  // A conversion of a tag that GTM fires before the loading tag.
  expect(await fire(page, { action: "convert", offerId: "12345", orderId: "ORD-1" })).toBe("success");
  expect(await fire(page, { ...LOAD, tellDataLayer: true })).toBe("success");
  expect(await fire(page, { action: "convert", offerId: "12345", orderId: "ORD-2", uniqueId: "" })).toBe("success");
  await expect.poll(() => site.received.map(({ orderId }) => orderId)).toEqual(["ORD-1", "ORD-2"]);
  expect(site.received).toMatchObject([
    { offerId: 12_345, clickId: "abc-1", uniqueId: "abc-1:ORD-1" },
    { offerId: 12_345, clickId: "abc-1", uniqueId: "abc-1:ORD-2" },
  ]);
  const cookie = await cookieOf(page);
  expect(((cookie?.expires ?? 0) - Date.now() / 1_000) / 86_400).toBeCloseTo(7, 1);
  expect(await page.evaluate(() => window.dataLayer)).toEqual([{ event: "cake_click", cake_click_id: "abc-1" }]);
  // After two calls, there is one script and one tracker.
  expect(await fire(page, LOAD)).toBe("success");
  expect(await page.locator("script[src*=cake-edge]").count()).toBe(1);
});

test("without consent nothing is stored or sent until it is given, and what was stored goes when it is taken back", async () => {
  const page = await open();
  await page.evaluate(() => window.container.consent.update("ad_storage", false));
  await fire(page, LOAD);
  await fire(page, { action: "convert", offerId: "12345", orderId: "ORD-1" });
  expect(await clickIdOf(page)).toBe("abc-1");
  expect([await cookieOf(page), site.received]).toEqual([undefined, []]);
  await page.evaluate(() => window.container.consent.update("ad_storage", true));
  await expect.poll(() => site.received).toMatchObject([{ clickId: "abc-1", orderId: "ORD-1" }]);
  expect((await cookieOf(page))?.value).toContain("!reqid!abc-1");
  await page.evaluate(() => window.container.consent.update("ad_storage", false));
  await expect.poll(() => cookieOf(page)).toBeUndefined();
});

test("the click of an earlier page is told to the data layer when the visitor agrees after the tag has fired", async () => {
  const told = (page: Page) => page.evaluate(() => window.dataLayer ?? []);
  const event = { event: "cake_click", cake_click_id: "abc-1" };
  const page = await open();
  await fire(page, LOAD);
  await expect.poll(async () => (await cookieOf(page))?.value).toContain("!reqid!abc-1");
  // The thank-you page, whose banner answers later: by consent mode, or by a tag of its own.
  for (const consent of ["mode", "pending"]) {
    await page.goto("https://shop.example/landing");
    await page.evaluate(() => window.container.consent.update("ad_storage", false));
    await fire(page, { ...LOAD, consent, tellDataLayer: true });
    expect(await clickIdOf(page)).toBeUndefined();
    expect(await told(page)).toEqual([]);
    for (let time = 0; time < 2; time += 1) {
      if (consent === "mode") {
        await page.evaluate(() => window.container.consent.update("ad_storage", true));
      } else if (time === 0) {
        await fire(page, { action: "consent", said: "granted", tellDataLayer: true });
      }
      expect(await told(page)).toEqual([event]);
    }
  }
});

test("a tag of its own says what the visitor has said, and a page's own calls and snippet live beside it", async () => {
  const snippet = `<script>window.cakeEdge = window.cakeEdge || function (use) { (cakeEdge.q = cakeEdge.q || []).push(use) }
    cakeEdge(function (tracker) { container.order.push("snippet " + tracker.clickId) })</script>`;
  for (const html of [PAGE + snippet, PAGE]) {
    const page = await open(html);
    await fire(page, { action: "consent", said: "granted" });
    // The page's own script calls the template's function, with a callback of its own.
    await page.evaluate(() => cakeEdge((tracker) => window.container.order.push(`own ${typeof tracker.ready.then}`)));
    await fire(page, { ...LOAD, consent: "pending" });
    await expect.poll(async () => (await cookieOf(page))?.value).toContain("!reqid!abc-1");
    const snippets = html === PAGE ? [] : ["snippet abc-1"];
    expect(await page.evaluate(() => window.container.order)).toEqual([...snippets, "own function"]);
  }
});

test("a file that is missing is a failure, and another address is not permitted", async () => {
  const page = await open();
  site.fileTrouble.set("cake-edge.js", "missing");
  expect(await fire(page, LOAD)).toBe("failure");
  site.fileTrouble.clear();
  await expect(fire(page, { ...LOAD, src: "https://cdn.example/tag.js" })).rejects.toThrow(
    "permission denied: inject_script",
  );
});

test("every permission was used, so none is more than it needs", () => {
  const declared = template.permissions.flatMap(({ id, keys, consentTypes, urls }) => [
    ...(keys ?? []).flatMap(({ key, ...modes }) =>
      Object.entries(modes).flatMap(([mode, is]) => (is ? [`${id} ${mode} ${key}`] : [])),
    ),
    ...(consentTypes ?? []).map(({ consentType }) => `${id} ${consentType}`),
    ...(urls ?? []).map(() => `${id} `),
  ]);
  expect(used).toEqual(new Set(declared));
});
