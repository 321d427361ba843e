/** Consent: what a site's or a consent platform's word means. */
import type { Consent } from "./options.js";

/** `granted`, `denied` and `pending` in any case, and a platform's `true` and `false`; `undefined` for any other word. */
export function consentOf(word: unknown): Consent | undefined {
  const text = `${word}`.trim().toLowerCase();
  if (/^(granted|denied|pending)$/.test(text)) return text as Consent;
  return text === "true" ? "granted" : text === "false" ? "denied" : undefined;
}
