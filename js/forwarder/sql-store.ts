/**
 * A store in SQLite: that of a Durable Object, or of `node:sqlite`.
 *
 * A Durable Object bills each written row, index entry and deleted row; dropping a table is free. Therefore:
 *
 * - Events are in one table for each stretch of time, and the claims of that stretch in another. A table past its
 *   retention is dropped as a whole.
 * - An event that was never tried has no entry in the index of due events: {@link Blocks} finds it by its number.
 * - The number of events of each state follows from numbers and indexes.
 */
import { Blocks } from "./blocks.js";
import { LookUps } from "./look-ups.js";
import { execMany, insertRows, settleRows } from "./many-rows.js";
import type { Sql, SqlDatabase, SqlValue } from "./sql.js";
import { conditionsOf, FAILED, firstDue, STATE, wasTried } from "./sql-conditions.js";
import {
  type Asked,
  type ClockNow,
  type DueAfter,
  dueAfterSettling,
  type Latest,
  type LookedUp,
  least,
  type NewClaim,
  type NewEvent,
  newRow,
  type OutboxStore,
  type Purged,
  type Row,
  type RowFilter,
  type StoredState,
} from "./store.js";
import {
  dropPartition,
  FRESH,
  getMeta,
  HAS_CONVERSION,
  LEGACY,
  MAX_EVENTS,
  makeNewest,
  type Partition,
  prepareTables,
  retire,
  STRETCHES,
  setMeta,
} from "./tables.js";
import { latestTimes, mendTimes } from "./times.js";
import { WebhookIds } from "./webhook-ids.js";

/** The most rows whose age one purge checks, and the most that it deletes: accepting waits for it. */
const LOOKED_AT_ONCE = 5_000;
const DELETED_AT_ONCE = 500;

/** The store of one shard, which has the database to itself. */
export class SqlStore implements OutboxStore {
  readonly #storage: SqlDatabase;
  readonly #sql: Sql;
  readonly #retentionMs: number;
  readonly #webhooks: WebhookIds;
  /** The newest first. */
  #partitions: Partition[] = [];
  readonly #lookUps: LookUps;
  /** The number of the next event. */
  #number = 1;
  #blocks = new Blocks();

