/** The forwarder's routes: what is asked, by whom, and which shard answers. */
import { call } from "../error.js";
import * as wasm from "../wasm/forwarder.js";
import { errorOf, type ForwarderCode, type ForwarderError, failure, json, misconfigured, Refusal } from "./answer.js";
import { readBody } from "./body.js";
import { admit, type Caller, corsHeaders, findOrigin, signedClickId } from "./caller.js";
import { handleOperator } from "./operator.js";
import type { ResolvedOptions } from "./options.js";
import { callShard, type Setup, shardOf } from "./setup.js";
import type { Acceptance, Shard, Status } from "./shard.js";
import type { NewEvent } from "./store.js";

/** How long a caller waits that asks for the outcome. */
const WAIT_MS = 2_000;

const PATH = /\/(conversions|health|operator)(?:\/([^?#]*))?$/;
const ID = /^[0-9a-f]{32}$/;
const JSON_TYPES = /^(application\/json|text\/plain)\s*(;|$)/i;

/** Answers any request. `setup` throws where the configuration is not fit for use. */
export async function handle(request: Request, setup: () => Setup): Promise<Response> {
  const { pathname } = new URL(request.url);
  const [, route, rest = ""] = PATH.exec(pathname) ?? [];
  if (route === "health") return health(request);
  let ready: Setup;
  try {
    ready = setup();
  } catch (thrown) {
    return misconfigured(thrown);
  }
  try {
    if (ready.limit !== undefined && !(await ready.limit(request))) {
      throw new Refusal("too_many_requests", "too many requests: wait a minute", { "retry-after": "60" });
    }
    if (route === "operator") return await handleOperator(request, rest, ready);
    if (route !== "conversions")
      throw new Refusal("not_found", "unknown route; routes: /conversions, /health, /operator");
    const answer = rest === "" ? await conversions(request, ready) : await conversion(request, rest, ready);
    return withCors(answer, request, ready.options);
  } catch (thrown) {
    return withCors(failure(thrown), request, ready.options);
  }
}

function health(request: Request): Response {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return failure(new Refusal("method_not_allowed", "method not allowed: use GET", { allow: "GET, HEAD" }));
  }
  return new Response(request.method === "HEAD" ? null : "ok", { headers: { "cache-control": "no-store" } });
}

function withCors(answer: Response, request: Request, options: ResolvedOptions): Response {
  for (const [name, value] of Object.entries(corsHeaders(request, options))) answer.headers.set(name, value);
  return answer;
}

async function conversions(request: Request, { options, shards }: Setup): Promise<Response> {
  if (request.method === "OPTIONS") return preflight(request, options);
  if (request.method !== "POST") {
    throw new Refusal("method_not_allowed", "method not allowed: use POST", { allow: "POST, OPTIONS" });
  }
  if (!JSON_TYPES.test(request.headers.get("content-type") ?? "")) {
    throw new Refusal("unsupported_type", "the content type must be application/json or text/plain");
  }
  // A page of another site is not even read.
  if (!request.headers.has("webhook-signature")) await admit(request, "", options);
  const body = await readBody(request);
  const caller = await admit(request, body, options);
  const clickId = caller.isSigned ? "" : signedClickId(request, options);
  const read = JSON.parse(call(() => wasm.readConversions(body, options.account, caller.isSigned, clickId))) as
    | ReadEvent
    | ReadItem[];
  const items = Array.isArray(read) ? read : [read];
  const results = await accept(items, caller, body, { options, shards });
  if (new URL(request.url).searchParams.get("wait") === "1") await settled(results, shards);
  if (Array.isArray(read)) return json(202, { results });
  const [result] = results;
  if (result !== undefined && "error" in result) {
    throw new Refusal(result.error.code as Refusal["code"], result.error.rule);
  }
  return json(202, result);
}

async function conversion(request: Request, id: string, { shards }: Setup): Promise<Response> {
  if (request.method !== "GET")
    throw new Refusal("method_not_allowed", "method not allowed: use GET", { allow: "GET" });
  const [status] = ID.test(id) ? await callShard(() => shardOf(id, shards).wait([id], 0)) : [];
  if (status === undefined) throw new Refusal("not_found", "unknown conversion id: use the id of the answer 202");
  return json(200, status);
}

function preflight(request: Request, options: ResolvedOptions): Response {
  if (findOrigin(request, options) === undefined)
    throw new Refusal("origin_refused", "this origin is not in the option origins");
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": "POST",
      "access-control-allow-headers": "content-type",
      "access-control-max-age": "86400",
    },
  });
}

