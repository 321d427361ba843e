/**
 * The due events of a shard in their order, as far as they were read from its store. Events that must not be started
 * yet are put aside, and those after them are read on, so that none waits behind another that is held.
 */
import { type DueAfter, isUntried, type OutboxStore, type Row } from "./store.js";

/** The rows of one read from the store. */
const FETCH_BATCH = 100;

/** After all due rows were fetched, attempts that end look for others no sooner than this. */
export const READ_AGAIN_MS = 100;

/**
 * After all due rows were fetched, how long and how many accepted events are taken as they come, without a read. Retries
 * that become due meanwhile wait for the next read.
 */
const TAKEN_MS = 1_000;
const MAX_TAKEN = 1_000;

/** The most events that are put aside; more of them are read again later. */
const MAX_ASIDE = 500;

/** The reads of one search for an event that is not held, and after what time a search begins anew. */
const READS = 5;
const ANEW_MS = 30_000;

/** Due events. */
export class DueRows {
  readonly #store: OutboxStore;
  readonly #busy: ReadonlyMap<string, unknown>;
  /** Fetched, the oldest last. */
  #ready: Row[] = [];
  /** Fetched before those, and held; the oldest first. */
  #aside = new Map<string, Row>();
  /** When all due rows were fetched; `undefined` after a change. */
  #allRead: number | undefined;
  /** The last rows read, and when the first of them was. */
  #after: DueAfter = {};
  #begunMs = 0;
  #isCut = false;

  /** `busy` has the ids of events that must not be started again. */
  constructor(store: OutboxStore, busy: ReadonlyMap<string, unknown>) {
    this.#store = store;
    this.#busy = busy;
  }

  /** Are there events to start, as far as they are known? */
  get isEmpty(): boolean {
    return this.#ready.length === 0 && this.#aside.size === 0;
  }

  /** Has a search ended before it has seen all due events? */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Takes an event that was just stored. It comes after all other due events, so it need not be read again. */
  accepted(row: Row, now: number): void {
    const age = now - (this.#allRead ?? Number.NEGATIVE_INFINITY);
    if (age >= 0 && age < TAKEN_MS && this.#ready.length < MAX_TAKEN) this.#ready.unshift(row);
    else this.#allRead = undefined;
  }

  /** More events may be due than at the last read. */
  more(): void {
    this.#allRead = undefined;
  }

  /** Drops all: rows were changed from outside. */
  drop(): void {
    this.#ready = [];
    this.#aside.clear();
    this.#allRead = undefined;
  }

  /** Drops an event that is started. */
  without(id: string): void {
    this.#ready = this.#ready.filter((row) => row.id !== id);
    this.#aside.delete(id);
  }

  /** The oldest event that is not held. */
  next(now: number, isHeld?: (row: Row) => boolean): Row | undefined {
    this.#isCut = false;
    for (const row of this.#aside.values()) {
      if (isHeld?.(row) === true) continue;
      this.#aside.delete(row.id);
      return row;
    }
    for (let reads = 0; ; reads += 1) {
      for (let row = this.#ready.pop(); row !== undefined; row = this.#ready.pop()) {
        if (isHeld?.(row) !== true) return row;
        if (this.#aside.size < MAX_ASIDE) this.#aside.set(row.id, row);
      }
      this.#isCut = reads === READS;
      if (this.#isCut || !this.#read(now)) return undefined;
    }
  }

  /** Reads on, or anew where nothing is put aside; false where there is nothing more. */
  #read(now: number): boolean {
    const age = now - (this.#allRead ?? Number.NEGATIVE_INFINITY);
    if (age >= 0 && age < READ_AGAIN_MS) return false;
    const begun = now - this.#begunMs;
    if (this.#aside.size === 0 || begun < 0 || begun >= ANEW_MS) {
      this.#after = {};
      this.#begunMs = now;
    }
    const limit = FETCH_BATCH + this.#busy.size;
    const due = this.#store.due(now, limit, this.#after);
    this.#allRead = due.length < limit ? now : undefined;
    for (const row of due) {
      this.#after = { ...this.#after, [isUntried(row) ? "fresh" : "tried"]: row };
    }
    this.#ready = due.filter(({ id }) => !this.#busy.has(id) && !this.#aside.has(id)).reverse();
    return due.length > 0;
  }
}
