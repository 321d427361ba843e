/** The times of a store's events, where a clock was wrong and is right again. */
import type { Sql } from "./sql.js";
import { wasTried } from "./sql-conditions.js";
import type { ClockNow, Latest } from "./store.js";
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

/** Mends times by the rules of `mendedTimes` and `mendedAge`. No row is read: a million may wait. */
export function mendTimes(sql: Sql, partitions: readonly Partition[], clock: ClockNow): void {
  const { nowMs, setFromMs, longestWaitMs, wasUnset } = clock;
  const isAhead = "accepted_ms > ?1 AND is_in_doubt = 0";
  for (const { suffix } of partitions) {
    if (nowMs < setFromMs) {
      sql.exec(
        `UPDATE events${suffix} SET next_ms = ?1 + 1 WHERE next_ms > ?1 + ?2 AND next_ms <> accepted_ms`,
        nowMs,
        longestWaitMs,
      );
      continue;
    }
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
    if (!wasUnset) continue;
    sql.exec(
      `UPDATE events${suffix} SET
         next_ms = CASE WHEN next_ms = accepted_ms AND is_in_doubt = 0 THEN ?1 ELSE next_ms END,
         accepted_ms = CASE WHEN is_in_doubt = 0 THEN ?1 ELSE accepted_ms END,
         changed_ms = max(changed_ms, ?1)
       WHERE accepted_ms < ?2`,
      nowMs,
      setFromMs,
    );
    sql.exec(`UPDATE claims${suffix} SET at_ms = ?1 WHERE at_ms < ?2`, nowMs, setFromMs);
  }
}
