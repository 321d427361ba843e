/** Which events a shard sends: takes new ones, recognises known ones, and sends finished ones again. */
import { call } from "../error.js";
import { type Outcome, outcomeOf } from "../group-commit.js";
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
  type KnownConversion,
  type NewEvent,
  type OrderUpdate,
  type OutboxStore,
  orderOf,
  type Row,
  type Settled,
} from "./store.js";

/** The most events of pages that are remembered. An older one that waits keeps its fields. */
const MAX_OF_PAGES = 10_000;

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
  /** The latest events that callers without a secret have handed over, the newest last. */
  readonly #ofPages = new Set<string>();

  constructor(deps: AcceptorDeps) {
    this.#deps = deps;
  }

  /** Accepts the requests of a window, each with its own outcome. */
  acceptAll(requests: readonly AcceptRequest[]): readonly Outcome<readonly Acceptance[]>[] {
    const accepted = this.#acceptFresh(requests);
    return requests.map((request) => {
      const answer = accepted.get(request);
      return answer === undefined ? outcomeOf(() => this.#accept(request)) : { result: [answer] };
    });
  }

  /**
   * Stores the events that nothing else concerns with a few statements for all. Empty where that failed: then each
   * request is tried alone.
   */
  #acceptFresh(requests: readonly AcceptRequest[]): ReadonlyMap<AcceptRequest, Acceptance> {
    const { store, host, options, stateLog } = this.#deps;
    const fresh = this.#fresh(requests);
    const events = [...fresh.values()];
    if (events.length < 2 || events.length > options.capacity - stateLog.counts.of("pending")) return new Map();
    const now = host.now();
    let rows: readonly Row[] = [];
    try {
      this.#note(events);
      store.transaction(() => {
        const claims = events.flatMap(({ id, claim }) => (claim === undefined ? [] : [{ claim, id }]));
        if (claims.length > 0) store.claim(claims, now);
        rows = store.insert(events, now);
      });
    } catch {
      return new Map();
    }
    this.#added(rows, now);
    const state = shownState("pending", stateLog.isPaused);
    return new Map([...fresh].map(([request, { id }]) => [request, { id, state, duplicate: false }] as const));
  }

  /** The requests of one new conversion that shares its key and its click with no other event. */
  #fresh(requests: readonly AcceptRequest[]): ReadonlyMap<AcceptRequest, NewEvent> {
    const { store, corrections } = this.#deps;
    if (requests.length < 2 || corrections.mayPrecede) return new Map();
    const counts = new Map<string, number>();
    const keysOf = ({ id, claim }: NewEvent) => (claim === undefined ? [id] : [id, `claim ${claim}`]);
    for (const key of requests.flatMap(({ events }) => events.flatMap(keysOf))) {
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const alone = requests.flatMap((request) => {
      const [event, ...more] = request.events;
      const isPlain = event !== undefined && event.update === undefined && event.kind !== "correction";
      const isAlone = isPlain && more.length === 0 && request.webhook === undefined;
      return isAlone && keysOf(event).every((key) => counts.get(key) === 1) ? [{ request, event }] : [];
    });
    const found = store.lookUp(alone.map(({ event }) => event));
    const isNew = (_: unknown, index: number) => found[index]?.isKnown === false && found[index]?.holder === undefined;
    return new Map(alone.filter(isNew).map(({ request, event }) => [request, event] as const));
  }

  /** Accepts all events or none; the counts change after the write. */
  #accept({ events, webhook }: AcceptRequest): readonly Acceptance[] {
    const { store, host, options, stateLog, corrections } = this.#deps;
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
        const { isKnown = false, holder } = store.lookUp([event])[0] ?? {};
        const row = isKnown ? store.find(event.id) : undefined;
        if (row !== undefined) {
          const answer = this.#known(row, event, written);
          answers.push("refusal" in answer ? answer : { ...answer, ...this.#sold(event, answer, written) });
          room = rest();
          continue;
        }
        if (holder !== undefined && holder !== event.id) answers.push({ refusal: claimedBy(event.kind), holder });
        else if (room <= 0) answers.push({ refusal: "outbox_full" });
        else {
          // The event and its claim are stored together: a claim without its event would refuse a later sale.
          if (event.claim !== undefined && holder === undefined)
            store.claim([{ claim: event.claim, id: event.id }], now);
          this.#note([event]);
          written.added.push(...store.insert([event], now));
          written.revived.push(...corrections.refusedTooEarly(event));
          const answer = { id: event.id, state: shownState("pending", stateLog.isPaused), duplicate: false };
          answers.push(kind === "conversion" ? { ...answer, ...this.#sold(event, answer, written) } : answer);
          room = rest();
        }
      }
      this.#setPending(revived, now);
    });
    this.#added(added, now);
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
    return answers;
  }

  /** Notes which new events are a page's: no row says so. */
  #note(events: readonly NewEvent[]): void {
    for (const { id, isSigned } of events) {
      if (isSigned === true) continue;
      const [oldest] = this.#ofPages;
      if (oldest !== undefined && this.#ofPages.size >= MAX_OF_PAGES) this.#ofPages.delete(oldest);
      this.#ofPages.add(id);
    }
  }

  /** Logs and counts new events, after they are stored. */
  #added(rows: readonly Row[], now: number): void {
    const { stateLog, corrections, delivery, host } = this.#deps;
    for (const each of rows) {
      delivery.accepted(each, now);
      if (each.kind === "correction") corrections.added();
      stateLog.log(each, "pending", "", 0, false, false);
    }
    if (rows.length === 0) return;
    stateLog.counts.add("pending", rows.length);
    host.wakeAt(now + LEASE_MS);
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
      this.#deps.store.settle([{ ...each, state: "pending", attempts: 0, next_ms: now, changed_ms: now }]);
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
    const { settled, kept: waiting, last, ...met } = corrections.settle(update, conversionId, before, written);
    const { ledger, correction, isKept, ...told } = settled;
    const rest = { ...told, toldMs: before.atMs, conversion: met.conversion && this.#knownAs(met.conversion, update) };
    if (ledger !== before.text) corrections.setLedger(conversionId, ledger, now);
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
        store.settle([{ ...waiting, ...over }]);
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
    const rows = store.insert([event], now);
    if (isKept) kept.push(corrections.keep(id, now));
    else added.push(...rows);
    return { ...rest, id };
  }

  #knownAs(row: Row, { claim }: OrderUpdate): KnownConversion {
    const isUnrecorded = this.#deps.delivery.hasEndedUnrecorded(row);
    const isOfOtherClick = claim !== undefined && !isClaimOf(row, claim);
    const state = shownState(row.state, this.#deps.stateLog.isPaused);
    return { id: row.id, state, isUnrecorded, isOfOtherClick, acceptedMs: row.accepted_ms };
  }

  /** The answer to an event whose key is known. One that is to be sent again is added to `revived`. */
  #known(row: Row, event: NewEvent, { revived }: Written): Acceptance {
    const { stateLog } = this.#deps;
    const known = { id: row.id, state: shownState(row.state, stateLog.isPaused), duplicate: true };
    const relation = row.text === event.text ? "same" : compareEvents(row.text, event.text);
    if (this.#takesPlace(row, event, relation)) {
      this.#deps.store.setText(row.id, event.text, event.order);
      if (row.state === "pending") this.#deps.delivery.refresh();
      else revived.push({ ...row, text: event.text, order_key: event.order ?? row.order_key, code: "" });
      return { ...known, state: shownState("pending", stateLog.isPaused), moneyUsed: true };
    }
    switch (relation) {
      case "conflict":
        return { refusal: row.kind === "correction" ? "correction_conflict" : "conversion_conflict" };
      case "adds_money":
        return event.isSigned === true ? { ...known, moneyUsed: false } : { refusal: "conversion_conflict" };
      default:
        return known;
    }
  }

  /**
   * Is an event sent in place of the stored one? A caller with a secret knows better than the page that may have
   * reported its order before, be it with a wrong click; and a refusal of what it says otherwise now is over. If CAKE
   * has recorded the event, or may have, nothing here changes that.
   */
  #takesPlace(row: Row, event: NewEvent, relation: Relation): boolean {
    if (event.isSigned !== true || row.kind === "correction" || !this.#deps.delivery.isNotRecorded(row)) return false;
    switch (row.state) {
      case "pending":
        return relation === "adds_money" || (relation === "conflict" && this.#ofPages.has(row.id));
      case "refused":
      case "dead":
        return relation !== "same";
      default:
        return false;
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

/** Is this the claim of a stored event? */
export function isClaimOf({ text }: Row, claim: string): boolean {
  return call(() => core.api().isClaimOf(text, claim));
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
