/** The forwarder in workerd, for the tests of every host: its outbox is a Durable Object, and is killed as one. */
import { abortAllDurableObjects, env, runInDurableObject } from "cloudflare:test";
import type { Kit, Line } from "../forwarder/kit.ts";
import { wished, wishes } from "./worker.ts";

const { WISHED } = env as unknown as { WISHED: DurableObjectNamespace };
let number = 0;

export const outboxKit: Kit = async (options) => {
  const lines: Line[] = [];
  wishes.now = { ...options, log: (line) => void lines.push(line as Line) };
  number += 1;
  const prefix = `test ${number}`;
  // An outbox for this test alone, and an environment without cached options.
  const namespace = {
    idFromName: (name: string) => WISHED.idFromName(`${prefix} ${name}`),
    get: (id: DurableObjectId) => WISHED.get(id),
  };
  const own = { ...env, WISHED: namespace } as never;
  return {
    lines,
    fetch: (request) => wished.fetch(request, own),
    restart: () => abortAllDurableObjects(),
    async stop() {
      await runInDurableObject(WISHED.get(namespace.idFromName("shard 0")), async (_, { storage }) => {
        await storage.deleteAlarm();
        await storage.deleteAll();
      });
      await abortAllDurableObjects();
    },
  };
};
