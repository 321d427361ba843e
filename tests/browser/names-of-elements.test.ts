/** Pages whose elements hide the platform's own properties, and frames without an address of their own, in Chromium. */
import type { Browser } from "playwright-core";
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
  browser = await launch();
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});

const OF_DOCUMENT = ["baseURI", "querySelectorAll", "createElement", "prerendering", "visibilityState", "cookie"];
const OF_FORMS = [
  "append",
  "querySelectorAll",
  "getAttribute",
  "addEventListener",
  "removeEventListener",
  "action",
  "matches",
  "localName",
];

test.each([
  ...OF_DOCUMENT.map((name) => ({ name, outside: `<form name="${name}"></form>`, inside: "" })),
  ...OF_FORMS.map((name) => ({ name, outside: "", inside: `<input name="${name}">` })),
])("a form's or field's name hides nothing from attach and decorate: $name", async ({ name, outside, inside }) => {
  const path = `/named-${name}`;
  site.addTrackerPage(path, "{}", {
    before: `${outside}<form id="buy">${inside}</form><a id="link" href="https://partner.example/x">Go</a>
      <form id="out" action="https://partner.example/got">${inside}<button id="go">Go</button></form>`,
  });
  const { page, said } = await visit(browser, site, `${path}?reqid=abc-1`);
  await page.evaluate(() => {
    tracker.attach({ to: "form", selector: "#buy" });
    tracker.decorate({ hosts: ["partner.example"] });
    addEventListener("click", (event) => {
      const link = event.target as Element;
      if (link.id !== "link") return;
      Object.assign(window, { seen: link.getAttribute("href") });
      event.preventDefault();
    });
  });
  const attached = () =>
    page.evaluate(() => new FormData((globalThis as unknown as { buy: HTMLFormElement }).buy).get("reqid"));
  await expect.poll(attached).toBe("abc-1");
  await expect
    .poll(async () => {
      await page.click("#link");
      return page.evaluate("seen");
    })
    .toBe("https://partner.example/x?reqid=abc-1");
  await page.context().route("https://partner.example/**", (route) => route.fulfill({ body: "got" }));
  // The test's own tool stumbles over these names, too.
  await page.evaluate(() => (globalThis as unknown as { go: HTMLButtonElement }).go.click());
  await page.waitForURL(/^https:\/\/partner\.example\/got\?.*\breqid=abc-1$/);
  expect(said.filter((line) => line.startsWith("THROWN"))).toEqual([]);
});

test.each(["srcdoc", "about:blank"])(
  "a frame without an address (%s) reports to its origin's endpoint",
  async (kind) => {
    site.addTrackerPage("/frame");
    const { page } = await visit(browser, site, "/frame?reqid=abc-1");
    const posted: string[] = [];
    await page.context().route("**/api/cake/conversions", (route) => {
      posted.push(route.request().url());
      return route.fulfill({ status: 202, json: { id: "x", state: "pending", duplicate: false } });
    });
    const result = await page.evaluate(
      (kind) =>
        new Promise((resolve) => {
          const frame = document.createElement("iframe");
          const script = '<script src="/page/cake-edge.js" data-endpoint="/api/cake"></' + "script>";
          if (kind === "srcdoc") frame.srcdoc = script;
          frame.onload = () => {
            const inner = frame.contentWindow as unknown as Record<string, unknown>;
            const use = (inner: Tracker) => resolve(inner.convert({ offerId: 1, orderId: "F-1" }));
            if (kind === "srcdoc") return (inner["cakeEdge"] as (use: unknown) => void)(use);
            inner["cakeEdge"] = { q: [use] };
            const tag = Object.assign(document.createElement("script"), { src: "/page/cake-edge.js" });
            tag.dataset["endpoint"] = "/api/cake";
            frame.contentDocument?.body.append(tag);
            return undefined;
          };
          document.body.append(frame);
        }),
      kind,
    );
    expect(result).toMatchObject({ state: "accepted" });
    expect(posted).toEqual([`${site.origin}/api/cake/conversions`]);
  },
);
