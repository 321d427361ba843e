/** A store in the SQLite of a Durable Object. */

import { type ClickRow, type ConversionRow, FIRST_NUMBERS, type FiredPostback, type Numbers } from "./rows.js";
import type {
  ClickFilter,
  ConversionFilter,
  Need,
  Page,
  PastRows,
  Store,
  Sum,
  View,
  ViewFilter,
  Write,
} from "./store.js";

const TABLES = `
  CREATE TABLE IF NOT EXISTS clicks (
    number INTEGER PRIMARY KEY, click_id TEXT NOT NULL UNIQUE, click_date TEXT NOT NULL,
    offer_id INTEGER NOT NULL, affiliate_id INTEGER NOT NULL, creative_id INTEGER NOT NULL,
    sub_id_1 TEXT, sub_id_2 TEXT, sub_id_3 TEXT, sub_id_4 TEXT, sub_id_5 TEXT,
    ip_address TEXT, country TEXT);
  CREATE INDEX IF NOT EXISTS clicks_by_date ON clicks (click_date, offer_id, affiliate_id);
  CREATE TABLE IF NOT EXISTS conversions (
    conversion_id INTEGER PRIMARY KEY, click_id TEXT NOT NULL, offer_id INTEGER NOT NULL,
    affiliate_id INTEGER NOT NULL, payout TEXT NOT NULL, payout_units INTEGER NOT NULL,
    revenue TEXT NOT NULL, revenue_units INTEGER NOT NULL, unique_id TEXT,
    dedupe_key TEXT UNIQUE, order_id TEXT, conversion_date TEXT NOT NULL,
    conversion_status TEXT NOT NULL, adv1 TEXT, adv2 TEXT, adv3 TEXT, adv4 TEXT, adv5 TEXT,
    event_id INTEGER, order_total TEXT, currency TEXT, coupons TEXT, udid TEXT, note TEXT,
    updated_date TEXT, corrections INTEGER NOT NULL DEFAULT 0);
  CREATE INDEX IF NOT EXISTS conversions_by_click ON conversions (click_id);
  CREATE INDEX IF NOT EXISTS conversions_by_date
    ON conversions (conversion_date, conversion_id, offer_id, affiliate_id, conversion_status);
  CREATE INDEX IF NOT EXISTS conversions_by_payout ON conversions
    (payout_units, conversion_id, conversion_date, offer_id, affiliate_id, conversion_status);
  CREATE INDEX IF NOT EXISTS conversions_by_revenue ON conversions
    (revenue_units, conversion_id, conversion_date, offer_id, affiliate_id, conversion_status);
  CREATE INDEX IF NOT EXISTS conversions_by_status ON conversions
    (conversion_status, conversion_id, conversion_date, offer_id, affiliate_id);
  CREATE INDEX IF NOT EXISTS conversions_by_offer ON conversions
    (offer_id, conversion_id, conversion_date, affiliate_id, conversion_status);
  CREATE INDEX IF NOT EXISTS conversions_by_sort_affiliate ON conversions
    (affiliate_id, conversion_id, conversion_date, offer_id, conversion_status);
  CREATE INDEX IF NOT EXISTS conversions_by_affiliate
    ON conversions (affiliate_id, conversion_status, payout_units);
  CREATE TABLE IF NOT EXISTS postbacks (
    postback_id INTEGER PRIMARY KEY, affiliate_id INTEGER NOT NULL, offer_id INTEGER NOT NULL,
    postback_url TEXT NOT NULL, postback_status TEXT NOT NULL, postback_type_id INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS fired (
    fired_id INTEGER PRIMARY KEY, postback_id INTEGER NOT NULL, conversion_id INTEGER NOT NULL,
    event TEXT NOT NULL, postback_type TEXT NOT NULL, url TEXT NOT NULL, state TEXT NOT NULL,
    status INTEGER, attempts INTEGER NOT NULL, at_ms INTEGER NOT NULL, answered_ms INTEGER, next_ms INTEGER);
  CREATE INDEX IF NOT EXISTS fired_due ON fired (next_ms) WHERE next_ms IS NOT NULL;
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, text TEXT NOT NULL);`;

/** The columns that conversions have gained since 0.1.0. */
const NEW_COLUMNS = [
  "event_id INTEGER",
  "order_total TEXT",
  "currency TEXT",
  "coupons TEXT",
  "udid TEXT",
  "note TEXT",
  "updated_date TEXT",
  "corrections INTEGER NOT NULL DEFAULT 0",
];

