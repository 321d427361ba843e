/** The operator's routes: what waits, what was refused, once more, and as CSV. */
import { failure, json, Refusal } from "./answer.js";
import { readBody } from "./body.js";
import { csvOf } from "./csv.js";
import { reach, type Setup, shardOf } from "./handler.js";
import { type ConversionState, instant, type Shard, type ShardReport } from "./outbox.js";
import { isOperator, signIn, signOut } from "./session.js";
import { signInPage, statusPage } from "./status-page.js";
import type { Row, StoredState } from "./store.js";

const STATES: readonly StoredState[] = ["pending", "delivered", "refused", "dead"];
const MOST_ROWS = 500;

/** A row as operators see it. */
export interface ListedEvent {
  readonly id: string;
  readonly state: StoredState;
  readonly attempts: number;
  readonly code: string;
  readonly words: string;
  readonly conversionId: number | null;
  readonly acceptedAt: string;
  readonly nextAt: string | null;
  /** The conversion itself. */
  readonly conversion: Readonly<Record<string, unknown>>;
}

/** Answers below `operator`. */
export async function operate(request: Request, rest: string, setup: Setup): Promise<Response> {
  const { rules } = setup;
  const home = new URL(request.url).pathname.slice(0, rest === "" ? undefined : -rest.length).replace(/\/$/, "");
  const seeOther = (cookie?: string) =>
    new Response(null, { status: 303, headers: { location: home, ...(cookie ? { "set-cookie": cookie } : {}) } });
  const route = `${request.method} ${rest}`;
  if (route === "POST login") {
    const given = new URLSearchParams(await readBody(request)).get("secret") ?? "";
    try {
      return seeOther(await signIn(request, given, rules.operatorSecret));
    } catch {
      return html(401, signInPage(home, "That is not the operator's secret."));
    }
  }
  if (!(await isOperator(request, rules.operatorSecret))) {
    if (route === "GET ") return html(200, signInPage(home, ""));
    return failure(new Refusal("operator_refused", "operators send Authorization: Bearer and their secret"));
  }
  switch (route) {
    case "GET ":
      return html(200, statusPage(home, total(await reports(setup)), await newest(setup)));
    case "POST logout":
      return seeOther(signOut(request));
    case "GET counts":
      return json(200, total(await reports(setup)));
    case "GET conversions":
      return json(200, await list(new URL(request.url).searchParams, setup));
    case "GET export.csv":
      return csv(stateOf(new URL(request.url).searchParams.get("state") ?? "dead"), setup);
    case "POST replay": {
      const replayed = await replay(await replayOf(request), setup);
      return request.headers.has("authorization") ? json(200, { replayed }) : seeOther();
    }
    default:
      throw new Refusal("not_found", "there are counts, conversions, replay and export.csv");
  }
}

/** The whole forwarder's numbers. */
export interface Totals {
  readonly counts: Readonly<Record<ConversionState, number>>;
  /** How long the oldest event has waited, in milliseconds; null where none waits. */
  readonly oldestMs: number | null;
  /** Outcomes of the last day by hour since 1970 and state, the newest hour first. */
  readonly hours: readonly { readonly hour: number; readonly counts: Readonly<Record<string, number>> }[];
}

function reports({ shards }: Setup): Promise<ShardReport[]> {
  return Promise.all(shards.map((shard) => reach(() => shard.report())));
}

function total(all: readonly ShardReport[]): Totals {
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
async function list(
  query: URLSearchParams,
  { rules, shards }: Setup,
): Promise<{ rows: ListedEvent[]; next: string | null }> {
  const word = query.get("state");
  const state = word === null ? undefined : stateOf(word);
  const limit = Math.min(MOST_ROWS, Math.max(1, Number(query.get("limit") ?? 100) || 100));
  const from = (query.get("from") ?? "").split(".");
  const before = shards.map((_, index) => (/^\d+$/.test(from[index] ?? "") ? Number(from[index]) : undefined));
  const pages = await Promise.all(
    shards.map((shard, index) => reach(() => shard.list({ state, before: before[index], limit }))),
  );
  const all = pages.flatMap((rows, index) => rows.map((row) => ({ row, index })));
  const taken = all
    .sort((a, b) => b.row.accepted_ms - a.row.accepted_ms || b.row.number - a.row.number)
    .slice(0, limit);
  for (const { row, index } of taken) before[index] = Math.min(before[index] ?? row.number, row.number);
  const next = all.length > taken.length || taken.length === limit ? before.map((it) => it ?? "").join(".") : null;
  return { rows: taken.map(({ row }) => listed(row, rules)), next };
}

async function newest(setup: Setup): Promise<ListedEvent[]> {
  const of = async (state: string) => (await list(new URLSearchParams({ state, limit: "20" }), setup)).rows;
  return [...(await of("dead")), ...(await of("refused"))];
}

function listed(row: Row, rules: Setup["rules"]): ListedEvent {
  return {
    id: row.id,
    state: row.state,
    attempts: row.attempts,
    code: row.code,
    words: row.words,
    conversionId: row.conversion_id,
    acceptedAt: instant(row.accepted_ms, rules),
    nextAt: row.next_ms === null ? null : instant(row.next_ms, rules),
    conversion: JSON.parse(row.text),
  };
}

/** Streams every row of a state, so that a day's outage fits through. */
function csv(state: StoredState, { shards }: Setup): Response {
  async function* lines(): AsyncGenerator<string> {
    yield csvOf();
    for (const shard of shards) yield* linesOf(shard);
  }
  async function* linesOf(shard: Shard): AsyncGenerator<string> {
    let before: number | undefined;
    for (;;) {
      const rows = await shard.list({ state, before, limit: MOST_ROWS });
      before = rows.at(-1)?.number;
      if (before === undefined) return;
      yield rows.map(csvOf).join("");
    }
  }
  const all = lines();
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await all.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
  return new Response(body, {
    headers: {
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": `attachment; filename="cake-conversions-${state}.csv"`,
      "cache-control": "no-store",
    },
  });
}

async function replayOf(request: Request): Promise<{ id: string } | { state: StoredState }> {
  const body = await readBody(request);
  let asked: Record<string, unknown> = {};
  if (body.startsWith("{")) {
    try {
      asked = JSON.parse(body);
    } catch {
      // Neither id nor state: not found.
    }
  } else asked = Object.fromEntries(new URLSearchParams(body));
  const { id, state } = asked;
  if (typeof id === "string" && /^[0-9a-f]{32}$/.test(id)) return { id };
  if (state === "refused" || state === "dead") return { state };
  throw new Refusal("not_found", 'replay takes { id } or { state: "refused" | "dead" }');
}

async function replay(what: { id: string } | { state: StoredState }, { shards }: Setup): Promise<number> {
  const asked = "id" in what ? [shardOf(what.id, shards)] : shards;
  const counts = await Promise.all(asked.map((shard) => reach(() => shard.replay(what))));
  return counts.reduce((sum, count) => sum + count, 0);
}

function stateOf(word: string): StoredState {
  const state = STATES.find((known) => known === word);
  if (state === undefined) throw new Refusal("not_found", `a state is one of ${STATES.join(", ")}`);
  return state;
}

function html(status: number, body: string): Response {
  return new Response(body, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      // Not `no-referrer`: a form would then be sent with the origin `null`.
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff",
    },
  });
}
