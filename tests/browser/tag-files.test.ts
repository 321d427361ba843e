/** Where the tag finds its later files and its endpoint, in Chromium, for every way to put the tag into a page. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { PageConversion, Tracker } from "../../js/page/index.ts";
import { launch } from "./chromium.ts";
import { Site } from "./site.ts";

declare const cakeEdge: (use: (tracker: Tracker) => void) => void;

const TAG = readFileSync(new URL("../../dist/page/cake-edge.js", import.meta.url), "utf8");
const integrity = `sha384-${createHash("sha384")
  .update(readFileSync(new URL("../../dist/page/cake-edge.js", import.meta.url)))
  .digest("base64")}`;

let site: Site;
/** Another origin that serves the package's files; it may lack a forwarder. */
let cdn: Site;
let browser: Browser;
beforeAll(async () => {
  site = await Site.start();
  cdn = await Site.start();
  browser = await launch();
});
beforeEach(() => {
  for (const { received, recorded, fileTrouble, requests } of [site, cdn]) {
    received.length = 0;
    requests.length = 0;
    recorded.clear();
    fileTrouble.clear();
  }
  cdn.isOpen = true;
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(async () => {
  await browser?.close();
  await site?.stop();
  await cdn?.stop();
});

interface Loaded {
  readonly page: Page;
  readonly said: string[];
}

async function load(html: string, headers: Record<string, string> = {}, before?: () => void): Promise<Loaded> {
  site.pages.set("/shop/tag", {
    html: `<!doctype html><html><head><title>tag</title>${html}</head><body></body></html>`,
    headers,
  });
  const context = await browser.newContext();
  if (before) await context.addInitScript(before);
  const page = await context.newPage();
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(`THROWN ${error}`));
  await page.goto(`${site.origin}/shop/tag?reqid=abc-1`);
  await expect.poll(() => page.evaluate("typeof cakeEdge"), { timeout: 10_000 }).toBe("function");
  return { page, said };
}

const convert = (page: Page, fields: PageConversion) =>
  page.evaluate((fields) => new Promise((resolve) => cakeEdge((tracker) => resolve(tracker.convert(fields)))), fields);

/** A conversion with its address alone needs the outbox's file. */
async function expectAllFound({ page, said }: Loaded): Promise<void> {
  expect(await convert(page, { offerId: 1 })).toMatchObject({ state: "accepted" });
  expect(site.recorded.size).toBe(1);
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
}

const src = (origin: string) => `${origin}/page/cake-edge.js`;

test.each([
  ["in the page's own folder", () => `<script src="/page/cake-edge.js"></script>`],
  ["async", () => `<script async src="/page/cake-edge.js"></script>`],
  ["deferred", () => `<script defer src="/page/cake-edge.js"></script>`],
  ["as a module", () => `<script type="module" src="/page/cake-edge.js"></script>`],
  [
    "by a script of a tag manager",
    () => `<script>
    var script = document.createElement("script");
    script.src = "/page/cake-edge.js";
    document.head.appendChild(script);
  </script>`,
  ],
  [
    "by a script that forgets it",
    () => `<script>
    var script = document.createElement("script");
    script.src = "/page/cake-edge.js";
    document.head.appendChild(script);
    script.onload = function () { script.remove() };
  </script>`,
  ],
  ["inlined, with data-base", () => `<script data-base="/page/">${TAG}</script>`],
  ["inlined, with data-base without a slash", () => `<script data-base="/page">${TAG}</script>`],
  [
    "inlined, with base in cakeEdge.options",
    () => `<script>window.cakeEdge = { options: { base: "/page" } }</script><script>${TAG}</script>`,
  ],
  [
    "evaluated from its text by an optimiser",
    () => `<script type="text/delayed" data-base="/page/" src="/page/cake-edge.js"></script><script>
    fetch(document.querySelector("[type='text/delayed']").src).then(function (answer) { return answer.text() }).then(function (text) { (0, eval)(text) });
  </script>`,
  ],
  ["from another origin", () => `<script src="${src(cdn.origin)}"></script>`],
  ["from another origin, with crossorigin", () => `<script crossorigin src="${src(cdn.origin)}"></script>`],
  [
    "from another origin, with integrity",
    () => `<script crossorigin integrity="${integrity}" src="${src(cdn.origin)}"></script>`,
  ],
  [
    "from another origin, files here (data-base)",
    () => `<script src="${src(cdn.origin)}" data-base="/page/"></script>`,
  ],
  [
    "with its files at another origin",
    () => `<script src="/page/cake-edge.js" data-base="${cdn.origin}/page/"></script>`,
  ],
  [
    "with a base of another host",
    () => `<base href="${cdn.origin}/deep/"><script src="${site.origin}/page/cake-edge.js"></script>`,
  ],
  ["with a base that comes later", () => `<script src="/page/cake-edge.js"></script><base href="${cdn.origin}/deep/">`],
])("%s: all is found, and sent to the site's own endpoint", async (_, html) => {
  await expectAllFound(await load(html()));
  expect(cdn.attempts).toBe(0);
});

/** What another script's element may say, in a page that has the tag as well. */
const OTHER = `data-consent="granted" data-endpoint="/other" data-base="/wrong/"`;
const OWN = `data-consent="denied" data-endpoint="/cake" data-base="/page/"`;

test.each([
  ["the frame's script before", `<script src="/page/cake-edge-frame.js" ${OTHER}></script>`],
  ["a script with a similar name before", `<script src="/js/cake-edge-consent.js" ${OTHER}></script>`],
  ["a name that has the tag's in it", `<script src="/js/pancake-edge.js" ${OTHER}></script>`],
  ["a bundle before", `<script src="/js/bundle.js" ${OTHER}></script>`],
  ["nothing before", ""],
])(
  "with %s, the tag's own attributes count, however it runs",
  async (_, before) => {
    for (const path of ["/js/cake-edge-consent.js", "/js/pancake-edge.js", "/js/bundle.js"]) {
      site.pages.set(path, { html: "", headers: { "content-type": "text/javascript" } });
    }
    site.pages.set("/assets/main-abc123.js", {
      html: TAG,
      headers: { "content-type": "text/javascript; charset=utf-8" },
    });
    for (const html of [
      `<script src="/page/cake-edge.js" ${OWN}></script>`,
      `<script type="module" src="/page/cake-edge.js" ${OWN}></script>`,
      `<script type="module" src="/page/cake-edge.js?v=1" ${OWN}></script>`,
      `<script type="module" src="/assets/main-abc123.js" ${OWN}></script>`,
      `<script ${OWN}>${TAG}</script>`,
      `<script type="module" ${OWN}>${TAG}</script>`,
      `<script type="text/delayed" ${OWN} src="/page/cake-edge.js"></script><script data-cfasync="false">
      fetch("/page/cake-edge.js").then(function (answer) { return answer.text() }).then(function (text) { (0, eval)(text) });
    </script>`,
    ]) {
      const { page } = await load(before + html);
      expect(await page.evaluate(() => [document.cookie, localStorage.length])).toEqual(["", 0]);
      await page.evaluate(() => cakeEdge((tracker) => tracker.setConsent("granted")));
      expect(await convert(page, { offerId: 1, uniqueId: `u${Math.random()}` })).toMatchObject({ state: "accepted" });
      await page.context().close();
    }
  },
  60_000,
);

test("an inlined tag's own attributes go before those of another element of the tag", async () => {
  const { page } = await load(
    `<script type="text/plain" src="/page/cake-edge.js" data-consent="denied" data-endpoint="/other"></script>
     <script data-endpoint="/cake">${TAG}</script>`,
  );
  // What it does not say itself is the other's: the careful answer for consent.
  expect(await page.evaluate(() => document.cookie)).toBe("");
  await page.evaluate(() => cakeEdge((tracker) => tracker.setConsent("granted")));
  expect(await convert(page, { offerId: 1, uniqueId: "u" })).toMatchObject({ state: "accepted" });
});

test("concatenated with the site's own scripts: found beside the bundle, or by data-base", async () => {
  site.pages.set("/bundle.js", {
    html: `var first = 1;\n${TAG}\n;var last = 1;`,
    headers: { "content-type": "text/javascript; charset=utf-8" },
  });
  await expectAllFound(await load(`<script src="/bundle.js" data-base="/page/"></script>`));
  site.recorded.clear();
  site.pages.set("/assets/bundle.js", {
    html: `var first = 1;\n${TAG}`,
    headers: { "content-type": "text/javascript; charset=utf-8" },
  });
  await expectAllFound(await load(`<script src="/assets/bundle.js"></script>`));
});

test.each([
  ["inlined without data-base", () => `<script>${TAG}</script>`],
  ["with a wrong data-base", () => `<script src="/page/cake-edge.js" data-base="/wrong/"></script>`],
])("%s: the click is kept, what can be sent is sent, and the missing file is named", async (_, html) => {
  const { page, said } = await load(`<script>window.cakeEdge = { options: { debug: true } }</script>${html()}`);
  // The answer cannot be read without the file; the test is that the request arrived.
  expect(await convert(page, { offerId: 1, uniqueId: "u" })).toEqual({ state: "queued", code: "missing_file" });
  expect([...site.recorded.keys()]).toEqual(["1 u"]);
  expect(await convert(page, { offerId: 1 })).toEqual({ state: "queued", code: "missing_file" });
  expect(
    said.some((line) => line.includes("missing_file") && line.includes("outbox.js") && line.includes("data-base")),
  ).toBe(true);
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

const withoutWasm = () => {
  // @ts-expect-error: every browser here has it.
  delete globalThis.WebAssembly;
};

test.each([
  ["from another origin", () => `<script src="${src(cdn.origin)}"></script>`],
  ["inlined", () => `<script data-base="/page/">${TAG}</script>`],
  [
    "with a base of another host",
    () => `<base href="http://127.0.0.1:9/"><script src="${site.origin}/page/cake-edge.js"></script>`,
  ],
])("without WebAssembly its fallback is found too: %s", async (_, html) => {
  const loaded = await load(html(), {}, withoutWasm);
  const known = await loaded.page.evaluate(
    () =>
      new Promise((resolve) =>
        cakeEdge((tracker) => {
          void tracker.ready.then(() => resolve([tracker.engine, tracker.clickId]));
        }),
      ),
  );
  expect(known).toEqual(["js", "abc-1"]);
  await expectAllFound(loaded);
});

test.each([
  ["a nonce", "script-src 'nonce-abc'; connect-src 'self'", `<script nonce="abc" src="/page/cake-edge.js"></script>`],
  [
    "a nonce and strict-dynamic",
    "script-src 'nonce-abc' 'strict-dynamic'; connect-src 'self'",
    `<script nonce="abc" src="/page/cake-edge.js"></script>`,
  ],
  [
    "trusted types",
    "require-trusted-types-for 'script'; trusted-types 'none'",
    `<script src="/page/cake-edge.js"></script>`,
  ],
])("under a policy with %s", async (_, policy, html) => {
  await expectAllFound(await load(html, { "content-security-policy": policy }));
});

test("endpoints are the page's, whatever base says, and however they are written", async () => {
  for (const endpoint of ["/cake", "/cake/", "../cake", `${site.origin}/cake`]) {
    site.recorded.clear();
    const loaded = await load(
      `<base href="${cdn.origin}/"><script src="${site.origin}/page/cake-edge.js" data-endpoint="${endpoint}"></script>`,
    );
    // A single-page site navigates: a relative endpoint stays the same.
    await loaded.page.evaluate((url) => history.pushState(null, "", url), `${site.origin}/a/b/c/d`);
    await expectAllFound(loaded);
  }
});

test("the tag twice is one tracker", async () => {
  const { page, said } = await load(
    `<script src="/page/cake-edge.js"></script><script src="/page/cake-edge.js"></script>`,
  );
  const trackers = await page.evaluate(async () => {
    const one = await new Promise((resolve) => cakeEdge(resolve));
    return one === (await new Promise((resolve) => cakeEdge(resolve)));
  });
  expect(trackers).toBe(true);
  expect(await convert(page, { offerId: 1, uniqueId: "u" })).toMatchObject({ state: "accepted" });
  expect(site.received).toHaveLength(1);
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});
