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
        return this.#matching(need.filter).length;
      case "postbacks":
        return this.#postbacks.filter(({ affiliate_id }) => affiliate_id === need.affiliate_id);
      case "clicks":
        return this.#page(need.filter);
      case "conversions": {
        const { offset, limit, sort, is_descending } = need.filter;
        const found = this.#matching(need.filter);
        return { rows: sortedPage(found, sort, is_descending, offset, offset + limit), total: found.length };
      }
    }
  }

  apply(writes: readonly Write[]): void {
    this.#checkFresh(writes);
    for (const { write, row } of writes) {
      switch (write) {
        case "click":
          this.#clicks.set(row.click_id, row);
          this.#numbers.click = row.number + 1;
          break;
        case "conversion":
          this.#conversions.set(row.conversion_id, row);
          if (row.dedupe_key !== null) this.#byKey.set(row.dedupe_key, row.conversion_id);
          if (!this.#byClick.has(row.click_id)) this.#byClick.set(row.click_id, row.conversion_id);
          this.#numbers.conversion = row.conversion_id + 1;
          break;
        case "changed":
          this.#conversions.set(row.conversion_id, row);
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
    for (const map of [this.#clicks, this.#conversions, this.#byKey, this.#byClick, this.#fired, this.#meta]) {
      map.clear();
    }
    this.#postbacks.length = 0;
    this.#numbers = { ...FIRST_NUMBERS };
  }

  /** Behaves as SQLite's keys do: an existing row is not overwritten, and then none of the rows is stored. */
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

  #matching(filter: ConversionFilter) {
    const { from, before, updated_from, is_corrected, unique_id, offer_ids, affiliate_id, statuses } = filter;
    const found: ConversionRow[] = [];
    for (const row of this.#conversions.values()) {
      const isMeant =
        (from === null || row.conversion_date >= from) &&
        (before === null || row.conversion_date < before) &&
        (row.updated_date ?? row.conversion_date) >= (updated_from ?? "") &&
        (is_corrected === null || row.corrections > 0 === is_corrected) &&
        (unique_id === null || row.unique_id === unique_id) &&
        (offer_ids === null || offer_ids.includes(row.offer_id)) &&
        (affiliate_id ?? row.affiliate_id) === row.affiliate_id &&
        (statuses === null || statuses.includes(row.conversion_status));
      if (isMeant) found.push(row);
    }
    return found;
  }

  #withConversion(click: ClickRow): ClickRow {
    return { ...click, conversion_id: this.#byClick.get(click.click_id) ?? null };
  }
}

/**
 * The rows from `start` to before `end` in their order; the id decides between equal ones. Only the part with that page
 * is sorted (quickselect): sorting all of 100,000 rows takes ten times as long.
 */
function sortedPage(
  rows: ConversionRow[],
  sort: string,
  isDescending: boolean,
  start: number,
  end: number,
): ConversionRow[] {
  const column = sort as keyof ConversionRow;
  const keys = rows.map((row) => row[column] ?? "");
  const ids = rows.map((row) => row.conversion_id);
  const sign = isDescending ? -1 : 1;
  const compare = (a: number, b: number) => {
    const [left, right] = [keys[a] as string | number, keys[b] as string | number];
    return sign * (left < right ? -1 : left > right ? 1 : (ids[a] as number) - (ids[b] as number));
  };
  const order = Uint32Array.from(rows, (_, index) => index);
  const parts: [low: number, high: number][] = [[0, order.length - 1]];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const [low, high] = part;
    if (low >= high || high < start || low >= end) continue;
    if (high - low < 1_000) {
      order.subarray(low, high + 1).sort(compare);
      continue;
    }
    const middle = partition(order, low, high, compare);
    parts.push([low, middle], [middle + 1, high]);
  }
  return [...order.subarray(start, end)].map((index) => rows[index] as ConversionRow);
}

/** Hoare's partition: no element up to the returned index sorts after an element behind that index. */
function partition(order: Uint32Array, low: number, high: number, compare: (a: number, b: number) => number): number {
  const at = (index: number) => order[index] as number;
  const [first, second, third] = [at(low), at((low + high) >> 1), at(high)].sort(compare);
  const pivot = second ?? first ?? third ?? 0;
  let [left, right] = [low - 1, high + 1];
  for (;;) {
    do left += 1;
    while (compare(at(left), pivot) < 0);
    do right -= 1;
    while (compare(at(right), pivot) > 0);
    if (left >= right) return right === high ? high - 1 : right;
    [order[left], order[right]] = [at(right), at(left)];
  }
}
