/** Unknown names are refused: the short form of js/option.ts and js/nearest.ts, because a page counts bytes. */
import { CakeError } from "../error.js";

/** `subId1`, `aff_sub1` and `S1` are `s1`. */
const plain = (name: string) =>
  name
    .toLowerCase()
    .replace(/[^a-z\d]/g, "")
    .replace(/^(aff)?sub(id)?/, "s");

/** @throws CakeError `invalid_field` for a name that is not one of the words; the rule says the nearest, or lists them */
export function checkNames(given: object, words: string): void {
  const known = words.split(" ");
  // Own names only: a site's old library may have added names to every object.
  for (const name of Object.keys({ ...given })) {
    if (known.includes(name)) continue;
    const text = plain(name);
    const meant =
      known.find((word) => plain(word) === text) ??
      known.find((word) => plain(word).startsWith(text) || text.startsWith(plain(word)));
    const rule = `is unknown: ${meant ? `did you mean ${meant}?` : `there are ${known.join(", ")}`}`;
    throw new CakeError({ code: "invalid_field", parameter: name, rule });
  }
}
