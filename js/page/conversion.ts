/** A conversion as a page's template prints it, made one of the forwarder's. */
import type { PageConversion } from "./options.js";

/** A text without the white space around it; `undefined` where a template printed nothing. */
const textOf = (value: unknown) => `${value ?? ""}`.trim() || undefined;

/**
 * The fields of a conversion: ids as text, whatever their type, and the click id. `kept` are the kept click ids, the one
 * that counts first: of them the first that is not the conversion's own order id or unique id, which a site's address
 * may carry under a click id's name.
 */
export function conversionOf(given: PageConversion, kept: readonly string[]): PageConversion {
  const { offerId } = given;
  const [orderId, uniqueId] = [textOf(given.orderId), textOf(given.uniqueId)];
  const clickId = [textOf(given.clickId), ...kept].find((id) => id && id !== orderId && id !== uniqueId);
  // What is no number goes on as it is, for the forwarder to refuse it by name.
  return { ...given, offerId: Number(offerId) || offerId, orderId, uniqueId, clickId };
}
