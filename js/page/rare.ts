/**
 * What a tracker rarely says: an unknown name, and with `debug` which parameters of an address were not taken. Loaded on
 * first use.
 */
import { CakeError } from "../error.js";
import { checkNames as checkReadNames, isPlain } from "./names.js";
import type { Reason } from "./options.js";
import { FRAGMENT, pairsOf } from "./query.js";
import { readSettings, SETTING_NAMES } from "./settings.js";
import { attempt } from "./store.js";

/**
 * Names every unknown name: the error's parameter is the first one.
 *
 * @throws CakeError `invalid_field` also for what cannot be read; see names.ts
 */
export function checkNames(given: object, words: string, more?: unknown): void {
  if (!attempt(() => ({ ...given })))
    throw new CakeError({ code: "invalid_field", parameter: "options", rule: "cannot be read: a getter threw" });
  // A setting in another spelling, such as `window_days`, is read too.
  const read = (name: string) => {
    // No setting takes this value: each that is read refuses it.
    return readSettings([[name, {}]]).refused[0];
  };
  const others = words === SETTING_NAMES ? Object.keys(given).filter(read) : [];
  const known = [words, ...others].join(" ");
  const flaws = Object.keys({ ...given }).flatMap((name) => findFlaw(name, known));
  if (isPlain(given) && !isPlain(more) && flaws[1]) {
    const parameter = flaws[0]?.parameter ?? "";
    const rule = flaws.map(({ message }) => message).join("; ");
    throw new CakeError({ code: "invalid_field", parameter, rule: rule.slice(parameter.length).trim() });
  }
  checkReadNames(given, known, more);
}

/** The error about this name, if it is unknown. */
function findFlaw(name: string, known: string): CakeError[] {
  try {
    checkReadNames({ [name]: 0 }, known);
    return [];
  } catch (flaw) {
    return [flaw as CakeError];
  }
}

/** @throws CakeError `invalid_setting` for a value that a setting does not take */
export function refuse(parameter: string, word: unknown): never {
  const rule = `does not take "${attempt(() => `${word}`)}"`;
  throw new CakeError({ code: "invalid_setting", parameter, rule });
}

/** The names of the pairs' first reading. */
const namesOf = (pairs: string) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a name ends so, and the first reading.
  (pairs.split("\x03", 1)[0]?.match(/[^\x02]+(?=\x01)/g) ?? []).filter((name) => !FRAGMENT.includes(name));

/**
 * Calls `note` if nothing was written, and with the names of the pairs that were not taken. A fragment counts unless it
 * was read: networks append to it, too. Where the address has the click id that counts, nothing is amiss.
 */
export function noteDecision(
  isNews: unknown,
  clickId: string,
  pairs: string,
  isFragmentRead: boolean | undefined,
  note: (reason: Reason, names?: string) => unknown,
): void {
  if (!isNews) note(clickId ? "known_click" : "no_click_id");
  if (clickId && pairs.includes(clickId)) return;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a name or a value ends so.
  if (/~cut\x01?\x02$/.test(pairs)) note("address_cut");
  const fragment = isFragmentRead ? "" : location.hash.replace(/#([^&=?]*\?)?/, FRAGMENT);
  const names = [...namesOf(pairs), ...(fragment.includes("=") ? namesOf(pairsOf(fragment, [], 0)[0]) : [])];
  if (names[0]) note("not_taken", names.join(" "));
}
