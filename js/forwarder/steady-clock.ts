/**
 * When a store may forget what is old. A clock may be far ahead for a moment, and what is forgotten by it is gone for
 * good. So nothing is forgotten by a clock that has jumped until it has gone on for a day from there.
 */
import type { OutboxStore } from "./store.js";

/** The name under which a store keeps what it knows of its clock. */
export const CLOCK = "clock";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A sweep a day is no jump, although the last look is an hour older than noted and the sweep an hour late. */
const JUMP_MS = DAY_MS + 2 * HOUR_MS;

/** What is known of a clock, in milliseconds since 1970. */
interface Known {
  /** Since when it has gone on without a jump. */
  readonly sinceMs: number;
  /** When it was last looked at, noted once an hour. */
  readonly lastMs: number;
}

/** From when on what is old may be forgotten, by the notes of stores; 0 where none has any. */
export function forgetsFrom(notes: readonly (string | undefined)[], nowMs: number): number {
  const known = notes.flatMap((note) => (note === undefined ? [] : [read(note)]));
  return Math.max(0, ...known.map((each) => looked(each, nowMs).sinceMs + DAY_MS));
}

/** The clock of a store. */
export class SteadyClock {
  readonly #store: Pick<OutboxStore, "getMeta" | "setMeta">;
  readonly #now: () => number;
  #known: Known | undefined;

  /** `now` tells real time, however fast the store's own clock goes. */
  constructor(store: Pick<OutboxStore, "getMeta" | "setMeta" | "latest">, now: () => number) {
    this.#store = store;
    this.#now = now;
    const note = store.getMeta(CLOCK);
    if (note !== null) this.#known = read(note);
    // A new store has nothing to forget too early. About the clock of an earlier release nothing is known.
    else if (store.latest().acceptedMs === 0) this.#known = { sinceMs: 0, lastMs: Number.NaN };
  }

  /** Looks at the clock, and notes a jump. Each event that is accepted is an occasion. */
  look(): Known {
    const known = looked(this.#known, this.#now());
    if (known !== this.#known) this.#store.setMeta(CLOCK, `${known.sinceMs} ${known.lastMs}`);
    this.#known = known;
    return known;
  }

  /** May what is old by this clock be forgotten? */
  mayForget(): boolean {
    return this.#now() >= this.look().sinceMs + DAY_MS;
  }
}

/** What is known after a look: the same object where there is nothing to note. */
function looked(known: Known | undefined, nowMs: number): Known {
  if (known === undefined) return { sinceMs: nowMs, lastMs: nowMs };
  const step = Math.abs(nowMs - known.lastMs);
  if (step < HOUR_MS) return known;
  return { sinceMs: step > JUMP_MS ? nowMs : known.sinceMs, lastMs: nowMs };
}

function read(note: string): Known {
  const [sinceMs = 0, lastMs = 0] = note.split(" ").map(Number);
  return { sinceMs, lastMs };
}
