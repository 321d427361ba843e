// The sandbox on bare workerd, as `npx cake-edge sandbox` runs it: one Durable Object, rows on disk. The load is a
// closed loop over loopback, on the same machine.
import { type ChildProcess, spawn } from "node:child_process";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "../scripts/build.ts";

const CONNECTIONS = 32;
const CLICKS = 6_000;
const ROUNDS = 41;
const SORT_FIELDS = ["conversion_id", "conversion_status", "payout", "revenue", "offer_id", "affiliate_id"];

/** The figures of `npm run bench -- sandbox`. */
export async function measure(): Promise<Record<string, number>> {
  return {
    clicks_per_s: await withSandbox([], clicksPerSecond),
    ...(await withSandbox([], conversions)),
    history_100000_clicks_s: await withSandbox([], history),
  };
}

async function clicksPerSecond(origin: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const run = async (clicks: number) => {
    let left = clicks;
    const start = performance.now();
    const worker = async () => {
      while (left > 0) {
        left -= 1;
        const status = await statusOf(`${origin}/?a=67890&c=12&s1=bench&s2=${left}`, agent);
        if (status !== 302) throw new Error(`a click was answered ${status}`);
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
    return clicks / ((performance.now() - start) / 1_000);
  };
  await run(1_000);
  const rates = [await run(CLICKS), await run(CLICKS), await run(CLICKS)];
  const { totals } = (await (await fetch(`${origin}/__sandbox/state?limit=1`)).json()) as {
    totals: { clicks: number };
  };
  agent.destroy();
  if (totals.clicks !== 1_000 + 3 * CLICKS) throw new Error(`${totals.clicks} clicks were logged`);
  return Math.round(median(rates));
}

async function conversions(origin: string): Promise<Record<string, number>> {
  // Every human click converts: 100,000 conversions and a few more.
  const rows = await history(origin, { clicks: 110_000, conversions_per_million: 1_000_000 });
  const range = "start_date=2020-01-01&end_date=2099-01-01&row_limit=500";
  /** The median milliseconds of a page at a random place of the list. */
  const pageTime = async (field: string, rounds: number): Promise<number> => {
    const times: number[] = [];
    for (let round = -5; round < rounds; round += 1) {
      const place = `start_at_row=${Math.floor(Math.random() * 190) * 500}&sort_field=${field}&sort_descending=${round % 2 === 0}`;
      const start = performance.now();
      const response = await fetch(`${origin}/api/2/conversions.json?api_key=sandbox-key&${range}&${place}`);
      const answer = (await response.json()) as { total_rows: number; conversions: unknown[] };
      const time = performance.now() - start;
      if (answer.total_rows < 100_000 || answer.conversions.length !== 500) throw new Error("rows are missing");
      if (round >= 0) times.push(time);
    }
    return Number(median(times).toFixed(2));
  };
  const byDate = await pageTime("conversion_date", ROUNDS);
  const others = [];
  for (const field of SORT_FIELDS) others.push(await pageTime(field, 15));
  if (rows === 0) throw new Error("no history");
  return { conversions_500_of_100000_ms: byDate, conversions_slowest_sort_ms: Math.max(byDate, ...others) };
}

/** The seconds to generate a history. */
async function history(origin: string, more: object = { clicks: 100_000 }): Promise<number> {
  const start = performance.now();
  const response = await fetch(`${origin}/__sandbox/history`, {
    method: "POST",
    body: JSON.stringify({ days: 30, ...more }),
  });
  const lines = (await response.text()).trim().split("\n");
  if (!lines.at(-1)?.includes('"is_last":true')) throw new Error(`the history broke off: ${lines.at(-1)}`);
  return Number(((performance.now() - start) / 1_000).toFixed(2));
}

async function withSandbox<T>(args: string[], use: (origin: string) => Promise<T>): Promise<T> {
  const child = spawn(process.execPath, [join(root, "dist/bin/cake-edge.js"), "sandbox", "--port", "0", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    return await use(await originOf(child));
  } finally {
    child.kill();
    await new Promise((resolve) => child.once("exit", resolve));
  }
}

async function originOf(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("no output");
  for await (const line of createInterface(child.stdout)) {
    const found = /^CAKE sandbox on (\S+)$/.exec(line);
    if (found?.[1]) return found[1];
  }
  throw new Error("the sandbox did not start");
}

function statusOf(url: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode ?? 0));
    }).once("error", reject);
  });
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
