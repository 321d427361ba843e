/** A change of the number of shards: Workers and objects of several releases at once, in workerd. */
import { abortAllDurableObjects, env, runInDurableObject } from "cloudflare:test";
import { createForwarder, type WorkerOptions } from "cake-edge/forwarder";
import { beforeEach, expect, test } from "vitest";
import { signConversion } from "../../dist/webhook-signature.js";
import { settings, wishes } from "./worker.ts";

const { WISHED } = env as unknown as { WISHED: DurableObjectNamespace };
const [SECRET = ""] = settings.signingSecrets;
const [SITE = ""] = settings.origins;
const ORIGIN = "http://127.0.0.1:8787";

type Numbers = Pick<WorkerOptions, "shards" | "formerShards">;
const OLD: Numbers = { shards: 2 };
const NEW: Numbers = { shards: 5, formerShards: [2] };
/** A rollback to the release before. */
const BACK: Numbers = { shards: 2, formerShards: [5] };
const ALL = [0, 1, 2, 3, 4];

let tests = 0;
let outbox: DurableObjectNamespace;
let answer: (request: Request) => Response;

beforeEach(() => {
  tests += 1;
  const prefix = `reshard ${tests}`;
  outbox = {
    idFromName: (name: string) => WISHED.idFromName(`${prefix} ${name}`),
    get: (id: DurableObjectId) => WISHED.get(id),
  } as unknown as DurableObjectNamespace;
  // CAKE is unavailable unless a test says otherwise: accepted events wait.
  answer = () => new Response(null, { status: 503 });
});

const options = (numbers: Numbers): WorkerOptions => ({
  ...settings,
  apiKey: "CANARY-KEY",
  outbox,
  ...numbers,
  log: () => undefined,
  fetch: async (request) => answer(request),
});

/** Starts these objects again, with the release of these numbers. */
async function release(numbers: Numbers, which: readonly number[]): Promise<void> {
  wishes.now = options(numbers);
  for (const number of which) await (shard(number) as unknown as { report(): Promise<unknown> }).report();
}

/** Ends all objects, and starts them with the given releases. */
async function restart(...releases: readonly (readonly [Numbers, readonly number[]])[]): Promise<void> {
  await abortAllDurableObjects();
  for (const [numbers, which] of releases) await release(numbers, which);
}

const shard = (number: number) => outbox.get(outbox.idFromName(`shard ${number}`));

/** The shards of each id. */
async function places(table = "events", column = "id"): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>();
  for (const number of ALL) {
    const rows = await runInDurableObject(shard(number), (_, { storage }) =>
      storage.sql.exec(`SELECT ${column} AS it FROM ${table}`).toArray(),
    );
    for (const { it } of rows) found.set(String(it), [...(found.get(String(it)) ?? []), number]);
  }
  return found;
}

/** A Worker of the release of these numbers. */
function worker(numbers: Numbers) {
  const forwarder = createForwarder(() => options(numbers));
  const own = {};
  const ask = (path: string, init: RequestInit = {}) =>
    forwarder.fetch(new Request(`${ORIGIN}/cake/${path}`, init), own);
  const backend = async (body: object, path = "conversions", more: Record<string, string> = {}) => {
    const text = JSON.stringify(body);
    const headers = { "content-type": "application/json", ...(await signConversion(text, SECRET)), ...more };
    return ask(path, { method: "POST", headers, body: text });
  };
  const page = (body: object) =>
    ask("conversions", {
      method: "POST",
      headers: { origin: SITE, "content-type": "text/plain" },
      body: JSON.stringify(body),
    });
  const operator = async (path: string, body?: object) => {
    const headers = { authorization: `Bearer ${settings.operatorSecret}` };
    const given = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
    return ask(`operator/${path}`, given);
  };
  return { ask, backend, page, operator, forwarder, own };
}

const event = (more: object = {}) => ({
  clickId: crypto.randomUUID(),
  offerId: 12_345,
  uniqueId: crypto.randomUUID(),
  ...more,
});
const events = (count: number) => Array.from({ length: count }, () => event());
const home = (id: string, shards: number) => Number.parseInt(id.slice(0, 8), 16) % shards;

async function accepted(answered: Response): Promise<{ id: string; duplicate: boolean; state: string }> {
  const text = await answered.text();
  expect([answered.status, text]).toEqual([202, expect.stringContaining('"id"')]);
  return JSON.parse(text) as { id: string; duplicate: boolean; state: string };
}

