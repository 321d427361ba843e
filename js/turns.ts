/**
 * Turns: what comes in within a millisecond is decided and stored in one go.
 *
 * A Durable Object writes to disk at the end of each turn of its event loop, and
 * waits for the disk, about 4 ms. One turn for each request would be 250
 * requests a second; one turn for all that have gathered is several thousand.
 */

/** How long a turn gathers by default. */
const GATHER_MS = 1;

/** Jobs that are done together. */
export class Turns {
  #jobs: (() => void)[] = [];
  readonly #atEnd: () => void;
  readonly #gatherMs: number;

  /** `atEnd` runs after the last job of each turn. */
  constructor(atEnd: () => void = () => undefined, gatherMs = GATHER_MS) {
    this.#atEnd = atEnd;
    this.#gatherMs = gatherMs;
  }

  /** Does a job in the next turn, after those that came before it. */
  next<Result>(job: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#jobs.length === 0) setTimeout(() => this.#take(), this.#gatherMs);
      this.#jobs.push(() => {
        try {
          resolve(job());
        } catch (thrown) {
          reject(thrown);
        }
      });
    });
  }

  #take(): void {
    const jobs = this.#jobs;
    this.#jobs = [];
    for (const job of jobs) job();
    this.#atEnd();
  }
}
