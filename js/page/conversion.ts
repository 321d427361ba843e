/** Turns a conversion from a page's template into one for the forwarder. */
import { isClickId } from "./engine.js";
import type { PageConversion } from "./options.js";
import { attempt } from "./store.js";

/**
 * A text without the white space around it; `undefined` if a template printed nothing. A number that has lost digits
 * stays a number, so that it is refused by name: as a text it might be another order's. So does what is no text at all.
 */
const textOf = (value: unknown): string | undefined => {
  const text = attempt(() => `${value ?? ""}`.trim());
  const isLossy = typeof value === "number" && value % 1 === 0 && Math.abs(value) > 9e15;
  return isLossy || text === undefined ? (value as never) : text || undefined;
};

/**
 * The id as it is compared: shops write `#1077`, `001077`, `shop:1077` and `Ord-79` for the same order. A long id, such
 * as a UUID, is compared as it is: no click is lost for an id that only has it as its part.
 */
const plain = (id: string) => (id[30] ? id : id.toLowerCase().replace(/^([a-z]+:)?[^a-z\d]*0*|\s+/g, ""));

/** Is the click id in truth one of the conversion's own ids? A site's address may carry these under its name. */
export const isOwnId = (id: string, { orderId, uniqueId }: PageConversion): boolean =>
  [orderId, uniqueId].some((own) => own && plain(`${own}`) === plain(id));

/**
 * The fields of a conversion: ids as text, whatever their type, and the click id. `kept` are the kept click ids, with
 * the one that counts first. The click id is the first of them that is not the conversion's own order id or unique id.
 * An invalid given click id, such as `undefined`, replaces no kept one. If none is kept, the forwarder refuses it by
 * name.
 */
export function conversionOf(given: PageConversion, kept: readonly (string | undefined)[]): PageConversion {
  const [offer, orderId, uniqueId, own] = [given.offerId, given.orderId, given.uniqueId, given.clickId].map(textOf);
  const ids = [isClickId(own as string) && own, ...kept, own] as string[];
  const clickId = ids.find((id) => id && !isOwnId(`${id}`, { orderId, uniqueId } as PageConversion));
  // An offer that is not written in digits stays as it is, to be refused by name.
  return {
    ...given,
    offerId: (/^\d+$/.test(offer as string) ? Number(offer) : offer) as number,
    orderId,
    uniqueId,
    clickId,
  };
}
