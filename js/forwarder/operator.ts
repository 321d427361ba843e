/** The operator's routes: what waits, what was refused, once more, and as CSV. */
import { failure, json, Refusal } from "./answer.js";
import { readBody } from "./body.js";
import { csvOf } from "./csv.js";
import { list, MAX_ROWS, newest, reports, stateOf, total } from "./report.js";
import { isOperator, signIn, signOut } from "./session.js";
import { callShard, type Setup, shardOf } from "./setup.js";
import type { Shard } from "./shard.js";
import { signInPage, statusPage } from "./status-page.js";
import type { StoredState } from "./store.js";

/** Answers below `operator`. */
export async function handleOperator(request: Request, rest: string, setup: Setup): Promise<Response> {
  const { options } = setup;
  const home = new URL(request.url).pathname.slice(0, rest === "" ? undefined : -rest.length).replace(/\/$/, "");
  const seeOther = (cookie?: string) =>
    new Response(null, { status: 303, headers: { location: home, ...(cookie ? { "set-cookie": cookie } : {}) } });
  const route = `${request.method} ${rest}`;
  if (route === "POST login") {
    const given = new URLSearchParams(await readBody(request)).get("secret") ?? "";
    try {
      return seeOther(await signIn(request, given, options.operatorSecret));
    } catch {
      return html(401, signInPage(home, "That is not the operator's secret."));
    }
  }
  if (!(await isOperator(request, options.operatorSecret))) {
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
      throw new Refusal("not_found", "unknown route; routes below /operator: counts, conversions, replay, export.csv");
  }
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
      const rows = await shard.list({ state, before, limit: MAX_ROWS });
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
  const counts = await Promise.all(asked.map((shard) => callShard(() => shard.replay(what))));
  return counts.reduce((sum, count) => sum + count, 0);
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
