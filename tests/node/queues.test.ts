/** `workers/queues` in front of `workers/forwarder`, with Miniflare's own Queues between them. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare, Response } from "miniflare";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { COMPATIBILITY_DATE } from "../../js/bin/workerd.ts";
import { bundleWorker } from "../../scripts/bundle.ts";

const SECRET = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;
const OPERATOR = "an operator's secret of 32 characters or more";

mkdirSync("target", { recursive: true });
const home = mkdtempSync(join("target", "queues-"));
let miniflare: Miniflare;

/** What the forwarder's answers become on their way back; `lost` are accepted, and nobody hears of it. */
let way: ("ok" | "lost" | "unavailable" | "full")[] = [];
/** The size of each batch that reached the forwarder. */
let batches: number[] = [];
/** After how many acknowledgements consumers end. */
let ends: number[] = [];
let refused: { conversion: Conversion; error: { code: string } }[] = [];
let dead: Conversion[] = [];
/** How often CAKE was sent each unique id. */
const sent = new Map<string, number>();

interface Conversion {
  readonly clickId?: string;
  readonly offerId?: number;
  readonly uniqueId?: string;
}

const modulesOf = (folder: string, main: string) => [
  { type: "ESModule" as const, path: join(folder, main) },
  ...readdirSync(folder)
    .filter((name) => name.endsWith(".wasm"))
    .map((name) => ({ type: "CompiledWasm" as const, path: join(folder, name) })),
];

beforeAll(async () => {
  const folders = ["forwarder", "queue"].map((name) => join(home, name));
  const [forwarder = "", queue = ""] = folders;
  for (const folder of folders) mkdirSync(folder);
  await bundleWorker("forwarder", "workers/forwarder/index.ts", forwarder);
  await bundleWorker("queue", "tests/worker/queue-consumer.ts", queue);
  copyFileSync("dist/wasm/forwarder_bg.wasm", join(forwarder, "forwarder_bg.wasm"));
  for (const name of ["edge", "client", "checks"]) {
    copyFileSync(`dist/wasm/${name}_bg.wasm`, join(queue, `${name}_bg.wasm`));
  }
  const consumer = { maxBatchSize: 100, maxBatchTimeout: 1, maxRetries: 2, deadLetterQueue: "dead" };
  const listener = (queueName: string) => ({
    name: `reads-${queueName}`,
    compatibilityDate: COMPATIBILITY_DATE,
    modules: true as const,
    script: `export default { async queue(batch, env) {
      const one = (_, value) => (typeof value === "bigint" ? String(value) : value);
      const textOf = (value) => { try { return JSON.stringify(value, one); } catch { return '"a cycle"'; } };
      const body = "[" + batch.messages.map(({ body }) => textOf(body)).join(",") + "]";
      await env.TOLD.fetch("https://told/", { method: "POST", body });
    } }`,
    queueConsumers: { [queueName]: { maxBatchTimeout: 0 } },
  });
  const told = (take: (bodies: never[]) => void) => ({
    TOLD: async (request: { json(): Promise<unknown> }) => {
      take((await request.json()) as never[]);
      return new Response(null);
    },
  });
  const options = convertV4MiniflareOptions({
    workers: [
      {
        name: "queue",
        compatibilityDate: COMPATIBILITY_DATE,
        modulesRoot: queue,
        modules: modulesOf(queue, "queue.js"),
        bindings: { CAKE_SIGNING_SECRET: SECRET, CAKE_RETRY_SECONDS: "1" },
        queueProducers: { CONVERSIONS: { queueName: "conversions" }, REFUSED: { queueName: "refused" } },
        queueConsumers: { conversions: consumer },
        serviceBindings: {
          FAULTS: () => new Response(String(ends.shift() ?? "")),
          FORWARDER: async (request) => {
            const what = way.shift() ?? "ok";
            const body = await request.text();
            batches.push((JSON.parse(body) as { conversions: unknown[] }).conversions.length);
            if (what === "unavailable" || what === "full") {
              const code = what === "full" ? "outbox_full" : "outbox_unavailable";
              return Response.json(
                { error: { code, retryable: true } },
                { status: 503, headers: { "retry-after": "2" } },
              );
            }
            const worker = await miniflare.getWorker("forwarder");
            const headers = Object.fromEntries(request.headers);
            const answer = await worker.fetch(request.url, { method: request.method, headers, body });
            const text = await answer.text();
            if (what === "lost") throw new Error("the connection broke");
            return new Response(text, { status: answer.status });
          },
        },
      },
      {
        name: "forwarder",
        compatibilityDate: COMPATIBILITY_DATE,
        modulesRoot: forwarder,
        modules: modulesOf(forwarder, "forwarder.js"),
        bindings: {
          CAKE_BASE_URL: "http://127.0.0.1:9",
          CAKE_API_KEY: "CANARY-queue-key",
          CAKE_OPERATOR_SECRET: OPERATOR,
          CAKE_SIGNING_SECRETS: SECRET,
        },
        durableObjects: { OUTBOX: { className: "CakeOutbox", useSQLite: true } },
        outboundService: (request) => {
          const uniqueId = new URL(request.url).searchParams.get("unique_id") ?? "";
          sent.set(uniqueId, (sent.get(uniqueId) ?? 0) + 1);
          return Response.json({ request_status: "Success", conversion: { conversion_id: sent.size } });
        },
      },
      { ...listener("refused"), serviceBindings: told((bodies) => refused.push(...bodies)) },
      { ...listener("dead"), serviceBindings: told((bodies) => dead.push(...bodies)) },
    ],
  });
  miniflare = new Miniflare(options);
  await miniflare.ready;
}, 120_000);

