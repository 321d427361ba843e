/** The times of a store's events, where a clock was ahead and is right again. */
import type { Sql } from "./sql.js";
import { wasTried } from "./sql-conditions.js";
import type { Latest } from "./store.js";
import type { Partition } from "./tables.js";

/** The latest times; the partitions come newest first. */
export function latestTimes(sql: Sql, partitions: readonly Partition[]): Latest {
  const accepted = partitions.flatMap(({ suffix }) =>
    sql.exec(`SELECT accepted_ms FROM events${suffix} ORDER BY number DESC LIMIT 1`).toArray(),
  );
  const due = partitions.map((partition) => {
    const condition = wasTried(partition);
    return Number(
      sql.exec(`SELECT max(next_ms) AS it FROM events${partition.suffix} WHERE ${condition}`).one()["it"] ?? 0,
    );
  });
  return { acceptedMs: Number(accepted[0]?.["accepted_ms"] ?? 0), dueMs: Math.max(0, ...due) };
}

/** Mends times by the rule of `mendedTimes`. No row is read: a million may wait. */
export function mendTimes(sql: Sql, partitions: readonly Partition[], nowMs: number, longestWaitMs: number): void {
  const isAhead = "accepted_ms > ?1 AND is_in_doubt = 0";
  for (const { suffix } of partitions) {
    sql.exec(
      `UPDATE events${suffix} SET
         next_ms = CASE WHEN next_ms = accepted_ms THEN min(next_ms, ?1) ELSE ?1 + 1 END,
         accepted_at = CASE WHEN ${isAhead} THEN '' ELSE accepted_at END,
         accepted_ms = CASE WHEN ${isAhead} THEN ?1 ELSE accepted_ms END,
         changed_ms = min(changed_ms, ?1)
       WHERE next_ms IS NOT NULL AND (changed_ms > ?1 OR accepted_ms > ?1 OR next_ms > ?1 + ?2)`,
      nowMs,
      longestWaitMs,
    );
  }
}
