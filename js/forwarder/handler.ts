/** The forwarder's routes: finds the route, admits the caller, and asks the shard. */
import { call } from "../error.js";
import { refuse } from "../option.js";
import { signatureOf } from "../webhook-signature.js";
import {
  checkMethod,
  errorOf,
  type ForwarderCode,
  type ForwarderError,
  failure,
  json,
  misconfigured,
  Refusal,
} from "./answer.js";
import { readBody } from "./body.js";
import { admit, type Caller, corsHeaders, findOrigin, type Once, signedClickIds } from "./caller.js";
import { type ClaimElsewhere, fateOf, makeClaim, releaseClaim } from "./claims.js";
import { core } from "./core.js";
import { hash, type KeyedHash } from "./hash.js";
import { handleOperator } from "./operator.js";
import type { ResolvedOptions } from "./options.js";
import { findRoute, pathOf, ROUTES } from "./path.js";
import { handlePostback } from "./postback.js";
import { callShard, checkLimit, type Setup, SHARD_DIGITS, shardOf } from "./setup.js";
import { type Acceptance, type AcceptRequest, claimedBy, type Intake, type Shard, type Status } from "./shard.js";
import { type NewEvent, type OrderRef, orderOf } from "./store.js";
import { acceptTokened, handleToken, isOriginless, mayShowToken, onceFor } from "./token.js";
import { handleWebhook } from "./webhook.js";

/** How long a caller waits for the outcome, in milliseconds. */
const WAIT_MS = 2_000;

/** Why an event is withdrawn; see {@link Intake.withdraw}. */
const OTHER_SETTINGS = "its order is a conversion under other settings of the shop";

/** How far the clock of a caller may be ahead, in milliseconds: as much as a signature's time may. */
const CLOCK_ERROR_MS = 300_000;
/** The time zone that is the furthest ahead of UTC, in milliseconds. */
const LAST_ZONE_MS = 14 * 3_600_000;

const ID = /^[0-9a-f]{32}$/;
const JSON_TYPES = /^(application\/json|text\/plain)\s*(;|$)/i;

/** Answers any request. `setup` throws where the configuration is invalid. */
export async function handle(request: Request, setup: () => Setup): Promise<Response> {
  const pathname = pathOf(request.url);
  const { name: route, rest } = findRoute(request.method, pathname) ?? { rest: "" };
  if (route === "health") return health(request);
  let ready: Setup;
  try {
    ready = setup();
  } catch (thrown) {
    return misconfigured(thrown);
  }
  try {
    if (route === "webhooks") return await handleWebhook(request, rest, ready, intakeOf(ready));
    await checkLimit(request, ready);
    if (route === "postback") return await handlePostback(request, rest, ready, intakeOf(ready));
    if (route === "operator") return await handleOperator(request, rest, ready);
    if (route === "corrections") {
      return rest === "" ? await corrections(request, ready) : await conversion(request, rest, ready);
    }
    if (route === "token") return withCors(handleToken(request, ready.options), request, ready.options);
    if (route !== "conversions")
      throw new Refusal("not_found", `unknown route; routes: ${ROUTES.map((name) => `/${name}`).join(", ")}`);
    if (rest === "") return await conversions(request, ready);
    return withCors(await conversion(request, rest, ready), request, ready.options);
  } catch (thrown) {
    return withCors(failure(thrown), request, ready.options);
  }
}

function health(request: Request): Response {
  try {
    checkMethod(request, ["GET"], ["HEAD"]);
  } catch (thrown) {
    return failure(thrown);
  }
  return new Response(request.method === "HEAD" ? null : "ok", { headers: { "cache-control": "no-store" } });
}

function checkType(request: Request): void {
  if (JSON_TYPES.test(request.headers.get("content-type") ?? "")) return;
  throw new Refusal("unsupported_type", "the content type must be application/json or text/plain");
}

function withCors(answer: Response, request: Request, options: ResolvedOptions): Response {
  for (const [name, value] of Object.entries(corsHeaders(request, options))) answer.headers.set(name, value);
  return answer;
}

