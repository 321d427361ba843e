/** The dates of a client's answers, from CAKE's spellings to instants. */
import { isNoTime, readTime } from "../instant.js";
import type { TimeZone } from "../time-zone.js";

/** What a client is told of an answer that it could not read in full. */
export interface AnswerWarning {
  /** `unreadable_date`: a date in a spelling that is none of CAKE's. */
  readonly code: "unreadable_date";
  /** The field in JavaScript's spelling, such as `clickDate`. */
  readonly field: string;
  /** What stands in it: at most 40 characters. */
  readonly value: string;
  readonly message: string;
}

/** Finds instants, and tells once of each field that cannot be read. */
export interface Dates {
  findInstant(field: string, text: string | undefined): Date | undefined;
}

/** Makes the reader of a client's dates. */
export function createDates(zone: TimeZone | undefined, warn: (warning: AnswerWarning) => void): Dates {
  const told = new Set<string>();
  return {
    findInstant(field, text) {
      if (text === undefined || isNoTime(text)) return undefined;
      const read = readTime(text);
      if (read === undefined) {
        if (!told.has(field)) {
          told.add(field);
          const value = text.slice(0, 40);
          const message = `${field} is in no spelling of CAKE's services: ${JSON.stringify(value)}. It comes as it is, without an instant.`;
          warn(Object.freeze({ code: "unreadable_date", field, value, message }));
        }
        return undefined;
      }
      return "instant" in read ? read.instant : zone?.findInstant(read.civil);
    },
  };
}