const CLICK_COLUMNS = columns(
  "number click_id click_date offer_id affiliate_id creative_id sub_id_1 sub_id_2 sub_id_3 sub_id_4 sub_id_5 ip_address country",
);
const CONVERSION_COLUMNS = columns(
  "conversion_id click_id offer_id affiliate_id payout payout_units revenue revenue_units unique_id dedupe_key order_id conversion_date conversion_status adv1 adv2 adv3 adv4 adv5 event_id order_total currency coupons udid note updated_date corrections",
);
/** The columns of an answer with many conversions: half of the columns, twice as fast. */
const PAGE_COLUMNS =
  "conversion_id, offer_id, affiliate_id, payout, revenue, conversion_date, conversion_status, unique_id";
const POSTBACK_COLUMNS = columns("postback_id affiliate_id offer_id postback_url postback_status postback_type_id");
const FIRED_COLUMNS = columns(
  "fired_id postback_id conversion_id event postback_type url state status attempts at_ms answered_ms next_ms",
);

/** The sortable columns; a filter cannot name any other. */
const SORTS = new Set(CONVERSION_COLUMNS);

const WITH_CONVERSION = `clicks.*, (SELECT min(conversion_id) FROM conversions
  WHERE conversions.click_id = clicks.click_id) AS conversion_id`;

type Value = string | number | null;

/** The SQL of a condition, and its bound values. */
interface Where {
  readonly sql: string;
  readonly values: Value[];
}

