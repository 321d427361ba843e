/**
 * One shard's outbox: keeps events, delivers them, and remembers their outcomes. The core decides when and what is
 * sent; the store keeps the rows.
 */

import { Batch, GroupCommit, type Turn } from "../group-commit.js";
import { type Host, LEASE_MS } from "../host.js";
import { elapsed } from "../timer.js";
import { Acceptor, isClaimOf } from "./acceptance.js";
import type { Send } from "./attempts.js";
import { core } from "./core.js";
import { Corrections } from "./corrections.js";
import { Delivery, shownState, type Transition } from "./delivery.js";
import { keepIdParts, keepSenders } from "./id-secret.js";
import { instant } from "./instant.js";
import type { ResolvedOptions } from "./options.js";
import {
  type Acceptance,
  type AcceptRequest,
  type Cancellation,
  CLICK_LOST,
  type Claim,
  type Hold,
  type KeyKind,
  type Shard,
  type ShardReport,
  type Sibling,
  type Status,
} from "./shard.js";
import { Siblings } from "./siblings.js";
import { SignIns } from "./sign-ins.js";
import { StateLog } from "./state-log.js";
import { SteadyClock } from "./steady-clock.js";
import {
  type ClockNow,
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
  /** Sends the requests to CAKE. @default the platform's `fetch` */
  readonly send?: Send | undefined;
}

/**
 * The window of a group commit. No request leaves before its write is on disk, so fewer, larger windows leave more
 * time.
 */
const WINDOW_MS = 6;

const DAY_HOURS = 24;
/** Longer than a signature (five minutes, plus five before) or a token (fifteen minutes, plus one) is valid. */
const WEBHOOK_MS = 1_020_000;
/** The longest purge of one sweep, and the pause between its parts, in which events are accepted. */
const SWEEP_MS = 25_000;
const SWEEP_PAUSE_MS = 10;

const CLOCK_STEP_MS = 1_000;

/** The time to store the result of an attempt that ended at its deadline. */
const CLOSE_MS = 500;

