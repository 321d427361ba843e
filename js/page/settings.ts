/** A tracker's settings, read by one table from the page, a tag's attributes or its address. */
import { consentOf } from "./consent.js";
import type { Consent, TrackerOptions } from "./options.js";
import { ENDPOINT } from "./send.js";
import { attempt, resolve } from "./store.js";

/** The settings of a tracker; `base` is the folder of the tag's files. */
export type Settings = Omit<TrackerOptions, "consent"> & { readonly consent?: Consent; readonly base?: string };

/** A setting as it was given: its name in any spelling, and its value of any type. */
export type GivenSetting = readonly [name: string, value: unknown];

/** The names: first the booleans, then numbers, words, a list, a function, and any text. */
export const SETTING_NAMES =
  "edge fragment debug ignoreGlobalPrivacyControl windowDays journey cookieDays touch consent parameters onError endpoint cookieDomain base";

const NAMES = SETTING_NAMES.split(" ");

/** The settings of an object; none if it cannot be read, which is reported where the names are checked. */
export const settingsIn = (source: object | null | undefined): GivenSetting[] =>
  attempt(() => Object.entries(source ?? {})) ?? [];

/**
 * Reads settings, the strongest last. Wrong values are `refused`, and count as not given. An unknown word for
 * consent is no consent.
 */
export function readSettings(given: readonly GivenSetting[]): Settings & { readonly refused: readonly GivenSetting[] } {
  const refused: GivenSetting[] = [];
  const settings: Record<string, unknown> = { refused };
  for (const [own, value] of given) {
    // `data-window-days`, `windowDays`, and `windowdays`, as HTML spells it.
    const plain = own.replace(/^data-|[-_]/g, "").toLowerCase();
    const at = SETTING_NAMES.toLowerCase().split(" ").indexOf(plain);
    const name = NAMES[at];
    // Null is a value: a consent platform that has not loaded yet has said nothing.
    if (!name || value === undefined) continue;
    const read = attempt(() => readSetting(value, at));
    if (read == null) refused.push([name, value]);
    settings[name] = read ?? (at === 8 ? "pending" : settings[name]);
  }
  return settings as ReturnType<typeof readSettings>;
}

/** The value for the setting at this place; none if it is wrong. */
function readSetting(value: unknown, at: number): unknown {
  const text = `${value}`.trim();
  const small = text.toLowerCase();
  if (at < 4) {
    // `edge="edge"` is how XML writes `edge`.
    return /^(true|1|yes|on|)$/.test(small) || text === NAMES[at] || (!/^(false|0|no|off)$/.test(small) && null);
  }
  return (
    (at < 7
      ? // The same rule as `TouchPolicy::new` of src/touch.rs.
        /^[1-9]\d{0,2}$/.test(text) && +text <= (at === 5 ? 20 : 400) && +text
      : at < 8
        ? /^(last|first)$/.test(small) && small
        : at === 8
          ? consentOf(value)
          : at === 10
            ? typeof value === "function" && value
            : // An object is no text, except an address. Nor is what a template prints for a missing value.
              !/^(true|false|null|undefined|\[obj.*)$/.test(small) &&
              (at === 9
                ? // A list in a script is a text with commas here. The rule of `parametersOption` in js/option.ts, in fewer
                  // bytes.
                  /^\w[^;|"]*$/.test(text) && small.match(/[^\s,]+/g)
                : (at > 11 || ENDPOINT.test(resolve(text) as never)) && text)) || null
  );
}
