/**
 * A forwarder in front of a faulty CAKE, killed by SIGKILL again and again while clients send it events. The recorded
 * conversions are read from the sandbox's own rows, on disk. No cron sweeps here: only the outbox's own alarms wake it.
 */
import { randomUUID } from "node:crypto";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get, request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { signConversion } from "../../dist/entry/edge.inline.js";
import { freePort, startWorkerd, type Workerd } from "../../js/bin/workerd.ts";
import { root } from "../../scripts/build.ts";
import { bundleWorker } from "../../scripts/bundle.ts";
import { startNodeForwarder } from "../node-forwarder.ts";

const { default: program } = createRequire(import.meta.url)("workerd") as { default: string };

const HOST = "127.0.0.1";
const API_KEY = "CANARY-chaos-key-7f3a9";
const SIGNING_SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const OFFER = 1;

/** The host of a forwarder: workerd, or a separate Node process. */
export type ForwarderHost = "workerd" | "node";

/** A running forwarder; SIGKILL ends it. */
export interface Killable {
  stop(): Promise<unknown>;
}

/** The numbers of shards of a release. */
export interface ShardNumbers {
  readonly shards: number;
  readonly formerShards: readonly number[];
}

/** The options of a run. */
export interface ChaosOptions {
  /** @default "workerd" */
  readonly host?: ForwarderHost;
  readonly events: number;
  readonly clients: number;
  /** The share of calls to CAKE that fail, by every kind of fault in the sandbox. */
  readonly faultShare: number;
  /** The least number of kills of the forwarder. */
  readonly kills: number;
  /** Does CAKE deduplicate by unique id? */
  readonly deduplicates: boolean;
  /** The share of events that are corrected, half of them twice. @default 0 */
  readonly correctedShare?: number;
  /**
   * The numbers of shards of each release, in sequence. In workerd two releases run at once, and each kill moves more
   * objects and requests to the later one. A Node process has one release at a time.
   * @default four shards, all the time
   */
  readonly releases?: readonly ShardNumbers[];
  /** The share of events that are sent twice at once; as many are repeated at the end. @default 0 */
  readonly repeatedShare?: number;
  /** How long to wait for the last event. */
  readonly patienceMs: number;
  /** How long CAKE stays faulty after the last event was accepted. */
  readonly healAfterMs: number;
  /** The shortest and the longest time between two kills. */
  readonly killEveryMs: readonly [number, number];
  /** Receives the progress. */
  readonly tell?: (line: string) => void;
}

/** The results of a run. */
export interface ChaosReport {
  /** Events answered 202. */
  readonly accepted: number;
  readonly recorded_once: number;
  readonly recorded_twice: number;
  /** Events that were accepted but never recorded. */
  readonly lost: number;
  /** Events and claims that are in two shards. */
  readonly kept_twice: number;
  /** Events that were repeated at the end and not recognised. */
  readonly forgotten: number;
  /** Recorded events that the forwarder does not know as delivered: refused, dead or still waiting. */
  readonly undelivered: number;
  /** Corrections answered 202 that appear once in the rows, behind the corrections sent before them. */
  readonly corrections: number;
  readonly corrections_applied_once: number;
  readonly corrections_twice: number;
  readonly corrections_lost: number;
  /**
   * Conversions whose corrections were applied in another order, or whose totals are not the sum of the accepted ones.
   */
  readonly corrections_out_of_order: number;
  readonly kills: number;
  readonly upstream_faults: number;
  /** Requests of clients that got no answer and were repeated. */
  readonly client_retries: number;
  readonly seconds: number;
  /** The places outside where the API key was found: always empty. */
  readonly leaks: readonly string[];
}

