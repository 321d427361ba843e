/** Refuses unknown names: the short form of js/option.ts and js/nearest.ts, because a page counts bytes. */
import { refuse } from "../option.js";
import { attempt } from "./store.js";

/** The name of a click id when it is handed on: the first name that webhooks and landing pages look for. */
export const CLICK_NAME = "reqid";

/** The names under which click ids arrive, equal to the core's `DEFAULT_PARAMETERS`. */
export const clickNames = () => [CLICK_NAME, "ckm_request_id", "click_id", "clickid"];

/** Does the value hold its fields itself? A module of settings does; a `Map` or a promise does not. */
export const isPlain = (value: unknown) => /Object|Module/.test({}.toString.call(value));

/**
 * @throws CakeError `invalid_field` for a name that is not one of the words; the rule suggests a near one. Also for a
 * value that is no plain object, and for a second argument: their fields would be ignored.
 */
export function checkNames(given: object, words: string, more?: unknown): void {
  // A getter may throw.
  if (!attempt(() => isPlain(given) && !isPlain(more) && { ...given })) refuse("options", "must be one plain object");
  const known = words.split(" ");
  // Own names only: an old library may have added names to every object.
  for (const name of Object.keys({ ...given })) {
    if (known.includes(name)) continue;
    // `subId1`, `aff_sub1` and `S1` are `s1`; `extras` is `extra`, `creative_id` is `creativeId`.
    const [start] = name
      .toLowerCase()
      .replace(/^(aff_?)?sub(_?id)?_?/, "s")
      .match(/[a-z]+\d*/) ?? [name];
    const meant = known.find((word) => word.toLowerCase().startsWith(start.replace(/(..)s$/, "$1")));
    refuse(name, `is unknown${meant ? `: did you mean ${meant}?` : ""}`);
  }
}
