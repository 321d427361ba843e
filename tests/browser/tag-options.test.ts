/**
 * The options of the `<script>` tag, in Chromium: by attributes, by `cakeEdge.options`, and by the script's own query.
 */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Tracker } from "../../js/page/index.ts";
import { launch } from "./chromium.ts";
import { Site } from "./site.ts";

declare const cakeEdge: (use: (tracker: Tracker) => void) => void;

let site: Site;
let browser: Browser;
beforeAll(async () => {
  site = await Site.start();
  browser = await launch();
});
beforeEach(() => {
  site.received.length = 0;
  site.recorded.clear();
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});

interface Loaded {
  readonly page: Page;
  readonly said: string[];
}

async function load(html: string, query = "?reqid=abc-1"): Promise<Loaded> {
  site.pages.set("/tag", { html: `<!doctype html><title>tag</title><body>${html}` });
  const context = await browser.newContext();
  const page = await context.newPage();
  const said: string[] = [];
  page.on("console", (message) => {
    // The browser requests an icon once.
    if (!message.location().url.endsWith("/favicon.ico")) said.push(message.text());
  });
  page.on("pageerror", (error) => said.push(`THROWN ${error}`));
  await page.goto(`${site.origin}/tag${query}`);
  await page.waitForFunction("typeof cakeEdge === 'function'");
  return { page, said };
}

const clickIdOf = (page: Page) =>
  page.evaluate(
    () => new Promise((resolve) => cakeEdge((tracker) => tracker.ready.then(() => resolve(tracker.clickId)))),
  );

/** The three ways to set an option. */
const WAYS = {
  attribute: (attribute: string, value: string) =>
    `<script src="/page/cake-edge.js" data-${attribute}="${value}"></script>`,
  options: (attribute: string, value: string) => {
    const name = attribute.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    return `<script>window.cakeEdge = function (use) { (cakeEdge.q = cakeEdge.q || []).push(use) };
      cakeEdge.options = { ${name}: ${JSON.stringify(value)} }</script><script src="/page/cake-edge.js"></script>`;
  },
  query: (attribute: string, value: string) =>
    `<script src="/page/cake-edge.js?${attribute}=${encodeURIComponent(value)}"></script>`,
} as const;
const EACH_WAY = Object.keys(WAYS) as (keyof typeof WAYS)[];

const YES = ["", "true", "TRUE", " true ", "1", "yes", "on", "edge"];
const NO = ["false", "False", " false ", "0", "no", "off"];

test.each(EACH_WAY.flatMap((way) => [...YES, ...NO].map((value) => ({ way, value }))))(
  "edge by $way: '$value'",
  async ({ way, value }) => {
    const { page, said } = await load(WAYS[way]("edge", value));
    expect((await clickIdOf(page)) ?? null).toBe(YES.includes(value) ? null : "abc-1");
    expect(said).toEqual([]);
  },
);

test.each(
  EACH_WAY.flatMap((way) =>
    [
      ["edge", "maybe"],
      ["fragment", "sometimes"],
      ["debug", "2"],
      ["ignore-global-privacy-control", "null"],
      ["touch", "middle"],
      ["window-days", "a month"],
      ["window-days", ""],
      ["window-days", "NaN"],
      ["window-days", "7 days"],
      ["window-days", "0"],
      ["window-days", "401"],
      ["window-days", "1.5"],
      ["window-days", "-1"],
      ["window-days", "true"],
      ["journey", "many"],
      ["journey", "21"],
      ["cookie-days", "Infinity"],
      ["cookie-days", "0x10"],
      ["endpoint", ""],
      ["endpoint", "https://"],
      ["endpoint", "javascript:1"],
      ["endpoint", "data:text/plain,1"],
      ["endpoint", "blob:https://shop.example/1"],
      ["endpoint", "ftp://shop.example/cake"],
      ["endpoint", "mailto:shop@shop.example"],
      ["endpoint", "/cake?x=1"],
      ["endpoint", "/cake#x"],
      ["parameters", ""],
      ["parameters", ","],
      ["parameters", '["reqid2"]'],
      ["parameters", "[reqid2]"],
      ["parameters", "reqid2;clickid"],
      ["parameters", "reqid2|clickid"],
      ["cookie-domain", ""],
      ["cookie-domain", "other.example"],
      ["cookie-domain", "www.127.0.0.1"],
      ["cookie-domain", "http://127.0.0.1"],
      ["cookie-domain", "*.127.0.0.1"],
      ["cookie-domain", "auto"],
    ].map(([attribute = "", value = ""]) => ({ way, attribute, value })),
  ),
)("an unknown text for $attribute ('$value', by $way) is named, not obeyed", async ({ way, attribute, value }) => {
  const { page, said } = await load(WAYS[way](attribute, value));
  // As if the option had not been given.
  expect(await clickIdOf(page)).toBe("abc-1");
  const [cookie] = await page.context().cookies();
  expect(((cookie?.expires ?? 0) - Date.now() / 1_000) / 86_400).toBeCloseTo(30, 1);
  const name = attribute.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  await expect
    .poll(() => said.filter((line) => line.includes("invalid_setting") && line.includes(name)))
    .not.toEqual([]);
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
  const converted = await page.evaluate(
    () => new Promise((resolve) => cakeEdge((tracker) => resolve(tracker.convert({ offerId: 1, uniqueId: "u" })))),
  );
  expect(converted).toMatchObject({ state: "accepted" });
});

