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
 * Runs the work of a window as one transaction. All writes are on disk when it returns; a Durable Object holds its
 * answers back instead. It throws where nothing was stored.
 */
export type Turn = (work: () => void) => void;

interface Job {
  /** Does the job, and returns the function that settles its promise. */
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
    let settles: (() => void)[] = [];
    try {
      this.#turn(() => {
        settles = jobs.map(({ run }) => run());
        try {
          this.#atEnd();
        } catch {
          // What it could not do it does at the end of the next window; no process ends over it.
        }
      });
    } catch (thrown) {
      settles = jobs.map(
        ({ reject }) =>
          () =>
            reject(thrown),
      );
    }
    // No promise is settled before the whole window is stored.
    for (const settle of settles) settle();
  }
}
