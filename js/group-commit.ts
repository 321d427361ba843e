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
 * answers back instead. It throws if nothing was stored. It returns false, without the work, if another process holds
 * the disk's file: it is called again soon.
 */
export type Turn = (work: () => void) => unknown;

/** The time until a window is tried again whose file another process holds, in milliseconds. */
const AGAIN_MS = 20;

interface Job {
  /** Does the job, and returns the function that settles its promise. */
  readonly run: () => () => void;
  readonly reject: (thrown: unknown) => void;
}

/** Jobs that are done together, in one turn of the event loop. */
export class GroupCommit {
  #jobs: Job[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The wait that the open window began with, or was shortened to. */
  #waitMs = 0;
  readonly #atEnd: () => void;
  readonly #windowMs: number;
  readonly #turn: Turn;

  /** `atEnd` runs after the last job of each window. If it throws, it runs again after the next window. */
  constructor(atEnd: () => void = () => undefined, windowMs = WINDOW_MS, turn: Turn = (work) => work()) {
    this.#atEnd = atEnd;
    this.#windowMs = windowMs;
    this.#turn = turn;
  }

  /**
   * Does a job at the end of the window, after the earlier jobs. `waitMs` is how long the job may wait; the most urgent
   * job of a window ends it.
   */
  next<Result>(job: () => Result, waitMs = this.#windowMs): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.endWithin(waitMs);
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

  /** Ends the open window within this time. */
  endWithin(waitMs = this.#windowMs): void {
    if (this.#timer !== undefined && this.#waitMs <= waitMs) return;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#waitMs = waitMs;
    this.#timer = setTimeout(() => this.#run(), waitMs);
  }

  #run(): void {
    this.#timer = undefined;
    const jobs = this.#jobs;
    this.#jobs = [];
    let settles: (() => void)[] = [];
    try {
      const isDone = this.#turn(() => {
        settles = jobs.map(({ run }) => run());
        try {
          this.#atEnd();
        } catch {
          // The next window repeats it; the process must not end over it.
        }
      });
      if (isDone === false) {
        this.#jobs = jobs;
        this.endWithin(AGAIN_MS);
        return;
      }
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

/** What became of one of several items: its result, or what its job threw. */
export type Outcome<Result> = { readonly result: Result } | { readonly thrown: unknown };

/** The outcome of a job. */
export function outcomeOf<Result>(job: () => Result): Outcome<Result> {
  try {
    return { result: job() };
  } catch (thrown) {
    return { thrown };
  }
}

/** The items of the open window, and their outcomes. */
interface OpenBatch<Item, Result> {
  readonly items: Item[];
  readonly done: Promise<readonly Outcome<Result>[]>;
}

/** Jobs of one kind: those of a window are done at once, in the place of the first. */
export class Batch<Item, Result> {
  readonly #commit: GroupCommit;
  readonly #job: (items: readonly Item[]) => readonly Outcome<Result>[];
  #open: OpenBatch<Item, Result> | undefined;

  /** `job` returns the outcome of each item, in their order. */
  constructor(commit: GroupCommit, job: (items: readonly Item[]) => readonly Outcome<Result>[]) {
    this.#commit = commit;
    this.#job = job;
  }

  /** Does the job with an item, as {@link GroupCommit.next} does it. */
  next(item: Item, waitMs?: number): Promise<Result> {
    this.#open ??= this.#begin(waitMs);
    this.#commit.endWithin(waitMs);
    const { items, done } = this.#open;
    const place = items.push(item) - 1;
    return done.then((outcomes) => {
      const outcome = outcomes[place];
      if (outcome === undefined) throw new Error("a job has no outcome");
      if ("thrown" in outcome) throw outcome.thrown;
      return outcome.result;
    });
  }

  #begin(waitMs: number | undefined): OpenBatch<Item, Result> {
    const items: Item[] = [];
    const end = () => {
      if (this.#open?.items === items) this.#open = undefined;
    };
    const done = this.#commit.next(() => {
      end();
      return this.#job(items);
    }, waitMs);
    // A window that could not begin has not done the job.
    done.catch(end);
    return { items, done };
  }
}