/** An outbox. */
export class Outbox {
  readonly #deps: OutboxDeps;
  readonly #commit: GroupCommit;
  readonly #waiters = new Waiters();
  readonly #signIns: SignIns;
  readonly #corrections: Corrections;
  readonly #stateLog: StateLog;
  readonly #delivery: Delivery;
  readonly #acceptor: Acceptor;
  readonly #accepting: Batch<AcceptRequest, readonly Acceptance[]>;
  readonly #siblings: Siblings;
  readonly #steadyClock: SteadyClock;
  /** A clock before this time is not set. */
  readonly #setFromMs: number;
  /** The clock, when it was last looked at. */
  #clockMs: number;
  /** Is a write of the counts scheduled? */
  #isWriting = false;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
    const { options, store, host } = deps;
    this.#commit = new GroupCommit(() => this.#writeCounts(), WINDOW_MS, deps.turn);
    const corrections = new Corrections(store);
    const stateLog = new StateLog({ options, store, host, corrections });
    this.#corrections = corrections;
    this.#stateLog = stateLog;
    this.#signIns = new SignIns(store);
    this.#siblings = new Siblings({
      options,
      store,
      peers: deps.peers ?? (() => []),
      isNotRecorded: (row) => this.#delivery.isNotRecorded(row),
    });
    this.#delivery = new Delivery({
      options,
      store,
      host,
      commit: this.#commit,
      send: deps.send,
      isPaused: stateLog.isPaused,
      siblings: this.#siblings,
      family: (correction) => corrections.family(correction),
      onStored: (before, after, transition) => this.#onStored(before, after, transition),
      isAwaited: (id) => this.#waiters.has(id),
    });
    this.#acceptor = new Acceptor({ options, store, host, stateLog, corrections, delivery: this.#delivery });
    this.#steadyClock = new SteadyClock(store, () => Math.floor(host.now() / options.clockSpeed));
    this.#accepting = new Batch(this.#commit, (requests) => {
      this.#steadyClock.look();
      return this.#acceptor.acceptAll(requests);
    });
    this.#clockMs = host.now();
    this.#setFromMs = Number(core.api().clockSetFrom()) * options.clockSpeed;
    const { acceptedMs, dueMs } = store.latest();
    // An earlier object's clock was ahead of this one's, or was not set yet.
    const isAhead = Math.max(acceptedMs, dueMs - this.#longestWaitMs) > this.#clockMs;
    const wasUnset = acceptedMs > 0 && acceptedMs < this.#setFromMs;
    // With another key nothing waits longer.
    const waitMs = stateLog.isAccessNew ? 0 : undefined;
    if (isAhead || wasUnset || stateLog.isAccessNew) store.mendTimes(this.#clock(wasUnset, waitMs));
  }

  /** Mends times where the clock was put back since the last look, by more than a correction of it takes, or was set. */
  #watchClock(): Promise<void> | undefined {
    const { host, options, store } = this.#deps;
    const before = this.#clockMs;
    this.#clockMs = host.now();
    const wasUnset = before < this.#setFromMs && this.#clockMs >= this.#setFromMs;
    if (!wasUnset && this.#clockMs + CLOCK_STEP_MS * options.clockSpeed >= before) return undefined;
    const mended = this.#commit.next(() => store.mendTimes(this.#clock(wasUnset)));
    return mended.then(() => this.#delivery.refresh());
  }

  #clock(wasUnset: boolean, longestWaitMs = this.#longestWaitMs): ClockNow {
    return { nowMs: this.#deps.host.now(), setFromMs: this.#setFromMs, longestWaitMs, wasUnset };
  }

  get #longestWaitMs(): number {
    return Number(this.#deps.options.deliverer().longestWait());
  }

  /**
   * Does the outbox have that key, or the row with that id? A conversion counts as present with its first correction,
   * and with the first webhook of a shop that tells of it.
   */
  has(kind: KeyKind | "row", key: string): boolean {
    const { store } = this.#deps;
    switch (kind) {
      case "row":
        return store.find(key) !== undefined;
      case "event":
        return (
          store.find(key) !== undefined || store.siblings(orderOf(key)).length > 0 || this.#corrections.hasLedger(key)
        );
      case "claim":
        return store.findClaim(key) !== undefined;
      case "webhook":
        return store.findWebhook(key) !== undefined;
    }
  }

  async accept(request: AcceptRequest): Promise<readonly Acceptance[]> {
    const mending = this.#watchClock();
    if (mending !== undefined) await mending;
    // Money for an event that is under way waits for the event's outcome.
    const underWay = request.events.flatMap((event) => this.#underWay(event));
    if (underWay.length > 0) await Promise.all(underWay);
    const accepted = await this.#accepting.next(request);
    this.#delivery.pumpSoon();
    return accepted;
  }

  async claim(claim: string, id: string): Promise<Claim> {
    return this.#commit.next(() => {
      const { store, host } = this.#deps;
      const known = store.findClaim(claim);
      if (known === undefined) store.claim([{ claim, id }], host.now());
      return { id: known?.id ?? id, isNew: known === undefined };
    });
  }

  async unclaim(claim: string, id: string, leastAgeMs: number): Promise<boolean> {
    return this.#commit.next(() => {
      const { store, host, options } = this.#deps;
      const known = store.findClaim(claim);
      if (known?.id !== id) return false;
      // A claim of a clock that was ahead is old, too.
      if (Math.abs(host.now() - known.atMs) < leastAgeMs * options.clockSpeed) return false;
      store.unclaim(claim);
      return true;
    });
  }

  async findClaim(claim: string): Promise<string> {
    return this.#deps.store.findClaim(claim)?.id ?? "";
  }

  async holds(id: string, claim: string): Promise<boolean> {
    const row = this.#deps.store.find(id);
    return row !== undefined && isClaimOf(row, claim);
  }

  async release(id: string, claim: string): Promise<boolean> {
    return this.#commit.next(() => {
      const row = this.#deps.store.find(id);
      if (row === undefined || row.kind === "correction" || !isClaimOf(row, claim)) return false;
      if (!this.#delivery.hasEndedUnrecorded(row)) return false;
      // Noted before the click is taken: of a replay and the next order of the click, one alone goes on.
      if (row.code !== CLICK_LOST) this.#stateLog.settle(row, { ...row, code: CLICK_LOST });
      return true;
    });
  }

  async siblings(order: string, conversionId?: number): Promise<readonly Sibling[]> {
    return this.#siblings.own(order, conversionId);
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
    const of = (state: StoredState) => this.#stateLog.counts.of(state);
    const corrections = store.correctionCounts();
    return {
      counts: {
        pending: this.#stateLog.isPaused ? 0 : of("pending"),
        paused: this.#stateLog.isPaused ? of("pending") : 0,
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
      hours: this.#stateLog.counts.hoursAfter(this.#stateLog.hour(now) - DAY_HOURS),
      bytes: store.bytes(),
    };
  }

  async list(filter: RowFilter): Promise<readonly Row[]> {
    return this.#deps.store.list(filter);
  }

  async replay(what: { readonly id: string } | EventFilter): Promise<number> {
    const replayed = await this.#commit.next(() => this.#acceptor.replay(what));
    this.#delivery.pump();
    return replayed;
  }

  async cancel(id: string, reason: string): Promise<Cancellation> {
    // A request on its way to CAKE cannot be called back: its outcome counts.
    const end = elapsed() + this.#deps.options.timeoutMs;
    for (;;) {
      const cancelled = await this.#commit.next(() => this.#cancel(id, reason));
      // Events that waited for the cancelled one may start.
      if (cancelled === "cancelled") this.#delivery.pump();
      if (cancelled !== "under_way" || elapsed() >= end) return cancelled;
      await Promise.race([this.#delivery.settled(id), pause(end - elapsed())]);
    }
  }

  async webhook(id: string, digest: string): Promise<boolean> {
    return this.#commit.next(() => this.#deps.store.webhook(id, digest, this.#deps.host.now()) === digest);
  }

  async idSecret(account?: string, senders?: string): Promise<string> {
    return this.#commit.next(() => {
      const { store, host, options } = this.#deps;
      const { secret, account: kept } = keepIdParts(store, account ?? "");
      if (account === undefined) return secret;
      if (senders === undefined) return `${secret}|${kept}`;
      const retentionMs = this.#steadyClock.mayForget() ? options.retentionMs : Number.POSITIVE_INFINITY;
      return `${secret}|${kept}|${keepSenders(store, senders, host.now(), retentionMs, this.#setFromMs)}`;
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
    return this.#commit.next(() => this.#stateLog.tally(word));
  }

  async sweep(): Promise<ShardReport> {
    await this.#watchClock();
    await this.#commit.next(() => {
      const { store, host } = this.#deps;
      const now = host.now();
      this.#stateLog.counts.forgetHoursUntil(this.#stateLog.hour(now) - DAY_HOURS);
      if (store.nextDue(now) !== null) host.wakeAt(now + LEASE_MS);
    });
    this.#delivery.pump();
    // In parts, each in a window of its own, so that events are accepted in between.
    const end = elapsed() + SWEEP_MS;
    while (!(await this.#commit.next(() => this.#purge())) && elapsed() < end) await pause(SWEEP_PAUSE_MS);
    return this.report();
  }

  /**
   * Delivers every due event, and waits until no attempt is under way, or until the next event is due: a Durable
   * Object's next alarm waits for this one to end.
   */
  async wake(): Promise<void> {
    await this.#begin();
    await this.#delivery.idleOrDue();
    // Nothing waits, so no lease is set: it would wake an idle object for ever.
    if (this.#delivery.next() === null) this.#deps.host.wakeAt(null);
  }

  /** Delivers every due event, and waits until no attempt is under way, for a lease at most. */
  async settle(): Promise<void> {
    await this.#begin();
    await this.#delivery.idle();
  }

  async #begin(): Promise<void> {
    await this.#watchClock();
    this.#delivery.more();
    this.#delivery.pump();
  }

  /** Starts no further attempt. */
  stop(): void {
    this.#delivery.stop();
  }

  /**
   * Starts no further attempt, waits for the attempts under way (a timeout at most), and stores the counts. Returns the
   * number of attempts whose outcome could not be stored.
   */
  async close(): Promise<number> {
    this.stop();
    const unstored = await this.#delivery.idle(this.#deps.options.timeoutMs + CLOSE_MS);
    // The counts of the last hour are no promise.
    await this.#commit.next(() => this.#stateLog.counts.writeAll(Date.now())).catch(() => undefined);
    return unstored;
  }

  /** The attempts under way for events to which money is to be added. */
  #underWay({ id, text, isSigned }: NewEvent): Promise<void>[] {
    const settled = isSigned === true ? this.#delivery.settled(id) : undefined;
    return settled === undefined || this.#deps.store.find(id)?.text === text ? [] : [settled];
  }

  #onStored(before: Row, after: Row, { counted, isAlert, isPaused }: Transition): void {
    const stateLog = this.#stateLog;
    stateLog.setPaused(isPaused, after.code);
    stateLog.move(before, after.state);
    if (counted === "") return;
    stateLog.tally(counted);
    const state = counted === "paused" ? "paused" : after.state;
    stateLog.log(after, state, after.code, after.attempts, isAlert, after.is_in_doubt === 1);
    if (after.state === "pending") return;
    if (this.#corrections.cameMeanwhile(before, after)) {
      this.#acceptor.revive([after]);
      return;
    }
    this.#waiters.finish(after.id);
    this.#wakeNext(after);
  }

  /** Makes the next waiting correction of a conversion due. One that is looking just now may have looked too soon. */
  #wakeNext(over: Row): void {
    const next = this.#corrections.next(over);
    if (next === undefined || next.attempts > 0) return;
    if (this.#delivery.afterwards(next.id, () => this.#wakeNext(over))) return;
    this.#deps.store.settle([{ ...next, next_ms: this.#deps.host.now() }]);
    this.#delivery.refresh();
  }

  /** Purges a part; returns whether nothing is left to purge now. */
  #purge(): boolean {
    const { store, host, options } = this.#deps;
    if (!this.#steadyClock.mayForget()) return true;
    const now = host.now();
    const { gone, isDone } = store.purge(now - options.retentionMs, now - WEBHOOK_MS);
    for (const [state, count] of gone) this.#stateLog.counts.add(state, -count);
    return isDone;
  }

  #writeCounts(): void {
    const wait = this.#stateLog.counts.write(Date.now());
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

  #cancel(id: string, reason: string): Cancellation {
    const row = this.#deps.store.find(id);
    if (row === undefined) return "unknown";
    if (row.state === "delivered") return "delivered";
    if (this.#delivery.settled(id) !== undefined) return "under_way";
    // An earlier object may have sent the event.
    const isInDoubt = !this.#delivery.isNotRecorded(row);
    this.#stateLog.settle(row, {
      ...row,
      state: "cancelled",
      is_in_doubt: isInDoubt ? 1 : 0,
      next_ms: null,
      code: row.code === CLICK_LOST ? CLICK_LOST : "cancelled",
      upstream_message: reason,
      changed_ms: this.#deps.host.now(),
    });
    this.#delivery.refresh();
    this.#stateLog.log(row, "cancelled", "cancelled", row.attempts, false, isInDoubt);
    this.#waiters.finish(id);
    this.#wakeNext(row);
    return "cancelled";
  }

  #hold(now: number): Hold | null {
    const deliverer = this.#deps.options.deliverer();
    const reason = deliverer.restReason(now) as Hold["reason"] | "";
    if (reason === "") {
      const offers = deliverer.slowKinds(now).split(" ").slice(0, -1).map(Number);
      return offers.length === 0 ? null : { reason: "slow", until: null, offers };
    }
    const untilMs = Number(deliverer.stalledUntil(now)) || (this.#deps.store.nextDue(now) ?? 0);
    return { reason, until: untilMs <= now ? null : instant(untilMs, this.#deps.options) };
  }

  #status(row: Row): Status {
    return {
      id: row.id,
      state: shownState(row.state, this.#stateLog.isPaused),
      attempts: row.attempts,
      ...(row.code === "" ? {} : { code: row.code }),
      ...(row.conversion_id === null ? {} : { conversionId: row.conversion_id }),
      ...(row.is_in_doubt === 1 ? { isInDoubt: true as const } : {}),
      acceptedAt: instant(row.accepted_ms, this.#deps.options),
    };
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    // The timer does not keep the process alive.
    (timer as { unref?: () => void }).unref?.();
  });
}
