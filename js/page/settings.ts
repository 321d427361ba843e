/** A tracker's settings, read by one table from the page, a tag's attributes or its address. */
import { consentOf } from "./consent.js";
import type { Consent, TrackerOptions } from "./options.js";
import { isEndpoint } from "./send.js";
import { attempt, urlOf } from "./store.js";

/** The settings of a tracker; `base` is the folder of the tag's files. */
export type Settings = Omit<TrackerOptions, "consent"> & { readonly consent?: Consent; readonly base?: string };

/** The names: first the booleans, then numbers, words, a list, a function, and any text. */
export const SETTING_NAMES =
  "edge fragment debug ignoreGlobalPrivacyControl windowDays journey cookieDays touch consent parameters onError endpoint cookieDomain base";

const NAMES = SETTING_NAMES.split(" ");

/**
 * Reads settings from several sources, the strongest last. `refuse` is called for each wrong value, which then counts
 * as not given. An unknown word for consent is no consent.
 */
export function readSettings(
  sources: readonly (object | null | undefined)[],
  refuse: (name: string, value: unknown) => void,
): Settings {
  const settings: Record<string, unknown> = {};
  for (const source of sources) {
    // An error here is reported where the names are checked.
    for (const [given, value] of attempt(() => Object.entries({ ...source })) ?? []) {
      // `data-window-days`, `windowDays`, and `windowdays`, as HTML spells it.
      const plain = given.replace(/^data-|[-_]/g, "").toLowerCase();
      const at = SETTING_NAMES.toLowerCase().split(" ").indexOf(plain);
      const name = NAMES[at];
      if (!name || value == null) continue;
      const read = attempt(() => readSetting(value, at));
      if (read === undefined) refuse(name, value);
      settings[name] = read ?? (at === 8 ? "pending" : settings[name]);
    }
  }
  return settings;
}

/** The value for the setting at this place; `undefined` if it is wrong. */
function readSetting(value: unknown, at: number): unknown {
  if (at === 8) return consentOf(value);
  const text = `${value}`.trim();
  // The same rule as `TouchPolicy::new` of src/touch.rs.
  if (at > 3 && at < 7) return /^[1-9]\d{0,2}$/.test(text) && +text <= (at === 5 ? 20 : 400) ? +text : undefined;
  // `edge="edge"` is how XML writes `edge`.
  if (at < 4)
    return /^(true|1|yes|on|)$/i.test(text) || text === NAMES[at] || (!/^(false|0|no|off)$/i.test(text) && undefined);
  if (at < 8) return /^(last|first)$/i.test(text) ? text.toLowerCase() : undefined;
  if (at === 9 && Array.isArray(value)) return value.map(String);
  if (at === 10) return typeof value === "function" ? value : undefined;
  // An object is no text, except an address.
  return (
    (!/^\[object /.test(text) &&
      (at === 9 ? text.match(/[^\s,]+/g) : at > 11 || (isEndpoint(text) && urlOf(text, location.href)) ? text : 0)) ||
    undefined
  );
}
