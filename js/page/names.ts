/** Unknown names are refused: the short form of js/option.ts and js/nearest.ts, because a page counts bytes. */
import { CakeError } from "../error.js";

/** The name that a click id has where it is handed on: the first that webhooks and landing pages look for. */
export const CLICK_NAME = "reqid";

/** @throws CakeError `invalid_field` for a name that is not one of the words; the rule says the nearest, where one is near */
export function checkNames(given: object, words: string): void {
  const known = words.split(" ");
  // Own names only: a site's old library may have added names to every object.
  for (const name of Object.keys({ ...given })) {
    if (known.includes(name)) continue;
    // `subId1`, `aff_sub1` and `S1` are `s1`; `extras` is `extra`, `creative_id` is `creativeId`.
    const [start] = name
      .toLowerCase()
      .replace(/^(aff_?)?sub(_?id)?_?/, "s")
      .match(/[a-z]+\d*/) ?? [name];
    const meant = known.find((word) => word.toLowerCase().startsWith(start.replace(/(..)s$/, "$1")));
    throw new CakeError({
      code: "invalid_field",
      parameter: name,
      rule: `is unknown${meant ? `: did you mean ${meant}?` : ""}`,
    });
  }
}
