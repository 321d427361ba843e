/** The client's part in reading answers: turns dates into instants, and reports each unreadable field once. */
import { isNoTime, readTime } from "../instant.js";
import type { TimeZone } from "../time-zone.js";

/** A warning about an answer that the client could not fully read. */
export interface AnswerWarning {
  /**
   * - `unreadable_date`: a date in a spelling that CAKE does not use. It comes without its instant.
   * - `unreadable_field`: a value of a wrong type or shape, such as an object for a text. The field is absent.
   * - `rows_missing`: a list has ended before the number of rows that CAKE says it has. Told for each list.
   */
  readonly code: "unreadable_date" | "unreadable_field" | "rows_missing";
  /** The client's call, such as `listClicks`. */
  readonly call: string;
  /** The field in JavaScript's spelling, such as `clickDate`. */
  readonly field: string;
  /** The field's value, without the API key: at most 40 characters. */
  readonly value: string;
  readonly message: string;
}

/** A field that the core could not read. */
export interface UnreadField {
  readonly field: string;
  readonly value: string;
}

/** Finds instants and amounts, and reports each unreadable field of a call once. */
export interface Dates {
  findInstant(field: string, text: string | undefined): Date | undefined;
  /** An amount as a number; `undefined` if the text is none. */
  findAmount(field: string, text: string | undefined): number | undefined;
  /** Reports the fields that the core could not read. */
  reportUnread(unread: readonly UnreadField[] | undefined): void;
  /** Reports a list that has ended after `rows` rows, although CAKE says that it has more. */
  reportMissing(rows: number, totalRows: number): void;
  /** The reader of another call's answers. */
  of(call: string): Dates;
}

/** A decimal number, as JSON and .NET write it. JavaScript reads other texts too, such as `0x12` and `Infinity`. */
const DECIMAL = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;

/** Makes the reader of a client's answers. `shown` removes the API key from a text. */
export function createDates(
  zone: TimeZone | undefined,
  warn: (warning: AnswerWarning) => void,
  shown: (text: string) => string = (text) => text,
  call = "",
  reported = new Set<string>(),
): Dates {
  function tell(code: AnswerWarning["code"], field: string, text: string, what: string): void {
    const value = shown(text).slice(0, 40);
    const message = `${call && `${call}: `}${field} is ${what}: ${JSON.stringify(value)}`;
    warn(Object.freeze({ code, call, field, value, message }));
  }
  function warnOnce(code: AnswerWarning["code"], field: string, text: string, what: string): void {
    const key = `${call} ${field}`;
    if (reported.has(key)) return;
    reported.add(key);
    tell(code, field, text, what);
  }
  return {
    findInstant(field, text) {
      if (text === undefined || isNoTime(text)) return undefined;
      const read = readTime(text);
      if (read === undefined) {
        const what = "in no spelling of CAKE's services, and comes as it is, without an instant";
        warnOnce("unreadable_date", field, text, what);
        return undefined;
      }
      return "instant" in read ? read.instant : zone?.findInstant(read.civil);
    },
    findAmount(field, text) {
      if (text === undefined) return undefined;
      const amount = DECIMAL.test(text) ? Number(text) : Number.NaN;
      if (Number.isFinite(amount)) return amount;
      warnOnce("unreadable_field", field, text, `no number, and comes as ${field}Text alone`);
      return undefined;
    },
    reportUnread(unread = []) {
      for (const { field, value } of unread) {
        warnOnce(
          "unreadable_field",
          field,
          value,
          "of another type or shape than CAKE documents, or says two things, and is absent",
        );
      }
    },
    reportMissing(rows, totalRows) {
      const what = `more than the list has shown, which ended after ${rows} rows; the others are not listed, or missing`;
      tell("rows_missing", "totalRows", String(totalRows), what);
    },
    of: (name) => createDates(zone, warn, shown, name, reported),
  };
}
