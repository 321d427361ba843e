/** Dates as CAKE's services write them: civil times of the account, and times that are instants in any zone. */

const DAY = /^(\d{4})-(\d\d?)-(\d\d?)/;
const US_DAY = /^(\d\d?)\/(\d\d?)\/(\d{4})/;
const CLOCK = /^[T ]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:\s*([AP])\.?M\.?)?/i;
const OFFSET = /^\s*(?:(Z|UTC|GMT)|([+-])(\d\d):?(\d\d)?)$/i;
/** `/Date(1718807400000-0500)/`: the offset is only for display. */
const EPOCH = /^\\?\/?Date\((-?\d+)(?:[+-]\d{4})?\)\\?\/?$/;
/** `Fri, 19 Jun 2026 14:30:00 GMT`. */
const RFC_1123 = /^[A-Z][a-z]{2}, \d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

/** .NET's first moment means none, and its last means never, with any offset. */
const NEVER =
  /^(?:9999-12-31|12\/31\/9999)(?:[T ]+(?:23:59(?::59(?:[.,]\d+)?)?|11:59(?::59)?\s*P\.?M\.?)\s*(?:Z|UTC|GMT|[+-]\d\d:?\d\d)?)?$/i;
const NEVER_MS = 253_402_300_799_000;
const NONE =
  /^(?:0001-0?1-0?1|0?1\/0?1\/0001)(?:[T ]+(?:00?:00(?::00(?:[.,]0+)?)?|12:00(?::00)?\s*A\.?M\.?)\s*(?:Z|UTC|GMT|[+-]\d\d:?\d\d)?)?$/i;
const NONE_MS = -62_135_596_800_000;

/** Does the text mean no time at all? */
export function isNoTime(text: string): boolean {
  const spelt = text.trim();
  const ms = Number(EPOCH.exec(spelt)?.[1]);
  return spelt === "" || NONE.test(spelt) || NEVER.test(spelt) || ms === NONE_MS || ms >= NEVER_MS;
}

/** The time in a text: an instant or a civil time. */
export type ReadTime = { readonly instant: Date } | { readonly civil: string };

/** Reads a time in any of CAKE's forms; `undefined` if the text is none. */
export function readTime(text: string): ReadTime | undefined {
  const spelt = text.trim();
  const epoch = EPOCH.exec(spelt)?.[1];
  if (epoch !== undefined) return instantOf(Number(epoch));
  if (RFC_1123.test(spelt)) return instantOf(Date.parse(spelt));
  const iso = DAY.exec(spelt);
  const us = iso === null ? US_DAY.exec(spelt) : null;
  const found = iso ?? us;
  if (found === null) return undefined;
  const [year, month, day] = iso === null ? [us?.[3], us?.[1], us?.[2]] : [iso[1], iso[2], iso[3]];
  let rest = spelt.slice(found[0].length);
  const clock = CLOCK.exec(rest);
  if (clock !== null) rest = rest.slice(clock[0].length);
  const offset = rest.trim() === "" ? null : OFFSET.exec(rest);
  if (rest.trim() !== "" && (offset === null || clock === null)) return undefined;
  const half = clock?.[5]?.toUpperCase();
  let hour = Number(clock?.[1] ?? 0);
  if (half !== undefined && (hour < 1 || hour > 12)) return undefined;
  if (half !== undefined) hour = (hour % 12) + (half === "P" ? 12 : 0);
  const fields = [Number(year), Number(month), Number(day), hour, Number(clock?.[2] ?? 0), Number(clock?.[3] ?? 0)];
  const fraction = clock?.[4];
  const civil = civilOf(fields);
  if (civil === undefined) return undefined;
  const ms = Date.parse(`${civil.replace(" ", "T")}Z`) + Math.trunc(Number(`0.${fraction ?? 0}`) * 1_000);
  if (offset === null) return { civil: fraction === undefined ? civil : `${civil}.${fraction.slice(0, 3)}` };
  const shift = offset[2] === undefined ? 0 : Number(offset[3]) * 60 + Number(offset[4] ?? 0);
  // No zone has a larger offset.
  if (shift > 14 * 60 || Number(offset[4] ?? 0) > 59) return undefined;
  return instantOf(ms - (offset[2] === "-" ? -shift : shift) * 60_000);
}

function instantOf(ms: number): ReadTime | undefined {
  return Number.isNaN(new Date(ms).getTime()) ? undefined : { instant: new Date(ms) };
}

/** `YYYY-MM-DD HH:MM:SS`, if that time exists. */
function civilOf([year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0]: readonly number[]):
  | string
  | undefined {
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  if (Number.isNaN(ms) || year < 1_000) return undefined;
  const two = (number: number) => String(number).padStart(2, "0");
  const civil = `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`;
  // A day that does not exist rolls over into the next month.
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ") === civil ? civil : undefined;
}
