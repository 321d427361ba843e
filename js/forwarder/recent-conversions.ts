/** The conversions of CAKE's that a shard has met last, so that an answer that names another event's is seen. */
import type { OutboxStore } from "./store.js";

/** The most conversions that are known, and how many of the store's newest events a new object reads. */
const MAX_KNOWN = 5_000;
const READ_AT_START = 2_000;

/** The conversions that were known before a request was sent. */
export interface KnownBefore {
  /** No event of this shard has a conversion with a higher id. */
  readonly here: number;
  /** The same of all shards, since CAKE gives ids in ascending order; `undefined` where the last one is long ago. */
  readonly anywhere: number | undefined;
}

/** In memory only: an index of all conversions would cost a row for each event. */
export class RecentConversions {
  readonly #store: Pick<OutboxStore, "list" | "highestConversion">;
  /** The events by CAKE's id of their conversion. Filled when it is asked first. */
  #events: Map<number, string> | undefined;
  #highestId: number | undefined;
  /** When a conversion was met last, in milliseconds since 1970. */
  #metMs = Number.NEGATIVE_INFINITY;

  constructor(store: Pick<OutboxStore, "list" | "highestConversion">) {
    this.#store = store;
  }

  /** What is known now; after `staleMs` without a conversion, other shards may have met higher ids. */
  known(nowMs: number, staleMs: number): KnownBefore {
    const here = this.#highest();
    const age = nowMs - this.#metMs;
    return { here, anywhere: age >= 0 && age < staleMs ? here : undefined };
  }

  /** The event that has the conversion. */
  find(conversionId: number): string | undefined {
    return this.#known().get(conversionId);
  }

  /** Notes whose conversion it is, before that is stored: an answer to another event may come in between. */
  note(conversionId: number, event: string, nowMs: number): void {
    const events = this.#known();
    events.set(conversionId, event);
    const [first] = events.keys();
    if (events.size > MAX_KNOWN && first !== undefined) events.delete(first);
    this.#highestId = Math.max(this.#highest(), conversionId);
    this.#metMs = nowMs;
  }

  /** Takes a note back: the conversion is that of another shard's event. */
  forget(conversionId: number): void {
    this.#known().delete(conversionId);
  }

  #highest(): number {
    this.#highestId ??= Math.max(this.#store.highestConversion(), ...this.#known().keys());
    return this.#highestId;
  }

  #known(): Map<number, string> {
    if (this.#events === undefined) {
      this.#events = new Map();
      // The oldest first: the first one known is the first one forgotten.
      for (const { kind, id, conversion_id } of [...this.#store.list({ limit: READ_AT_START })].reverse()) {
        if (kind === "conversion" && conversion_id !== null) this.#events.set(conversion_id, id);
      }
    }
    return this.#events;
  }
}
