/** Which events a shard sends: takes new ones, recognises known ones, and sends finished ones again. */
import { call } from "../error.js";
import { type Host, LEASE_MS } from "../host.js";
import { core } from "./core.js";
import { type Corrections, NO_CONVERSION, NOTHING_LEFT } from "./corrections.js";
import { type Delivery, shownState } from "./delivery.js";
import type { ResolvedOptions } from "./options.js";
import { SHARD_DIGITS } from "./setup.js";
import { type Acceptance, type AcceptRequest, CLICK_LOST, claimedBy, MAX_REPLAYED } from "./shard.js";
import type { StateLog } from "./state-log.js";
import {
  conversionOf,
  type EventFilter,
  type NewEvent,
  type OrderUpdate,
  type OutboxStore,
  orderOf,
  type Row,
  type Settled,
} from "./store.js";

/** The dependencies of an acceptor. */
export interface AcceptorDeps {
  readonly options: ResolvedOptions;
  readonly store: OutboxStore;
  readonly host: Host;
  readonly stateLog: StateLog;
  readonly corrections: Corrections;
  readonly delivery: Delivery;
}

/** What a window writes: new events; corrections sent again, kept for their conversion, or left without a change. */
interface Written {
  readonly now: number;
  readonly added: Row[];
  readonly revived: Row[];
  readonly kept: Row[];
  readonly dropped: Row[];
}

/** Accepts events. Its methods run in a window of the group commit. */
export class Acceptor {
  readonly #deps: AcceptorDeps;

  constructor(deps: AcceptorDeps) {
    this.#deps = deps;
  }

