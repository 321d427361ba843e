/** The secret for the ids of all shards: nobody computes an event's id from an order's number. */
import type { OutboxStore } from "./store.js";

const NAME = "id secret";

/** The secret that a store has; null where it has none yet. */
export function findIdSecret(store: Pick<OutboxStore, "getMeta">): string | null {
  return store.getMeta(NAME);
}

/** Keeps a secret, a new one unless it is given; returns it. */
export function keepIdSecret(store: Pick<OutboxStore, "setMeta">, secret = newSecret()): string {
  store.setMeta(NAME, secret);
  return secret;
}

function newSecret(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => byte.toString(16)).join(".");
}
