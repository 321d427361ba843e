/** A visitor's no in another page or tab, in Chromium: no event tells a page that lives on, but its stores are empty. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Tracker } from "../../js/page/index.ts";
import { launch } from "./chromium.ts";
import { Site } from "./site.ts";
import { open, visit } from "./visit.ts";

declare const tracker: Tracker;

let site: Site;
let browser: Browser;
beforeAll(async () => {
  site = await Site.start();
  browser = await launch([], { ignoreDefaultArgs: ["--disable-back-forward-cache"] });
  for (const path of ["/", "/b"]) {
    const before = `<script>addEventListener("pageshow", (event) => { if (event.persisted) window.isRestored = true; });</script>
      <form id="order"></form>`;
    site.addTrackerPage(path, "{}", { before });
  }
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});

const stored = () => ({ cookie: document.cookie, keys: Object.keys(localStorage) });
const NOTHING = { cookie: "", keys: [] };

/** Goes back, to the same document as before. */
async function back(page: Page): Promise<void> {
  await page.evaluate(() => void setTimeout(() => history.back(), 50));
  await expect.poll(() => page.evaluate(() => "isRestored" in window).catch(() => false)).toBe(true);
}

test.each([
  ["a no", () => tracker.setConsent("denied")],
  [
    "site data that the visitor clears",
    () => {
      localStorage.clear();
      // biome-ignore lint/suspicious/noDocumentCookie: as the browser's own menu does it, at once.
      document.cookie = "cake_click=; Max-Age=0; Path=/";
    },
  ],
] as const)(
  "%s on the next page: the page that is restored knows no click, sends and stores nothing",
  async (_, say) => {
    const { page, go } = await visit(browser, site, "/?reqid=one");
    await page.evaluate(() => tracker.attach({ to: "form", selector: "#order" }));
    await expect.poll(() => page.evaluate(() => document.querySelector("input")?.value)).toBe("one");
    await go("/b");
    await page.evaluate(say);
    await back(page);
    const before = site.received.length;
    expect(await page.evaluate(() => document.querySelector("input"))).toBeNull();
    const result = await page.evaluate(() => tracker.convert({ offerId: 1, orderId: "O1" }));
    expect(result).toEqual({ state: "refused", code: "consent_denied" });
    expect(await page.evaluate(() => tracker.clickId)).toBeUndefined();
    expect(site.received).toHaveLength(before);
    expect(await page.evaluate(stored)).toEqual(NOTHING);
    await page.evaluate(() => tracker.setConsent("granted"));
    expect(await page.evaluate(() => tracker.clickId)).toBe("one");
  },
);

test("a no and a yes on the next page, whose click then counts on the restored one", async () => {
  const { page, go } = await visit(browser, site, "/?reqid=one");
  await go("/b?reqid=two");
  await page.evaluate(() => tracker.setConsent("denied"));
  await page.evaluate(() => tracker.setConsent("granted"));
  await back(page);
  expect(await page.evaluate(() => tracker.clickId)).toBe("two");
  expect((await page.evaluate(stored)).cookie).not.toContain("one");
});

test("a no in another tab: a page whose click was stored before it forgets it", async () => {
  const { page, context, go } = await visit(browser, site, "/?reqid=one");
  await go("/b");
  expect(await page.evaluate(() => tracker.clickId)).toBe("one");
  const other = await open(context, site);
  await other.go("/");
  await other.page.evaluate(() => tracker.setConsent("denied"));
  const before = site.received.length;
  const result = await page.evaluate(() => tracker.convert({ offerId: 1, orderId: "O2" }));
  expect(result).toEqual({ state: "refused", code: "consent_denied" });
  expect(site.received).toHaveLength(before);
  expect(await page.evaluate(stored)).toEqual(NOTHING);
  // A yes brings back no click that a no has deleted.
  await page.evaluate(() => tracker.setConsent("granted"));
  expect(await page.evaluate(() => tracker.clickId)).toBeUndefined();
});

test("stores that never worked are no no", async () => {
  const { page } = await visit(browser, site, "/?reqid=one", () => {
    Object.defineProperty(document, "cookie", { get: () => "", set: () => undefined });
    Object.defineProperty(window, "localStorage", {
      get: () => {
        throw new Error("blocked");
      },
    });
  });
  expect(await page.evaluate(() => tracker.clickId)).toBe("one");
  expect(await page.evaluate(() => tracker.convert({ offerId: 1, orderId: "O3" }))).toMatchObject({
    state: "accepted",
  });
});
