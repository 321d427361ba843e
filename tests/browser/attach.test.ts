/**
 * Attaches the click id to an order, against fakes of the platforms' pages in Chromium; the main cases in Firefox too.
 */
import { beforeEach, expect, test } from "vitest";
import type { Tracker } from "../../js/page/index.ts";
import { poll, setStage, visit } from "./attach-visitor.ts";
import { withFirefox } from "./settings.ts";
import type { Shop } from "./shop.ts";

declare const tracker: Tracker;
declare const errors: { code: string; message: string }[];

const CART = "/cart/update.js";

const stage = setStage();
const visitor = () => visit(stage);
let shop: Shop;
beforeEach(() => {
  shop = stage.shop;
});

const attributes = () => [...shop.carts.values()];

test("a cart gets the click id once, the next cart as well, and a later click replaces it", async () => {
  shop.addPage("/shop", 'tracker.attach({ to: "shopify" })');
  const { page, go, said } = await visitor();
  await go("/shop?reqid=click-1");
  await poll(attributes).toEqual([{ reqid: "click-1" }]);
  expect(shop.asked(CART)).toEqual([
    { method: "POST", path: CART, body: '{"attributes":{"reqid":"click-1"}}', origin: shop.origin },
  ]);
  // Nothing has changed: no request is sent, on this page or the next one.
  await go("/shop");
  await go("/shop?reqid=click-1");
  await page.evaluate(() => tracker.attach({ to: "shopify" }));
  await page.waitForTimeout(150);
  expect(shop.asked(CART).length).toBe(1);
  await go("/shop?reqid=click-2");
  await poll(attributes).toEqual([{ reqid: "click-2" }]);
  // After an order, the visitor gets another cart.
  shop.carts.clear();
  await page.evaluate(() => {
    // biome-ignore lint/suspicious/noDocumentCookie: what the platform does.
    document.cookie = "cart=; Max-Age=0; Path=/";
  });
  await go("/shop");
  await poll(attributes).toEqual([{ reqid: "click-2" }]);
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

test("a visitor without a click has no request; one that comes later is attached, by the shop's own root and name", async () => {
  shop.addPage(
    "/shop",
    'window.Shopify = { routes: { root: "/de/" } }; tracker.attach({ to: "shopify", name: "_click_id" })',
  );
  const { page, go } = await visitor();
  await go("/shop");
  await page.waitForTimeout(150);
  expect(shop.requests).toEqual([]);
  await page.evaluate(() => history.pushState(null, "", "/shop?reqid=click-1"));
  await poll(attributes).toEqual([{ _click_id: "click-1" }]);
  expect(shop.asked("/de/cart/update.js").length).toBe(1);
});

test("nothing is attached before consent, and after a no it is taken away, on a later page too", async () => {
  const pending = '{ consent: "pending" }';
  const all = `tracker.attach({ to: "shopify" }); tracker.attach({ to: "frame", offerId: 12345 });
    tracker.attach({ to: "woocommerce" }); tracker.attach({ to: "stripe" });`;
  const body = `<form class="checkout"></form><stripe-buy-button></stripe-buy-button>`;
  shop.addPage("/shop", all, pending, body);
  shop.addPage("/later", all, '{ consent: "denied" }', body);
  const { page, go } = await visitor();
  const seen = () =>
    page.evaluate(() => [
      document.querySelector("form input")?.getAttribute("name"),
      document.querySelector("stripe-buy-button")?.getAttribute("client-reference-id"),
      Object.keys(localStorage).sort(),
    ]);
  await go("/shop?reqid=click-1");
  await page.waitForTimeout(150);
  expect([await seen(), shop.requests]).toEqual([[undefined, null, []], []]);
  await page.evaluate(() => tracker.setConsent("granted"));
  await poll(attributes).toEqual([{ reqid: "click-1" }]);
  await poll(seen).toEqual(["reqid", "click-1", ["cake_attached:shopify:reqid", "cake_click", "cake_click_token"]]);
  // On the same page.
  await page.evaluate(() => tracker.setConsent("denied"));
  await poll(attributes).toEqual([{}]);
  await poll(seen).toEqual([undefined, null, []]);
  // On a later page, where the tracker knows nothing else any more.
  await go("/shop?reqid=click-2");
  await page.evaluate(() => tracker.setConsent("granted"));
  await poll(attributes).toEqual([{ reqid: "click-2" }]);
  await go("/later");
  await poll(attributes).toEqual([{}]);
  await poll(seen).toEqual([undefined, null, []]);
  const before = shop.requests.length;
  await go("/later");
  await page.waitForTimeout(150);
  expect(shop.requests.length).toBe(before);
});

test("a page that is left before the cart's answer has attached something: a later no or click replaces it", async () => {
  shop.addPage("/shop", 'tracker.attach({ to: "shopify" })');
  shop.addPage("/denied", 'tracker.attach({ to: "shopify" })', '{ consent: "denied" }');
  const { go } = await visitor();
  const unheard = async (path: string, expected: object) => {
    shop.doesCartAnswer = false;
    await go(path);
    await poll(attributes).toEqual([expected]);
    shop.doesCartAnswer = true;
  };
  await unheard("/shop?reqid=click-1", { reqid: "click-1" });
  await go("/denied");
  await poll(attributes).toEqual([{}]);
  // Heard once, then replaced without an answer.
  await go("/shop?reqid=click-1");
  await poll(attributes).toEqual([{ reqid: "click-1" }]);
  await unheard("/shop?reqid=click-2", { reqid: "click-2" });
  await go("/denied");
  await poll(attributes).toEqual([{}]);
  // A removal without an answer is done again.
  await unheard("/shop?reqid=click-3", { reqid: "click-3" });
  await unheard("/denied", {});
  const before = shop.asked(CART).length;
  await go("/denied");
  await poll(() => shop.asked(CART).length).toBe(before + 1);
});

test("a cart's attribute follows a changed name, and a no takes away what is there under any name", async () => {
  const attach = (...names: string[]) =>
    names.map((name) => `tracker.attach({ to: "shopify"${name && `, name: "${name}"`} });`).join(" ");
  shop.addPage("/shop", attach(""));
  shop.addPage("/renamed", attach("_reqid"));
  shop.addPage("/spaced", attach("click id"));
  shop.addPage("/both", attach("", "_reqid"));
  shop.addPage("/denied", attach(""), '{ consent: "denied" }');
  shop.addPage("/denied-renamed", attach("_reqid"), '{ consent: "denied" }');
  const { page, go } = await visitor();
  await go("/shop?reqid=click-1");
  await poll(attributes).toEqual([{ reqid: "click-1" }]);
  await go("/renamed");
  await poll(attributes).toEqual([{ _reqid: "click-1" }]);
  await go("/spaced");
  await poll(attributes).toEqual([{ "click id": "click-1" }]);
  await go("/denied");
  await poll(attributes).toEqual([{}]);
  await go("/shop?reqid=click-1");
  await poll(attributes).toEqual([{ reqid: "click-1" }]);
  await go("/denied-renamed");
  await poll(attributes).toEqual([{}]);
  // Two names in one page both count, and have two requests.
  await go("/both?reqid=click-2");
  await poll(attributes).toEqual([{ reqid: "click-2", _reqid: "click-2" }]);
  await page.waitForTimeout(150);
  const before = shop.asked(CART).length;
  await page.evaluate(() => dispatchEvent(new Event("focus")));
  await go("/both");
  await page.waitForTimeout(150);
  expect(shop.asked(CART).length).toBe(before);
  await go("/renamed");
  await poll(attributes).toEqual([{ _reqid: "click-2" }]);
  // The page is left before the answer.
  shop.doesCartAnswer = false;
  await go("/shop?reqid=click-3");
  await poll(attributes).toEqual([{ reqid: "click-3" }]);
  shop.doesCartAnswer = true;
  await go("/renamed");
  await poll(attributes).toEqual([{ _reqid: "click-3" }]);
  await page.evaluate(() => tracker.setConsent("denied"));
  await poll(attributes).toEqual([{}]);
  await poll(() => page.evaluate(() => Object.keys(localStorage))).toEqual([]);
  // What a release before has attached has no name there.
  await page.evaluate(() => localStorage.setItem("cake_attached:shopify", "click-0 cart 1"));
  await page.evaluate(() => tracker.setConsent("granted"));
  await go("/renamed?reqid=click-4");
  await poll(attributes).toEqual([{ _reqid: "click-4" }]);
  await poll(() => page.evaluate(() => localStorage.getItem("cake_attached:shopify"))).toBe(null);
});

test("a cart that fails is asked again by the next page, and the page hears of nothing", async () => {
  shop.addPage("/shop", 'tracker.attach({ to: "shopify" })');
  shop.cartStatus = 500;
  const { go, said, page } = await visitor();
  await go("/shop?reqid=click-1");
  await poll(() => said.includes("cake-edge: network")).toBe(true);
  shop.cartStatus = 200;
  await go("/shop");
  await poll(attributes).toEqual([{ reqid: "click-1" }]);
  expect(await page.evaluate(() => errors)).toEqual([]);
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

test("forms get a hidden field, also those that come later, and a field of the site's own stays", async () => {
  const { page, go, attach } = await visitor();
  shop.addPage(
    "/form",
    "",
    "{}",
    `<form class="checkout" id="a"></form><form class="checkout" id="b"><input name="reqid" value="own"></form>
    <form class="checkout" id="c"><input name="reqid"></form><form id="d"></form>`,
  );
  await go("/form?reqid=click-1");
  await attach({ to: "woocommerce" });
  await attach({ to: "form", selector: "#d, #e", name: "click" });
  const values = () =>
    page.evaluate(() =>
      Object.fromEntries(
        [...document.forms].map((form) => [
          form.id,
          [...new FormData(form)].map(([name, value]) => `${name}=${value}`).join(),
        ]),
      ),
    );
  await poll(values).toEqual({ a: "reqid=click-1", b: "reqid=own", c: "reqid=click-1", d: "click=click-1" });
  // The shop renders its form again, as WooCommerce does, and a new form appears.
  await page.evaluate(() => {
    const form = document.querySelector("#a") as HTMLFormElement;
    form.innerHTML = "<p>anew</p>";
    document.body.insertAdjacentHTML("beforeend", `<form id="e"></form>`);
  });
  await poll(values).toMatchObject({ a: "reqid=click-1", e: "click=click-1" });
  await page.evaluate(() => history.pushState(null, "", "?reqid=click-2"));
  await poll(values).toEqual({
    a: "reqid=click-2",
    b: "reqid=own",
    c: "reqid=click-2",
    d: "click=click-2",
    e: "click=click-2",
  });
  await page.evaluate(() => tracker.setConsent("denied"));
  await poll(values).toEqual({ a: "", b: "reqid=own", c: "reqid=", d: "", e: "" });
});

test("a field's word for a missing value gives way, all fields of the name are filled, and afterwards all is as it was", async () => {
  const { page, go, attach } = await visitor();
  const words = ["", "undefined", "{reqid}", "{{ reqid }}", "[reqid]", "#reqid#", "%reqid%", "REPLACE", "CLICK_ID"];
  const forms = [
    ...[...words, "(not set)", "N/A", "0", "none"].map((word) => `<input type="hidden" name="reqid" value="${word}">`),
    `<input type="hidden" name="reqid"><input type="hidden" name="reqid">`,
    `<textarea name="reqid" hidden></textarea>`,
    `<input type="hidden" name="reqid" disabled>`,
    `<input name="reqid" value="own-1"><input name="reqid">`,
  ].map((html) => `<form>${html}</form>`);
  shop.addPage("/form", "", "{}", forms.join(""));
  await go("/form?reqid=click-1");
  const html = () => page.evaluate(() => [...document.forms].map((form) => form.innerHTML.replaceAll(' value=""', "")));
  const before = await html();
  // Twice, as a page's script that is run again does.
  for (let time = 0; time < 2; time += 1) await attach({ to: "form", selector: "form" });
  const sent = () => page.evaluate(() => [...document.forms].map((form) => new FormData(form).getAll("reqid").join()));
  const own = "own-1,";
  const twice = "click-1,click-1";
  const filled = [...forms.slice(0, 13).map(() => "click-1"), twice, "click-1", "click-1", own];
  await poll(sent).toEqual(filled);
  await page.evaluate(() => history.pushState(null, "", "?reqid=click-2"));
  await poll(sent).toEqual(filled.map((each) => each.replaceAll("click-1", "click-2")));
  await page.evaluate(() => tracker.setConsent("denied"));
  await poll(html).toEqual(before);
});

test("a value of the site's own stays alone in whatever control of the form it is, and others are no value", async () => {
  const { page, go, attach } = await visitor();
  /** What is in a form and beside it, and what the form then sends, with its first button where it has one. */
  const cases: [inside: string, beside: string, sent: string][] = [
    ["", "<input form=FORM name=reqid value=own>", "own"],
    ["", "<textarea form=FORM name=reqid>own</textarea>", "own"],
    ["", "<input form=FORM type=hidden name=reqid>", "click-1"],
    ["<select name=reqid><option>own</select>", "", "own"],
    ["", "<select form=FORM name=reqid><option>own</select>", "own"],
    ["<input type=radio name=reqid value=own checked><input type=radio name=reqid value=other>", "", "own"],
    ["<input type=checkbox name=reqid value=own checked>", "", "own"],
    ["<input type=checkbox name=reqid value=own>", "", ""],
    ["<button name=reqid value=own>Buy</button>", "", "own"],
    ["<input type=submit name=reqid value=own>", "", "own"],
    ["<own-field name=reqid></own-field>", "", "own"],
    ["<own-field name=reqid></own-field><input type=hidden name=reqid>", "", "own,"],
    // These send nothing under the name.
    ["<fieldset name=reqid></fieldset><output name=reqid>own</output><object name=reqid></object>", "", "click-1"],
    ["<button type=button name=reqid value=own>More</button><input type=reset name=reqid value=own>", "", "click-1"],
    ["<input name=reqid value=own disabled>", "", "click-1"],
    ["<fieldset disabled><input name=reqid value=own></fieldset>", "", "click-1"],
    ["<select name=reqid disabled><option>own</select>", "", "click-1"],
    // The form hides its own properties.
    ["<input name=elements><input name=append><input name=name>", "", "click-1"],
  ];
  const html = cases.map(
    ([inside, beside], at) => `<form id=f${at}>${inside}</form>${beside.replace("FORM", `f${at}`)}`,
  );
  shop.addPage("/form", "", "{}", html.join(""));
  await go("/form?reqid=click-1");
  await page.evaluate(() => {
    class OwnField extends HTMLElement {
      static formAssociated = true;
      constructor() {
        super();
        this.attachInternals().setFormValue("own");
      }
    }
    customElements.define("own-field", OwnField);
  });
  await attach({ to: "form", selector: "form" });
  const sent = () =>
    page.evaluate(() =>
      [...document.forms].map((form) => {
        const button = form.querySelector<HTMLButtonElement>("button:not([type]), [type=submit]");
        return new FormData(form, button).getAll("reqid").join();
      }),
    );
  await poll(sent).toEqual(cases.map(([, , expected]) => expected));
  // A control that comes later has a value of the site's own: the form sends that one alone.
  await page.evaluate(() => {
    for (const form of document.forms) form.insertAdjacentHTML("beforeend", "<select name=reqid><option>late</select>");
  });
  const late = (own: string) => ["late", ...own.split(",").filter((id) => id && id !== "click-1")];
  const named = async () =>
    (await sent()).map((all) =>
      all
        .split(",")
        .filter((id) => id !== "")
        .sort(),
    );
  await poll(named).toEqual(cases.map(([, , own]) => late(own)));
});

test("a token for frames is asked for when it is needed, and not at each page view", async () => {
  shop.addPage("/shop", 'tracker.attach({ to: "frame", offerId: 12345 })');
  const { page, go } = await visitor();
  const token = () => page.evaluate(() => localStorage.getItem("cake_click_token"));
  await go("/shop");
  await page.waitForTimeout(150);
  expect(shop.requests).toEqual([]);
  await go("/shop?reqid=click-1");
  await poll(token).toMatch(/^12345!click-1!http:\/\/127\.0\.0\.1:\d+![0-9a-f]{16}\.\w+\.[\w-]{43}$/);
  await go("/shop");
  await page.waitForTimeout(150);
  expect(shop.asked("/cake/token").length).toBe(1);
  await go("/shop?reqid=click-2");
  await poll(token).toMatch(/^12345!click-2!/);
  // A token that is about to expire is renewed.
  await page.evaluate(() => {
    const [value = "", , signature = ""] = (localStorage.getItem("cake_click_token") ?? "").split(
      /\.(?=\w+\.[\w-]+$)|\.(?=[\w-]+$)/,
    );
    const soon = Math.floor(Date.now() / 1_000 + 300).toString(36);
    localStorage.setItem("cake_click_token", `${value}.${soon}.${signature}`);
  });
  await go("/shop");
  await poll(() => shop.asked("/cake/token").length).toBe(3);
});

test("a page that cannot see its click asks for a token once, and attaches nothing else", async () => {
  const all = `tracker.attach({ to: "frame", offerId: 12345 }); tracker.attach({ to: "shopify" }); tracker.attach({ to: "woocommerce" })`;
  shop.addPage("/shop", all, "{ edge: true }", `<form class="checkout"></form>`);
  const { page, go, said } = await visitor();
  await go("/shop?reqid=click-1");
  // The site's Worker has stored no click, and the forwarder reports that.
  await poll(() => said).toContain("cake-edge: invalid_click_id");
  await go("/shop");
  await page.waitForTimeout(150);
  expect(shop.requests.map(({ path }) => path)).toEqual(["/cake/token"]);
  expect(await page.evaluate(() => document.querySelector("input"))).toBe(null);
});

test.each([
  [{ to: "frame", offer: 1 }, "offer is unknown: did you mean offerId?"],
  [{ to: "magento" }, "to must be one of shopify, woocommerce, form, stripe, frame"],
  [{ to: "toString" }, "to must be one of shopify, woocommerce, form, stripe, frame"],
  [{ to: "frame" }, "offerId must be a whole number from 1"],
  [{ to: "frame", offerId: "shoes" }, "offerId must be a whole number from 1"],
  [{ to: "form" }, "selector must be a CSS selector"],
  [{ to: "form", selector: "" }, "selector must be a CSS selector"],
  ["shopify", "options must be one plain object"],
  [null, "options must be one plain object"],
  [{ to: "shopify", names: "x" }, "names is unknown: did you mean name?"],
  [{ to: "shopify", name: {} }, "name must be text"],
  [{ to: "woocommerce", offerId: 5 }, "offerId is unknown"],
  [{ to: "form", selector: "::::" }, "selector must be a CSS selector"],
  [{ to: "form", selector: 5 }, "selector must be a CSS selector"],
  [{ to: "stripe", hosts: ["*"] }, "hosts must be such as shop.example.com"],
  [{ to: "stripe", hosts: [] }, "hosts must be such as shop.example.com"],
])("attach(%o) is refused by name, and throws nothing", async (options, message) => {
  const { page, go, attach, said } = await visitor();
  await go("/?reqid=click-1");
  await attach(options as object);
  await poll(() => page.evaluate(() => errors.map((error) => error.message))).toEqual([message]);
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

test("attach → the order's webhook → the forwarder reads that click id", async () => {
  shop.addPage("/shop", 'tracker.attach({ to: "shopify" })');
  const clickId = await shop.click();
  const { go } = await visitor();
  await go(`/shop?reqid=${clickId}`);
  await poll(attributes).toEqual([{ reqid: clickId }]);
  const [cart = {}] = attributes();
  expect(await shop.sendOrder("5001", cart)).toMatchObject({ outcome: "accepted" });
  expect((await shop.events()).map(({ conversion }) => conversion)).toEqual([
    { clickId, offerId: 12_345, revenue: "18.00", uniqueId: "5001" },
  ]);
  await poll(async () => (await shop.recorded()).map(({ unique_id }) => unique_id)).toEqual(["5001"]);
});

test("Firefox attaches to the cart, a form and a frame as well", async () => {
  shop.addPage(
    "/shop",
    `tracker.attach({ to: "shopify" }); tracker.attach({ to: "woocommerce" });
    tracker.attach({ to: "frame", offerId: 12345 })`,
    "{}",
    `<form class="checkout"></form>`,
  );
  await withFirefox({}, async (firefox) => {
    const page = await firefox.newPage();
    await page.goto(`${shop.origin}/shop?reqid=click-1`);
    await poll(attributes).toEqual([{ reqid: "click-1" }]);
    const seen = () =>
      page.evaluate(() => [
        document.querySelector<HTMLInputElement>("form input")?.value,
        localStorage.getItem("cake_click_token")?.slice(0, 14),
      ]);
    await poll(seen).toEqual(["click-1", "12345!click-1!"]);
    await page.goto(`${shop.origin}/shop`);
    await poll(seen).toEqual(["click-1", "12345!click-1!"]);
    expect(shop.asked(CART).length).toBe(1);
  });
});
