/** The page's own SHA-256 and the unique ids of orders. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { digest } from "../../js/page/digest.ts";
import { findOrderUniqueId } from "../../js/page/send.ts";

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

test("an order's unique id is readable, valid, and another one for each click and order", () => {
  expect(findOrderUniqueId("13b9ae60-1", "ORD.1-a")).toBe("13b9ae60-1:ORD.1-a");
  // Shops print one order's id in several spellings.
  for (const orderId of ["#1001", "1001", "001001", "# 1001", " #001001"]) {
    expect(findOrderUniqueId("13b9ae60", orderId)).toBe("13b9ae60:1001");
  }
  expect(findOrderUniqueId("13b9ae60", "A#1001")).toBe("13b9ae60:A_35_1001");
  const ids = new Set<string | undefined>();
  const parts = [
    "a",
    "b",
    "1",
    "#1001",
    "_35_1001",
    "a\u0000b",
    "ä",
    "😀",
    '"',
    ":",
    "a:b",
    "_",
    "__",
    "_58_",
    "\ud800",
  ];
  for (const click of parts) {
    for (const order of parts) {
      const id = findOrderUniqueId(click, order);
      expect(id).toMatch(/^[A-Za-z0-9._:-]{1,128}$/);
      ids.add(id);
    }
  }
  expect(ids.size).toBe(parts.length ** 2);
  expect(findOrderUniqueId("a".repeat(64), "b".repeat(63))).toHaveLength(128);
  expect(findOrderUniqueId("a".repeat(64), "b".repeat(64))).toBeUndefined();
});
