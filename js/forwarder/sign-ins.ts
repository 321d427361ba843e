/** Operators' sign-ins, as one shard knows them: callers with too many failures, and ended sessions. */
import type { OutboxStore } from "./store.js";

/** The wrong secrets that one caller may send in a window. After that, secrets are ignored until the window ends. */
const MAX_FAILURES = 10;
const WINDOW_MS = 60_000;
const MAX_CALLERS = 10_000;
const ENDED = "ended sessions";
/** How many ended sessions are remembered though they have expired. */
const KEPT = 100;

/** Sign-ins. Times are real time, in milliseconds since 1970. */
export class SignIns {
  readonly #store: OutboxStore;
  /** In memory only: nothing about a caller is stored. */
  readonly #failures = new Map<string, { count: number; readonly endMs: number }>();

  constructor(store: OutboxStore) {
    this.#store = store;
  }

  /** Counts an attempt; returns how many milliseconds this caller must wait, 0 where the attempt counts. */
  tried(caller: string, isRight: boolean, nowMs: number): number {
    const known = this.#failures.get(caller);
    // A window that ends later than one can was begun while the clock was ahead.
    const isOpen = known !== undefined && known.endMs > nowMs && known.endMs <= nowMs + WINDOW_MS;
    const current = isOpen ? known : undefined;
    if (current !== undefined && current.count >= MAX_FAILURES) return current.endMs - nowMs;
    if (isRight) return 0;
    if (current !== undefined) current.count += 1;
    else {
      if (this.#failures.size >= MAX_CALLERS) this.#forget(nowMs);
      this.#failures.set(caller, { count: 1, endMs: nowMs + WINDOW_MS });
    }
    return 0;
  }

  /** Ends a session before its time. */
  end(session: string, expiresMs: number, nowMs: number): void {
    // The latest ones stay: a clock that is ahead now may be put right while they are valid.
    const ended = this.#ended().filter(([, endMs], place, { length }) => endMs > nowMs || place >= length - KEPT);
    this.#store.setMeta(ENDED, JSON.stringify([...ended, [session, expiresMs]]));
  }

  isEnded(session: string): boolean {
    return this.#ended().some(([ended]) => ended === session);
  }

  #ended(): readonly (readonly [session: string, expiresMs: number])[] {
    return JSON.parse(this.#store.getMeta(ENDED) ?? "[]");
  }

  /** Forgets callers whose window is over, and the earliest ones where there are too many. */
  #forget(nowMs: number): void {
    for (const [caller, { endMs }] of this.#failures) {
      if (endMs <= nowMs || this.#failures.size >= MAX_CALLERS) this.#failures.delete(caller);
    }
  }
}
