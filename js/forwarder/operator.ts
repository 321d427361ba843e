/** The operator's routes: lists, replays, cancellations and CSV. */
import { checkNames, refuse } from "../option.js";
import { failure, json, Refusal } from "./answer.js";
import { readBody } from "./body.js";
import { csvHeader, csvOf } from "./csv.js";
import { filterOf, list, MAX_ROWS, once, reports, total } from "./report.js";
import { findOperator, signIn, signOut } from "./session.js";
import { callShard, type Setup, shardOf } from "./setup.js";
import { CLICK_LOST, MAX_REPLAYED, type Shard } from "./shard.js";
import { signInPage, statusPage } from "./status-page.js";
import type { EventFilter } from "./store.js";

/** Answers the paths below `operator`. */
export async function handleOperator(request: Request, rest: string, setup: Setup): Promise<Response> {
  const { options } = setup;
  const { pathname, searchParams: query } = new URL(request.url);
  const path = pathname.slice(0, rest === "" ? undefined : -rest.length).replace(/\/+$/, "");
  // `//evil.example/operator` would be another site's address.
  const home = path.replace(/^\/+/, "/");
  const seeOther = (cookie?: string) =>
    new Response(null, { status: 303, headers: { location: home, ...(cookie ? { "set-cookie": cookie } : {}) } });
  const route = `${request.method} ${rest}`;
  if (route === "POST login") return login(request, home, seeOther, setup);
  const operator = await findOperator(request, setup);
  if (operator === undefined) {
    if (route === "GET ") return html(200, signInPage(home, ""));
    return failure(
      new Refusal(
        "operator_refused",
        "the operator's secret is missing or wrong: send Authorization: Bearer and the secret",
      ),
    );
  }
  const by = operator.by === "bearer" ? "bearer" : "browser";
  switch (route) {
    case "GET ": {
      const asked = new URLSearchParams([...query].filter(([, value]) => value !== ""));
      if (!asked.has("state")) asked.set("state", "failed");
      const [all, { rows, next }] = await Promise.all([reports(setup), list(asked, setup)]);
      return html(200, statusPage(home, total(all), asked, rows, next));
    }
    case "POST logout":
      return seeOther(await signOut(request, operator, setup));
    case "GET counts":
      return json(200, total(await reports(setup)));
    case "GET conversions":
      return json(200, await list(query, setup));
    case "GET export.csv":
      return csv(filterOf({ state: "dead", kind: "conversion", ...once(query) }, options), setup);
    case "POST replay": {
      const replayed = await replay(await fieldsOf(request), setup);
      options.log({ event: "operator", action: "replay", outcome: "done", by, count: replayed.replayed });
      return by === "bearer" ? json(200, replayed) : seeOther();
    }
    case "POST cancel": {
      const cancelled = await cancel(await fieldsOf(request), setup);
      options.log({ event: "operator", action: "cancel", outcome: "done", by, count: 1 });
      return by === "bearer" ? json(200, cancelled) : seeOther();
    }
    default:
      throw new Refusal(
        "not_found",
        "unknown route; routes below /operator: counts, conversions, replay, cancel, export.csv",
      );
  }
}

async function login(
  request: Request,
  home: string,
  seeOther: (cookie: string) => Response,
  setup: Setup,
): Promise<Response> {
  const given = new URLSearchParams(await readBody(request)).get("secret") ?? "";
  try {
    const cookie = await signIn(request, given, setup);
    return cookie === undefined ? html(401, signInPage(home, "That is not the operator's secret.")) : seeOther(cookie);
  } catch (thrown) {
    if (!(thrown instanceof Refusal && thrown.code === "too_many_requests")) throw thrown;
    const answer = html(429, signInPage(home, "Too many wrong secrets. Wait a minute."));
    for (const [name, value] of Object.entries(thrown.headers)) answer.headers.set(name, value);
    return answer;
  }
}