afterAll(async () => {
  await miniflare?.dispose();
  rmSync(home, { recursive: true, force: true });
});

beforeEach(() => {
  way = [];
  ends = [];
  batches = [];
  refused = [];
  dead = [];
});

const conversion = (more: object = {}): Conversion => ({
  clickId: crypto.randomUUID(),
  offerId: 12_345,
  uniqueId: `Q-${crypto.randomUUID()}`,
  ...more,
});
const conversions = (count: number) => Array.from({ length: count }, () => conversion());

async function add(all: readonly unknown[], path = ""): Promise<void> {
  const worker = await miniflare.getWorker("queue");
  const answer = await worker.fetch(`https://queue/${path}`, { method: "POST", body: JSON.stringify(all) });
  expect(answer.status).toBe(204);
}

const timesSent = (all: readonly Conversion[]) => all.map(({ uniqueId = "" }) => sent.get(uniqueId) ?? 0);
const once = (all: readonly Conversion[]) => all.map(() => 1);
const WAIT = { timeout: 20_000, interval: 50 };

test("a batch is delivered: each once, a repetition acknowledged, and what is refused put aside", async () => {
  const all = conversions(120);
  const [first, second] = all;
  const conflict = { ...first, clickId: crypto.randomUUID() };
  const wrong = conversion({ uniqeId: "x" });
  await add([...all, first, second, conflict, wrong, { offerId: "none" }, [], null]);
  await expect.poll(() => timesSent(all), WAIT).toEqual(once(all));
  await expect.poll(() => refused.length, WAIT).toBe(5);
  const codes = refused.map(({ error }) => error.code).toSorted();
  expect(codes.filter((code) => code === "conversion_conflict")).toHaveLength(1);
  expect(codes.filter((code) => code.startsWith("invalid_"))).toHaveLength(4);
  expect(refused.map((one) => one.conversion)).toContainEqual(conflict);
  expect(Math.max(...batches)).toBeLessThanOrEqual(100);
  // Nothing comes back: the queue has no message left. A retry would come after a second.
  const before = batches.length;
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect([batches.length, dead]).toEqual([before, []]);
}, 60_000);

test("a message that is no JSON, and one that is too long to be put aside, do no harm to the others of their batch", async () => {
  const all = conversions(4);
  await add(all, "unreadable");
  await expect.poll(() => timesSent(all), WAIT).toEqual(once(all));
  await expect.poll(() => refused.length, WAIT).toBe(6);
  const codes = refused.filter((one) => (one as unknown) !== "a cycle").map(({ error }) => error.code);
  expect(codes.every((code) => code.startsWith("invalid_"))).toBe(true);
  expect(refused).toContain("a cycle");
  expect(refused.map((one) => one.conversion)).toContain("1970-01-01T00:00:00.000Z");
  // The one that the queue for the refused does not take comes again, alone.
  await expect.poll(() => dead.length, WAIT).toBe(1);
  expect(batches.slice(-2)).toEqual([1, 1]);
}, 60_000);

test("an answer 503, and a full outbox, are waited for: then each is delivered once", async () => {
  way = ["unavailable", "full"];
  const all = conversions(10);
  const begin = Date.now();
  await add(all);
  await expect.poll(() => timesSent(all), WAIT).toEqual(once(all));
  expect(batches).toEqual([10, 10, 10]);
  // Retry-After goes before the shorter wait of one's own.
  expect(Date.now() - begin).toBeGreaterThan(4_000);
  expect([refused, dead]).toEqual([[], []]);
}, 60_000);

test("a consumer that ends in the middle, and an answer that is lost, repeat a batch: each is delivered once", async () => {
  way = ["lost"];
  // No message of the first batch is acknowledged, three of the second are.
  ends = [20, 3];
  const all = conversions(20);
  await add(all);
  // Miniflare repeats the whole batch, Cloudflare what was not acknowledged.
  await expect.poll(() => batches, WAIT).toEqual([20, 20, 20]);
  await expect.poll(() => timesSent(all), WAIT).toEqual(once(all));
  expect([refused, dead]).toEqual([[], []]);
}, 60_000);

test("what the forwarder never takes ends in the dead-letter queue, and is still there to be sent", async () => {
  way = ["unavailable", "unavailable", "unavailable"];
  const all = conversions(3);
  await add(all);
  await expect.poll(() => dead.length, WAIT).toBe(3);
  expect(timesSent(all)).toEqual([0, 0, 0]);
  await add(dead);
  await expect.poll(() => timesSent(all), WAIT).toEqual(once(all));
}, 60_000);
