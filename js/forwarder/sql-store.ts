/** A store in the SQLite of a Durable Object. */
import type { NewEvent, OutboxStore, Row, RowFilter, StoredState } from "./store.js";

const TABLES = `
  CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, offer_id INTEGER NOT NULL, text TEXT NOT NULL,
    accepted_at TEXT NOT NULL, accepted_ms INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0, is_in_doubt INTEGER NOT NULL DEFAULT 0, next_ms INTEGER,
    code TEXT NOT NULL DEFAULT '', upstream_message TEXT NOT NULL DEFAULT '', conversion_id INTEGER, changed_ms INTEGER NOT NULL,
    order_key TEXT NOT NULL DEFAULT '');
  CREATE INDEX IF NOT EXISTS events_due ON events (next_ms) WHERE next_ms IS NOT NULL;
  CREATE INDEX IF NOT EXISTS events_failed ON events (state, number) WHERE state IN ('refused', 'dead');
  CREATE INDEX IF NOT EXISTS events_order ON events (order_key) WHERE order_key <> '';
  CREATE INDEX IF NOT EXISTS events_in_doubt ON events (number) WHERE is_in_doubt = 1 AND next_ms IS NULL;
  CREATE TABLE IF NOT EXISTS claims (claim TEXT PRIMARY KEY, id TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS webhooks (id TEXT PRIMARY KEY, digest TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;`;

const NEW = "id, offer_id, text, accepted_at, accepted_ms, next_ms, changed_ms, order_key";

const STATE = {
  any: "",
  failed: "AND state IN ('refused', 'dead')",
  cancelled: "AND state = 'cancelled'",
  pending: "AND state = 'pending'",
  delivered: "AND state = 'delivered'",
  refused: "AND state = 'refused'",
  dead: "AND state = 'dead'",
} as const;

/** So many rows are purged at once: the accept path waits for none of it. */
const PURGED_AT_ONCE = 1_000;

