/** Addresses that a page reads again, in Chromium: by a later tracker, at a yes, in an address that has more by now. */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { ConvertResult, PageConversion, Tracker, TrackerOptions } from "../../js/page/index.ts";
import { launch } from "./chromium.ts";
import { Site } from "./site.ts";
import { open, type Visit, visit } from "./visit.ts";

declare let tracker: Tracker;
declare let former: Tracker;
declare const create: (options?: TrackerOptions) => void;

let site: Site;
let browser: Browser;
beforeAll(async () => {
  site = await Site.start();
  browser = await launch();
  site.pages.set("/", {
    html: `<!doctype html><body><script type="module">import { createTracker } from "/page/page.js";
      window.create = (options) => { window.former = window.tracker; window.tracker = createTracker(options); };
      create(JSON.parse(sessionStorage.getItem("options") ?? "{}"));</script>`,
  });
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

/** A page whose tracker has these options. */
const land = async (query: string, options: TrackerOptions = {}): Promise<Visit> => {
  const own = await visit(browser, site, "/");
  await own.page.evaluate((text) => sessionStorage.setItem("options", text), JSON.stringify(options));
  await own.go(`/?${query}`);
  return own;
};
const tab = async ({ context }: Visit, query: string): Promise<Visit> => {
  const opened = await open(context, site);
  await opened.go(`/?${query}`);
  return opened;
};
const push = ({ page }: Visit, address: string) => page.evaluate((to) => history.pushState(null, "", to), address);
const remake = ({ page }: Visit, options: TrackerOptions = {}) =>
  page.evaluate((given) => {
    tracker.dispose();
    create(given);
  }, options);
const say = ({ page }: Visit, ...words: readonly string[]) =>
  page.evaluate((all) => {
    for (const word of all) tracker.setConsent(word as "granted");
  }, words);
const convert = ({ page }: Visit, fields: PageConversion): Promise<ConvertResult> =>
  page.evaluate((given) => tracker.convert(given), fields);
const clickIdOf = ({ page }: Visit) => page.evaluate(() => tracker.clickId);
const nextSecond = ({ page }: Visit) => page.waitForTimeout(1_050);

const AGAIN: Record<string, (own: Visit) => Promise<unknown>> = {
  "a tracker made again": remake,
  "made again at another address": async (own) => {
    await push(own, "/shop");
    await remake(own);
  },
  "a second tracker": ({ page }) => page.evaluate(() => create()),
  "the former tracker's yes": ({ page }) =>
    page.evaluate(() => {
      create();
      former.dispose();
      former.setConsent("granted");
    }),
  "one more yes": (own) => say(own, "granted"),
  "pending, then yes": (own) => say(own, "pending", "granted"),
  "a place of the page": (own) => push(own, "#top"),
  "another parameter": (own) => own.page.evaluate(() => history.pushState(null, "", `${location.search}&tab=2`)),
};

test.each(Object.keys(AGAIN))("an order's own id that was removed does not come back: %s", async (how) => {
  const own = await land("reqid=paid-0001");
  await own.go("/?click_id=1077");
  expect(await convert(own, { offerId: 1, orderId: "1077" })).toMatchObject({ state: "accepted" });
  await AGAIN[how]?.(own);
  expect(await clickIdOf(own)).toBe("paid-0001");
  await convert(own, { offerId: 1, orderId: "1078" });
  expect(site.received.map(({ clickId }) => clickId)).toEqual(["paid-0001", "paid-0001"]);
});

test.each(["click_id=1077&clickid=paid-0001", "reqid=1077&reqid=paid-0001", "clickid=paid-0001&reqid=%231077"])(
  "beside an order's own id, the address's click counts: %s",
  async (query) => {
    for (const before of ["", "reqid=older-1"]) {
      site.received.length = 0;
      site.recorded.clear();
      const own = await land(before);
      await nextSecond(own);
      await own.go(`/?${query}`);
      expect(await convert(own, { offerId: 1, orderId: "1077" })).toMatchObject({ state: "accepted" });
      expect(site.received).toMatchObject([{ clickId: "paid-0001" }]);
      expect(await clickIdOf(own)).toBe("paid-0001");
    }
  },
);

test.each(["reqid=known-1&clickid=other-1", "clickid=other-1&reqid=known-1", "reqid=known-1&reqid=other-1"])(
  "in an address that has the known id first, another is no click: %s",
  async (query) => {
    const own = await land("reqid=known-1");
    await nextSecond(own);
    await push(own, `/?${query}`);
    expect(await clickIdOf(own)).toBe("known-1");
    await push(own, "/?reqid=newer-1&clickid=known-1");
    expect(await clickIdOf(own)).toBe("newer-1");
  },
);

test.each(["a tracker made again", "made again at another address", "a second tracker"])(
  "a click keeps its time: %s",
  async (how) => {
    // A newer one of another tab, which has pushed this one out.
    const own = await land("reqid=older-1", { journey: 1 });
    await nextSecond(own);
    const other = await tab(own, "reqid=newer-1");
    await nextSecond(own);
    await AGAIN[how]?.(own);
    expect([await clickIdOf(own), await clickIdOf(other)]).toEqual(["newer-1", "newer-1"]);
    // A no and a yes in the other.
    await say(other, "denied", "granted");
    expect(await clickIdOf(other)).toBe("newer-1");
    await AGAIN[how]?.(own);
    expect(await clickIdOf(own)).toBe("newer-1");
    // Its window.
    const past = await land("reqid=past-0001", { windowDays: 1 });
    await past.page.evaluate(() => {
      const now = Date.now;
      Date.now = () => now() + 2 * 86_400_000;
    });
    await remake(past, { windowDays: 1 });
    expect(await clickIdOf(past)).toBeUndefined();
  },
);

test("a held sale has the click that its address brought before it, also after a tracker was made again", async () => {
  const own = await land("reqid=older-1");
  await own.page.evaluate(() => sessionStorage.setItem("options", `{"consent":"pending"}`));
  await nextSecond(own);
  await own.go("/?reqid=newer-1");
  await nextSecond(own);
  await convert(own, { offerId: 1, orderId: "5" });
  await nextSecond(own);
  await remake(own, { consent: "pending" });
  await say(own, "granted");
  await expect.poll(() => site.received).toMatchObject([{ clickId: "newer-1", uniqueId: "newer-1:5" }]);
});
