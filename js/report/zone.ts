/** Instants, and a time zone's offsets, for the core, which has no time zone data. */
import { isDate, refuse } from "../option.js";
import { createTimeZone } from "../time-zone.js";

const WEEK_MS = 604_800_000;
const FROM_MS = Date.UTC(2000, 0, 1);
const TO_MS = Date.UTC(2040, 0, 1);

/** `instant:offset,…` in seconds: each entry is an instant, and the offset from UTC from then on. Errors name the option. */
export function offsetsOf(option: string, name: string): string {
  const zone = createTimeZone(name, option);
  const offsetAt = (ms: number) => {
    const civil = zone.findCivil(new Date(ms)) ?? "";
    return (Date.parse(`${civil.replace(" ", "T")}Z`) - ms) / 1_000;
  };
  let known = offsetAt(FROM_MS);
  const changes = [`0:${known}`];
  for (let week = FROM_MS; week < TO_MS; week += WEEK_MS) {
    const next = offsetAt(week + WEEK_MS);
    if (next === known) continue;
    // The minute of the change, by bisection.
    let before = week;
    let after = week + WEEK_MS;
    while (after - before > 60_000) {
      const middle = Math.floor((before + after) / 120_000) * 60_000;
      if (offsetAt(middle) === known) before = middle;
      else after = middle;
    }
    changes.push(`${after / 1_000}:${next}`);
    known = next;
  }
  return changes.join();
}

/**
 * The milliseconds of an instant. A text without an offset means another one in each place.
 *
 * @throws CakeError `invalid_field`
 */
export function instantOf(name: string, given: Date | string): number {
  const isText = typeof given === "string" && /T.*(Z|[+-]\d\d:?\d\d)$/.test(given);
  const ms = isDate(given) ? given.getTime() : isText ? Date.parse(given) : Number.NaN;
  if (Number.isNaN(ms)) refuse(name, "must be a Date, or a text such as 2026-06-15T12:00:00Z");
  return ms;
}