/** The store of a Durable Object. */
export class SqlStore implements Store {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  #numbers: Numbers | undefined;
  /**
   * Cached counts of conversions by condition, until a conversion is written: a client that reads many pages repeats
   * them.
   */
  readonly #counts = new Map<string, number>();

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    // The table had another name before 0.1.0.
    const older = this.#first("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'memory'");
    if (older !== null) this.#sql.exec("ALTER TABLE memory RENAME TO meta");
    this.#sql.exec(TABLES);
    const table = this.#first("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'conversions'");
    if (!String(table?.["sql"]).includes("corrections")) {
      for (const column of NEW_COLUMNS) this.#sql.exec(`ALTER TABLE conversions ADD COLUMN ${column}`);
    }
  }

  numbers(): Numbers {
    if (this.#numbers === undefined) {
      const next = (table: string, column: string, first: number) =>
        Number(this.#first(`SELECT coalesce(max(${column}) + 1, ${first}) AS next FROM ${table}`)?.["next"]);
      this.#numbers = {
        click: next("clicks", "number", FIRST_NUMBERS.click),
        conversion: next("conversions", "conversion_id", FIRST_NUMBERS.conversion),
        postback: next("postbacks", "postback_id", FIRST_NUMBERS.postback),
        fired: next("fired", "fired_id", FIRST_NUMBERS.fired),
      };
    }
    return this.#numbers;
  }

  load(need: Need): unknown {
    switch (need.need) {
      case "click":
        return this.#first(`SELECT ${WITH_CONVERSION} FROM clicks WHERE click_id = ?`, need.click_id);
      case "duplicate":
        return this.#first("SELECT * FROM conversions WHERE dedupe_key = ?", need.dedupe_key);
      case "conversion":
        return this.findConversion(need.conversion_id);
      case "count":
        return this.#countConversions(conversionsWhere(need.filter));
      case "postbacks":
        return this.#all("SELECT * FROM postbacks WHERE affiliate_id = ? ORDER BY postback_id", need.affiliate_id);
      case "clicks":
        return this.#clicks(need.filter);
      case "conversions":
        return this.#conversions(need.filter);
    }
  }

  apply(writes: readonly Write[]): void {
    if (writes.length === 0) return;
    try {
      // One statement is a transaction of its own.
      if (writes.length === 1) this.#write(writes[0] as Write);
      else {
        this.#storage.transactionSync(() => {
          for (const write of writes) this.#write(write);
        });
      }
    } catch (thrown) {
      // The cached numbers may be wrong after the rollback: read them again.
      this.#forget();
      throw thrown;
    }
  }

  #write({ write, row }: Write): void {
    const numbers = this.numbers();
    if (write === "conversion" || write === "changed") this.#counts.clear();
    switch (write) {
      case "click":
        this.#insert("clicks", CLICK_COLUMNS, row);
        numbers.click = row.number + 1;
        break;
      case "conversion":
        this.#insert("conversions", CONVERSION_COLUMNS, row);
        numbers.conversion = row.conversion_id + 1;
        break;
      case "changed":
        this.#insert("conversions", CONVERSION_COLUMNS, row, "INSERT OR REPLACE");
        break;
      case "postback":
        this.#insert("postbacks", POSTBACK_COLUMNS, row);
        numbers.postback = row.postback_id + 1;
        break;
      case "fired":
        this.#insert("fired", FIRED_COLUMNS, row, "INSERT OR REPLACE");
        numbers.fired = Math.max(numbers.fired, row.fired_id + 1);
        break;
    }
  }

  fill({ clicks, conversions }: PastRows): void {
    // SQLite reads the rows from one JSON text: one statement for each row would take ten times as long.
    const many = (table: string, names: readonly string[], rows: readonly unknown[]) => {
      if (rows.length === 0) return;
      const values = names.map((name) => `value->>'$.${name}'`).join();
      this.#sql.exec(`INSERT INTO ${table} (${names.join()}) SELECT ${values} FROM json_each(?)`, JSON.stringify(rows));
    };
    this.#forget();
    this.#storage.transactionSync(() => {
      many("clicks", CLICK_COLUMNS, clicks);
      many("conversions", CONVERSION_COLUMNS, conversions);
    });
  }

  findConversion(conversionId: number): ConversionRow | null {
    return this.#first(
      "SELECT * FROM conversions WHERE conversion_id = ?",
      conversionId,
    ) as unknown as ConversionRow | null;
  }

  view({ offer_id, affiliate_id, status, text, limit }: ViewFilter): View {
    const pattern = text === undefined ? undefined : `%${text.replace(/[\\%_]/g, "\\$&")}%`;
    const like = (...names: string[]): [string, Value | undefined][] =>
      pattern === undefined
        ? []
        : [[`(${names.map((name) => `${name} LIKE ?1 ESCAPE '\\'`).join(" OR ")})`, undefined]];
    const select = <T>(table: string, key: string, picked: string, conditions: [string, Value | undefined][]) => {
      // ?1 is the pattern, in every condition that has one.
      const values: Value[] = [pattern ?? null];
      const parts = ["(?1 IS NULL OR 1)"];
      for (const [sql, value] of conditions) {
        parts.push(sql);
        if (value !== undefined) values.push(value);
      }
      const rows = this.#sql.exec(
        `SELECT ${picked} FROM ${table} WHERE ${parts.join(" AND ")} ORDER BY ${key} DESC LIMIT ${Math.trunc(limit)}`,
        ...values,
      );
      return rows.toArray() as unknown as T[];
    };
    const whose = (table: string): [string, Value | undefined][] => [
      ...(offer_id === undefined ? [] : [[`${table}.offer_id = ?`, offer_id] as [string, Value]]),
      ...(affiliate_id === undefined ? [] : [[`${table}.affiliate_id = ?`, affiliate_id] as [string, Value]]),
    ];
    const ofStatus: [string, Value | undefined][] =
      status === undefined ? [] : [["conversions.conversion_status = ?", status]];
    return {
      clicks: select<ClickRow>("clicks", "number", WITH_CONVERSION, [
        ...whose("clicks"),
        ...like("click_id", "sub_id_1"),
      ]),
      conversions: select<ConversionRow>("conversions", "conversion_id", "*", [
        ...whose("conversions"),
        ...ofStatus,
        ...like("click_id", "unique_id", "CAST(conversion_id AS TEXT)"),
      ]),
      postbacks: select<FiredPostback>("fired JOIN conversions USING (conversion_id)", "fired_id", "fired.*", [
        ...whose("conversions"),
        ...ofStatus,
        ...like("click_id", "unique_id", "url"),
      ]),
    };
  }

  sums(): readonly Sum[] {
    return this.#all(
      `SELECT affiliate_id, conversion_status, count(*) AS conversions, sum(payout_units) AS payout_units
       FROM conversions GROUP BY affiliate_id, conversion_status`,
    ) as unknown as Sum[];
  }

  due(now: number, limit: number): readonly FiredPostback[] {
    return this.#all(
      "SELECT * FROM fired WHERE next_ms <= ? ORDER BY next_ms, fired_id LIMIT ?",
      now,
      limit,
    ) as unknown as FiredPostback[];
  }

  nextDue(): number | null {
    return (this.#first("SELECT min(next_ms) AS next FROM fired WHERE next_ms IS NOT NULL")?.["next"] ?? null) as
      | number
      | null;
  }

  getMeta(name: string): string | null {
    return (this.#first("SELECT text FROM meta WHERE name = ?", name)?.["text"] ?? null) as string | null;
  }

  setMeta(name: string, text: string | null): void {
    if (text === null) this.#sql.exec("DELETE FROM meta WHERE name = ?", name);
    else this.#sql.exec("INSERT OR REPLACE INTO meta (name, text) VALUES (?, ?)", name, text);
  }

  clear(): void {
    this.#forget();
    this.#storage.transactionSync(() => {
      for (const table of ["clicks", "conversions", "postbacks", "fired", "meta"]) {
        this.#sql.exec(`DELETE FROM ${table}`);
      }
    });
  }

  #forget(): void {
    this.#numbers = undefined;
    this.#counts.clear();
  }

  #clicks(filter: ClickFilter): Page<ClickRow> {
    const where = conditions([
      ["click_date >= ?", filter.from],
      ["click_date < ?", filter.before],
      ["offer_id = ?", filter.offer_id],
      ["affiliate_id = ?", filter.affiliate_id],
    ]);
    // Only the numbers are scanned up to the start of the page.
    const rows = this.#all(
      `SELECT ${WITH_CONVERSION} FROM clicks WHERE number IN
         (SELECT number FROM clicks${where.sql} ORDER BY number LIMIT ? OFFSET ?) ORDER BY number`,
      ...where.values,
      filter.limit,
      filter.offset,
    ) as unknown as ClickRow[];
    return { rows, total: total(rows.length, filter, () => this.#count("clicks", where)) };
  }

  #conversions(filter: ConversionFilter): Page<ConversionRow> {
    const where = conversionsWhere(filter);
    const sort = SORTS.has(filter.sort) ? filter.sort : "conversion_date";
    const order = `${sort} ${filter.is_descending ? "DESC" : "ASC"}, conversion_id ${filter.is_descending ? "DESC" : "ASC"}`;
    // Only the index in the sort order may be used: sorting 100,000 rows takes longer than a scan in order.
    const sorted = sort === "conversion_date" ? where.sql : where.sql.replace(/(WHERE|AND) /g, "$1 +");
    const rows = this.#all(
      `SELECT ${filter.is_whole ? "*" : PAGE_COLUMNS} FROM conversions WHERE conversion_id IN
         (SELECT conversion_id FROM conversions${sorted} ORDER BY ${order} LIMIT ? OFFSET ?) ORDER BY ${order}`,
      ...where.values,
      filter.limit,
      filter.offset,
    ) as unknown as ConversionRow[];
    return { rows, total: total(rows.length, filter, () => this.#countConversions(where)) };
  }

  #countConversions(where: Where): number {
    const key = JSON.stringify(where);
    let count = this.#counts.get(key);
    if (count === undefined) {
      count = this.#count("conversions", where);
      if (this.#counts.size >= 100) this.#counts.clear();
      this.#counts.set(key, count);
    }
    return count;
  }

  #count(table: string, where: Where): number {
    return Number(this.#first(`SELECT count(*) AS count FROM ${table}${where.sql}`, ...where.values)?.["count"]);
  }

  #insert(table: string, names: readonly string[], row: object, verb = "INSERT"): void {
    const values = names.map((name) => ((row as Record<string, unknown>)[name] as Value | undefined) ?? null);
    this.#sql.exec(`${verb} INTO ${table} (${names.join()}) VALUES (${names.map(() => "?").join()})`, ...values);
  }

  #first(query: string, ...values: Value[]): Record<string, SqlStorageValue> | null {
    return this.#sql.exec(query, ...values).toArray()[0] ?? null;
  }

  #all(query: string, ...values: Value[]): Record<string, SqlStorageValue>[] {
    return this.#sql.exec(query, ...values).toArray();
  }
}

