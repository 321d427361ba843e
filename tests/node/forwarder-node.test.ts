/** The forwarder in a Node process of its own, in front of a CAKE of plain Node: killed, refused, stopped, its disk full. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test, vi } from "vitest";
import { openForwarder } from "../../dist/entry/forwarder-node.node.js";
import { startNodeForwarder } from "../node-forwarder.ts";
import { CLI } from "../sandbox-process.ts";
import {
  type Answer,
  ask,
  KEY,
  newEvent,
  newFolder,
  OPERATOR,
  operator,
  over,
  PAGE,
  place,
  post,
  SITE,
} from "./node-place.ts";

test("killed between accept and delivery, it delivers each event once when it starts again", async () => {
  for (const upstreamDedupe of [true, false]) {
    const { cake, start } = await place({ upstreamDedupe });
    const events = Array.from({ length: 12 }, () => newEvent());
    // Recorded or not: of neither kind does an answer come.
    const uniqueIds = events.map(({ uniqueId }) => uniqueId);
    await cake.answer({
      uniqueIds: uniqueIds.slice(0, 6),
      replies: [{ wire: "silent", records: true }],
      forever: true,
    });
    await cake.answer({ uniqueIds: uniqueIds.slice(6), replies: [{ wire: "silent" }], forever: true });
    const first = await start();
    const answers = await Promise.all(events.map((event) => post(first.origin, event)));
    expect(answers.map(({ status }) => status)).toEqual(events.map(() => 202));
    await expect.poll(async () => (await cake.seen("record")).length, { interval: 5 }).toBeGreaterThan(3);
    await first.stop();
    await cake.heal();
    const second = await start();
    for (const { body } of answers)
      expect(await over(second.origin, JSON.parse(body).id)).toMatchObject({ state: "delivered" });
    const recorded = (await cake.recorded()).map(({ uniqueId }) => uniqueId);
    expect(recorded.toSorted()).toEqual(uniqueIds.toSorted());
    // Known again after the kill.
    const again = JSON.parse((await post(second.origin, events[0] ?? {})).body);
    expect(again).toMatchObject({ state: "delivered", duplicate: true });
    expect((await operator(second.origin, "conversions")).body).toContain(uniqueIds[0]);
    expect(first.output() + second.output()).not.toContain(KEY);
  }
});

test("a second process is refused by a code of its own while the first one lives, and starts after its kill", async () => {
  const { start, refused } = await place();
  const first = await start();
  const { status, stderr } = refused();
  expect(stderr).toMatch(
    /^cake-edge forwarder: outbox_in_use: another process has the outbox in \S+ open: stop it, .*\n$/,
  );
  expect(status).toBe(3);
  expect((await post(first.origin, newEvent())).status).toBe(202);
  await first.stop("SIGKILL");
  const second = await start();
  expect(await second.stop("SIGTERM")).toBe(0);
});

test("SIGTERM: no new connection, what is under way is answered and stored, and the exit status is 0", async () => {
  const { cake, start } = await place({ clockSpeed: 1, timeoutMs: 10_000 });
  await cake.answer({ replies: [{ afterMs: 1_200 }], forever: true });
  const first = await start();
  const event = newEvent();
  const accepted = JSON.parse((await post(first.origin, event)).body);
  // One more that waits for the outcome, and so is under way itself.
  const waiting = post(first.origin, newEvent(), "?wait=1");
  await expect.poll(async () => (await cake.seen("record")).length, { interval: 5 }).toBe(2);
  const stopping = first.stop("SIGTERM");
  await expect.poll(() => isOpen(first.origin), { interval: 10 }).toBe(false);
  const answer = await waiting;
  expect([answer.status, JSON.parse(answer.body).state]).toEqual([202, "delivered"]);
  expect(await stopping).toBe(0);
  expect(first.output()).toContain('{"event":"stopped"}');
  const second = await start();
  expect(JSON.parse((await ask(second.origin, `/cake/conversions/${accepted.id}`)).body)).toMatchObject({
    state: "delivered",
    attempts: 1,
  });
  // The hours' counts were written too.
  const { hours } = JSON.parse((await operator(second.origin, "counts")).body);
  expect(hours.map(({ counts }: { counts: object }) => counts)).toEqual([{ delivered: 2 }]);
  expect(await cake.recorded(event.uniqueId)).toHaveLength(1);
  expect(await cake.seen("record")).toHaveLength(2);
});

function isOpen(origin: string): Promise<boolean> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.once("connect", () => socket.destroy()).once("close", (isFailed) => resolve(!isFailed));
    socket.once("error", () => undefined);
  });
}

test("a disk that takes no more: 503, the process ends, and what was answered 202 is delivered once", async () => {
  const { cake, home, start } = await place({ shards: 1 });
  // Nothing is delivered before the disk is full.
  await cake.answer({ replies: [{ status: 503 }], forever: true });
  // Node, with files of 1.5 MB at most: the write that goes beyond fails as on a disk that is full.
  const limited = join(home, "limited");
  writeFileSync(limited, `#!/bin/bash\nulimit -f 1500\nexec "${process.execPath}" "$@"\n`, { mode: 0o755 });
  const first = await start({ node: limited });
  const accepted: string[] = [];
  const refused: Answer[] = [];
  const client = async () => {
    for (let count = 0; count < 2_000 && refused.length === 0; count += 1) {
      const event = newEvent({ adv1: "x".repeat(200) });
      const answer = await post(first.origin, event).catch(() => undefined);
      if (answer?.status === 202) accepted.push(event.uniqueId);
      else if (answer !== undefined) refused.push(answer);
      else return;
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  expect(accepted.length).toBeGreaterThan(50);
  for (const { status, headers, body } of refused) {
    expect([status, JSON.parse(body).error.code, headers["retry-after"]]).toEqual([503, "outbox_unavailable", "1"]);
  }
  expect(refused.length).toBeGreaterThan(0);
  expect(await first.ended).toBe(1);
  expect(first.output()).toMatch(/cake-edge forwarder: outbox_failed: the outbox in \S+ cannot be written: \S/);
  expect(first.output()).toContain('{"event":"failed","code":"outbox_failed","alert":true}');

  await cake.heal();
  const second = await start();
  const counts = async () => JSON.parse((await operator(second.origin, "counts")).body).counts;
  await expect.poll(async () => (await counts()).pending, { timeout: 40_000, interval: 100 }).toBe(0);
  const recorded = (await cake.recorded()).map(({ uniqueId }) => uniqueId);
  expect(new Set(recorded).size).toBe(recorded.length);
  const known = new Set(recorded);
  expect(accepted.filter((uniqueId) => !known.has(uniqueId))).toEqual([]);
});

test("a disk that is full at the start sends nothing", async () => {
  const { cake, home, start } = await place({ shards: 1 });
  await cake.answer({ replies: [{ status: 503 }], forever: true });
  const first = await start();
  expect((await post(first.origin, newEvent())).status).toBe(202);
  await first.stop();
  const seen = (await cake.seen()).length;
  const limited = join(home, "limited");
  writeFileSync(limited, `#!/bin/bash\nulimit -f 1\nexec "${process.execPath}" "$@"\n`, { mode: 0o755 });
  await expect(start({ node: limited })).rejects.toThrow(
    /ended with 1: .*outbox_failed: the outbox in \S+ cannot be opened/s,
  );
  expect(await cake.seen()).toHaveLength(seen);
});

test("behind a proxy it is asked by https, by the caller's own address; without one neither is believed", async () => {
  const rateLimit = { limit: 3 };
  const { start } = await place({ rateLimit, origins: [] });
  const forwarder = await start();
  const own = { host: "shop.example", "x-forwarded-proto": "https" };
  const from = (address: string) => ({ ...own, "x-forwarded-for": address });
  expect((await post(forwarder.origin, newEvent(), "", from("203.0.113.1"))).status).toBe(202);
  // The page's origin is https, and this request says that it came by http.
  const plain = await post(forwarder.origin, newEvent(), "", {
    host: "shop.example",
    "x-forwarded-for": "203.0.113.2",
  });
  expect([plain.status, JSON.parse(plain.body).error.code]).toEqual([403, "origin_refused"]);
  // What the caller itself writes in front of the proxy's word, or by Cloudflare's name, changes nothing.
  const tries = ["198.51.100.1, 203.0.113.1", "198.51.100.2,203.0.113.1:4711", "198.51.100.3, 203.0.113.1"];
  const statuses: number[] = [];
  for (const address of tries) {
    const headers = { ...from(address), "cf-connecting-ip": address };
    statuses.push((await post(forwarder.origin, newEvent(), "", headers)).status);
  }
  expect(statuses).toEqual([202, 202, 429]);
  const signedIn = await ask(forwarder.origin, "/cake/operator/login", {
    method: "POST",
    headers: { ...from("203.0.113.7"), "content-type": "application/x-www-form-urlencoded", origin: SITE },
    body: `secret=${OPERATOR}`,
  });
  expect([signedIn.status, signedIn.headers["set-cookie"]?.[0]]).toEqual([
    303,
    expect.stringMatching(/^__Host-cake_operator=.*; Secure$/),
  ]);
  await forwarder.stop();

  const open = await place({ proxies: 0, origins: [] });
  const bare = await open.start();
  const claimed = await post(bare.origin, newEvent(), "", from("203.0.113.1"));
  expect(claimed.status).toBe(403);
  expect(
    (await post(bare.origin, newEvent(), "", { host: "shop.example", origin: "http://shop.example" })).status,
  ).toBe(202);
});

test("the routes are the Worker's: bodies, signatures, lists, exports, and what is no URL", async () => {
  const secret = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;
  const { start, cake } = await place({ signingSecrets: [secret] });
  const { origin } = await start();
  expect(await ask(origin, "/cake/health")).toMatchObject({ status: 200, body: "ok" });
  expect(await ask(origin, "/cake/health", { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
  expect((await ask(origin, "/cake/nowhere")).status).toBe(404);
  expect((await ask(origin, "/cake/health", { headers: { host: "a b" } })).status).toBe(400);
  expect((await ask(origin, "/cake/health", { method: "TRACE" })).status).toBe(400);
  expect((await ask(origin, "/cake/health", { headers: { host: "user:password@shop.example" } })).status).toBe(400);
  expect((await ask(origin, "/cake/conversions", { method: "DELETE" })).status).toBe(405);
  const chunked = await ask(origin, "/cake/conversions", {
    method: "POST",
    headers: { ...PAGE, "transfer-encoding": "chunked" },
    body: `{"clickId":"${"x".repeat(3_000_000)}`,
  });
  expect([chunked.status, JSON.parse(chunked.body).error.code]).toEqual([413, "body_too_large"]);

  const conversions = Array.from({ length: 60 }, () => newEvent({ payout: "18.00" }));
  const body = JSON.stringify({ conversions });
  expect(body.length).toBeGreaterThan(8_192);
  const [id, timestamp] = [`msg_${randomUUID()}`, String(Math.floor(Date.now() / 1_000))];
  const signature = createHmac("sha256", Buffer.alloc(32, 5)).update(`${id}.${timestamp}.${body}`).digest("base64");
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature}`,
  };
  const batch = await ask(origin, "/cake/conversions?wait=1", { method: "POST", headers, body });
  expect(batch.status).toBe(202);
  expect(JSON.parse(batch.body).results).toHaveLength(60);
  await expect.poll(async () => (await cake.recorded()).length, { timeout: 20_000 }).toBe(60);
  const counts = async () => JSON.parse((await operator(origin, "counts")).body).counts.delivered;
  await expect.poll(counts, { timeout: 20_000 }).toBe(60);
  const csv = await operator(origin, "export.csv?state=delivered");
  expect(csv.headers["content-type"]).toContain("text/csv");
  for (const { uniqueId } of conversions) expect(csv.body).toContain(uniqueId);
  const page = JSON.parse((await operator(origin, "conversions?limit=50")).body);
  expect([page.rows.length, typeof page.next]).toEqual([50, "string"]);
});

test("a configuration that is not fit for use is one line and exit status 2, and shows no secret", () => {
  const home = newFolder();
  const run = (config: string | object, environment: Record<string, string> = {}, args: readonly string[] = []) => {
    const file = join(home, "forwarder.json");
    writeFileSync(file, typeof config === "string" ? config : JSON.stringify(config), { mode: 0o600 });
    const { status, stderr } = spawnSync(process.execPath, [CLI, "forwarder", "--config", file, ...args], {
      cwd: home,
      env: { PATH: process.env["PATH"] ?? "", ...environment },
      encoding: "utf8",
      timeout: 30_000,
    });
    expect(stderr).not.toContain(KEY);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    return `${status} ${stderr}`;
  };
  const well = { folder: "rows", baseUrl: "http://127.0.0.1:1" };
  const secrets = { CAKE_API_KEY: KEY, CAKE_OPERATOR_SECRET: OPERATOR };
  expect(run(`{"apiKey": "${KEY}" oops`)).toMatch(/^2 .*forwarder\.json: is not JSON/);
  expect(run("[]")).toMatch(/^2 .*must be an object of options/);
  const twice = '{ "upstreamDedupe": { "12345": false }, "folder": "rows", "upstreamDedupe": true }';
  expect(run(twice)).toMatch(/^2 .*forwarder\.json: upstreamDedupe is given twice/);
  expect(run('{ "upstreamDedupe": { "1": true, "1": false } }')).toMatch(/^2 .*json: 1 is given twice/);
  expect(run(well)).toMatch(
    /^2 cake-edge forwarder: missing_api_key: apiKey is missing: .* \(the variable CAKE_API_KEY\)/,
  );
  expect(run({ ...well, shardz: 2 }, secrets)).toMatch(/^2 .*invalid_field: shardz .*did you mean shards\?/);
  expect(run({ ...well, prot: 2 }, secrets)).toMatch(/^2 .*invalid_field: prot .*did you mean port\?/);
  expect(run({ ...well, log: "x" }, secrets)).toMatch(/^2 .*invalid_field: log must be a function/);
  expect(run({ ...well, folder: "" }, secrets)).toMatch(/^2 .*invalid_field: folder is missing/);
  expect(run({ ...well, rateLimit: { limit: 0 } }, secrets)).toMatch(/^2 .*invalid_field: rateLimit\.limit must be/);
  expect(run({ ...well, port: "80" }, secrets)).toMatch(/^2 .*invalid_field: port must be a whole number/);
  expect(run(well, secrets, ["--port", "x"])).toMatch(/^2 .*--port must be a whole number from 0 to 65535/);
  expect(run(well, secrets, ["--prot", "1"])).toMatch(/^2 .*did you mean --port\?/);
  expect(run(well, secrets, ["--key", KEY])).toMatch(/^2 .*the API key is no argument/);
  expect(run(well, secrets, ["--host", "192.0.2.1"])).toMatch(
    /^2 .*invalid_field: host 192\.0\.2\.1 is not an address/,
  );
  const files = { CAKE_API_KEY_FILE: join(home, "none"), CAKE_OPERATOR_SECRET: OPERATOR };
  expect(run(well, files)).toMatch(/^2 .*CAKE_API_KEY_FILE \S+ cannot be read: ENOENT/);
  expect(run(well, { ...secrets, CAKE_API_KEY_FILE: "x" })).toMatch(/^2 .*are both set/);
  for (const [text, encoding] of [
    [`${KEY}\nsecond line\n`, "utf8"],
    [`\ufeff${KEY}\r\n`, "utf16le"],
  ] as const) {
    writeFileSync(join(home, "key"), text, encoding);
    const named = { CAKE_API_KEY_FILE: join(home, "key"), CAKE_OPERATOR_SECRET: OPERATOR };
    expect(run(well, named)).toMatch(/^2 .*apiKey has a line break, a control character or a byte that is no UTF-8/);
  }
  for (const folder of ["~/rows", "~someone/rows"]) {
    expect(run({ ...well, folder }, secrets)).toMatch(/^2 .*invalid_field: folder begins with ~/);
  }
  for (const folder of [" rows", "rows ", "a/ rows"]) {
    expect(run({ ...well, folder }, secrets)).toMatch(/^2 .*invalid_field: folder has a blank around a name/);
  }
  expect(run({ ...well, origins: ["https://*.shop.example"] }, secrets)).toMatch(/^2 .*origins must name each origin/);
  writeFileSync(join(home, "taken"), "");
  expect(run({ ...well, folder: "taken" }, secrets)).toMatch(
    /^1 .*outbox_failed: the outbox in \S+taken cannot be opened/,
  );
});

test("a secret comes from a file that the environment names, or stands in the configuration", async () => {
  const home = newFolder();
  writeFileSync(join(home, "key"), `${KEY}\n`);
  const options = { baseUrl: "http://127.0.0.1:1", operatorSecret: OPERATOR };
  const environment = { CAKE_API_KEY_FILE: join(home, "key") };
  const forwarder = await startNodeForwarder({ home, options, environment });
  expect((await operator(forwarder.origin, "counts")).status).toBe(200);
  expect(await forwarder.stop("SIGINT")).toBe(0);
  expect(forwarder.output()).not.toContain("different values");
  // The environment counts, and a file that says otherwise is told.
  const other = await startNodeForwarder({ home, options: { ...options, apiKey: "another" }, environment });
  expect(await other.stop("SIGINT")).toBe(0);
  expect(other.output()).toMatch(/warning: .* and CAKE_API_KEY give different values of apiKey: the variable's counts/);
});

const OPTIONS = { baseUrl: "http://127.0.0.1:1", apiKey: KEY, operatorSecret: OPERATOR, log: () => undefined };

test("the number of shards is the folder's, also where the lock's file is lost", async () => {
  const folder = join(newFolder(), "rows");
  await openForwarder({ ...OPTIONS, folder, shards: 3 }).close();
  for (const shards of [2, 4]) {
    expect(() => openForwarder({ ...OPTIONS, folder, shards })).toThrow(
      /shards must be 3, as this outbox was begun with/,
    );
  }
  rmSync(join(folder, "lock.sqlite"));
  expect(() => openForwarder({ ...OPTIONS, folder })).toThrow(/shards must be 3/);
  await openForwarder({ ...OPTIONS, folder, shards: 3 }).close();
});

test("the number of shards changes where the former one is named, and the folder says for how long", async () => {
  const folder = join(newFolder(), "rows");
  const headers = { origin: SITE, "content-type": "application/json" };
  const open = (numbers: object) => openForwarder({ ...OPTIONS, folder, retentionDays: 30, ...numbers });
  const events = Array.from({ length: 12 }, (_, index) => ({
    clickId: crypto.randomUUID(),
    offerId: 12_345,
    uniqueId: `moved-${index}`,
  }));
  /** How many of them are known. */
  const known = async (numbers: object) => {
    const forwarder = open(numbers);
    const body = JSON.stringify({ conversions: events });
    const answer = await forwarder.fetch(new Request(`${SITE}/cake/conversions`, { method: "POST", headers, body }));
    const { results } = (await answer.json()) as { results: { duplicate: boolean }[] };
    const asked = new Request(`${SITE}/cake/operator/counts`, { headers: { authorization: `Bearer ${OPERATOR}` } });
    const { counts } = (await (await forwarder.fetch(asked)).json()) as { counts: { pending: number } };
    await forwarder.close();
    return [results.filter(({ duplicate }) => duplicate).length, counts.pending];
  };
  expect(await known({ shards: 3 })).toEqual([0, 12]);
  expect(() => open({ shards: 5 })).toThrow(/shards must be 3, .* or formerShards must name 3/);
  expect(await known({ shards: 5, formerShards: [3] })).toEqual([12, 12]);
  expect(() => open({ shards: 5 })).toThrow(/formerShards must name 3 until \d{4}-\d\d-\d\d/);
  expect(() => open({ shards: 5, formerShards: [5] })).toThrow(/formerShards must not name today's number/);
  expect(await known({ shards: 2, formerShards: [5, 3] })).toEqual([12, 12]);
  expect(await known({ shards: 3, formerShards: [2, 5] })).toEqual([12, 12]);
  // The time is over: what waits in a shard without a number is delivered all the same.
  const lock = new DatabaseSync(join(folder, "lock.sqlite"));
  lock.exec("UPDATE former SET until_ms = 1740000000000, since_ms = 1740000000000");
  lock.close();
  const forwarder = open({ shards: 3 });
  const asked = new Request(`${SITE}/cake/operator/counts`, { headers: { authorization: `Bearer ${OPERATOR}` } });
  expect(await (await forwarder.fetch(asked)).json()).toMatchObject({ counts: { pending: 12 } });
  await forwarder.close();
});