async function results(answered: Response): Promise<{ id: string; duplicate: boolean }[]> {
  expect(answered.status).toBe(202);
  return (await answered.json<{ results: { id: string; duplicate: boolean }[] }>()).results;
}

const code = async (answered: Response) => (await answered.json<{ error: { code: string } }>()).error.code;

test("what was accepted by the former number is known by today's, and by a release that takes it back", async () => {
  const before = events(20);
  await restart([OLD, [0, 1]]);
  const ids = (await results(await worker(OLD).backend({ conversions: before }))).map(({ id }) => id);
  await restart([NEW, ALL]);
  const grown = worker(NEW);
  const again = await results(await grown.backend({ conversions: before }));
  expect(again.map(({ id, duplicate }) => [id, duplicate])).toEqual(ids.map((id) => [id, true]));
  const later = events(20);
  const added = await results(await grown.backend({ conversions: later }));
  expect(added.every(({ duplicate }) => !duplicate)).toBe(true);
  for (const { id } of added) expect((await places()).get(id)).toEqual([home(id, 5)]);
  for (const id of ids) expect((await places()).get(id)).toEqual([home(id, 2)]);
  await restart([BACK, ALL]);
  for (const { duplicate } of await results(await worker(BACK).backend({ conversions: [...before, ...later] }))) {
    expect(duplicate).toBe(true);
  }
  const last = await results(await worker(BACK).backend({ conversions: events(12) }));
  for (const { id } of last) expect((await places()).get(id)).toEqual([home(id, 2)]);
});

test("an object of the new release keeps no foreign key, though an old Worker asks it to", async () => {
  await restart([NEW, ALL]);
  const mine = events(20);
  const kept = await results(await worker(OLD).backend({ conversions: mine }));
  for (const { id, duplicate } of kept) {
    expect([duplicate, (await places()).get(id)]).toEqual([false, [home(id, 5)]]);
  }
  for (const release of [OLD, NEW]) {
    const again = await results(await worker(release).backend({ conversions: mine }));
    expect(again.every(({ duplicate }) => duplicate)).toBe(true);
  }
});

test("an object of the old release keeps what is its own by the old number, and is asked for no promise", async () => {
  // The new shards have changed over, the old ones have not.
  await restart([OLD, [0, 1]], [NEW, [2, 3, 4]]);
  const mine = events(20);
  const kept = await results(await worker(NEW).backend({ conversions: mine }));
  const ids = kept.map(({ id }) => id);
  // A shard of both releases does not know that it must ask. An id at home there by either number may be there.
  for (const id of ids) expect([home(id, 2), home(id, 5)]).toContain((await places()).get(id)?.[0]);
  for (const id of ids.filter((each) => home(each, 5) > 1)) expect((await places()).get(id)).toEqual([home(id, 2)]);
  await restart([NEW, ALL]);
  for (const release of [OLD, NEW]) {
    const again = await results(await worker(release).backend({ conversions: mine }));
    expect(again.every(({ duplicate }) => duplicate)).toBe(true);
  }
  expect([...(await places()).values()].every((where) => where.length === 1)).toBe(true);
});

test("an object of a release that knows no questions keeps what is its own, as by an unknown method", async () => {
  const { get } = outbox;
  // workerd's error for a method that the object does not have.
  const unasked = (stub: object) => {
    const methods = stub as Record<string, (...args: unknown[]) => unknown>;
    const call =
      (name: string) =>
      (...args: unknown[]) =>
        methods[name === "seek" ? "noSuchMethod" : name]?.(...args);
    return new Proxy({}, { get: (_, name) => call(String(name)) });
  };
  const old = [0, 1].map((number) => outbox.idFromName(`shard ${number}`));
  Object.assign(outbox, {
    get: (id: DurableObjectId) => (old.some((each) => each.equals(id)) ? unasked(get(id)) : get(id)) as never,
  });
  await restart([OLD, [0, 1]], [NEW, [2, 3, 4]]);
  const kept = await results(await worker(NEW).backend({ conversions: events(20) }));
  Object.assign(outbox, { get });
  const moved = kept.map(({ id }) => id).filter((id) => home(id, 5) > 1);
  expect(moved.length).toBeGreaterThan(0);
  for (const id of moved) expect((await places()).get(id)).toEqual([home(id, 2)]);
});

