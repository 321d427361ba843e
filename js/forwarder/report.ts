/** The operators' reports: the totals of the whole forwarder, and its events page by page. */

import { checkNames, refuse } from "../option.js";
import { kindOf } from "./delivery.js";
import { addTally, type Tallies } from "./incoming.js";
import { instant } from "./instant.js";
import type { ResolvedOptions } from "./options.js";
import { callShard, type Setup } from "./setup.js";
import type { ConversionState, Hold, ShardReport } from "./shard.js";
import type { EventFilter, EventKind, Row, StoredState } from "./store.js";

const STATES = ["pending", "delivered", "refused", "dead", "cancelled", "failed"] as const;

/** The most rows of one page. */
export const MAX_ROWS = 500;

/**
 * Why an event waits. `first_attempt`: for its first attempt. `conversion`: a correction waits for its conversion, or
 * for an earlier correction. `next_attempt`: for the next attempt of the schedule. `outcome`: for an answer about an
 * attempt with an unknown outcome. A reason of {@link Hold} applies to all events of the shard,
 * `slow` to those of its offers.
 */
export type WaitReason = "first_attempt" | "conversion" | "next_attempt" | "outcome" | Hold["reason"];

/** A row as operators see it. */
export interface ListedEvent {
  readonly id: string;
  readonly state: StoredState;
  /** May CAKE have recorded the event in spite of its state? */
  readonly isInDoubt: boolean;
  readonly attempts: number;
  readonly code: string;
  /** CAKE's message, redacted; where CAKE was not reached, the platform's reason. */
  readonly upstreamMessage: string;
  readonly conversionId: number | null;
  readonly acceptedAt: string;
  readonly nextAt: string | null;
  /** Why the event is not sent at once; null where it is finished. */
  readonly waitsFor: WaitReason | null;
  /** The operator's reason for cancelling it. */
  readonly cancelReason?: string;
  readonly kind: EventKind;
  /** The conversion itself. */
  readonly conversion?: Readonly<Record<string, unknown>> | undefined;
  /** The correction itself. */
  readonly correction?: Readonly<Record<string, unknown>>;
}

/** The totals of the whole forwarder. */
export interface Totals {
  readonly counts: Readonly<Record<ConversionState, number>>;
  /** How long the oldest event has waited, in milliseconds; null where no event waits. */
  readonly oldestMs: number | null;
  /** The number of refused, dead or cancelled events that CAKE may have recorded. */
  readonly inDoubt: number;
  /** The number of corrections, by state. */
  readonly corrections: Readonly<Record<StoredState, number>>;
  /** Why shards send nothing at present, or little of some offers; empty where all of them send. */
  readonly holds: readonly Hold[];
  /** The outcomes of shops' webhooks in the last day, by platform and outcome. */
  readonly webhooks: Tallies;
  /** The same for postbacks, by name. */
  readonly postbacks: Tallies;
  /** Outcomes of the last day by hour since 1970 and state, the newest hour first. */
  readonly hours: readonly { readonly hour: number; readonly counts: Readonly<Record<string, number>> }[];
}

/** Asks every shard for its report. */
export function reports({ shards }: Setup): Promise<ShardReport[]> {
  return Promise.all(shards.map((shard) => callShard(() => shard.report())));
}

/** Adds up the reports of all shards. */
export function total(all: readonly ShardReport[]): Totals {
  const counts = { pending: 0, paused: 0, delivered: 0, refused: 0, dead: 0, cancelled: 0 };
  const corrections = { pending: 0, delivered: 0, refused: 0, dead: 0, cancelled: 0 };
  const holds: Hold[] = [];
  let inDoubt = 0;
  const hours = new Map<number, Record<string, number>>();
  const [webhooks, postbacks]: [Tallies, Tallies] = [{}, {}];
  let oldestMs: number | null = null;
  for (const report of all) {
    for (const state of Object.keys(counts) as ConversionState[]) counts[state] += report.counts[state];
    for (const state of Object.keys(corrections) as StoredState[]) corrections[state] += report.corrections[state];
    if (report.oldestMs !== null) oldestMs = Math.max(oldestMs ?? 0, report.oldestMs);
    inDoubt += report.inDoubt;
    if (report.hold !== null) holds.push(report.hold);
    for (const { hour, state, count } of report.hours) {
      if (addTally(state, count, webhooks, postbacks)) continue;
      const sums = hours.get(hour) ?? {};
      sums[state] = (sums[state] ?? 0) + count;
      hours.set(hour, sums);
    }
  }
  return {
    counts,
    oldestMs,
    inDoubt,
    corrections,
    holds,
    webhooks,
    postbacks,
    hours: [...hours].sort(([a], [b]) => b - a).map(([hour, sums]) => ({ hour, counts: sums })),
  };
}

