/** Which events a shard sends: takes new ones, recognises known ones, and sends finished ones again. */
import { call } from "../error.js";
import { type Host, LEASE_MS } from "../host.js";
import { core } from "./core.js";
import { type Corrections, NO_CONVERSION } from "./corrections.js";
import { type Delivery, shownState } from "./delivery.js";
import type { ResolvedOptions } from "./options.js";
import { type Acceptance, type AcceptRequest, claimedBy, MAX_REPLAYED } from "./shard.js";
import type { StateLog } from "./state-log.js";
import type { EventFilter, NewEvent, OutboxStore, Row } from "./store.js";

/** The dependencies of an acceptor. */
export interface AcceptorDeps {
  readonly options: ResolvedOptions;
  readonly store: OutboxStore;
  readonly host: Host;
  readonly stateLog: StateLog;
  readonly corrections: Corrections;
  readonly delivery: Delivery;
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
    let room = options.capacity - stateLog.counts.of("pending");
    const added: Row[] = [];
    const revived: Row[] = [];
    const kept: Row[] = [];
    const answers: Acceptance[] = [];
    store.transaction(() => {
      // In the order of the request: of two events with one key, or one click, the first one wins.
      for (const event of events) {
        const { isKnown, holder } = store.lookUp(event.id, event.claim);
        const row = isKnown ? store.find(event.id) : undefined;
        if (row !== undefined) {
          answers.push(this.#known(row, event));
          continue;
        }
        const isLate = event.isFirst === true && corrections.last(event) !== undefined;
        const text = event.change === undefined ? event.text : corrections.settleChange(event, event.change);
        if (isLate || text === "") {
          answers.push(this.#unchanged(event));
          continue;
        }
        if (holder !== undefined && holder !== event.id) answers.push({ refusal: claimedBy(event.kind), holder });
        else if (room <= 0) answers.push({ refusal: "outbox_full" });
        else {
          // The event and its claim are stored together: a claim without its event would refuse a later sale.
          if (event.claim !== undefined && holder === undefined) store.claim(event.claim, event.id, now);
          const stored = store.insert({ ...event, text }, now);
          if (event.isKept === true && !corrections.hasConversion(event)) {
            kept.push(corrections.keep(event.id, now));
            answers.push({ id: event.id, state: "refused", duplicate: false, without: "kept" });
            continue;
          }
          added.push(stored);
          revived.push(...corrections.refusedTooEarly(event));
          room -= 1;
          answers.push({ id: event.id, state: shownState("pending", stateLog.isPaused), duplicate: false });
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
    const rows = "id" in what ? (row ? [row] : []) : store.list({ ...what, limit: MAX_REPLAYED });
    const now = host.now();
    // A delivered event stays delivered: a replay sends nothing twice.
    const failed = rows.filter(({ state }) => state !== "pending" && state !== "delivered");
    const replayed = failed.flatMap((each) => corrections.replayedWith(each, (other) => delivery.isNotRecorded(other)));
    const unique = [...new Map(replayed.map((each) => [each.id, each])).values()];
    store.transaction(() => this.#setPending(unique, now));
    this.#logPending(unique);
    if (unique.length > 0) host.wakeAt(now + LEASE_MS);
    return unique.length;
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

  /** The answer to a shop's correction that changes nothing. */
  #unchanged(event: NewEvent): Acceptance {
    const last = this.#deps.corrections.last(event);
    const state = shownState(last?.state ?? "pending", this.#deps.stateLog.isPaused);
    return { id: last?.id ?? event.id, state, duplicate: true, without: "nothing" };
  }

  /** The answer to an event whose key is known. */
  #known(row: Row, event: NewEvent): Acceptance {
    const { store, stateLog, delivery } = this.#deps;
    const known = { id: row.id, state: shownState(row.state, stateLog.isPaused), duplicate: true };
    if (row.state === "refused" && row.code === NO_CONVERSION) return { ...known, without: "kept" };
    // What is stored of a shop's state is only what it changed.
    if (event.change !== undefined) return known;
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

type Relation = "same" | "adds_money" | "lacks_money" | "conflict";

function compareEvents(stored: string, given: string): Relation {
  return call(() => core.api().compareEvents(stored, given)) as Relation;
}