/** Runs the chaos, and counts the results. */
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
        actions: ["record_conversion", "get_click", "update_conversion_events", "event_conversion_changes"],
        latency_ms: 300,
        retry_after_s: 1,
        status: 503,
      },
    ]);

    const { releases = [{ shards: 4, formerShards: [] }], repeatedShare = 0 } = options;
    let kills = 0;
    const start = () => {
      const progress = Math.min(1, kills / Math.max(1, options.kills)) * (releases.length - 1);
      return startForwarder(host, home, port, sandboxOrigin, secret, deduplicates, {}, releases, progress);
    };
    const forwarder = { now: await start() };
    running.push({ stop: () => forwarder.now.stop() });
    const leaks: string[] = [];
    const seen = (where: string, text: string) => {
      if (spellings(API_KEY).some((spelling) => text.includes(spelling))) leaks.push(where);
    };

    // The clients: each repeats an event until the answer is 202.
    const agent = new Agent({ keepAlive: true, maxSockets: clients });
    const waiting = clickIds.map((clickId) => ({ clickId, offerId: OFFER, uniqueId: randomUUID() }));
    const accepted = new Set<string>();
    // The corrections by the conversion's unique id, in the order of their acceptance.
    const corrected = new Map<string, Correction[]>();
    const repeated: string[] = [];
    const share = options.correctedShare ?? 0;
    let retries = 0;
    let areDone = false;
    const client = async () => {
      for (let event = waiting.pop(); event !== undefined; event = waiting.pop()) {
        const body = JSON.stringify(event);
        const isRepeated = Math.random() < repeatedShare;
        await Promise.all(Array.from({ length: isRepeated ? 2 : 1 }, () => handOver("conversions", body)));
        accepted.add(event.uniqueId);
        if (isRepeated) repeated.push(body);
        // At once: the conversion is seldom delivered by then.
        for (const correction of correctionsOf(event, accepted.size, share)) {
          await handOver("corrections", JSON.stringify(correction));
          corrected.set(event.uniqueId, [...(corrected.get(event.uniqueId) ?? []), correction]);
        }
      }
    };
    const handOver = async (route: string, body: string) => {
      for (;;) {
        const answer = await post(origin, agent, body, route);
        seen("an answer", answer.body);
        if (answer.status === 202) return answer.body;
        if (answer.status !== 0 && answer.status < 500) throw new Error(`${answer.status}: ${answer.body}`);
        retries += 1;
        await sleep(20 + Math.random() * 80);
      }
    };
    const all = Promise.all(Array.from({ length: clients }, client)).then(() => {
      areDone = true;
    });

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
    let forgotten = 0;
    for (const body of repeated) {
      const { duplicate } = JSON.parse(await handOver("conversions", body)) as { duplicate: boolean };
      if (!duplicate) forgotten += 1;
    }
    agent.destroy();

    // CAKE recovers: waiting events are delivered at their due time, by their alarm alone.
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

    const rows = recorded(home);
    const counts = new Map([...rows].map(([uniqueId, { count }]) => [uniqueId, count]));
    const times = [...accepted].map((uniqueId) => counts.get(uniqueId) ?? 0);
    const corrections = [...corrected].flatMap(([uniqueId, all]) =>
      all.map((each) => appliedIn(rows.get(uniqueId), each)),
    );
    const untrue = [...corrected].filter(([uniqueId, all]) => !isSumOf(rows.get(uniqueId), all));
    return {
      accepted: accepted.size,
      recorded_once: times.filter((count) => count === 1).length,
      recorded_twice: times.filter((count) => count > 1).length,
      lost: times.filter((count) => count === 0).length,
      kept_twice: keptTwice(home),
      forgotten,
      undelivered: accepted.size + corrections.length - settled,
      corrections: corrections.length,
      corrections_applied_once: corrections.filter((count) => count === 1).length,
      corrections_twice: corrections.filter((count) => count > 1).length,
      corrections_lost: corrections.filter((count) => count === 0).length,
      corrections_out_of_order: untrue.length,
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

interface Correction {
  readonly correctionId: string;
  readonly offerId: number;
  readonly uniqueId: string;
  readonly payout?: string;
  readonly payoutAdded?: string;
}

/**
 * Corrections of a share of the events: one each, and every other of these events gets a second. Totals and added
 * amounts alternate.
 */
function correctionsOf(event: { readonly offerId: number; readonly uniqueId: string }, at: number, share: number) {
  const every = share === 0 ? 0 : Math.round(1 / share);
  if (every === 0 || at % every !== 0) return [];
  const { offerId, uniqueId } = event;
  const correction = (more: object): Correction => ({ correctionId: randomUUID(), offerId, uniqueId, ...more });
  const total = correction({ payout: `${10 + (at % 7)}.50` });
  const added = correction({ payoutAdded: "-0.25" });
  switch (Math.floor(at / every) % 4) {
    case 0:
      return [total, added];
    case 1:
      return [added, total];
    case 2:
      return [total];
    default:
      return [added];
  }
}

interface Recorded {
  readonly count: number;
  readonly payout: number;
  readonly note: string;
  readonly corrections: number;
}

function appliedIn(row: Recorded | undefined, { correctionId }: Correction): number {
  return (row?.note ?? "").split(`[${correctionId}]`).length - 1;
}

/** Is a conversion's payout the result of its corrections in their order, and does its row list exactly these? */
function isSumOf(row: Recorded | undefined, corrections: readonly Correction[]): boolean {
  if (row === undefined) return false;
  const cents = (text: string) => Math.round(Number(text) * 100);
  let payout = 100;
  for (const { payout: total, payoutAdded: added } of corrections) {
    payout = total === undefined ? payout + cents(added ?? "0") : cents(total);
  }
  const note = corrections.map(({ correctionId }) => `[${correctionId}]`).join(" ");
  return row.payout === payout && row.note === note && row.corrections === corrections.length;
}

/** A text unchanged, percent-encoded, and in base64 at each of its three alignments. */
export function spellings(secret: string): string[] {
  const places = ["", "x", "xx"].map((before) => Buffer.from(before + secret).toString("base64"));
  // The text around the secret changes the digits at both ends.
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

/** Makes the forwarder's folder below `home`, and the files that it runs. */
export async function prepareForwarder(host: ForwarderHost, home: string): Promise<void> {
  mkdirSync(join(home, "forwarder/rows"), { recursive: true });
  if (host === "node") return;
  await bundleWorker("forwarder", "tests/chaos/worker.ts", join(home, "forwarder"));
  cpSync(join(root, "dist/wasm/forwarder_bg.wasm"), join(home, "forwarder/forwarder_bg.wasm"));
}

/** Starts the forwarder in front of the CAKE at `cake`. */
export function startForwarder(
  host: ForwarderHost,
  home: string,
  port: number,
  cake: string,
  secret: string,
  deduplicates: boolean,
  more: Readonly<Record<string, string>> = {},
  releases: readonly ShardNumbers[] = [{ shards: 4, formerShards: [] }],
  progress = 0,
): Promise<Killable> {
  const environment = {
    CAKE_RELEASES: JSON.stringify(releases),
    CAKE_PROGRESS: String(progress),
    CAKE_BASE_URL: cake,
    CAKE_API_KEY: API_KEY,
    CAKE_OPERATOR_SECRET: secret,
    CAKE_DEDUPLICATES: deduplicates ? "yes" : "no",
    CAKE_SEVERAL_PER_CLICK: "no",
    CAKE_CLOCK_SPEED: "1000",
    CAKE_SIGNING_SECRETS: SIGNING_SECRET,
    ...more,
  };
  if (host === "node") return startInNode(home, port, environment, releases[Math.floor(progress)]);
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
function startInNode(
  home: string,
  port: number,
  environment: Readonly<Record<string, string>>,
  numbers: ShardNumbers | undefined,
): Promise<Killable> {
  return startNodeForwarder({
    home: join(home, "forwarder"),
    environment: {
      CAKE_API_KEY: API_KEY,
      CAKE_OPERATOR_SECRET: environment["CAKE_OPERATOR_SECRET"] ?? "",
      CAKE_SIGNING_SECRETS: SIGNING_SECRET,
    },
    options: {
      port,
      ...numbers,
      baseUrl: environment["CAKE_BASE_URL"],
      upstreamDedupe: environment["CAKE_DEDUPLICATES"] === "yes",
      timeoutMs: 2_000,
      severalPerClick: environment["CAKE_SEVERAL_PER_CLICK"] === "yes",
      clockSpeed: Number(environment["CAKE_CLOCK_SPEED"]),
    },
  });
}

/** Makes this number of clicks; returns their ids. */
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

/** Waits until no event waits, or nothing changes any more; returns the number of delivered events. */
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

/** The number of calls with a fault. Asked at each kill, so that the sandbox never sleeps and forgets. */
async function struck(origin: string): Promise<number> {
  const { struck } = (await (await fetch(`${origin}/__sandbox/faults/struck`)).json()) as { struck?: number };
  return struck ?? 0;
}

/** The number of events and claims that are in the rows of two shards. */
function keptTwice(home: string): number {
  const places = new Map<string, number>();
  for (const file of globSync("forwarder/rows/**/*.sqlite", { cwd: home })) {
    const database = new DatabaseSync(join(home, file));
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    for (const name of tables.map((table) => String(table["name"]))) {
      const [kind] = /^(events|claims)(_\w+)?$/.exec(name)?.slice(1) ?? [];
      if (kind === undefined) continue;
      for (const { it } of database.prepare(`SELECT ${kind === "events" ? "id" : "claim"} AS it FROM ${name}`).all()) {
        places.set(`${kind} ${it}`, (places.get(`${kind} ${it}`) ?? 0) + 1);
      }
    }
    database.close();
  }
  return [...places.values()].filter((count) => count > 1).length;
}

/** The recorded conversions by unique id, from the sandbox's own rows. */
function recorded(home: string): Map<string, Recorded> {
  const [file] = globSync("sandbox/rows/**/*.sqlite", { cwd: home }).filter((name) => !name.includes("metadata"));
  if (file === undefined) throw new Error("the sandbox left no rows");
  const rows = new DatabaseSync(join(home, file))
    .prepare(
      `SELECT unique_id, count(*) AS count, max(payout_units) / 100 AS payout, max(coalesce(note, '')) AS note,
       max(corrections) AS corrections FROM conversions GROUP BY unique_id`,
    )
    .all() as unknown as (Recorded & { readonly unique_id: string })[];
  return new Map(rows.map((row) => [row.unique_id, row]));
}

async function put(url: string, body: unknown): Promise<void> {
  const response = await fetch(url, { method: "PUT", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
}

export async function read(url: string, secret: string): Promise<string> {
  return (await fetch(url, { headers: { authorization: `Bearer ${secret}` } })).text();
}

/** The answer; status 0 without one. Every request except a conversion is signed. */
export async function post(
  origin: string,
  agent: Agent,
  body: string,
  route = "conversions",
): Promise<{ status: number; body: string }> {
  const signature = route === "conversions" ? {} : await signConversion(body, SIGNING_SECRET);
  return new Promise((resolve) => {
    const none = () => resolve({ status: 0, body: "" });
    const sent = request(
      `${origin}/cake/${route}`,
      {
        method: "POST",
        agent,
        headers: {
          "content-type": "application/json",
          origin,
          "content-length": Buffer.byteLength(body),
          ...signature,
        },
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
