/** A conversion as a page's template prints it, made one of the forwarder's. */
import { isClickId } from "./engine.js";
import type { PageConversion } from "./options.js";

/**
 * A text without the white space around it; `undefined` where a template printed nothing. A number that has lost digits
 * stays one, for the forwarder to refuse it by name: as a text it might be another order's.
 */
const textOf = (value: unknown): string | undefined =>
  typeof value === "number" && Math.abs(value) > 9e15 ? (value as never) : `${value ?? ""}`.trim() || undefined;

/**
 * The fields of a conversion: ids as text, whatever their type, and the click id. `kept` are the kept click ids, the one
 * that counts first: of them the first that is not the conversion's own order id or unique id, which a site's address
 * may carry under a click id's name. A given click id that is none, such as `undefined`, replaces no kept one; where none
 * is kept the forwarder refuses it by name.
 */
export function conversionOf(given: PageConversion, kept: readonly string[]): PageConversion {
  const { offerId } = given;
  const [orderId, uniqueId] = [textOf(given.orderId), textOf(given.uniqueId)];
  const own = textOf(given.clickId);
  const ids = [typeof own === "string" && isClickId(own) ? own : undefined, ...kept, own];
  const clickId = ids.find((id) => id && id !== orderId && id !== uniqueId);
  // What is no number goes on as it is, for the forwarder to refuse it by name.
  return { ...given, offerId: Number(offerId) || offerId, orderId, uniqueId, clickId };
}
