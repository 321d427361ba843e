/** The Durable Object of the outbox: its alarm, its sweep, and its death during an attempt. */
import {
  abortAllDurableObjects,
  createScheduledController,
  env,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";
import { forwarder, settings } from "./worker.ts";

const ORIGIN = "http://127.0.0.1:8787";
const [SITE = ""] = settings.origins;
const sandbox = (exports as unknown as { default: Fetcher }).default;
const namespace = (env as unknown as { OUTBOX: DurableObjectNamespace }).OUTBOX;

const faults = (rules: unknown) =>
  sandbox.fetch(`${ORIGIN}/__sandbox/faults`, { method: "PUT", body: JSON.stringify(rules) });

async function accept(): Promise<{ id: string; uniqueId: string }> {
  const response = await sandbox.fetch(`${ORIGIN}/?a=67890&c=12`, { redirect: "manual" });
  const clickId = new URL(response.headers.get("location") ?? "").searchParams.get("reqid") ?? "";
  const uniqueId = crypto.randomUUID();
  const accepted = await forwarder.fetch(
    new Request(`${ORIGIN}/cake/conversions`, {
      method: "POST",
      headers: { origin: SITE, "content-type": "text/plain" },
      body: JSON.stringify({ clickId, offerId: 12_345, uniqueId }),
    }),
    env as never,
  );
  expect(accepted.status).toBe(202);
  return { uniqueId, ...(await accepted.json<{ id: string }>()) };
}

/** A new stub each time: the stub of a dead object no longer works. */
const shardOf = (id: string) => namespace.getByName(`shard ${Number.parseInt(id.slice(0, 8), 16) % 2}`);

/** Reads the rows directly, so that the query wakes no object. */
const stateOf = (id: string) =>
  runInDurableObject(
    shardOf(id),
    (_, { storage }) => storage.sql.exec("SELECT state FROM events WHERE id = ?", id).one()["state"],
  );

async function recorded(uniqueId: string): Promise<number> {
  const { conversions } = await (await sandbox.fetch(`${ORIGIN}/__sandbox/state?limit=1000`)).json<{
    conversions: { unique_id: string }[];
  }>();
  return conversions.filter(({ unique_id }) => unique_id === uniqueId).length;
}

test("an object that dies in mid-flight sends again, and the event counts once", async () => {
  await faults([{ script: ["latency"], latency_ms: 400, actions: ["record_conversion"] }]);
  const { id, uniqueId } = await accept();
  await abortAllDurableObjects();
  await faults([]);
  await expect.poll(() => stateOf(id), { timeout: 10_000 }).toBe("delivered");
  expect(await recorded(uniqueId)).toBe(1);
});

test("an object that is evicted while an event waits is woken by its alarm", async () => {
  await faults([{ script: ["server_error", "server_error", "server_error"], actions: ["record_conversion"] }]);
  const { id, uniqueId } = await accept();
  await evictDurableObject(shardOf(id));
  await expect.poll(() => stateOf(id), { timeout: 10_000 }).toBe("delivered");
  expect(await recorded(uniqueId)).toBe(1);
});

test("an event whose alarm was lost is delivered by the sweep", async () => {
  await faults([{ share: 1, kinds: ["server_error"] }]);
  const { id } = await accept();
  await runInDurableObject(shardOf(id), async (_, { storage }) => {
    await storage.deleteAlarm();
    storage.sql.exec("UPDATE events SET next_ms = 1 WHERE id = ?", id);
  });
  await abortAllDurableObjects();
  await runInDurableObject(shardOf(id), (_, { storage }) => storage.deleteAlarm());
  await faults([]);
  await forwarder.scheduled(createScheduledController({ cron: "* * * * *" }), env as never);
  await expect.poll(() => stateOf(id), { timeout: 10_000 }).toBe("delivered");
});

test("an alarm that is lost does not stay lost once another event is accepted", async () => {
  await faults([{ share: 1, kinds: ["server_error"] }]);
  const { id } = await accept();
  // Overdue, as after a crash of the alarm's own storage.
  await runInDurableObject(shardOf(id), (_, { storage }) => storage.deleteAlarm());
  await abortAllDurableObjects();
  for (;;) if (shardOf((await accept()).id).id.equals(shardOf(id).id)) break;
  const alarm = await runInDurableObject(shardOf(id), (_, { storage }) => storage.getAlarm());
  expect(alarm).not.toBeNull();
  await faults([]);
});

test("while there is work there is an alarm, in whole milliseconds to come, and it delivers", async () => {
  await faults([{ share: 1, kinds: ["server_error"] }]);
  const { id } = await accept();
  const alarm = await runInDurableObject(shardOf(id), (_, { storage }) => storage.getAlarm());
  expect(Number.isInteger(alarm)).toBe(true);
  await faults([]);
  await runInDurableObject(shardOf(id), (_, { storage }) => {
    storage.sql.exec("UPDATE events SET next_ms = 1 WHERE id = ?", id);
  });
  expect(await runDurableObjectAlarm(shardOf(id))).toBe(true);
  await expect.poll(() => stateOf(id), { timeout: 10_000 }).toBe("delivered");
});

test("what is over and older than the retention is purged by the sweep, and what waits is not", async () => {
  await faults([]);
  const gone = await accept();
  await expect.poll(() => stateOf(gone.id)).toBe("delivered");
  await faults([{ share: 1, kinds: ["server_error"] }]);
  const waiting = await accept();
  for (const { id } of [gone, waiting]) {
    await runInDurableObject(shardOf(id), (_, { storage }) => {
      storage.sql.exec("UPDATE events SET accepted_ms = 1, changed_ms = 1 WHERE id = ?", id);
    });
  }
  await forwarder.scheduled(createScheduledController({ cron: "* * * * *" }), env as never);
  const known = (id: string) =>
    runInDurableObject(
      shardOf(id),
      (_, { storage }) => storage.sql.exec("SELECT 1 FROM events WHERE id = ?", id).toArray().length,
    );
  expect([await known(gone.id), await known(waiting.id)]).toEqual([0, 1]);
  await faults([]);
});

test("an object that has nothing to do is not woken again", async () => {
  await faults([]);
  const { id } = await accept();
  await expect.poll(() => stateOf(id)).toBe("delivered");
  await runInDurableObject(shardOf(id), (_, { storage }) => {
    // The events that earlier tests have left.
    storage.sql.exec("UPDATE events SET next_ms = NULL, state = 'dead' WHERE next_ms IS NOT NULL");
  });
  await runDurableObjectAlarm(shardOf(id));
  const alarm = () => runInDurableObject(shardOf(id), (_, { storage }) => storage.getAlarm());
  await expect.poll(alarm).toBeNull();
});
