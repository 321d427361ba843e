/**
 * Group commit: the jobs of one window are decided and stored together.
 *
 * A Durable Object writes to disk at the end of each turn of its event loop, and waits for the disk, about 4 ms. One
 * turn for each request would be 250 requests a second; one turn for a whole window is several thousand.
 */

/** The default length of a window, in milliseconds. */
export const WINDOW_MS = 1;

/**
 * Runs the work of a window as one transaction. All writes are on disk when it returns; a Durable Object holds its
 * answers back instead. It throws if nothing was stored.
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

  /** `atEnd` runs after the last job of each window. If it throws, it runs again after the next window. */
  constructor(atEnd: () => void = () => undefined, windowMs = WINDOW_MS, turn: Turn = (work) => work()) {
    this.#atEnd = atEnd;
    this.#windowMs = windowMs;
    this.#turn = turn;
  }

  /** Does a job at the end of the window, after the earlier jobs. */
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
          // The next window repeats it; the process must not end over it.
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
