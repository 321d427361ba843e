/** The sweep, which a cron trigger or a timer starts: it wakes every shard, deletes what is old, and says how each stands. */
import { logLine } from "./options.js";
import type { Shard } from "./shard.js";

/** Sweeps the shards, a line of the log for each. */
export async function sweepAll(shards: readonly Shard[]): Promise<void> {
  const reports = await Promise.all(shards.map((shard) => shard.sweep()));
  reports.forEach(({ counts, oldestMs, bytes }, shard) => {
    logLine({ event: "shard", shard, ...counts, oldestMs, bytes });
  });
}
