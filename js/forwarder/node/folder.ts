/** The folder of an outbox. It belongs to one process at a time, and remembers its numbers of shards. */
import { closeSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { CakeError } from "../../error.js";
import { makeFolder } from "../../folder.js";
import { refuse } from "../../option.js";
import { core } from "../core.js";
import { SECRET } from "../id-secret.js";
import type { ShardLayout } from "../shard-map.js";
import { CLOCK, forgetsFrom } from "../steady-clock.js";
import { BUSY_MS, isBusy, openFile } from "./sqlite.js";

/** The file that the process locks. The lock is the system's, so a killed process leaves none behind. */
const LOCK = "lock.sqlite";

const SHARD = /^shard-(\d+)\.sqlite$/;

/** The name under which each shard's file keeps a {@link FolderNote}. */
export const NOTE = "layout";

/** Finished events may be kept for half of the retention longer. */
const KEPT = 1.5;

/** A folder that this process has locked. */
export interface Folder {
  /**
   * The database file of each shard, by its number. Files of shards beyond today's and the former numbers come last.
   */
  readonly files: readonly string[];
  /** What each shard's file is to keep, so that a copy without the lock's file is known too. */
  readonly note: Omit<FolderNote, "own">;
  release(): void;
}

/** The numbers of an outbox, as each of its files keeps them. */
export interface FolderNote {
  /** The file's own number. */
  readonly own: number;
  readonly shards: number;
  readonly former: readonly Former[];
}

/** A former number of shards: since when it is former, and until when it is needed. */
type Former = readonly [shards: number, untilMs: number, sinceMs: number];

/**
 * Locks a folder, and creates it if it is missing.
 *
 * @throws CakeError `outbox_in_use`, `invalid_field` for numbers of shards that leave out one with stored events,
 * `outbox_failed`, `wrong_runtime`
 */
export function takeFolder(folder: string, layout: ShardLayout, retentionMs: number): Folder {
  let lock: DatabaseSync | undefined;
  let paths: string[] = [];
  let former: FolderNote["former"] = [];
  checkName(folder);
  let isOurs = false;
  try {
    makeFolder(folder, 0o700);
    lock = openFile(join(folder, LOCK));
    lock.exec("BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS outbox (shards INTEGER NOT NULL)");
    isOurs = true;
    makeFormer(lock);
    const numbers = readdirSync(folder).flatMap((name) => SHARD.exec(name)?.[1] ?? []);
    const made = new Set(numbers.map(Number));
    const files = readFiles(folder, made);
    refuseOthers(files);
    const known = knownNumbers(lock, files, made, retentionMs);
    refuseMissing(known, made);
    former = noteNumbers(lock, layout, known, retentionMs);
    // A shard beyond all numbers still delivers the events that wait in it.
    const size = Math.max(layout.size, ...[...made].map((number) => number + 1));
    paths = Array.from({ length: size }, (_, index) => join(folder, nameOf(index)));
    // Made before the numbers are stored: a file that is missing later was lost.
    for (const file of paths) closeSync(openSync(file, "a", 0o600));
    lock.exec("COMMIT");
    // The process holds the lock until it ends, even by a kill.
    lock.exec("BEGIN EXCLUSIVE");
  } catch (thrown) {
    lock?.close();
    throw problemOf(thrown, folder, isOurs);
  }
  const held = lock;
  return {
    files: paths,
    note: { shards: layout.shards, former },
    release: () => held.close(),
  };
}

const nameOf = (number: number) => `shard-${number}.sqlite`;

/** @throws CakeError `invalid_field` for a name that only a shell understands, or that a slip of the hand made */
function checkName(folder: string): void {
  if (/(^|[\\/])~/.test(folder)) refuse("folder", "begins with ~, which only a shell reads: write the whole path");
  if (/(^|[\\/])\s|\s([\\/]|$)/.test(folder)) refuse("folder", "has a blank around a name: leave it out");
}

/** The numbers that an outbox has had. */
interface Known {
  /** The last number of shards; 0 for a new folder. */
  readonly shards: number;
  readonly former: Map<number, Former>;
  /** Until this time each of them is needed: the clock has jumped. */
  readonly leastMs: number;
}

function makeFormer(lock: DatabaseSync): void {
  lock.exec("CREATE TABLE IF NOT EXISTS former (shards INTEGER PRIMARY KEY, until_ms INTEGER NOT NULL)");
  const columns = lock.prepare("PRAGMA table_info(former)").all();
  // An earlier release has not noted since when.
  if (columns.every(({ name }) => name !== "since_ms")) lock.exec("ALTER TABLE former ADD COLUMN since_ms INTEGER");
}

/** The numbers as the lock's file has them; a copy may lack that file, and then the shards' own files tell. */
function knownNumbers(
  lock: DatabaseSync,
  files: readonly ShardFile[],
  made: ReadonlySet<number>,
  retentionMs: number,
): Known {
  const now = Date.now();
  const keptMs = KEPT * retentionMs;
  const clocks = files.map(({ clock }) => clock);
  // A clock that has jumped ends the need of no number.
  const leastMs = forgetsFrom(clocks, now);
  const setFromMs = Number(core.api().clockSetFrom());
  const known = lock.prepare("SELECT shards FROM outbox").get()?.["shards"];
  const notes = files.filter(({ note }) => note !== undefined);
  const last = notes.sort((a, b) => (a.opened < b.opened ? 1 : -1))[0]?.note;
  const rows = lock.prepare("SELECT * FROM former").all();
  const noted = rows.map((row) => [row["shards"], row["until_ms"], row["since_ms"]].map(Number));
  const former = (known === undefined ? last?.former : noted) ?? [];
  // Kept for the longer of the retention then and the one of today.
  const had = former.map(([shards = 0, thenMs = 0, sinceMs]): Former => {
    const told = sinceMs || thenMs - keptMs;
    // By a clock that was not set, nobody knows since when.
    const since = told < setFromMs ? now : told;
    return [shards, Math.ceil(Math.max(thenMs, since + keptMs)), since];
  });
  return {
    // The files of an earlier release tell by their names alone.
    shards: Number(known ?? last?.shards ?? Math.max(0, ...[...made].map((number) => number + 1))),
    former: new Map(had.filter(([, untilMs]) => Math.max(untilMs, leastMs) >= now).map((each) => [each[0], each])),
    leastMs,
  };
}

/** What a shard's file tells, before anything is written to it. */
interface ShardFile {
  readonly number: number;
  /** When it was opened last; empty where it tells nothing. */
  readonly opened: string;
  readonly note: FolderNote | undefined;
  /** The secret of its ids; null where it has none yet. */
  readonly secret: string | null;
  /** What it knows of its clock. */
  readonly clock: string | undefined;
}

function readFiles(folder: string, made: ReadonlySet<number>): readonly ShardFile[] {
  return [...made].map((number) => {
    const meta = readMeta(join(folder, nameOf(number)));
    const note = meta.get(NOTE);
    return {
      number,
      opened: meta.get("opened") ?? "",
      note: note === undefined ? undefined : (JSON.parse(note) as FolderNote),
      secret: meta.get(SECRET) ?? null,
      clock: meta.get(CLOCK),
    };
  });
}

/** A file's table of names and texts; empty for a file that has none. */
function readMeta(file: string): ReadonlyMap<string, string> {
  const shard = openFile(file);
  try {
    shard.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    const rows = shard.prepare("SELECT name, text FROM meta").all();
    return new Map(rows.map((row) => [String(row["name"]), String(row["text"])]));
  } catch (thrown) {
    if (isBusy(thrown)) throw thrown;
    return new Map();
  } finally {
    shard.close();
  }
}

/**
 * @throws CakeError `invalid_field` for a file of another shard, or of another outbox: its events are looked for
 * elsewhere, or by other ids
 */
function refuseOthers(files: readonly ShardFile[]): void {
  for (const { number, note } of files) {
    if (note === undefined || note.own === number) continue;
    refuse("folder", `has in ${nameOf(number)} the rows of ${nameOf(note.own)}: give each file its own name again`);
  }
  const outboxes = new Map<string, string[]>();
  for (const { number, secret } of files) {
    if (secret !== null) outboxes.set(secret, [...(outboxes.get(secret) ?? []), nameOf(number)]);
  }
  if (outboxes.size < 2) return;
  // The most files are the folder's own.
  const [own = [], ...others] = [...outboxes.values()].sort((a, b) => b.length - a.length);
  const rule = `has files of different outboxes: ${others.flat().join(", ")} beside ${own.join(", ")}. Put back the outbox's own, or a copy of it: in a file of another one no repetition is known, and each is sent again`;
  refuse("folder", rule);
}

/** @throws CakeError `invalid_field` where files of the outbox are missing: their events would be sent again */
function refuseMissing({ shards, former }: Known, made: ReadonlySet<number>): void {
  const count = Math.max(shards, ...former.keys());
  const missing = Array.from({ length: count }, (_, number) => number).filter((number) => !made.has(number));
  if (missing.length === 0) return;
  const names = missing.map(nameOf).join(", ");
  refuse(
    "folder",
    `lacks ${names} of the ${count} files of this outbox: put back what is missing, or a copy of it. Without it its events are lost, and repetitions of them are sent again. An empty file of that name begins it anew`,
  );
}

/** Checks today's and the former numbers against those that the folder has had, and notes today's. */
function noteNumbers(
  lock: DatabaseSync,
  { shards, former }: ShardLayout,
  { shards: before, former: had, leastMs }: Known,
  retentionMs: number,
): FolderNote["former"] {
  if (before > 0 && before !== shards) {
    had.set(before, [before, Math.ceil(Date.now() + KEPT * retentionMs), Date.now()]);
    if (!former.includes(before)) {
      const rule = `must be ${before}, as this outbox was begun with, or formerShards must name ${before}: its events are looked for by that number`;
      throw new CakeError({ code: "invalid_field", parameter: "shards", rule });
    }
  }
  for (const [number, untilMs] of had.values()) {
    if (number === shards || former.includes(number)) continue;
    const until = new Date(Math.max(untilMs, leastMs)).toISOString().slice(0, 10);
    const rule = `must name ${number} until ${until}: this outbox had ${number} shards, and its events are looked for by that number`;
    throw new CakeError({ code: "invalid_field", parameter: "formerShards", rule });
  }
  lock.exec("DELETE FROM outbox; DELETE FROM former");
  lock.prepare("INSERT INTO outbox VALUES (?)").run(shards);
  const note = lock.prepare("INSERT INTO former (shards, until_ms, since_ms) VALUES (?, ?, ?)");
  const others = [...had.values()].filter(([number]) => number !== shards);
  for (const other of others) note.run(...other);
  return others;
}

/**
 * The error of a folder that cannot be opened, with a stable code. Where the folder is locked by this process
 * (`isOurs`), a program that is no forwarder holds one of its files, which passes.
 */
export function problemOf(thrown: unknown, folder: string, isOurs: boolean): unknown {
  if (thrown instanceof CakeError) return thrown;
  if (isBusy(thrown) && isOurs) return failed(thrown, `another program holds a file of the outbox in ${folder}`);
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