test("one process opens a folder once, and once more after it has closed it", async () => {
  const folder = join(newFolder(), "deep", "rows");
  const first = openForwarder({ ...OPTIONS, folder });
  expect(() => openForwarder({ ...OPTIONS, folder })).toThrow(expect.objectContaining({ code: "outbox_in_use" }));
  const asked = new Request("https://shop.example/cake/health");
  expect((await first.fetch(asked)).status).toBe(200);
  await first.close();
  expect((await first.fetch(asked)).status).toBe(503);
  await openForwarder({ ...OPTIONS, folder }).close();
  const file = join(newFolder(), "file");
  mkdirSync(file);
  writeFileSync(join(file, "shard-0.sqlite"), "this is no database, and long enough to be read as one");
  expect(() => openForwarder({ ...OPTIONS, folder: file, shards: 1 })).toThrow(
    expect.objectContaining({ code: "outbox_failed" }),
  );
});

test("a copy that SQLite makes of a running outbox is an outbox", async () => {
  const [folder, copy] = [join(newFolder(), "rows"), join(newFolder(), "copy")];
  const fetch = async () => new Response("", { status: 503 });
  const ask = (forwarder: { fetch(request: Request): Promise<Response> }, path: string, body?: string) =>
    forwarder.fetch(
      new Request(`${SITE}/cake/${path}`, body === undefined ? {} : { method: "POST", headers: PAGE, body }),
    );
  const running = openForwarder({ ...OPTIONS, folder, shards: 2, origins: [SITE], fetch });
  const events = Array.from({ length: 20 }, () => newEvent());
  const ids: string[] = [];
  for (const event of events) {
    const answer = await ask(running, "conversions", JSON.stringify(event));
    ids.push(((await answer.json()) as { id: string }).id);
  }
  mkdirSync(copy);
  for (const name of ["shard-0.sqlite", "shard-1.sqlite"]) {
    const shard = new DatabaseSync(join(folder, name));
    shard.exec(`VACUUM INTO '${join(copy, name)}'`);
    shard.close();
  }
  await running.close();
  const again = openForwarder({ ...OPTIONS, folder: copy, shards: 2, origins: [SITE], fetch });
  for (const id of ids)
    expect(await (await ask(again, `conversions/${id}`)).json()).toMatchObject({ id, state: "pending" });
  // By the ids' secret, which is in the copy, a repetition is known.
  const repeated = await ask(again, "conversions", JSON.stringify(events[0]));
  expect(await repeated.json()).toMatchObject({ id: ids[0], duplicate: true });
  await again.close();
});

