/** An in-memory store: for tests in a process, and for a page without a server. */

import {
  type ClickRow,
  type ConversionRow,
  FIRST_NUMBERS,
  type FiredPostback,
  type Numbers,
  type PostbackRow,
} from "./rows.js";
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

/** The whole content of a store, as plain values that `structuredClone` and IndexedDB accept. */
export interface StoreSnapshot {
  readonly writes: readonly Write[];
  /** The texts, by name. */
  readonly meta: readonly (readonly [name: string, text: string])[];
}

/** The texts in a snapshot of 0.1.0, which used another name. */
type AnySnapshot = StoreSnapshot | { readonly writes: StoreSnapshot["writes"]; readonly memory: StoreSnapshot["meta"] };

/** A store that ends with its process, unless a snapshot of it is kept. */
export class MemoryStore implements Store {
  readonly #clicks = new Map<string, ClickRow>();
  readonly #conversions = new Map<number, ConversionRow>();
  readonly #byKey = new Map<string, number>();
  readonly #byClick = new Map<string, number>();
  readonly #postbacks: PostbackRow[] = [];
  readonly #fired = new Map<number, FiredPostback>();
  /** Conversions in the order of each requested sort field; equal ones by id. */
  readonly #orders = new Map<SortField, ConversionRow[]>();
  readonly #meta = new Map<string, string>();
  #numbers: Numbers = { ...FIRST_NUMBERS };

  constructor(snapshot?: AnySnapshot) {
    if (snapshot === undefined) return;
    this.apply(snapshot.writes);
    for (const [name, text] of "meta" in snapshot ? snapshot.meta : snapshot.memory) this.#meta.set(name, text);
  }

