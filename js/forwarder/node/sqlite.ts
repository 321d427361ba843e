/**
 * One shard's database in `node:sqlite`, in the shape of a Durable Object's storage, so that the store and its
 * statements are the same. It plays the platform's part: one transaction for each window of requests, on disk before
 * any of them is answered.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { CakeError } from "../../error.js";
import type { Sql, SqlDatabase, SqlRows, SqlValue } from "../sql.js";

/** The first Node that has `node:sqlite` without a flag. */
const NODE_AT_LEAST = "22.13";

/** The most statements that are kept compiled. The filters of lists make statements of their own. */
const MAX_STATEMENTS = 200;

/** How long another tool may hold the database, such as a tool that makes a copy. */
export const BUSY_MS = 5_000;

/** The size of the write-ahead log on disk, once a purge that made it longer is over. */
const MAX_LOG_BYTES = 64 * 1_024 * 1_024;

/**
 * The pages that the log gathers before SQLite copies them into the database, 16 MB. An index's page that changes with
 * many events is copied once.
 */
const LOG_PAGES = 4_000;

/** SQLite's BUSY: another connection holds the file. */
const BUSY = 5;

/**
 * The primary codes of errors that undo one statement alone: ERROR, TOOBIG, CONSTRAINT, RANGE. After any other error
 * SQLite may have rolled the whole transaction back.
 */
const OF_ONE_STATEMENT = new Set([1, 18, 19, 25]);

interface Prepared {
  readonly statement: StatementSync;
  /** Are its values numbered, as `?1`? Node 22.13 binds such values by name alone. */
  readonly isNumbered: boolean;
}

/** Opens a file of SQLite's. @throws CakeError `wrong_runtime` where Node has none */
export function openFile(file: string): DatabaseSync {
  const sqlite = process.getBuiltinModule?.("node:sqlite") as typeof import("node:sqlite") | undefined;
  if (sqlite === undefined) {
    const rule = `cake-edge/forwarder/node needs node:sqlite, which Node ${process.versions.node} does not have without a flag: use Node ${NODE_AT_LEAST} or newer`;
    throw new CakeError({ code: "wrong_runtime", rule });
  }
  return new sqlite.DatabaseSync(file);
}

/** Does another connection hold the file? */
export function isBusy(thrown: unknown): boolean {
  return primaryCode(thrown) === BUSY;
}

/** The database of one shard. */
export class NodeDatabase implements SqlDatabase {
  readonly sql: Sql;
  /** Has no forwarder opened this file yet? SQLite's `VACUUM INTO` makes such a file. */
  readonly isUnopened: boolean;
  readonly #database: DatabaseSync;
  readonly #onFailure: (thrown: unknown) => void;
  /** By their text; the statement that was used last comes last. */
  readonly #statements = new Map<string, Prepared>();
  /** The number of nested transactions; the transaction of a window counts. */
  #depth = 0;
  /** Since when another connection has held the database. */
  #heldSinceMs: number | undefined;
  #failure: { readonly thrown: unknown } | undefined;