async function conversions(request: Request, setup: Setup): Promise<Response> {
  const { options } = setup;
  if (request.method === "OPTIONS") return withCors(preflight(request, options), request, options);
  checkMethod(request, ["POST"], ["OPTIONS"]);
  checkType(request);
  // The body from a page of another site is not even read. A frame without an origin is allowed if its token is valid.
  const signature = signatureOf(request.headers);
  const isUnsigned = signature === undefined;
  const mayBeTokened = isUnsigned && mayShowToken(options);
  const isPage = isUnsigned && !(mayBeTokened && isOriginless(request));
  const page = isPage ? await admit(request, "", options, signature) : undefined;
  const body = await readBody(request);
  if (mayBeTokened) {
    const answer = await acceptTokened(request, body, options, async (tokened) => {
      const { idOf, account } = await setup.ids();
      const read = readConversions(tokened.conversion, account, false, [], options);
      // The core puts offer and click in front of the body's fields: an array is no conversion.
      if (Array.isArray(read)) return refuse("conversion", "must be one conversion");
      const caller: Caller = { isSigned: false, once: onceFor(tokened, idOf(read.key)) };
      return answerTo(request, read, (item) => candidateOf(item, idOf, caller, setup), caller, setup);
    });
    if (answer !== undefined) return withCors(answer, request, options);
  }
  const caller = page ?? (await admit(request, body, options, signature));
  const clickIds = caller.isSigned ? [] : signedClickIds(request, options);
  const { idOf, account } = await setup.ids();
  const read = readConversions(body, account, caller.isSigned, clickIds, options);
  // As headers of the new answer, since each change of an answer's headers costs as much as all of them.
  const cors = corsHeaders(request, options, caller.origin);
  return answerTo(request, read, (item) => candidateOf(item, idOf, caller, setup), caller, setup, cors);
}

function readConversions(
  body: string,
  account: string,
  isSigned: boolean,
  clickIds: readonly string[],
  options: ResolvedOptions,
): ReadEvent | ReadItem<ReadEvent>[] {
  const latest = latestDate(options);
  return JSON.parse(
    call(() => core.api().readConversions(body, account, isSigned, clickIds.join(" "), options.isPixel, latest)),
  );
}

/** The last latest date: nearly all requests of a second ask for the same one. */
let lastLatest = { second: 0, zone: undefined as ResolvedOptions["zone"], date: "" };

/** The latest civil time that a conversion may have: now, and a clock's error. Without a zone, now is the world's last. */
function latestDate({ zone }: ResolvedOptions): string {
  const second = Math.floor((Date.now() + CLOCK_ERROR_MS) / 1_000);
  if (second !== lastLatest.second || zone !== lastLatest.zone) {
    const date = zone
      ? (zone.findCivil(new Date(second * 1_000)) ?? "")
      : new Date(second * 1_000 + LAST_ZONE_MS).toISOString().slice(0, 19).replace("T", " ");
    lastLatest = { second, zone, date };
  }
  return lastLatest.date;
}

/** Corrections come from backends only, and need an account that receives them. */
async function corrections(request: Request, setup: Setup): Promise<Response> {
  const { options } = setup;
  checkMethod(request, ["POST"]);
  checkType(request);
  const signature = signatureOf(request.headers);
  if (signature === undefined) {
    throw new Refusal("signature_refused", "the request is not signed: only a backend that signs may send corrections");
  }
  const body = await readBody(request);
  const caller = await admit(request, body, options, signature);
  if (!call(() => options.deliverer().takesCorrections())) {
    const rule =
      "this forwarder delivers to p.ashx alone: corrections need baseUrl and apiKey, for CAKE's older services";
    throw new Refusal("corrections_unavailable", rule);
  }
  const { idOf, account } = await setup.ids();
  const read = JSON.parse(call(() => core.api().readCorrections(body, account))) as
    | ReadCorrection
    | ReadItem<ReadCorrection>[];
  return answerTo(request, read, (item) => correctionOf(item, idOf, setup), caller, setup);
}

