/** Firefox: final outcomes, the time of sending, and how the tag finds its files. */
import type { Page } from "puppeteer-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { ConvertResult, PageConversion, Tracker } from "../../js/page/index.ts";
import { withFirefox } from "./settings.ts";
import { Site } from "./site.ts";

declare const tracker: Tracker;
declare const cakeEdge: (use: (tracker: Tracker) => void) => void;

let site: Site;
let other: Site;
beforeAll(async () => {
  site = await Site.start();
  other = await Site.start();
  other.isOpen = true;
  site.addTrackerPage("/");
  site.addTrackerPage("/thanks");
  other.pages.set("/", { html: "<!doctype html><title>elsewhere</title>" });
});
beforeEach(() => {
  site.trouble = undefined;
  site.fileTrouble.clear();
  site.received.length = 0;
  site.recorded.clear();
});
afterAll(async () => {
  await site?.stop();
  await other?.stop();
});

async function go(page: Page, path: string): Promise<void> {
  await page.goto(site.origin + path);
  await page.waitForFunction(() => "tracker" in globalThis);
}

const convert = (page: Page, fields: PageConversion): Promise<ConvertResult> =>
  page.evaluate((fields) => tracker.convert(fields), fields);

test("only what is about the conversion ends it, and what waits is sent after the mend", async () => {
  await withFirefox({}, async (firefox) => {
    const page = await firefox.newPage();
    await go(page, "/?reqid=abc-1");
    const own = (code: string) => ({ error: { code, rule: "is wrong", retryable: false } });
    site.trouble = { status: 400, body: own("invalid_unique_id") };
    expect(await convert(page, { offerId: 1, uniqueId: "bad" })).toEqual({
      state: "refused",
      code: "invalid_unique_id",
    });
    site.trouble = { status: 403, body: own("origin_refused") };
    expect(await convert(page, { offerId: 1, uniqueId: "u" })).toEqual({ state: "queued", code: "origin_refused" });
    site.trouble = { status: 302, body: "", headers: { location: "/cake/conversions" } };
    expect(await convert(page, { offerId: 1, orderId: "A" })).toMatchObject({ state: "queued" });
    site.trouble = undefined;
    await go(page, "/thanks");
    await expect.poll(() => site.recorded.size).toBe(2);
  });
});

test("an endpoint that never answers: queued within 15 s", async () => {
  await withFirefox({}, async (firefox) => {
    const page = await firefox.newPage();
    await go(page, "/?reqid=abc-1");
    site.trouble = { silent: true };
    const start = Date.now();
    expect(await convert(page, { offerId: 1, orderId: "A" })).toEqual({ state: "queued", code: "network" });
    expect(Date.now() - start).toBeLessThan(15_000);
  });
});

test.each(["module", "tag"] as const)(
  "a file that was missing, though Firefox remembers failed imports (%s): found in the same page or on the next",
  async (how) => {
    await withFirefox({}, async (firefox) => {
      site.pages.set("/tag", {
        html: `<!doctype html><title>tag</title><script src="/page/cake-edge.js"></script>
          <script>cakeEdge(function (made) { window.tracker = made })</script>`,
      });
      const path = how === "tag" ? "/tag" : "/";
      const page = await firefox.newPage();
      site.fileTrouble.set("outbox.js", "missing");
      await go(page, `${path}?reqid=abc-1`);
      expect(await convert(page, { offerId: 1, uniqueId: "u" })).toEqual({ state: "queued", code: "missing_file" });
      expect([...site.recorded.keys()]).toEqual(["1 u"]);
      expect(await convert(page, { offerId: 1 })).toEqual({ state: "queued", code: "missing_file" });
      site.fileTrouble.clear();
      if (how === "tag") {
        expect(await convert(page, { offerId: 2 })).toMatchObject({ state: "accepted" });
      } else {
        // A conversion that can be sent is sent anyway.
        expect(await convert(page, { offerId: 2, uniqueId: "v" })).toEqual({ state: "queued", code: "missing_file" });
        expect(site.recorded.has("2 v")).toBe(true);
        await go(page, path);
      }
      await expect.poll(() => site.recorded.size).toBe(3);
    });
  },
);

test.each([
  ["with keepalive", {}],
  ["without", { "dom.fetchKeepalive.enabled": false }],
] as const)("a visitor who leaves in the very moment has converted (%s)", async (_, preferences) => {
  await withFirefox(preferences, async (firefox) => {
    const page = await firefox.newPage();
    await go(page, "/?reqid=abc-1");
    // The outbox, loaded in advance, replaces features that an older version lacks.
    await expect
      .poll(() => site.requests.some(({ path }) => path === "/page/outbox.js"), { timeout: 10_000 })
      .toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await page.evaluate(() => {
      void tracker.convert({ offerId: 1, orderId: "leaving" });
    });
    await page.goto(`${other.origin}/`);
    await expect.poll(() => site.recorded.size).toBe(1);
  });
});

test("a sale that waits is sent by the page that is shown: one in the back/forward cache has no lock", async () => {
  await withFirefox({}, async (firefox) => {
    const page = await firefox.newPage();
    await go(page, "/?reqid=abc-1");
    site.trouble = { reset: true };
    expect(await convert(page, { offerId: 1, orderId: "A" })).toEqual({ state: "queued", code: "network" });
    await go(page, "/thanks");
    await new Promise((resolve) => setTimeout(resolve, 300));
    site.trouble = undefined;
    await go(page, "/");
    await expect.poll(() => site.recorded.size, { timeout: 4_000 }).toBe(1);
  });
});

test("three tabs of one order at once have one unique id", async () => {
  await withFirefox({}, async (firefox) => {
    const pages = await Promise.all([firefox.newPage(), firefox.newPage(), firefox.newPage()]);
    for (const page of pages) await go(page, "/?reqid=abc-1");
    const states = await Promise.all(pages.map(async (page) => (await convert(page, { offerId: 1 })).state));
    expect(states.sort()).toEqual(["accepted", "duplicate", "duplicate"]);
    expect(site.recorded.size).toBe(1);
  });
});

test("the tag of another origin finds its files there, under a base of another host too", async () => {
  site.pages.set("/tag", {
    html: `<!doctype html><base href="http://127.0.0.1:9/"><script src="${other.origin}/page/cake-edge.js"
      data-edge="false" data-touch="middle"></script>`,
  });
  await withFirefox({}, async (firefox) => {
    const page = await firefox.newPage();
    const said: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    await page.goto(`${site.origin}/tag?reqid=abc-1`);
    const result = await page.evaluate(
      () =>
        new Promise<[string | undefined, ConvertResult]>((resolve) =>
          cakeEdge(async (tracker) => resolve([tracker.clickId, await tracker.convert({ offerId: 1 })])),
        ),
    );
    expect(result).toMatchObject(["abc-1", { state: "accepted" }]);
    expect(said.join("\n")).toContain("invalid_setting");
  });
});
