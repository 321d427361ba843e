/** The folder of a forwarder in a Node process: its files, and the account whose events they keep. */
import { copyFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, test, vi } from "vitest";
import { openForwarder } from "../../dist/entry/forwarder-node.node.js";
import { KEY, newEvent, newFolder, OPERATOR, SITE } from "./node-place.ts";

const OPTIONS = { baseUrl: "http://127.0.0.1:1", apiKey: KEY, operatorSecret: OPERATOR, log: () => undefined };

test("a missing file of a shard is named, with and without the lock's file, until an empty one stands for it", async () => {
  const copies = newFolder();
  const open = (folder: string, more: object) => openForwarder({ ...OPTIONS, folder, ...more });
  for (const [number, lock] of [0, 2, 3].flatMap((each) => [true, false].map((there) => [each, there] as const))) {
    const folder = join(copies, `${number}-${lock}`);
    await open(folder, { shards: 2 }).close();
    await open(folder, { shards: 4, formerShards: [2] }).close();
    rmSync(join(folder, `shard-${number}.sqlite`));
    if (!lock) rmSync(join(folder, "lock.sqlite"));
    for (const shards of [4, 3]) {
      expect(() => open(folder, { shards, formerShards: [2] })).toThrow(
        `folder lacks shard-${number}.sqlite of the 4 files of this outbox`,
      );
    }
    writeFileSync(join(folder, `shard-${number}.sqlite`), "");
    // The number that the folder had before is remembered too.
    expect(() => open(folder, { shards: 4 })).toThrow(/formerShards must name 2 until/);
    await open(folder, { shards: 4, formerShards: [2] }).close();
  }
});

test.each([0, 1, 2])(
  "the ids are known by every file: shard-%s begun anew forgets its own events alone",
  async (lost) => {
    const folder = join(newFolder(), "rows");
    const headers = { origin: SITE, "content-type": "application/json" };
    const bodies = Array.from({ length: 30 }, () => JSON.stringify(newEvent()));
    const all = async () => {
      const fetch = async () => new Response("", { status: 503 });
      const forwarder = openForwarder({ ...OPTIONS, folder, shards: 3, fetch });
      const told = await Promise.all(
        bodies.map(async (body) => {
          const request = new Request(`${SITE}/cake/conversions`, { method: "POST", headers, body });
          return (await (await forwarder.fetch(request)).json()) as { id: string; duplicate: boolean };
        }),
      );
      await forwarder.close();
      return told;
    };
    const first = await all();
    writeFileSync(join(folder, `shard-${lost}.sqlite`), "");
    for (const name of ["-wal", "-shm"]) rmSync(join(folder, `shard-${lost}.sqlite${name}`), { force: true });
    const again = await all();
    expect(again.map(({ id }) => id)).toEqual(first.map(({ id }) => id));
    expect(again.filter(({ duplicate }) => duplicate).length).toBeGreaterThan(5);
    expect(again.some(({ duplicate }) => !duplicate)).toBe(true);
  },
);

test("a file that another program holds at the start is said, and is no other forwarder", async () => {
  const folder = join(newFolder(), "rows");
  await openForwarder({ ...OPTIONS, folder, shards: 2 }).close();
  const other = new DatabaseSync(join(folder, "shard-1.sqlite"));
  other.exec("BEGIN IMMEDIATE");
  expect(() => openForwarder({ ...OPTIONS, folder, shards: 2 })).toThrow(
    expect.objectContaining({
      code: "outbox_failed",
      message: expect.stringMatching(/^another program holds a file of the outbox in /),
    }),
  );
  other.exec("COMMIT");
  other.close();
  await openForwarder({ ...OPTIONS, folder, shards: 2 }).close();
}, 20_000);

