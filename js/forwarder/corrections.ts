/** A conversion and its corrections in one shard: what each means for the others. */
import { call } from "../error.js";
import { core } from "./core.js";
import type { Family } from "./delivery.js";
import {
  ledgerOf,
  type NewEvent,
  type OrderUpdate,
  type OutboxStore,
  orderOf,
  type Row,
  type Settled,
  type StoredState,
} from "./store.js";

/** The code of a correction that waits for its conversion. */
export const NO_CONVERSION = "no_conversion";

/** The code of a correction whose order has nothing to correct any more. */
export const NOTHING_LEFT = "nothing_left";

/** The name under which a shard notes that it has ledgers. */
const LEDGERS = "ledgers";

/** What the core makes of an update (`src/delivery/shop/order_update.rs`). */
interface SettledOrder extends Settled {
  /** The ledger for the next time; empty where there is nothing to keep. */
  readonly ledger: string;
  /** The correction's canonical text. */
  readonly correction?: string;
  /** Does the correction wait for its conversion? */
  readonly isKept: boolean;
}

/** A settled update, and the rows that they meet. */
interface Settlement {
  readonly settled: SettledOrder;
  /** The correction that waits for the conversion. */
  readonly kept: Row | undefined;
  /** The last correction of the conversion. */
  readonly last: Row | undefined;
  readonly conversion: Row | undefined;
}

/** The corrections of a shard. */
export class Corrections {
  readonly #store: OutboxStore;
  /** The number of waiting corrections: at zero, no search is needed. */
  #waiting: number;
  /** The number of refused corrections: at zero, no correction came too early. */
  #refused: number;

  /** Are there ledgers of shops' orders? Without one, no search is needed. */
  #hasLedgers: boolean;

  constructor(store: OutboxStore) {
    this.#store = store;
    this.#hasLedgers = store.getMeta(LEDGERS) !== null;
    const corrections = store.correctionCounts();
    this.#waiting = corrections.get("pending") ?? 0;
    this.#refused = corrections.get("refused") ?? 0;
  }

  /** May anything here have come before its conversion? */
  get mayPrecede(): boolean {
    return this.#hasLedgers || this.#refused > 0;
  }

  /** Counts a new correction that is to be sent. */
  added(): void {
    this.#waiting += 1;
  }

  /** Counts a new correction that waits for its conversion; see {@link keep}. */
  kept(): void {
    this.#refused += 1;
  }

  /** Has a shop told anything of the order? */
  hasLedger(conversionId: string): boolean {
    return this.ledger(conversionId).text !== "";
  }

  /** The ledger of a shop's order, and when it was last written; empty where there is none. */
  ledger(conversionId: string): { readonly text: string; readonly atMs?: number } {
    const claim = this.#hasLedgers ? this.#store.findClaim(ledgerOf(conversionId)) : undefined;
    return claim === undefined ? { text: "" } : { text: claim.id, atMs: claim.atMs };
  }

  setLedger(conversionId: string, ledger: string, now: number): void {
    if (this.#store.getMeta(LEDGERS) === null) this.#store.setMeta(LEDGERS, "1");
    this.#hasLedgers = true;
    this.#store.setClaim(ledgerOf(conversionId), ledger, now);
  }

  /**
   * What a shop's webhook says of an order, settled by the core with the order's ledger. `revived` are corrections that
   * are sent again from now on.
   */
  settle(
    update: OrderUpdate,
    conversionId: string,
    ledger: { readonly text: string; readonly atMs?: number },
    { now, revived }: { readonly now: number; readonly revived: readonly Row[] },
  ): Settlement {
    const conversion = this.#store.find(conversionId);
    const all = this.#of(orderOf(conversionId));
    const kept = all.find(({ state, code }) => state === "refused" && code === NO_CONVERSION);
    const isSent = ({ id, state }: Row) =>
      state === "pending" || state === "delivered" || revived.some((each) => each.id === id);
    const texts = all.filter(isSent).map(({ text }) => text);
    const given = JSON.stringify({ ...update, isWaiting: kept !== undefined });
    const settled = JSON.parse(
      call(() => core.api().settleOrder(given, ledger.text, conversion?.text ?? "", texts, now, ledger.atMs ?? 0)),
    ) as SettledOrder;
    return { settled, kept, last: all.at(-1), conversion };
  }

  /** Keeps a stored correction until its conversion comes. It is not sent, and not part of the queue. */
  keep(id: string, now: number): Row {
    const row = this.#store.find(id) as Row;
    const message = "no such conversion is known here: it is sent after its conversion";
    const kept: Row = { ...row, state: "refused", next_ms: null, code: NO_CONVERSION, upstream_message: message };
    this.#store.settle([{ ...kept, changed_ms: now }]);
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
    const earlier = corrections.filter((other) => other.number < number);
    const waiting = earlier.find(({ state }) => state === "pending");
    return {
      conversion:
        conversion === undefined
          ? null
          : {
              state: conversion.state,
              code: conversion.code,
              message: conversion.upstream_message,
              nextMs: conversion.next_ms,
              conversionId: conversion.conversion_id,
              ageMs: conversion.number < number ? Math.max(0, accepted_ms - conversion.accepted_ms) : null,
            },
      earlierMs: waiting?.next_ms ?? null,
      hasLater: corrections.some(
        (other) => other.number > number && (other.state === "delivered" || other.is_in_doubt === 1),
      ),
      delivered: earlier.filter(({ state }) => state === "delivered").map(({ text }) => text),
    };
  }

  /**
   * The corrections that came before their conversion: CAKE refused them because it knew no such conversion. They are
   * sent after it.
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

/** May the correction have come before its conversion? A kept one is the ledger's. */
function isTooSoon({ kind, state, code, is_in_doubt }: Row): boolean {
  return kind === "correction" && state === "refused" && is_in_doubt === 0 && code === "refused";
}
