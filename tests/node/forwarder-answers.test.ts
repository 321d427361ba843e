/** CAKE's odd answers, and the forwarder in a process. */
import { createForwarderInProcess, type StoreSnapshot } from "../../dist/entry/forwarder-memory.inline.js";
import { answerTests } from "../forwarder/answers.ts";
import type { Line } from "../forwarder/kit.ts";

answerTests(async (options) => {
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
        const response = await fetch(request);
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
});
