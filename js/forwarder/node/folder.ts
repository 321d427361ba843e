/** The folder of an outbox. It belongs to one process at a time, and its number of shards is fixed. */
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { CakeError } from "../../error.js";
import { isBusy, openFile } from "./sqlite.js";

/** The file that the process locks. The lock is the system's, so a killed process leaves none behind. */
const LOCK = "lock.sqlite";

const SHARD = /^shard-\d+\.sqlite$/;

/** A folder that this process has locked. */
export interface Folder {
  /** The database file of each shard. */
  readonly files: readonly string[];
  release(): void;
}

/**
 * Locks a folder, and makes it where it is missing.
 *
 * @throws CakeError `outbox_in_use`, `invalid_field` for another number of shards, `outbox_failed`, `wrong_runtime`
 */
export function takeFolder(folder: string, shards: number): Folder {
  let lock: DatabaseSync | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const made = readdirSync(folder).filter((name) => SHARD.test(name)).length;
    lock = openFile(join(folder, LOCK));
    lock.exec("BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS outbox (shards INTEGER NOT NULL)");
    const known = lock.prepare("SELECT shards FROM outbox").get()?.["shards"];
    // A copy of the folder may lack the lock file.
    const begun = known === undefined ? made : Number(known);
    if (begun > 0 && begun !== shards) {
      const rule = `must be ${begun}, as this outbox was begun with: what waits in another shard would never be sent`;
      throw new CakeError({ code: "invalid_field", parameter: "shards", rule });
    }
    if (known === undefined) lock.prepare("INSERT INTO outbox VALUES (?)").run(shards);
    lock.exec("COMMIT");
    // The process holds the lock until it ends, even by a kill.
    lock.exec("BEGIN EXCLUSIVE");
  } catch (thrown) {
    lock?.close();
    throw problemOf(thrown, folder);
  }
  const held = lock;
  return {
    files: Array.from({ length: shards }, (_, index) => join(folder, `shard-${index}.sqlite`)),
    release: () => held.close(),
  };
}

/** The error of a folder that cannot be opened, with a stable code. */
export function problemOf(thrown: unknown, folder: string): unknown {
  if (thrown instanceof CakeError) return thrown;
  if (isBusy(thrown)) {
    const rule = `another process has the outbox in ${folder} open: stop it, or choose another folder`;
    return new CakeError({ code: "outbox_in_use", rule }, { cause: thrown });
  }
  return failed(thrown, `the outbox in ${folder} cannot be opened`);
}

/** The error of a disk that does not store a write. */
export function failed(thrown: unknown, what: string): CakeError {
  const { message } = thrown as Error;
  return new CakeError({ code: "outbox_failed", rule: `${what}: ${message}` }, { cause: thrown });
}
