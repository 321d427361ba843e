/** Windows on `node:sqlite`: one transaction each, on disk before anybody is told. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { NodeDatabase } from "../../dist/forwarder/node/sqlite.js";
import { Batch, GroupCommit, outcomeOf } from "../../dist/group-commit.js";

/** A database with a table, and what another connection sees of it. */
function opened() {
  const home = mkdtempSync(join(tmpdir(), "cake-edge-turn-"));
  const file = join(home, "shard-0.sqlite");
  const failures: unknown[] = [];
  const database = new NodeDatabase(file, (thrown) => failures.push(thrown));
  database.sql.exec("CREATE TABLE rows (number INTEGER PRIMARY KEY, text TEXT NOT NULL); CREATE TABLE others (x)");
  const reader = new DatabaseSync(file);
  onTestFinished(() => {
    reader.close();
    database.close();
    rmSync(home, { recursive: true, force: true });
  });
  const insert = (number: number, text = "") => database.sql.exec("INSERT INTO rows VALUES (?1, ?2)", number, text);
  const seen = () =>
    reader
      .prepare("SELECT number FROM rows ORDER BY number")
      .all()
      .map(({ number }) => number);
  const commit = new GroupCommit(undefined, 1, (work) => database.turn(work));
  return { database, file, failures, insert, seen, commit };
}

test("the log is written ahead and waited for", () => {
  const { database } = opened();
  expect(database.sql.exec("PRAGMA journal_mode").one()).toEqual({ journal_mode: "wal" });
  expect(database.sql.exec("PRAGMA synchronous").one()).toEqual({ synchronous: 2 });
  expect(database.sql.databaseSize).toBeGreaterThan(4_096);
  expect(() => database.sql.exec("SELECT 1 WHERE false").one()).toThrow("one row");
});

test("nobody is told of a job before the whole window is on disk", async () => {
  const { insert, seen, commit } = opened();
  const told: unknown[] = [];
  const jobs = [1, 2, 3].map((number) =>
    commit.next(() => {
      insert(number);
      // In the window nothing is committed yet, for another connection.
      expect(seen()).toEqual([]);
      return number;
    }),
  );
  for (const job of jobs) void job.then((number) => told.push([number, seen()]));
  await Promise.all(jobs);
  expect(told).toEqual([1, 2, 3].map((number) => [number, [1, 2, 3]]));
});

test("a job that throws takes only itself back, and its transaction whole", async () => {
  const { database, insert, seen, commit, failures } = opened();
  const good = commit.next(() => insert(1));
  const bad = commit.next(() =>
    database.transactionSync(() => {
      insert(2);
      // Within another one, undone alone.
      expect(() =>
        database.transactionSync(() => {
          insert(3);
          throw new Error("inner");
        }),
      ).toThrow("inner");
      insert(1);
    }),
  );
  const last = commit.next(() => insert(4));
  await expect(bad).rejects.toThrow("UNIQUE");
  await Promise.all([good, last]);
  expect(seen()).toEqual([1, 4]);
  expect(failures).toEqual([]);
});

test("a disk that is full rejects every job of the window, stores none of it, and is the end", async () => {
  const { database, insert, seen, commit, failures, file } = opened();
  await commit.next(() => insert(1));
  // As a disk that has three pages left.
  const pages = database.sql.databaseSize / 4_096 + 3;
  database.sql.exec(`PRAGMA max_page_count = ${pages}`);
  const small = commit.next(() => insert(2));
  const large = commit.next(() => insert(3, "x".repeat(100_000)));
  const after = commit.next(() => insert(4));
  for (const job of [small, large, after]) await expect(job).rejects.toThrow("full");
  expect(seen()).toEqual([1]);
  expect(failures).toHaveLength(1);
  // What is in memory may be ahead: nothing goes on.
  await expect(commit.next(() => 5)).rejects.toThrow("full");
  expect(() => database.sql.exec("SELECT 1")).toThrow("full");
  expect(() => database.transactionSync(() => undefined)).toThrow("full");
  const again = new NodeDatabase(file);
  expect(again.sql.exec("SELECT count(*) AS it FROM rows").one()).toEqual({ it: 1 });
  again.close();
});

