/** The interface to the place where a part that stores and sends runs. */

/** While there is work, a wake-up is set this far ahead: a crash loses no work. */
export const LEASE_MS = 60_000;

/** A place to run: a Durable Object, or a process. */
export interface Host {
  /** Milliseconds since 1970, a whole number. */
  now(): number;
  /** Keeps the place alive until the work is done. */
  keepAlive(work: Promise<unknown>): void;
  /** Asks for a wake-up at a time of {@link now}, or for none. An earlier one is fine. */
  wakeAt(atMs: number | null): void;
  /**
   * Resolves when all commits will outlive this place, and rejects if they cannot. Absent if a commit is on disk when
   * it returns, or if requests wait for the disk, as a Durable Object's do.
   */
  persist?(): Promise<void>;
}

/** Does a server on this address answer this machine alone? The rule of `is_loopback_host` in src/host.rs. */
export const isLoopback = (host: string): boolean => /^(127(\.\d{1,3}){3}|([\w-]+\.)*localhost|::1)$/i.test(host);
