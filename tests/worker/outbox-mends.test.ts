/** The rows after a crash between two statements, and a failed write: the outbox repairs both. */
import { abortAllDurableObjects, env, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";
import { forwarder, settings } from "./worker.ts";

const ORIGIN = "http://127.0.0.1:8787";
const [SITE = ""] = settings.origins;
const sandbox = (exports as unknown as { default: Fetcher }).default;
const namespace = (env as unknown as { OUTBOX: DurableObjectNamespace }).OUTBOX;
const shards = [0, 1].map((index) => () => namespace.getByName(`shard ${index}`));

const faults = (rules: unknown) =>
  sandbox.fetch(`${ORIGIN}/__sandbox/faults`, { method: "PUT", body: JSON.stringify(rules) });

async function click(): Promise<string> {
  const response = await sandbox.fetch(`${ORIGIN}/?a=67890&c=12`, { redirect: "manual" });
  return new URL(response.headers.get("location") ?? "").searchParams.get("reqid") ?? "";
}

const page = (body: object, query = "?wait=1") =>
  forwarder.fetch(
    new Request(`${ORIGIN}/cake/conversions${query}`, {
      method: "POST",
      headers: { origin: SITE, "content-type": "text/plain" },
      body: JSON.stringify(body),
    }),
    env as never,
  );

const event = (clickId: string, more: object = {}) => ({
  clickId,
  offerId: 12_345,
  uniqueId: crypto.randomUUID(),
  ...more,
});

async function recorded(uniqueId: string): Promise<number> {
  const { conversions } = await (await sandbox.fetch(`${ORIGIN}/__sandbox/state?limit=1000`)).json<{
    conversions: { unique_id: string }[];
  }>();
  return conversions.filter(({ unique_id }) => unique_id === uniqueId).length;
}

const everywhere = (sql: string, ...values: (string | number)[]) =>
  Promise.all(
    shards.map((shard) =>
      runInDurableObject(shard(), (_, { storage }) => storage.sql.exec(sql, ...values).toArray() as unknown[]),
    ),
  );

test("a claim whose event was never kept gives way once it is old, and not before", async () => {
  await faults([]);
  for (const [atMs, status] of [
    [0, 202],
    // Its event may be on its way: the page sends this one again.
    [Date.now() * 1_000, 503],
  ] as const) {
    const clickId = await click();
    const claim = `${settings.baseUrl}|12345/${clickId}`;
    await everywhere("INSERT INTO claims VALUES (?, ?, ?)", claim, "0".repeat(32), atMs);
    expect((await page(event(clickId))).status).toBe(status);
  }
});

test("a conflict leaves no claim in another shard", async () => {
  await faults([]);
  // Keys and clicks belong to either shard.
  for (let round = 0; round < 8; round += 1) {
    const [one, other] = [await click(), await click()];
    const mine = event(one);
    expect((await page(mine)).status).toBe(202);
    expect((await page({ ...mine, clickId: other })).status).toBe(409);
    expect((await page(event(other))).status).toBe(202);
    expect((await page(event(other))).status).toBe(409);
  }
});

test("a click whose order is refused is free for the next one, in either shard, and the first is not replayed", async () => {
  await faults([]);
  const replay = async (id: string) => {
    const headers = { authorization: `Bearer ${settings.operatorSecret}`, "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify({ id }) };
    const answer = await forwarder.fetch(new Request(`${ORIGIN}/cake/operator/replay`, init), env as never);
    return (await answer.json<{ replayed: number }>()).replayed;
  };
  // Keys and clicks belong to either shard.
  for (let round = 0; round < 4; round += 1) {
    // CAKE knows no such click.
    const clickId = crypto.randomUUID();
    const ids: string[] = [];
    for (let order = 0; order < 3; order += 1) {
      const { id, state } = await (await page(event(clickId))).json<{ id: string; state: string }>();
      expect(state).toBe("refused");
      ids.push(id);
    }
    const [first = "", second = "", last = ""] = ids;
    expect([await replay(first), await replay(second), await replay(last)]).toEqual([0, 0, 1]);
    const two = await Promise.all([page(event(clickId)), page(event(clickId))]);
    expect(two.filter(({ status }) => status === 202).length).toBeLessThanOrEqual(1);
  }
});

test("a result that cannot be written is written later, and nothing is sent again meanwhile", async () => {
  await faults([]);
  const mine = event(await click());
  await everywhere("CREATE TRIGGER broken BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  const accepted = await page(mine, "");
  expect(accepted.status).toBe(202);
  const { id } = await accepted.json<{ id: string }>();
  const state = async () => (await everywhere("SELECT state FROM events WHERE id = ?", id)).flat();
  await expect.poll(() => recorded(mine.uniqueId)).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(await state()).toEqual([{ state: "pending" }]);
  await everywhere("DROP TRIGGER broken");
  await expect.poll(state, { timeout: 10_000 }).toEqual([{ state: "delivered" }]);
  expect(await recorded(mine.uniqueId)).toBe(1);
});

test("an event that cannot be written is refused with 503, and taken the next time", async () => {
  await faults([]);
  const mine = event(await click());
  await everywhere("CREATE TRIGGER broken BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  const refused = await page(mine);
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ error: { code: "outbox_unavailable", retryable: true } });
  await everywhere("DROP TRIGGER broken");
  expect(await (await page(mine)).json()).toMatchObject({ state: "delivered", duplicate: false });
});

test("rows of the first version are read, delivered and listed", async () => {
  await faults([]);
  const clickId = await click();
  const uniqueId = crypto.randomUUID();
  const [shard] = shards;
  if (shard === undefined) throw new Error("there is no shard");
  const text = JSON.stringify({ clickId, offerId: 12_345, uniqueId });
  await runInDurableObject(shard(), (_, { storage }) => {
    storage.sql.exec("DROP TABLE events; DROP TABLE meta");
    storage.sql.exec(`
      CREATE TABLE events (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, offer_id INTEGER NOT NULL, text TEXT NOT NULL,
        accepted_at TEXT NOT NULL, accepted_ms INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'pending',
        attempts INTEGER NOT NULL DEFAULT 0, is_in_doubt INTEGER NOT NULL DEFAULT 0, next_ms INTEGER,
        code TEXT NOT NULL DEFAULT '', words TEXT NOT NULL DEFAULT '', conversion_id INTEGER, changed_ms INTEGER NOT NULL);
      CREATE TABLE memory (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID`);
    storage.sql.exec(
      "INSERT INTO events (id, offer_id, text, accepted_at, accepted_ms, next_ms, changed_ms) VALUES (?, 12345, ?, '', 1, 1, 1)",
      "0".repeat(32),
      text,
    );
  });
  await abortAllDurableObjects();
  const status = () =>
    forwarder
      .fetch(new Request(`${ORIGIN}/cake/conversions/${"0".repeat(32)}`), env as never)
      .then((each) => each.json());
  await expect.poll(status, { timeout: 10_000 }).toMatchObject({ state: "delivered", attempts: 1 });
  expect(await recorded(uniqueId)).toBe(1);
});
