/** Day ranges by the shared vectors, in Node. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Day, type DayRangeName, dayRange } from "../../dist/entry/edge.inline.js";

interface Vector {
  readonly first: Day;
  readonly last: Day;
  readonly name: DayRangeName;
  readonly at: string;
  readonly timeZone: string;
  readonly startDate: string;
  readonly endDate: string;
  readonly code: string;
  readonly parameter: string;
}

const vectors: Record<"inclusive" | "named" | "refuse", Vector[]> = JSON.parse(
  readFileSync("tests/vectors/day_ranges.json", "utf8"),
);

test("both days belong, and the end is the day after, as in Rust", () => {
  for (const { first, last, startDate, endDate } of vectors.inclusive) {
    expect(dayRange(first, last)).toEqual({ startDate, endDate });
  }
});

test("names are days of the account's calendar, as in Rust", () => {
  for (const { name, at, timeZone, startDate, endDate } of vectors.named) {
    expect(dayRange(name, { timeZone, now: new Date(at) }), `${name} at ${at}`).toEqual({ startDate, endDate });
  }
  expect(dayRange("today", { timeZone: "UTC" }).startDate).toMatch(/^\d{4}-\d\d-\d\d$/);
});

test("days that do not exist or run backwards are refused, as in Rust", () => {
  for (const { first, last, code, parameter } of vectors.refuse) {
    expect(() => dayRange(first, last), `${first} ${last}`).toThrow(expect.objectContaining({ code, parameter }));
  }
});

test("JavaScript without types gets a CakeError too", () => {
  const untyped = dayRange as (first: unknown, last?: unknown) => unknown;
  expect(() => untyped("tomorrow", { timeZone: "UTC" })).toThrow(expect.objectContaining({ code: "invalid_field" }));
  expect(() => untyped("today", { timeZone: "Mars" })).toThrow(expect.objectContaining({ code: "invalid_field" }));
  expect(() => untyped("today")).toThrow(expect.objectContaining({ code: "invalid_field" }));
  const now = new Date(Number.NaN);
  expect(() => untyped("today", { timeZone: "UTC", now })).toThrow(expect.objectContaining({ code: "invalid_time" }));
});
