/** Turns a conversion from a page's template into one for the forwarder. */
import { isClickId } from "./engine.js";
import type { PageConversion } from "./options.js";

/**
 * A text without the white space around it; `undefined` if a template printed nothing. A number that has lost digits
 * stays a number, so that the forwarder refuses it by name: as a text it might be another order's.
 */
const textOf = (value: unknown): string | undefined =>
  typeof value === "number" && Math.abs(value) > 9e15 ? (value as never) : `${value ?? ""}`.trim() || undefined;

/**
 * The fields of a conversion: ids as text, whatever their type, and the click id. `kept` are the kept click ids, with
 * the one that counts first. The click id is the first of them that is not the conversion's own order id or unique id.
 * (A site's address may carry these under a click id's name.) An invalid given click id, such as `undefined`, replaces
 * no kept one. If none is kept, the forwarder refuses it by name.
 */
export function conversionOf(given: PageConversion, kept: readonly (string | undefined)[]): PageConversion {
  const { offerId } = given;
  const [orderId, uniqueId, own] = [given.orderId, given.uniqueId, given.clickId].map(textOf);
  const ids = [isClickId(own as string) && own, ...kept, own] as string[];
  const clickId = ids.find((id) => id && id !== orderId && id !== uniqueId);
  // An invalid number stays as it is, so that the forwarder refuses it by name.
  return { ...given, offerId: Number(offerId) || offerId, orderId, uniqueId, clickId };
}