test("whichever releases run, and end amid it, no event is kept twice", async () => {
  const releases: readonly (readonly [Numbers, readonly number[]])[][] = [
    [[OLD, ALL]],
    [
      [OLD, [0, 3]],
      [NEW, [1, 2, 4]],
    ],
    [[NEW, ALL]],
    [
      [NEW, [0, 2, 4]],
      [BACK, [1, 3]],
    ],
    [[BACK, ALL]],
  ];
  const all = events(60);
  const answers: number[] = [];
  for (const [round, each] of releases.entries()) {
    await restart(...each);
    const workers = [OLD, NEW, ...(round > 2 ? [BACK] : [])].slice(round > 2 ? 1 : 0).map(worker);
    const asked = all.slice(0, 20 * (round + 1)).flatMap((one) => workers.map((each) => each.backend(one)));
    // An end during requests, where all objects start with the same release: a request without an answer is repeated.
    const ended = round % 2 === 0 ? abortAllDurableObjects() : undefined;
    answers.push(...(await Promise.all(asked)).map(({ status }) => status));
    await ended;
    await restart(...each);
    for (const [index, status] of (
      await Promise.all(all.slice(0, 20 * (round + 1)).map((one) => workers[0]?.backend(one)))
    ).entries()) {
      expect([index, status?.status]).toEqual([index, 202]);
    }
  }
  expect(answers.filter((status) => status !== 202 && status !== 503)).toEqual([]);
  const found = await places();
  expect(found.size).toBe(60);
  expect([...found.values()].filter((where) => where.length !== 1)).toEqual([]);
});

test("a click that has converted by the former number converts no more, and a claim that is released is free", async () => {
  await restart([OLD, [0, 1]]);
  const clicks = Array.from({ length: 12 }, () => crypto.randomUUID());
  const [older, newer] = [worker(OLD), worker(NEW)];
  for (const clickId of clicks.slice(0, 6)) await accepted(await older.page(event({ clickId })));
  await restart([NEW, ALL]);
  for (const clickId of clicks.slice(0, 6)) {
    expect(await code(await newer.page(event({ clickId })))).toBe("click_converted");
  }
  // An old Worker in front of new objects, and the reverse.
  for (const clickId of clicks.slice(6)) {
    const mine = event({ clickId });
    await accepted(await older.page(mine));
    expect(await code(await newer.page(event({ clickId })))).toBe("click_converted");
    expect(await code(await older.page(event({ clickId })))).toBe("click_converted");
    expect((await accepted(await newer.page(mine))).duplicate).toBe(true);
  }
  for (const where of (await places("claims", "claim")).values()) expect(where).toHaveLength(1);
  // A conflict leaves no claim in either shard.
  const mine = event();
  await accepted(await newer.page(mine));
  const other = crypto.randomUUID();
  expect(await code(await newer.page({ ...mine, clickId: other }))).toBe("conversion_conflict");
  expect(await code(await older.page({ ...mine, clickId: other }))).toBe("conversion_conflict");
  await accepted(await newer.page(event({ clickId: other })));
});

test("a webhook's id serves one body, whichever number it was used by", async () => {
  await restart([OLD, [0, 1]]);
  const used = Array.from({ length: 8 }, () => `msg_${crypto.randomUUID()}`);
  const send = async (numbers: Numbers, id: string) => {
    const text = JSON.stringify(event());
    return worker(numbers).ask("conversions", post(text, { ...(await signConversion(text, SECRET, { id })) }));
  };
  for (const id of used) await accepted(await send(OLD, id));
  await restart([NEW, ALL]);
  for (const release of [NEW, OLD]) {
    for (const id of used) expect(await code(await send(release, id))).toBe("webhook_id_reused");
  }
});

const post = (body: string, headers: Record<string, string>): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body,
});