/** Accepts what was read, one item or several, and answers in the same form. */
async function answerTo<Read extends object>(
  request: Request,
  read: ReadItem<Read> | ReadItem<Read>[],
  candidateOf: (item: Read) => Unplaced,
  caller: Caller,
  setup: Setup,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const items = Array.isArray(read) ? read : [read];
  const found = items.map((item) => (isError(item) ? item : candidateOf(item)));
  const results = await accept(found, caller.once, setup);
  const { url } = request;
  if (url.includes("wait") && /^(1|true|yes)$/i.test(new URL(url).searchParams.get("wait") ?? "")) {
    await settled(results, setup);
  }
  if (Array.isArray(read)) return json(202, { results }, headers);
  const [result] = results;
  if (result !== undefined && "error" in result) {
    throw new Refusal(result.error.code as Refusal["code"], result.error.rule);
  }
  return json(202, result, headers);
}

/** Accepts items from callers that have a secret but are not the site's own backend. */
function intakeOf(setup: Setup): Intake {
  const { options } = setup;
  const acceptOne = async (candidate: Unplaced): Promise<Acceptance> => {
    const [result] = await accept([candidate], undefined, setup);
    if (result === undefined) return { refusal: "outbox_unavailable" };
    return "error" in result ? { refusal: result.error.code as ForwarderCode } : result;
  };
  const readOne = (body: string, account: string): ReadEvent => {
    const read = readConversions(body, account, true, [], options);
    return Array.isArray(read) ? refuse("conversions", "must not stand here: it is one conversion") : read;
  };
  return {
    keyOf(body) {
      const { text, claim } = readOne(body, "");
      const { offerId, uniqueId } = JSON.parse(text) as OrderRef;
      return { offerId, uniqueId, claim };
    },
    async convert(body, update) {
      const { idOf, account } = await setup.ids();
      const candidate = candidateOf(readOne(body, account), idOf, { isSigned: true }, setup);
      return acceptOne({ ...candidate, event: { ...candidate.event, update } });
    },
    async updateOrder(update) {
      const { offerId, uniqueId } = update;
      const { idOf, account } = await setup.ids();
      // In the shard of the order's conversion, as its corrections are.
      const id = idOf(call(() => core.api().orderKey(account, offerId, uniqueId)));
      const event: NewEvent = { id, kind: "correction", offerId, text: "", acceptedAt: today(options), update };
      return acceptOne({ shard: shardOf(id, setup), event: { ...event, order: orderOf(id) } });
    },
    async withdraw(id) {
      return (await callShard(() => shardOf(id, setup).cancel(id, OTHER_SETTINGS))) === "cancelled";
    },
    takesCorrections: () => call(() => options.deliverer().takesCorrections()),
  };
}

/** The civil time in the account's zone; empty where the zone is not known. */
function today({ zone }: ResolvedOptions): string {
  return zone?.findCivil(new Date()) ?? "";
}

function isError(item: object): item is { readonly error: ForwarderError } {
  return "error" in item;
}

