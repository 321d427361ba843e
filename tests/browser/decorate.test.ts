/** Links and forms that pass the click id on, in Chromium. */
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

/** A page with this body and decorated links. */
async function decorated(
  body: string,
  address = "/?reqid=abc-1",
  hosts = ["shop.example.com", "*.pay.example.com"],
): Promise<{ page: Page; said: string[] }> {
  const { page, said } = await visit(browser, site, address);
  await page.evaluate(
    async ([html, hosts]) => {
      tracker.decorate({ hosts, parameter: "click_id" });
      // Added after the decoration: later changes of the page are covered too.
      const { promise, resolve } = Promise.withResolvers<void>();
      setTimeout(resolve, 200);
      await promise;
      document.body.insertAdjacentHTML("beforeend", html);
    },
    [body, hosts] as const,
  );
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

/** Follows the element with this id; returns the address that the browser requested. */
async function follow(page: Page, how: (page: Page) => Promise<void> = (page) => page.click("#a")): Promise<string> {
  const [request] = await Promise.all([
    page.context().waitForEvent("request", (request) => request.isNavigationRequest()),
    how(page),
  ]);
  return request.url();
}

test.each([
  ["a signed address", "?X-Sig=a%2Bb%2fC%20d+e&X-Exp=1&flag&&empty=", "?X-Sig=a%2Bb%2fC%20d+e&X-Exp=1&flag&&empty=&"],
  ["broken escapes", "?q=100%&r=%zz&s=%E4", "?q=100%&r=%zz&s=%E4&"],
  ["other letters", "?q=käse&r=[]|'", "?q=k%C3%A4se&r=[]|%27&"],
  ["a question mark in the query", "?to=/x?y=1;z", "?to=/x?y=1;z&"],
  ["no query", "", "?"],
  ["an empty query", "?", "?"],
  ["its own parameter", "?a=1&click_id=old&b=2", "?a=1&b=2&"],
  ["its own parameter in another case, twice", "?CLICK_ID=old&a=1&Click_Id=older", "?a=1&"],
  ["its own parameter, encoded", "?click%5Fid=old&a=1", "?a=1&"],
  ["one that only begins so", "?click_id_2=x&my_click_id=y", "?click_id_2=x&my_click_id=y&"],
])("every other byte stays: %s", async (_, query, before) => {
  const { page } = await decorated(`<a id="a" href="${there("shop.example.com")}${query}#frag?x=1&amp;y">Go</a>`);
  await page.click("#a");
  await page.waitForURL("**/cart?**");
  expect(page.url()).toBe(`${there("shop.example.com")}${before}click_id=abc-1#frag?x=1&y`);
});

test.each([
  [
    "an upper-case host in the link",
    (url: string) => `<a id="a" href="${url.replace("shop.example", "SHOP.Example")}">Go</a>`,
  ],
  [
    "an image map",
    (url: string) =>
      `<img usemap="#m" width="50" height="50" alt="x" src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"><map name="m"><area id="a" shape="rect" coords="0,0,50,50" href="${url}" alt="Go"></map>`,
  ],
  [
    "a link in SVG",
    (url: string) => `<svg width="50" height="50"><a href="${url}"><rect id="a" width="50" height="50"/></a></svg>`,
  ],
  [
    "an old link in SVG",
    (url: string) =>
      `<svg width="50" height="50"><a xlink:href="${url}"><rect id="a" width="50" height="50"/></a></svg>`,
  ],
  ["an address without a scheme", (url: string) => `<a id="a" href="${url.replace("http:", "")}">Go</a>`],
  ["white space around the address", (url: string) => `<a id="a" href=" \n${url}\t ">Go</a>`],
])("%s is followed with the click id", async (_, html) => {
  const { page } = await decorated(html(there("shop.example.com")));
  const url = await follow(page, (page) =>
    page.evaluate(() => {
      const target = document.querySelector("#a");
      target?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, composed: true }));
    }),
  );
  expect(url).toBe(`${there("shop.example.com")}?click_id=abc-1`);
});