test("a stop says which outcomes a held file does not take", async () => {
  const folder = join(newFolder(), "rows");
  let answer: (response: Response) => void = () => undefined;
  const fetch = () =>
    new Promise<Response>((resolve) => {
      answer = resolve;
    });
  const forwarder = openForwarder({ ...OPTIONS, folder, shards: 1, timeoutMs: 1_000, fetch });
  const headers = { origin: SITE, "content-type": "application/json" };
  const body = JSON.stringify(newEvent());
  await forwarder.fetch(new Request(`${SITE}/cake/conversions`, { method: "POST", headers, body }));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const other = new DatabaseSync(join(folder, "shard-0.sqlite"));
  other.exec("BEGIN IMMEDIATE");
  answer(Response.json({ conversion: { conversion_id: 7 } }));
  await expect(forwarder.close()).rejects.toMatchObject({
    code: "outbox_failed",
    message: expect.stringMatching(/outcomes of attempts are not stored: 1 of shard-0\.sqlite/),
  });
  other.exec("COMMIT");
  other.close();
  await openForwarder({ ...OPTIONS, folder, shards: 1 }).close();
}, 20_000);

test("a shard's file under another one's name is refused", async () => {
  const folder = join(newFolder(), "rows");
  await openForwarder({ ...OPTIONS, folder, shards: 2 }).close();
  renameSync(join(folder, "shard-0.sqlite"), join(folder, "x"));
  renameSync(join(folder, "shard-1.sqlite"), join(folder, "shard-0.sqlite"));
  renameSync(join(folder, "x"), join(folder, "shard-1.sqlite"));
  expect(() => openForwarder({ ...OPTIONS, folder, shards: 2 })).toThrow(
    /folder has in shard-0\.sqlite the rows of shard-1\.sqlite/,
  );
});

test.each(["of the same number", "under another name"])(
  "a file of another outbox %s is refused by its name",
  async (how) => {
    const home = newFolder();
    const [own, other] = ["own", "other"].map((name) => join(home, name)) as [string, string];
    for (const folder of [own, other]) await openForwarder({ ...OPTIONS, folder, shards: 3 }).close();
    copyFileSync(
      join(other, how === "under another name" ? "shard-2.sqlite" : "shard-1.sqlite"),
      join(own, "shard-1.sqlite"),
    );
    for (const lock of [true, false]) {
      if (!lock) rmSync(join(own, "lock.sqlite"));
      expect(() => openForwarder({ ...OPTIONS, folder: own, shards: 3 })).toThrow(
        how === "under another name"
          ? /folder has in shard-1\.sqlite the rows of shard-2\.sqlite/
          : /folder has files of different outboxes: shard-1\.sqlite beside shard-0\.sqlite, shard-2\.sqlite/,
      );
    }
  },
);

afterEach(() => vi.useRealTimers());

test.each([
  // The retention when the number changed, later, and on the third day.
  { days: [1, 1, 1], isNeeded: false },
  { days: [30, 30, 30], isNeeded: true },
  { days: [1, 30, 30], isNeeded: true },
  { days: [1, 1, 30], isNeeded: true },
  { days: [1, 30, 1], isNeeded: true },
  { days: [30, 1, 1], isNeeded: true },
])("a former number is needed for the longest retention since: $days days", async ({ days, isNeeded }) => {
  const [first = 0, second = 0, third = 0] = days;
  for (const hasLock of [true, false]) {
    const folder = join(newFolder(), "rows");
    vi.useFakeTimers({ toFake: ["Date"] });
    const open = (retentionDays: number, numbers: object) =>
      openForwarder({ ...OPTIONS, folder, retentionDays, ...numbers });
    await open(first, { shards: 2 }).close();
    await open(first, { shards: 3, formerShards: [2] }).close();
    await open(second, { shards: 3, formerShards: [2] }).close();
    if (!hasLock) rmSync(join(folder, "lock.sqlite"));
    vi.setSystemTime(Date.now() + 3 * 86_400_000);
    const start = () => open(third, { shards: 3 });
    if (isNeeded) expect(start).toThrow(/formerShards must name 2 until/);
    else await start().close();
    vi.useRealTimers();
  }
});

