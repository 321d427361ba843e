/** A place for forwarders in Node processes: a fake CAKE, a folder, and how they are asked. */
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, onTestFinished } from "vitest";
import { FakeCake } from "../fake-cake/reply.ts";
import { type NodeForwarderProcess, startNodeForwarder } from "../node-forwarder.ts";
import { CLI } from "../sandbox-process.ts";

export const SITE = "https://shop.example";
export const KEY = "CANARY-key-4c1d9e";
export const OPERATOR = "correct-horse-battery-staple-2026-06";
export const OFFER = 12_345;

export const newEvent = (more: object = {}) => ({
  clickId: randomUUID(),
  offerId: OFFER,
  uniqueId: `ORD-${randomUUID()}`,
  ...more,
});

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Asks over a connection of its own; rejects where none is answered. */
export function ask(
  origin: string,
  path: string,
  { method = "GET", headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(origin + path, { method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.once("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      response.once("error", reject);
    });
    sent.once("error", reject).end(body);
  });
}

export const PAGE = { origin: SITE, "content-type": "text/plain" };
export const post = (origin: string, event: object, query = "", headers: Record<string, string> = {}) =>
  ask(origin, `/cake/conversions${query}`, {
    method: "POST",
    headers: { ...PAGE, ...headers },
    body: JSON.stringify(event),
  });
export const operator = (origin: string, path: string) =>
  ask(origin, `/cake/operator/${path}`, { headers: { authorization: `Bearer ${OPERATOR}` } });

export function newFolder(): string {
  const home = mkdtempSync(join(tmpdir(), "cake-edge-node-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

/** A fake CAKE, a folder, and forwarders on it, one after the other. */
export async function place(more: Record<string, unknown> = {}) {
  const cake = await FakeCake.open(inject("fakeCakes"), { deduplicates: more["upstreamDedupe"] !== false });
  const home = newFolder();
  const options = {
    baseUrl: cake.origin,
    origins: [SITE],
    clockSpeed: 1_000,
    timeoutMs: 1_500,
    shards: 2,
    ...more,
  };
  const environment = { CAKE_API_KEY: KEY, CAKE_OPERATOR_SECRET: OPERATOR };
  const started: NodeForwarderProcess[] = [];
  onTestFinished(async () => {
    for (const each of started) await each.stop();
    await cake.close();
  });
  const start = async (settings: { node?: string; cli?: string } = {}) => {
    const forwarder = await startNodeForwarder({ home, options, environment, ...settings });
    started.push(forwarder);
    return forwarder;
  };
  /** Starts one that is to end at once, and what it says. */
  const refused = () => {
    const { status, stderr } = spawnSync(process.execPath, [CLI, "forwarder", "--config", "forwarder.json"], {
      cwd: home,
      env: { ...process.env, ...environment },
      encoding: "utf8",
      timeout: 30_000,
    });
    return { status, stderr };
  };
  return { cake, home, start, refused };
}

export async function over(origin: string, id: string): Promise<{ state: string; attempts: number }> {
  const told = async () => JSON.parse((await ask(origin, `/cake/conversions/${id}`)).body);
  await expect.poll(async () => (await told()).state, { timeout: 20_000, interval: 20 }).not.toMatch(/pending|paused/);
  return told();
}