/** The number of matching rows; not counted where the first page holds all of them. */
function total(found: number, { offset, limit }: { offset: number; limit: number }, count: () => number): number {
  return offset === 0 && found < limit ? found : count();
}

function columns(names: string): readonly string[] {
  return names.split(" ");
}

function conditions(parts: readonly (readonly [sql: string, value: Value])[]): Where {
  const given = parts.filter(([, value]) => value !== null);
  return {
    sql: given.length === 0 ? "" : ` WHERE ${given.map(([sql]) => sql).join(" AND ")}`,
    values: given.map(([, value]) => value),
  };
}

function conversionsWhere(filter: ConversionFilter): Where {
  const list = (values: readonly Value[] | null) => (values === null ? null : JSON.stringify(values));
  return conditions([
    ["conversion_date >= ?", filter.from],
    ["conversion_date < ?", filter.before],
    ["coalesce(updated_date, conversion_date) >= ?", filter.updated_from],
    ["(corrections > 0) = ?", filter.is_corrected === null ? null : Number(filter.is_corrected)],
    ["unique_id = ?", filter.unique_id],
    ["offer_id IN (SELECT value FROM json_each(?))", list(filter.offer_ids)],
    ["affiliate_id = ?", filter.affiliate_id],
    ["conversion_status IN (SELECT value FROM json_each(?))", list(filter.statuses)],
  ]);
}
