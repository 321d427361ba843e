/**
 * What a tracker rarely says: an unknown name, and with `debug` which parameters of an address were not taken. Loaded on
 * first use.
 */
import { CakeError } from "../error.js";
import type { Decision } from "./core.js";
import { checkNames as checkReadNames } from "./names.js";
import type { Reason } from "./options.js";
import { pairsOf } from "./query.js";
import { attempt } from "./store.js";

/** @throws CakeError `invalid_field` also for what cannot be read; see names.ts */
export function checkNames(given: object, words: string, more?: unknown): void {
  if (!attempt(() => ({ ...given })))
    throw new CakeError({ code: "invalid_field", parameter: "options", rule: "cannot be read: a getter threw" });
  checkReadNames(given, words, more);
}

/** The names of the pairs' first reading. */
const namesOf = (pairs: string) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a name ends so, and the first reading.
  pairs.split("\x03", 1)[0]?.match(/[^\x02]+(?=\x01)/g) ?? [];

/**
 * Calls `note` if nothing was written, and with the names of the pairs that were not taken. A fragment counts unless it
 * was read: networks append to it, too. Where the address has the click id that counts, nothing is amiss.
 */
export function noteDecision(
  [age, , clickId]: Decision,
  pairs: string,
  isFragmentRead: boolean | undefined,
  note: (reason: Reason, names?: string) => unknown,
): void {
  if (!age) note(clickId ? "known_click" : "no_click_id");
  if (clickId && pairs.includes(clickId)) return;
  const fragment = isFragmentRead ? "" : location.hash;
  const names = [...namesOf(pairs), ...(fragment.includes("=") ? namesOf(pairsOf(fragment, [], [])) : [])];
  if (names[0]) note("not_taken", names.join(" "));
}