test("a COMMIT that fails rejects every job of its window", async () => {
  const { database, insert, seen, commit, failures } = opened();
  await commit.next(() => insert(1));
  const jobs = [
    commit.next(() => insert(2)),
    // As where SQLite has taken the transaction back by itself.
    commit.next(() => void database.sql.exec("ROLLBACK")),
  ];
  for (const job of jobs) await expect(job).rejects.toThrow("no transaction is active");
  expect(seen()).toEqual([1]);
  expect(failures).toHaveLength(1);
});

test("the items of a batch are one job in the place of the first, each with its own outcome", async () => {
  const { insert, seen, commit } = opened();
  const order: string[] = [];
  const batch = new Batch<number, number>(commit, (items) => {
    order.push(`batch of ${items}`);
    return items.map((item) =>
      outcomeOf(() => {
        if (item === 2) throw new Error("not this one");
        insert(item);
        return 10 * item;
      }),
    );
  });
  const note = (name: string) => commit.next(() => void order.push(name));
  const jobs = [note("before"), batch.next(1), note("between"), batch.next(2), batch.next(3)] as const;
  await expect(jobs[3]).rejects.toThrow("not this one");
  expect(await Promise.all([jobs[1], jobs[4]])).toEqual([10, 30]);
  expect(order).toEqual(["before", "batch of 1,2,3", "between"]);
  expect(seen()).toEqual([1, 3]);
  expect(await batch.next(4)).toBe(40);
});

test("a window that cannot begin rejects all items of its batch, and the next window begins anew", async () => {
  const { insert, seen, commit, file } = opened();
  const batch = new Batch<number, void>(commit, (items) => items.map((item) => outcomeOf(() => void insert(item))));
  const other = new DatabaseSync(file);
  other.exec("BEGIN IMMEDIATE");
  for (const job of [batch.next(1), batch.next(2)]) await expect(job).rejects.toThrow("locked");
  other.exec("ROLLBACK");
  other.close();
  await batch.next(3);
  expect(seen()).toEqual([3]);
});

test("the most urgent job ends a window, and a patient one alone is done too", async () => {
  const commit = new GroupCommit();
  const done: string[] = [];
  const patient = commit.next(() => done.push("patient"), 60_000);
  await commit.next(() => done.push("urgent"));
  await patient;
  expect(done).toEqual(["patient", "urgent"]);
  await commit.next(() => done.push("alone"), 5);
  expect(done).toHaveLength(3);
});

test("a file that somebody else holds is waited for no longer than five seconds, and nothing is the worse for it", async () => {
  const { database, insert, seen, commit, failures, file } = opened();
  database.opened();
  const other = new DatabaseSync(file);
  other.exec("BEGIN IMMEDIATE");
  const startMs = performance.now();
  // Whoever else has work in this process does it meanwhile.
  let turns = 0;
  const clock = setInterval(() => {
    turns += 1;
  }, 10);
  await expect(commit.next(() => insert(1))).rejects.toThrow("locked");
  expect(performance.now() - startMs).toBeGreaterThan(4_900);
  expect(performance.now() - startMs).toBeLessThan(7_000);
  expect(turns).toBeGreaterThan(250);
  clearInterval(clock);
  // The next ones need not wait for that long to be told.
  const laterMs = performance.now();
  await expect(commit.next(() => insert(1))).rejects.toThrow("locked");
  expect(performance.now() - laterMs).toBeLessThan(500);
  other.exec("ROLLBACK");
  other.close();
  await commit.next(() => insert(1));
  expect(seen()).toEqual([1]);
  expect(failures).toEqual([]);
});

test("jobs that come while somebody else holds the file are done in their order once it is free", async () => {
  const { database, insert, seen, commit, file } = opened();
  database.opened();
  const other = new DatabaseSync(file);
  other.exec("BEGIN IMMEDIATE");
  const done: number[] = [];
  const batch = new Batch<number, void>(commit, (items) => items.map((item) => outcomeOf(() => void done.push(item))));
  const jobs: Promise<unknown>[] = [];
  for (const number of [1, 2, 3]) {
    jobs.push(
      commit.next(() => insert(number)).then(() => done.push(10 * number)),
      batch.next(number),
    );
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  expect(done).toEqual([]);
  other.exec("ROLLBACK");
  other.close();
  await Promise.all(jobs);
  expect(done).toEqual([1, 2, 3, 10, 20, 30]);
  expect(seen()).toEqual([1, 2, 3]);
});
