/** The store on `node:sqlite`: a restart opens the same file anew. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NodeDatabase } from "../../dist/forwarder/node/sqlite.js";
import { SqlStore } from "../../dist/forwarder/sql-store.js";
import { storeTests } from "../forwarder/store.ts";

storeTests(async (retentionMs, work) => {
  const home = mkdtempSync(join(tmpdir(), "cake-edge-store-"));
  const opened: NodeDatabase[] = [];
  const open = () => {
    // Like a process that was killed, the one before does not close what it has open.
    const database = new NodeDatabase(join(home, "shard-0.sqlite"));
    opened.push(database);
    // The contract writes outside of windows, statement by statement: here the disk is not waited for.
    database.sql.exec("PRAGMA synchronous = OFF");
    return new SqlStore(database, retentionMs);
  };
  try {
    work({ store: open(), restart: open });
  } finally {
    for (const database of opened) database.close();
    rmSync(home, { recursive: true, force: true });
  }
});
