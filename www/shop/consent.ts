/** The visitor's consent, as a consent banner would store it. */
import type { Consent } from "cake-edge/page";

const KEY = "shop_consent";

export const consent = (localStorage.getItem(KEY) ?? "granted") as Consent;

export function keepConsent(said: Consent): void {
  localStorage.setItem(KEY, said);
}
