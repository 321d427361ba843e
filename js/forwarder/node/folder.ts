/** The folder of an outbox. It belongs to one process at a time, and remembers its numbers of shards. */
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { CakeError } from "../../error.js";
import type { ShardLayout } from "../shard-map.js";
import { isBusy, openFile } from "./sqlite.js";

/** The file that the process locks. The lock is the system's, so a killed process leaves none behind. */
const LOCK = "lock.sqlite";

const SHARD = /^shard-\d+\.sqlite$/;

/** Finished events may be kept for half of the retention longer. */
const KEPT = 1.5;

/** A folder that this process has locked. */
export interface Folder {
  /**
   * The database file of each shard, by its number. Files of shards beyond today's and the former numbers come last.
   */
  readonly files: readonly string[];
  release(): void;
}

/**
 * Locks a folder, and creates it if it is missing.
 *
 * @throws CakeError `outbox_in_use`, `invalid_field` for numbers of shards that leave out one with stored events,
 * `outbox_failed`, `wrong_runtime`
 */
export function takeFolder(folder: string, layout: ShardLayout, retentionMs: number): Folder {
  let lock: DatabaseSync | undefined;
  let made = 0;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    made = readdirSync(folder).filter((name) => SHARD.test(name)).length;
    lock = openFile(join(folder, LOCK));
    lock.exec("BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS outbox (shards INTEGER NOT NULL)");
    lock.exec("CREATE TABLE IF NOT EXISTS former (shards INTEGER PRIMARY KEY, until_ms INTEGER NOT NULL)");
    noteNumbers(lock, layout, made, retentionMs);
    lock.exec("COMMIT");
    // The process holds the lock until it ends, even by a kill.
    lock.exec("BEGIN EXCLUSIVE");
  } catch (thrown) {
    lock?.close();
    throw problemOf(thrown, folder);
  }
  const held = lock;
  return {
    // A shard beyond all numbers still delivers the events that wait in it.
    files: Array.from({ length: Math.max(layout.size, made) }, (_, index) => join(folder, `shard-${index}.sqlite`)),
    release: () => held.close(),
  };
}

/** Checks today's and the former numbers against those that the folder has had, and notes today's. */
function noteNumbers(lock: DatabaseSync, { shards, former }: ShardLayout, made: number, retentionMs: number): void {
  const now = Date.now();
  lock.prepare("DELETE FROM former WHERE until_ms < ?").run(now);
  const known = lock.prepare("SELECT shards FROM outbox").get()?.["shards"];
  // A copy of the folder may lack the lock file.
  const before = known === undefined ? made : Number(known);
  const had = new Map(
    lock
      .prepare("SELECT * FROM former")
      .all()
      .map((row) => [Number(row["shards"]), Number(row["until_ms"])]),
  );
  if (before > 0 && before !== shards) {
    had.set(before, now + KEPT * retentionMs);
    if (!former.includes(before)) {
      const rule = `must be ${before}, as this outbox was begun with, or formerShards must name ${before}: its events are looked for by that number`;
      throw new CakeError({ code: "invalid_field", parameter: "shards", rule });
    }
  }
  for (const [number, untilMs] of had) {
    if (number === shards || former.includes(number)) continue;
    const until = new Date(untilMs).toISOString().slice(0, 10);
    const rule = `must name ${number} until ${until}: this outbox had ${number} shards, and its events are looked for by that number`;
    throw new CakeError({ code: "invalid_field", parameter: "formerShards", rule });
  }
  lock.exec("DELETE FROM outbox; DELETE FROM former");
  lock.prepare("INSERT INTO outbox VALUES (?)").run(shards);
  const note = lock.prepare("INSERT INTO former VALUES (?, ?)");
  for (const [number, untilMs] of had) if (number !== shards) note.run(number, Math.ceil(untilMs));
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

/** The error for a write that the disk does not store. */
export function failed(thrown: unknown, what: string): CakeError {
  const { message } = thrown as Error;
  return new CakeError({ code: "outbox_failed", rule: `${what}: ${message}` }, { cause: thrown });
}
