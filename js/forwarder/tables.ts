/** The tables of a shard, their version, and their migration from earlier formats. */
import type { Sql } from "./sql.js";

/** The most events of a table. Dropping one takes some 20 ms, in which nothing is accepted. */
export const MAX_EVENTS = 500_000;

/**
 * The stretches of one retention. Finished events stay for one stretch longer, or two where another event is in the
 * way.
 */
export const STRETCHES = 4;

/** The name of the number from which a start looks for events that were never tried. */
export const FRESH = "fresh from";

/** A stretch of time, and the tables with the events accepted in it. */
export interface Partition {
  /** The number of the partition. */
  readonly id: number;
  /** The suffix of its tables' names: empty for the newest. */
  suffix: string;
  /** The number of its first event. */
  readonly first: number;
  /** The number after its last event. In the newest partition, no number below it is reused. */
  next: number;
  madeMs: number;
  /** The time since which nothing is added to it; 0 where the time is not known. */
  retiredMs: number;
  /** The count of numbers without an event. */
  gone: number;
  /** May there be waiting events with an attempt? */
  mayWait: boolean;
  /** All events below this number were past their retention when last checked. */
  pastUntil: number;
  /** The number from which the next deletion begins. */
  deleteFrom: number;
}

/** The suffix of the first format's tables. */
export const LEGACY = "_legacy";

/** A table of webhook ids. */
export const WEBHOOK_TABLE =
  "CREATE TABLE webhooks (id TEXT PRIMARY KEY, digest TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID";

/** The version of the tables. */
const SCHEMA = "3";

/** The version before corrections. */
const SCHEMA_OF_CONVERSIONS = "2";

/** The condition of the index of conversions by CAKE's id; a search must have the same words. */
export const HAS_CONVERSION = "conversion_id IS NOT NULL AND order_key <> '' AND kind = 'conversion'";

/** The kind of an event; a conversion by default. */
const KIND = "kind TEXT NOT NULL DEFAULT 'conversion'";

/** Makes the newest partition's tables, for events from this number on. */
export function makeNewest(sql: Sql, first: number, nowMs: number): Partition {
  sql.exec("INSERT INTO partitions (suffix, first, next, made_ms) VALUES ('', ?1, ?1, ?2)", first, nowMs);
  const id = Number(sql.exec("SELECT max(id) AS id FROM partitions").one()["id"]);
  sql.exec(`
    CREATE TABLE events (
      number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, offer_id INTEGER NOT NULL, text TEXT NOT NULL,
      accepted_at TEXT NOT NULL, accepted_ms INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'pending',
      attempts INTEGER NOT NULL DEFAULT 0, is_in_doubt INTEGER NOT NULL DEFAULT 0, next_ms INTEGER,
      code TEXT NOT NULL DEFAULT '', upstream_message TEXT NOT NULL DEFAULT '', conversion_id INTEGER, changed_ms INTEGER NOT NULL,
      order_key TEXT NOT NULL DEFAULT '', ${KIND});
    CREATE INDEX events_due_${id} ON events (next_ms) WHERE next_ms IS NOT NULL AND next_ms <> accepted_ms;
    CREATE INDEX events_order_${id} ON events (order_key) WHERE order_key <> '';
    CREATE TABLE claims (claim TEXT PRIMARY KEY, id TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID`);
  indexFailed(sql, "events", String(id));
  indexCorrections(sql, "events", String(id));
  indexConversions(sql, "events", String(id));
  return {
    id,
    suffix: "",
    first,
    next: first,
    madeMs: nowMs,
    retiredMs: 0,
    gone: 0,
    mayWait: false,
    pastUntil: 0,
    deleteFrom: 0,
  };
}

/** Renames the newest partition's tables, because another partition becomes the newest. */
export function retire(sql: Sql, { id }: Partition, next: number, nowMs: number): string {
  const suffix = `_${id}`;
  sql.exec(`ALTER TABLE events RENAME TO events${suffix}; ALTER TABLE claims RENAME TO claims${suffix}`);
  sql.exec("UPDATE partitions SET suffix = ?, next = ?, retired_ms = ? WHERE id = ?", suffix, next, nowMs, id);
  return suffix;
}

/** Drops a partition's tables, which is not billed by the row. */
export function dropPartition(sql: Sql, { id, suffix }: Partition): void {
  sql.exec(`DROP TABLE events${suffix}; DROP TABLE claims${suffix}`);
  sql.exec("DELETE FROM partitions WHERE id = ?", id);
}

/**
 * Creates the tables, or migrates those of an earlier format. Tables of the first format stay as they are, under other
 * names, until their retention is over. Run this as a whole or not at all.
 */
