/**
 * The request of a conversion: part of the first script, so that a conversion leaves in the very task that reports it.
 * What its answer means is the outbox's affair.
 */
import type { PageConversion } from "./options.js";

/** How long an answer is waited for, in milliseconds: `convert` has resolved within 15 s. */
export const ANSWER_MS = 12_000;

/** Posts a conversion. Rejects where no answer comes in time, with a `TimeoutError`. */
export function post(url: string, fields: PageConversion): Promise<Response> {
  // A text needs no preflight, and so no second request on the way out of a page.
  return fetch(url, {
    method: "POST",
    body: JSON.stringify(fields),
    keepalive: true,
    // So that it keeps no connection. Where browsers lack this, whoever waits gives up.
    signal: AbortSignal.timeout?.(ANSWER_MS),
  });
}

/**
 * The unique id of a click's order: both, readable, with each other character by its number. One order has one id in
 * every tab, with no store and no lock. Nothing where it is too long.
 */
export function findOrderUniqueId(clickId: string, orderId: string): string | undefined {
  const plain = (id: string) => id.replace(/[^a-z0-9.-]/gi, (character) => `_${character.charCodeAt(0)}_`);
  const id = `${plain(clickId)}:${plain(orderId)}`;
  return id.length > 128 ? undefined : id;
}
