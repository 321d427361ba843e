/** Converts an account's civil times to instants and back, by the platform's own time zones. */
import { CakeError } from "./error.js";

/** A time zone, such as `America/New_York`. */
export interface TimeZone {
  /**
   * The instant of a civil time `YYYY-MM-DD HH:MM:SS`, with or without `.` and milliseconds; `undefined` if the text is
   * no civil time.
   *
   * In autumn one hour happens twice: the first time counts. In spring one hour does not exist: the time is moved
   * forward as far as the clocks. (JavaScript's Temporal calls this rule `compatible`.)
   */
  findInstant(civil: string): Date | undefined;
  /** The civil time `YYYY-MM-DD HH:MM:SS` at an instant; `undefined` for an invalid Date. */
  findCivil(instant: Date): string | undefined;
}

const DAY_MS = 86_400_000;
const CIVIL = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d+))?$/;

/**
 * Opens a time zone.
 *
 * @throws CakeError `invalid_field` if there is none with that name
 */
export function createTimeZone(name: string, option = "timeZone"): TimeZone {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    throw new CakeError({
      code: "invalid_field",
      parameter: option,
      rule: "must be an IANA time zone such as America/New_York",
    });
  }

  /** The zone's clock time at `ms`, as if it were UTC. */
  function shownAt(ms: number): number {
    const shown: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(ms)) shown[type] = Number(value);
    return Date.UTC(
      shown["year"] ?? 0,
      (shown["month"] ?? 1) - 1,
      shown["day"],
      shown["hour"],
      shown["minute"],
      shown["second"],
    );
  }

  // A page of clicks falls on a few days: each day's two offsets are looked up once.
  const offsets = new Map<number, number>();
  function offsetAt(ms: number): number {
    let offset = offsets.get(ms);
    if (offset === undefined) {
      offset = shownAt(ms) - ms;
      if (offsets.size > 1_000) offsets.clear();
      offsets.set(ms, offset);
    }
    return offset;
  }

  return {
    findInstant(civil) {
      const asUtc = civilAsUtc(civil);
      if (asUtc === undefined) return undefined;
      const ms = Math.trunc(Number(`0.${CIVIL.exec(civil)?.[7] ?? 0}`) * 1_000);
      // The offsets before and after any change on that day.
      const day = Math.floor(asUtc / DAY_MS) * DAY_MS;
      const before = offsetAt(day - DAY_MS);
      const after = offsetAt(day + 2 * DAY_MS);
      if (before === after) return new Date(asUtc - before + ms);
      const first = asUtc - before;
      const second = asUtc - after;
      const isFirst = shownAt(first) === asUtc;
      const isSecond = shownAt(second) === asUtc;
      if (isFirst && isSecond) return new Date(Math.min(first, second) + ms);
      // If neither fits, the hour does not exist, and the old offset leads past it.
      return new Date((isSecond ? second : first) + ms);
    },
    findCivil(instant) {
      const ms = instant.getTime();
      if (!(ms >= 0 && ms < 253_402_300_800_000)) return undefined;
      return new Date(shownAt(Math.floor(ms / 1_000) * 1_000)).toISOString().slice(0, 19).replace("T", " ");
    },
  };
}

function civilAsUtc(civil: string): number | undefined {
  const [, year, month, day, hour, minute, second] = CIVIL.exec(civil) ?? [];
  if (second === undefined) return undefined;
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  // A day that does not exist rolls over into the next month.
  return new Date(ms).toISOString().startsWith(`${year}-${month}-${day}T${hour}`) ? ms : undefined;
}