test.each(["https://shop.example", "shop.example/path", "*.example", " other.example:443 "])(
  "a cookie domain that is none is named as it was written: '%s'",
  async (value) => {
    const { said } = await load(WAYS.attribute("cookie-domain", value));
    await expect.poll(() => said.join("\n")).toContain(`cookieDomain does not take "${value.trim()}"`);
  },
);

test.each(EACH_WAY)("a word of consent that nobody knows is named, and is no consent (by %s)", async (way) => {
  const { page, said } = await load(WAYS[way]("consent", "perhaps"));
  expect(await page.evaluate(() => [document.cookie, localStorage.length])).toEqual(["", 0]);
  await expect
    .poll(() => said.filter((line) => line.includes("invalid_setting") && line.includes("consent")))
    .not.toEqual([]);
});

test.each(EACH_WAY)("each option arrives by %s", async (way) => {
  const days = (await (await load(WAYS[way]("window-days", "7"))).page.context().cookies())[0]?.expires ?? 0;
  expect((days - Date.now() / 1_000) / 86_400).toBeCloseTo(7, 1);
  expect(await clickIdOf((await load(WAYS[way]("parameters", "subid reqid"), "?subid=one")).page)).toBe("one");
  expect(await clickIdOf((await load(WAYS[way]("parameters", "subid, other"), "?other=two")).page)).toBe("two");
  expect(await clickIdOf((await load(WAYS[way]("fragment", "true"), "#reqid=three")).page)).toBe("three");
  const { page } = await load(WAYS[way]("endpoint", "/elsewhere/"));
  const result = await page.evaluate(
    () => new Promise((resolve) => cakeEdge((tracker) => resolve(tracker.convert({ offerId: 1, uniqueId: "u" })))),
  );
  expect(result).toMatchObject({ state: "queued" });
  expect(site.requests.some(({ path }) => path === "/elsewhere/conversions")).toBe(true);
  const pending = await load(WAYS[way]("consent", "pending"));
  expect(await pending.page.evaluate(() => document.cookie)).toBe("");
});

test("a cache buster in the query, and attributes of others, are nobody's options", async () => {
  const { page, said } = await load(
    `<script src="/page/cake-edge.js?v=3&ver=1.2&_=123&t&reqid=not-a-click" data-cfasync="false" data-rocket-src="x"
       data-no-optimize="1" data-turbo-track="reload" data-cookieconsent="ignore"></script>`,
  );
  expect(await clickIdOf(page)).toBe("abc-1");
  expect(said).toEqual([]);
});

test("options that are no texts arrive as they are", async () => {
  const { page } = await load(
    `<script>
      window.heard = [];
      window.cakeEdge = window.cakeEdge || function (use) { (cakeEdge.q = cakeEdge.q || []).push(use) };
      cakeEdge.options = { windowDays: 7, parameters: ["subid"], edge: false, onError: (error) => heard.push(error.code) };
    </script><script src="/page/cake-edge.js"></script>`,
    "?subid=one",
  );
  expect(await clickIdOf(page)).toBe("one");
  const [cookie] = await page.context().cookies();
  expect(((cookie?.expires ?? 0) - Date.now() / 1_000) / 86_400).toBeCloseTo(7, 1);
});

test("the page's onError hears of a wrong option", async () => {
  const { page } = await load(
    `<script>
      window.heard = [];
      window.cakeEdge = { options: { touch: "middle", onError: (error) => heard.push([error.code, error.parameter]) } };
    </script><script src="/page/cake-edge.js"></script>`,
  );
  expect(await clickIdOf(page)).toBe("abc-1");
  await expect.poll(() => page.evaluate("heard")).toEqual([["invalid_setting", "touch"]]);
});

test.each([
  ['{ parameter: "tid" }', ["invalid_field", "parameter"]],
  ['{ consnt: "denied" }', ["invalid_field", "consnt"]],
  ["{ windowsDays: 7 }", ["invalid_field", "windowsDays"]],
  ["{ consent: null }", ["invalid_setting", "consent"]],
])("a name in cakeEdge.options that is none, or no word of consent, is named: %s", async (options, named) => {
  const { page } = await load(
    `<script>
      window.heard = [];
      window.cakeEdge = { options: { onError: (error) => heard.push([error.code, error.parameter]), ...${options} } };
    </script><script src="/page/cake-edge.js"></script>`,
  );
  await expect.poll(() => page.evaluate("heard")).toEqual([named]);
  if (named[1] === "consent") expect(await page.evaluate(() => document.cookie)).toBe("");
});