  /** `retentionMs` is how long finished events are kept, by the outbox's clock. */
  constructor(storage: SqlDatabase, retentionMs: number) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#retentionMs = retentionMs;
    this.#webhooks = new WebhookIds(storage);
    this.#lookUps = new LookUps(this.#sql);
    storage.transactionSync(() => prepareTables(this.#sql));
    this.#load();
  }

  transaction(job: () => void): void {
    try {
      this.#storage.transactionSync(job);
    } catch (thrown) {
      // The memory may describe rows that were rolled back.
      this.#load();
      throw thrown;
    }
  }

  insert(events: readonly NewEvent[], nowMs: number): readonly Row[] {
    this.#rotatePartitions(nowMs);
    const rows = events.map((event, index) => newRow(this.#number + index, event, nowMs));
    insertRows(this.#sql, rows);
    this.#number += rows.length;
    let isNewBlock = false;
    for (const { number } of rows) isNewBlock = this.#blocks.add(this.#newest, number) || isNewBlock;
    if (isNewBlock) this.setMeta(FRESH, String(this.#blocks.first ?? this.#number));
    return rows;
  }

  setText(id: string, text: string, order?: string): void {
    const row = this.find(id);
    if (row === undefined) return;
    const table = `events${this.#of(row.number).suffix}`;
    const change = `UPDATE ${table} SET text = ?, order_key = ? WHERE number = ?`;
    this.#sql.exec(change, text, order ?? row.order_key, row.number);
  }

  find(id: string): Row | undefined {
    for (const { suffix } of this.#partitions) {
      const [row] = this.#rows(`SELECT * FROM events${suffix} WHERE id = ?`, id);
      if (row !== undefined) return row;
    }
    return undefined;
  }

  lookUp(asked: readonly Asked[]): readonly LookedUp[] {
    return this.#lookUps.find(asked);
  }

  settle(rows: readonly Row[]): void {
    for (const partition of new Set(rows.map(({ number }) => this.#of(number)))) {
      const own = rows.filter(({ number }) => this.#of(number) === partition);
      if (own.some((row) => dueAfterSettling(row) !== null)) partition.mayWait = true;
      partition.pastUntil = Math.min(partition.pastUntil, ...own.map(({ number }) => number));
      settleRows(this.#sql, partition.suffix, own);
    }
  }

  due(nowMs: number, limit: number, after?: DueAfter): readonly Row[] {
    return this.#due(nowMs, limit, false, "", after);
  }

  dueUnfailed(nowMs: number, limit: number, from: "newest" | number): readonly Row[] {
    const due = this.#due(nowMs, limit, from === "newest", "AND attempts = 0 AND code = ''");
    if (from === "newest" || from === 0) return due;
    const first = this.#blocks.first ?? this.#number;
    const there = this.#fresh(limit, false, first + Math.floor(from * (this.#number - first)));
    const known = new Set(there.map(({ id }) => id));
    return [...there, ...due.filter(({ id }) => !known.has(id))].slice(0, limit);
  }

  nextDue(nowMs: number): number | null {
    const [fresh] = this.#fresh(1, false);
    return least([fresh === undefined ? null : Math.min(fresh.accepted_ms, nowMs), this.dueAfter(-1)]);
  }

  dueAfter(atMs: number): number | null {
    return least(this.#waiting().map((partition) => this.#value(firstDue(partition), atMs)));
  }

  oldestPending(): number | null {
    const [fresh] = this.#fresh(1, false);
    // An outage may leave millions of waiting events: not all are searched.
    const tried = this.#waiting().map((partition) =>
      this.#value(
        `SELECT min(accepted_ms) AS it FROM
         (SELECT accepted_ms FROM events${partition.suffix} WHERE ${wasTried(partition)} ORDER BY next_ms LIMIT 10000)`,
      ),
    );
    return least([fresh?.accepted_ms ?? null, ...tried]);
  }

  list({ state, kind, before, limit, offerId, code, isInDoubt, sinceMs, untilMs }: RowFilter): readonly Row[] {
    const { conditions, values } = conditionsOf({ kind, before, offerId, code, isInDoubt, sinceMs, untilMs });
    const rows: Row[] = [];
    for (const { suffix, first } of this.#partitions) {
      if (rows.length >= limit || (before !== undefined && first >= before)) continue;
      // The state is part of the SQL text, so that SQLite uses the index of failed events.
      const sql = `SELECT * FROM events${suffix} WHERE true ${STATE[state ?? "any"]} ${conditions} ORDER BY number DESC LIMIT ?`;
      rows.push(...this.#rows(sql, ...values, limit - rows.length));
    }
    return rows;
  }

  siblings(order: string): readonly Row[] {
    const sql = (suffix: string) => `SELECT * FROM events${suffix} WHERE order_key = ? AND order_key <> ''`;
    return order === "" ? [] : this.#partitions.flatMap(({ suffix }) => this.#rows(sql(suffix), order));
  }

  withConversion(conversionId: number): readonly Row[] {
    const sql = (suffix: string) => `SELECT * FROM events${suffix} WHERE conversion_id = ? AND ${HAS_CONVERSION}`;
    return this.#partitions.flatMap(({ suffix }) => this.#rows(sql(suffix), conversionId));
  }

  highestConversion(): number {
    const sql = (suffix: string) => `SELECT max(conversion_id) AS it FROM events${suffix} WHERE ${HAS_CONVERSION}`;
    return Math.max(0, ...this.#partitions.map(({ suffix }) => this.#value(sql(suffix)) ?? 0));
  }

  findClaim(claim: string): { readonly id: string; readonly atMs: number } | undefined {
    for (const { suffix } of this.#partitions) {
      const [row] = this.#sql.exec(`SELECT id, at_ms FROM claims${suffix} WHERE claim = ?`, claim).toArray();
      if (row !== undefined) return { id: String(row["id"]), atMs: Number(row["at_ms"]) };
    }
    return undefined;
  }

  claim(claims: readonly NewClaim[], nowMs: number): void {
    this.#rotatePartitions(nowMs);
    const rows = claims.map(({ claim, id }) => [claim, id, nowMs]);
    execMany(this.#sql, rows, (values) => `INSERT INTO claims VALUES ${values}`);
  }

  setClaim(claim: string, id: string, nowMs: number): void {
    this.#rotatePartitions(nowMs);
    for (const { suffix } of this.#partitions.slice(1)) {
      this.#sql.exec(`DELETE FROM claims${suffix} WHERE claim = ?`, claim);
    }
    this.#sql.exec("INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", claim, id, nowMs);
  }

  unclaim(claim: string): void {
    for (const { suffix } of this.#partitions) this.#sql.exec(`DELETE FROM claims${suffix} WHERE claim = ?`, claim);
  }

  findWebhook(webhookId: string): string | undefined {
    return this.#webhooks.find(webhookId);
  }

  webhook(webhookId: string, digest: string, nowMs: number): string {
    return this.#webhooks.keep(webhookId, digest, nowMs);
  }

  stateCounts(): ReadonlyMap<StoredState, number> {
    const counts = new Map<StoredState, number>();
    const add = (state: StoredState, count: number) => counts.set(state, (counts.get(state) ?? 0) + count);
    for (const partition of this.#partitions) {
      const { suffix, first, gone } = partition;
      const fresh = this.#blocks.firstOf(partition);
      const ofTried = `SELECT count(*) AS it FROM events${suffix} WHERE ${wasTried(partition)}`;
      const ofUntried = `SELECT count(*) AS it FROM events${suffix} WHERE number >= ? AND next_ms = accepted_ms`;
      const untried = fresh === undefined ? 0 : this.#value(ofUntried, fresh);
      const waiting = (this.#value(ofTried) ?? 0) + (untried ?? 0);
      const failed = this.#countFailed(partition);
      add("pending", waiting);
      add("delivered", this.#end(partition) - first - gone - waiting);
      for (const [state, count] of failed) {
        add(state, count);
        add("delivered", -count);
      }
    }
    return counts;
  }

  correctionCounts(): ReadonlyMap<StoredState, number> {
    const counts = new Map<StoredState, number>();
    for (const { suffix } of this.#partitions) {
      const sql = `SELECT state, count(*) AS it FROM events${suffix} WHERE kind = 'correction' GROUP BY state`;
      for (const { state, it } of this.#sql.exec(sql).toArray()) {
        counts.set(state as StoredState, (counts.get(state as StoredState) ?? 0) + Number(it));
      }
    }
    return counts;
  }

  getMeta(name: string): string | null {
    return getMeta(this.#sql, name);
  }

  setMeta(name: string, text: string | null): void {
    setMeta(this.#sql, name, text);
  }

  purge(changedBeforeMs: number, webhooksBeforeMs: number): Purged {
    const nowMs = changedBeforeMs + this.#retentionMs;
    this.#rotatePartitions(nowMs);
    this.#webhooks.forget(webhooksBeforeMs, nowMs);
    for (const partition of this.#partitions.toReversed()) {
      const isDropped = partition !== this.#newest && partition.suffix !== LEGACY;
      const gone = isDropped ? this.#drop(partition, changedBeforeMs) : this.#delete(partition, changedBeforeMs);
      if (gone !== undefined) return { gone, isDone: false };
    }
    return { gone: new Map(), isDone: true };
  }

  inDoubt(): number {
    const counts = this.#partitions.map(({ suffix }) =>
      this.#value(`SELECT count(*) AS it FROM events${suffix} WHERE is_in_doubt = 1 AND next_ms IS NULL`),
    );
    return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  }

  latest(): Latest {
    return latestTimes(this.#sql, this.#partitions);
  }

  mendTimes(clock: ClockNow): void {
    this.transaction(() => mendTimes(this.#sql, this.#partitions, clock));
  }

  bytes(): number {
    return this.#sql.databaseSize;
  }

  get #newest(): Partition {
    const [newest] = this.#partitions;
    if (newest === undefined) throw new Error("the store has no tables");
    return newest;
  }

  /** The partition of the event with that number. */
  #of(number: number): Partition {
    return this.#partitions.find(({ first }) => number >= first) ?? this.#newest;
  }

  /** The number after a partition's last event. */
  #end(partition: Partition): number {
    return partition === this.#newest ? this.#number : partition.next;
  }

  #load(): void {
    const partitions = this.#sql.exec("SELECT * FROM partitions ORDER BY id DESC").toArray();
    this.#setPartitions(
      partitions.map(({ id, suffix, first, next, made_ms, retired_ms, gone }) => ({
        id: Number(id),
        suffix: String(suffix),
        first: Number(first),
        next: Number(next),
        madeMs: Number(made_ms),
        retiredMs: Number(retired_ms),
        gone: Number(gone),
        mayWait: true,
        pastUntil: 0,
        deleteFrom: 0,
      })),
    );
    const last = this.#value("SELECT max(number) AS it FROM events") ?? 0;
    this.#number = Math.max(last + 1, this.#newest.next);
    this.#blocks = new Blocks();
    const from = Number(this.getMeta(FRESH) ?? 0);
    for (const partition of this.#partitions.toReversed()) {
      if (partition.suffix !== LEGACY)
        this.#blocks.fill(partition, Math.max(from, partition.first), this.#end(partition) - 1);
    }
  }

  #setPartitions(partitions: Partition[]): void {
    this.#partitions = partitions;
    this.#lookUps.search(partitions);
  }

  /** Begins another partition when the newest is old or full. */
  #rotatePartitions(nowMs: number): void {
    const newest = this.#newest;
    const isFull = this.#number - newest.first >= MAX_EVENTS;
    if (!isFull && nowMs - newest.madeMs < this.#retentionMs / STRETCHES) return;
    const isUsed = this.#number > newest.first || this.#sql.exec("SELECT 1 FROM claims LIMIT 1").toArray().length > 0;
    if (isUsed) {
      const made = this.#storage.transactionSync(() => {
        const suffix = retire(this.#sql, newest, this.#number, nowMs);
        return { suffix, partition: makeNewest(this.#sql, this.#number, nowMs) };
      });
      newest.suffix = made.suffix;
      newest.next = this.#number;
      newest.retiredMs = nowMs;
      this.#setPartitions([made.partition, ...this.#partitions]);
    } else {
      this.#sql.exec("UPDATE partitions SET made_ms = ? WHERE id = ?", nowMs, newest.id);
      newest.madeMs = nowMs;
    }
    // A partition of the first format got no time when it was set aside.
    for (const partition of this.#partitions) {
      if (partition === this.#newest || partition.retiredMs > 0) continue;
      this.#sql.exec("UPDATE partitions SET retired_ms = ? WHERE id = ?", nowMs, partition.id);
      partition.retiredMs = nowMs;
    }
  }

  #due(nowMs: number, limit: number, isNewestFirst: boolean, more: string, after: DueAfter = {}): Row[] {
    const order = isNewestFirst ? "DESC" : "ASC";
    const tried = this.#waiting().flatMap((partition) =>
      this.#rows(
        `SELECT * FROM events${partition.suffix} WHERE ${wasTried(partition)} AND next_ms <= ? AND (next_ms, number) > (?, ?) ${more}
         ORDER BY next_ms ${order}, number ${order} LIMIT ?`,
        nowMs,
        ...(after.tried ? [after.tried.next_ms, after.tried.number] : [-1, 0]),
        limit,
      ),
    );
    const fresh = this.#fresh(limit, isNewestFirst, after.fresh && after.fresh.number + 1);
    return [...tried, ...fresh]
      .sort((a, b) => (isNewestFirst ? -1 : 1) * ((a.next_ms ?? 0) - (b.next_ms ?? 0) || a.number - b.number))
      .slice(0, limit);
  }

  /** Events that were never tried, the oldest or the newest first; with a number, from that number on. */
  #fresh(limit: number, isNewestFirst: boolean, number?: number): Row[] {
    const order = isNewestFirst ? "DESC" : "ASC";
    const read = ({ suffix }: Partition, from: number, until: number, most: number) =>
      this.#rows(
        `SELECT * FROM events${suffix} WHERE number >= ? AND number < ? AND next_ms = accepted_ms
         ORDER BY number ${order} LIMIT ?`,
        from,
        until,
        most,
      );
    return number === undefined
      ? this.#blocks.take(limit, isNewestFirst, this.#number, read)
      : this.#blocks.takeFrom(number, limit, read);
  }

  /** The partitions that may have waiting events with an attempt. */
  #waiting(): Partition[] {
    return this.#partitions.filter((partition) => {
      if (partition.mayWait) partition.mayWait = this.#value(firstDue(partition), -1) !== null;
      return partition.mayWait;
    });
  }

  #countFailed({ suffix }: Partition): (readonly [StoredState, number])[] {
    const sql = `SELECT state, count(*) AS it FROM events${suffix} WHERE ${FAILED} GROUP BY state`;
    const rows = this.#sql.exec(sql).toArray();
    return rows.map(({ state, it }) => [state as StoredState, Number(it)] as const);
  }

  /** Drops a partition if all of it is past its retention, checked slice by slice; `undefined` if it is not. */
  #drop(partition: Partition, beforeMs: number): ReadonlyMap<StoredState, number> | undefined {
    const { suffix, first } = partition;
    const [last] = this.#sql
      .exec(`SELECT number, accepted_ms FROM events${suffix} ORDER BY number DESC LIMIT 1`)
      .toArray();
    const lastMs = Number(last?.["accepted_ms"] ?? 0);
    if (lastMs >= beforeMs) return undefined;
    // If one event keeps the rest for too long, the rest is deleted without it.
    const lateMs = beforeMs - (2 * this.#retentionMs) / STRETCHES;
    const rest = () => (lastMs < lateMs ? this.#delete(partition, beforeMs) : undefined);
    // The claims of the partition may be as young as its end.
    if (partition.retiredMs >= beforeMs) return rest();
    const from = Math.max(partition.pastUntil, first);
    const until = from + LOOKED_AT_ONCE;
    const blocking = this.#value(
      `SELECT min(number) AS it FROM events${suffix} WHERE number >= ? AND number < ? AND (next_ms IS NOT NULL OR changed_ms >= ?)`,
      from,
      until,
      beforeMs,
    );
    partition.pastUntil = blocking ?? until;
    if (blocking !== null) return rest();
    if (until < partition.next) return new Map();
    const counts = new Map(this.#countFailed(partition));
    const failed = [...counts.values()].reduce((sum, count) => sum + count, 0);
    counts.set("delivered", partition.next - first - partition.gone - failed);
    this.#storage.transactionSync(() => dropPartition(this.#sql, partition));
    this.#forget(partition);
    return counts;
  }

  /** Deletes rows past their retention one by one, slice by slice; `undefined` once that is done. */
  #delete(partition: Partition, beforeMs: number): ReadonlyMap<StoredState, number> | undefined {
    const { id, suffix, deleteFrom } = partition;
    const isNewest = partition === this.#newest;
    const [oldest] = this.#sql
      .exec(`SELECT number, accepted_ms FROM events${suffix} WHERE number >= ? ORDER BY number LIMIT 1`, deleteFrom)
      .toArray();
    if (oldest === undefined || (!isNewest && Number(oldest["accepted_ms"]) >= beforeMs)) {
      partition.deleteFrom = 0;
      const isEmpty = oldest === undefined && deleteFrom === 0 && !isNewest;
      if (!isEmpty || partition.retiredMs >= beforeMs) return undefined;
      this.#storage.transactionSync(() => dropPartition(this.#sql, partition));
      this.#forget(partition);
      return new Map();
    }
    const from = Number(oldest["number"]);
    const counts = new Map<StoredState, number>();
    this.transaction(() => {
      const gone = this.#sql
        .exec(
          `DELETE FROM events${suffix} WHERE number >= ?1 AND number < ?2 AND accepted_ms < ?3
           AND next_ms IS NULL AND changed_ms < ?3 RETURNING state`,
          from,
          from + DELETED_AT_ONCE,
          beforeMs,
        )
        .toArray();
      for (const { state } of gone) counts.set(state as StoredState, (counts.get(state as StoredState) ?? 0) + 1);
      if (gone.length === 0) return;
      // A number is never reused.
      const sql = "UPDATE partitions SET gone = gone + ?, next = ? WHERE id = ?";
      this.#sql.exec(sql, gone.length, this.#end(partition), id);
      partition.gone += gone.length;
    });
    // In the newest partition only the first rows are checked: it is retired before it is old.
    if (isNewest) return counts.size > 0 ? counts : undefined;
    partition.deleteFrom = from + DELETED_AT_ONCE;
    return counts;
  }

  #forget(partition: Partition): void {
    this.#setPartitions(this.#partitions.filter((each) => each !== partition));
    this.#blocks.forget(partition);
  }

  #rows(sql: string, ...values: SqlValue[]): Row[] {
    return this.#sql.exec(sql, ...values).toArray() as unknown as Row[];
  }

  #value(sql: string, ...values: SqlValue[]): number | null {
    return this.#sql.exec(sql, ...values).one()["it"] as number | null;
  }
}
