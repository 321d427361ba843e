/** Says with `debug` which parameters of an address were there and not taken. */
import { pairsOf } from "./query.js";

/** The names of the pairs' first reading. */
const namesOf = (pairs: string) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a name ends so, and the first reading.
  pairs.split("\x03", 1)[0]?.match(/[^\x02]+(?=\x01)/g) ?? [];

/**
 * Calls `note` with the names of the pairs, and of a fragment that was not read: networks append to it, too. Where the
 * address has the click id that counts, nothing is amiss.
 */
export function noteNotTaken(
  pairs: string,
  fragment: string,
  clickId: string | undefined,
  note: (reason: "not_taken", names: string) => unknown,
): void {
  if (clickId && pairs.includes(clickId)) return;
  const names = [...namesOf(pairs), ...(fragment.includes("=") ? namesOf(pairsOf(fragment, [], [])) : [])];
  if (names[0]) note("not_taken", names.join(" "));
}