/** A conversion as the core has read it. */
interface ReadEvent {
  readonly key: string;
  readonly claim: string;
  readonly offerId: number;
  readonly text: string;
}
type ReadItem = ReadEvent | { readonly error: ForwarderError };
type Result = (Exclude<Acceptance, { refusal: unknown }> & Partial<Status>) | { readonly error: ForwarderError };

/** Hands the good ones to their shards, one call each, and brings the answers into order. */
async function accept(
  items: readonly ReadItem[],
  caller: Caller,
  body: string,
  { options, shards }: Pick<Setup, "options" | "shards">,
): Promise<Result[]> {
  const results: Result[] = new Array(items.length);
  const acceptedAt = options.zone?.findCivil(new Date()) ?? "";
  const claims = !caller.isSigned && !options.severalPerClick;
  const byShard = new Map<Shard, { events: NewEvent[]; places: number[] }>();
  await Promise.all(
    items.map(async (item, place) => {
      if ("error" in item) {
        results[place] = { error: withoutEmpty(item.error) };
        return;
      }
      const id = await hash(item.key);
      const shard = shardOf(id, shards);
      let claim: string | undefined;
      if (claims) {
        const claimed = shards.length === 1 ? shard : shardOf(await hash(item.claim), shards);
        if (claimed === shard) claim = item.claim;
        else if ((await callShard(() => claimed.claim(item.claim, id))) !== id) {
          results[place] = { error: errorOf("click_converted", MESSAGES.click_converted ?? "") };
          return;
        }
      }
      const part = byShard.get(shard) ?? { events: [], places: [] };
      byShard.set(shard, part);
      part.events.push({ id, offerId: item.offerId, text: item.text, acceptedAt, claim });
      part.places.push(place);
    }),
  );
  const webhook = caller.webhookId === undefined ? undefined : { id: caller.webhookId, digest: await hash(body) };
  await Promise.all(
    [...byShard].map(async ([shard, { events, places }]) => {
      const answers = await callShard(() => shard.accept({ events, webhook }));
      answers.forEach((answer, index) => {
        const place = places[index] ?? 0;
        results[place] =
          "refusal" in answer ? { error: errorOf(answer.refusal, MESSAGES[answer.refusal] ?? "") } : answer;
      });
    }),
  );
  return results;
}

const MESSAGES: Partial<Record<ForwarderCode, string>> = {
  click_converted: "this click has converted for this offer already, with another uniqueId",
  conversion_conflict: "this uniqueId was accepted for this offer with other fields",
  outbox_full: "too many conversions wait: try again later",
  webhook_id_reused: "this webhook-id was used for another body",
};

/** Puts the final states into the results, as far as they come in time. */
async function settled(results: Result[], shards: readonly Shard[]): Promise<void> {
  const ids = results.flatMap((result) => ("id" in result ? [result.id] : []));
  const statuses = await Promise.all(
    shards.map((shard) => {
      const own = ids.filter((id) => shardOf(id, shards) === shard);
      return own.length === 0 ? [] : callShard(() => shard.wait(own, WAIT_MS));
    }),
  );
  const known = new Map(statuses.flat().flatMap((status) => (status ? [[status.id, status] as const] : [])));
  results.forEach((result, place) => {
    const status = "id" in result ? known.get(result.id) : undefined;
    if ("id" in result && status !== undefined) results[place] = { ...result, ...status };
  });
}

/** 128 bits of a text's SHA-256, in hex. */
async function hash(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)), 0, 16);
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function withoutEmpty(error: ForwarderError): ForwarderError {
  return error.parameter === "" ? { ...error, parameter: undefined } : error;
}