  /**
   * `onFailure` is called once, when a window could not be stored. Every later statement throws, because the memory of
   * its caller may be ahead of the disk.
   *
   * @throws CakeError `wrong_runtime`, `outbox_failed`
   */
  constructor(file: string, onFailure: (thrown: unknown) => void = () => undefined) {
    this.#database = openFile(file);
    try {
      this.isUnopened = journalMode(this.#database) !== "wal";
      prepare(this.#database);
    } catch (thrown) {
      this.#database.close();
      throw thrown;
    }
    this.#onFailure = onFailure;
    const value = (query: string) => Number(Object.values(this.#run(query, [])[0] ?? {})[0]);
    this.sql = {
      exec: (query, ...values) => rowsOf(this.#run(query, values)),
      get databaseSize() {
        return value("PRAGMA page_count") * value("PRAGMA page_size");
      },
    };
  }

  /** From now on SQLite does not wait for another connection: that would block the event loop of all shards. */
  opened(): void {
    this.#database.exec("PRAGMA busy_timeout = 0");
  }

  /**
   * Runs the work of a window in one transaction. All of it is on disk when this returns true, none when this throws.
   * Returns false, without the work, where another connection holds the database, for five seconds at most; after that
   * it throws.
   */
  turn(work: () => void): boolean {
    this.#check();
    try {
      // The work has not begun: an error here leaves no memory ahead of the disk.
      this.#database.exec("BEGIN IMMEDIATE");
    } catch (thrown) {
      if (!isBusy(thrown)) throw thrown;
      this.#heldSinceMs ??= performance.now();
      if (performance.now() - this.#heldSinceMs < BUSY_MS) return false;
      throw thrown;
    }
    this.#heldSinceMs = undefined;
    this.#depth = 1;
    try {
      work();
      this.#check();
      this.#database.exec("COMMIT");
      return true;
    } catch (thrown) {
      this.#fail(thrown);
      throw thrown;
    } finally {
      this.#depth = 0;
    }
  }

  transactionSync<T>(job: () => T): T {
    this.#check();
    const name = `level_${this.#depth}`;
    const isOutermost = this.#depth === 0;
    this.#database.exec(isOutermost ? "BEGIN IMMEDIATE" : `SAVEPOINT ${name}`);
    this.#depth += 1;
    try {
      const result = job();
      this.#check();
      this.#database.exec(isOutermost ? "COMMIT" : `RELEASE ${name}`);
      return result;
    } catch (thrown) {
      this.#undo(isOutermost ? "ROLLBACK" : `ROLLBACK TO ${name}; RELEASE ${name}`);
      throw thrown;
    } finally {
      this.#depth -= 1;
    }
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #run(query: string, values: readonly SqlValue[]): Record<string, unknown>[] {
    this.#check();
    try {
      if (values.length === 0 && query.includes(";")) {
        this.#database.exec(query);
        return [];
      }
      const { statement, isNumbered } = this.#prepared(query);
      if (!isNumbered) return statement.all(...values);
      return statement.all(Object.fromEntries(values.map((value, index) => [`?${index + 1}`, value])));
    } catch (thrown) {
      if (this.#depth > 0 && !OF_ONE_STATEMENT.has(primaryCode(thrown))) this.#fail(thrown);
      throw thrown;
    }
  }

  #prepared(query: string): Prepared {
    const known = this.#statements.get(query);
    const prepared = known ?? { statement: this.#database.prepare(query), isNumbered: /\?\d/.test(query) };
    if (known !== undefined) this.#statements.delete(query);
    this.#statements.set(query, prepared);
    const [oldest] = this.#statements.keys();
    if (this.#statements.size > MAX_STATEMENTS && oldest !== undefined) this.#statements.delete(oldest);
    return prepared;
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.thrown;
  }

  #fail(thrown: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { thrown };
    this.#undo("ROLLBACK");
    this.#onFailure(thrown);
  }

  #undo(statement: string): void {
    try {
      this.#database.exec(statement);
    } catch {
      // SQLite has rolled the transaction back itself.
    }
  }
}

function journalMode(database: DatabaseSync, change = ""): unknown {
  return database.prepare(`PRAGMA journal_mode${change}`).get()?.["journal_mode"];
}

/** @throws CakeError `outbox_failed` where the file system cannot store writes durably */
function prepare(database: DatabaseSync): void {
  database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
  const mode = journalMode(database, " = WAL");
  if (mode !== "wal") {
    const rule = `this file system takes no write-ahead log of SQLite's (journal_mode is ${mode}): use a local disk`;
    throw new CakeError({ code: "outbox_failed", rule });
  }
  // A COMMIT returns once the disk has stored it. On a Mac that takes `fullfsync`: its fsync leaves data in the drive's
  // cache.
  database.exec(`PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA journal_size_limit = ${MAX_LOG_BYTES}`);
  database.exec(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}`);
}

function rowsOf(rows: Record<string, unknown>[]): SqlRows {
  return {
    toArray: () => rows,
    one() {
      const [row] = rows;
      if (row === undefined || rows.length > 1) throw new Error(`one row was expected, not ${rows.length}`);
      return row;
    },
  };
}

/** The primary code of SQLite's error; 1 for any other error. */
function primaryCode(thrown: unknown): number {
  const { errcode } = thrown as { readonly errcode?: unknown };
  return typeof errcode === "number" ? errcode & 0xff : 1;
}
