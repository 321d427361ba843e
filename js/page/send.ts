/**
 * The request of a conversion. It is part of the first script, so that a conversion leaves in the same task that
 * reports it. The outbox reads the answer.
 */
import type { PageConversion } from "./options.js";

/** How long to wait for an answer, in milliseconds: `convert` must resolve within 15 s. */
export const ANSWER_MS = 12_000;

/** A whole address to post to, behind which `/conversions` can be put: a query or a fragment would take it. */
export const ENDPOINT = /^https?:[^?#]*$/;

/** Posts a conversion. Rejects with a `TimeoutError` if no answer comes in time. */
export function post(url: string, fields: PageConversion): Promise<Response> {
  // A text body needs no preflight, and so no second request while the page is being left.
  return fetch(url, {
    method: "POST",
    body: JSON.stringify(fields),
    keepalive: true,
    // Frees the connection. In browsers without it, the callers stop waiting by themselves.
    signal: AbortSignal.timeout?.(ANSWER_MS),
  });
}

/** The order id in its one spelling: shops print `#1001`, `1001` and `001001` for the same order. */
export const orderOf = (orderId: string) => `${orderId}`.replace(/^[#\s0]+/, "");

/**
 * The unique id of a click's order: both ids, readable, with each other character as its number. One order has one id
 * in every tab, without a store or a lock. Absent if it would be too long.
 */
export function findOrderUniqueId(clickId: string, orderId: string): string | undefined {
  const plain = (id: string) => id.replace(/[^a-z0-9.-]/gi, (character) => `_${character.charCodeAt(0)}_`);
  const id = `${plain(clickId)}:${plain(orderOf(orderId))}`;
  return id[MAX_ID] ? undefined : id;
}

/** The most characters of a unique id or an order id: the rule of src/transaction_id.rs. */
export const MAX_ID = 128;

/** Can the conversion be sent as it is? If not, `outbox.js` makes its unique id, or shortens its ids. */
export const isReady = (fields: PageConversion) =>
  fields.uniqueId && !fields.uniqueId[MAX_ID] && !fields.orderId?.[MAX_ID];
