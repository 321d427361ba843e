/** Unknown names are refused: the short form of js/option.ts and js/nearest.ts, because a page counts bytes. */
import { CakeError } from "../error.js";

/** The name that a click id has where it is handed on: the first that webhooks and landing pages look for. */
export const CLICK_NAME = "reqid";

/** What holds its fields itself. A module of settings does, a `Map` or a promise does not. */
export const isPlain = (value: unknown) => /Object|Module/.test({}.toString.call(value));

/**
 * @throws CakeError `invalid_field` for a name that is not one of the words; the rule says the nearest, where one is near.
 * Also for what is no plain object, and for a second one behind it: their fields would be passed over.
 */
export function checkNames(given: object, words: string, more?: unknown): void {
  const fail = (parameter: string, rule: string) => {
    throw new CakeError({ code: "invalid_field", parameter, rule });
  };
  if (!isPlain(given) || isPlain(more)) fail("options", "must be one plain object");
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
    fail(name, `is unknown${meant ? `: did you mean ${meant}?` : ""}`);
  }
}
