/** Links and forms that carry the click id on, in Chromium. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Tracker } from "../../js/page/index.ts";
import { launch } from "./chromium.ts";
import { Site } from "./site.ts";
import { visit } from "./visit.ts";

declare const tracker: Tracker;

let site: Site;
let browser: Browser;
beforeAll(async () => {
  site = await Site.start();
  browser = await launch(["--host-resolver-rules=MAP *.example.com 127.0.0.1, MAP *.example.org 127.0.0.1"]);
  site.addTrackerPage("/");
  for (const path of ["/cart", "/pay"]) site.pages.set(path, { html: "<!doctype html><title>there</title>" });
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});

/** A page with this body, decorated. */
async function decorated(body: string, address = "/?reqid=abc-1"): Promise<{ page: Page; said: string[] }> {
  const { page, said } = await visit(browser, site, address);
  await page.evaluate(async (html) => {
    tracker.decorate({ hosts: ["shop.example.com", "*.pay.example.com"], parameter: "click_id" });
    // Added later than the decoration: what the site does to its page is covered.
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, 200);
    await promise;
    document.body.insertAdjacentHTML("beforeend", html);
  }, body);
  return { page, said };
}

const there = (host: string, path = "/cart") => `http://${host}:${site.port}${path}`;

test("a chosen link carries the click id, and is afterwards as it was", async () => {
  const href = `${there("shop.example.com")}?x=1#top`;
  const { page } = await decorated(`<a id="a" href="${href}" target="_blank"><b>Buy</b></a>`);
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.click("#a b")]);
  await popup.waitForURL("**/cart?**");
  expect(popup.url()).toBe(`${there("shop.example.com")}?x=1&click_id=abc-1#top`);
  expect(await page.getAttribute("#a", "href")).toBe(href);
});

test.each(["other.example.com", "pay.example.com", "shop.example.com.example.org"])(
  "a link to %s is left alone",
  async (host) => {
    const { page } = await decorated(`<a id="a" href="${there(host)}">Go</a>`);
    await page.click("#a");
    await page.waitForURL("**/cart");
    expect(new URL(page.url()).search).toBe("");
  },
);

test("a host below a listed one is chosen", async () => {
  const { page } = await decorated(`<a id="a" href="${there("eu.pay.example.com")}">Go</a>`);
  await page.click("#a");
  await page.waitForURL("**/cart?click_id=abc-1");
});

test.each(["get", "post"])("a chosen form carries it on by %s, without a new field", async (method) => {
  const { page } = await decorated(
    `<form id="f" method="${method}" action="${there("shop.example.com", "/pay")}"><input name="q" value="1"><button>Go</button></form>`,
  );
  const [request] = await Promise.all([page.waitForRequest("**/pay**"), page.click("button")]);
  const sent = method === "get" ? new URL(request.url()).search.slice(1) : request.postData();
  expect(sent).toBe("q=1&click_id=abc-1");
});

test("a form of the site's own is left alone, as is one that the site stops", async () => {
  const { page } = await decorated(
    `<form id="own" action="/cart"><button id="b1">Go</button></form>
     <form id="stopped" action="${there("shop.example.com")}" onsubmit="return false"><button id="b2">Go</button></form>`,
  );
  await page.click("#b2");
  expect(await page.evaluate(() => document.querySelectorAll("#stopped input").length)).toBe(0);
  await page.click("#b1");
  await page.waitForURL("**/cart?**").catch(() => undefined);
  expect(new URL(page.url()).search).toBe("");
});

test("without a click id nothing is added, and the console says why", async () => {
  const { page, said } = await decorated(`<a id="a" href="${there("shop.example.com")}">Go</a>`, "/");
  await page.click("#a");
  await page.waitForURL("**/cart");
  expect(new URL(page.url()).search).toBe("");
  expect(said).toContain("cake-edge: no_click_id");
});
