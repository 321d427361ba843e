/** A tracker's settings: read from what the page, a tag's attributes or its address give, by one table. */
import { consentOf } from "./consent.js";
import type { Consent, TrackerOptions } from "./options.js";
import { attempt } from "./store.js";

/** What a tracker is set up by; `base` is the folder of the tag's files. */
export type Settings = Omit<TrackerOptions, "consent"> & { readonly consent?: Consent; readonly base?: string };

/** Their names: first those that are yes or no, then the numbers, words, a list, a function, and any text. */
export const SETTING_NAMES =
  "edge fragment debug ignoreGlobalPrivacyControl windowDays journey cookieDays touch consent parameters onError endpoint cookieDomain base";

const NAMES = SETTING_NAMES.split(" ");

/**
 * Reads them from several sources, the strongest last. `refuse` hears of each value that its setting does not take,
 * which then counts as not given; no such word for consent is a consent.
 */
export function readSettings(
  sources: readonly (object | null | undefined)[],
  refuse: (name: string, value: unknown) => void,
): Settings {
  const settings: Record<string, unknown> = {};
  for (const source of sources) {
    // What throws here is told where its names are checked.
    for (const [given, value] of attempt(() => Object.entries({ ...source })) ?? []) {
      // `data-window-days`, `windowDays`, and `windowdays`, which HTML makes of it.
      const plain = given.replace(/^data-|[-_]/g, "").toLowerCase();
      const at = NAMES.findIndex((name) => name.toLowerCase() === plain);
      const name = NAMES[at];
      if (!name || value == null) continue;
      const read = attempt(() => readSetting(value, at));
      if (read === undefined) refuse(name, value);
      settings[name] = read ?? (at === 8 ? "pending" : settings[name]);
    }
  }
  return settings;
}

/** What a value says for the setting of this place; `undefined` where it says nothing. */
function readSetting(value: unknown, at: number): unknown {
  if (at === 8) return consentOf(value);
  const text = `${value}`.trim();
  // As `TouchPolicy::new` of src/touch.rs has it.
  if (at > 3 && at < 7) return /^[1-9]\d{0,2}$/.test(text) && +text <= (at === 5 ? 20 : 400) ? +text : undefined;
  // `edge="edge"` is how XML writes `edge`.
  if (at < 4)
    return /^(true|1|yes|on|)$/i.test(text) || text === NAMES[at] || (!/^(false|0|no|off)$/i.test(text) && undefined);
  if (at < 8) return /^(last|first)$/i.test(text) ? text.toLowerCase() : undefined;
  if (at === 9 && Array.isArray(value)) return value.map(String);
  if (at === 10) return typeof value === "function" ? value : undefined;
  // An object is no text, but for an address.
  return (!/^\[object /.test(text) && (at === 9 ? text.match(/[^\s,]+/g) : text)) || undefined;
}
