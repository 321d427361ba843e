/**
 * A forwarder in front of a bad CAKE, killed by SIGKILL again and again while
 * clients hand it events. What was recorded is read from the sandbox's own
 * rows, on disk. No cron sweeps here: only the outbox's own alarms wake it.
 */
import { randomUUID } from "node:crypto";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get, request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { freePort, startWorkerd, type Workerd } from "../../js/bin/workerd.ts";
import { root } from "../../scripts/build.ts";
import { bundleWorker } from "../../scripts/bundle.ts";
import { startNodeForwarder } from "../node-forwarder.ts";

const { default: program } = createRequire(import.meta.url)("workerd") as { default: string };

const HOST = "127.0.0.1";
const API_KEY = "CANARY-chaos-key-7f3a9";
const OFFER = 1;

/** Where a forwarder runs: in workerd, or in a Node process of its own. */
export type ForwarderHost = "workerd" | "node";

/** A forwarder that runs; it is ended by SIGKILL. */
export interface Killable {
  stop(): Promise<unknown>;
}

/** What is to happen. */
export interface ChaosOptions {
  /** @default "workerd" */
  readonly host?: ForwarderHost;
  readonly events: number;
  readonly clients: number;
  /** The share of the calls to CAKE that go wrong, of every kind that the sandbox has. */
  readonly faultShare: number;
  /** How often the forwarder is killed at least. */
  readonly kills: number;
  /** Does CAKE deduplicate by unique id? */
  readonly deduplicates: boolean;
  /** How long to wait for the last event. */
  readonly patienceMs: number;
  /** CAKE goes on being bad for so long after the last event was accepted. */
  readonly healAfterMs: number;
  /** Between two kills, at least and at most. */
  readonly killEveryMs: readonly [number, number];
  /** Tells how far it is. */
  readonly tell?: (line: string) => void;
}

/** What happened. */
export interface ChaosReport {
  /** Events answered 202. */
  readonly accepted: number;
  readonly recorded_once: number;
  readonly recorded_twice: number;
  /** Accepted, and never recorded. */
  readonly lost: number;
  /** Recorded, but the forwarder does not know it: refused, dead or still waiting. */
  readonly undelivered: number;
  readonly kills: number;
  readonly upstream_faults: number;
  /** Requests of clients that had no answer, and were repeated. */
  readonly client_retries: number;
  readonly seconds: number;
  /** Where the API key was found outside: always empty. */
  readonly leaks: readonly string[];
}

