/** The page's regular expression for a missing click id says what the core says. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { findClick } from "../../dist/entry/edge.inline.js";
import { BESIDE_WORDS, MISSING_WORDS, wordsOf } from "../../scripts/missing.ts";

// The build puts them into the page's script.
Object.assign(globalThis, { MISSING_WORDS, BESIDE_WORDS });
const { isMissing } = await import("../../js/page/missing.ts");

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
