/** Whole days, by name or by date, in the form that CAKE's reports take. */
import { CakeError, call } from "../error.js";
import { checkNames, checkNoMore, choice, refuse, stringOption } from "../option.js";
import { createTimeZone } from "../time-zone.js";
import { edge } from "./core.js";

/** A day, `YYYY-MM-DD`, in the account's time zone. */
export type Day = `${number}-${number}-${number}`;

/** Days by name; today is the last day of `last7Days` and `last30Days`. */
export type DayRangeName = "today" | "yesterday" | "last7Days" | "last30Days";

const NAMES: readonly DayRangeName[] = ["today", "yesterday", "last7Days", "last30Days"];

/** The range that `listClicks` and `listConversions` take. */
export interface DayRange {
  /** The first day. */
  readonly startDate: string;
  /** The day after the last one: CAKE's reports leave out `end_date` itself (KB 13000034150). */
  readonly endDate: string;
}

/**
 * The days from `first` to `last`, both included.
 *
 * @throws CakeError `invalid_time` if one of them does not exist, or the last comes before the first
 * @example
 * // All of November; endDate is 2026-12-01.
 * cake.listClicks({ ...dayRange("2026-11-01", "2026-11-30"), offerId: 12345 });
 */
export function dayRange(first: Day, last: Day): DayRange;
/**
 * The days with this name, on the calendar of the account's time zone.
 *
 * @throws CakeError `invalid_field` if there is no such name or time zone
 * @example
 * cake.listClicks(dayRange("yesterday", { timeZone: "America/New_York" }));
 */
export function dayRange(
  name: DayRangeName,
  calendar: { readonly timeZone: string; readonly now?: Date | undefined },
): DayRange;
export function dayRange(
  first: string,
  last: string | { readonly timeZone: string; readonly now?: Date | undefined },
  ...more: unknown[]
): DayRange {
  checkNoMore("dayRange", 2, more);
  for (const [name, day] of [
    ["first", first],
    ["last", last],
  ] as const) {
    if (isDate(day)) refuse(name, "must be a day as text, YYYY-MM-DD: a Date is another day in another time zone");
  }
  if (first === undefined || first === null || (first === "" && typeof last !== "string")) {
    refuse("first", `is missing: give a day as text, YYYY-MM-DD, or one of ${NAMES.join(", ")}`);
  }
  if (last === undefined || last === null) {
    // A name without its calendar, or no name at all.
    if (!/^\d/.test(stringOption("first", first))) {
      choice("name", first, NAMES);
      refuse("timeZone", `is missing: dayRange(${JSON.stringify(first)}, { timeZone: "America/New_York" })`);
    }
  }
  if (typeof last !== "object" || last === null) {
    return call(() => edge.api().dayRange(stringOption("first", first), stringOption("last", last)));
  }
  checkNames("calendar's fields", last, ["timeZone", "now"]);
  const name = choice("name", first, NAMES) ?? "";
  const { now = new Date() } = last;
  if (!isDate(now)) refuse("now", "must be a Date");
  if (Number.isNaN(now.getTime())) {
    throw new CakeError({ code: "invalid_time", parameter: "now", rule: "must be a Date that exists" });
  }
  const civil = createTimeZone(stringOption("timeZone", last.timeZone)).findCivil(now);
  return call(() => edge.api().namedDayRange(name, civil ?? ""));
}

/** Also a Date of another realm. */
function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === "[object Date]";
}