/** Does it, and counts. */
export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const { events, clients, faultShare, deduplicates, tell = () => undefined } = options;
  const begin = Date.now();
  const home = mkdtempSync(join(tmpdir(), "cake-edge-chaos-"));
  const running: Killable[] = [];
  const host = options.host ?? "workerd";
  try {
    mkdirSync(join(home, "sandbox/rows"), { recursive: true });
    cpSync(join(root, "dist/bin/worker/sandbox.js"), join(home, "sandbox/sandbox.js"));
    cpSync(join(root, "dist/wasm/sandbox_bg.wasm"), join(home, "sandbox/sandbox_bg.wasm"));
    writeFileSync(join(home, "sandbox/fixture.json"), JSON.stringify(fixture(deduplicates)));
    await prepareForwarder(host, home);

    const [sandboxPort, port] = [await freePort(), await freePort()];
    const sandboxOrigin = `http://${HOST}:${sandboxPort}`;
    const origin = `http://${HOST}:${port}`;
    const secret = randomUUID();
    const sandbox = await startSandbox(home, sandboxPort);
    running.push(sandbox);
    const clickIds = await makeClicks(sandboxOrigin, events);
    tell(`${events} clicks made`);
    await put(`${sandboxOrigin}/__sandbox/faults`, [
      {
        share: faultShare,
        actions: ["record_conversion", "get_click"],
        latency_ms: 300,
        retry_after_s: 1,
        status: 503,
      },
    ]);

    const start = () => startForwarder(host, home, port, sandboxOrigin, secret, deduplicates);
    const forwarder = { now: await start() };
    running.push({ stop: () => forwarder.now.stop() });
    const leaks: string[] = [];
    const seen = (where: string, text: string) => {
      if (spellings(API_KEY).some((spelling) => text.includes(spelling))) leaks.push(where);
    };

    // The clients: each repeats an event until it is answered 202.
    const agent = new Agent({ keepAlive: true, maxSockets: clients });
    const waiting = clickIds.map((clickId) => ({ clickId, offerId: OFFER, uniqueId: randomUUID() }));
    const accepted = new Set<string>();
    let retries = 0;
    let areDone = false;
    const client = async () => {
      for (let event = waiting.pop(); event !== undefined; event = waiting.pop()) {
        for (;;) {
          const answer = await post(origin, agent, JSON.stringify(event));
          seen("an answer", answer.body);
          if (answer.status === 202) break;
          if (answer.status !== 0 && answer.status < 500) throw new Error(`${answer.status}: ${answer.body}`);
          retries += 1;
          await sleep(20 + Math.random() * 80);
        }
        accepted.add(event.uniqueId);
      }
    };
    const all = Promise.all(Array.from({ length: clients }, client)).then(() => {
      areDone = true;
    });

    let kills = 0;
    const [least, most] = options.killEveryMs;
    while (kills < options.kills || !areDone) {
      await Promise.race([sleep(least + Math.random() * (most - least)), ...(kills < options.kills ? [] : [all])]);
      if (kills >= options.kills && areDone) break;
      await forwarder.now.stop(); // SIGKILL
      kills += 1;
      await struck(sandboxOrigin);
      tell(`killed ${kills} times, ${accepted.size} accepted`);
      await sleep(Math.random() * 100);
      forwarder.now = await start();
    }
    await all;
    agent.destroy();

    // CAKE heals: what waits then is delivered when its time has come, by its alarm alone.
    await sleep(options.healAfterMs);
    const faults = await struck(sandboxOrigin);
    await put(`${sandboxOrigin}/__sandbox/faults`, []);
    const settled = await untilSettled(origin, secret, options.patienceMs, tell);
    seen("the operator's page", await read(`${origin}/cake/operator`, secret));
    seen("the export", await read(`${origin}/cake/operator/export.csv?state=delivered`, secret));
    await forwarder.now.stop();
    await sandbox.stop();
    running.length = 0;
    for (const file of globSync("forwarder/rows/**/*", { cwd: home, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const path = join(file.parentPath, file.name);
      seen(`the rows: ${file.name}`, readFileSync(path, "latin1"));
    }

    const counts = recorded(home);
    const times = [...accepted].map((uniqueId) => counts.get(uniqueId) ?? 0);
    return {
      accepted: accepted.size,
      recorded_once: times.filter((count) => count === 1).length,
      recorded_twice: times.filter((count) => count > 1).length,
      lost: times.filter((count) => count === 0).length,
      undelivered: accepted.size - settled,
      kills,
      upstream_faults: faults,
      client_retries: retries,
      seconds: Math.round((Date.now() - begin) / 1_000),
      leaks,
    };
  } finally {
    for (const each of running) await each.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

/** A text as it is, percent-encoded, and in base64 at each of its three places. */
export function spellings(secret: string): string[] {
  const places = ["", "x", "xx"].map((before) => Buffer.from(before + secret).toString("base64"));
  // What stands around the secret changes the digits at both ends.
  const cores = places.map((text) => text.slice(4, -4));
  const percent = [...Buffer.from(secret)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  return [secret, encodeURIComponent(secret), percent, percent.toUpperCase(), ...cores];
}

function fixture(deduplicates: boolean) {
  return {
    offers: [
      {
        offer_id: OFFER,
        offer_name: "Chaos",
        landing_page: "/shop/?reqid=#reqid#",
        payout: "1.00",
        revenue: "2.00",
        deduplicates,
      },
    ],
    creatives: [{ creative_id: 1, offer_id: OFFER }],
    affiliates: [{ affiliate_id: 1, affiliate_name: "Chaos" }],
  };
}

function startSandbox(home: string, port: number): Promise<Workerd> {
  return startWorkerd({
    program,
    home: join(home, "sandbox"),
    rows: join(home, "sandbox/rows"),
    host: HOST,
    port,
    front: "sandbox",
    logs: false,
    environment: { CAKE_API_KEY: API_KEY, CAKE_SANDBOX_LOOPBACK: "yes" },
    workers: [
      {
        name: "sandbox",
        modules: ["sandbox.js", "sandbox_bg.wasm"],
        variables: ["CAKE_API_KEY", "CAKE_SANDBOX_LOOPBACK"],
        texts: { CAKE_FIXTURE: "fixture.json" },
        durableObject: { binding: "NETWORK", className: "CakeNetwork", uniqueKey: "cake-network" },
      },
    ],
  });
}

/** Makes the forwarder's folder below `home`, and in it what runs there. */
export async function prepareForwarder(host: ForwarderHost, home: string): Promise<void> {
  mkdirSync(join(home, "forwarder/rows"), { recursive: true });
  if (host === "node") return;
  await bundleWorker("forwarder", "tests/chaos/worker.ts", join(home, "forwarder"));
  cpSync(join(root, "dist/wasm/forwarder_bg.wasm"), join(home, "forwarder/forwarder_bg.wasm"));
}

/** Starts it in front of the CAKE at `cake`. */
export function startForwarder(
  host: ForwarderHost,
  home: string,
  port: number,
  cake: string,
  secret: string,
  deduplicates: boolean,
  more: Readonly<Record<string, string>> = {},
): Promise<Killable> {
  const environment = {
    CAKE_BASE_URL: cake,
    CAKE_API_KEY: API_KEY,
    CAKE_OPERATOR_SECRET: secret,
    CAKE_DEDUPLICATES: deduplicates ? "yes" : "no",
    CAKE_SEVERAL_PER_CLICK: "no",
    CAKE_CLOCK_SPEED: "1000",
    ...more,
  };
  if (host === "node") return startInNode(home, port, environment);
  return startWorkerd({
    program,
    home: join(home, "forwarder"),
    rows: join(home, "forwarder/rows"),
    host: HOST,
    port,
    front: "forwarder",
    logs: false,
    environment,
    workers: [
      {
        name: "forwarder",
        modules: ["forwarder.js", "forwarder_bg.wasm"],
        variables: Object.keys(environment),
        durableObject: { binding: "OUTBOX", className: "CakeOutbox", uniqueKey: "cake-outbox" },
      },
    ],
  });
}

/** The options of tests/chaos/worker.ts, in a file. */
function startInNode(home: string, port: number, environment: Readonly<Record<string, string>>): Promise<Killable> {
  return startNodeForwarder({
    home: join(home, "forwarder"),
    environment: { CAKE_API_KEY: API_KEY, CAKE_OPERATOR_SECRET: environment["CAKE_OPERATOR_SECRET"] ?? "" },
    options: {
      port,
      shards: 4,
      baseUrl: environment["CAKE_BASE_URL"],
      upstreamDedupe: environment["CAKE_DEDUPLICATES"] === "yes",
      timeoutMs: 2_000,
      severalPerClick: environment["CAKE_SEVERAL_PER_CLICK"] === "yes",
      clockSpeed: Number(environment["CAKE_CLOCK_SPEED"]),
    },
  });
}

/** As many clicks, and their ids. */
async function makeClicks(origin: string, count: number): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const ids: string[] = [];
  let left = count;
  const visitor = async () => {
    while (left > 0) {
      left -= 1;
      const location = await new Promise<string>((resolve, reject) => {
        get(`${origin}/?a=1&c=1`, { agent }, (response) => {
          response.resume().once("end", () => resolve(response.headers.location ?? ""));
        }).once("error", reject);
      });
      ids.push(new URL(location, origin).searchParams.get("reqid") ?? "");
    }
  };
  await Promise.all(Array.from({ length: 32 }, visitor));
  agent.destroy();
  return ids;
}

/** Waits until nothing waits any more, or nothing more happens; says how many are delivered. */
export async function untilSettled(
  origin: string,
  secret: string,
  patienceMs: number,
  tell: (line: string) => void,
): Promise<number> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const { counts } = JSON.parse(await read(`${origin}/cake/operator/counts`, secret)) as {
      counts: Record<string, number>;
    };
    tell(JSON.stringify(counts));
    if ((counts["pending"] ?? 0) + (counts["paused"] ?? 0) === 0 || Date.now() > end) return counts["delivered"] ?? 0;
    await sleep(1_000);
  }
}

/** How many calls went wrong. Asked at each kill, so that the sandbox never sleeps and forgets. */
async function struck(origin: string): Promise<number> {
  const { struck } = (await (await fetch(`${origin}/__sandbox/faults/struck`)).json()) as { struck?: number };
  return struck ?? 0;
}

/** How often each unique id was recorded, by the sandbox's own rows. */
function recorded(home: string): Map<string, number> {
  const [file] = globSync("sandbox/rows/**/*.sqlite", { cwd: home }).filter((name) => !name.includes("metadata"));
  if (file === undefined) throw new Error("the sandbox left no rows");
  const rows = new DatabaseSync(join(home, file))
    .prepare("SELECT unique_id, count(*) AS count FROM conversions GROUP BY unique_id")
    .all() as { unique_id: string; count: number }[];
  return new Map(rows.map(({ unique_id, count }) => [unique_id, count]));
}

async function put(url: string, body: unknown): Promise<void> {
  const response = await fetch(url, { method: "PUT", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
}

export async function read(url: string, secret: string): Promise<string> {
  return (await fetch(url, { headers: { authorization: `Bearer ${secret}` } })).text();
}

/** The answer; status 0 where none came. */
export function post(origin: string, agent: Agent, body: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve) => {
    const none = () => resolve({ status: 0, body: "" });
    const sent = request(
      `${origin}/cake/conversions`,
      {
        method: "POST",
        agent,
        headers: { "content-type": "application/json", origin, "content-length": Buffer.byteLength(body) },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.once("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
        response.once("error", none);
        response.once("aborted", none);
      },
    );
    sent.setTimeout(10_000, () => sent.destroy());
    sent.once("error", none).end(body);
  });
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
