// The forwarder on bare workerd, against two handwritten ones: a forwarder that stores nothing, and an outbox in a
// Durable Object. The load is a closed loop over loopback; the CAKE answers at once; rows are on disk.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../scripts/build.ts";
import { bundleWorker } from "../scripts/bundle.ts";
import { event, post, SECRET, start } from "./workers.ts";

const CONCURRENCY = 32;
const EVENTS = 3_000;
const ROUNDS = 5;
const BATCH = 100;
const STARTS = 7;
/** The wait between two single events. */
const SLOWLY_MS = 60;

type Candidate = "plain" | "js-outbox" | "ours" | "counted";

/** The contenders: the candidates in workerd, and ours in a Node process. */
type Contender = "plain" | "js-outbox" | "ours" | "node";

/** The results of one run. */
interface Run {
  /** The rates of accepted and delivered events, per second. */
  readonly rate: number;
  readonly p50: number;
}

/** The figures of `npm run bench -- forwarder`. */
export async function measure(): Promise<Record<string, number>> {
  const home = mkdtempSync(join(tmpdir(), "cake-edge-bench-"));
  try {
    for (const name of ["upstream", "plain", "js-outbox", "ours", "counted"]) {
      await bundleWorker(name, `bench/forwarder/${name}.ts`, home);
    }
    cpSync(join(root, "dist/wasm/forwarder_bg.wasm"), join(home, "forwarder_bg.wasm"));
    const upstream = await start(home, "upstream", "");
    try {
      const pairs: Record<Contender, Run>[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const pair = {} as Record<Contender, Run>;
        for (const name of ["plain", "js-outbox", "ours"] as const) {
          pair[name] = await withWorker(home, name, upstream.origin, (origin) => singles(origin, upstream.origin));
        }
        pair.node = await withNode(home, upstream.origin, (origin) => singles(origin, upstream.origin));
        pairs.push(pair);
      }
      const ratio = (of: (pair: Record<Contender, Run>) => number) => Number(median(pairs.map(of)).toFixed(2));
      const gains: number[] = [];
      for (let round = 0; round < 3; round += 1) gains.push(await withWorker(home, "ours", upstream.origin, batchGain));
      return {
        rate_vs_js_outbox: ratio(({ ours, "js-outbox": js }) => ours.rate / js.rate),
        accept_p50_over_js_outbox: ratio(({ ours, "js-outbox": js }) => ours.p50 / js.p50),
        rate_vs_plain_forwarder: ratio(({ ours, plain }) => ours.rate / plain.rate),
        node_rate_vs_worker: ratio(({ node, ours }) => node.rate / ours.rate),
        node_accept_p50_over_worker: ratio(({ node, ours }) => node.p50 / ours.p50),
        batch_gain_per_event: Number(median(gains).toFixed(1)),
        ...(await withWorker(home, "counted", upstream.origin, (origin) => written(origin, upstream.origin))),
        module_start_ms: await moduleStart(home, upstream.origin),
        events_per_s: Math.round(median(pairs.map(({ ours }) => ours.rate))),
        node_events_per_s: Math.round(median(pairs.map(({ node }) => node.rate))),
        accept_p50_ms: Number(median(pairs.map(({ ours }) => ours.p50)).toFixed(1)),
        js_outbox_events_per_s: Math.round(median(pairs.map((pair) => pair["js-outbox"].rate))),
        plain_events_per_s: Math.round(median(pairs.map(({ plain }) => plain.rate))),
      };
    } finally {
      await upstream.workerd.stop();
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Single events by 32 clients, until the last one is recorded upstream. */
async function singles(origin: string, upstream: string): Promise<Run> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  const times: number[] = [];
  const run = async (events: number) => {
    await fetch(`${upstream}/reset`);
    times.length = 0;
    let left = events;
    const begin = performance.now();
    const client = async () => {
      while (left > 0) {
        left -= 1;
        const sent = performance.now();
        const status = await post(origin, agent, { origin }, event());
        if (status !== 200 && status !== 202) throw new Error(`an event was answered ${status}`);
        times.push(performance.now() - sent);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, client));
    await delivered(upstream, events);
    return events / ((performance.now() - begin) / 1_000);
  };
  await run(500);
  const rate = await run(EVENTS);
  agent.destroy();
  return { rate, p50: median(times) };
}

/** Rows written per event, as Cloudflare bills them, and statements: with one event at a time, and with 32 at once. */
async function written(origin: string, upstream: string): Promise<Record<string, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  const counts = async (route = "written") =>
    (await (await fetch(`${origin}/cake/${route}`)).json()) as Record<"rows" | "alarms" | "statements", number>;
  const run = async (rounds: number, atOnce: number) => {
    await fetch(`${upstream}/reset`);
    const before = await counts();
    for (let round = 0; round < rounds; round += 1) {
      await Promise.all(Array.from({ length: atOnce }, () => post(origin, agent, { origin }, event())));
      // At an ordinary rate, an event is delivered and stored before the next one arrives.
      if (atOnce === 1) await new Promise((resolve) => setTimeout(resolve, SLOWLY_MS));
    }
    await delivered(upstream, rounds * atOnce);
    await new Promise((resolve) => setTimeout(resolve, 10 * SLOWLY_MS));
    const after = await counts();
    const each = (count: number) => Number((count / (rounds * atOnce)).toFixed(2));
    return {
      rows: each(after.rows - before.rows),
      alarms: each(after.alarms - before.alarms),
      statements: each(after.statements - before.statements),
    };
  };
  await run(10, 1);
  const [alone, together] = [await run(100, 1), await run(30, CONCURRENCY)];
  agent.destroy();
  const kept = await counts();
  const purged = await counts("purged");
  const events = 10 + 100 + 30 * CONCURRENCY;
  return {
    rows_written_per_event: alone.rows,
    alarm_writes_per_event: alone.alarms,
    statements_per_event: alone.statements,
    rows_purged_per_event: Number(((purged.rows - kept.rows) / events).toFixed(2)),
    rows_written_per_event_32: together.rows,
    alarm_writes_per_event_32: together.alarms,
    statements_per_event_32: together.statements,
  };
}

/** The rate of events in signed batches, relative to single events. */
async function batchGain(origin: string): Promise<number> {
  const { signConversion } = (await import(
    `${root}dist/webhook-signature.js`
  )) as typeof import("../dist/webhook-signature.js");
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const run = async (bodies: readonly string[], events: number) => {
    const signed = await Promise.all(bodies.map(async (body) => ({ ...(await signConversion(body, SECRET)) })));
    let next = 0;
    const begin = performance.now();
    const client = async () => {
      for (let at = next++; at < bodies.length; at = next++) {
        const status = await post(origin, agent, signed[at] ?? {}, bodies[at] ?? "");
        if (status !== 202) throw new Error(`a batch was answered ${status}`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, client));
    return events / ((performance.now() - begin) / 1_000);
  };
  const single = Array.from({ length: 2_000 }, event);
  const batches = Array.from({ length: 60 }, () => `{"conversions":[${Array.from({ length: BATCH }, event).join()}]}`);
  await run(single.splice(0, 500), 500);
  const alone = await run(single, single.length);
  const together = await run(batches, batches.length * BATCH);
  agent.destroy();
  return together / alone;
}

/** The module's share of the time from workerd's start to its first answer. */
async function moduleStart(home: string, upstream: string): Promise<number> {
  const timed = async (name: Candidate) => {
    const begin = performance.now();
    await withWorker(home, name, upstream, async (origin) => {
      await (await fetch(`${origin}/cake/health`)).text();
    });
    return performance.now() - begin;
  };
  const differences: number[] = [];
  for (let round = 0; round < STARTS; round += 1) differences.push((await timed("ours")) - (await timed("js-outbox")));
  return Number(median(differences).toFixed(1));
}

async function delivered(upstream: string, events: number): Promise<void> {
  for (let tries = 0; tries < 12_000; tries += 1) {
    const { unique } = (await (await fetch(`${upstream}/count`)).json()) as { unique: number };
    if (unique >= events) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("events are missing upstream");
}

async function withWorker<T>(
  home: string,
  name: Candidate,
  upstream: string,
  use: (origin: string) => Promise<T>,
): Promise<T> {
  const { workerd, origin, rows } = await start(home, name, upstream);
  try {
    return await use(origin);
  } finally {
    await workerd.stop();
    rmSync(rows, { recursive: true, force: true });
  }
}

/** Ours in a Node process, one shard as in workerd, its rows in a folder of its own. */
async function withNode<T>(home: string, upstream: string, use: (origin: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(home, "rows-"));
  const child = spawn(process.execPath, [join(root, "bench/forwarder-node.ts"), folder, upstream], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  try {
    const origin = await Promise.race([
      new Promise<string>((resolve) => child.stdout.setEncoding("utf8").once("data", (line) => resolve(line.trim()))),
      ended.then(([code]) => {
        throw new Error(`the forwarder in Node ended with ${code}`);
      }),
    ]);
    return await use(origin);
  } finally {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
