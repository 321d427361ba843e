/** The contract of a sandbox's store, the same for memory and for the SQLite of a Durable Object. */
import { env, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { MemoryStore, type StoreSnapshot } from "../../dist/sandbox/memory-store.js";
import type { ClickRow, ConversionRow, FiredPostback } from "../../dist/sandbox/rows.js";
import { SqlStore } from "../../dist/sandbox/sql-store.js";
import type { ConversionFilter, Need, Store, ViewFilter, Write } from "../../dist/sandbox/store.js";

const namespace = (env as unknown as { NETWORK: DurableObjectNamespace }).NETWORK;
let objects = 0;

/** Runs the job with a new store of the kind. */
const KINDS: Record<string, (job: (store: Store) => void) => Promise<void>> = {
  memory: async (job) => job(new MemoryStore()),
  SQLite: (job) => {
    objects += 1;
    const stub = namespace.getByName(`store contract ${objects}`);
    return runInDurableObject(stub, (_, { storage }) => job(new SqlStore(storage)));
  },
};

const clickRow = (number: number, more: Partial<ClickRow> = {}): ClickRow => ({
  number,
  click_id: `click-${number}`,
  click_date: `2026-06-19 14:30:${String(number).padStart(2, "0")}`,
  offer_id: 12_345,
  affiliate_id: 67_890,
  creative_id: 12,
  sub_id_1: null,
  sub_id_2: null,
  sub_id_3: null,
  sub_id_4: null,
  sub_id_5: null,
  ip_address: "203.0.113.1",
  country: "US",
  ...more,
});

const conversionRow = (conversion_id: number, more: Partial<ConversionRow> = {}): ConversionRow => ({
  conversion_id,
  click_id: "click-1",
  offer_id: 12_345,
  affiliate_id: 67_890,
  payout: "18.00",
  payout_units: 180_000,
  revenue: "22.00",
  revenue_units: 220_000,
  unique_id: null,
  dedupe_key: null,
  order_id: null,
  conversion_date: "2026-06-19 14:30:00",
  conversion_status: "approved",
  adv1: null,
  adv2: null,
  adv3: null,
  adv4: null,
  adv5: null,
  event_id: null,
  order_total: null,
  currency: null,
  coupons: null,
  udid: null,
  note: null,
  updated_date: null,
  corrections: 0,
  ...more,
});

const firedRow = (fired_id: number, more: Partial<FiredPostback> = {}): FiredPostback => ({
  fired_id,
  postback_id: 1,
  conversion_id: 998_877,
  event: "conversion",
  postback_type: "Server",
  url: "http://127.0.0.1/p",
  state: "due",
  status: null,
  attempts: 0,
  at_ms: 1_000,
  answered_ms: null,
  next_ms: 1_000,
  ...more,
});

const click = (number: number, more?: Partial<ClickRow>): Write => ({ write: "click", row: clickRow(number, more) });
const conversion = (id: number, more?: Partial<ConversionRow>): Write => ({
  write: "conversion",
  row: conversionRow(id, more),
});
const fired = (id: number, more?: Partial<FiredPostback>): Write => ({ write: "fired", row: firedRow(id, more) });

const everything: ConversionFilter = {
  from: null,
  before: null,
  updated_from: null,
  is_corrected: null,
  unique_id: null,
  offer_ids: null,
  affiliate_id: null,
  statuses: null,
  offset: 0,
  limit: 100,
  sort: "conversion_date",
  is_descending: false,
  is_whole: false,
};

const idsOf = (store: Store, filter: Partial<ConversionFilter>) => {
  const need: Need = { need: "conversions", filter: { ...everything, ...filter } };
  const { rows, total } = store.load(need) as { rows: ConversionRow[]; total: number };
  return [rows.map(({ conversion_id }) => conversion_id), total];
};

describe.each(Object.keys(KINDS))("a store in %s", (kind) => {
  const withStore = (job: (store: Store) => void) => KINDS[kind]?.(job);

  test("an empty store has the first numbers, no rows and nothing due", () =>
    withStore((store) => {
      expect(store.numbers()).toEqual({ click: 1, conversion: 998_877, postback: 8_801, fired: 1 });
      expect(store.load({ need: "click", click_id: "none" })).toBeNull();
      expect(store.load({ need: "duplicate", dedupe_key: "none" })).toBeNull();
      expect(store.load({ need: "conversion", conversion_id: 1 })).toBeNull();
      expect(store.load({ need: "postbacks", affiliate_id: 1 })).toEqual([]);
      expect(idsOf(store, {})).toEqual([[], 0]);
      expect([store.due(9_999, 10), store.nextDue(), store.sums()]).toEqual([[], null, []]);
    }));

  test("what is stored comes back as it was, and numbers go on behind it", () =>
    withStore((store) => {
      const postback = {
        postback_id: 8_801,
        affiliate_id: 67_890,
        offer_id: 0,
        postback_url: "https://a.example/?id=#reqsessid#",
        postback_status: "active",
        postback_type_id: 1,
      };
      store.apply([
        click(1, { sub_id_1: "ä🍰", country: null }),
        conversion(998_877, { unique_id: "U", dedupe_key: "12345:U", payout: "0.0001", payout_units: 1 }),
        { write: "postback", row: postback },
        fired(1),
      ]);
      expect(store.load({ need: "click", click_id: "click-1" })).toEqual({
        ...clickRow(1, { sub_id_1: "ä🍰", country: null }),
        conversion_id: 998_877,
      });
      const row = conversionRow(998_877, {
        unique_id: "U",
        dedupe_key: "12345:U",
        payout: "0.0001",
        payout_units: 1,
      });
      expect(store.findConversion(998_877)).toEqual(row);
      expect(store.load({ need: "duplicate", dedupe_key: "12345:U" })).toEqual(row);
      expect(store.load({ need: "postbacks", affiliate_id: 67_890 })).toEqual([postback]);
      expect(store.load({ need: "postbacks", affiliate_id: 1 })).toEqual([]);
      expect(store.due(1_000, 10)).toEqual([firedRow(1)]);
      expect(store.numbers()).toEqual({ click: 2, conversion: 998_878, postback: 8_802, fired: 2 });
    }));

  test("a click shows its first conversion", () =>
    withStore((store) => {
      store.apply([click(1), conversion(998_877), conversion(998_878)]);
      expect(store.load({ need: "click", click_id: "click-1" })).toMatchObject({ conversion_id: 998_877 });
    }));

  test("writes are stored all or not at all", () =>
    withStore((store) => {
      store.apply([conversion(998_877, { unique_id: "U", dedupe_key: "1:U" })]);
      const again: Write[] = [click(1), conversion(998_878, { unique_id: "U", dedupe_key: "1:U" }), fired(1)];
      expect(() => store.apply(again)).toThrow();
      expect(() => store.apply([click(1), click(2, { click_id: "click-1" })])).toThrow();
      expect(() => store.apply([click(1), conversion(998_877)])).toThrow();
      expect(store.load({ need: "click", click_id: "click-1" })).toBeNull();
      expect(store.findConversion(998_878)).toBeNull();
      expect(store.nextDue()).toBeNull();
      expect(store.numbers()).toEqual({ click: 1, conversion: 998_878, postback: 8_801, fired: 1 });
    }));

  test("conversions are filtered, sorted both ways with equal ones by id, and paged with the whole count", () =>
    withStore((store) => {
      const rows = [
        { payout_units: 30, conversion_date: "2026-06-19 10:00:00", conversion_status: "approved" },
        { payout_units: 10, conversion_date: "2026-06-20 00:00:00", conversion_status: "pending", offer_id: 2 },
        { payout_units: 20, conversion_date: "2026-06-19 09:00:00", conversion_status: "approved", affiliate_id: 3 },
        { payout_units: 10, conversion_date: "2026-06-19 10:00:00", conversion_status: "rejected" },
      ];
      store.apply(rows.map((row, index) => conversion(index + 1, row)));
      expect(idsOf(store, {})).toEqual([[3, 1, 4, 2], 4]);
      expect(idsOf(store, { is_descending: true })).toEqual([[2, 4, 1, 3], 4]);
      expect(idsOf(store, { sort: "payout_units" })).toEqual([[2, 4, 3, 1], 4]);
      expect(idsOf(store, { sort: "payout_units", is_descending: true })).toEqual([[1, 3, 4, 2], 4]);
      expect(idsOf(store, { sort: "conversion_status", offset: 1, limit: 2 })).toEqual([[3, 2], 4]);
      expect(idsOf(store, { from: "2026-06-19 10:00:00", before: "2026-06-20 00:00:00" })).toEqual([[1, 4], 2]);
      expect(idsOf(store, { offer_ids: [2, 9] })).toEqual([[2], 1]);
      expect(idsOf(store, { offer_ids: [] })).toEqual([[], 0]);
      expect(idsOf(store, { affiliate_id: 3 })).toEqual([[3], 1]);
      expect(idsOf(store, { statuses: ["pending", "rejected"] })).toEqual([[4, 2], 2]);
      expect(idsOf(store, { offset: 9 })).toEqual([[], 4]);
      expect(store.load({ need: "count", filter: { ...everything, statuses: ["approved"] } })).toBe(2);
      const changed = {
        conversion_status: "approved",
        unique_id: "U-2",
        updated_date: "2026-07-01 00:00:00",
        corrections: 1,
      };
      store.apply([{ write: "changed", row: conversionRow(2, changed) }]);
      expect(idsOf(store, { updated_from: "2026-06-30 00:00:00" })).toEqual([[2], 1]);
      expect(idsOf(store, { is_corrected: true, is_whole: true })).toEqual([[2], 1]);
      expect(idsOf(store, { is_corrected: false })[1]).toBe(3);
      expect(idsOf(store, { unique_id: "U-2" })).toEqual([[2], 1]);
      expect(store.load({ need: "count", filter: { ...everything, statuses: ["approved"] } })).toBe(3);
    }));

  test("every order stays one while rows arrive, change and are filled in", () =>
    withStore((store) => {
      const fields = ["conversion_id", "conversion_date", "conversion_status", "payout_units", "revenue_units"];
      const sorts = [...fields, "offer_id", "affiliate_id"] as (keyof ConversionRow)[];
      const row = (id: number, seed: number) =>
        conversionRow(id, {
          payout_units: (seed * 7) % 5,
          revenue_units: seed % 2 ? 10 ** 15 + seed : -seed,
          conversion_date: `2026-06-${10 + (seed % 9)} 00:00:00`,
          conversion_status: ["approved", "pending", "rejected"][seed % 3] as string,
          offer_id: 1 + (seed % 4),
          affiliate_id: 1 + ((seed * 3) % 7),
          unique_id: `U-${id}`,
        });
      const rows = new Map<number, ConversionRow>();
      const expectOrders = () => {
        for (const sort of sorts) {
          const all = [...rows.values()].sort((one, other) => {
            const [left, right] = [one[sort] as string | number, other[sort] as string | number];
            return left < right ? -1 : left > right ? 1 : one.conversion_id - other.conversion_id;
          });
          const ids = all.map((each) => each.conversion_id);
          const page = { sort, offset: 3, limit: 5 };
          expect(idsOf(store, page), sort).toEqual([ids.slice(3, 8), ids.length]);
          expect(idsOf(store, { ...page, is_descending: true }), sort).toEqual([
            [...ids].reverse().slice(3, 8),
            ids.length,
          ]);
          const some = all.filter((each) => each.affiliate_id === 1).map((each) => each.conversion_id);
          expect(idsOf(store, { ...page, offset: 0, affiliate_id: 1 }), sort).toEqual([some.slice(0, 5), some.length]);
        }
      };
      for (let id = 1; id <= 20; id += 1) rows.set(id, row(id, id * 13));
      store.fill({ clicks: [], conversions: [...rows.values()] });
      expectOrders();
      for (let id = 21; id <= 30; id += 1) {
        rows.set(id, row(id, id * 11));
        store.apply([{ write: "conversion", row: rows.get(id) as ConversionRow }]);
        rows.set(id - 10, row(id - 10, id * 5));
        store.apply([{ write: "changed", row: rows.get(id - 10) as ConversionRow }]);
      }
      expectOrders();
    }));

  test("clicks are filtered and paged by their numbers", () =>
    withStore((store) => {
      store.apply([click(1), click(2, { offer_id: 2 }), click(3, { affiliate_id: 3 }), click(4)]);
      const clicks = (more: object) => {
        const filter = { from: null, before: null, offer_id: null, affiliate_id: null, offset: 0, limit: 9, ...more };
        const { rows, total } = store.load({ need: "clicks", filter }) as { rows: ClickRow[]; total: number };
        return [rows.map(({ number }) => number), total];
      };
      expect(clicks({})).toEqual([[1, 2, 3, 4], 4]);
      expect(clicks({ offset: 1, limit: 2 })).toEqual([[2, 3], 4]);
      expect(clicks({ offer_id: 2 })).toEqual([[2], 1]);
      expect(clicks({ affiliate_id: 3 })).toEqual([[3], 1]);
      expect(clicks({ from: "2026-06-19 14:30:02", before: "2026-06-19 14:30:04" })).toEqual([[2, 3], 2]);
    }));

  test("what a person looks for is found, its wildcards and capitals as they are", () =>
    withStore((store) => {
      store.apply([
        click(1, { sub_id_1: "100%_off" }),
        click(2, { sub_id_1: "100 off" }),
        conversion(998_877, { unique_id: "Ord-1" }),
        conversion(998_878, { conversion_status: "pending", affiliate_id: 3 }),
        fired(1, { url: "http://127.0.0.1/special" }),
      ]);
      const view = (filter: Partial<ViewFilter>) => {
        const { clicks, conversions, postbacks } = store.view({ limit: 10, ...filter });
        return [
          clicks.map(({ number }) => number),
          conversions.map(({ conversion_id }) => conversion_id),
          postbacks.map(({ fired_id }) => fired_id),
        ];
      };
      expect(view({})).toEqual([[2, 1], [998_878, 998_877], [1]]);
      expect(view({ limit: 1 })).toEqual([[2], [998_878], [1]]);
      expect(view({ text: "0%_O" })[0]).toEqual([1]);
      expect(view({ text: "ord-1" })).toEqual([[], [998_877], [1]]);
      expect(view({ text: "special" })).toEqual([[], [], [1]]);
      expect(view({ text: "998878" })[1]).toEqual([998_878]);
      expect(view({ status: "pending" })).toEqual([[2, 1], [998_878], []]);
      expect(view({ affiliate_id: 3 })).toEqual([[], [998_878], []]);
      expect(view({ offer_id: 9 })).toEqual([[], [], []]);
    }));

  test("what is due comes by its time, and is due no more once it is settled", () =>
    withStore((store) => {
      store.apply([conversion(998_877), fired(1, { next_ms: 3_000 }), fired(2, { next_ms: 1_000 })]);
      expect(store.nextDue()).toBe(1_000);
      expect(store.due(999, 10)).toEqual([]);
      expect(store.due(3_000, 10).map(({ fired_id }) => fired_id)).toEqual([2, 1]);
      expect(store.due(3_000, 1).map(({ fired_id }) => fired_id)).toEqual([2]);
      store.apply([fired(2, { state: "delivered", next_ms: null })]);
      expect(store.nextDue()).toBe(3_000);
      expect(store.numbers().fired).toBe(3);
    }));

  test("sums are by affiliate and status", () =>
    withStore((store) => {
      store.apply([
        conversion(1, { payout_units: 1 }),
        conversion(2, { payout_units: 2 }),
        conversion(3, { payout_units: 4, conversion_status: "pending" }),
        conversion(4, { payout_units: 8, affiliate_id: 3 }),
      ]);
      const sums = store.sums().map((sum) => Object.values({ ...sum }).join(" "));
      expect(sums.sort()).toEqual(["3 approved 1 8", "67890 approved 2 3", "67890 pending 1 4"]);
    }));

  test("a made-up past is filled in beside what is there, and texts are kept by their names", () =>
    withStore((store) => {
      store.apply([click(1)]);
      store.fill({ clicks: [clickRow(2), clickRow(3)], conversions: [conversionRow(998_877)] });
      expect(store.numbers()).toMatchObject({ click: 4, conversion: 998_878 });
      expect(store.getMeta("clock")).toBeNull();
      store.setMeta("clock", "one");
      store.setMeta("clock", "two");
      store.setMeta("faults", "three");
      expect([store.getMeta("clock"), store.getMeta("faults")]).toEqual(["two", "three"]);
      store.setMeta("clock", null);
      expect(store.getMeta("clock")).toBeNull();
      store.clear();
      expect([store.numbers().click, store.getMeta("faults"), idsOf(store, {})]).toEqual([1, null, [[], 0]]);
    }));
});

test("a store of version 0.1.0, whose texts were in a table `memory`, is read", async () => {
  const stub = namespace.getByName("an older store");
  await runInDurableObject(stub, (_, { storage }) => {
    storage.sql.exec("ALTER TABLE meta RENAME TO memory");
    storage.sql.exec("INSERT INTO memory (name, text) VALUES ('settings', 'kept')");
    expect(new SqlStore(storage).getMeta("settings")).toBe("kept");
    expect(new SqlStore(storage).getMeta("settings")).toBe("kept");
  });
  const older = { writes: [click(1)], memory: [["settings", "kept"]] } as unknown as StoreSnapshot;
  const store = new MemoryStore(older);
  expect([store.getMeta("settings"), store.numbers().click]).toEqual(["kept", 2]);
  expect(new MemoryStore(store.snapshot()).getMeta("settings")).toBe("kept");
});
