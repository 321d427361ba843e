// Retention under load, on bare workerd: a shard with events past their retention is swept while it accepts. No accept
// may wait long because of it. The same load without a sweep tells what the machine itself makes wait.
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../scripts/build.ts";
import { bundleWorker } from "../scripts/bundle.ts";
import { event, post, start } from "./workers.ts";

/** `BENCH_EVENTS` tries the measurement itself with fewer. */
const EVENTS = Number(process.env["BENCH_EVENTS"] ?? 2_000_000);
/** The load: so many clients, each with such a pause after an answer. */
const CLIENTS = 4;
const PAUSE_MS = 10;

/** The figures of `npm run bench -- retention`. */
export async function measure(): Promise<Record<string, number>> {
  const home = mkdtempSync(join(tmpdir(), "cake-edge-bench-"));
  try {
    for (const name of ["upstream", "old-rows", "swept"]) await bundleWorker(name, `bench/forwarder/${name}.ts`, home);
    cpSync(join(root, "dist/wasm/forwarder_bg.wasm"), join(home, "forwarder_bg.wasm"));
    const filler = await start(home, "old-rows", "http://127.0.0.1:1");
    const { rows } = filler;
    try {
      const answer = await fetch(`${filler.origin}/?events=${EVENTS}`);
      if (!answer.ok) throw new Error(`the store was not filled: ${answer.status} ${await answer.text()}`);
    } finally {
      await filler.workerd.stop();
    }
    const upstream = await start(home, "upstream", "");
    try {
      const { workerd, origin } = await start(home, "swept", upstream.origin, rows);
      try {
        // The first requests start the shard.
        await loaded(origin, () => new Promise((resolve) => setTimeout(resolve, 1_000)));
        const begin = performance.now();
        let sweeps = 0;
        const swept = await loaded(origin, async () => {
          for (let left = EVENTS; left >= EVENTS / 100; sweeps += 1) {
            left = ((await (await fetch(`${origin}/sweep`)).json()) as { readonly delivered: number }).delivered;
            if (sweeps > 100) throw new Error(`${left} events are still there`);
          }
        });
        const ms = performance.now() - begin;
        const alone = await loaded(origin, () => new Promise((resolve) => setTimeout(resolve, ms)));
        return {
          events: EVENTS,
          sweeps,
          sweep_ms: Math.round(ms),
          longest_accept_ms: Math.round(Math.max(...swept)),
          longest_accept_ms_without: Math.round(Math.max(...alone)),
          accepts_beyond_100_ms: swept.filter((took) => took > 100).length,
          accepts_beyond_100_ms_without: alone.filter((took) => took > 100).length,
          accepts: swept.length,
        };
      } finally {
        await workerd.stop();
      }
    } finally {
      await upstream.workerd.stop();
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** How long each event's answer took, in milliseconds, while `work` went on. */
async function loaded(origin: string, work: () => Promise<unknown>): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const times: number[] = [];
  let isOver = false;
  const client = async () => {
    while (!isOver) {
      const sent = performance.now();
      const status = await post(origin, agent, { origin }, event());
      if (status !== 202) throw new Error(`an event was answered ${status}`);
      times.push(performance.now() - sent);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  const clients = Promise.all(Array.from({ length: CLIENTS }, client));
  await Promise.race([work(), clients]).finally(() => {
    isOver = true;
  });
  await clients;
  agent.destroy();
  return times;
}
