/**
 * One shard's outbox: keeps events, delivers them, and remembers their outcomes. The core decides when and what is
 * sent; the store keeps the rows.
 */

import { call } from "../error.js";
import { GroupCommit, type Turn } from "../group-commit.js";
import { type Host, LEASE_MS } from "../host.js";
import { core } from "./core.js";
import { Counts } from "./counts.js";
import { Delivery, type Family, shownState, type Transition } from "./delivery.js";
import { instant } from "./instant.js";
import type { ResolvedOptions } from "./options.js";
import {
  type Acceptance,
  type AcceptRequest,
  type Cancellation,
  type Claim,
  type ConversionLine,
  type ConversionState,
  claimedBy,
  type Hold,
  type KeyKind,
  MAX_REPLAYED,
  type Shard,
  type ShardReport,
  type Sibling,
  type Status,
} from "./shard.js";
import { SignIns } from "./sign-ins.js";
import {
  type EventFilter,
  type NewEvent,
  type OutboxStore,
  orderOf,
  type Row,
  type RowFilter,
  type StoredState,
} from "./store.js";
import { Waiters } from "./waiters.js";

/** The dependencies of an outbox. */
export interface OutboxDeps {
  readonly options: ResolvedOptions;
  readonly store: OutboxStore;
  /** Calls {@link Outbox.wake} at the set time. */
  readonly host: Host;
  /** The forwarder's other shards. @default none */
  readonly peers?: (() => readonly Pick<Shard, "siblings">[]) | undefined;
  /**
   * Runs the work of a window in one transaction of the store's database. No other outbox may use that database. If
   * this throws, the outbox's memory may be ahead of the disk, so the outbox must not be used any more.
   * @default the platform stores each turn, and resets the object where it cannot
   */
  readonly turn?: Turn | undefined;
}

/**
 * The window of a group commit. No request leaves before its write is on disk, so fewer, larger windows leave more
 * time.
 */
const WINDOW_MS = 3;

const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;
/** Longer than a signature (five minutes, plus five before) or a token (fifteen minutes, plus one) is valid. */
const WEBHOOK_MS = 1_020_000;
/** The longest purge of one sweep, and the pause between its parts, in which events are accepted. */
const SWEEP_MS = 25_000;
const SWEEP_PAUSE_MS = 10;

const PAUSED = "paused";
const ID_SECRET = "id secret";

/** The code of a correction that waits for its conversion. */
const NO_CONVERSION = "no_conversion";

