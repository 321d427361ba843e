/** The conditions in the SQL of a store of events. */
import type { SqlValue } from "./sql.js";
import type { RowFilter } from "./store.js";
import { LEGACY, type Partition } from "./tables.js";

// The same words as in the index: otherwise SQLite does not use the index.
export const FAILED = "state IN ('refused', 'dead', 'cancelled')";

/** The condition of each state that a list may be limited to. */
export const STATE = {
  any: "",
  failed: `AND ${FAILED} AND state IN ('refused', 'dead')`,
  cancelled: `AND ${FAILED} AND state = 'cancelled'`,
  pending: "AND state = 'pending'",
  delivered: "AND state = 'delivered'",
  refused: `AND ${FAILED} AND state = 'refused'`,
  dead: `AND ${FAILED} AND state = 'dead'`,
} as const;

/** The condition for rows in the index of due events; the first format has all rows in it. */
export function wasTried({ suffix }: Partition): string {
  return suffix === LEGACY ? "next_ms IS NOT NULL" : "next_ms IS NOT NULL AND next_ms <> accepted_ms";
}

/** The statement that finds when the next row of {@link wasTried} is due after a time. */
export function firstDue(partition: Partition): string {
  return `SELECT min(next_ms) AS it FROM events${partition.suffix} WHERE ${wasTried(partition)} AND next_ms > ?`;
}

/** The conditions of a list without its state, and their values. */
export function conditionsOf({
  kind,
  before,
  offerId,
  code,
  isInDoubt,
  sinceMs,
  untilMs,
}: Omit<RowFilter, "state" | "limit">): { readonly conditions: string; readonly values: readonly SqlValue[] } {
  const wishes: readonly (readonly [condition: string, value: string | number | undefined])[] = [
    ["number < ?", before],
    ["kind = ?", kind],
    ["offer_id = ?", offerId],
    ["code = ?", code],
    ["is_in_doubt = ?", isInDoubt === undefined ? undefined : Number(isInDoubt)],
    ["accepted_ms >= ?", sinceMs],
    ["accepted_ms < ?", untilMs],
  ];
  const asked = wishes.flatMap(([condition, value]) => (value === undefined ? [] : [{ condition, value }]));
  const conditions = asked.map(({ condition }) => `AND ${condition}`).join(" ");
  return { conditions, values: asked.map(({ value }) => value) };
}