test("a correction lies with its conversion, and with the corrections before it", async () => {
  await restart([OLD, [0, 1]]);
  const sales = events(10);
  await results(await worker(OLD).backend({ conversions: sales }));
  // If a conversion is not known here, its first correction decides the shard of the others.
  const unknown = events(10);
  const correction = ({ uniqueId }: { uniqueId: string }, more: object) => ({
    correctionId: crypto.randomUUID(),
    offerId: 12_345,
    uniqueId,
    ...more,
  });
  const first = [...sales, ...unknown].map((sale) => correction(sale, { payout: "1.00" }));
  await results(await worker(OLD).backend({ corrections: first }, "corrections"));
  await restart([NEW, ALL]);
  const second = [...sales, ...unknown].map((sale) => correction(sale, { payoutAdded: "-0.25" }));
  await results(await worker(NEW).backend({ corrections: second }, "corrections"));
  const again = await results(await worker(NEW).backend({ corrections: [...first, ...second] }, "corrections"));
  expect(again.every(({ duplicate }) => duplicate)).toBe(true);
  // The same holds for the conversion itself, which comes later.
  await results(await worker(NEW).backend({ conversions: unknown }));
  const where = await places();
  expect(where.size).toBe(60);
  for (const [id, shards] of where) expect(shards).toEqual([home(id, 2)]);
  // A correction's id belongs to one conversion, by either number.
  const [taken] = first;
  const other = correction(event(), { correctionId: taken?.correctionId, payout: "1.00" });
  expect(await code(await worker(NEW).backend(other, "corrections"))).toBe("correction_conflict");
});

test("operators see, count, cancel and replay what lies in the shards of either number", async () => {
  await restart([OLD, [0, 1]]);
  const before = await results(await worker(OLD).backend({ conversions: events(15) }));
  await restart([NEW, ALL]);
  const newer = worker(NEW);
  const after = await results(await newer.backend({ conversions: events(15) }));
  const ids = [...before, ...after].map(({ id }) => id);
  const counts = await (await newer.operator("counts")).json();
  expect(counts).toMatchObject({ counts: { pending: 30 } });
  const listed = await (await newer.operator("conversions?limit=100")).json<{ rows: { id: string }[] }>();
  expect(listed.rows.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  expect((await (await newer.operator("export.csv?state=pending")).text()).trim().split("\n")).toHaveLength(31);
  for (const id of ids) {
    expect(await (await newer.ask(`conversions/${id}`)).json()).toMatchObject({ id, state: "pending" });
    const cancelled = await newer.operator("cancel", { id, reason: "a test" });
    // An event that is under way cannot be called back.
    expect([200, 409]).toContain(cancelled.status);
  }
  await expect
    .poll(
      async () => {
        for (const id of ids) await newer.operator("cancel", { id, reason: "a test" });
        return (await (await newer.operator("counts")).json<{ counts: object }>()).counts;
      },
      { timeout: 10_000 },
    )
    .toMatchObject({ cancelled: 30, pending: 0 });
  answer = () => Response.json({ success: true, conversion_id: 7, click_id: "x" });
  for (const id of ids.slice(0, 3).concat(ids.slice(-3))) {
    expect(await (await newer.operator("replay", { id })).json()).toEqual({ replayed: 1 });
  }
  expect(await (await newer.operator("replay", { state: "cancelled" })).json()).toMatchObject({
    replayed: expect.any(Number),
  });
  // An old Worker finds the event that it asked a new object to keep.
  const [handed] = await results(await worker(OLD).backend({ conversions: events(1) }));
  expect(await (await worker(OLD).ask(`conversions/${handed?.id}`)).json()).toMatchObject({ id: handed?.id });
  // The sweep reaches all shards.
  await newer.forwarder.scheduled({} as ScheduledController, newer.own);
});

test("numbers that cannot be are refused by name, and no request is served with them", async () => {
  for (const [numbers, words] of [
    [{ shards: 4, formerShards: [4] }, "must not name today's number of shards"],
    [{ shards: 4, formerShards: [2, 2] }, "must name a number once"],
    [{ shards: 4, formerShards: [1, 2, 3, 5, 6] }, "must be four numbers at most"],
    [{ shards: 4, formerShards: [0] }, "must be a list of whole numbers from 1 to 64"],
    [{ shards: 4, formerShards: [65] }, "must be a list of whole numbers from 1 to 64"],
    [{ shards: 4, formerShards: ["2"] }, "must be a list of whole numbers from 1 to 64"],
    [{ shards: 4, formerShards: [2.5] }, "must be a list of whole numbers from 1 to 64"],
    [{ shards: 4, formerShards: 2 }, "must be a list of whole numbers from 1 to 64"],
    [{ shards: 65 }, "must be a whole number from 1 to 64"],
    [{ shards: 4, formerShard: [2] }, "did you mean formerShards?"],
  ] as const) {
    const answered = await worker(numbers as unknown as Numbers).ask("conversions/1");
    expect([answered.status, await answered.text()]).toEqual([500, expect.stringContaining(words)]);
  }
});
