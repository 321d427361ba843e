/**
 * Counts of a shard: the events of each state, and the outcomes of attempts by hour. Both are kept in memory. The hours
 * are written at intervals, so a crash loses the last seconds of them, and no event costs an extra row.
 */
import type { OutboxStore, StoredState } from "./store.js";

/** The interval between two writes, in milliseconds of real time. */
const WRITE_MS = 10_000;

const HOURS = "hours";

/** A shard's counts. */
export class Counts {
  readonly #store: OutboxStore;
  readonly #states: Map<StoredState, number>;
  /** By `HOUR WORD`. */
  readonly #hours: Map<string, number>;
  #writtenMs = Number.NEGATIVE_INFINITY;
  #isWritten = true;

  constructor(store: OutboxStore) {
    this.#store = store;
    this.#states = new Map(store.stateCounts());
    this.#hours = new Map(Object.entries(JSON.parse(store.getMeta(HOURS) ?? "{}") as Record<string, number>));
  }

  of(state: StoredState): number {
    return this.#states.get(state) ?? 0;
  }

  add(state: StoredState, by: number): void {
    this.#states.set(state, this.of(state) + by);
  }

  /** Adds one to a word's count in an hour of real time since 1970. */
  addInHour(hour: number, word: string): void {
    const name = `${hour} ${word}`;
    this.#hours.set(name, (this.#hours.get(name) ?? 0) + 1);
    this.#isWritten = false;
  }

  /**
   * Writes the hours if it is time; returns the milliseconds until the next write, or `undefined` where all is written.
   */
  write(nowMs: number): number | undefined {
    if (this.#isWritten) return undefined;
    const wait = this.#writtenMs + WRITE_MS - nowMs;
    // A clock that was put back does not delay the write.
    if (wait > 0 && wait <= WRITE_MS) return wait;
    this.writeAll(nowMs);
    return undefined;
  }

  /** Writes the hours now, regardless of the last write. */
  writeAll(nowMs: number): void {
    if (this.#isWritten) return;
    this.#store.setMeta(HOURS, JSON.stringify(Object.fromEntries(this.#hours)));
    this.#writtenMs = nowMs;
    this.#isWritten = true;
  }

  /** The counts of later hours. */
  hoursAfter(hour: number): { readonly hour: number; readonly state: string; readonly count: number }[] {
    return [...this.#hours].flatMap(([name, count]) => {
      const [at, state = ""] = name.split(" ");
      return Number(at) > hour ? [{ hour: Number(at), state, count }] : [];
    });
  }

  forgetHoursUntil(hour: number): void {
    for (const name of [...this.#hours.keys()]) {
      if (Number.parseInt(name, 10) > hour) continue;
      this.#hours.delete(name);
      this.#isWritten = false;
    }
  }
}
