/**
 * The deadlines of requests. Requests that start close together share a signal and a timer, so at a high rate a request
 * costs neither.
 */

/** By how much a request's deadline may come sooner than its timeout, as a part of the timeout, and at most. */
const SHARED_PART = 50;
const MAX_SHARED_MS = 250;

/** The end of one request's time, or of several requests'. */
export class Deadline {
  /** Aborts at the deadline. */
  readonly signal: AbortSignal;
  isReached = false;
  readonly #timer: ReturnType<typeof setTimeout>;
  /** The races that are not over. A set costs a request less than a listener of the signal. */
  readonly #races = new Set<() => void>();
  readonly startedMs: number;
  users = 0;

  constructor(ms: number, nowMs: number) {
    this.startedMs = nowMs;
    const controller = new AbortController();
    // Kept, since a platform finds it anew at each look.
    this.signal = controller.signal;
    this.#timer = setTimeout(() => {
      this.isReached = true;
      controller.abort();
      for (const end of this.#races) end();
    }, ms);
  }

  /**
   * Resolves or rejects with the work, or rejects at the deadline. No `fetch` is trusted to settle: a stand-in need not
   * heed a signal, and a platform may wait for ever for an answer that it does not understand.
   */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = () => reject(this.signal.reason);
      if (this.isReached) end();
      this.#races.add(end);
      work.then(
        (result) => {
          this.#races.delete(end);
          resolve(result);
        },
        (thrown) => {
          this.#races.delete(end);
          reject(thrown);
        },
      );
    });
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

/** Makes the deadlines of a shard's requests. */
export class Deadlines {
  readonly #timeoutMs: number;
  readonly #sharedMs: number;
  #latest: Deadline | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#sharedMs = Math.min(timeoutMs / SHARED_PART, MAX_SHARED_MS);
  }

  /** A deadline that comes no later than the timeout. Its request calls {@link end}. */
  start(): Deadline {
    const nowMs = Date.now();
    const age = nowMs - (this.#latest?.startedMs ?? 0);
    if (this.#latest === undefined || age < 0 || age >= this.#sharedMs) {
      this.#latest = new Deadline(this.#timeoutMs, nowMs);
    }
    this.#latest.users += 1;
    return this.#latest;
  }

  /** The last of its requests clears a deadline's timer, which would keep an idle object awake. */
  end(deadline: Deadline): void {
    deadline.users -= 1;
    if (deadline.users > 0) return;
    deadline.clear();
    if (this.#latest === deadline) this.#latest = undefined;
  }
}
