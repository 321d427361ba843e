/** What is attached is known as the tracker's own in every copy of its element, and where the browser fills a form again. */
import type { Page } from "playwright-core";
import { beforeEach, expect, test } from "vitest";
import type { Tracker } from "../../js/page/index.ts";
import { poll, setStage, visit } from "./attach-visitor.ts";
import type { Shop } from "./shop.ts";

declare const tracker: Tracker;

const stage = setStage();
let shop: Shop;
beforeEach(() => {
  shop = stage.shop;
});

const FORMS = ["", "<input type=hidden name=reqid>", "<input name=reqid>", "<textarea name=reqid></textarea>"];
const BODY = `<main>${[...FORMS, "<input type=hidden name=reqid value={reqid}>", "<input name=reqid value=own>"]
  .map((field) => `<form action=/elsewhere>${field}<input name=other><input name=more></form>`)
  .join("")}<stripe-buy-button></stripe-buy-button><stripe-pricing-table></stripe-pricing-table></main>`;
const ATTACH = `tracker.attach({ to: "form", selector: "form" }); tracker.attach({ to: "stripe" });`;
const NOTHING = ["", "", "", "", "{reqid}", "own", null, null];
const filled = (id: string) => [id, id, id, id, id, "own", id, id];

const seen = (page: Page) =>
  page.evaluate(() => [
    ...[...document.forms].map((form) => new FormData(form).getAll("reqid").join()),
    ...[...document.querySelectorAll("stripe-buy-button, stripe-pricing-table")].map((each) =>
      each.getAttribute("client-reference-id"),
    ),
  ]);

/** Ways in which scripts copy parts of a page. */
const COPIES: [string, () => void][] = [
  [
    "markup that is read and written",
    () => {
      const main = document.querySelector("main") as HTMLElement;
      // biome-ignore lint/correctness/noSelfAssign: what scripts do that refresh a part of the page.
      main.innerHTML = main.innerHTML;
    },
  ],
  [
    "cloned nodes",
    () => {
      const main = document.querySelector("main") as HTMLElement;
      main.replaceWith(main.cloneNode(true));
    },
  ],
  [
    "a body that is replaced",
    () => {
      document.body.replaceWith(document.body.cloneNode(true));
    },
  ],
  [
    "attributes that are written into the present elements",
    () => {
      const all = [...document.querySelectorAll("main *")];
      const copy = document.querySelector("main")?.cloneNode(true) as HTMLElement;
      const copies = [...copy.querySelectorAll("*")];
      for (const [at, element] of all.entries())
        for (const { name, value } of copies[at]?.attributes ?? []) element.setAttribute(name, value);
    },
  ],
];

test.each(COPIES)("%s: a later click replaces the attached one, and a no takes it away", async (_, copy) => {
  const { page, go, said } = await visit(stage);
  shop.addPage("/shop", ATTACH, "{}", BODY);
  await go("/shop?reqid=click-1");
  await poll(() => seen(page)).toEqual(filled("click-1"));
  const html = await page.evaluate(() => document.querySelector("main")?.innerHTML);
  await page.evaluate(copy);
  await page.evaluate(() => history.pushState(null, "", "?reqid=click-2"));
  await poll(() => seen(page)).toEqual(filled("click-2"));
  expect(await page.evaluate(() => document.querySelector("main")?.innerHTML)).toBe(
    html?.replaceAll("click-1", "click-2"),
  );
  await page.evaluate(copy);
  await page.evaluate(() => tracker.setConsent("denied"));
  await poll(() => seen(page)).toEqual(NOTHING);
  // Nothing of ours is left.
  expect(await page.evaluate(() => document.querySelector("main")?.innerHTML)).not.toMatch(/cake|click-|autocomplete/i);
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

test("a snapshot that comes back after a later click has that one, and after a no it has none", async () => {
  const { page, go } = await visit(stage);
  shop.addPage("/shop", ATTACH, "{}", BODY);
  await go("/shop?reqid=click-1");
  await poll(() => seen(page)).toEqual(filled("click-1"));
  const leave = () =>
    page.evaluate(() => {
      const kept = globalThis as unknown as { snapshot: Node };
      kept.snapshot = document.body.cloneNode(true);
      document.body.innerHTML = "<p>another page</p>";
    });
  const comeBack = () =>
    page.evaluate(() => document.body.replaceWith((globalThis as unknown as { snapshot: Node }).snapshot));
  await leave();
  await page.evaluate(() => history.pushState(null, "", "?reqid=click-2"));
  await comeBack();
  await poll(() => seen(page)).toEqual(filled("click-2"));
  await leave();
  await page.evaluate(() => tracker.setConsent("denied"));
  await comeBack();
  await poll(() => seen(page)).toEqual(NOTHING);
});

test("of two trackers one takes the copies, and neither answers the other without end", async () => {
  const { page, go } = await visit(stage);
  shop.addPage(
    "/shop",
    `${ATTACH} window.second = createTracker({ parameters: ["other"] });
    second.attach({ to: "form", selector: "form" }); second.attach({ to: "stripe" });`,
    "{}",
    BODY,
  );
  await go("/shop?reqid=click-1&other=click-9");
  // The browser does not say which of two imports of one file it answers first.
  const either = [filled("click-1"), filled("click-9")].map((each) => `${each}`);
  await poll(async () => either.includes(`${await seen(page)}`)).toBe(true);
  for (const [, copy] of COPIES) {
    await page.evaluate(copy);
    await page.waitForTimeout(100);
    expect(either).toContain(`${await seen(page)}`);
  }
  await page.evaluate(() => {
    tracker.setConsent("denied");
    (globalThis as unknown as { second: Tracker }).second.setConsent("denied");
  });
  await poll(() => seen(page)).toEqual(NOTHING);
});

test("a form that the browser fills again has the click that counts, and after a no it has none", async () => {
  const { page, go } = await visit(stage);
  shop.addPage("/form", ATTACH, "{}", BODY);
  shop.addPage("/other", "");
  const others = () =>
    page.evaluate(() => [...document.querySelectorAll<HTMLInputElement>("[name=other]")].map(({ value }) => value));
  await go("/other?reqid=click-1");
  await go("/form");
  await poll(() => seen(page)).toEqual(filled("click-1"));
  for (const [at, field] of (await page.$$("[name=other]")).entries()) await field.fill(`${at}`);
  await go("/other?reqid=click-2");
  await page.goBack();
  await poll(() => seen(page)).toEqual(filled("click-2"));
  // The visitor's own texts are there again.
  expect(await others()).toEqual(["0", "1", "2", "3", "4", "5"]);
  await go("/other");
  await page.evaluate(() => tracker.setConsent("denied"));
  await page.goBack();
  await poll(() => page.evaluate(() => "tracker" in globalThis)).toBe(true);
  await page.waitForTimeout(300);
  expect(await seen(page)).toEqual(NOTHING);
});
