/** The forwarder in a Node process of its own: how it stops, whatever its clients and CAKE do, and a file that is held. */
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { ask, newEvent, over, place, post, SITE } from "./node-place.ts";

const head = (method: string, path: string, ...more: string[]) =>
  [
    `${method} ${path} HTTP/1.1`,
    "host: shop.example",
    "x-forwarded-proto: https",
    `origin: ${SITE}`,
    ...more,
    "",
    "",
  ].join("\r\n");
const health = head("GET", "/cake/health");
const JSON_TYPE = "content-type: application/json";

/** A connection of a client's, and what came over it. */
async function connected(origin: string, text = ""): Promise<{ socket: Socket; said: () => string }> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  let said = "";
  socket.on("data", (part) => {
    said += part;
  });
  await new Promise((resolve) => socket.once("connect", resolve));
  if (text !== "") socket.write(text);
  return { socket, said: () => said };
}

/** What a client has sent when the stop comes, and then keeps its connection open. */
const CLIENTS: readonly (readonly [name: string, text: string])[] = [
  ["nothing at all", ""],
  ["a blank line", "\r\n"],
  ["half a head", "GET /cake/health HTTP/1.1\r\nhost: shop.ex"],
  ["half a body", `${head("POST", "/cake/conversions", JSON_TYPE, "content-length: 500")}{`],
  ["half a long body", `${head("POST", "/cake/conversions", JSON_TYPE, "content-length: 50000")}{`],
  ["half a body in chunks", `${head("POST", "/cake/conversions", JSON_TYPE, "transfer-encoding: chunked")}1\r\n{\r\n`],
  [
    "a head that waits for a word",
    head("POST", "/cake/conversions", JSON_TYPE, "content-length: 500", "expect: 100-continue"),
  ],
  ["a whole request", health],
  ["a request to speak another protocol", head("GET", "/cake/health", "connection: upgrade", "upgrade: websocket")],
  ["several requests at once", health.repeat(3)],
  ["one request and a half", health + health.slice(0, 30)],
  ["more requests than it reads answers", health.repeat(3_000)],
  ["HEAD and OPTIONS", head("HEAD", "/cake/health") + head("OPTIONS", "/cake/conversions")],
  ["bytes that are no HTTP", "\x16\x03\x01\x02"],
];

test.each(CLIENTS)("a client that has sent %s holds no stop up", async (name, text) => {
  const { start } = await place({ timeoutMs: 30_000, shards: 1 });
  const forwarder = await start();
  const { socket } = await connected(forwarder.origin, text);
  if (name.includes("than it reads")) socket.pause();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const started = performance.now();
  // A terminal, npm and a supervisor may all ask.
  const ended = forwarder.stop("SIGTERM");
  for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"] as const) void forwarder.stop(signal);
  expect(await ended).toBe(0);
  expect(performance.now() - started).toBeLessThan(text === "" || text === health ? 1_000 : 4_500);
  const second = await start();
  expect(await second.stop("SIGINT")).toBe(0);
});

test("a client that trickles its body is cut off, and a client whose request comes whole in time is answered", async () => {
  const { cake, start } = await place({ clockSpeed: 1, timeoutMs: 10_000, shards: 1 });
  await cake.answer({ replies: [{ afterMs: 1_500 }], forever: true });
  const forwarder = await start();
  expect((await post(forwarder.origin, newEvent())).status).toBe(202);
  await expect.poll(async () => (await cake.seen("record")).length, { interval: 5 }).toBe(1);
  const slow = await connected(forwarder.origin, head("POST", "/cake/conversions", JSON_TYPE, "content-length: 500"));
  const trickle = setInterval(() => slow.socket.write(" "), 50);
  onTestFinished(() => clearInterval(trickle));
  const late = [
    health,
    head("HEAD", "/cake/health"),
    head("OPTIONS", "/cake/conversions"),
    `${head("POST", "/cake/conversions", JSON_TYPE, "content-length: 2")}{}`,
  ];
  const clients = await Promise.all(late.map((text) => connected(forwarder.origin, text.slice(0, 20))));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const ended = forwarder.stop("SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (const [index, text] of late.entries()) clients[index]?.socket.write(text.slice(20));
  expect(await ended).toBe(0);
  for (const { said } of clients) expect(said()).toMatch(/^HTTP\/1\.1 503 .*connection: close/is);
  expect(slow.said()).toBe("");
});

describe("an attempt under way", () => {
  test.each([
    ["silence", { wire: "silent" }],
    ["a head alone", { wire: "stalls" }],
    ["a body without an end", { wire: "endless" }],
    ["another protocol", { wire: "switches" }],
  ] as const)(
    "that meets %s holds a stop up for its time at most, and is delivered by the next start",
    async (_, reply) => {
      const { cake, start } = await place({ clockSpeed: 1, timeoutMs: 1_500, shards: 1 });
      await cake.answer({ replies: [reply], forever: true });
      const forwarder = await start();
      const { id } = JSON.parse((await post(forwarder.origin, newEvent())).body);
      await expect.poll(async () => (await cake.seen("record")).length, { interval: 5 }).toBe(1);
      const started = performance.now();
      expect(await forwarder.stop("SIGTERM")).toBe(0);
      expect(performance.now() - started).toBeLessThan(3_000);
      expect(forwarder.output()).toContain('{"event":"stopped"}');
      await cake.heal();
      const second = await start();
      expect(await over(second.origin, id)).toMatchObject({ state: "delivered" });
      expect(await cake.recorded()).toHaveLength(1);
    },
  );
});

test("a shard's file that another process holds: its callers wait or are told, everybody else goes on", async () => {
  const { cake, home, start } = await place({ shards: 4 });
  const forwarder = await start();
  expect((await post(forwarder.origin, newEvent())).status).toBe(202);
  const files = [0, 1].map((number) => new DatabaseSync(join(home, "rows", `shard-${number}.sqlite`)));
  onTestFinished(() => {
    for (const file of files) file.close();
  });
  for (const file of files) file.exec("BEGIN IMMEDIATE");
  const started = performance.now();
  const answers = await Promise.all(
    Array.from({ length: 24 }, async () => {
      const { status, body } = await post(forwarder.origin, newEvent());
      return { status, code: JSON.parse(body).error?.code, ms: performance.now() - started };
    }),
  );
  const [well, told] = [answers.filter(({ status }) => status === 202), answers.filter(({ status }) => status !== 202)];
  expect(well.length).toBeGreaterThan(0);
  for (const { ms } of well) expect(ms).toBeLessThan(2_000);
  expect(told.length).toBeGreaterThan(0);
  for (const { status, code, ms } of told) {
    expect([status, code]).toEqual([503, "outbox_unavailable"]);
    expect(ms).toBeLessThan(7_000);
  }
  const asked = performance.now();
  expect((await ask(forwarder.origin, "/cake/health")).status).toBe(200);
  expect(performance.now() - asked).toBeLessThan(500);
  for (const file of files) file.exec("ROLLBACK");
  const events = Array.from({ length: 12 }, () => newEvent());
  for (const event of events) expect((await post(forwarder.origin, event)).status).toBe(202);
  await expect
    .poll(async () => (await cake.recorded()).length, { timeout: 10_000 })
    .toBe(1 + well.length + events.length);
  expect(await forwarder.stop("SIGTERM")).toBe(0);
});