async function conversion(request: Request, id: string, setup: Setup): Promise<Response> {
  checkMethod(request, ["GET"]);
  const [status] = ID.test(id) ? await callShard(() => shardOf(id, setup).wait([id], 0)) : [];
  if (status === undefined) throw new Refusal("not_found", "unknown id: use the id of the answer 202");
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
/** A correction as the core has read it. */
interface ReadCorrection extends ReadEvent {
  /** The key of the corrected conversion. */
  readonly conversionKey: string;
}
type ReadItem<Read> = Read | { readonly error: ForwarderError };
type Result = (Exclude<Acceptance, { refusal: unknown }> & Partial<Status>) | { readonly error: ForwarderError };

/** A valid event before it has a shard. */
interface Unplaced {
  readonly shard: Shard;
  readonly event: NewEvent;
  /** The place of its claim, if that is another shard than the event's. */
  readonly claims?: ClaimElsewhere;
}
interface Candidate extends Unplaced {
  readonly place: number;
}

/** Sends the valid events to their shards, one call for each shard, and puts the answers into order. */
async function accept(found: readonly ReadItem<Unplaced>[], once: Once | undefined, setup: Setup): Promise<Result[]> {
  const results: Result[] = new Array(found.length);
  const candidates: Candidate[] = [];
  found.forEach((candidate, place) => {
    if (isError(candidate)) results[place] = { error: withoutEmpty(candidate.error) };
    else candidates.push({ ...candidate, place });
  });
  // Before any claim: of two events with one token, the one that owns the token goes on, and the other has claimed
  // nothing.
  const webhook = once === undefined ? undefined : await noteOnce(once, candidates, setup);
  if (webhook === "reused") {
    for (const { place } of candidates) results[place] = refused(refusalOf("webhook_id_reused", once));
    return results;
  }
  // One after another: of two events that claim one click, the first one wins.
  const claimed: Candidate[] = [];
  for (const candidate of candidates) {
    const { claims, event, place } = candidate;
    if (claims !== undefined) {
      const made = await makeClaim(claims, event.id, setup);
      // The claim of an event of this request is kept with that event, or taken back.
      const isOfThis = claimed.some((other) => other.event.id === made.id);
      if (made.id !== event.id) {
        results[place] = made.isKept || isOfThis ? refused(claimedBy(event.kind)) : unsettled();
        continue;
      }
      claims.isNew = made.isNew;
    }
    claimed.push(candidate);
  }
  const byShard = new Map<Shard, Candidate[]>();
  for (const candidate of claimed) {
    const own = byShard.get(candidate.shard);
    if (own === undefined) byShard.set(candidate.shard, [candidate]);
    else own.push(candidate);
  }
  await Promise.all(
    [...byShard].map(async ([shard, own]) => {
      let answers: readonly Acceptance[];
      try {
        answers = await callShard(() => shard.accept({ events: own.map(({ event }) => event), webhook }));
      } catch (thrown) {
        // The event may have been kept in spite of the error: then it holds its claim.
        for (const { claims, event } of own) {
          if (claims?.isNew === true) await releaseClaim(claims, event.id, setup);
        }
        throw thrown;
      }
      await Promise.all(
        own.map(async ({ event, claims, place }, index) => {
          let answer = answers[index];
          if (answer === undefined) return;
          const holder = "holder" in answer ? answer.holder : undefined;
          // The refusal stands, unless the event that holds the click no longer exists, or has ended without it.
          const { claim } = event;
          const fate = holder && claim ? await fateOf(shard, claim, holder, setup) : "kept";
          if (fate === "freed")
            answer = (await callShard(() => shard.accept({ events: [event], webhook })))[0] ?? answer;
          if (fate === "unsettled") results[place] = unsettled();
          else results[place] = "refusal" in answer ? refused(refusalOf(answer.refusal, once)) : answer;
          // A new claim is taken back where its event was not kept.
          if (claims?.isNew === true && ("refusal" in answer || answer.duplicate)) {
            await releaseClaim(claims, event.id, setup);
          }
        }),
      );
    }),
  );
  return results;
}

/** A shard has one refusal for an id that was used for something else, whether it is a webhook's or a token's. */
function refusalOf(refusal: ForwarderCode, once: Once | undefined): ForwarderCode {
  return refusal === "webhook_id_reused" ? (once?.refusal ?? refusal) : refusal;
}

/**
 * Notes an id that may be used for one thing only, in a single shard. Where that shard also keeps all events and
 * claims, it notes the id as it accepts them; otherwise it is asked before.
 */
async function noteOnce(
  once: Once,
  candidates: readonly Candidate[],
  setup: Setup,
): Promise<AcceptRequest["webhook"] | "reused"> {
  if (candidates.length === 0) return undefined;
  const webhook = { id: once.id, digest: once.digest };
  const hashed = hash(once.id);
  const keeper = shardOf(hashed, setup);
  const isOwn = candidates.every(({ shard, claims }) => shard === keeper && claims === undefined);
  if (isOwn && !hasFormer(setup)) return webhook;
  return (await callShard(() => keeper.webhook(webhook.id, webhook.digest, hashed))) ? undefined : "reused";
}

function candidateOf(item: ReadEvent, idOf: KeyedHash, caller: Caller, setup: Setup): Unplaced {
  const { options } = setup;
  const id = idOf(item.key);
  const shard = shardOf(id, setup);
  const event: NewEvent = {
    id,
    offerId: item.offerId,
    text: item.text,
    acceptedAt: today(options),
    isSigned: caller.isSigned,
    ...(options.isDeduplicated(item.offerId) ? {} : { order: item.claim }),
  };
  const isFree = caller.isSigned || options.severalPerClick;
  return isFree ? { shard, event } : claiming(event, item.claim, shard, setup);
}

/** A correction is kept in the shard of its conversion, by that id. It claims its own id in the shard of that id. */
function correctionOf(item: ReadCorrection, idOf: KeyedHash, setup: Setup): Unplaced {
  const { options } = setup;
  const [own, conversionId] = [idOf(item.key), idOf(item.conversionKey)];
  const id = conversionId.slice(0, SHARD_DIGITS) + own.slice(SHARD_DIGITS);
  const event: NewEvent = {
    id,
    kind: "correction",
    offerId: item.offerId,
    text: item.text,
    acceptedAt: today(options),
    isSigned: true,
    order: orderOf(conversionId),
  };
  return claiming(event, item.claim, shardOf(id, setup), setup);
}

/** An event with a claim. The claim is made with the event where both belong to one shard by all numbers of shards. */
function claiming(event: NewEvent, claim: string, shard: Shard, setup: Setup): Unplaced {
  if (setup.shards.length === 1) return { shard, event: { ...event, claim } };
  const hashed = hash(claim);
  const keeper = shardOf(hashed, setup);
  return keeper === shard && !hasFormer(setup)
    ? { shard, event: { ...event, claim } }
    : { shard, event, claims: { shard: keeper, claim, hash: hashed, isNew: false } };
}

function hasFormer({ layout }: Setup): boolean {
  return layout.former.length > 0;
}

/** The answer while it is not known whether the event that has claimed the click or id is kept: nothing is final yet. */
function unsettled(): { readonly error: ForwarderError } {
  return { error: errorOf("outbox_unavailable", "another event may be about to be kept in its place: try again") };
}

function refused(code: ForwarderCode): { readonly error: ForwarderError } {
  return { error: errorOf(code, MESSAGES[code] ?? "") };
}

const MESSAGES: Partial<Record<ForwarderCode, string>> = {
  click_converted: "this click has converted for this offer already, or may have, with another uniqueId",
  correction_conflict: "this correctionId was accepted with other fields",
  conversion_conflict: "this uniqueId was accepted for this offer with other fields",
  outbox_full: "too many events wait: try again later",
  webhook_id_reused: "this webhook-id was used for another body",
  token_used: "this token was used for another conversion: get another one",
};

/** Puts the final states into the results, as far as they arrive in time. */
async function settled(results: Result[], setup: Setup): Promise<void> {
  const ids = results.flatMap((result) => ("id" in result ? [result.id] : []));
  const statuses = await Promise.all(
    setup.shards.map((shard) => {
      const own = ids.filter((id) => shardOf(id, setup) === shard);
      return own.length === 0 ? [] : callShard(() => shard.wait(own, WAIT_MS));
    }),
  );
  const known = new Map(statuses.flat().flatMap((status) => (status ? [[status.id, status] as const] : [])));
  results.forEach((result, place) => {
    const status = "id" in result ? known.get(result.id) : undefined;
    if ("id" in result && status !== undefined) results[place] = { ...result, ...status };
  });
}

function withoutEmpty(error: ForwarderError): ForwarderError {
  return error.parameter === "" ? { ...error, parameter: undefined } : error;
}