  /** Accepts all events or none; the counts change after the write. */
  accept({ events, webhook }: AcceptRequest): readonly Acceptance[] {
    const { store, host, options, stateLog, corrections, delivery } = this.#deps;
    const now = host.now();
    if (webhook !== undefined && store.webhook(webhook.id, webhook.digest, now) !== webhook.digest) {
      return events.map(() => ({ refusal: "webhook_id_reused" }) as const);
    }
    const written: Written = { now, added: [], revived: [], kept: [], dropped: [] };
    const { added, revived, kept, dropped } = written;
    const rest = () => options.capacity - stateLog.counts.of("pending") - added.length - revived.length;
    let room = rest();
    const answers: Acceptance[] = [];
    store.transaction(() => {
      // In the order of the request: of two events with one key, or one click, the first one wins.
      for (const event of events) {
        const { update, kind = "conversion" } = event;
        if (kind === "correction" && update !== undefined) {
          answers.push(room > 0 ? this.#updateOrder(event, update, written) : { refusal: "outbox_full" });
          room = rest();
          continue;
        }
        const { isKnown, holder } = store.lookUp(event.id, event.claim);
        const row = isKnown ? store.find(event.id) : undefined;
        if (row !== undefined) {
          const answer = this.#known(row, event);
          answers.push("refusal" in answer ? answer : { ...answer, ...this.#sold(event, answer, written) });
          room = rest();
          continue;
        }
        if (holder !== undefined && holder !== event.id) answers.push({ refusal: claimedBy(event.kind), holder });
        else if (room <= 0) answers.push({ refusal: "outbox_full" });
        else {
          // The event and its claim are stored together: a claim without its event would refuse a later sale.
          if (event.claim !== undefined && holder === undefined) store.claim(event.claim, event.id, now);
          written.added.push(store.insert(event, now));
          written.revived.push(...corrections.refusedTooEarly(event));
          const answer = { id: event.id, state: shownState("pending", stateLog.isPaused), duplicate: false };
          answers.push(kind === "conversion" ? { ...answer, ...this.#sold(event, answer, written) } : answer);
          room = rest();
        }
      }
      this.#setPending(revived, now);
    });
    for (const each of added) {
      delivery.accepted(each);
      if (each.kind === "correction") corrections.added();
      stateLog.log(each, "pending", "", 0, false, false);
    }
    for (const each of kept) {
      corrections.kept();
      stateLog.counts.add("refused", 1);
      stateLog.log(each, "refused", NO_CONVERSION, 0, false, false);
    }
    for (const each of dropped) {
      stateLog.move(each, "cancelled");
      stateLog.log(each, "cancelled", NOTHING_LEFT, each.attempts, false, false);
    }
    this.#logPending(revived);
    if (added.length > 0) {
      stateLog.counts.add("pending", added.length);
      host.wakeAt(now + LEASE_MS);
    }
    return answers;
  }

  /** Sends failed and cancelled events again; returns their number. */
  replay(what: { readonly id: string } | EventFilter): number {
    const { store, host, corrections, delivery } = this.#deps;
    const row = "id" in what ? store.find(what.id) : undefined;
    const failed = "id" in what ? (row && isReplayed(row) ? [row] : []) : this.#failed(what);
    const now = host.now();
    const replayed = failed.flatMap((each) => corrections.replayedWith(each, (other) => delivery.isNotRecorded(other)));
    const unique = [...new Map(replayed.map((each) => [each.id, each])).values()];
    store.transaction(() => this.#setPending(unique, now));
    this.#logPending(unique);
    if (unique.length > 0) host.wakeAt(now + LEASE_MS);
    return unique.length;
  }

  /** The newest events of a filter that a replay sends. */
  #failed(filter: EventFilter): readonly Row[] {
    const failed: Row[] = [];
    let before: number | undefined;
    for (;;) {
      const rows = this.#deps.store.list({ ...filter, before, limit: MAX_REPLAYED });
      failed.push(...rows.filter(isReplayed));
      before = rows.at(-1)?.number;
      if (failed.length >= MAX_REPLAYED || rows.length < MAX_REPLAYED) return failed.slice(0, MAX_REPLAYED);
    }
  }

  /** Sends corrections again whose conversion has come meanwhile. */
  revive(over: readonly Row[]): void {
    this.#setPending(over, this.#deps.host.now());
    this.#logPending(over);
  }

  /** Sets finished events to be sent again. */
  #setPending(rows: readonly Row[], now: number): void {
    for (const each of rows) {
      this.#deps.store.settle({ ...each, state: "pending", attempts: 0, next_ms: now, changed_ms: now });
    }
  }

  /** Logs and counts the events that are sent again, after they are stored. */
  #logPending(rows: readonly Row[]): void {
    const { stateLog, delivery } = this.#deps;
    for (const each of rows) {
      stateLog.move(each, "pending");
      // A finished event has no attempt under way: if it was certainly not recorded, that stays certain.
      delivery.rest(each.id, each.is_in_doubt === 1 ? "in_doubt" : "not_recorded");
      stateLog.log(each, "pending", each.code, 0, false, each.is_in_doubt === 1);
    }
    if (rows.length > 0) delivery.refresh();
  }

  /** What a conversion means for its order: facts may have come before it, or come with it. */
  #sold(event: NewEvent, answer: { readonly duplicate: boolean; readonly moneyUsed?: boolean }, written: Written) {
    const { update, id, text, offerId } = event;
    if (update === undefined) {
      if (answer.duplicate || !this.#deps.corrections.hasLedger(id)) return {};
      const { uniqueId } = JSON.parse(text) as { uniqueId: string };
      const none: OrderUpdate = { platform: "", offerId, uniqueId, facts: "", isMapped: false, ifUnknown: "known" };
      this.#settle(id, none, event.acceptedAt, written);
      return {};
    }
    const { sale } = update;
    const isOurs = !answer.duplicate || answer.moneyUsed === true || this.#deps.store.find(id)?.text === text;
    const own = { ...update, isOurs, ...(sale === undefined ? {} : { sale: { ...sale, text } }) };
    return { settled: this.#settle(id, own, event.acceptedAt, written) };
  }

  /** The answer to what a shop's webhook tells of an order, without a conversion. */
  #updateOrder(event: NewEvent, update: OrderUpdate, written: Written): Acceptance {
    const settled = this.#settle(conversionOf(event), update, event.acceptedAt, written);
    return { id: settled.id ?? event.id, state: "pending", duplicate: settled.outcome !== "refund", settled };
  }

  /** Puts an update into the ledger of an order, and stores the correction that follows, if any. */
  #settle(conversionId: string, update: OrderUpdate, acceptedAt: string, written: Written): Settled {
    const { store, corrections } = this.#deps;
    const { now, added, revived, kept, dropped } = written;
    const before = corrections.ledger(conversionId);
    const { settled, kept: waiting, last } = corrections.settle(update, conversionId, before, written);
    const { ledger, correction, isKept, ...rest } = settled;
    if (ledger !== before) corrections.setLedger(conversionId, ledger, now);
    if (correction === undefined) {
      // What waited for the conversion, or for its place, has nothing to change there.
      if (waiting !== undefined && settled.outcome !== "full") {
        const over = {
          state: "cancelled",
          code: NOTHING_LEFT,
          upstream_message: "",
          next_ms: null,
          changed_ms: now,
        } as const;
        store.settle({ ...waiting, ...over });
        dropped.push(waiting);
      }
      return { ...rest, id: last?.id };
    }
    if (waiting !== undefined) {
      if (waiting.text !== correction) store.setText(waiting.id, correction);
      if (!isKept) revived.push({ ...waiting, text: correction });
      return { ...rest, id: waiting.id };
    }
    const id = conversionId.slice(0, SHARD_DIGITS) + randomDigits(conversionId.length - SHARD_DIGITS);
    const { offerId } = update;
    const event: NewEvent = {
      id,
      kind: "correction",
      offerId,
      text: correction,
      acceptedAt,
      order: orderOf(conversionId),
    };
    const row = store.insert(event, now);
    if (isKept) kept.push(corrections.keep(id, now));
    else added.push(row);
    return { ...rest, id };
  }

  /** The answer to an event whose key is known. */
  #known(row: Row, event: NewEvent): Acceptance {
    const { store, stateLog, delivery } = this.#deps;
    const known = { id: row.id, state: shownState(row.state, stateLog.isPaused), duplicate: true };
    const relation = row.text === event.text ? "same" : compareEvents(row.text, event.text);
    switch (relation) {
      case "conflict":
        return { refusal: row.kind === "correction" ? "correction_conflict" : "conversion_conflict" };
      case "adds_money": {
        if (event.isSigned !== true) return { refusal: "conversion_conflict" };
        // If CAKE has recorded the event, or may have, its money comes from the offer's rules, and nothing here changes
        // that.
        const moneyUsed = row.state === "pending" && delivery.isNotRecorded(row);
        if (moneyUsed) {
          store.setText(row.id, event.text);
          delivery.refresh();
        }
        return { ...known, moneyUsed };
      }
      default:
        return known;
    }
  }
}

/**
 * Does a replay send the event? A delivered one stays delivered. One that has lost its click to another event would
 * convert the click twice.
 */
function isReplayed({ state, code }: Row): boolean {
  return state !== "pending" && state !== "delivered" && code !== CLICK_LOST;
}

type Relation = "same" | "adds_money" | "lacks_money" | "conflict";

function compareEvents(stored: string, given: string): Relation {
  return call(() => core.api().compareEvents(stored, given)) as Relation;
}

/** Digits of an id that nobody can guess. */
function randomDigits(count: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(count / 2));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
