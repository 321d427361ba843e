/** Tables of the first format are migrated, as a whole or not at all, and their content stays the same. */
import { env, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { SqlStore } from "../../dist/forwarder/sql-store.js";

const namespace = (env as unknown as { WISHED: DurableObjectNamespace }).WISHED;
const RETENTION_MS = 30 * 86_400_000;
const NOW_MS = 1_790_000_000_000;
let objects = 0;

/** Runs in the storage of a new object with the first release's tables. */
const within = (work: (storage: DurableObjectStorage) => void, events = 40): Promise<void> =>
  runInDurableObject(namespace.getByName(`migration ${objects++}`), async (_, { storage }) => {
    await storage.deleteAlarm();
    await storage.deleteAll();
    fill(storage.sql, events);
    work(storage);
  });

/** The tables as the first release made them. */
function fill(sql: SqlStorage, events: number): void {
  sql.exec(`
    CREATE TABLE events (
      number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, offer_id INTEGER NOT NULL, text TEXT NOT NULL,
      accepted_at TEXT NOT NULL, accepted_ms INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'pending',
      attempts INTEGER NOT NULL DEFAULT 0, is_in_doubt INTEGER NOT NULL DEFAULT 0, next_ms INTEGER,
      code TEXT NOT NULL DEFAULT '', words TEXT NOT NULL DEFAULT '', conversion_id INTEGER, changed_ms INTEGER NOT NULL);
    CREATE INDEX events_due ON events (next_ms) WHERE next_ms IS NOT NULL;
    CREATE INDEX events_failed ON events (state, number) WHERE state IN ('refused', 'dead');
    CREATE TABLE claims (claim TEXT PRIMARY KEY, id TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE webhooks (id TEXT PRIMARY KEY, digest TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE counts (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE memory (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
    INSERT INTO memory VALUES ('paused', 'unauthorized'), ('id secret', '1.2.3');
    INSERT INTO webhooks VALUES ('hook', 'digest', ${NOW_MS});
    INSERT INTO counts VALUES ('state delivered', 1), ('hour 497222 delivered', 9), ('hour 497223 retried', 2)`);
  // Each four events: one waits untried, one waits after an attempt, one is delivered, one is refused. Some are gone.
  sql.exec(
    `WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?1)
     INSERT INTO events (number, id, offer_id, text, accepted_at, accepted_ms, state, attempts, next_ms, code, words, conversion_id, changed_ms)
     SELECT number, 'id-' || number, 12345, 'text ' || number, '', ?2 + number,
       CASE number % 4 WHEN 0 THEN 'pending' WHEN 1 THEN 'pending' WHEN 2 THEN 'delivered' ELSE 'refused' END,
       number % 4, CASE number % 4 WHEN 0 THEN ?2 + number WHEN 1 THEN ?2 + 5000 + number END,
       CASE number % 4 WHEN 1 THEN 'network' WHEN 3 THEN 'refused' ELSE '' END,
       CASE number % 4 WHEN 3 THEN 'CAKE said: no' ELSE '' END,
       CASE number % 4 WHEN 2 THEN number END, ?2 + number
     FROM numbers WHERE number % 10 <> 7`,
    events,
    NOW_MS,
  );
  sql.exec("INSERT INTO claims SELECT 'claim ' || number, id, accepted_ms FROM events");
}

/** All answers of a store about its events. */
const told = (store: SqlStore) => ({
  list: store.list({ limit: 999 }).map((row) => ({ ...row })),
  failed: store.list({ limit: 999, state: "failed" }).length,
  due: store.due(NOW_MS + 9_000, 999).map(({ id }) => id),
  nextDue: store.nextDue(NOW_MS + 1_000),
  counts: Object.fromEntries(store.stateCounts()),
  claim: store.findClaim("claim 5"),
  paused: store.getMeta("paused"),
  secret: store.getMeta("id secret"),
  hours: JSON.parse(store.getMeta("hours") ?? "{}"),
  webhook: store.webhook("hook", "another", NOW_MS),
});

test("what the first release has stored is found, counted, settled and followed by what is new", async () => {
  await within((storage) => {
    const store = new SqlStore(storage, RETENTION_MS);
    const { list, failed, due, nextDue, counts, claim, paused, secret, hours, webhook } = told(store);
    expect(list).toHaveLength(36);
    expect(list.map(({ number }) => number)).toEqual(list.map(({ number }) => number).toSorted((a, b) => b - a));
    expect(store.find("id-3")).toMatchObject({ state: "refused", upstream_message: "CAKE said: no", order_key: "" });
    const of = (state: string) => list.filter((row) => row.state === state).length;
    expect(counts).toEqual({ pending: of("pending"), delivered: of("delivered"), refused: of("refused") });
    expect(failed).toBe(of("refused"));
    expect(due).toHaveLength(of("pending"));
    expect(nextDue).toBe(NOW_MS + 4);
    expect([claim?.id, paused, secret, webhook]).toEqual(["id-5", "unauthorized", "1.2.3", "digest"]);
    expect(hours).toEqual({ "497222 delivered": 9, "497223 retried": 2 });

    const row = store.find("id-4");
    if (row === undefined) throw new Error("it is gone");
    store.settle([{ ...row, state: "delivered", next_ms: null, conversion_id: 4, changed_ms: NOW_MS }]);
    store.transaction(() => store.insert([{ id: "new", offerId: 1, text: "t", acceptedAt: "" }], NOW_MS));
    const again = new SqlStore(storage, RETENTION_MS);
    expect(again.find("id-4")).toMatchObject({ state: "delivered", conversion_id: 4 });
    expect(again.list({ limit: 1 })[0]).toMatchObject({ id: "new", number: 41 });
    expect(Object.fromEntries(again.stateCounts())).toMatchObject({
      pending: of("pending"),
      delivered: of("delivered") + 1,
    });
  });
});

test("tables without corrections get them, whole or not at all, and what is in them is a conversion", async () => {
  const before = (storage: DurableObjectStorage) => {
    // A table of the first format that was set aside, a retired table, and the newest.
    const store = new SqlStore(storage, RETENTION_MS);
    store.transaction(() => store.insert([{ id: "old", offerId: 1, text: "t", acceptedAt: "" }], NOW_MS));
    const later = new SqlStore(storage, RETENTION_MS);
    later.transaction(() =>
      later.insert([{ id: "new", offerId: 1, text: "t", acceptedAt: "" }], NOW_MS + RETENTION_MS),
    );
    const tables = storage.sql.exec("SELECT id, suffix FROM partitions").toArray();
    expect(tables).toHaveLength(3);
    for (const { id, suffix } of tables) {
      const name = suffix === "_legacy" ? "legacy" : String(id);
      for (const index of ["corrections", "conversion"]) storage.sql.exec(`DROP INDEX events_${index}_${name}`);
      storage.sql.exec(`ALTER TABLE events${suffix} DROP COLUMN kind`);
    }
    storage.sql.exec("UPDATE meta SET text = '2' WHERE name = 'schema'");
  };
  let expected: unknown;
  let statements = 0;
  await within((storage) => {
    before(storage);
    const { exec } = counting(storage);
    const store = new SqlStore(exec, RETENTION_MS);
    statements = exec.count;
    expected = told(store);
    expect(store.list({ limit: 999 }).every(({ kind }) => kind === "conversion")).toBe(true);
    expect([...store.correctionCounts()]).toEqual([]);
    const correction = { id: "c", kind: "correction", offerId: 1, text: "t", acceptedAt: "", order: "=old" } as const;
    store.transaction(() => store.insert([correction], NOW_MS + RETENTION_MS));
    expect(new SqlStore(storage, RETENTION_MS).siblings("=old")).toMatchObject([{ id: "c", kind: "correction" }]);
    expect([...store.correctionCounts()]).toEqual([["pending", 1]]);
  });
  for (let broken = 1; broken <= statements; broken += 1) {
    await within((storage) => {
      before(storage);
      const { exec } = counting(storage, broken);
      try {
        new SqlStore(exec, RETENTION_MS);
      } catch (thrown) {
        expect(String(thrown)).toContain("power failure");
      }
      expect(told(new SqlStore(storage, RETENTION_MS))).toEqual(expected);
    });
  }
});

test("a crash at whatever statement leaves the first format whole, and the next start makes it today's", async () => {
  let expected: unknown;
  let statements = 0;
  await within((storage) => {
    const { exec } = counting(storage);
    expected = told(new SqlStore(exec, RETENTION_MS));
    statements = exec.count;
  });
  expect(statements).toBeGreaterThan(10);
  for (let broken = 1; broken <= statements; broken += 1) {
    await within((storage) => {
      const { exec } = counting(storage, broken);
      try {
        new SqlStore(exec, RETENTION_MS);
      } catch (thrown) {
        expect(String(thrown)).toContain("power failure");
      }
      expect(told(new SqlStore(storage, RETENTION_MS))).toEqual(expected);
    });
  }
});

test("what the first release has stored is purged in parts, to the last table", async () => {
  await within((storage) => {
    const store = new SqlStore(storage, RETENTION_MS);
    const past = NOW_MS + 2 * RETENTION_MS;
    store.transaction(() => store.insert([{ id: "new", offerId: 1, text: "t", acceptedAt: "" }], past - 1_000));
    const gone = new Map<string, number>();
    const purge = (nowMs: number) => {
      for (;;) {
        const purged = store.purge(nowMs - RETENTION_MS, nowMs - 900_000);
        for (const [state, count] of purged.gone) gone.set(state, (gone.get(state) ?? 0) + count);
        if (purged.isDone) return;
      }
    };
    purge(past);
    // Waiting events stay.
    expect(store.list({ limit: 9_999 }).every(({ state }) => state === "pending")).toBe(true);
    for (const row of store.list({ limit: 9_999 }))
      store.settle([{ ...row, state: "dead", next_ms: null, changed_ms: past }]);
    purge(past + 4 * RETENTION_MS);
    purge(past + 8 * RETENTION_MS);
    expect(store.list({ limit: 9 })).toEqual([]);
    expect([...gone.values()].reduce((sum, count) => sum + count)).toBe(3_500 * 0.9 + 1);
    const tables = storage.sql.exec("SELECT name FROM sqlite_master WHERE type = 'table'").toArray();
    expect(tables.map(({ name }) => name).filter((name) => /^(events|claims)/.test(String(name)))).toEqual(
      expect.not.arrayContaining(["events_legacy", "claims_legacy"]),
    );
  }, 3_500);
});

test("tables of a later release are left alone", async () => {
  await within((storage) => {
    void new SqlStore(storage, RETENTION_MS);
    storage.sql.exec("UPDATE meta SET text = '99' WHERE name = 'schema'");
    expect(() => new SqlStore(storage, RETENTION_MS)).toThrow("later release");
  });
});

/** A storage that counts statements, and fails at one of them. */
function counting(storage: DurableObjectStorage, broken = 0): { exec: DurableObjectStorage & { count: number } } {
  const exec = {
    count: 0,
    transactionSync: <T>(job: () => T) => storage.transactionSync(job),
    sql: {
      get databaseSize() {
        return storage.sql.databaseSize;
      },
      exec: (...args: Parameters<SqlStorage["exec"]>) => {
        exec.count += 1;
        if (exec.count === broken) throw new Error("power failure");
        return storage.sql.exec(...args);
      },
    },
  };
  return { exec: exec as never };
}
