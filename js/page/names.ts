/** Names that are not known: refused, never passed over. The short form of js/option.ts, because a page counts bytes. */
import { CakeError } from "../error.js";

/** @throws CakeError `invalid_field` for a name that is not one of the words */
export function checkNames(given: object, words: string): void {
  for (const name of Object.keys(given)) {
    if (!words.split(" ").includes(name)) {
      throw new CakeError({ code: "invalid_field", parameter: name, rule: `is unknown; known: ${words}` });
    }
  }
}