/** A page of rows, the newest first; `next` is the start of the following page. */
export async function list(
  query: URLSearchParams,
  { options, shards }: Setup,
): Promise<{ rows: ListedEvent[]; next: string | null }> {
  const { limit: limitText, from: fromText, ...wishes } = once(query);
  const filter = filterOf(wishes, options);
  const limit = Math.min(MAX_ROWS, integerOf("limit", limitText) ?? 100);
  const from = fromText === undefined || fromText === "" ? shards.map(() => "") : fromText.split(".");
  if (from.length !== shards.length || from.some((number) => !/^\d{0,15}$/.test(number)))
    refuse("from", "must be the `next` of the page before");
  const before = from.map((number) => (number === "" ? undefined : Number(number)));
  const pages = await Promise.all(
    shards.map((shard, index) =>
      callShard(async () => {
        const [rows, { hold }] = await Promise.all([
          shard.list({ ...filter, before: before[index], limit }),
          shard.report(),
        ]);
        return { rows, hold };
      }),
    ),
  );
  const all = pages.flatMap(({ rows, hold }, index) => rows.map((row) => ({ row, hold, index })));
  const taken = all
    .sort((a, b) => b.row.accepted_ms - a.row.accepted_ms || b.row.number - a.row.number)
    .slice(0, limit);
  for (const { row, index } of taken) before[index] = Math.min(before[index] ?? row.number, row.number);
  const next = all.length > taken.length || taken.length === limit ? before.map((it) => it ?? "").join(".") : null;
  return { rows: taken.map(({ row, hold }) => listed(row, hold, options)), next };
}

function listed(row: Row, hold: Hold | null, options: ResolvedOptions): ListedEvent {
  const isCancelled = row.state === "cancelled";
  return {
    id: row.id,
    state: row.state,
    isInDoubt: row.is_in_doubt === 1,
    attempts: row.attempts,
    code: row.code,
    upstreamMessage: isCancelled ? "" : row.upstream_message,
    ...(isCancelled ? { cancelReason: row.upstream_message } : {}),
    conversionId: row.conversion_id,
    acceptedAt: instant(row.accepted_ms, options),
    nextAt: row.next_ms === null ? null : instant(row.next_ms, options),
    waitsFor: row.state === "pending" ? waitOf(row, hold, Date.now() * options.clockSpeed) : null,
    kind: row.kind,
    [row.kind]: JSON.parse(row.text),
  };
}

/** Why an event waits: the shard's reason takes precedence; a slow offer's holds up what is due. */
function waitOf(row: Row, hold: Hold | null, nowMs: number): WaitReason {
  const isHeld = hold !== null && (hold.offers === undefined || hold.offers.includes(kindOf(row)));
  if (isHeld && (hold.reason !== "slow" || Number(row.next_ms) <= nowMs)) return hold.reason;
  // Postponed since it was accepted or replayed, and not tried.
  if (row.kind === "correction" && row.attempts === 0 && Number(row.next_ms) > row.changed_ms) return "conversion";
  // A probe of a refused key or a wrong address has used up no attempt.
  if (row.attempts === 0 && row.code === "") return "first_attempt";
  return row.is_in_doubt === 1 ? "outcome" : "next_attempt";
}

/** The state with this word. A pause is the shard's. @throws CakeError `invalid_field` */
function stateOf(word: string): StoredState | "failed" {
  const state = STATES.find((known) => known === word);
  const isPaused = word === "paused" ? ": events that a pause holds up are pending" : "";
  return state ?? refuse("state", `must be one of ${STATES.join(", ")}${isPaused}`);
}

/** The fields of a query or form. A repeated name is refused. @throws CakeError `invalid_field` */
export function once(query: URLSearchParams): Record<string, string> {
  for (const name of query.keys()) if (query.getAll(name).length > 1) refuse(name, "must be given once");
  return Object.fromEntries(query);
}

/**
 * Reads a filter from the texts of a query or form, or from JSON. An empty value counts as absent. A misspelt name is
 * refused, because it would select every event.
 *
 * @throws CakeError `invalid_field`
 */
export function filterOf(wishes: Readonly<Record<string, unknown>>, options: ResolvedOptions): EventFilter {
  checkNames("filters", wishes, ["state", "kind", "offerId", "code", "isInDoubt", "since", "until"]);
  const text = (name: string) => {
    const value = wishes[name];
    return value === undefined || value === null || value === "" ? undefined : String(value);
  };
  const state = text("state");
  const kind = text("kind");
  if (kind !== undefined && kind !== "conversion" && kind !== "correction") {
    refuse("kind", "must be conversion or correction");
  }
  const code = text("code");
  const isInDoubt = text("isInDoubt");
  if (isInDoubt !== undefined && !/^(true|false)$/.test(isInDoubt)) refuse("isInDoubt", "must be true or false");
  return {
    state: state === undefined ? undefined : stateOf(state),
    kind,
    offerId: integerOf("offerId", text("offerId")),
    code,
    isInDoubt: isInDoubt === undefined ? undefined : isInDoubt === "true",
    sinceMs: timeOf("since", text("since"), options),
    untilMs: timeOf("until", text("until"), options),
  };
}

const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/;

/** A time in real time as a time of the outbox's clock; without a zone it is UTC. */
function timeOf(name: string, text: string | undefined, { clockSpeed }: ResolvedOptions): number | undefined {
  if (text === undefined) return undefined;
  const [isTime, zone] = TIME.exec(text) ?? [];
  const ms = Date.parse(zone === undefined && text.includes("T") ? `${text}Z` : text);
  const day = text.slice(0, 10);
  // `Date` reads the 30th of February as the 2nd of March.
  const isDay = isTime !== undefined && new Date(Date.parse(day) || 0).toISOString().startsWith(day);
  if (!isDay || Number.isNaN(ms)) return refuse(name, "must be a date or a time such as 2026-06-19T14:30Z");
  return ms * clockSpeed;
}

function integerOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (!/^[1-9]\d{0,14}$/.test(text)) return refuse(name, "must be a whole number, 1 or more");
  return Number(text);
}
