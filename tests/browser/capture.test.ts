/**
 * Capture and storage of the click id, in Chromium: cookie and localStorage, each blocked or full, and the root domain.
 */
import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Tracker } from "../../js/page/index.ts";
import { launch } from "./chromium.ts";
import { Site } from "./site.ts";
import { open, visit } from "./visit.ts";

declare const tracker: Tracker;
declare const pageModule: typeof import("../../js/page/index.ts");
declare const errors: { code: string; parameter?: string; message: string }[];

let site: Site;
let browser: Browser;
beforeAll(async () => {
  site = await Site.start();
  browser = await launch(["--host-resolver-rules=MAP *.example.co.uk 127.0.0.1, MAP *.github.io 127.0.0.1"]);
  site.addTrackerPage("/");
  site.addModulesPage("/modules");
  site.addTrackerPage("/thanks");
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});

const visitor = (address: string, before?: () => void) => visit(browser, site, address, before);
const clickIdOf = (page: Page) => page.evaluate(() => tracker.clickId);

test("a click id is kept in a cookie and in localStorage, as the browser sees them", async () => {
  const { page, said, go } = await visitor("/?utm_source=x&reqid=abc-1&s1=k%C3%A4se+%26");
  expect(await clickIdOf(page)).toBe("abc-1");
  expect(await page.evaluate(() => tracker.engine)).toBe("wasm");
  const [cookie, ...others] = await page.context().cookies();
  expect(others).toEqual([]);
  expect(cookie).toMatchObject({
    name: "cake_click",
    domain: "127.0.0.1",
    path: "/",
    sameSite: "Lax",
    secure: false,
    httpOnly: false,
  });
  expect(cookie?.value).toMatch(/^1!\w+\*\w+!reqid!abc-1!k%C3%A4se%20%26$/);
  const days = ((cookie?.expires ?? 0) - Date.now() / 1_000) / 86_400;
  expect(days).toBeCloseTo(30, 2);
  expect(await page.evaluate(() => localStorage.getItem("cake_click"))).toBe(cookie?.value);
  // The next page knows the click from the storage.
  await go("/thanks");
  expect(await clickIdOf(page)).toBe("abc-1");
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
  expect(said.at(-1)).toBe("cake-edge: known_click");
});

interface QueryVector {
  readonly name: string;
  readonly query: string;
  readonly parameters?: string[];
  readonly clickId?: string;
  readonly parameter?: string;
}
const { queries }: { queries: QueryVector[] } = JSON.parse(readFileSync("tests/vectors/click_ids.json", "utf8"));

test("an address has its click id, as in Rust and at the edge", { timeout: 90_000 }, async () => {
  const { page, context, go } = await visitor("/");
  for (const { name, query, parameters, clickId, parameter } of queries) {
    const { pathname } = new URL(`/${query}`, site.origin);
    site.addTrackerPage(pathname, JSON.stringify({ parameters }));
    await context.clearCookies();
    await page.evaluate(() => localStorage.clear());
    await go(`/${query}`);
    const kept = await page.evaluate(() => [tracker.clickId, localStorage.getItem("cake_click")?.split("!")[2]]);
    expect(
      kept.map((text) => text ?? undefined),
      name,
    ).toEqual([clickId, parameter]);
  }
  site.addTrackerPage("/");
});

test("what was there and not taken is told by debug", async () => {
  const { said } = await visitor("/?status=successful&transaction_id=2784792");
  expect(said).toContain("cake-edge: no_click_id");
  expect(said).toContain("cake-edge: not_taken status transaction_id");
});

test("a fragment that is not read is told as well", async () => {
  for (const fragment of ["#top?reqid=abc-1", "#reqid=abc-1", "#/shop?x=1&reqid=abc-1"]) {
    const { said } = await visitor(`/${fragment}`);
    expect(said.join("\n"), fragment).toMatch(/not_taken .*reqid/);
  }
  const { said } = await visitor("/#top");
  expect(said).toEqual(["cake-edge: no_click_id"]);
});

test("an address that is too long for a page is told", async () => {
  const { said } = await visitor(`/#x=${"y".repeat(30_000)}`);
  expect(said).toEqual(["cake-edge: no_click_id", "cake-edge: not_taken x"]);
  const { page, go, said: told } = await visitor("/");
  site.addTrackerPage("/fragment", "{ fragment: true, debug: true }");
  await go(`/fragment?a=1#x=${"y".repeat(30_000)}&reqid=abc-1`);
  await expect.poll(() => told).toContain("cake-edge: not_taken a x");
  expect(told).toContain("cake-edge: address_cut");
  expect(await clickIdOf(page)).toBeUndefined();
});

test("the payment's number on the thank-you page takes no click's place", async () => {
  const { page, go } = await visitor("/?reqid=abc-1");
  await go("/thanks?status=successful&transaction_id=2784792&reqid=undefined");
  expect(await clickIdOf(page)).toBe("abc-1");
});

