/** The ids of a conversion, as a page's template prints them. */
import { attempt } from "./store.js";

/**
 * A text without the white space around it; `undefined` if a template printed nothing. A number that has lost digits
 * stays a number, so that it is refused by name: as a text it might be another order's. So does what is no text at all.
 */
export const textOf = (value: unknown): string | undefined => {
  const text = attempt(() => `${value ?? ""}`.trim());
  const isLossy = typeof value === "number" && value >= 2 ** 53;
  return isLossy || text === undefined ? (value as never) : text || undefined;
};

/**
 * The id as it is compared: the second form of `is_own_id` in src/click_id.rs. A regular expression takes fewer bytes
 * than the core does for it; tests/vectors/own_ids.json holds both. Shops write `#1077`, `001077`, `shop:1077` and
 * `Ord-79` for the same order. A long id, such as a UUID, is compared as it is: no click is lost for an id that only has
 * it as its part.
 */
const plain = (id: string) => {
  const text = `${id}`;
  return text[30] ? text : text.toLowerCase().replace(/^([a-z]+:)?[^a-z\d]*0*|\s+/g, "");
};

/** Tells whether a click id is in truth one of these ids of an order: a site's address may carry them under its name. */
export const isOwnId = (id: string, own: readonly (string | undefined)[]) =>
  own.some((each) => each && plain(each) === plain(id));
