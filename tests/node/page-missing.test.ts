/** The page's second forms of the core's rules for ids: words for a missing one, and those of an order. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { captureClick, findClick, readClickCookie } from "../../dist/entry/edge.inline.js";
import { BESIDE_WORDS, MISSING_WORDS, wordsOf } from "../../scripts/missing.ts";

// The build puts them into the page's script.
Object.assign(globalThis, { MISSING_WORDS, BESIDE_WORDS });
const { isMissing } = await import("../../js/page/missing.ts");
const { isOwnId } = await import("../../js/page/conversion.ts");
const { orderOf } = await import("../../js/page/send.ts");

const isMissingInCore = (text: string) => findClick(`https://shop.example/?reqid=${text}`) === undefined;
const vectors = JSON.parse(readFileSync(new URL("../vectors/missing_values.json", import.meta.url), "utf8")) as {
  missing: string[];
  leftovers: string[];
  ids: string[];
};
const isOfClickIds = (text: string) => /^[\w.:-]{1,128}$/.test(text);

test("for every vector in the alphabet of click ids", () => {
  const texts = [...vectors.missing, ...vectors.leftovers, ...vectors.ids].filter(isOfClickIds);
  expect(texts.length).toBeGreaterThan(50);
  for (const text of texts) {
    for (const each of [text, text.toUpperCase(), text.toLowerCase()]) {
      expect(`${each} ${isMissing(each)}`).toBe(`${each} ${isMissingInCore(each)}`);
    }
  }
});

test("for every pair of words, with each mark between and around", () => {
  const plain = [...wordsOf("MISSING"), ...wordsOf("BESIDE")];
  const words = [...plain, "xxxx", "ord", "a1", "x", ""];
  const different: string[] = [];
  for (const one of words) {
    for (const other of words) {
      for (const text of [one + other, `${one}-${other}`, `_${one}:${other}.`, `__${one}_${other}__`]) {
        if (isOfClickIds(text) && isMissing(text) !== isMissingInCore(text)) different.push(text);
      }
    }
  }
  expect(different).toEqual([]);
});

test("a long text of one letter is decided at once", () => {
  for (const text of ["x".repeat(127), "0".repeat(127), "null".repeat(31)]) {
    for (const each of [text, `${text}y`]) expect(isMissing(each)).toBe(isMissingInCore(each));
  }
});

test("a click id is none of the order's own ids, in whatever spelling, as in the core", () => {
  const { same, different } = JSON.parse(
    readFileSync(new URL("../vectors/own_ids.json", import.meta.url), "utf8"),
  ) as Record<"same" | "different", [clickId: string, own: string][]>;
  for (const [clickId, own] of same)
    expect([clickId, own, isOwnId(clickId, [undefined, own])]).toEqual([clickId, own, true]);
  for (const [clickId, own] of different) {
    expect([clickId, own, isOwnId(clickId, [own])]).toEqual([clickId, own, false]);
  }
});

test("an order has one unique id in whatever spelling, as the core compares it", () => {
  const { same, different } = JSON.parse(
    readFileSync(new URL("../vectors/order_ids.json", import.meta.url), "utf8"),
  ) as Record<"same" | "different", string[][]>;
  for (const order of same) expect(new Set(order.map(orderOf))).toEqual(new Set([orderOf(order[0] as string)]));
  for (const pair of different) expect(new Set(pair.map(orderOf)).size, `${pair}`).toBe(2);
});

test("at the edge the order's own id is neither taken nor read back", () => {
  const secrets = ["a secret of thirty-two bytes or more"];
  const headers = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  const ask = (path: string, cookie: string, own = {}) =>
    captureClick(new Request(`https://shop.example${path}`, { headers: { ...headers, cookie } }), { secrets, ...own });
  const cookieOf = ({ setCookie = "" }: { readonly setCookie?: string }) => setCookie.split(";")[0] ?? "";
  const paid = cookieOf(ask("/?reqid=paid-1", ""));
  expect(ask("/thanks?click_id=1077", paid, { orderId: "#1077" })).toEqual({ clickId: "paid-1", reason: "known" });
  const wrong = cookieOf(ask("/thanks?click_id=1077", paid));
  const request = new Request("https://shop.example/", { headers: { cookie: wrong } });
  expect(readClickCookie(request, { secrets })).toBe("1077");
  expect(readClickCookie(request, { secrets, orderId: 1077 })).toBe("paid-1");
  expect(readClickCookie(request, { secrets, uniqueId: "shop:1077" })).toBe("paid-1");
  const mended = cookieOf(ask("/", wrong, { uniqueId: "1077" }));
  expect(readClickCookie(new Request("https://shop.example/", { headers: { cookie: mended } }), { secrets })).toBe(
    "paid-1",
  );
});
