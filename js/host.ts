/** What a part that stores and sends needs of the place where it runs. */

/** While there is work, a wake-up is asked for this far ahead: a crash loses none of it. */
export const LEASE_MS = 60_000;

/** A place: a Durable Object, or a process. */
export interface Host {
  /** Milliseconds since 1970, a whole number. */
  now(): number;
  /** Keeps the place alive until the work is done. */
  keepAlive(work: Promise<unknown>): void;
  /** Asks for a wake-up at a time of {@link now}, or for none. One that comes sooner is as good. */
  wakeAt(atMs: number | null): void;
  /**
   * Resolves when all that was committed outlives this place, and rejects where that cannot be. Absent where a commit
   * is on disk when it returns, or where requests wait for the disk, as a Durable Object's do.
   */
  persist?(): Promise<void>;
}
