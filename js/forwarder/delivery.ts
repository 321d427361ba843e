/**
 * A shard's deliveries: starts attempts, carries them out by the core, and stores their results. The core decides which
 * event is next, what is sent, and what an answer means (`src/delivery`).
 */
import { Batch, type GroupCommit, type Outcome, outcomeOf } from "../group-commit.js";
import { type Host, LEASE_MS } from "../host.js";
import { elapsed, startTimer } from "../timer.js";
import { Attempts, type Facts, type Knowledge, type Question, type Send } from "./attempts.js";
import { core } from "./core.js";
import { DueRows, READ_AGAIN_MS } from "./due-rows.js";
import type { ResolvedOptions } from "./options.js";
import type { ConversionState } from "./shard.js";
import type { Siblings } from "./siblings.js";
import type { OutboxStore, Row, StoredState } from "./store.js";

/** The change of a row, as the core decides it (`src/delivery/attempt.rs`). */
export interface Transition {
  readonly state: StoredState;
  readonly attempts: number;
  readonly isInDoubt: boolean;
  /** When the event is due again; null where the event is finished. */
  readonly nextMs: number | null;
  readonly code: string;
  readonly upstreamMessage: string;
  readonly conversionId: number | null;
  readonly isAlert: boolean;
  /** The word counted by the hour; empty where nothing was tried. */
  readonly counted: "" | "delivered" | "retried" | "paused" | "refused" | "dead";
  /** Does CAKE refuse the shard's key? */
  readonly isPaused: boolean;
}

/**
 * A correction's conversion and that conversion's other corrections, as the core reads them
 * (`src/delivery/attempt/wire.rs`).
 */
export interface Family {
  /** Null where this forwarder does not have the conversion. */
  readonly conversion: {
    readonly state: StoredState;
    readonly code: string;
    readonly message: string;
    readonly nextMs: number | null;
    /** CAKE's id of it. */
    readonly conversionId: number | null;
    /** How long before the correction the conversion was accepted; null where it was accepted later. */
    readonly ageMs: number | null;
  } | null;
  /** When the next unfinished earlier correction is due; null without one. */
  readonly earlierMs: number | null;
  /** May a later correction be recorded? */
  readonly hasLater: boolean;
  /** The texts of the earlier corrections that are delivered, for a row of a copy. */
  readonly delivered: readonly string[];
}

/** The dependencies of deliveries. */
export interface DeliveryDeps {
  readonly options: ResolvedOptions;
  readonly store: OutboxStore;
  readonly host: Host;
  readonly commit: GroupCommit;
  readonly send?: Send | undefined;
  /** Has CAKE refused the key since before this object started? */
  readonly isPaused: boolean;
  readonly siblings: Siblings;
  /** The conversion and the corrections that a correction depends on. */
  readonly family: (correction: Row) => Family;
  /** Called for every stored transition, in the same window. */
  readonly onStored: (before: Row, after: Row, transition: Transition) => void;
  /** Does a caller wait for the outcome of the event? */
  readonly isAwaited: (id: string) => boolean;
}

/** An attempt under way. */
interface UnderWay {
  /** Was it the oldest event? */
  readonly isOldest: boolean;
  readonly kind: number;
}

/** The result of an attempt. */
interface Result {
  readonly row: Row;
  readonly after: Row;
  readonly transition: Transition;
}

/**
 * The name of the number below which rows came with a copy that was put back. They may have been sent since, whatever
 * they say.
 */
export const COPIED_BELOW = "copied below";

/** The rows among which a probe looks for another offer than those in trouble. */
const LOOKED_AT = 500;

/** The most events whose {@link Knowledge} is kept. For the others, it is as after a restart. */
const MAX_IDLE = 10_000;

/**
 * How long deliveries wait for their write while other events are due, and how many at most. No request leaves while a
 * write is on its way to the disk, so in a backlog one write takes many. A crash in this time leaves their events in
 * doubt, as one just before the write does.
 */
const RESULTS_MS = 50;
const MAX_RESULTS = 128;

/** The delay before a failed write is repeated. It doubles each time, up to a minute. */
const STORE_AGAIN_MS = 250;
const MAX_STORE_AGAIN_MS = 60_000;

const HOUR_MS = 3_600_000;

