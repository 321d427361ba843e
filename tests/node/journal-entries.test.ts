/** Journals of the caller's own: an entry that cannot be read may be a row that was sent, so nothing is sent. */
import { expect, test } from "vitest";
import { applyCorrections, applyPostbacks } from "../../dist/entry/edge.inline.js";

const at = "2026-11-01T00:00:00Z";
const postback = {
  affiliateId: 1,
  offerId: 0,
  postbackUrl: "https://p.example/?id=#reqsessid#",
  state: "registered",
  at,
};
const correction = { correction: "offer_id=1", state: "corrected", at };
let sent = 0;
const write = async () => {
  sent += 1;
  throw new Error("sent");
};

const wrong: readonly unknown[] = [
  null,
  undefined,
  "registered",
  [],
  ...[postback, correction].map(({ state, ...entry }) => ({ ...entry, state: state.toUpperCase() })),
  ...[postback, correction].map(({ state, ...entry }) => ({ ...entry, status: state })),
  { ...postback, affiliateId: "1" },
  { ...postback, postbackUrl: undefined, correction: undefined, url: postback.postbackUrl },
  { affiliate_id: 1, offer_id: 0, postback_url: postback.postbackUrl, state: "registered" },
  { key: correction.correction, state: "corrected" },
];

test.each(wrong)("%o is named by its place", async (entry) => {
  const journalOf = (good: unknown) => ({ read: () => [good, entry] as never, append: () => undefined });
  const expected = { code: "invalid_field", parameter: "journal.read()[1]" };
  const rows = [{ affiliateId: 1, offerId: 0, postbackUrl: postback.postbackUrl }];
  const client = { createPostback: write, correctConversion: write } as never;
  await expect(applyPostbacks(rows, { client, journal: journalOf(postback) })).rejects.toMatchObject(expected);
  const fix = [{ correctionId: "r1", uniqueId: "ORD-1", offerId: 1, revenueAdded: "-5.00" }];
  await expect(applyCorrections(fix, { client, journal: journalOf(correction) })).rejects.toMatchObject(expected);
  expect(sent).toBe(0);
});

test.each([undefined, null, "[]", {}, 7])("a journal that returns %o is refused", async (list) => {
  const journal = { read: () => list as never, append: () => undefined };
  const expected = { code: "invalid_field", parameter: "journal.read()" };
  const client = { createPostback: write, correctConversion: write } as never;
  await expect(applyPostbacks([], { client, journal })).rejects.toMatchObject(expected);
  await expect(applyCorrections([], { client, journal })).rejects.toMatchObject(expected);
});
