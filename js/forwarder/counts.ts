/** Counts of a shard by name, such as `state pending`: in memory, and one write for each in a window of the group commit. */
import type { OutboxStore } from "./store.js";

/** A shard's counts. */
export class Counts {
  readonly #store: OutboxStore;
  readonly #counts: Map<string, number>;
  /** What this window has added. */
  readonly #added = new Map<string, number>();

  constructor(store: OutboxStore) {
    this.#store = store;
    this.#counts = new Map(store.counts());
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  add(name: string, by: number): void {
    this.#added.set(name, (this.#added.get(name) ?? 0) + by);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  /** Stores what was added, in the same transaction as the window's rows. */
  write(): void {
    for (const [name, by] of this.#added) {
      if (by !== 0) this.#store.count(name, by);
      this.#added.delete(name);
    }
  }

  /** The counts `hour HOUR STATE` of later hours. */
  hoursAfter(hour: number): { readonly hour: number; readonly state: string; readonly count: number }[] {
    return [...this.#counts].flatMap(([name, count]) => {
      const [kind, at, state = ""] = name.split(" ");
      return kind === "hour" && Number(at) > hour ? [{ hour: Number(at), state, count }] : [];
    });
  }

  forgetHoursUntil(hour: number): void {
    for (const name of this.#counts.keys()) {
      const [kind, at] = name.split(" ");
      if (kind !== "hour" || Number(at) > hour) continue;
      this.#store.forgetCount(name);
      this.#counts.delete(name);
    }
  }
}