/** The deliveries of one shard. */
export class Delivery {
  readonly #deps: DeliveryDeps;
  readonly #attempts: Attempts;
  readonly #results: Batch<Result, void>;
  /** From this time on, no attempt of an earlier object can be under way. */
  #quietFromMs: number;
  readonly #copiedBelow: number;
  /** Events that must not be started: an attempt is under way, or its result is not stored yet. */
  readonly #busy = new Map<string, Promise<void>>();
  readonly #underWay = new Map<string, UnderWay>();
  /** Those of them that ask CAKE what became of an earlier attempt, before they send. */
  readonly #lookingUp = new Set<string>();
  readonly #idle = new Map<string, Knowledge>();
  readonly #due: DueRows;
  /** When the next event is due that waits for its time; infinite without one, `undefined` after a change. */
  #laterMs: number | undefined;
  /** Called when the next attempt ends. */
  #atEnd: (() => void)[] = [];
  #isStopped = false;
  /** Is a call of {@link pump} on its way? */
  #mayPump = false;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
    const { options, host } = deps;
    this.#attempts = new Attempts(options, deps.send);
    this.#due = new DueRows(deps.store, this.#busy);
    this.#results = new Batch(deps.commit, (results) => this.#storeAll(results));
    this.#copiedBelow = Number(deps.store.getMeta(COPIED_BELOW) ?? 0);
    this.#quietFromMs = host.now() + options.timeoutMs * options.clockSpeed;
    if (deps.isPaused) options.deliverer().startPaused();
  }

  /** Takes an event that was just stored. */
  accepted(row: Row, now: number): void {
    this.#know(row.id, "not_recorded");
    this.#due.accepted(row, now);
  }

  /** Notes that an event has no attempt under way: it is to be sent again. */
  rest(id: string, knowledge: Knowledge): void {
    this.more();
    this.#know(id, knowledge);
  }

  /** More events may be due. */
  more(): void {
    this.#due.more();
    this.#laterMs = undefined;
  }

  /** Drops the fetched rows: rows were changed from outside. */
  refresh(): void {
    this.#due.drop();
    this.#laterMs = undefined;
  }

  /** Resolves when the attempt under way is finished and stored; `undefined` without one. */
  settled(id: string): Promise<void> | undefined {
    return this.#busy.get(id);
  }

  /** Does a job once the attempt under way is stored; false without one. If the job fails, scheduled times apply. */
  afterwards(id: string, job: () => void): boolean {
    const work = this.#busy.get(id);
    if (work === undefined) return false;
    const done = work.then(() => this.#deps.commit.next(job)).then(() => this.pump());
    this.#deps.host.keepAlive(done.catch(() => undefined));
    return true;
  }

  /** Is it certain that no attempt has recorded the event? */
  isNotRecorded(row: Row): boolean {
    if (row.is_in_doubt === 1 || row.state === "delivered" || this.#busy.has(row.id)) return false;
    return row.state !== "pending" || this.#idle.get(row.id) === "not_recorded";
  }

  /** Has the event ended, and is it certain that CAKE has not recorded it? */
  hasEndedUnrecorded(row: Row): boolean {
    return row.state !== "pending" && this.isNotRecorded(row);
  }

  /** Starts no further attempt. The attempts under way end, and their results are stored. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Starts due events up to the limit; the rest follows automatically. */
  pump(): void {
    if (this.#isStopped) return;
    const { host } = this.#deps;
    try {
      const now = host.now();
      // An event that has become due is read, however short the time since the last read.
      if (now >= (this.#laterMs ?? Number.POSITIVE_INFINITY)) this.more();
      for (;;) {
        const row = this.#take(now);
        if (row === undefined) break;
        this.#start(row.row, row.isOldest);
      }
      const next = this.next(now);
      if (next !== null) host.wakeAt(next);
    } catch {
      // The store cannot be read now: try again soon.
      host.wakeAt(host.now() + this.#deps.options.clockSpeed * STORE_AGAIN_MS);
    }
  }

  /** Calls {@link pump} once for all that a window brings. */
  pumpSoon(): void {
    if (this.#mayPump) return;
    this.#mayPump = true;
    // The platform's `queueMicrotask` costs several times as much.
    void Promise.resolve().then(() => {
      this.#mayPump = false;
      this.pump();
      for (const end of this.#atEnd.splice(0)) end();
    });
  }

  /** When there is something to do next; null where nothing waits. */
  next(now = this.#deps.host.now()): number | null {
    const { store, options } = this.#deps;
    const stalledUntil = Number(options.deliverer().stalledUntil(now));
    if (this.#busy.size > 0) {
      // An event that is under way or being stored calls `pump` at its end. No other event waits for that end.
      this.#laterMs ??= store.dueAfter(now) ?? Number.POSITIVE_INFINITY;
      const soonest = this.#due.isCut ? now : this.#laterMs;
      const next = Math.max(stalledUntil > now ? stalledUntil : soonest, now + READ_AGAIN_MS);
      return Math.min(now + LEASE_MS, next);
    }
    const due = this.#due.isEmpty ? store.nextDue(now) : now;
    return due === null ? null : Math.max(due, stalledUntil, now + 1);
  }

  /**
   * Waits until no attempt is under way, for that time at most; returns the number of attempts that are over and not
   * stored.
   */
  async idle(ms = LEASE_MS): Promise<number> {
    const end = elapsed() + ms;
    while (this.#busy.size > 0 && (await this.#ended(end - elapsed()))) {
      // One of several attempts has ended.
    }
    return this.#busy.size - this.#underWay.size;
  }

  /** Waits until no attempt is under way, or until the next event is due that waits for its time. */
  async idleOrDue(): Promise<void> {
    const { host, options } = this.#deps;
    const waitMs = () => ((this.next() ?? 0) - host.now()) / options.clockSpeed;
    while (this.#busy.size > 0 && (await this.#ended(waitMs()))) {
      // What is due next may have changed.
    }
  }

  /** Waits until an attempt ends; false where that takes longer. */
  #ended(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = startTimer(() => resolve(false), ms);
      this.#atEnd.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  #knowledgeOf({ id, number }: Row): Facts["knowledge"] {
    return number < this.#copiedBelow ? "copied" : (this.#idle.get(id) ?? "");
  }

  #know(id: string, knowledge: Knowledge): void {
    if (this.#idle.size < MAX_IDLE) this.#idle.set(id, knowledge);
  }

  /** The row of the next attempt, if one may start. */
  #take(now: number): { row: Row; isOldest: boolean } | undefined {
    const oldest = [...this.#underWay.values()].filter(({ isOldest }) => isOldest).length;
    const lane = this.#deps.options.deliverer().lane(now, this.#underWay.size, oldest, this.#lookingUp.size);
    if (lane === undefined) return undefined;
    if (lane === "newest" || lane === "anywhere") {
      const row = this.#takeUnfailed(now, lane === "anywhere" ? Math.random() : "newest");
      if (row !== undefined) {
        this.#due.without(row.id);
        return { row, isOldest: false };
      }
    }
    const row = this.#due.next(now, lane === "free" ? this.#heldNow(now) : undefined);
    return row && { row, isOldest: true };
  }

  /** Which events must not be started beside those that are under way? */
  #heldNow(now: number): (row: Row) => boolean {
    const sending = [...this.#underWay].filter(([id]) => !this.#lookingUp.has(id)).map(([, { kind }]) => kind);
    const words = this.#deps.options.deliverer().held(now, Float64Array.from(sending), this.#lookingUp.size);
    const held = new Set(words.split(" ").slice(0, -1));
    const kinds = new Set([...held].map(Number));
    const areLookUpsHeld = held.has("look_ups");
    return (row) => kinds.has(kindOf(row)) || (areLookUpsHeld && this.#looksUp(row));
  }

  /** An event without a failed attempt, of another offer than those in trouble where one is near. */
  #takeUnfailed(now: number, place: "newest" | number): Row | undefined {
    const { store, options } = this.#deps;
    const troubled = new Set(options.deliverer().offersInTrouble().split(" "));
    const looked = troubled.size > 1 ? LOOKED_AT : 0;
    const rows = store.dueUnfailed(now, this.#busy.size + 1 + looked, place).filter(({ id }) => !this.#busy.has(id));
    return rows.find(({ offer_id }) => !troubled.has(String(offer_id))) ?? rows[0];
  }

  /** Must CAKE be asked what became of an earlier attempt, before the event is sent? */
  #looksUp(row: Row): boolean {
    const isDeduplicated = this.#deps.options.isDeduplicated(row.offer_id);
    const isInDoubt = row.is_in_doubt === 1;
    return core.api().looksUp(row.kind === "correction", isInDoubt, isDeduplicated, this.#knowledgeOf(row));
  }

  #start(row: Row, isOldest: boolean): void {
    this.#underWay.set(row.id, { isOldest, kind: kindOf(row) });
    if (this.#looksUp(row)) this.#lookingUp.add(row.id);
    const work = this.#deliver(row);
    this.#busy.set(row.id, work);
    this.#deps.host.keepAlive(work);
  }

  async #deliver(row: Row): Promise<void> {
    try {
      let transition: Transition;
      try {
        transition = await this.#attempt(row);
      } finally {
        this.#underWay.delete(row.id);
        this.#lookingUp.delete(row.id);
        // The next attempt need not wait for this one's write.
        this.pump();
      }
      await this.#store(row, transition);
    } finally {
      this.#busy.delete(row.id);
      this.pumpSoon();
    }
  }

  async #attempt(row: Row): Promise<Transition> {
    const { options, host, siblings, family } = this.#deps;
    const knowledge = this.#knowledgeOf(row);
    const known = this.#idle.get(row.id);
    this.#idle.delete(row.id);
    const isDeduplicated = options.isDeduplicated(row.offer_id);
    // The clock may have been put back.
    this.#quietFromMs = Math.min(this.#quietFromMs, host.now() + options.timeoutMs * options.clockSpeed);
    const facts: Facts = { isDeduplicated, knowledge, quietFromMs: this.#quietFromMs };
    const before = siblings.knownBefore();
    const ask = async (what: Question, conversionId?: number) => {
      if (what === "family") return JSON.stringify(family(row));
      if (what === "sending") return this.#noteSending(row.id);
      if (what === "conversion" && conversionId !== undefined) {
        return JSON.stringify(await siblings.othersOf(row, conversionId, { isDeduplicated, before }));
      }
      const known = await siblings.all(row, conversionId);
      // Accepted while CAKE was set to deduplicate the offer: the events of its click are not known.
      return row.order_key === "" && known.length === 0 ? "" : JSON.stringify(known);
    };
    try {
      await this.#kept();
      const transition = JSON.parse(await this.#attempts.make(row, facts, ask)) as Transition;
      // Postponed without an attempt: the earlier knowledge stays valid.
      if (transition.counted === "" && known !== undefined) this.#idle.set(row.id, known);
      const { state, conversionId } = transition;
      if (state === "delivered" && conversionId !== null && row.kind === "conversion")
        siblings.met(row.id, conversionId);
      return transition;
    } catch {
      // A bug in this package must not lose an event: it is tried again later.
      return {
        state: "pending",
        attempts: row.attempts,
        isInDoubt: true,
        nextMs: host.now() + HOUR_MS,
        code: "internal",
        upstreamMessage: "",
        conversionId: null,
        isAlert: true,
        counted: "retried",
        isPaused: options.deliverer().isPaused(),
      };
    }
  }

  /** Waits until all rows will outlive this place: no request leaves before its event is kept. */
  async #kept(): Promise<void> {
    const { host } = this.#deps;
    if (host.persist === undefined) return;
    for (let wait = STORE_AGAIN_MS; ; wait = Math.min(2 * wait, MAX_STORE_AGAIN_MS)) {
      try {
        return await host.persist();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  /** Marks the event as in doubt for every reader of its row. No request leaves before that is on disk. */
  async #noteSending(id: string): Promise<string> {
    const { store, commit, host } = this.#deps;
    await commit.next(() => {
      const row = store.find(id);
      if (row !== undefined) store.settle([{ ...row, is_in_doubt: 1 }]);
    });
    await host.persist?.();
    return "noted";
  }

  /** Stores a transition, with as many retries as needed. An event is not sent again before its outcome is stored. */
  async #store(row: Row, transition: Transition): Promise<void> {
    const now = this.#deps.host.now();
    // Nobody changes the row of an event that is busy, so it need not be read again.
    const after: Row = {
      ...row,
      state: transition.state,
      attempts: transition.attempts,
      is_in_doubt: transition.isInDoubt ? 1 : 0,
      next_ms: transition.nextMs,
      code: transition.code,
      upstream_message: transition.upstreamMessage,
      conversion_id: transition.conversionId,
      changed_ms: transition.counted === "" ? row.changed_ms : now,
    };
    const mayWait = this.#mayWait(after);
    for (let wait = STORE_AGAIN_MS; ; wait = Math.min(2 * wait, MAX_STORE_AGAIN_MS)) {
      try {
        return await this.#results.next({ row, after, transition }, mayWait ? RESULTS_MS : undefined);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  /** Need the result not be stored soon? */
  #mayWait({ id, state }: Row): boolean {
    const waiting = this.#busy.size - this.#underWay.size;
    return (
      state === "delivered" &&
      (!this.#due.isEmpty || this.#underWay.size > 0) &&
      waiting < MAX_RESULTS &&
      !this.#deps.isAwaited(id)
    );
  }

  /** Stores the results of a window. Where that fails for all at once, each is tried alone. */
  #storeAll(results: readonly Result[]): readonly Outcome<void>[] {
    const { store, onStored } = this.#deps;
    const all = outcomeOf(() => store.transaction(() => store.settle(results.map(({ after }) => after))));
    return results.map(({ row, after, transition }) =>
      outcomeOf(() => {
        if ("thrown" in all) store.settle([after]);
        if (transition.state === "pending" && transition.counted !== "") {
          this.rest(row.id, transition.isInDoubt ? "in_doubt" : "not_recorded");
        }
        onStored(row, after, transition);
      }),
    );
  }
}

/** A state as callers see it: an event that waits for a refused key is `paused`. */
export function shownState(state: StoredState, isPaused: boolean): ConversionState {
  return state === "pending" && isPaused ? "paused" : state;
}

/** The kind of an event, by which the core finds out what is slow: its offer, or 0 for a correction. */
export function kindOf({ kind, offer_id }: Row): number {
  return kind === "correction" ? 0 : offer_id;
}