test("by keyboard, by the middle button, and out of a shadow tree", async () => {
  const href = there("shop.example.com");
  const { page } = await decorated(`<a id="a" href="${href}">Go</a><div id="host"></div>`);
  await page.evaluate((href) => {
    const root = document.querySelector("#host")?.attachShadow({ mode: "open" });
    if (root) root.innerHTML = `<a href="${href}"><i>Go</i></a>`;
  }, href);
  /** The address to which a click leads that opens another tab. */
  const inTab = async (click: () => Promise<void>) => {
    const [tab] = await Promise.all([page.context().waitForEvent("page"), click()]);
    await tab.waitForURL("**/cart**");
    return tab.url();
  };
  const wanted = `${href}?click_id=abc-1`;
  expect(await inTab(() => page.click("#a", { button: "middle" }))).toBe(wanted);
  expect(await inTab(() => page.click("#host i", { modifiers: ["Control"] }))).toBe(wanted);
  await page.focus("#a");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/cart**");
  expect(page.url()).toBe(wanted);
});

test("a link that is opened by its menu carries it", async () => {
  const href = there("shop.example.com");
  const { page } = await decorated(`<a id="a" href="${href}"><b>Go</b></a>`);
  // The menu reads the address at the end of the event.
  await page.evaluate(() => {
    addEventListener("contextmenu", () => {
      Object.assign(window, { seen: document.querySelector("#a")?.getAttribute("href") });
    });
  });
  await page.click("#a b", { button: "right" });
  expect(await page.evaluate("seen")).toBe(`${href}?click_id=abc-1`);
  await expect.poll(() => page.getAttribute("#a", "href")).toBe(href);
});

test("hosts are compared as the browser writes them", async () => {
  const { page } = await decorated(`<a id="a" href="${there("xn--kse-qla.example.com")}">Go</a>`, "/?reqid=abc-1", [
    " KÄSE.Example.com ",
  ]);
  expect(await follow(page)).toBe(`${there("xn--kse-qla.example.com")}?click_id=abc-1`);
});

test.each([
  ["https://shop.example.com", "reqid"],
  [["HTTPS://shop.example.com/cart?x=1"], ""],
  [["//shop.example.com:443/"], null],
  ["other.example.org, shop.example.com", "?reqid="],
  [["https://*.example.com"], ["reqid"]],
  [["*", "shop.example.com"], " reqid "],
  [[null, "https://user@shop.example.com"], undefined],
])("hosts %j and the parameter %j are read as they are meant", async (hosts, parameter) => {
  const { page } = await visit(browser, site, "/?reqid=abc-1");
  await page.evaluate((how) => tracker.decorate(how as never), { hosts, parameter });
  await page.waitForTimeout(200);
  await page.setContent(`<a id="a" href="${there("shop.example.com")}">Go</a>`);
  expect(await follow(page)).toBe(`${there("shop.example.com")}?reqid=abc-1`);
});

