/** The `<script>` tag, in Chromium: its attributes, and calls before it loads. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Tracker } from "../../js/page/index.ts";
import { launch } from "./chromium.ts";
import { Site } from "./site.ts";

declare const cakeEdge: (use: (tracker: Tracker) => void) => void;

/** The snippet of docs/page.md. */
const SNIPPET = `<script>window.cakeEdge = window.cakeEdge || function (use) { (cakeEdge.q = cakeEdge.q || []).push(use) }</script>`;

let site: Site;
let browser: Browser;
beforeAll(async () => {
  site = await Site.start();
  browser = await launch();
});
beforeEach(() => {
  site.received.length = 0;
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});

async function load(
  path: string,
  html: string,
  headers = {},
  before?: () => void,
): Promise<{ page: Page; thrown: string[] }> {
  site.pages.set(path, { html: `<!doctype html><title>tag</title>${html}`, headers });
  const context = await browser.newContext();
  if (before) await context.addInitScript(before);
  const page = await context.newPage();
  const thrown: string[] = [];
  page.on("pageerror", (error) => thrown.push(String(error)));
  await page.goto(`${site.origin}${path}?reqid=abc-1`);
  return { page, thrown };
}

/** Waits for the tracker as a page does. */
const clickIdOf = (page: Page) =>
  page.evaluate(
    () => new Promise((resolve) => cakeEdge((tracker) => tracker.ready.then(() => resolve(tracker.clickId)))),
  );

test("one tag captures, with no bundler and no further request", async () => {
  site.requests.length = 0;
  const { page, thrown } = await load("/tag", `<script src="/page/cake-edge.js" data-endpoint="/cake"></script>`);
  expect(await clickIdOf(page)).toBe("abc-1");
  expect((await page.context().cookies())[0]?.value).toContain("!reqid!abc-1");
  expect(site.requests.map(({ path }) => path).filter((path) => path.startsWith("/page/"))).toEqual([
    "/page/cake-edge.js",
  ]);
  expect(thrown).toEqual([]);
});

test.each([
  ["pending", undefined, "granted", "accepted"],
  ["granted", undefined, "denied", "refused"],
  ["pending", "granted", "pending", "accepted"],
  ["granted", "denied", "granted", "refused"],
  ["granted", undefined, undefined, "accepted"],
  [undefined, "denied", "granted", "refused"],
  [undefined, undefined, "denied", "refused"],
])("a swapped page's tag, %s, then by setConsent %s, then %s: %s", async (first, said, second, state) => {
  const { page } = await load(
    "/swapped",
    `<script src="/page/cake-edge.js"${first ? ` data-consent="${first}"` : ""}></script>`,
  );
  expect(await clickIdOf(page)).toBe("abc-1");
  const result = await page.evaluate(
    async ([said, second]) => {
      if (said) cakeEdge((tracker) => tracker.setConsent(said as "granted"));
      const tag = document.createElement("script");
      tag.src = "/page/cake-edge.js";
      if (second) tag.dataset["consent"] = second;
      const loaded = new Promise((resolve) => tag.addEventListener("load", resolve));
      document.body.append(tag);
      await loaded;
      return new Promise<{ state: string }>((resolve) =>
        cakeEdge((tracker) => tracker.convert({ offerId: 1, uniqueId: `swapped-${Math.random()}` }).then(resolve)),
      );
    },
    [said, second] as const,
  );
  expect(result.state).toBe(state);
  expect(site.received.length).toBe(state === "accepted" ? 1 : 0);
  const kept = await page.evaluate(() => [document.cookie, ...Object.keys(localStorage)].join(""));
  expect(kept === "").toBe(state === "refused");
});