test("every spelling of an account is one account", async () => {
  const folder = join(newFolder(), "rows");
  const headers = { origin: SITE, "content-type": "application/json" };
  const body = JSON.stringify(newEvent());
  const duplicates: boolean[] = [];
  for (const baseUrl of ["https://acme.example", "https://ACME.example/", "https://acme.example:443"]) {
    const forwarder = openForwarder({
      ...OPTIONS,
      folder,
      baseUrl,
      fetch: async () => new Response("", { status: 503 }),
    });
    const request = new Request(`${SITE}/cake/conversions`, { method: "POST", headers, body });
    duplicates.push(((await (await forwarder.fetch(request)).json()) as { duplicate: boolean }).duplicate);
    await forwarder.close();
  }
  expect(duplicates).toEqual([false, true, true]);
});

test("a claim whose event was never kept, since the process ended in between, is no final answer to the click's next order", async () => {
  const folder = join(newFolder(), "rows");
  const fetch = async () => new Response("", { status: 503 });
  const headers = { origin: SITE, "content-type": "application/json" };
  const open = () => openForwarder({ ...OPTIONS, folder, shards: 4, fetch });
  const handOver = async (forwarder: ReturnType<typeof open>, conversion: object) => {
    const body = JSON.stringify(conversion);
    const answer = await forwarder.fetch(new Request(`${SITE}/cake/conversions`, { method: "POST", headers, body }));
    return { status: answer.status, ...((await answer.json()) as { error?: { code: string; retryable: boolean } }) };
  };
  const inAll = (sql: string, ...values: (string | number)[]) => {
    const found: { shard: number; row: Record<string, unknown> }[] = [];
    for (const shard of [0, 1, 2, 3]) {
      const database = new DatabaseSync(join(folder, `shard-${shard}.sqlite`));
      for (const row of database.prepare(sql).all(...values)) found.push({ shard, row });
      database.close();
    }
    return found;
  };
  let forwarder = open();
  const orders = Array.from({ length: 12 }, () => newEvent());
  for (const order of orders) expect((await handOver(forwarder, order)).status).toBe(202);
  const next = orders.map((order) => ({ ...order, uniqueId: `next ${order.uniqueId}` }));
  // The click is another order's for good.
  expect(await handOver(forwarder, next[0] ?? {})).toMatchObject({ status: 409, error: { code: "click_converted" } });
  await forwarder.close();
  // The process ended when the claims were stored, and the events of other shards were not.
  const claims = inAll("SELECT id FROM claims");
  const lost = inAll("DELETE FROM events RETURNING id, text").filter(({ shard, row }) =>
    claims.some((claim) => claim.row["id"] === row["id"] && claim.shard !== shard),
  );
  expect(lost.length).toBeGreaterThan(2);
  inAll("UPDATE claims SET at_ms = ? RETURNING 1", Date.now());
  forwarder = open();
  const isLost = ({ uniqueId }: { uniqueId: string }) =>
    lost.some(({ row }) => String(row["text"]).includes(`"${uniqueId}"`));
  const after = next.filter((_, place) => isLost(orders[place] ?? { uniqueId: "" }));
  expect(after).toHaveLength(lost.length);
  for (const order of after) {
    expect(await handOver(forwarder, order)).toMatchObject({
      status: 503,
      error: { code: "outbox_unavailable", retryable: true },
    });
  }
  // The event itself is taken at once.
  expect((await handOver(forwarder, orders.find(isLost) ?? {})).status).toBe(202);
  await forwarder.close();
  // After a minute nothing can be on its way.
  inAll("UPDATE claims SET at_ms = ? RETURNING 1", Date.now() - 61_000);
  forwarder = open();
  for (const order of after.slice(1)) expect((await handOver(forwarder, order)).status).toBe(202);
  expect((await handOver(forwarder, after[0] ?? {})).status).toBe(409);
  await forwarder.close();
});
