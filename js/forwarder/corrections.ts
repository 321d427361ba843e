/** A conversion and its corrections in one shard: what each means for the others. */
import { call } from "../error.js";
import { core } from "./core.js";
import type { Family } from "./delivery.js";
import { type NewEvent, type OutboxStore, orderOf, type Row, type StoredState } from "./store.js";

/** The code of a correction that waits for its conversion. */
export const NO_CONVERSION = "no_conversion";

/** The corrections of a shard. */
export class Corrections {
  readonly #store: OutboxStore;
  /** The number of waiting corrections: at zero, no search is needed. */
  #waiting: number;
  /** The number of refused corrections: at zero, no correction came too early. */
  #refused: number;

  constructor(store: OutboxStore) {
    this.#store = store;
    const corrections = store.correctionCounts();
    this.#waiting = corrections.get("pending") ?? 0;
    this.#refused = corrections.get("refused") ?? 0;
  }

  /** Counts a new correction that is to be sent. */
  added(): void {
    this.#waiting += 1;
  }

  /** Counts a new correction that waits for its conversion; see {@link keep}. */
  kept(): void {
    this.#refused += 1;
  }

  /** Is the conversion of a correction here? */
  hasConversion({ order = "" }: NewEvent): boolean {
    return this.#conversionOf(order) !== undefined;
  }

  /** The last correction of the same conversion. */
  last({ order = "" }: NewEvent): Row | undefined {
    return this.#of(order).at(-1);
  }

  /** The text of a shop's correction that changes something; empty where it changes nothing. */
  settleChange({ text, order = "" }: NewEvent, change: string): string {
    const conversion = this.#conversionOf(order)?.text ?? "";
    const earlier = this.#of(order).filter(({ state }) => state !== "cancelled" && state !== "dead");
    const texts = earlier.map((row) => row.text);
    return call(() => core.api().settleCorrection(change, conversion, texts, text));
  }

  /** Keeps a stored correction until its conversion comes. It is not sent, and not part of the queue. */
  keep(id: string, now: number): Row {
    const row = this.#store.find(id) as Row;
    const message = "no such conversion is known here: it is sent after its conversion";
    const kept: Row = { ...row, state: "refused", next_ms: null, code: NO_CONVERSION, upstream_message: message };
    this.#store.settle({ ...kept, changed_ms: now });
    return kept;
  }

  /**
   * Has the conversion come while its correction was on its way to CAKE, which did not know it yet? A refusal after
   * the conversion is final.
   */
  cameMeanwhile(before: Row, after: Row): boolean {
    if (!isTooSoon(after)) return false;
    const conversion = this.#conversionOf(after.order_key);
    return conversion !== undefined && conversion.accepted_ms >= before.changed_ms;
  }

  /** Counts a correction's move to another state. */
  moved(from: StoredState, to: StoredState): void {
    if (from === "pending") this.#waiting -= 1;
    if (to === "pending") this.#waiting += 1;
    if (from === "refused") this.#refused -= 1;
    if (to === "refused") this.#refused += 1;
  }

  /** The conversion and the corrections that a correction depends on. */
  family({ number, order_key, accepted_ms }: Row): Family {
    const conversion = this.#conversionOf(order_key);
    const corrections = this.#of(order_key);
    const earlier = corrections.find((other) => other.number < number && other.state === "pending");
    return {
      conversion:
        conversion === undefined
          ? null
          : {
              state: conversion.state,
              code: conversion.code,
              message: conversion.upstream_message,
              nextMs: conversion.next_ms,
              ageMs: conversion.number < number ? Math.max(0, accepted_ms - conversion.accepted_ms) : null,
            },
      earlierMs: earlier?.next_ms ?? null,
      hasLater: corrections.some(
        (other) => other.number > number && (other.state === "delivered" || other.is_in_doubt === 1),
      ),
    };
  }

  /**
   * The corrections that came before their conversion: CAKE refused them because it knew no such conversion, or they
   * were kept. They are sent after it.
   */
  refusedTooEarly({ id, kind }: NewEvent): readonly Row[] {
    if (kind === "correction" || this.#refused <= 0) return [];
    return this.#of(orderOf(id)).filter(isTooSoon);
  }

  /** The next waiting correction of a conversion: the first one, or the one after this. */
  next(over: Row): Row | undefined {
    if (this.#waiting === 0) return undefined;
    const order = over.kind === "correction" ? over.order_key : orderOf(over.id);
    return this.#of(order).find(({ state }) => state === "pending");
  }

  /**
   * The events that a replay of a failed event sends. With a conversion, these include the corrections that ended with
   * it. For a correction there are none while a later one may be on its way.
   */
  replayedWith(row: Row, isNotRecorded: (row: Row) => boolean): readonly Row[] {
    if (row.kind === "conversion") {
      const ended = this.#of(orderOf(row.id)).filter(
        ({ state, code }) => state === "refused" && code.startsWith("conversion_"),
      );
      return [row, ...ended];
    }
    const isBefore = (other: Row) => other.number > row.number && other.state === "pending" && !isNotRecorded(other);
    return this.#of(row.order_key).some(isBefore) ? [] : [row];
  }

  #conversionOf(order: string): Row | undefined {
    return this.#store.find(order.slice(orderOf("").length));
  }

  /** The corrections of a conversion, in the order of their acceptance. */
  #of(order: string): readonly Row[] {
    return [...this.#store.siblings(order)].sort((a, b) => a.number - b.number);
  }
}

/** May the correction have come before its conversion? */
function isTooSoon({ kind, state, code, is_in_doubt }: Row): boolean {
  const isRefused = kind === "correction" && state === "refused" && is_in_doubt === 0;
  return isRefused && (code === "refused" || code === NO_CONVERSION);
}
