/** The forwarder's hosts in Node, for the tests of every host. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createForwarderInProcess, type StoreSnapshot } from "../../dist/entry/forwarder-memory.inline.js";
import type { Kit, Line } from "../forwarder/kit.ts";
import { startNodeForwarder } from "../node-forwarder.ts";

/** In this process, with its rows in memory. */
export const memoryKit: Kit = async (options) => {
  const { fetch: send = fetch } = options;
  const lines: Line[] = [];
  let kept: StoreSnapshot | undefined;
  let life = 0;
  const start = () => {
    const mine = ++life;
    return createForwarderInProcess({
      ...options,
      kept,
      keep: async (snapshot) => {
        // A stopped process stores nothing.
        if (mine === life) kept = structuredClone(snapshot);
      },
      log: (line) => {
        if (mine === life) lines.push(line as Line);
      },
      // A stopped process receives no answer either.
      fetch: async (request) => {
        if (mine !== life) return new Promise<Response>(() => {});
        const response = await send(request);
        return mine === life ? response : new Promise<Response>(() => {});
      },
    });
  };
  let forwarder = start();
  return {
    lines,
    fetch: (request) => forwarder.fetch(request),
    async restart() {
      forwarder = start();
    },
    async stop() {
      life += 1;
    },
  };
};

/** In a process of its own, which is killed as one. It takes no function. */
export const processKit: Kit = async ({ fetch: _, ...options }) => {
  const home = mkdtempSync(join(tmpdir(), "cake-edge-kit-"));
  const settings = { home, options: { shards: 1, ...options } };
  let earlier = "";
  let forwarder = await startNodeForwarder(settings);
  return {
    get lines() {
      const all = (earlier + forwarder.output()).split("\n").filter((line) => line.startsWith('{"event":"conversion"'));
      return all.map((line) => JSON.parse(line) as Line);
    },
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const { method, headers } = request;
      const body = method === "GET" ? {} : { body: await request.text() };
      return fetch(forwarder.origin + pathname + search, { method, headers, ...body });
    },
    async restart() {
      await forwarder.stop();
      earlier += forwarder.output();
      forwarder = await startNodeForwarder(settings);
    },
    async stop() {
      await forwarder.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
};