  /** The whole content, for storage elsewhere. */
  snapshot(): StoreSnapshot {
    return {
      writes: [
        ...[...this.#clicks.values()].map((row) => ({ write: "click", row }) as const),
        ...[...this.#conversions.values()].map((row) => ({ write: "conversion", row }) as const),
        ...this.#postbacks.map((row) => ({ write: "postback", row }) as const),
        ...[...this.#fired.values()].map((row) => ({ write: "fired", row }) as const),
      ],
      meta: [...this.#meta],
    };
  }

  numbers(): Numbers {
    return this.#numbers;
  }

  load(need: Need): unknown {
    switch (need.need) {
      case "click": {
        const click = this.#clicks.get(need.click_id);
        return click === undefined ? null : this.#withConversion(click);
      }
      case "duplicate": {
        const id = this.#byKey.get(need.dedupe_key);
        return id === undefined ? null : this.findConversion(id);
      }
      case "conversion":
        return this.findConversion(need.conversion_id);
      case "count":
        return this.#count(need.filter);
      case "postbacks":
        return this.#postbacks.filter(({ affiliate_id }) => affiliate_id === need.affiliate_id);
      case "clicks":
        return this.#page(need.filter);
      case "conversions":
        return this.#conversionPage(need.filter);
    }
  }

  apply(writes: readonly Write[]): void {
    this.#checkFresh(writes);
    // For more rows than this, a new sort takes less time than single inserts.
    if (writes.length > 1_000) this.#orders.clear();
    for (const { write, row } of writes) {
      switch (write) {
        case "click":
          this.#clicks.set(row.click_id, row);
          this.#numbers.click = row.number + 1;
          break;
        case "conversion":
          this.#conversions.set(row.conversion_id, row);
          for (const [field, rows] of this.#orders) rows.splice(placeOf(rows, row, field), 0, row);
          if (row.dedupe_key !== null) this.#byKey.set(row.dedupe_key, row.conversion_id);
          if (!this.#byClick.has(row.click_id)) this.#byClick.set(row.click_id, row.conversion_id);
          this.#numbers.conversion = row.conversion_id + 1;
          break;
        case "changed":
          this.#change(row);
          break;
        case "postback":
          this.#postbacks.push(row);
          this.#numbers.postback = row.postback_id + 1;
          break;
        case "fired":
          this.#fired.set(row.fired_id, row);
          this.#numbers.fired = Math.max(this.#numbers.fired, row.fired_id + 1);
          break;
      }
    }
  }

  fill({ clicks, conversions }: PastRows): void {
    this.apply(clicks.map((row) => ({ write: "click", row }) as const));
    this.apply(conversions.map((row) => ({ write: "conversion", row }) as const));
  }

  findConversion(conversionId: number): ConversionRow | null {
    return this.#conversions.get(conversionId) ?? null;
  }

  view({ offer_id, affiliate_id, status, text, limit }: ViewFilter): View {
    const holds = (...values: (string | number | null)[]) =>
      text === undefined ||
      values.some((value) =>
        String(value ?? "")
          .toLowerCase()
          .includes(text.toLowerCase()),
      );
    const isWhose = (row: { offer_id: number; affiliate_id: number }) =>
      (offer_id ?? row.offer_id) === row.offer_id && (affiliate_id ?? row.affiliate_id) === row.affiliate_id;
    const isSought = (row: ConversionRow | null) =>
      row !== null && isWhose(row) && (status ?? row.conversion_status) === row.conversion_status;
    const newest = <Row>(rows: Iterable<Row>, fits: (row: Row) => boolean) =>
      [...rows].filter(fits).slice(-limit).reverse();
    return {
      clicks: newest(this.#clicks.values(), (row) => isWhose(row) && holds(row.click_id, row.sub_id_1)).map((row) =>
        this.#withConversion(row),
      ),
      conversions: newest(
        this.#conversions.values(),
        (row) => isSought(row) && holds(row.click_id, row.unique_id, row.conversion_id),
      ),
      postbacks: newest(this.#fired.values(), (row) => {
        const conversion = this.findConversion(row.conversion_id);
        return isSought(conversion) && holds(conversion?.click_id ?? "", conversion?.unique_id ?? "", row.url);
      }),
    };
  }

  sums(): readonly Sum[] {
    const sums = new Map<string, { -readonly [Key in keyof Sum]: Sum[Key] }>();
    for (const { affiliate_id, conversion_status, payout_units } of this.#conversions.values()) {
      const key = `${affiliate_id} ${conversion_status}`;
      const sum = sums.get(key) ?? { affiliate_id, conversion_status, conversions: 0, payout_units: 0 };
      sum.conversions += 1;
      sum.payout_units += payout_units;
      sums.set(key, sum);
    }
    return [...sums.values()];
  }

  due(now: number, limit: number): readonly FiredPostback[] {
    return this.#waiting()
      .filter(({ next_ms }) => next_ms <= now)
      .slice(0, limit);
  }

  nextDue(): number | null {
    return this.#waiting()[0]?.next_ms ?? null;
  }

  getMeta(name: string): string | null {
    return this.#meta.get(name) ?? null;
  }

  setMeta(name: string, text: string | null): void {
    if (text === null) this.#meta.delete(name);
    else this.#meta.set(name, text);
  }

  clear(): void {
    const maps = [this.#clicks, this.#conversions, this.#byKey, this.#byClick, this.#fired, this.#orders, this.#meta];
    for (const map of maps) map.clear();
    this.#postbacks.length = 0;
    this.#numbers = { ...FIRST_NUMBERS };
  }

  /** Behaves as SQLite's keys do: where a row exists already, none of the rows is stored. */
  #checkFresh(writes: readonly Write[]): void {
    const taken = new Set<string>();
    const take = (key: string, isTaken: boolean) => {
      if (isTaken || taken.has(key)) throw new Error(`there is a row already: ${key}`);
      taken.add(key);
    };
    for (const { write, row } of writes) {
      if (write === "click") take(`click ${row.click_id}`, this.#clicks.has(row.click_id));
      if (write === "conversion") {
        take(`conversion ${row.conversion_id}`, this.#conversions.has(row.conversion_id));
        if (row.dedupe_key !== null) take(`unique id ${row.dedupe_key}`, this.#byKey.has(row.dedupe_key));
      }
    }
  }

  #waiting(): (FiredPostback & { next_ms: number })[] {
    const isWaiting = (row: FiredPostback): row is FiredPostback & { next_ms: number } => row.next_ms !== null;
    return [...this.#fired.values()].filter(isWaiting).sort((a, b) => a.next_ms - b.next_ms);
  }

  #page({ from, before, offer_id, affiliate_id, offset, limit }: ClickFilter): Page<ClickRow> {
    const found = [...this.#clicks.values()].filter(
      (row) =>
        row.click_date >= (from ?? "") &&
        (before === null || row.click_date < before) &&
        (offer_id ?? row.offer_id) === row.offer_id &&
        (affiliate_id ?? row.affiliate_id) === row.affiliate_id,
    );
    const rows = found.slice(offset, offset + limit).map((row) => this.#withConversion(row));
    return { rows, total: found.length };
  }

  #conversionPage(filter: ConversionFilter): Page<ConversionRow> {
    const { offset, limit, sort, is_descending } = filter;
    const order = this.#order(sort as SortField);
    const isMeant = filterOf(filter);
    const known = this.#countOfDates(filter);
    const rows: ConversionRow[] = [];
    let total = 0;
    // If the filter selects all rows, the page begins at its offset in the order.
    const first = known === order.length ? Math.min(offset, order.length) : 0;
    for (let index = first; index < order.length; index += 1) {
      if (known !== undefined && rows.length === limit) break;
      const row = order[is_descending ? order.length - 1 - index : index] as ConversionRow;
      if (!isMeant(row)) continue;
      if (total >= offset - first && rows.length < limit) rows.push(row);
      total += 1;
    }
    return { rows, total: known ?? total };
  }

  /** The number of rows that a filter of dates alone selects, by their order; `undefined` for any other filter. */
  #countOfDates({
    from,
    before,
    updated_from,
    is_corrected,
    unique_id,
    offer_ids,
    affiliate_id,
    statuses,
  }: ConversionFilter) {
    const others = [updated_from, is_corrected, unique_id, offer_ids, affiliate_id, statuses];
    if (others.some((other) => other !== null)) return undefined;
    const order = this.#order("conversion_date");
    const place = (date: string | null, otherwise: number) => (date === null ? otherwise : placeOfDate(order, date));
    return Math.max(0, place(before, order.length) - place(from, 0));
  }

  /** The rows in the order of a field. Sorting 100,000 rows takes longer than a scan, so each order is kept. */
  #order(field: SortField): readonly ConversionRow[] {
    const kept = this.#orders.get(field);
    if (kept !== undefined) return kept;
    const rows = sorted([...this.#conversions.values()], field);
    this.#orders.set(field, rows);
    return rows;
  }

  #change(row: ConversionRow): void {
    const before = this.#conversions.get(row.conversion_id);
    this.#conversions.set(row.conversion_id, row);
    for (const [field, rows] of this.#orders) {
      if (before !== undefined) rows.splice(placeOf(rows, before, field), 1);
      rows.splice(placeOf(rows, row, field), 0, row);
    }
  }

  #count(filter: ConversionFilter): number {
    const isMeant = filterOf(filter);
    let count = 0;
    for (const row of this.#conversions.values()) if (isMeant(row)) count += 1;
    return count;
  }

  #withConversion(click: ClickRow): ClickRow {
    return { ...click, conversion_id: this.#byClick.get(click.click_id) ?? null };
  }
}

/** A column that conversions are sorted by. */
type SortField =
  | "conversion_id"
  | "conversion_date"
  | "conversion_status"
  | "payout_units"
  | "revenue_units"
  | "offer_id"
  | "affiliate_id";

function filterOf(filter: ConversionFilter): (row: ConversionRow) => boolean {
  const { from, before, updated_from, is_corrected, unique_id, offer_ids, affiliate_id, statuses } = filter;
  return (row) =>
    (from === null || row.conversion_date >= from) &&
    (before === null || row.conversion_date < before) &&
    (updated_from === null || (row.updated_date ?? row.conversion_date) >= updated_from) &&
    (is_corrected === null || row.corrections > 0 === is_corrected) &&
    (unique_id === null || row.unique_id === unique_id) &&
    (offer_ids === null || offer_ids.includes(row.offer_id)) &&
    (affiliate_id === null || affiliate_id === row.affiliate_id) &&
    (statuses === null || statuses.includes(row.conversion_status));
}

/** Ascending; equal ones by id. */
function compare(one: ConversionRow, other: ConversionRow, field: SortField): number {
  const [left, right] = [one[field], other[field]];
  return left < right ? -1 : left > right ? 1 : one.conversion_id - other.conversion_id;
}

/** The place of a row in the order. */
function placeOf(rows: readonly ConversionRow[], row: ConversionRow, field: SortField): number {
  return placeWhere(rows, (other) => compare(other, row, field) < 0);
}

/** The place where the rows of a date begin in the order of dates. */
function placeOfDate(rows: readonly ConversionRow[], date: string): number {
  return placeWhere(rows, (row) => row.conversion_date < date);
}

function placeWhere(rows: readonly ConversionRow[], isBefore: (row: ConversionRow) => boolean): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(rows[middle] as ConversionRow)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Rows in the order of a field. The field's value and the place in the order of ids are sorted as one number, which the
 * platform sorts without callbacks.
 */
function sorted(rows: readonly ConversionRow[], field: SortField): ConversionRow[] {
  const byId = [...rows].sort((one, other) => one.conversion_id - other.conversion_id);
  const keyOf = keyFor(field, byId);
  const keys = Float64Array.from(byId, (row, place) => keyOf(row) * byId.length + place);
  if (keys.some((key) => !Number.isSafeInteger(key))) return byId.sort((one, other) => compare(one, other, field));
  keys.sort();
  return Array.from(keys, (key) => byId[((key % byId.length) + byId.length) % byId.length] as ConversionRow);
}

/** Maps rows to numbers in the order of a field's values; NaN where a value has none. */
function keyFor(field: SortField, rows: readonly ConversionRow[]): (row: ConversionRow) => number {
  if (field === "conversion_status") {
    const words = [...new Set(rows.map((row) => row.conversion_status))].sort();
    const ranks = new Map(words.map((word, rank) => [word, rank]));
    return (row) => ranks.get(row.conversion_status) ?? Number.NaN;
  }
  if (field !== "conversion_date") return (row) => row[field];
  return ({ conversion_date: text }) => {
    if (text.length !== 19) return Number.NaN;
    const two = (at: number) => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528;
    const day = ((two(0) * 100 + two(2) - 1_970) * 12 + two(5)) * 32 + two(8);
    return ((day * 24 + two(11)) * 60 + two(14)) * 60 + two(17);
  };
}