test("of two cookies of one name the newest counts, and a stale one makes no more of them", async () => {
  const { page, context, go } = await visitor(`http://shop.example.co.uk:${site.port}/?reqid=abc-1`);
  const stale = await page.evaluate(() => localStorage.getItem("cake_click") ?? "");
  await context.addCookies([{ name: "cake_click", value: stale, url: `http://shop.example.co.uk:${site.port}/` }]);
  await page.waitForTimeout(1_100);
  await go(`http://shop.example.co.uk:${site.port}/?reqid=abc-2`);
  expect(await clickIdOf(page)).toBe("abc-2");
  const cookies = (await context.cookies()).filter(({ name }) => name === "cake_click");
  expect(cookies.map(({ domain }) => domain)).toEqual([".example.co.uk"]);
  await go(`http://shop.example.co.uk:${site.port}/thanks`);
  expect(await clickIdOf(page)).toBe("abc-2");
});

test("denial leaves no cookie on any domain that former settings may have used", async () => {
  site.addTrackerPage("/denied", `{ consent: "denied", cookieDomain: "shop.example.co.uk" }`);
  const { context, go } = await visitor(`http://shop.example.co.uk:${site.port}/?reqid=abc-1`);
  const url = `http://shop.example.co.uk:${site.port}/`;
  await context.addCookies([
    { name: "cake_click", value: "1!x*x!r!abc", url },
    { name: "cake_click", value: "1!x*x!r!abc", domain: ".shop.example.co.uk", path: "/" },
  ]);
  await go(`${url}denied`);
  expect(await context.cookies()).toEqual([]);
});

test("consent in a platform's own words is understood, and any other word is told", async () => {
  const { page } = await visitor("/modules");
  const words = await page.evaluate(async () => {
    const { createTracker } = pageModule;
    const all = ["Granted", true, "TRUE", " granted ", "Denied", false, "yes", 1, null].map((consent) => {
      const heard: (string | undefined)[] = [];
      history.replaceState(null, "", "/");
      // biome-ignore lint/suspicious/noDocumentCookie: as a page does.
      document.cookie = "cake_click=; Path=/; Max-Age=0";
      localStorage.clear();
      const tracker = createTracker({ consent: "pending", onError: ({ parameter }) => heard.push(parameter) });
      history.replaceState(null, "", "/?reqid=abc-2");
      tracker.setConsent(consent as "granted");
      return [consent, localStorage.length > 0, heard];
    });
    // A file that is loaded tells it.
    await new Promise((resolve) => setTimeout(resolve, 500));
    return all;
  });
  expect(words).toEqual([
    ["Granted", true, []],
    [true, true, []],
    ["TRUE", true, []],
    [" granted ", true, []],
    ["Denied", false, []],
    [false, false, []],
    ["yes", false, ["consent"]],
    [1, false, ["consent"]],
    [null, false, ["consent"]],
  ]);
});

test("a device's clock that was wrong once does not make a click immortal", async () => {
  const ahead = () => {
    const now = Date.now();
    Date.now = () => now + 3_650 * 86_400_000;
  };
  const { page, context } = await visitor("/?reqid=abc-1", ahead);
  const text = await page.evaluate(() => localStorage.getItem("cake_click") ?? "");
  const right = await visitor("/");
  await right.page.evaluate((text) => localStorage.setItem("cake_click", text), text);
  await right.go("/thanks");
  expect(await clickIdOf(right.page)).toBe("abc-1");
  // Its window began with that view.
  const later = await open(right.context, site);
  await later.page.addInitScript(() => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + Number(new URLSearchParams(location.search).get("days")) * 86_400_000;
  });
  for (const [days, counts] of [
    [29, "abc-1"],
    [30, undefined],
  ] as const) {
    await later.go(`/thanks?days=${days}`);
    expect(await clickIdOf(later.page)).toBe(counts);
  }
  await context.close();
});

test("a page without a click says so and stores nothing", async () => {
  const { page, said } = await visitor("/?reqid=%23reqid%23");
  expect(await clickIdOf(page)).toBeUndefined();
  expect(await page.context().cookies()).toEqual([]);
  expect(await page.evaluate(() => localStorage.length)).toBe(0);
  expect(said).toContain("cake-edge: no_click_id");
});

test("either store alone is enough, and mends the other", async () => {
  const { page, go } = await visitor("/?reqid=abc-2");
  await page.evaluate(() => localStorage.clear());
  await go("/thanks");
  expect(await clickIdOf(page)).toBe("abc-2");
  expect(await page.evaluate(() => localStorage.getItem("cake_click"))).toContain("abc-2");
  await page.context().clearCookies();
  await go("/thanks");
  expect(await clickIdOf(page)).toBe("abc-2");
  expect(await page.context().cookies()).toHaveLength(1);
});

