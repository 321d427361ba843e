/** What operators are told: the whole forwarder's numbers, and its events page by page. */
import { Refusal } from "./answer.js";
import { instant } from "./instant.js";
import { callShard, type Setup } from "./setup.js";
import type { ConversionState, ShardReport } from "./shard.js";
import type { Row, StoredState } from "./store.js";

const STATES: readonly StoredState[] = ["pending", "delivered", "refused", "dead"];

/** The most rows of one page. */
export const MAX_ROWS = 500;

/** A row as operators see it. */
export interface ListedEvent {
  readonly id: string;
  readonly state: StoredState;
  readonly attempts: number;
  readonly code: string;
  /** What CAKE said, redacted. */
  readonly upstreamMessage: string;
  readonly conversionId: number | null;
  readonly acceptedAt: string;
  readonly nextAt: string | null;
  /** The conversion itself. */
  readonly conversion: Readonly<Record<string, unknown>>;
}

/** The whole forwarder's numbers. */
export interface Totals {
  readonly counts: Readonly<Record<ConversionState, number>>;
  /** How long the oldest event has waited, in milliseconds; null where none waits. */
  readonly oldestMs: number | null;
  /** Outcomes of the last day by hour since 1970 and state, the newest hour first. */
  readonly hours: readonly { readonly hour: number; readonly counts: Readonly<Record<string, number>> }[];
}

/** Asks every shard. */
export function reports({ shards }: Setup): Promise<ShardReport[]> {
  return Promise.all(shards.map((shard) => callShard(() => shard.report())));
}

/** Adds the shards up. */
export function total(all: readonly ShardReport[]): Totals {
  const counts = { pending: 0, paused: 0, delivered: 0, refused: 0, dead: 0 };
  const hours = new Map<number, Record<string, number>>();
  let oldestMs: number | null = null;
  for (const report of all) {
    for (const state of Object.keys(counts) as ConversionState[]) counts[state] += report.counts[state];
    if (report.oldestMs !== null) oldestMs = Math.max(oldestMs ?? 0, report.oldestMs);
    for (const { hour, state, count } of report.hours) {
      const sums = hours.get(hour) ?? {};
      sums[state] = (sums[state] ?? 0) + count;
      hours.set(hour, sums);
    }
  }
  return {
    counts,
    oldestMs,
    hours: [...hours].sort(([a], [b]) => b - a).map(([hour, sums]) => ({ hour, counts: sums })),
  };
}

/** A page of rows, the newest first; `next` is where the following one goes on. */
export async function list(
  query: URLSearchParams,
  { options, shards }: Setup,
): Promise<{ rows: ListedEvent[]; next: string | null }> {
  const word = query.get("state");
  const state = word === null ? undefined : stateOf(word);
  const limit = Math.min(MAX_ROWS, Math.max(1, Number(query.get("limit") ?? 100) || 100));
  const from = (query.get("from") ?? "").split(".");
  const before = shards.map((_, index) => (/^\d+$/.test(from[index] ?? "") ? Number(from[index]) : undefined));
  const pages = await Promise.all(
    shards.map((shard, index) => callShard(() => shard.list({ state, before: before[index], limit }))),
  );
  const all = pages.flatMap((rows, index) => rows.map((row) => ({ row, index })));
  const taken = all
    .sort((a, b) => b.row.accepted_ms - a.row.accepted_ms || b.row.number - a.row.number)
    .slice(0, limit);
  for (const { row, index } of taken) before[index] = Math.min(before[index] ?? row.number, row.number);
  const next = all.length > taken.length || taken.length === limit ? before.map((it) => it ?? "").join(".") : null;
  return { rows: taken.map(({ row }) => listed(row, options)), next };
}

/** The newest of what has failed. */
export async function newest(setup: Setup): Promise<ListedEvent[]> {
  const of = async (state: string) => (await list(new URLSearchParams({ state, limit: "20" }), setup)).rows;
  return [...(await of("dead")), ...(await of("refused"))];
}

function listed(row: Row, options: Setup["options"]): ListedEvent {
  return {
    id: row.id,
    state: row.state,
    attempts: row.attempts,
    code: row.code,
    upstreamMessage: row.upstream_message,
    conversionId: row.conversion_id,
    acceptedAt: instant(row.accepted_ms, options),
    nextAt: row.next_ms === null ? null : instant(row.next_ms, options),
    conversion: JSON.parse(row.text),
  };
}

/** A state by its word. @throws Refusal `not_found` */
export function stateOf(word: string): StoredState {
  const state = STATES.find((known) => known === word);
  if (state === undefined) throw new Refusal("not_found", `a state is one of ${STATES.join(", ")}`);
  return state;
}
