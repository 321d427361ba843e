/** Two trackers of one page that both attach: neither takes away what is the other's, and none of them is busy for ever. */
import { beforeEach, expect, test } from "vitest";
import type { Tracker } from "../../js/page/index.ts";
import { poll, setStage, visit } from "./attach-visitor.ts";
import type { Shop } from "./shop.ts";

const stage = setStage();
const visitor = () => visit(stage);
let shop: Shop;
beforeEach(() => {
  shop = stage.shop;
});

/** A page in which two trackers attach; it answers as long as it is not busy without end. */
const duel = async (script: string, body = `<form class="checkout"></form><stripe-buy-button></stripe-buy-button>`) => {
  const { page, go } = await visitor();
  shop.addPage(
    "/two",
    `window.errors = errors;
     const make = (options, ...kinds) => {
       const made = createTracker(options);
       for (const kind of kinds) made.attach(kind);
       return made;
     };
     const settle = () => new Promise((resolve) => setTimeout(resolve, 400));
     const form = { to: "woocommerce" }, stripe = { to: "stripe" }, frame = { to: "frame", offerId: 1 };
     window.done = (async () => { ${script} })();`,
    '{ consent: "pending" }',
    body,
  );
  await go("/two?reqid=click-1");
  await page.evaluate("done");
  const seen = () =>
    page.evaluate(() => {
      const fields = [...document.forms].map((each) => new FormData(each).getAll("reqid").join());
      const buttons = [...document.querySelectorAll("stripe-buy-button")];
      return [...fields, ...buttons.map((each) => each.getAttribute("client-reference-id") ?? "")];
    });
  return { page, seen };
};

test.each([
  [
    "pending ones, the first disposed, a yes to the second",
    `make({ consent: "pending" }, form, stripe).dispose(); const live = make({ consent: "pending" }, form, stripe);
     await settle(); live.setConsent("granted");`,
    ["click-1", "click-1"],
  ],
  [
    "a disposed one that says no afterwards, beside a pending one",
    `const old = make({}, form, stripe); await settle(); old.dispose(); make({ consent: "pending" }, form, stripe);
     await settle(); old.setConsent("denied");`,
    ["", ""],
  ],
  [
    "a yes for both, and a no to the first",
    `const first = make({}, form, stripe); make({}, form, stripe); await settle(); first.setConsent("denied"); await settle();
     dispatchEvent(new Event("focus"));`,
    ["", ""],
  ],
  [
    "a yes for both, and a no to the second",
    `make({}, form, stripe); const second = make({}, form, stripe); await settle(); second.setConsent("denied"); await settle();
     dispatchEvent(new Event("focus"));`,
    ["", ""],
  ],
  ["one that keeps no click", `make({ edge: true }, form, stripe); make({}, form, stripe);`, ["click-1", "click-1"]],
  [
    "one that keeps no click, second",
    `make({}, form, stripe); make({ edge: true }, form, stripe);`,
    ["click-1", "click-1"],
  ],
  [
    "two with other clicks: the first one's stays, until that tracker ends",
    `const other = make({ parameters: ["other"] }, form, stripe); make({}, form, stripe);`,
    ["click-1", "click-1"],
  ],
  [
    "a pending one beside one with a yes",
    `make({ consent: "pending" }, form, stripe); make({}, form, stripe);`,
    ["click-1", "click-1"],
  ],
  [
    "a yes, then pending, attached again",
    `const one = make({}, form, stripe); await settle(); one.setConsent("pending"); one.attach(form); one.attach(stripe);`,
    ["click-1", "click-1"],
  ],
  [
    "the disposed one's field is the next one's",
    `const old = make({}, form, stripe); await settle(); old.dispose(); const next = make({}, form, stripe); await settle();
     history.pushState(null, "", "?reqid=click-2");`,
    ["click-2", "click-2"],
  ],
  [
    "the disposed one's field is taken away by the next one's no",
    `make({}, form, stripe).dispose(); make({}, form, stripe).dispose(); const old = make({}, form, stripe); await settle();
     old.dispose(); make({}, form, stripe).setConsent("denied");`,
    ["", ""],
  ],
])("two trackers never answer each other without end: %s", async (_, script, expected) => {
  const { page, seen } = await duel(script);
  await poll(seen).toEqual(expected);
  // A change of the page is what wakes the observers.
  await page.evaluate(() => document.body.append(document.createElement("p")));
  await page.waitForTimeout(100);
  expect(await seen()).toEqual(expected);
});

test("a disposed tracker attaches nothing more, and takes nothing of another's away", async () => {
  const { page, seen } = await duel(`window.live = make({}, form, stripe, frame); await settle();
    const old = make({ consent: "pending", ignoreGlobalPrivacyControl: true }, form, stripe, frame); await settle(); old.dispose();`);
  await poll(() => page.evaluate(() => localStorage.getItem("cake_click_token") !== null)).toBe(true);
  await page.evaluate(() => document.body.append(document.createElement("stripe-buy-button")));
  await poll(seen).toEqual(["click-1", "click-1", "click-1"]);
  await page.evaluate(() => dispatchEvent(new Event("focus")));
  await page.waitForTimeout(100);
  expect(await page.evaluate(() => localStorage.getItem("cake_click_token") !== null)).toBe(true);
  // The last one ends: what is put into the page later is left alone.
  await page.evaluate(() => {
    (globalThis as unknown as { live: Tracker }).live.dispose();
    document.body.insertAdjacentHTML("beforeend", `<form class="checkout"></form>`);
    dispatchEvent(new Event("focus"));
  });
  await page.waitForTimeout(200);
  expect(await seen()).toEqual(["click-1", "", "click-1", "click-1"]);
});

test("a denied tracker does not take a later token of another one away", async () => {
  const { page } = await duel(`window.denied = make({ consent: "denied" }, frame); await settle();`);
  await page.evaluate(() => {
    localStorage.setItem("cake_click_token", "another tracker's");
    dispatchEvent(new Event("focus"));
  });
  await page.waitForTimeout(100);
  expect(await page.evaluate(() => localStorage.getItem("cake_click_token"))).toBe("another tracker's");
});

test("of two offers' tokens the later one counts, onError hears of it, and no further token is asked for", async () => {
  const { page } = await duel(`window.first = make({}, frame); await settle();
    window.heard = [];
    window.second = make({ onError: ({ message }) => heard.push(message) }, { to: "frame", offerId: 2 });`);
  const token = () => page.evaluate(() => localStorage.getItem("cake_click_token")?.slice(0, 10));
  await poll(token).toBe("2!click-1!");
  const focus = async () => {
    for (let time = 0; time < 3; time += 1) await page.evaluate(() => dispatchEvent(new Event("focus")));
    await page.waitForTimeout(150);
  };
  await focus();
  expect([await token(), shop.asked("/cake/token").length]).toEqual(["2!click-1!", 2]);
  expect(await page.evaluate("heard")).toEqual(["offerId replaces another attachment's: a browser keeps one token"]);
  // Once the later one has ended, the first one counts again.
  await page.evaluate(() => (globalThis as unknown as { second: Tracker }).second.dispose());
  await focus();
  await poll(token).toBe("1!click-1!");
});
