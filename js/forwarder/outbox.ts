/**
 * One shard's outbox: keeps events, delivers them, and remembers what became of
 * them. When and what is the core's affair; where the rows are is the store's.
 */
import { GroupCommit } from "../group-commit.js";
import { type Host, LEASE_MS } from "../host.js";
import type { ForwarderCode } from "./answer.js";
import { Counts } from "./counts.js";
import { instant } from "./instant.js";
import type { ResolvedOptions } from "./options.js";
import type { Acceptance, AcceptRequest, ConversionState, Shard, ShardReport, Status } from "./shard.js";
import type { NewEvent, OutboxStore, Row, RowFilter, StoredState } from "./store.js";
import { Waiters } from "./waiters.js";

/** What an outbox works with. */
export interface OutboxDeps {
  readonly options: ResolvedOptions;
  readonly store: OutboxStore;
  /** Wakes the outbox by {@link Outbox.wake}. */
  readonly host: Host;
}

/** What the core makes of an attempt. */
interface Outcome {
  readonly state: ConversionState;
  readonly code: string;
  readonly upstreamMessage: string;
  readonly conversionId: number | null;
  readonly waitMs: number;
  readonly isInDoubt: boolean;
  readonly isAlert: boolean;
  /** How many attempts at once from now on. */
  readonly atOnce: number;
  /** How long none may start. */
  readonly stallMs: number;
}

/** So many rows are fetched from the store together. */
const FETCH_BATCH = 100;

/** Of so many events it is known that no attempt is under way; of more it is as after a start. */
const MAX_IDLE = 10_000;

/** Until a write is on disk no request leaves: of fewer, larger turns there is more time between. */
const WINDOW_MS = 3;

const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;
const WEBHOOK_MS = 900_000;
const PAUSED = "paused";

/** An outbox. */
export class Outbox implements Shard {
  readonly #deps: OutboxDeps;
  readonly #commit = new GroupCommit(() => this.#counts.write(), WINDOW_MS);
  readonly #startedMs: number;
  /** Not to be started: an attempt is under way, or what came of it not yet stored. */
  readonly #busy = new Set<string>();
  /** Attempts under way. */
  readonly #underWay = new Set<Promise<void>>();
  /** Due, and fetched from the store. */
  #ready: Row[] = [];
  /**
   * Of what waits, what no attempt is under way for, since this very object has
   * accepted it or has made the last one; and whether it is certainly not
   * recorded. Of all else an object that is gone may have made an attempt that
   * no row tells of.
   */
  readonly #idle = new Map<string, "not recorded" | "in doubt">();
  readonly #waiters = new Waiters();
  readonly #counts: Counts;
  /** Of attempts that are over: what came of them is being stored. */
  readonly #storing = new Set<Promise<void>>();
  #atOnce = 5;
  /** No attempt starts from one time to another: a clock that was put back ends it. */
  #stall = { from: 0, to: 0 };
  #isPaused: boolean;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
    this.#startedMs = deps.host.now();
    this.#counts = new Counts(deps.store);
    this.#isPaused = deps.store.getMeta(PAUSED) !== null;
    if (this.#isPaused) this.#atOnce = 1;
  }

