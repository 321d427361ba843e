/**
 * The deadlines of requests. Requests that start close together share a signal and a timer, so at a high rate a request
 * costs neither.
 */

/** By how much a request's deadline may come sooner than its timeout, as a part of the timeout, and at most. */
const SHARED_PART = 50;
const MAX_SHARED_MS = 250;

/** The end of one request's time, or of several requests'. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly startedMs: number;
  users = 0;

  constructor(ms: number, nowMs: number) {
    this.startedMs = nowMs;
    this.#timer = setTimeout(() => this.#controller.abort(), ms);
  }

  /** Aborts at the deadline. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isReached(): boolean {
    return this.signal.aborted;
  }

  /** Resolves or rejects with the work, or rejects at the deadline: a stand-in for `fetch` need not heed a signal. */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = () => reject(this.signal.reason);
      this.signal.addEventListener("abort", end);
      work.then(resolve, reject).finally(() => this.signal.removeEventListener("abort", end));
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
