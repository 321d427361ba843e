/** The store in memory: a restart is a copy of all it holds. */
import { MemoryStore } from "../../dist/forwarder/memory-store.js";
import { storeTests } from "../forwarder/store.ts";

storeTests(async (_, work) => {
  let store = new MemoryStore();
  work({
    store,
    restart() {
      store = new MemoryStore(structuredClone(store.snapshot()));
      return store;
    },
  });
});
