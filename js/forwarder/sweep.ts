/** The sweep of all shards, started by a cron trigger or a timer. */
import { logLine } from "./options.js";
import type { Shard } from "./shard.js";

/** Wakes every shard, deletes old rows, and writes one line of the log for each shard. */
export async function sweepAll(shards: readonly Shard[]): Promise<void> {
  const reports = await Promise.all(shards.map((shard) => shard.sweep()));
  reports.forEach(({ counts, corrections, oldestMs, bytes }, shard) => {
    logLine({ event: "shard", shard, ...counts, corrections, oldestMs, bytes });
  });
}