test.each([
  ["options", "pending", "granted", "accepted"],
  ["options", "denied", "granted", "accepted"],
  ["query", "denied", "granted", "accepted"],
  ["query", "pending", "pending", "queued"],
  ["options", true, "granted", "accepted"],
  ["options", "granted", "denied", "refused"],
])(
  "a swapped page's tag is compared with the first consent, by %s: %s, then %s: %s",
  async (way, first, second, state) => {
    const { page } = await load(
      "/swapped",
      way === "options"
        ? `<script>window.cakeEdge = { options: { consent: ${JSON.stringify(first)} } }</script><script src="/page/cake-edge.js"></script>`
        : `<script src="/page/cake-edge.js?consent=${first}"></script>`,
    );
    const result = await page.evaluate(
      async ([second]) => {
        const tag = document.createElement("script");
        tag.src = "/page/cake-edge.js";
        tag.dataset["consent"] = second;
        const loaded = new Promise((resolve) => tag.addEventListener("load", resolve));
        document.body.append(tag);
        await loaded;
        return new Promise<{ state: string }>((resolve) =>
          cakeEdge((tracker) => tracker.convert({ offerId: 1, uniqueId: `swapped-${Math.random()}` }).then(resolve)),
        );
      },
      [second] as const,
    );
    expect(result.state).toBe(state);
  },
);

test("calls from before it has loaded are made in their order, and one that throws stops none", async () => {
  const { page, thrown } = await load(
    "/early",
    `${SNIPPET}<script>
      window.order = [];
      cakeEdge(function (tracker) { order.push("first " + tracker.clickId) });
      cakeEdge(function () { throw new Error("the page's own") });
      cakeEdge(function (tracker) { order.push("third"); tracker.convert({ offerId: 1, uniqueId: "early" }) });
      history.replaceState(null, "", "/clean");
    </script>
    <script async src="/page/cake-edge.js"></script>`,
  );
  await expect.poll(() => page.evaluate("order")).toEqual(["first abc-1", "third"]);
  await expect.poll(() => site.received).toMatchObject([{ uniqueId: "early", clickId: "abc-1" }]);
  expect(thrown).toEqual(["Error: the page's own"]);
});

test("a queue of arguments objects is taken, and calls beside it keep their order", async () => {
  const { page, thrown } = await load(
    "/arguments",
    `<script>
      window.order = [];
      window.cakeEdge = function () { (cakeEdge.q = cakeEdge.q || []).push(arguments) };
      cakeEdge(function (tracker) { order.push("first " + tracker.clickId) });
      cakeEdge.q.push(function () { order.push("second") }, [], "no call", null);
      cakeEdge(function () { order.push("third") });
    </script>
    <script async src="/page/cake-edge.js"></script>`,
  );
  await expect.poll(() => page.evaluate("order")).toEqual(["first abc-1", "second", "third"]);
  expect(thrown).toEqual([]);
});

test("attributes are the options", async () => {
  const { page } = await load(
    "/attributes",
    `<script src="/page/cake-edge.js" data-parameters="subid reqid" data-window-days="7" data-touch="first"
       data-consent="pending" data-endpoint="/nowhere"></script>`,
  );
  expect(await clickIdOf(page)).toBe("abc-1");
  expect(await page.context().cookies()).toEqual([]);
  await page.evaluate(() => cakeEdge((tracker) => tracker.setConsent("granted")));
  await expect.poll(async () => (await page.context().cookies()).length).toBe(1);
  const [cookie] = await page.context().cookies();
  expect(((cookie?.expires ?? 0) - Date.now() / 1_000) / 86_400).toBeCloseTo(7, 2);
  const { page: edge } = await load("/edge", `<script src="/page/cake-edge.js" data-edge></script>`);
  expect(await clickIdOf(edge)).toBeUndefined();
});

test("in a page that is not UTF-8 it is read as UTF-8", async () => {
  const { page } = await load("/latin", `<script src="/page/cake-edge.js"></script>`, {
    "content-type": "text/html; charset=windows-1252",
  });
  expect(await page.evaluate(() => document.characterSet)).toBe("windows-1252");
  const engine = await page.evaluate(() => new Promise((resolve) => cakeEdge((tracker) => resolve(tracker.engine))));
  expect(engine).toBe("wasm");
});

test("under a strict policy, and without WebAssembly, it finds the files beside it", async () => {
  const { page, thrown } = await load("/strict", `<script src="/page/cake-edge.js"></script>`, {
    "content-security-policy": "default-src 'none'; connect-src 'self'; script-src 'self'",
  });
  expect(await clickIdOf(page)).toBe("abc-1");
  const convert = () =>
    new Promise((resolve) => cakeEdge((tracker) => resolve(tracker.convert({ offerId: 1, uniqueId: "strict" }))));
  expect(await page.evaluate(convert)).toMatchObject({ state: "accepted" });
  expect(thrown).toEqual([]);
});