test("the widest domain that the browser allows holds the cookie", async () => {
  for (const [host, domain] of [
    ["www.shop.example.co.uk", ".example.co.uk"],
    ["me.github.io", "me.github.io"],
    ["www.me.github.io", ".me.github.io"],
  ]) {
    const { page } = await visitor(`http://${host}:${site.port}/?reqid=abc-3`);
    const cookies = await page.context().cookies();
    expect(
      cookies.map((cookie) => cookie.domain.replace(/^\.(?=me\.github\.io$)/, host === "me.github.io" ? "" : ".")),
    ).toEqual([domain]);
    expect(await clickIdOf(page)).toBe("abc-3");
  }
});

test("a given domain is the cookie's", async () => {
  site.addTrackerPage("/given", `{ cookieDomain: "shop.example.co.uk" }`);
  const { page } = await visitor(`http://www.shop.example.co.uk:${site.port}/given?reqid=abc-4`);
  expect((await page.context().cookies()).map(({ domain }) => domain)).toEqual([".shop.example.co.uk"]);
});

test.each(["Shop.Example.CO.UK", ".shop.example.co.uk", " shop.example.co.uk "])(
  "a domain written as %j is no other one: a stale copy beside it goes, the good one stays",
  async (domain) => {
    site.addTrackerPage("/written", `{ cookieDomain: ${JSON.stringify(domain)} }`);
    const { page, context, go } = await visitor(`http://www.shop.example.co.uk:${site.port}/modules`);
    const url = `http://www.shop.example.co.uk:${site.port}/`;
    await context.addCookies([{ name: "cake_click", value: "1!tgvuy0*tgvuy0!reqid!stale", url }]);
    await go(`${url}written?reqid=abc-4`);
    const [kept, ...others] = await context.cookies();
    expect([kept?.domain, others]).toEqual([".shop.example.co.uk", []]);
    expect(kept?.value).toContain("abc-4");
    await go(`${url}written`);
    expect(await page.evaluate(() => tracker.clickId)).toBe("abc-4");
  },
);

test.each([
  ["co.uk", "www.shop.example.co.uk", ".example.co.uk"],
  ["uk", "www.shop.example.co.uk", ".example.co.uk"],
  ["other.co.uk", "www.shop.example.co.uk", ".example.co.uk"],
  ["github.io", "me.github.io", "me.github.io"],
])("a domain that the browser refuses is named once, and the default counts: %s", async (given, host, domain) => {
  site.addTrackerPage("/refused", `{ cookieDomain: "${given}" }`);
  const { page, go } = await visitor(`http://${host}:${site.port}/refused?reqid=abc-4`);
  const named = () => page.evaluate(() => errors.map(({ code, parameter }) => [code, parameter]));
  await expect.poll(named).toEqual([["invalid_setting", "cookieDomain"]]);
  const cookies = await page.context().cookies();
  expect(cookies.map((cookie) => cookie.domain.replace(/^\.(?=me\.)/, ""))).toEqual([domain]);
  await go(`http://${host.replace("www", "pay")}:${site.port}/`);
  expect(await clickIdOf(page)).toBe("abc-4");
});

test("a clock that was slow for some page views ends no click", async () => {
  const { page, context, go } = await visitor("/?reqid=abc-7");
  const slow = await open(context, site);
  await slow.page.addInitScript(() => {
    const now = Date.now.bind(Date);
    Date.now = () => now() - 40 * 86_400_000;
  });
  for (const path of ["/", "/thanks", "/"]) {
    await slow.go(path);
    expect(await clickIdOf(slow.page)).toBe("abc-7");
  }
  await go("/thanks");
  expect(await clickIdOf(page)).toBe("abc-7");
});

test("on https the cookie is Secure", async () => {
  const context = await browser.newContext();
  await context.route("https://www.example.co.uk/**", async (route) => {
    const { pathname } = new URL(route.request().url());
    const response = await fetch(site.origin + pathname);
    await route.fulfill({
      status: response.status,
      contentType: response.headers.get("content-type") ?? "",
      body: Buffer.from(await response.arrayBuffer()),
    });
  });
  const { go } = await open(context, site);
  await go("https://www.example.co.uk/?reqid=abc-5");
  expect(await context.cookies()).toMatchObject([{ domain: ".example.co.uk", secure: true, sameSite: "Lax" }]);
});