export function prepareTables(sql: Sql): void {
  const version = has(sql, "meta") ? getMeta(sql, "schema") : null;
  if (version === SCHEMA) {
    // An earlier release has made no such index, and needs none.
    for (const [id, suffix] of partitionsOf(sql)) indexConversions(sql, `events${suffix}`, nameOf(id, suffix));
    return;
  }
  if (version === SCHEMA_OF_CONVERSIONS) {
    for (const [id, suffix] of partitionsOf(sql)) addKind(sql, `events${suffix}`, nameOf(id, suffix));
    sql.exec("UPDATE meta SET text = ? WHERE name = 'schema'", SCHEMA);
    return;
  }
  if (version !== null) {
    // Written by a later release, which may have given the rows another meaning.
    throw new Error("the outbox was written by a later release of cake-edge: deploy that release again");
  }
  const counts = has(sql, "counts") ? sql.exec("SELECT name, count FROM counts").toArray() : [];
  if (has(sql, "memory")) sql.exec("ALTER TABLE memory RENAME TO meta");
  sql.exec(`
    CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
    ${WEBHOOK_TABLE.replace("TABLE", "TABLE IF NOT EXISTS")};
    ${WEBHOOK_TABLE.replace("TABLE webhooks", "TABLE IF NOT EXISTS webhooks_old")};
    DROP TABLE IF EXISTS counts;
    DROP TABLE IF EXISTS partitions;
    CREATE TABLE partitions (
      id INTEGER PRIMARY KEY, suffix TEXT NOT NULL, first INTEGER NOT NULL, made_ms INTEGER NOT NULL,
      retired_ms INTEGER NOT NULL DEFAULT 0, gone INTEGER NOT NULL DEFAULT 0, next INTEGER NOT NULL)`);
  const first = has(sql, "events") ? keepFirstFormat(sql) : 1;
  // The oldest possible time: the first event begins a table of its own time.
  makeNewest(sql, first, 0);
  const hours = counts.filter(({ name }) => String(name).startsWith("hour "));
  if (hours.length > 0) {
    const text = JSON.stringify(Object.fromEntries(hours.map(({ name, count }) => [String(name).slice(5), count])));
    sql.exec("INSERT OR REPLACE INTO meta VALUES ('hours', ?)", text);
  }
  sql.exec("INSERT OR REPLACE INTO meta VALUES ('schema', ?)", SCHEMA);
}

/** Sets the tables of the first format aside; returns the number of the next event. */
function keepFirstFormat(sql: Sql): number {
  const columns = columnsOf(sql, "events");
  if (columns.includes("words")) sql.exec("ALTER TABLE events RENAME COLUMN words TO upstream_message");
  if (!columns.includes("order_key")) sql.exec("ALTER TABLE events ADD COLUMN order_key TEXT NOT NULL DEFAULT ''");
  const { count, last } = sql.exec("SELECT count(*) AS count, max(number) AS last FROM events").one();
  const next = Number(last ?? 0) + 1;
  sql.exec(`
    ALTER TABLE events RENAME TO events${LEGACY};
    CREATE TABLE IF NOT EXISTS claims (claim TEXT PRIMARY KEY, id TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;
    ALTER TABLE claims RENAME TO claims${LEGACY};
    DROP INDEX IF EXISTS events_failed; DROP INDEX IF EXISTS events_in_doubt;
    CREATE INDEX IF NOT EXISTS events_due ON events${LEGACY} (next_ms) WHERE next_ms IS NOT NULL;
    CREATE INDEX IF NOT EXISTS events_order ON events${LEGACY} (order_key) WHERE order_key <> ''`);
  indexFailed(sql, `events${LEGACY}`, "legacy");
  addKind(sql, `events${LEGACY}`, "legacy");
  sql.exec(
    "INSERT INTO partitions (suffix, first, made_ms, next, gone) VALUES (?, 1, 0, ?, ?)",
    LEGACY,
    next,
    next - 1 - Number(count),
  );
  return next;
}

/** Finished events that are not delivered are rare; this index finds them at once. */
function indexFailed(sql: Sql, table: string, name: string): void {
  sql.exec(`
    CREATE INDEX events_failed_${name} ON ${table} (state, number) WHERE state IN ('refused', 'dead', 'cancelled');
    CREATE INDEX events_in_doubt_${name} ON ${table} (number) WHERE is_in_doubt = 1 AND next_ms IS NULL`);
}

/** Corrections are few, and counted separately; a conversion has no entry. */
function indexCorrections(sql: Sql, table: string, name: string): void {
  sql.exec(`CREATE INDEX events_corrections_${name} ON ${table} (state) WHERE kind = 'correction'`);
}

/** Writes no row: a row without a kind is a conversion. */
function addKind(sql: Sql, table: string, name: string): void {
  sql.exec(`ALTER TABLE ${table} ADD COLUMN ${KIND}`);
  indexCorrections(sql, table, name);
  indexConversions(sql, table, name);
}

/** Where CAKE deduplicates, an event has no entry. */
function indexConversions(sql: Sql, table: string, name: string): void {
  sql.exec(`CREATE INDEX IF NOT EXISTS events_conversion_${name} ON ${table} (conversion_id) WHERE ${HAS_CONVERSION}`);
}

function partitionsOf(sql: Sql): (readonly [id: string, suffix: string])[] {
  const rows = sql.exec("SELECT id, suffix FROM partitions").toArray();
  return rows.map(({ id, suffix }) => [String(id), String(suffix)] as const);
}

/** The part of an index's name that tells its table. */
function nameOf(id: string, suffix: string): string {
  return suffix === LEGACY ? "legacy" : id;
}

function has(sql: Sql, table: string): boolean {
  return columnsOf(sql, table).length > 0;
}

function columnsOf(sql: Sql, table: string): string[] {
  const rows = sql.exec("SELECT name FROM pragma_table_info(?)", table).toArray();
  return rows.map(({ name }) => String(name));
}

/** A text of the shard's own, by its name. */
export function getMeta(sql: Sql, name: string): string | null {
  const [row] = sql.exec("SELECT text FROM meta WHERE name = ?", name).toArray();
  return row === undefined ? null : String(row["text"]);
}

/** Keeps a text by its name; `null` removes it. */
export function setMeta(sql: Sql, name: string, text: string | null): void {
  if (text === null) sql.exec("DELETE FROM meta WHERE name = ?", name);
  else sql.exec("INSERT OR REPLACE INTO meta VALUES (?, ?)", name, text);
}
