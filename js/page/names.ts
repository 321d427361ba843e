/** Names that nobody knows are refused, never passed over: the short form of js/option.ts, because a page counts bytes. */
import { CakeError } from "../error.js";

/** @throws CakeError `invalid_field` for a name that is not one of the words; the rule lists them */
export function checkNames(given: object, words: string): void {
  // Its own names: a site's old library may have added some to every object.
  for (const name of Object.keys({ ...given })) {
    if (!words.split(" ").includes(name)) {
      throw new CakeError({ code: "invalid_field", parameter: name, rule: `is unknown; known: ${words}` });
    }
  }
}