test("blocked storage leaves the cookie", async () => {
  const { page, said, go } = await visitor("/?reqid=abc-6", () =>
    Object.defineProperty(window, "localStorage", {
      get() {
        throw new DOMException("blocked", "SecurityError");
      },
    }),
  );
  expect(await page.context().cookies()).toHaveLength(1);
  expect(said).toContain("cake-edge: storage_blocked");
  await go("/thanks");
  expect(await clickIdOf(page)).toBe("abc-6");
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

test("blocked cookies leave the storage", async () => {
  const { page, said, go } = await visitor("/?reqid=abc-7", () =>
    Object.defineProperty(document, "cookie", {
      get() {
        throw new DOMException("blocked", "SecurityError");
      },
      set() {
        throw new DOMException("blocked", "SecurityError");
      },
    }),
  );
  expect(said).toContain("cake-edge: cookie_blocked");
  await go("/thanks");
  expect(await clickIdOf(page)).toBe("abc-7");
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

test("a full storage leaves the cookie", async () => {
  const { page, said, go } = await visitor("/");
  await page.evaluate(() => {
    // Fills the storage to the last character.
    for (let size = 2 ** 22; size >= 1; size = Math.floor(size / 2)) {
      for (;;) {
        try {
          localStorage.setItem(`full${localStorage.length}`, "x".repeat(size));
        } catch {
          break;
        }
      }
    }
  });
  await go("/?reqid=abc-8");
  expect(await clickIdOf(page)).toBe("abc-8");
  expect(await page.context().cookies()).toHaveLength(1);
  expect(said).toContain("cake-edge: storage_blocked");
});

test("a fragment that is read has its click id at any place", async () => {
  site.addTrackerPage("/fragment", "{ fragment: true }");
  const addresses = [
    "#reqid=A",
    "#?reqid=A",
    "#/offer?reqid=A",
    "#!/offer?x=1&reqid=A",
    "#/offer&reqid=A",
    "#top?reqid=A#end",
    // A query of something else after it.
    "#reqid=A?utm=1",
    "#reqid=A&to=/cart?x=1",
    "#/offer&reqid=A?x=1",
    "#/offer?to=/cart?x=1&reqid=A",
    // A preferred name in it counts before another one in the query.
    "?clickid=X#reqid=A",
    "?clickid=X#/o&reqid=A",
    "?clickid=X#/o?reqid=A",
    "?clickid=X#!/o?reqid=A",
    "?clickid=X#?reqid=A",
    "?y=1#reqid=A?z=2",
    "?y=1#/offer?z=2&reqid=A",
    "?y=1#reqid=%22A%22?z",
  ];
  const { page, context, go } = await visitor("/fragment");
  for (const [at, address] of addresses.entries()) {
    await context.clearCookies();
    await page.evaluate(() => localStorage.clear());
    await go(`/fragment${address.replace("A", `abc-${at + 100}`)}`);
    await page.reload();
    await page.waitForFunction(() => "tracker" in globalThis);
    expect(await clickIdOf(page), address).toBe(`abc-${at + 100}`);
  }
});

test("with both stores blocked the page that was landed on still knows", async () => {
  const { page } = await visitor("/?reqid=abc-9", () => {
    Object.defineProperty(window, "localStorage", { value: undefined });
    Object.defineProperty(document, "cookie", { get: () => "", set: () => undefined });
  });
  await page.evaluate(() => history.pushState(null, "", "/checkout"));
  expect(await clickIdOf(page)).toBe("abc-9");
});

test("parameters, touch, window and journey are the core's", async () => {
  site.addTrackerPage("/own", `{ parameters: ["subid"], touch: "first", journey: 2, windowDays: 7, fragment: true }`);
  const { page, go } = await visitor("/own?reqid=no&subid=one");
  expect(await clickIdOf(page)).toBe("one");
  for (const id of ["two", "three"]) {
    await go(`/own#/route?subid=${id}`);
    await page.reload();
    await page.waitForFunction(() => "tracker" in globalThis);
  }
  expect(await clickIdOf(page)).toBe("one");
  const [cookie] = await page.context().cookies();
  expect(cookie?.value).toMatch(/^1!\w+\*\w+!subid!three\*\w+!subid!one$/);
  expect(((cookie?.expires ?? 0) - Date.now() / 1_000) / 86_400).toBeCloseTo(7, 2);
});

test("a setting out of range is an error that is heard, not thrown", async () => {
  site.addTrackerPage("/range", "{ windowDays: 401 }");
  const { page, said } = await visitor("/range?reqid=abc");
  await expect
    .poll(() => page.evaluate(() => errors.map(({ code, parameter }) => [code, parameter])))
    .toEqual([["invalid_setting", "windowDays"]]);
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

test("with edge the page keeps none", async () => {
  site.addTrackerPage("/edge", "{ edge: true }");
  const { page, said } = await visitor("/edge?reqid=abc");
  expect(await clickIdOf(page)).toBeUndefined();
  expect(await page.context().cookies()).toEqual([]);
  expect(await page.evaluate(() => localStorage.length)).toBe(0);
  expect(said).toContain("cake-edge: kept_by_edge");
});
