/** The page's own SHA-256 and the unique ids of orders, against the platform's and published values. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { digest } from "../../js/page/digest.ts";
import { uniqueIdOf } from "../../js/page/send.ts";

const TEXTS = [
  "",
  "abc",
  "käse €😀",
  ...Array.from({ length: 140 }, (_, length) => "ä".repeat(length)),
  "x".repeat(10_000),
];

test("the digest is the first half of SHA-256", () => {
  for (const text of TEXTS) expect(digest(text)).toBe(createHash("sha256").update(text).digest("hex").slice(0, 32));
});

/** FNV-1a as its authors describe it, over code points. */
function fnv(text: string): string {
  const prime = 2n ** 88n + 2n ** 8n + 0x3bn;
  let hash = 144066263297769815596495629667062367629n;
  for (const character of text) hash = ((hash ^ BigInt(character.codePointAt(0) ?? 0)) * prime) % 2n ** 128n;
  return hash.toString(16).padStart(32, "0");
}

test("an order's unique id is FNV-1a, a valid unique id, and another one for each click and order", () => {
  const ids = new Set<string>();
  const parts = ["", "a", "b", "1", "#1001", "a\u0000b", "ä", "😀", '"', "\\", "a,b", '","', "\ud800"];
  for (const click of parts) {
    for (const order of parts) {
      const id = uniqueIdOf(click, order);
      expect(id).toBe(fnv(JSON.stringify([click, order])));
      expect(id).toMatch(/^[0-9a-f]{32}$/);
      ids.add(id);
    }
  }
  expect(ids.size).toBe(parts.length ** 2);
  // The published value of the empty text's neighbour: FNV-1a 128 of "a".
  expect(fnv("a")).toBe("d228cb696f1a8caf78912b704e4a8964");
});
