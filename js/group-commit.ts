/**
 * Group commit: what comes in within a window is decided and stored in one go.
 *
 * A Durable Object writes to disk at the end of each turn of its event loop, and
 * waits for the disk, about 4 ms. One turn for each request would be 250
 * requests a second; one turn for all of a window is several thousand.
 */

/** How long a window is by default, in milliseconds. */
export const WINDOW_MS = 1;

/**
 * Does the work of a window. When it returns, what was written is on disk, or is before anybody hears of it, as in a
 * Durable Object; where it throws, nothing was written that counts.
 */
export type Turn = (work: () => void) => void;

interface Job {
  /** Does it, and returns what tells whoever waits. */
  readonly run: () => () => void;
  readonly reject: (thrown: unknown) => void;
}

/** Jobs that are done together, in one turn of the event loop. */
export class GroupCommit {
  #jobs: Job[] = [];
  readonly #atEnd: () => void;
  readonly #windowMs: number;
  readonly #turn: Turn;

  /** `atEnd` runs after the last job of each window. Where it throws, it is to be done the next time. */
  constructor(atEnd: () => void = () => undefined, windowMs = WINDOW_MS, turn: Turn = (work) => work()) {
    this.#atEnd = atEnd;
    this.#windowMs = windowMs;
    this.#turn = turn;
  }

  /** Does a job at the end of the window, after those that came before it. */
  next<Result>(job: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#jobs.length === 0) setTimeout(() => this.#run(), this.#windowMs);
      const run = () => {
        try {
          const result = job();
          return () => resolve(result);
        } catch (thrown) {
          return () => reject(thrown);
        }
      };
      this.#jobs.push({ run, reject });
    });
  }

  #run(): void {
    const jobs = this.#jobs;
    this.#jobs = [];
    let tells: (() => void)[] = [];
    try {
      this.#turn(() => {
        tells = jobs.map(({ run }) => run());
        try {
          this.#atEnd();
        } catch {
          // What it could not do it does at the end of the next window; no process ends over it.
        }
      });
    } catch (thrown) {
      tells = jobs.map(
        ({ reject }) =>
          () =>
            reject(thrown),
      );
    }
    // Nobody is told before all of it is stored.
    for (const tell of tells) tell();
  }
}