  async accept({ events, webhook }: AcceptRequest): Promise<readonly Acceptance[]> {
    return this.#commit.next(() => {
      const { store, host } = this.#deps;
      const now = host.now();
      if (webhook !== undefined && store.webhook(webhook.id, webhook.digest, now) !== webhook.digest) {
        return events.map(() => ({ refusal: "webhook_id_reused" }) as const);
      }
      const refusals = events.map((event) => this.#refusal(event, now));
      const room = this.#deps.options.capacity - this.#counts.of("state pending");
      const fit = events.filter((_, index) => refusals[index] === undefined);
      const kept =
        fit.length <= room
          ? store.insert(fit, now)
          : // Full: what is known already is answered all the same.
            fit.map(() => false);
      let index = 0;
      let added = 0;
      const answers = events.map((event, at): Acceptance => {
        const refusal = refusals[at];
        if (refusal !== undefined) return { refusal };
        const isNew = kept[index++] === true;
        if (isNew) {
          added += 1;
          this.#rest(event.id, "not recorded");
          this.#log(event.id, "pending", "", 0, false);
          return { id: event.id, state: this.#shown("pending"), duplicate: false };
        }
        const row = store.find(event.id);
        if (row === undefined) return { refusal: "outbox_full" };
        if (row.text !== event.text) return { refusal: "conversion_conflict" };
        return { id: event.id, state: this.#shown(row.state), duplicate: true };
      });
      if (added > 0) {
        this.#counts.add("state pending", added);
        host.wakeAt(now + LEASE_MS);
      }
      this.#pump();
      return answers;
    });
  }

  async claim(claim: string, id: string): Promise<string> {
    return this.#commit.next(() => this.#deps.store.claim(claim, id, this.#deps.host.now()));
  }

  async wait(ids: readonly string[], ms: number): Promise<readonly (Status | undefined)[]> {
    const { store } = this.#deps;
    if (ms > 0) {
      const pending = ids.filter((id) => store.find(id)?.state === "pending");
      await this.#waiters.wait(pending, ms);
    }
    this.#pump();
    return ids.map((id) => {
      const row = store.find(id);
      return row && this.#status(row);
    });
  }

  async report(): Promise<ShardReport> {
    const { store, host, options } = this.#deps;
    const now = host.now();
    const oldest = store.oldestPending();
    const of = (state: StoredState) => this.#counts.of(`state ${state}`);
    return {
      counts: {
        pending: this.#isPaused ? 0 : of("pending"),
        paused: this.#isPaused ? of("pending") : 0,
        delivered: of("delivered"),
        refused: of("refused"),
        dead: of("dead"),
      },
      oldestMs: oldest === null ? null : Math.max(0, Math.round((now - oldest) / options.clockSpeed)),
      hours: this.#counts.hoursAfter(this.#hour(now) - DAY_HOURS),
      bytes: store.bytes(),
    };
  }

  async list(filter: RowFilter): Promise<readonly Row[]> {
    return this.#deps.store.list(filter);
  }

  async replay(what: { readonly id: string } | { readonly state: StoredState }): Promise<number> {
    return this.#commit.next(() => {
      const { store, host } = this.#deps;
      const row = "id" in what ? store.find(what.id) : undefined;
      const rows = "id" in what ? (row ? [row] : []) : store.list({ state: what.state, limit: FETCH_BATCH * 10 });
      const now = host.now();
      let replayed = 0;
      store.transaction(() => {
        for (const each of rows) {
          // What is delivered stays so: nothing is sent twice by hand.
          if (each.state !== "refused" && each.state !== "dead") continue;
          this.#settle(each, { ...each, state: "pending", attempts: 0, next_ms: now, changed_ms: now });
          this.#log(each.id, "pending", each.code, 0, false);
          replayed += 1;
        }
      });
      if (replayed > 0) host.wakeAt(now + LEASE_MS);
      this.#pump();
      return replayed;
    });
  }

  async sweep(): Promise<ShardReport> {
    await this.#commit.next(() => {
      const { store, host, options } = this.#deps;
      const now = host.now();
      const gone = store.purge(now - options.retentionMs, now - WEBHOOK_MS);
      for (const [state, count] of gone) this.#counts.add(`state ${state}`, -count);
      this.#counts.forgetHoursUntil(this.#hour(now) - DAY_HOURS);
      if (store.nextDue() !== null) host.wakeAt(now + LEASE_MS);
      this.#pump();
    });
    return this.report();
  }

  /** Delivers what is due, and waits until nothing is under way, or for as long as a lease. */
  async wake(): Promise<void> {
    const end = Date.now() + LEASE_MS;
    this.#pump();
    while (this.#underWay.size + this.#storing.size > 0 && Date.now() < end) {
      await Promise.race([...this.#underWay, ...this.#storing]);
    }
    // Nothing waits: no lease either, or an idle object would be woken for ever.
    const next = this.next();
    if (next === null) this.#deps.host.wakeAt(null);
  }

  /** A page's conversion of a click that another has converted. */
  #refusal(event: NewEvent, now: number): ForwarderCode | undefined {
    if (event.claim === undefined) return undefined;
    return this.#deps.store.claim(event.claim, event.id, now) === event.id ? undefined : "click_converted";
  }

  /** Starts what is due, as far as there is room; the rest follows by itself. */
  #pump(): void {
    const now = this.#deps.host.now();
    while (this.#stalledUntil(now) === 0 && this.#underWay.size < this.#atOnce) {
      const row = this.#take(now);
      if (row === undefined) break;
      const work = this.#attempt(row).finally(() => {
        this.#underWay.delete(work);
        this.#pump();
      });
      this.#underWay.add(work);
      this.#deps.host.keepAlive(work);
    }
    const next = this.next();
    if (next !== null) this.#deps.host.wakeAt(next);
  }

  /** When there is something to do next; null where nothing waits. */
  next(): number | null {
    const { store, host } = this.#deps;
    const now = host.now();
    if (this.#underWay.size > 0) return now + LEASE_MS;
    const due = this.#ready.length > 0 ? now : store.nextDue();
    return due === null ? null : Math.max(due, this.#stalledUntil(now), now + 1);
  }

  /** When the next attempt may start; 0 for now. */
  #stalledUntil(now: number): number {
    return now >= this.#stall.from && now < this.#stall.to ? this.#stall.to : 0;
  }

  #take(now: number): Row | undefined {
    if (this.#ready.length === 0) {
      const due = this.#deps.store.due(now, FETCH_BATCH + this.#busy.size);
      this.#ready = due.filter(({ id }) => !this.#busy.has(id)).reverse();
    }
    return this.#ready.pop();
  }

  async #attempt(row: Row): Promise<void> {
    const { options, host } = this.#deps;
    const idle = this.#idle.get(row.id);
    this.#idle.delete(row.id);
    const isInDoubt = row.is_in_doubt === 1 || idle !== "not recorded";
    const asksFirst = isInDoubt && !options.isDeduplicated(row.offer_id);
    this.#busy.add(row.id);
    let outcome: Outcome;
    // After a start, what may be under way elsewhere is left alone for as long as a request may take.
    const settledMs = this.#startedMs + options.timeoutMs * options.clockSpeed;
    const now = host.now();
    if (asksFirst && idle === undefined && now < settledMs) {
      // Its attempt by an object that is gone may still be on its way.
      await this.#commit.next(() => {
        this.#settle(row, { ...row, next_ms: settledMs });
        this.#busy.delete(row.id);
      });
      return;
    }
    try {
      const told = options.deliverer.attempt(row.text, row.accepted_at, row.attempts, isInDoubt, asksFirst);
      outcome = JSON.parse(await told) as Outcome;
    } catch {
      // A bug of ours must not lose an event: it is tried again later.
      outcome = {
        state: "pending",
        code: "internal",
        upstreamMessage: "",
        conversionId: null,
        waitMs: HOUR_MS,
        isInDoubt: true,
        isAlert: true,
        atOnce: 1,
        stallMs: LEASE_MS,
      };
    }
    const after = host.now();
    this.#atOnce = outcome.atOnce;
    // An answer ends a stall, and trouble does not shorten one.
    if (outcome.state !== "pending" && outcome.stallMs === 0) this.#stall = { from: 0, to: 0 };
    const to = Math.max(this.#stalledUntil(after), after + outcome.stallMs);
    if (to > after) this.#stall = { from: after, to };
    // Not awaited: the next attempt need not wait for this one's write.
    const stored = this.#commit.next(() => {
      this.#stored(row, outcome, after);
      this.#busy.delete(row.id);
      this.#pump();
    });
    this.#storing.add(stored);
    host.keepAlive(stored.finally(() => this.#storing.delete(stored)));
  }

  #stored(row: Row, outcome: Outcome, now: number): void {
    const isPause = outcome.state === "paused";
    const state: StoredState = outcome.state === "paused" ? "pending" : outcome.state;
    const wait = isPause ? outcome.stallMs : outcome.waitMs;
    const after: Row = {
      ...row,
      state,
      // A refused key burns no attempt.
      attempts: row.attempts + (isPause ? 0 : 1),
      is_in_doubt: outcome.isInDoubt ? 1 : 0,
      next_ms: state === "pending" ? now + wait : null,
      code: outcome.code,
      upstream_message: outcome.upstreamMessage,
      conversion_id: outcome.conversionId,
      changed_ms: now,
    };
    const isAnswered = state !== "pending";
    if (isPause !== this.#isPaused && (isPause || isAnswered)) {
      this.#isPaused = isPause;
      this.#deps.store.setMeta(PAUSED, isPause ? outcome.code : null);
    }
    this.#settle(row, after);
    this.#counts.add(`hour ${this.#hour(now)} ${isAnswered ? state : isPause ? PAUSED : "retried"}`, 1);
    if (state === "pending") this.#rest(row.id, outcome.isInDoubt ? "in doubt" : "not recorded");
    this.#log(row.id, outcome.state, outcome.code, after.attempts, outcome.isAlert);
    if (isAnswered) this.#waiters.over(row.id);
  }

  #rest(id: string, how: "not recorded" | "in doubt"): void {
    if (this.#idle.size < MAX_IDLE) this.#idle.set(id, how);
  }

  #settle(before: Row, after: Row): void {
    this.#deps.store.settle(after);
    if (before.state === after.state) return;
    this.#counts.add(`state ${before.state}`, -1);
    this.#counts.add(`state ${after.state}`, 1);
  }

  /** The world's hour since 1970. */
  #hour(now: number): number {
    return Math.floor(now / this.#deps.options.clockSpeed / HOUR_MS);
  }

  #shown(state: StoredState): ConversionState {
    return state === "pending" && this.#isPaused ? "paused" : state;
  }

  #status(row: Row): Status {
    return {
      id: row.id,
      state: this.#shown(row.state),
      attempts: row.attempts,
      ...(row.code === "" ? {} : { code: row.code }),
      ...(row.conversion_id === null ? {} : { conversionId: row.conversion_id }),
      acceptedAt: instant(row.accepted_ms, this.#deps.options),
    };
  }

  #log(id: string, state: ConversionState, code: string, attempt: number, isAlert: boolean): void {
    this.#deps.options.log({ event: "conversion", id, state, code, attempt, ...(isAlert ? { alert: true } : {}) });
  }
}