test("a timer sweeps every shard, and retries by the schedule, under a clock of the test's own", async () => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"],
    shouldAdvanceTime: true,
  });
  const printed = vi.spyOn(console, "log").mockImplementation(() => undefined);
  try {
    const times: number[] = [];
    const forwarder = openForwarder({
      ...OPTIONS,
      folder: join(newFolder(), "rows"),
      shards: 2,
      origins: [SITE],
      fetch: async () => {
        times.push(Date.now());
        return new Response("", { status: 503 });
      },
    });
    const answer = forwarder.fetch(
      new Request(`${SITE}/cake/conversions`, { method: "POST", headers: PAGE, body: JSON.stringify(newEvent()) }),
    );
    await vi.advanceTimersByTimeAsync(50);
    expect((await answer).status).toBe(202);
    await vi.advanceTimersByTimeAsync(3 * 3_600_000);
    // 5 s, 30 s, 2 min, 10 min, 30 min, 2 h.
    expect(times.length).toBeGreaterThanOrEqual(6);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(4_000);
    const swept = printed.mock.calls.map(([line]) => String(line)).filter((line) => line.includes('"event":"shard"'));
    expect(swept).toHaveLength(2 * 3 * 12);
    const closed = forwarder.close();
    await vi.advanceTimersByTimeAsync(1_000);
    await closed;
    const count = times.length;
    await vi.advanceTimersByTimeAsync(48 * 3_600_000);
    expect(times).toHaveLength(count);
  } finally {
    printed.mockRestore();
    vi.useRealTimers();
  }
});

test("a Node without node:sqlite says which one is needed", () => {
  const script = `
    process.getBuiltinModule = () => undefined;
    const { openForwarder } = await import(${JSON.stringify(new URL("../../dist/entry/forwarder-node.node.js", import.meta.url).href)});
    try { openForwarder(${JSON.stringify({ ...OPTIONS, folder: join(newFolder(), "rows") })}); }
    catch (error) { console.log(error.code + ": " + error.message); }`;
  const printed = execFileSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" });
  expect(printed).toMatch(
    /^wrong_runtime: cake-edge\/forwarder\/node needs node:sqlite, .*: use Node 22\.13 or newer\n$/,
  );
});