/** An outbox. */
export class Outbox {
  readonly #deps: OutboxDeps;
  readonly #commit: GroupCommit;
  readonly #waiters = new Waiters();
  readonly #signIns: SignIns;
  readonly #counts: Counts;
  readonly #delivery: Delivery;
  /** The other shards of the forwarder. */
  readonly #peers: () => readonly Pick<Shard, "siblings">[];
  /** The number of waiting corrections: at zero, no search is needed. */
  #waitingCorrections: number;
  /** The number of refused corrections: at zero, no correction came too early. */
  #refusedCorrections: number;
  #isPaused: boolean;
  /** Is a write of the counts scheduled? */
  #isWriting = false;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
    const { options, store, host } = deps;
    this.#commit = new GroupCommit(() => this.#writeCounts(), WINDOW_MS, deps.turn);
    this.#peers = deps.peers ?? (() => []);
    this.#counts = new Counts(store);
    const corrections = store.correctionCounts();
    this.#waitingCorrections = corrections.get("pending") ?? 0;
    this.#refusedCorrections = corrections.get("refused") ?? 0;
    this.#signIns = new SignIns(store);
    this.#isPaused = store.getMeta(PAUSED) !== null;
    this.#delivery = new Delivery({
      options,
      store,
      host,
      commit: this.#commit,
      isPaused: this.#isPaused,
      siblings: (order, id) => this.#allSiblings(order, id),
      family: (correction) => this.#family(correction),
      onStored: (before, after, transition) => this.#onStored(before, after, transition),
    });
  }

  /**
   * Does the outbox have that key, or the row with that id? A conversion counts as present with its first correction.
   */
  has(kind: KeyKind | "row", key: string): boolean {
    const { store } = this.#deps;
    switch (kind) {
      case "row":
        return store.find(key) !== undefined;
      case "event":
        return store.find(key) !== undefined || store.siblings(orderOf(key)).length > 0;
      case "claim":
        return store.findClaim(key) !== undefined;
      case "webhook":
        return store.findWebhook(key) !== undefined;
    }
  }

  async accept(request: AcceptRequest): Promise<readonly Acceptance[]> {
    // Money for an event that is under way waits for the event's outcome.
    await Promise.all(request.events.flatMap((event) => this.#underWay(event)));
    const accepted = await this.#commit.next(() => this.#accept(request));
    this.#delivery.pump();
    return accepted;
  }

  async claim(claim: string, id: string): Promise<Claim> {
    return this.#commit.next(() => {
      const { store, host } = this.#deps;
      const known = store.findClaim(claim);
      if (known === undefined) store.claim(claim, id, host.now());
      return { id: known?.id ?? id, isNew: known === undefined };
    });
  }

  async unclaim(claim: string, id: string, leastAgeMs: number): Promise<boolean> {
    return this.#commit.next(() => {
      const { store, host, options } = this.#deps;
      const known = store.findClaim(claim);
      if (known?.id !== id || host.now() - known.atMs < leastAgeMs * options.clockSpeed) return false;
      store.unclaim(claim);
      return true;
    });
  }

  async holds(id: string, claim: string): Promise<boolean> {
    const row = this.#deps.store.find(id);
    if (row === undefined) return false;
    const { account } = this.#deps.options;
    const { clickId, correctionId } = JSON.parse(row.text) as { clickId: string; correctionId: string };
    const own = row.kind === "correction" ? `correction|${correctionId}` : `${row.offer_id}/${clickId}`;
    return `${account}|${own}` === claim;
  }

  async siblings(order: string): Promise<readonly Sibling[]> {
    return this.#deps.store.siblings(order).map((row) => ({
      id: row.id,
      isNotRecorded: this.#delivery.isNotRecorded(row),
      isDelivered: row.state === "delivered",
      conversionId: row.conversion_id,
    }));
  }

  async wait(ids: readonly string[], ms: number): Promise<readonly (Status | undefined)[]> {
    const { store } = this.#deps;
    if (ms > 0) {
      const pending = ids.filter((id) => store.find(id)?.state === "pending");
      await this.#waiters.wait(pending, ms);
    }
    this.#delivery.pump();
    return ids.map((id) => {
      const row = store.find(id);
      return row && this.#status(row);
    });
  }

  async report(): Promise<ShardReport> {
    const { store, host, options } = this.#deps;
    const now = host.now();
    const oldest = store.oldestPending();
    const of = (state: StoredState) => this.#counts.of(state);
    const corrections = store.correctionCounts();
    return {
      counts: {
        pending: this.#isPaused ? 0 : of("pending"),
        paused: this.#isPaused ? of("pending") : 0,
        delivered: of("delivered"),
        refused: of("refused"),
        dead: of("dead"),
        cancelled: of("cancelled"),
      },
      inDoubt: store.inDoubt(),
      corrections: {
        pending: corrections.get("pending") ?? 0,
        delivered: corrections.get("delivered") ?? 0,
        refused: corrections.get("refused") ?? 0,
        dead: corrections.get("dead") ?? 0,
        cancelled: corrections.get("cancelled") ?? 0,
      },
      hold: this.#hold(now),
      oldestMs: oldest === null ? null : Math.max(0, Math.round((now - oldest) / options.clockSpeed)),
      hours: this.#counts.hoursAfter(this.#hour(now) - DAY_HOURS),
      bytes: store.bytes(),
    };
  }

  async list(filter: RowFilter): Promise<readonly Row[]> {
    return this.#deps.store.list(filter);
  }

  async replay(what: { readonly id: string } | EventFilter): Promise<number> {
    const replayed = await this.#commit.next(() => {
      const { store, host } = this.#deps;
      const row = "id" in what ? store.find(what.id) : undefined;
      const rows = "id" in what ? (row ? [row] : []) : store.list({ ...what, limit: MAX_REPLAYED });
      const now = host.now();
      // A delivered event stays delivered: a replay sends nothing twice.
      const failed = rows.filter(({ state }) => state !== "pending" && state !== "delivered");
      const over = [...new Map(failed.flatMap((row) => this.#replayedWith(row)).map((row) => [row.id, row])).values()];
      store.transaction(() => this.#setPending(over, now));
      this.#tellPending(over);
      if (over.length > 0) host.wakeAt(now + LEASE_MS);
      return over.length;
    });
    this.#delivery.pump();
    return replayed;
  }

  async cancel(id: string, reason: string): Promise<Cancellation> {
    // A request on its way to CAKE cannot be called back: its outcome counts.
    const end = Date.now() + this.#deps.options.timeoutMs;
    for (;;) {
      const cancelled = await this.#commit.next(() => this.#cancel(id, reason));
      // Events that waited for the cancelled one may start.
      if (cancelled === "cancelled") this.#delivery.pump();
      if (cancelled !== "under_way" || Date.now() >= end) return cancelled;
      await this.#delivery.settled(id);
    }
  }

  async webhook(id: string, digest: string): Promise<boolean> {
    return this.#commit.next(() => this.#deps.store.webhook(id, digest, this.#deps.host.now()) === digest);
  }

  async idSecret(): Promise<string> {
    return this.#commit.next(() => {
      const { store } = this.#deps;
      const known = store.getMeta(ID_SECRET);
      if (known !== null) return known;
      const secret = Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => byte.toString(16)).join(".");
      store.setMeta(ID_SECRET, secret);
      return secret;
    });
  }

  async signIn(caller: string, isRight: boolean): Promise<number> {
    return this.#signIns.tried(caller, isRight, Date.now());
  }

  async endSession(session: string, expiresMs: number): Promise<void> {
    return this.#commit.next(() => this.#signIns.end(session, expiresMs, Date.now()));
  }

  async isSessionEnded(session: string): Promise<boolean> {
    return this.#signIns.isEnded(session);
  }

  async tally(word: string): Promise<void> {
    return this.#commit.next(() => this.#counts.addInHour(this.#hour(this.#deps.host.now()), word));
  }

  async sweep(): Promise<ShardReport> {
    await this.#commit.next(() => {
      const { store, host } = this.#deps;
      const now = host.now();
      this.#counts.forgetHoursUntil(this.#hour(now) - DAY_HOURS);
      if (store.nextDue() !== null) host.wakeAt(now + LEASE_MS);
    });
    this.#delivery.pump();
    // In parts, each in a window of its own, so that events are accepted in between.
    const end = Date.now() + SWEEP_MS;
    while (!(await this.#commit.next(() => this.#purge())) && Date.now() < end) await pause(SWEEP_PAUSE_MS);
    return this.report();
  }

  /** Delivers every due event, and waits until no attempt is under way, for a lease at most. */
  async wake(): Promise<void> {
    this.#delivery.pump();
    await this.#delivery.rested();
    // Nothing waits, so no lease is set: it would wake an idle object for ever.
    if (this.#delivery.next() === null) this.#deps.host.wakeAt(null);
  }

  /** Starts no further attempt. */
  stop(): void {
    this.#delivery.stop();
  }

  /** Starts no further attempt, waits for the attempts under way (a lease at most), and stores the counts. */
  async close(): Promise<void> {
    this.stop();
    await this.#delivery.rested();
    await this.#commit.next(() => this.#counts.writeAll(Date.now()));
  }

  /** The attempts under way for events to which money is to be added. */
  #underWay({ id, text, isSigned }: NewEvent): Promise<void>[] {
    const settled = isSigned === true ? this.#delivery.settled(id) : undefined;
    return settled === undefined || this.#deps.store.find(id)?.text === text ? [] : [settled];
  }

  /** Accepts all events or none; the counts change after the write. */
  #accept({ events, webhook }: AcceptRequest): readonly Acceptance[] {
    const { store, host, options } = this.#deps;
    const now = host.now();
    if (webhook !== undefined && store.webhook(webhook.id, webhook.digest, now) !== webhook.digest) {
      return events.map(() => ({ refusal: "webhook_id_reused" }) as const);
    }
    let room = options.capacity - this.#counts.of("pending");
    const added: NewEvent[] = [];
    const revived: Row[] = [];
    const kept: Row[] = [];
    const answers: Acceptance[] = [];
    store.transaction(() => {
      // In the order of the request: of two events with one key, or one click, the first one wins.
      for (const event of events) {
        const row = store.find(event.id);
        if (row !== undefined) {
          answers.push(this.#known(row, event));
          continue;
        }
        const text = event.change === undefined ? event.text : this.#settleChange(event, event.change);
        if (text === "") {
          answers.push({ ...this.#lastCorrection(event), duplicate: true, without: "nothing" });
          continue;
        }
        const holder = event.claim === undefined ? undefined : store.findClaim(event.claim)?.id;
        if (holder !== undefined && holder !== event.id) answers.push({ refusal: claimedBy(event.kind), holder });
        else if (room <= 0) answers.push({ refusal: "outbox_full" });
        else {
          // The event and its claim are stored together: a claim without its event would refuse a later sale.
          if (event.claim !== undefined && holder === undefined) store.claim(event.claim, event.id, now);
          store.insert({ ...event, text }, now);
          if (event.isKept === true && !this.#hasConversion(event)) {
            kept.push(this.#keep(event.id));
            answers.push({ id: event.id, state: "refused", duplicate: false, without: "kept" });
            continue;
          }
          added.push(event);
          revived.push(...this.#correctedTooSoon(event));
          room -= 1;
          answers.push({ id: event.id, state: shownState("pending", this.#isPaused), duplicate: false });
        }
      }
      this.#setPending(revived, now);
    });
    for (const { id, kind = "conversion" } of added) {
      this.#delivery.rest(id, "not_recorded");
      if (kind === "correction") this.#waitingCorrections += 1;
      this.#log({ id, kind }, "pending", "", 0, false, false);
    }
    for (const each of kept) this.#log(each, "refused", NO_CONVERSION, 0, false, false);
    this.#refusedCorrections += kept.length;
    this.#counts.add("refused", kept.length);
    this.#tellPending(revived);
    if (added.length > 0) {
      this.#counts.add("pending", added.length);
      host.wakeAt(now + LEASE_MS);
    }
    return answers;
  }

  /** The text of a shop's correction that changes something; empty where it changes nothing. */
  #settleChange({ text, order = "" }: NewEvent, change: string): string {
    const conversion = this.#conversionOf(order)?.text ?? "";
    const earlier = this.#correctionsOf(order).filter(({ state }) => state !== "cancelled" && state !== "dead");
    const texts = earlier.map((row) => row.text);
    return call(() => core.api().settleCorrection(change, conversion, texts, text));
  }

  #lastCorrection({ id, order = "" }: NewEvent): { readonly id: string; readonly state: ConversionState } {
    const last = this.#correctionsOf(order).at(-1);
    return { id: last?.id ?? id, state: shownState(last?.state ?? "pending", this.#isPaused) };
  }

  #conversionOf(order: string): Row | undefined {
    return this.#deps.store.find(order.slice(orderOf("").length));
  }

  #hasConversion({ order = "" }: NewEvent): boolean {
    return this.#conversionOf(order) !== undefined;
  }

  /** Keeps a correction until its conversion comes. It is not sent, and no part of the queue. */
  #keep(id: string): Row {
    const { store, host } = this.#deps;
    const row = store.find(id) as Row;
    const message = "no such conversion is known here: it is sent after its conversion";
    const kept: Row = { ...row, state: "refused", next_ms: null, code: NO_CONVERSION, upstream_message: message };
    store.settle({ ...kept, changed_ms: host.now() });
    return kept;
  }

  /**
   * The corrections that came before their conversion: CAKE refused them because it knew no such conversion, or they
   * were kept. They are sent after it.
   */
  #correctedTooSoon({ id, kind }: NewEvent): readonly Row[] {
    if (kind === "correction" || this.#refusedCorrections <= 0) return [];
    return this.#correctionsOf(orderOf(id)).filter(isTooSoon);
  }

  /** Sets finished events to be sent again. */
  #setPending(over: readonly Row[], now: number): void {
    for (const each of over) {
      this.#deps.store.settle({ ...each, state: "pending", attempts: 0, next_ms: now, changed_ms: now });
    }
  }

  /** Logs and counts the events that are sent again, after they are stored. */
  #tellPending(over: readonly Row[]): void {
    for (const each of over) {
      this.#countMove(each, "pending");
      // A finished event has no attempt under way: if it was certainly not recorded, that stays certain.
      this.#delivery.rest(each.id, each.is_in_doubt === 1 ? "in_doubt" : "not_recorded");
      this.#log(each, "pending", each.code, 0, false, each.is_in_doubt === 1);
    }
    if (over.length > 0) this.#delivery.refresh();
  }

  /** The answer to an event whose key is known. */
  #known(row: Row, event: NewEvent): Acceptance {
    const known = { id: row.id, state: shownState(row.state, this.#isPaused), duplicate: true };
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
        const moneyUsed = row.state === "pending" && this.#delivery.isNotRecorded(row);
        if (moneyUsed) {
          this.#deps.store.setText(row.id, event.text);
          this.#delivery.refresh();
        }
        return { ...known, moneyUsed };
      }
      default:
        return known;
    }
  }

  async #allSiblings(order: string, id: string): Promise<readonly Sibling[]> {
    const all = await Promise.all([this.siblings(order), ...this.#peers().map((shard) => shard.siblings(order))]);
    return all.flat().filter((sibling) => sibling.id !== id);
  }

  #onStored(before: Row, after: Row, { counted, isAlert, isPaused }: Transition): void {
    if (isPaused !== this.#isPaused) {
      this.#isPaused = isPaused;
      this.#deps.store.setMeta(PAUSED, isPaused ? after.code : null);
    }
    this.#countMove(before, after.state);
    if (counted === "") return;
    this.#counts.addInHour(this.#hour(this.#deps.host.now()), counted);
    const state = counted === "paused" ? "paused" : after.state;
    this.#log(after, state, after.code, after.attempts, isAlert, after.is_in_doubt === 1);
    if (after.state === "pending") return;
    if (this.#cameMeanwhile(before, after)) {
      this.#setPending([after], this.#deps.host.now());
      this.#tellPending([after]);
      return;
    }
    this.#waiters.over(after.id);
    this.#wakeNext(after);
  }

  /**
   * Has the conversion come while its correction was on its way to CAKE, which did not know it yet? A refusal after
   * the conversion is final.
   */
  #cameMeanwhile(before: Row, after: Row): boolean {
    if (!isTooSoon(after)) return false;
    const conversion = this.#conversionOf(after.order_key);
    return conversion !== undefined && conversion.accepted_ms >= before.changed_ms;
  }

  #settle(before: Row, after: Row): void {
    this.#deps.store.settle(after);
    this.#countMove(before, after.state);
  }

  #countMove({ state: from, kind }: Row, to: StoredState): void {
    if (from === to) return;
    this.#counts.add(from, -1);
    this.#counts.add(to, 1);
    if (kind !== "correction") return;
    if (from === "pending") this.#waitingCorrections -= 1;
    if (to === "pending") this.#waitingCorrections += 1;
    if (from === "refused") this.#refusedCorrections -= 1;
    if (to === "refused") this.#refusedCorrections += 1;
  }

  /** The corrections of a conversion, in the order of their acceptance. */
  #correctionsOf(order: string): readonly Row[] {
    return [...this.#deps.store.siblings(order)].sort((a, b) => a.number - b.number);
  }

  #family({ number, order_key, accepted_ms }: Row): Family {
    const conversion = this.#conversionOf(order_key);
    const corrections = this.#correctionsOf(order_key);
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

  /** Makes the next waiting correction of a conversion due: the first one, or the one after this. */
  #wakeNext(over: Row): void {
    if (this.#waitingCorrections === 0) return;
    const order = over.kind === "correction" ? over.order_key : orderOf(over.id);
    const next = this.#correctionsOf(order).find(({ state }) => state === "pending");
    // A correction that is under way may miss this: its own scheduled time applies then.
    if (next === undefined || next.attempts > 0 || this.#delivery.settled(next.id) !== undefined) return;
    this.#deps.store.settle({ ...next, next_ms: this.#deps.host.now() });
    this.#delivery.refresh();
  }

  /**
   * The events that a replay of a failed event sends. With a conversion, these include the corrections that ended with
   * it. For a correction there are none while a later one may be on its way.
   */
  #replayedWith(row: Row): readonly Row[] {
    if (row.kind === "conversion") {
      const ended = this.#correctionsOf(orderOf(row.id)).filter(
        ({ state, code }) => state === "refused" && code.startsWith("conversion_"),
      );
      return [row, ...ended];
    }
    const isBefore = (other: Row) =>
      other.number > row.number && other.state === "pending" && !this.#delivery.isNotRecorded(other);
    return this.#correctionsOf(row.order_key).some(isBefore) ? [] : [row];
  }

  /** Purges a part; returns whether nothing is left to purge now. */
  #purge(): boolean {
    const { store, host, options } = this.#deps;
    const now = host.now();
    const { gone, isDone } = store.purge(now - options.retentionMs, now - WEBHOOK_MS);
    for (const [state, count] of gone) this.#counts.add(state, -count);
    return isDone;
  }

  #writeCounts(): void {
    const wait = this.#counts.write(Date.now());
    if (wait === undefined || this.#isWriting) return;
    // An idle object is evicted sooner or later: `keepAlive` keeps it until all counts are written.
    this.#isWriting = true;
    this.#deps.host.keepAlive(
      pause(wait).then(() => {
        this.#isWriting = false;
        return this.#commit.next(() => undefined);
      }),
    );
  }

  /** The hour of real time since 1970. */
  #hour(now: number): number {
    return Math.floor(now / this.#deps.options.clockSpeed / HOUR_MS);
  }

  #cancel(id: string, reason: string): Cancellation {
    const row = this.#deps.store.find(id);
    if (row === undefined) return "unknown";
    if (row.state === "delivered") return "delivered";
    if (this.#delivery.settled(id) !== undefined) return "under_way";
    // An earlier object may have sent the event.
    const isInDoubt = !this.#delivery.isNotRecorded(row);
    this.#settle(row, {
      ...row,
      state: "cancelled",
      is_in_doubt: isInDoubt ? 1 : 0,
      next_ms: null,
      code: "cancelled",
      upstream_message: reason,
      changed_ms: this.#deps.host.now(),
    });
    this.#delivery.refresh();
    this.#log(row, "cancelled", "cancelled", row.attempts, false, isInDoubt);
    this.#waiters.over(id);
    this.#wakeNext(row);
    return "cancelled";
  }

  #hold(now: number): Hold | null {
    const deliverer = this.#deps.options.deliverer();
    const reason = deliverer.restReason(now) as Hold["reason"] | "";
    if (reason === "") return null;
    const untilMs = Number(deliverer.stalledUntil(now));
    return { reason, until: untilMs === 0 ? null : instant(untilMs, this.#deps.options) };
  }

  #status(row: Row): Status {
    return {
      id: row.id,
      state: shownState(row.state, this.#isPaused),
      attempts: row.attempts,
      ...(row.code === "" ? {} : { code: row.code }),
      ...(row.conversion_id === null ? {} : { conversionId: row.conversion_id }),
      ...(row.is_in_doubt === 1 ? { isInDoubt: true as const } : {}),
      acceptedAt: instant(row.accepted_ms, this.#deps.options),
    };
  }

  #log(
    { id, kind }: Pick<Row, "id" | "kind">,
    state: ConversionState,
    code: string,
    attempt: number,
    isAlert: boolean,
    isInDoubt: boolean,
  ): void {
    const line: ConversionLine = { event: kind, id, state, code, attempt };
    this.#deps.options.log({
      ...line,
      ...(isInDoubt ? { isInDoubt: true } : {}),
      ...(isAlert ? { alert: true } : {}),
    });
  }
}

/** May the correction have come before its conversion? */
function isTooSoon({ kind, state, code, is_in_doubt }: Row): boolean {
  const isRefused = kind === "correction" && state === "refused" && is_in_doubt === 0;
  return isRefused && (code === "refused" || code === NO_CONVERSION);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    // The timer does not keep the process alive.
    (timer as { unref?: () => void }).unref?.();
  });
}

type Relation = "same" | "adds_money" | "lacks_money" | "conflict";

function compareEvents(stored: string, given: string): Relation {
  return call(() => core.api().compareEvents(stored, given)) as Relation;
}
