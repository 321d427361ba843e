/** The in-memory store: a restart is a copy of its whole content. */
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