test.each([
  ['cakeEdge.options = { consnt: "pending", endpont: "/x" }', ["consnt is unknown; endpont is unknown"]],
  ["cakeEdge(function (tracker) { tracker.decorate({ host: [] }) })", ["host is unknown: did you mean hosts?"]],
  ['cakeEdge(function (tracker) { tracker.attach({ too: "form" }) })', ["too is unknown"]],
  ["cakeEdge(function (tracker) { tracker.attach({ get to() { throw 1 } }) })", ["options must be one plain object"]],
])("a name that is none is told without onError and debug: %s", async (call, named) => {
  const { said } = await load(
    `<script>window.cakeEdge = function (use) { (cakeEdge.q = cakeEdge.q || []).push(use) }; ${call}</script>
     <script src="/page/cake-edge.js"></script>`,
  );
  for (const each of named) {
    await expect
      .poll(() => said.filter((line) => line.includes("invalid_field") && line.includes(each)))
      .toHaveLength(1);
  }
});

test("an option in another spelling is read, and not named", async () => {
  const { page, said } = await load(
    `<script>
      window.cakeEdge = { options: { window_days: 7, "cookie-days": 7, "data-touch": "first" } };
    </script><script src="/page/cake-edge.js"></script>`,
  );
  expect(await clickIdOf(page)).toBe("abc-1");
  const [cookie] = await page.context().cookies();
  expect(((cookie?.expires ?? 0) - Date.now() / 1_000) / 86_400).toBeCloseTo(7, 1);
  await page.waitForTimeout(500);
  expect(said).toEqual([]);
});

test("values of a wrong kind are named, and the click is kept all the same", async () => {
  const { page } = await load(
    `<script>
      window.heard = [];
      window.cakeEdge = { options: {
        edge: {}, fragment: "maybe", windowDays: [], journey: NaN, cookieDays: true, touch: 1, parameters: {},
        endpoint: {}, cookieDomain: {}, onError: (error) => heard.push(error.parameter),
      } };
    </script><script src="/page/cake-edge.js"></script>`,
  );
  expect(await clickIdOf(page)).toBe("abc-1");
  await expect
    .poll(async () => ((await page.evaluate("heard")) as string[]).sort())
    .toEqual("cookieDays cookieDomain edge endpoint fragment journey parameters touch windowDays".split(" "));
  const [cookie] = await page.context().cookies();
  expect(((cookie?.expires ?? 0) - Date.now() / 1_000) / 86_400).toBeCloseTo(30, 1);
});

test.each(["null", "undefined", "false", "true"])("%s is no text for an option", async (word) => {
  for (const [way, html] of [
    [
      "options",
      `<script>cakeEdge.options = { parameters: ${word}, endpoint: ${word === "undefined" ? `"${word}"` : word} }</script>`,
    ],
    ["attributes", ""],
    ["query", ""],
  ]) {
    const source = `/page/cake-edge.js${way === "query" ? `?parameters=${word}&endpoint=${word}` : ""}`;
    const attributes = way === "attributes" ? `data-parameters="${word}" data-endpoint="${word}"` : "";
    const { page, said } = await load(
      `<script>window.cakeEdge = function (use) { (cakeEdge.q = cakeEdge.q || []).push(use) }</script>${html}
       <script src="${source}" ${attributes}></script>`,
    );
    expect([way, await clickIdOf(page)]).toEqual([way, "abc-1"]);
    await expect.poll(() => said.some((line) => /invalid_setting.*endpoint/.test(line))).toBe(true);
  }
});

test("what the page says goes before the attribute, and the attribute before the query", async () => {
  const { page } = await load(
    `<script>window.cakeEdge = { options: { parameters: "page" } }</script>
     <script src="/page/cake-edge.js?parameters=query&touch=first&window-days=9" data-parameters="attribute" data-window-days="7"></script>`,
    "?page=one&attribute=two&query=three",
  );
  expect(await clickIdOf(page)).toBe("one");
  const [cookie] = await page.context().cookies();
  expect(((cookie?.expires ?? 0) - Date.now() / 1_000) / 86_400).toBeCloseTo(7, 1);
});

test.each(["null", "7", `"text"`, "undefined", "[]"])("cakeEdge.options = %s is no options", async (value) => {
  const { page, said } = await load(
    `<script>window.cakeEdge = function (use) { (cakeEdge.q = cakeEdge.q || []).push(use) }; cakeEdge.options = ${value}</script>
     <script src="/page/cake-edge.js"></script>`,
  );
  expect(await clickIdOf(page)).toBe("abc-1");
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});
