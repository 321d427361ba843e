/** The store in the SQLite of a Durable Object: a restart reads the same rows again. */
import { env, runInDurableObject } from "cloudflare:test";
import { SqlStore } from "../../dist/forwarder/sql-store.js";
import { storeTests } from "../forwarder/store.ts";

const namespace = (env as unknown as { WISHED: DurableObjectNamespace }).WISHED;
let objects = 0;

storeTests(async (retentionMs, work) => {
  objects += 1;
  await runInDurableObject(namespace.getByName(`store contract ${objects}`), (_, { storage }) => {
    work({
      store: new SqlStore(storage, retentionMs),
      restart: () => new SqlStore(storage, retentionMs),
    });
  });
});
