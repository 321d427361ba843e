/**
 * Group commit: what comes in within a window is decided and stored in one go.
 *
 * A Durable Object writes to disk at the end of each turn of its event loop, and
 * waits for the disk, about 4 ms. One turn for each request would be 250
 * requests a second; one turn for all of a window is several thousand.
 */

/** How long a window is by default, in milliseconds. */
export const WINDOW_MS = 1;

/** Jobs that are done together, in one turn of the event loop. */
export class GroupCommit {
  #jobs: (() => void)[] = [];
  readonly #atEnd: () => void;
  readonly #windowMs: number;

  /** `atEnd` runs after the last job of each window. Where it throws, it is to be done the next time. */
  constructor(atEnd: () => void = () => undefined, windowMs = WINDOW_MS) {
    this.#atEnd = atEnd;
    this.#windowMs = windowMs;
  }

  /** Does a job at the end of the window, after those that came before it. */
  next<Result>(job: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#jobs.length === 0) setTimeout(() => this.#run(), this.#windowMs);
      this.#jobs.push(() => {
        try {
          resolve(job());
        } catch (thrown) {
          reject(thrown);
        }
      });
    });
  }

  #run(): void {
    const jobs = this.#jobs;
    this.#jobs = [];
    for (const job of jobs) job();
    try {
      this.#atEnd();
    } catch {
      // What it could not do it does at the end of the next window; no process ends over it.
    }
  }
}