/** The store of a Durable Object. */
export class SqlStore implements OutboxStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#upgrade();
    this.#sql.exec(TABLES);
  }

  transaction(job: () => void): void {
    this.#storage.transactionSync(job);
  }

  insert(event: NewEvent, nowMs: number): void {
    this.#sql.exec(
      `INSERT INTO events (${NEW}) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?5, ?6)`,
      event.id,
      event.offerId,
      event.text,
      event.acceptedAt,
      nowMs,
      event.order ?? "",
    );
  }

  setText(id: string, text: string): void {
    this.#sql.exec("UPDATE events SET text = ? WHERE id = ?", text, id);
  }

  find(id: string): Row | undefined {
    return this.#rows("SELECT * FROM events WHERE id = ?", id)[0];
  }

  settle(row: Row): void {
    this.#sql.exec(
      `UPDATE events SET state = ?, attempts = ?, is_in_doubt = ?, next_ms = ?, code = ?, upstream_message = ?,
       conversion_id = ?, changed_ms = ? WHERE number = ?`,
      row.state,
      row.attempts,
      row.is_in_doubt,
      row.next_ms,
      row.code,
      row.upstream_message,
      row.conversion_id,
      row.changed_ms,
      row.number,
    );
  }

  due(nowMs: number, limit: number): readonly Row[] {
    return this.#rows("SELECT * FROM events WHERE next_ms <= ? ORDER BY next_ms LIMIT ?", nowMs, limit);
  }

  dueUnfailed(nowMs: number, limit: number, isNewestFirst: boolean): readonly Row[] {
    const order = isNewestFirst ? "DESC" : "ASC";
    return this.#rows(
      `SELECT * FROM events WHERE next_ms <= ? AND attempts = 0 AND code = '' ORDER BY next_ms ${order}, number ${order} LIMIT ?`,
      nowMs,
      limit,
    );
  }

  nextDue(): number | null {
    return this.#number("SELECT min(next_ms) AS it FROM events WHERE next_ms IS NOT NULL");
  }

  oldestPending(): number | null {
    // Of millions that wait in an outage not all are looked through.
    return this.#number(
      `SELECT min(accepted_ms) AS it FROM
       (SELECT accepted_ms FROM events WHERE next_ms IS NOT NULL ORDER BY next_ms LIMIT 10000)`,
    );
  }

  list({ state, before, limit, offerId, code, isInDoubt, sinceMs, untilMs }: RowFilter): readonly Row[] {
    const wishes: readonly (readonly [condition: string, value: string | number | undefined])[] = [
      ["number < ?", before],
      ["offer_id = ?", offerId],
      ["code = ?", code],
      ["is_in_doubt = ?", isInDoubt === undefined ? undefined : Number(isInDoubt)],
      ["accepted_ms >= ?", sinceMs],
      ["accepted_ms < ?", untilMs],
    ];
    const asked = wishes.flatMap(([condition, value]) => (value === undefined ? [] : [{ condition, value }]));
    const conditions = asked.map(({ condition }) => `AND ${condition}`).join(" ");
    // The state stands in the text, so that what has failed is found by its index.
    return this.#rows(
      `SELECT * FROM events WHERE true ${STATE[state ?? "any"]} ${conditions} ORDER BY number DESC LIMIT ?`,
      ...asked.map(({ value }) => value),
      limit,
    );
  }

  siblings(order: string): readonly Row[] {
    if (order === "") return [];
    return this.#rows("SELECT * FROM events WHERE order_key = ? AND order_key <> ''", order);
  }

  findClaim(claim: string): { readonly id: string; readonly atMs: number } | undefined {
    const [row] = this.#sql.exec("SELECT id, at_ms FROM claims WHERE claim = ?", claim).toArray();
    return row && { id: String(row["id"]), atMs: Number(row["at_ms"]) };
  }

  claim(claim: string, id: string, nowMs: number): void {
    this.#sql.exec("INSERT INTO claims VALUES (?, ?, ?)", claim, id, nowMs);
  }

  unclaim(claim: string): void {
    this.#sql.exec("DELETE FROM claims WHERE claim = ?", claim);
  }

  webhook(webhookId: string, digest: string, nowMs: number): string {
    const { rowsWritten } = this.#sql.exec(
      "INSERT INTO webhooks VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      webhookId,
      digest,
      nowMs,
    );
    if (rowsWritten > 0) return digest;
    return String(this.#sql.exec("SELECT digest FROM webhooks WHERE id = ?", webhookId).one()["digest"]);
  }

  count(name: string, by: number): void {
    this.#sql.exec("INSERT INTO counts VALUES (?1, ?2) ON CONFLICT DO UPDATE SET count = count + ?2", name, by);
  }

  forgetCount(name: string): void {
    this.#sql.exec("DELETE FROM counts WHERE name = ?", name);
  }

  counts(): ReadonlyMap<string, number> {
    const rows = this.#sql.exec("SELECT name, count FROM counts").toArray();
    return new Map(rows.map(({ name, count }) => [String(name), Number(count)]));
  }

  getMeta(name: string): string | null {
    const [row] = this.#sql.exec("SELECT text FROM meta WHERE name = ?", name).toArray();
    return row === undefined ? null : String(row["text"]);
  }

  setMeta(name: string, text: string | null): void {
    if (text === null) this.#sql.exec("DELETE FROM meta WHERE name = ?", name);
    else this.#sql.exec("INSERT OR REPLACE INTO meta VALUES (?, ?)", name, text);
  }

  purge(changedBeforeMs: number, webhooksBeforeMs: number): ReadonlyMap<StoredState, number> {
    this.#sql.exec("DELETE FROM webhooks WHERE at_ms < ?", webhooksBeforeMs);
    this.#sql.exec("DELETE FROM claims WHERE at_ms < ?", changedBeforeMs);
    // Rows lie in the order of their acceptance: only the oldest are looked at.
    const gone = this.#sql.exec(
      `DELETE FROM events WHERE next_ms IS NULL AND changed_ms < ?1 AND number IN
       (SELECT number FROM events WHERE accepted_ms < ?1 ORDER BY number LIMIT ?2) RETURNING state`,
      changedBeforeMs,
      PURGED_AT_ONCE,
    );
    const counts = new Map<StoredState, number>();
    for (const { state } of gone) {
      counts.set(state as StoredState, (counts.get(state as StoredState) ?? 0) + 1);
    }
    return counts;
  }

  inDoubt(): number {
    const sql = "SELECT count(*) AS it FROM events WHERE is_in_doubt = 1 AND next_ms IS NULL";
    return this.#number(sql) ?? 0;
  }

  bytes(): number {
    return this.#sql.databaseSize;
  }

  /** The first version had other names, and did not know a click's orders. */
  #upgrade(): void {
    const columns = this.#sql.exec("SELECT name FROM pragma_table_info('events')").toArray();
    const has = (name: string) => columns.some((column) => column["name"] === name);
    if (has("words")) {
      this.#sql.exec("ALTER TABLE events RENAME COLUMN words TO upstream_message; ALTER TABLE memory RENAME TO meta");
    }
    if (has("id") && !has("order_key")) {
      this.#sql.exec("ALTER TABLE events ADD COLUMN order_key TEXT NOT NULL DEFAULT ''");
    }
  }

  #rows(sql: string, ...values: (string | number | null)[]): Row[] {
    return this.#sql.exec(sql, ...values).toArray() as unknown as Row[];
  }

  #number(sql: string): number | null {
    return this.#sql.exec(sql).one()["it"] as number | null;
  }
}