test.each([
  [{ hosts: ["*"] }, "hosts must be such as shop.example.com"],
  [{ hosts: [] }, "hosts must be such as shop.example.com"],
  [{ hosts: null }, "hosts must be such as shop.example.com"],
  [{}, "hosts must be such as shop.example.com"],
  [{ hosts: ["shop.example.com", "https://"] }, "hosts must be such as shop.example.com"],
  [{ hosts: ["*.*"] }, "hosts must be such as shop.example.com"],
  [{ hosts: ["shop.example.com"], parameter: {} }, "parameter must be text"],
  [{ host: ["shop.example.com"] }, "host is unknown: did you mean hosts?"],
])("decorate(%j) is told to onError by name", async (how, message) => {
  const { page, said } = await visit(browser, site, "/?reqid=abc-1");
  await page.evaluate((how) => tracker.decorate(how as never), how);
  await expect.poll(() => said.some((line) => line.includes(message))).toBe(true);
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

test("a place of the same page, and what is no http link, are left alone", async () => {
  const { page } = await decorated(
    `<a id="a" href="#top">Top</a><a id="m" href="mailto:x@shop.example.com">Mail</a><a id="none">No link</a>`,
    "/?reqid=abc-1",
    ["127.0.0.1", "shop.example.com"],
  );
  await page.click("#a");
  expect(page.url()).toBe(`${site.origin}/?reqid=abc-1#top`);
  const seen = await page.evaluate(() => {
    const link = document.querySelector<HTMLAnchorElement>("#m");
    addEventListener("click", (event) => event.preventDefault());
    link?.click();
    document.querySelector<HTMLElement>("#none")?.click();
    return link?.getAttribute("href");
  });
  expect(seen).toBe("mailto:x@shop.example.com");
});

test.each([
  ["/p?page=2", "/p?page=2#pricing", "/p?page=2#pricing"],
  ["/p?page=2", "ORIGIN/p?page=2#/route", "/p?page=2#/route"],
  ["/p", "/p#", "/p#"],
  ["/p?page=2", "", "/p?page=2"],
  ["/p?page=2", " ", "/p?page=2"],
  ["/p?page=2", "/p#pricing", "/p?click_id=abc-1#pricing"],
  ["/p", "/p?page=3", "/p?page=3&click_id=abc-1"],
])("on %s, a link of the page's own host to '%s' leads to %s", async (here, href, there) => {
  site.addTrackerPage("/p");
  const { page, go } = await visit(browser, site, "/?reqid=abc-1");
  await go(here);
  await page.evaluate(
    ([href]) => {
      tracker.decorate({ hosts: [location.hostname], parameter: "click_id" });
      document.body.insertAdjacentHTML("beforeend", `<a id="a" href="${href}">Go</a>`);
      (globalThis as { alive?: boolean }).alive = true;
    },
    [href.replace("ORIGIN", site.origin)],
  );
  await page.waitForTimeout(200);
  await page.click("#a");
  await expect.poll(() => page.url()).toBe(site.origin + there);
  // A place of the same page loads nothing.
  if (href.includes("#") && here === there.split("#")[0]) expect(await page.evaluate("alive")).toBe(true);
});

test("a form whose handler stops the event and reads the form carries it too", async () => {
  const { page } = await decorated(
    `<form method="post" action="${there("shop.example.com")}"><input name="a" value="1"><button>Go</button></form>`,
  );
  await page.evaluate(() => {
    document.forms[0]?.addEventListener("submit", (event) => {
      event.stopPropagation();
      new FormData(event.target as HTMLFormElement);
    });
  });
  const [request] = await Promise.all([page.waitForRequest(/cart/), page.click("button")]);
  expect(request.postData()).toBe("a=1&click_id=abc-1");
});

/** The addresses that a click on `#a` would follow, before and after what comes between, and what the link has in the end. */
const clicked = (page: Page, between?: () => void) =>
  page.evaluate(async (code) => {
    const link = document.querySelector("#a") as HTMLAnchorElement;
    const seen: (string | null)[] = [];
    addEventListener("click", (event) => event.preventDefault());
    // After all listeners of the window, as the browser reads it.
    const follow = () => {
      link.click();
      seen.push(link.getAttribute("href"));
    };
    const pause = () => new Promise<void>((resolve) => void setTimeout(resolve, 50));
    follow();
    await pause();
    seen.push(link.getAttribute("href"));
    if (code) new Function(`(${code})()`)();
    await pause();
    follow();
    await pause();
    return [...seen, link.getAttribute("href")];
  }, between && `${between}`);

test.each([
  ["the same hosts twice", [{ hosts: ["shop.example.com"] }, { hosts: ["shop.example.com"] }], ""],
  ["overlapping hosts", [{ hosts: ["*.example.com"] }, { hosts: ["shop.example.com"] }], ""],
  ["two parameters", [{ hosts: ["shop.example.com"] }, { hosts: ["shop.example.com"], parameter: "x" }], "&x=abc-1"],
])("a link that is decorated by %s is afterwards as it was, and carries nothing after a no", async (_, hows, more) => {
  const href = `${there("shop.example.com")}?sig=1`;
  const { page } = await visit(browser, site, "/?reqid=abc-1");
  await page.evaluate(
    async ([html, hows]) => {
      for (const how of hows) tracker.decorate(how);
      await new Promise<void>((resolve) => void setTimeout(resolve, 200));
      document.body.insertAdjacentHTML("beforeend", html);
    },
    [`<a id="a" href="${href}">Go</a>`, hows] as const,
  );
  // The browser does not say which of two imports of one file it answers first.
  const sorted = (address: string | null) => address?.split("&").sort().join("&");
  const seen = await clicked(page, () => tracker.setConsent("denied"));
  expect(seen.map(sorted)).toEqual([`${href}${more}&reqid=abc-1`, href, href, href].map(sorted));
});

test("an address that the site sets at the click carries the click id, and stays where the site put it", async () => {
  const href = there("shop.example.com");
  const { page } = await decorated(`<a id="a" href="/out" onclick="this.href='${href}'">Go</a>`);
  const carried = `${href}?click_id=abc-1`;
  expect(await clicked(page)).toEqual([carried, href, carried, href]);
});

/** What a handler of the site's may make of a link's address at the click, and what the link has afterwards. */
const CHANGES: [what: string, change: (link: HTMLAnchorElement) => void, after: string][] = [
  [
    "setAttribute",
    (link) => link.setAttribute("href", `${link.getAttribute("href")}&utm_medium=x`),
    "?sig=a%2Bb&utm_medium=x",
  ],
  [
    "searchParams",
    (link) => {
      const url = new URL(link.href);
      url.searchParams.set("utm_medium", "x");
      link.href = url.href;
    },
    "?sig=a%2Bb&utm_medium=x",
  ],
  [
    "search",
    (link) => {
      link.search = `?utm_medium=x&${link.search.slice(1)}`;
    },
    "?utm_medium=x&sig=a%2Bb",
  ],
  [
    "a fragment",
    (link) => {
      link.hash = "top";
    },
    "?sig=a%2Bb#top",
  ],
  [
    "a value of its own",
    (link) => link.setAttribute("href", link.href.replace("reqid=abc-1", "reqid=own")),
    "?sig=a%2Bb&reqid=own",
  ],
  [
    "the parameter again",
    (link) => link.setAttribute("href", `${link.getAttribute("href")}&reqid=own`),
    "?sig=a%2Bb&reqid=own",
  ],
  ["a copy in its place", (link) => link.replaceWith(link.cloneNode(true)), "?sig=a%2Bb"],
  [
    "new markup in its place",
    (link) => {
      link.outerHTML = link.outerHTML.replace("&amp;reqid", "&amp;utm_medium=x&amp;reqid");
    },
    "?sig=a%2Bb&utm_medium=x",
  ],
];

test.each(
  ["link", "window"].flatMap((where) => CHANGES.map(([what, change, after]) => ({ where, what, change, after }))),
)("a handler on the $where that changes the address by $what keeps its change, without the click id", async (given) => {
  const { where, change, after } = given;
  const href = `${there("shop.example.com")}?sig=a%2Bb`;
  const { page } = await visit(browser, site, "/?reqid=abc-1");
  const seen = await page.evaluate(
    async ([href, where, change]) => {
      tracker.decorate({ hosts: ["shop.example.com"] });
      tracker.decorate({ hosts: ["*.example.com"], parameter: "x" });
      const pause = () => new Promise<void>((resolve) => void setTimeout(resolve, 200));
      await pause();
      document.body.insertAdjacentHTML("beforeend", `<a id="a" href="${href}">Go</a>`);
      const handler = new Function(`return ${change}`)() as (link: Element) => void;
      const link = () => document.querySelector("#a") as HTMLAnchorElement;
      const on = where === "link" ? link() : window;
      on.addEventListener("click", () => handler(link()), { once: true });
      addEventListener("click", (event) => event.preventDefault());
      link().click();
      await pause();
      const first = link().getAttribute("href");
      tracker.setConsent("denied");
      link().click();
      return [first, link().getAttribute("href"), link().outerHTML.includes("cake")];
    },
    [href, where, `${change}`] as const,
  );
  const expected = there("shop.example.com") + after;
  expect(seen).toEqual([expected, expected, false]);
});

test.each([
  { by: "its button", method: "get", button: "<button>Go</button>", send: (page: Page) => page.click("#host button") },
  { by: "its button", method: "post", button: "<button>Go</button>", send: (page: Page) => page.click("#host button") },
  { by: "Enter alone", method: "get", button: "", send: (page: Page) => page.press("#host input", "Enter") },
])("a form in a shadow tree, sent by $by with $method, carries the click id", async ({ method, button, send }) => {
  const { page } = await decorated(`<div id="host"></div>`);
  await page.evaluate(
    ([method, action, button]) => {
      const inner = document.createElement("div");
      const root = document.querySelector("#host")?.attachShadow({ mode: "open" });
      root?.append(inner);
      inner.attachShadow({ mode: "open" }).innerHTML = `<form method="${method}" action="${action}">
        <input name="q" value="1">${button}</form>`;
    },
    [method, there("shop.example.com", "/pay"), button] as const,
  );
  const [request] = await Promise.all([page.waitForRequest("**/pay**"), send(page)]);
  const sent = method === "get" ? new URL(request.url()).search.slice(1) : request.postData();
  expect(sent).toBe("q=1&click_id=abc-1");
});

test("a page that is written anew by the site's script is decorated on", async () => {
  const href = there("shop.example.com");
  const { page } = await decorated("");
  await page.evaluate((href) => {
    document.open();
    document.write(`<a id="a" href="${href}">Go</a>`);
    document.close();
  }, href);
  expect(await follow(page)).toBe(`${href}?click_id=abc-1`);
});
