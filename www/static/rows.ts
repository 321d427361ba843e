/** The rows of the static demo's network and forwarder, in IndexedDB: they outlive the service worker, for a day. */
import { get, set } from "idb-keyval";

/** After a day, the plots' history is out of date: the demo starts with new rows. */
const LIFE_MS = 86_400_000;

/** The version of the stored format; rows with another version are ignored. */
const VERSION = 1;

interface Stored<Rows> {
  readonly version: number;
  readonly begunAt: number;
  readonly rows: Rows;
}

/** Stored rows under a name, with their time of creation. */
export interface Shelf<Rows> {
  readonly rows: Rows | undefined;
  save(rows: Rows): Promise<void>;
}

/** Opens the rows of a name. Where the browser stores nothing, rows live as long as the worker. */
export async function openShelf<Rows>(name: string, now: number): Promise<Shelf<Rows>> {
  const stored = await get<Stored<Rows>>(name).catch(() => undefined);
  const isGood = stored !== undefined && stored.version === VERSION && now - stored.begunAt < LIFE_MS;
  const begunAt = isGood ? stored.begunAt : now;
  return {
    rows: isGood ? stored.rows : undefined,
    save: (rows) => set(name, { version: VERSION, begunAt, rows } satisfies Stored<Rows>).catch(() => undefined),
  };
}