/** Streams all rows of the filter, so that a whole day's outage fits. */
function csv(filter: EventFilter, { options, shards }: Setup): Response {
  // One file has one header.
  const kind = filter.kind ?? "conversion";
  async function* lines(): AsyncGenerator<string> {
    yield csvHeader(kind);
    for (const shard of shards) yield* linesOf(shard);
  }
  async function* linesOf(shard: Shard): AsyncGenerator<string> {
    let before: number | undefined;
    for (;;) {
      const rows = await shard.list({ ...filter, kind, before, limit: MAX_ROWS });
      before = rows.at(-1)?.number;
      if (before === undefined) return;
      // A replay leaves these out too: another event has converted the click.
      const whole = rows.filter(({ code }) => code !== CLICK_LOST);
      yield whole.map((row) => csvOf(row, options)).join("");
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
      "content-disposition": `attachment; filename="cake-${kind}s-${filter.state ?? "all"}.csv"`,
      "cache-control": "no-store",
    },
  });
}

/** The fields of a body: JSON or a form. */
async function fieldsOf(request: Request): Promise<Record<string, unknown>> {
  const body = (await readBody(request)).replace(/^\ufeff/, "").trim();
  const isObject = body.startsWith("{");
  let read: unknown;
  try {
    read = JSON.parse(body);
  } catch {
    if (isObject) return refuse("body", "is not JSON: send a JSON object or a form");
    return once(new URLSearchParams(body));
  }
  return isObject ? (read as Record<string, unknown>) : refuse("body", "must be a JSON object or a form");
}

interface Replayed {
  readonly replayed: number;
  /** More events remain than one call handles: ask again. */
  readonly isMore?: true;
}

async function replay(fields: Record<string, unknown>, setup: Setup): Promise<Replayed> {
  const { options, shards } = setup;
  if (fields["id"] !== undefined) {
    const [other] = Object.keys(fields).filter((name) => name !== "id");
    if (other !== undefined) refuse(other.slice(0, 64), "is not taken beside id: give the id alone, or a filter");
    const id = idOf(fields);
    return { replayed: await callShard(() => shardOf(id, setup).replay({ id })) };
  }
  const filter = filterOf(fields, options);
  const isEmpty = Object.values(filter).every((wish) => wish === undefined);
  if (isEmpty || filter.state === "pending" || filter.state === "delivered") {
    const rule =
      'must say what to replay: "failed", "refused", "dead" or "cancelled"; or give another filter, or an id';
    refuse("state", rule);
  }
  const counts = await Promise.all(
    shards.map((shard) => callShard(() => shard.replay({ ...filter, state: filter.state ?? "failed" }))),
  );
  const replayed = counts.reduce((sum, count) => sum + count, 0);
  return { replayed, ...(counts.some((count) => count >= MAX_REPLAYED) ? { isMore: true } : {}) };
}

async function cancel(fields: Record<string, unknown>, setup: Setup): Promise<{ id: string; state: "cancelled" }> {
  checkNames("fields of a cancel", fields, ["id", "reason"]);
  const id = idOf(fields);
  const reason = typeof fields["reason"] === "string" ? fields["reason"].trim() : "";
  if (!/^\P{Cc}{1,200}$/u.test(reason)) refuse("reason", "must have 1 to 200 characters, on one line");
  switch (await callShard(() => shardOf(id, setup).cancel(id, reason))) {
    case "cancelled":
      return { id, state: "cancelled" };
    case "delivered":
      throw new Refusal("not_cancellable", "the event is delivered: reverse it by a correction");
    case "under_way":
      throw new Refusal("not_cancellable", "an attempt is under way: try again");
    case "unknown":
      throw new Refusal("not_found", "unknown id: use the id of a row");
  }
}

function idOf({ id }: Record<string, unknown>): string {
  if (typeof id === "string" && /^[0-9a-f]{32}$/.test(id)) return id;
  throw new Refusal("not_found", "unknown id: an id has 32 hexadecimal digits");
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
