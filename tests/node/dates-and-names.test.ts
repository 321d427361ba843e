/** Milliseconds and invalid dates; wrong option names, and arguments of a wrong type. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createDates } from "../../dist/edge/dates.js";
import { dayRange } from "../../dist/edge/day-range.js";
import { findNearest } from "../../dist/nearest.js";
import { checkFixture, createSandbox } from "../../dist/sandbox/in-process.js";
import { createTimeZone } from "../../dist/time-zone.js";
import { signConversion } from "../../dist/webhook-signature.js";

test("a civil time keeps its milliseconds, on either side of a change of clocks", () => {
  const zone = createTimeZone("America/New_York");
  for (const [civil, instant] of [
    ["2026-01-15 14:42:11.123", "2026-01-15T19:42:11.123Z"],
    ["2026-01-15 14:42:11.1", "2026-01-15T19:42:11.100Z"],
    ["2026-01-15 14:42:11.1239999", "2026-01-15T19:42:11.123Z"],
    ["2026-01-15 14:42:11", "2026-01-15T19:42:11.000Z"],
    ["2026-03-08 02:30:00.5", "2026-03-08T07:30:00.500Z"],
    ["2026-11-01 01:30:00.5", "2026-11-01T05:30:00.500Z"],
  ] as const) {
    expect(zone.findInstant(civil)?.toISOString(), civil).toBe(instant);
  }
});

test("the first moment of .NET is no date in any spelling, and nothing is told of it", () => {
  const told: string[] = [];
  const dates = createDates(undefined, ({ value }) => told.push(value));
  for (const none of [
    "0001-01-01T00:00:00",
    "0001-01-01 00:00:00",
    "0001-01-01",
    "0001-01-01T00:00:00.0000000Z",
    "0001-01-01T00:00:00-05:00",
    "1/1/0001 12:00:00 AM",
    "01/01/0001 00:00:00",
    "/Date(-62135596800000)/",
    // Its last one stands for never.
    "9999-12-31T23:59:59.9999999",
    "9999-12-31 23:59:59",
    "9999-12-31T23:59:59.9999999-05:00",
    "12/31/9999 11:59:59 PM",
    "/Date(253402300799999)/",
    "",
  ]) {
    expect(dates.findInstant("clickDate", none), none).toBeUndefined();
  }
  expect(told).toEqual([]);
  dates.findInstant("clickDate", "0001-01-02T00:00:00");
  expect(told).toEqual(["0001-01-02T00:00:00"]);
  // No zone is as far off as that.
  for (const date of ["2026-01-15T14:42:11+25:00", "2026-01-15T14:42:11+14:01", "2026-01-15T14:42:11-05:60"]) {
    expect(createDates(undefined, ({ value }) => told.push(value)).findInstant("clickAt", date)).toBeUndefined();
    expect(told.at(-1)).toBe(date);
  }
  expect(dates.findInstant("clickDate", "2026-01-15T14:42:11+14:00")?.toISOString()).toBe("2026-01-15T00:42:11.000Z");
});

test("other words and names on the wire lead to the right one", () => {
  const { names } = JSON.parse(readFileSync("tests/vectors/nearest.json", "utf8")) as {
    names: { given: string; known: string[]; meant: string | null }[];
  };
  for (const { given, known, meant } of names) {
    expect(findNearest(given, known), `${given} of ${known}`).toBe(meant ?? undefined);
  }
});

test("other words for an option lead to it", () => {
  const known = ["offerId", "transactionId", "affiliateId", "conversionStatus", "retries"];
  for (const [given, right] of [
    ["orderId", "transactionId"],
    ["order_id", "transactionId"],
    ["status", "conversionStatus"],
    ["retry", "retries"],
    ["affId", "affiliateId"],
    ["aff_id", "affiliateId"],
    ["offerID", "offerId"],
  ] as const) {
    expect(findNearest(given, known), given).toBe(right);
  }
  expect(findNearest("orderId", ["orderId", "transactionId"])).toBe("orderId");
});

test("a signature needs a body and a secret", async () => {
  const secret = `whsec_${"A".repeat(44)}`;
  for (const body of [undefined, null, 7, {}]) {
    await expect(signConversion(body as never, secret)).rejects.toMatchObject({ code: "invalid_field" });
  }
  for (const none of [undefined, null, 7, ""]) {
    await expect(signConversion("{}", none as never)).rejects.toMatchObject({ code: "weak_secret" });
  }
});

test("days by name need a time zone, and a name that there is", () => {
  const range = dayRange as (...args: unknown[]) => unknown;
  for (const none of [undefined, null]) {
    expect(() => range("last7Days", none)).toThrow(expect.objectContaining({ parameter: "timeZone" }));
    expect(() => range("lastWeek", none)).toThrow(/must be one of today, yesterday, last7Days, last30Days/);
  }
});

test("a range without its first day says so", () => {
  const range = dayRange as (...args: unknown[]) => unknown;
  const missing = expect.objectContaining({ code: "invalid_field", parameter: "first" });
  for (const none of [undefined, null, ""]) {
    for (const last of [[], [undefined], [{ timeZone: "UTC" }]]) {
      expect(() => range(none, ...last)).toThrow(missing);
    }
  }
  for (const none of [undefined, null]) expect(() => range(none, "2026-01-31")).toThrow(missing);
});

test("a fixture that JSON cannot write is invalid", () => {
  const circle: Record<string, unknown> = {};
  circle["offers"] = [circle];
  const throwing = {
    toJSON: () => {
      throw new Error("no");
    },
  };
  for (const [fixture, why] of [
    [{ offers: [{ offer_id: 1n }] }, /BigInt/],
    [circle, /circular/],
    [{ offers: [throwing] }, /: no$/],
    [throwing, /: no$/],
    [{ toJSON: () => undefined }, /toJSON\(\) returns nothing/],
  ] as const) {
    const invalid = expect.objectContaining({ code: "invalid_fixture", message: expect.stringMatching(why) });
    expect(() => checkFixture(fixture)).toThrow(invalid);
    expect(() => createSandbox({ fixture })).toThrow(invalid);
  }
});

test("what is no fixture and no option of a sandbox is told as such", () => {
  const invalid = expect.objectContaining({ code: "invalid_field" });
  for (const none of [undefined, null, 7, []]) expect(() => checkFixture(none as never)).toThrow(invalid);
  for (const wrong of [null, 7, { apiKey: 7 }, { fixture: 7 }, { allowedHosts: "x" }, { fetch: 7 }, { kept: 7 }]) {
    expect(() => createSandbox(wrong as never)).toThrow(invalid);
  }
});
