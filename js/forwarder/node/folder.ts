/** The folder of an outbox: one process has it, and it keeps as many shards as it was begun with. */
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { CakeError } from "../../error.js";
import { isBusy, openFile } from "./sqlite.js";

/** The file that the process holds. SQLite locks it by the system's means, so that nothing is left behind by a kill. */
const LOCK = "lock.sqlite";

const SHARD = /^shard-\d+\.sqlite$/;

/** A folder that is this process's. */
export interface Folder {
  /** The database's file of each shard. */
  readonly files: readonly string[];
  release(): void;
}

/**
 * Takes a folder, and makes it where it is missing.
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
    // A copy of the folder may lack the lock's file.
    const begun = known === undefined ? made : Number(known);
    if (begun > 0 && begun !== shards) {
      const rule = `must be ${begun}, as this outbox was begun with: what waits in another shard would never be sent`;
      throw new CakeError({ code: "invalid_field", parameter: "shards", rule });
    }
    if (known === undefined) lock.prepare("INSERT INTO outbox VALUES (?)").run(shards);
    lock.exec("COMMIT");
    // Held until the process ends, however it does.
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

/** What is wrong with a folder, by a stable code. */
export function problemOf(thrown: unknown, folder: string): unknown {
  if (thrown instanceof CakeError) return thrown;
  if (isBusy(thrown)) {
    const rule = `another process has the outbox in ${folder} open: stop it, or choose another folder`;
    return new CakeError({ code: "outbox_in_use", rule }, { cause: thrown });
  }
  return failed(thrown, `the outbox in ${folder} cannot be opened`);
}

/** A disk that does not store what it is given. */
export function failed(thrown: unknown, what: string): CakeError {
  const { message } = thrown as Error;
  return new CakeError({ code: "outbox_failed", rule: `${what}: ${message}` }, { cause: thrown });
}
