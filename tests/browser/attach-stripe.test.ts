/** `attach({ to: "stripe" })` in Chromium: payment links, buy buttons and pricing tables. */
import type { Page } from "playwright-core";
import { beforeEach, expect, test } from "vitest";
import type { Tracker } from "../../js/page/index.ts";
import { poll, setStage, visit } from "./attach-visitor.ts";
import type { Shop } from "./shop.ts";

declare const tracker: Tracker;

const stage = setStage();
const visitor = () => visit(stage);
let shop: Shop;
beforeEach(() => {
  shop = stage.shop;
});

test("Stripe's links follow the click that counts, whatever else decorates them, on all of Stripe's hosts", async () => {
  const { page, go, attach } = await visitor();
  const queries = ["", "?client_reference_id={reqid}", "?client_reference_id=REPLACE", "?client_reference_id=mine"];
  const links = ["buy", "book", "donate"].flatMap((kind) =>
    queries.map((query) => `<a href="https://${kind}.stripe.com/a${query}">Go</a>`),
  );
  shop.addPage("/stripe", "", "{}", links.join(""));
  await go("/stripe?reqid=click-1");
  await attach({ to: "stripe" });
  await attach({ to: "stripe" });
  await page.evaluate(() => tracker.decorate({ hosts: ["*.stripe.com"] }));
  await page.evaluate(() => addEventListener("click", (event) => event.preventDefault()));
  const follow = () =>
    page.evaluate(() =>
      [...document.querySelectorAll("a")].map((link) => {
        link.click();
        // Sorted: whichever of the two is ready first puts its parameter first.
        return [...new URL(link.href).searchParams].sort().join("&");
      }),
    );
  const wanted = (id: string) =>
    [1, 2, 3].flatMap(() => [
      ...[1, 2, 3].map(() => `client_reference_id,${id}&reqid,${id}`),
      `client_reference_id,mine&reqid,${id}`,
    ]);
  await poll(follow).toEqual(wanted("click-1"));
  await page.evaluate(() => history.pushState(null, "", "?reqid=click-2"));
  await poll(follow).toEqual(wanted("click-2"));
  await page.evaluate(() => tracker.setConsent("denied"));
  await poll(follow).toEqual([1, 2, 3].flatMap(() => queries.map((query) => query.replace("?", "").replace("=", ","))));
});

test("Stripe's links, buttons and tables get a reference, and one of the site's own stays", async () => {
  const { page, go, attach, said } = await visitor();
  const link = (id: string, host: string, query = "") => `<a id="${id}" href="https://${host}/pay${query}">Buy</a>`;
  shop.addPage(
    "/stripe",
    "",
    "{}",
    `${link("a", "buy.stripe.com", "?locale=de")}${link("b", "buy.stripe.com", "?client_reference_id=own")}
    ${link("c", "pay.example.com")}<stripe-buy-button id="d"></stripe-buy-button>
    <stripe-pricing-table id="e" client-reference-id="own"></stripe-pricing-table>`,
  );
  /** The query with which the browser would follow a link. */
  const followed = (id: string) =>
    page.evaluate((id) => {
      let href = "";
      const stop = (event: Event) => {
        event.preventDefault();
        href = (event.target as HTMLAnchorElement).href;
      };
      addEventListener("click", stop, { once: true });
      document.getElementById(id)?.click();
      return new URL(href).search;
    }, id);
  const seen = () =>
    page.evaluate(() =>
      [...document.querySelectorAll("stripe-buy-button, stripe-pricing-table")].map((each) =>
        each.getAttribute("client-reference-id"),
      ),
    );
  const begin = async (id: string) => {
    await go(`/stripe?reqid=${id}`);
    await attach({ to: "stripe", hosts: ["buy.stripe.com", "pay.example.com"] });
    await page.waitForTimeout(100);
  };
  await begin("click-1");
  await poll(seen).toEqual(["click-1", "own"]);
  await page.evaluate(() => document.body.append(document.createElement("stripe-pricing-table")));
  await poll(seen).toEqual(["click-1", "own", "click-1"]);
  expect(await Promise.all(["a", "b", "c"].map(followed))).toEqual([
    "?locale=de&client_reference_id=click-1",
    "?client_reference_id=own",
    "?client_reference_id=click-1",
  ]);
  // Stripe drops a reference with other characters: a warning is logged, and no such reference is sent.
  await begin("click:2.x");
  await poll(seen).toEqual([null, "own"]);
  expect(await followed("a")).toBe("?locale=de");
  expect(said).toContain("cake-edge: invalid_click_id");
});

test("a payment link that is opened in another tab has the click id as well", async () => {
  shop.addPage("/pay", "");
  const href = `${shop.origin.replace("127.0.0.1", "localhost")}/pay`;
  shop.addPage(
    "/stripe",
    'tracker.attach({ to: "stripe", hosts: ["localhost"] })',
    "{}",
    `<a id="a" href="${href}">Buy</a>`,
  );
  const { page, context, go } = await visitor();
  await go("/stripe?reqid=click-1");
  await page.waitForTimeout(100);
  for (const how of [{ button: "middle" }, { modifiers: ["Control"] }, { modifiers: ["Shift"] }] as const) {
    const options = how as Parameters<Page["click"]>[1];
    const [tab] = await Promise.all([context.waitForEvent("page"), page.click("#a", options)]);
    await tab.waitForURL("**/pay**");
    expect(tab.url(), JSON.stringify(how)).toBe(`${href}?client_reference_id=click-1`);
  }
  // The page's own address is put back.
  expect(await page.getAttribute("#a", "href")).toBe(href);
});
