/**
 * Counts of a shard: how many events there are of each state, and by the hour
 * what became of attempts. Both are kept in memory; the hours are written once
 * in a while, so that a crash costs the last seconds of them and an event no row.
 */
import type { OutboxStore, StoredState } from "./store.js";

/** So long, in the world's milliseconds, between two writes. */
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

  /** Counts one in an hour of the world's since 1970. */
  addInHour(hour: number, word: string): void {
    const name = `${hour} ${word}`;
    this.#hours.set(name, (this.#hours.get(name) ?? 0) + 1);
    this.#isWritten = false;
  }

  /** Writes the hours where it is time to; says in how many milliseconds it will be, `undefined` where all is written. */
  write(nowMs: number): number | undefined {
    if (this.#isWritten) return undefined;
    const wait = this.#writtenMs + WRITE_MS - nowMs;
    // A clock that was put back does not put the write off.
    if (wait > 0 && wait <= WRITE_MS) return wait;
    this.writeAll(nowMs);
    return undefined;
  }

  /** Writes the hours now, whenever the last write was. */
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
