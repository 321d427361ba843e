/** Consent: reads the word of a site or of a consent platform. */
import type { Consent } from "./options.js";
import { attempt } from "./store.js";

/**
 * Reads `granted`, `denied` and `pending` in any case, and a platform's `true` and `false`; any other word is
 * `undefined`.
 */
export function consentOf(word: unknown): Consent | undefined {
  const text = `${attempt(() => `${word}`)}`.trim().toLowerCase();
  if (/^(granted|denied|pending)$/.test(text)) return text as Consent;
  return text === "true" ? "granted" : text === "false" ? "denied" : undefined;
}
