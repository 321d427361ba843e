/**
 * The entries of a journal, in a file or of the caller's own. An unreadable entry may be a row that was sent, so it is
 * refused, never skipped.
 */
import { refuse } from "./option.js";

/** The rules of an entry. */
export interface EntryRules {
  /** The states that an entry can have. */
  readonly states: readonly string[];
  /** Has the entry all parts that identify its row? */
  readonly isWhole: (entry: Readonly<Record<string, unknown>>) => boolean;
  /** The required parts, for an error's sentence: `an affiliate, an offer or a URL`. */
  readonly parts: string;
}

/** The rules of a postback's entry. */
export const POSTBACK_ENTRY: EntryRules = {
  states: ["sending", "registered", "refused", "unknown", "missing"],
  isWhole: ({ affiliateId, offerId, postbackUrl }) =>
    Number.isSafeInteger(affiliateId) && Number.isSafeInteger(offerId) && isText(postbackUrl),
  parts: "affiliateId or offerId as a number, or postbackUrl as text",
};

/** The rules of a correction's entry. */
export const CORRECTION_ENTRY: EntryRules = {
  states: ["sending", "corrected", "refused", "unknown", "missing"],
  isWhole: ({ correction }) => isText(correction),
  parts: "correction as text",
};

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

/** Why an entry cannot be read; `undefined` if it can. */
export function flawOfEntry(entry: unknown, { states, isWhole, parts }: EntryRules): string | undefined {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return "is no entry of a journal";
  const fields = entry as Readonly<Record<string, unknown>>;
  const { state } = fields;
  if (typeof state !== "string") return `has no state: it must be one of ${states.join(", ")}`;
  if (!states.includes(state))
    return `has the state ${JSON.stringify(state.slice(0, 32))}, none of ${states.join(", ")}`;
  return isWhole(fields) ? undefined : `lacks ${parts}`;
}

/** What to do about an unreadable entry. */
export const MEND_ENTRY = "It says what was sent: bring it back as it was, or look in CAKE and mend it";

/**
 * The entries that a caller's journal returns.
 *
 * @throws CakeError `invalid_field`, which names the first unreadable entry by its place from 0
 */
export function readEntries<Entry>(given: unknown, rules: EntryRules): Entry[] {
  if (typeof given !== "object" || given === null || !(Symbol.iterator in given)) {
    refuse("journal.read()", "must return a list of entries");
  }
  const entries = [...(given as Iterable<unknown>)];
  for (const [index, entry] of entries.entries()) {
    const flaw = flawOfEntry(entry, rules);
    if (flaw !== undefined) refuse(`journal.read()[${index}]`, `${flaw}. ${MEND_ENTRY}`);
  }
  return entries as Entry[];
}
