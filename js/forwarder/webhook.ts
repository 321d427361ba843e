/** The route of shops' webhooks. The core reads a webhook (`src/delivery/shop`); a platform reads only the status. */
import { call, isCakeError } from "../error.js";
import { checkMethod, json, Refusal } from "./answer.js";
import { readBytes } from "./body.js";
import { Deadline } from "./deadlines.js";
import { type Former, findFormer, findNow, findOwner, formersOf, type Searched } from "./former.js";
import type { IncomingOutcome, WebhookLine } from "./incoming.js";
import type { Spans } from "./key-settings.js";
import { logIncoming } from "./log-incoming.js";
import type { ResolvedOptions } from "./options.js";
import {
  type Incoming,
  isSoldElsewhere,
  type LogOutcome,
  type Outcome,
  type Reading,
  settle,
  soldAs,
  updateAll,
  updateOrder,
  type Verdict,
  type WebhookOrder,
} from "./orders.js";
import { checkLimit, type Setup } from "./setup.js";
import type { Acceptance, Intake } from "./shard.js";
import { isPlatform, type Platform, type ResolvedShop, type WebhookConversion } from "./shops.js";
import type { OrderRef, OrderUpdate } from "./store.js";

const HEADERS: Readonly<Record<Platform, { readonly signature: string; readonly topic?: string }>> = {
  shopify: { signature: "x-shopify-hmac-sha256", topic: "x-shopify-topic" },
  woocommerce: { signature: "x-wc-webhook-signature", topic: "x-wc-webhook-topic" },
  stripe: { signature: "stripe-signature" },
};

/** More than the length of WooCommerce's `webhook_id=12`. */
const MAX_PING_BYTES = 64;

/** How long a mapping may take. Every platform has given up its request by then. */
const MAP_MS = 60_000;

/** The code where the order's id has another shop's order. */
const OTHER_SHOP = "other_shop";

/** A signed webhook that can be read. */
interface Webhook extends Searched {
  readonly payload: Record<string, unknown> | undefined;
  readonly topic: string;
  readonly options: ResolvedOptions;
}

/** The order under settings of before. `again` looks once more; absent where the settings were never changed. */
interface Before extends Former {
  readonly again?: () => Promise<Former>;
}

/** Answers `webhooks/PLATFORM`. */
export async function handleWebhook(request: Request, name: string, setup: Setup, intake: Intake): Promise<Response> {
  const { options } = setup;
  const shops = isPlatform(name) ? options.shops.get(name) : undefined;
  if (!isPlatform(name) || shops === undefined) {
    throw unknownPlatform();
  }
  checkMethod(request, ["POST"]);
  const body = await bodyOf(request, name);
  const readAs = reader(request, name, body);
  const current = read(shops.map(readAs));
  const { shop, verdict } = current;
  if (verdict.outcome === "signature_refused") {
    // A platform with a valid signature is never limited: some platforms send a webhook only once.
    await checkLimit(request, setup);
    await logIncoming({ event: "webhook", shop: name, topic: "", outcome: "signature_refused" }, setup);
    const within = name === "stripe" ? ", within five minutes" : "";
    const rule = `${HEADERS[name].signature} must sign this very body with one of the secrets of shops.${name}${within}`;
    throw new Refusal("signature_refused", rule);
  }
  const payload = verdict.reason === "unreadable" ? undefined : tryParse(body);
  const topic = topicOf(request, name, payload);
  const logOutcome = async (outcome: IncomingOutcome, more: Partial<WebhookLine> = {}): Promise<Response> => {
    const line: WebhookLine = { event: "webhook", shop: name, topic, outcome, ...more };
    if (outcome === "ping") options.log(line);
    else await logIncoming(line, setup);
    const { event: _, shop: __, topic: ___, alert: ____, code, ...answer } = line;
    return json(200, { ...answer, ...(code === undefined ? {} : { reason: code }) });
  };
  if (verdict.outcome === "ping" || verdict.outcome === "test") return logOutcome(verdict.outcome);
  if (verdict.reason === "unreadable") return logOutcome("ignored", { code: "unreadable", alert: true });
  const incoming: Incoming = { platform: name, shop, intake, logOutcome };
  const { formerOf, spansOf } = await setup.ids();
  const spans = spansOf(shop.sender);
  const webhook: Webhook = { body, payload, topic, options, spans, isMapped: shop.map !== undefined };
  const formers = formersOf(shop, formerOf(shop.sender)).map(readAs);
  if (formers.length === 0 && findOwner(name, shop.keys, spans) === undefined) {
    return tell(current, webhook, incoming, { unsold: [] });
  }
  const again = () => findFormer(formers, webhook, incoming);
  const now = await findNow(current, webhook, incoming);
  const before = now.isSold ? { unsold: [] } : await again();
  if (now.isOthers && before.sold === undefined) return refuseOthers(current, logOutcome);
  return tell(before.sold ?? current, webhook, incoming, { ...before, again });
}

/**
 * Answers a webhook whose order has an id that CAKE has another shop's order by. Nothing is sent: the sale would be lost
 * among the other shop's, and the refund taken off them.
 */
function refuseOthers({ shop, verdict }: Reading, logOutcome: LogOutcome): Promise<Response> {
  const { sale, order, outcome, reason } = verdict;
  // A mapping may make a sale of any order.
  if (sale !== undefined || (shop.map !== undefined && outcome !== "refund")) {
    return logOutcome("refused", { code: OTHER_SHOP, alert: true });
  }
  if (order?.takes === true) return logOutcome("refund_not_taken", { code: OTHER_SHOP, alert: true });
  if (outcome === "no_click_id") return logOutcome("no_click_id", reason === undefined ? {} : { code: reason });
  return logOutcome("ignored", { code: reason ?? "other_topic" });
}

/** Tells the outbox what a webhook says, and answers it. */
async function tell(
  { shop, verdict: found }: Reading,
  { body, payload, topic, options, spans }: Webhook,
  { platform, intake, logOutcome }: Incoming,
  before: Before,
): Promise<Response> {
  const incoming: Incoming = { platform, shop, intake, logOutcome };
  // Under settings of before nothing new begins.
  const isOfBefore = before.sold !== undefined && found.order !== undefined;
  const verdict: Verdict = isOfBefore ? { ...found, order: { ...found.order, ifUnknown: "known" } } : found;
  const { reason } = verdict;
  const tied = verdict.order?.isTied === true ? [await soldAs(verdict.order, incoming)] : [];
  const order = verdict.order && { ...verdict.order, ...(tied.length > 0 ? { uniqueIds: tied } : {}) };
  const isTooOld = reason === "too_old";
  const isRefund = verdict.outcome === "refund";
  if (order !== undefined && (isRefund || isTooOld || reason === "invoice_payment")) {
    const answer = await logOrder(order, await updateOrder(order, incoming), incoming, !isRefund, reason);
    return answer ?? logOutcome("ignored", { code: reason ?? "no_conversion" });
  }
  const ready = verdict.sale && dated(verdict.sale, tied[0], options);
  let text = ready && JSON.stringify(ready);
  if (shop.map !== undefined && payload !== undefined) {
    const deadline = new Deadline(MAP_MS, Date.now());
    try {
      text = textOfMapped(await deadline.race(Promise.resolve(shop.map(payload, topic, ready))));
    } catch {
      return mapFailed(deadline.isReached ? "timed_out" : "threw", logOutcome);
    } finally {
      deadline.clear();
    }
  }
  const hasNoClick = text !== undefined && ready === undefined && namesNoClick(text, intake);
  if (text === undefined || hasNoClick) {
    // The sale may be known nevertheless: its page has told the click.
    const settled = order && (await updateOrder(order, incoming));
    const answer = order && settled && (await logOrder(order, settled, incoming, true));
    if (answer !== undefined) return answer;
    if (shop.map !== undefined && payload !== undefined && !hasNoClick) return logOutcome("ignored", { code: "map" });
    if (verdict.outcome !== "no_click_id") return logOutcome("ignored", { code: reason ?? "other_topic" });
    const known = settled === undefined || settled === "unavailable" || !settled.isKnown ? undefined : settled;
    return logOutcome("no_click_id", {
      ...(reason === undefined ? {} : { code: reason }),
      ...(known === undefined ? {} : { moneyUsed: known.isMoneyUsed && !isOver(known.conversion?.state) }),
    });
  }
  // The revenue of the site's own mapping is not known here.
  const leftOut = shop.map === undefined ? verdict.sale?.revenueLeftOut : undefined;
  const ids = shop.keys.isMapped ? [...new Set([...tied, ...shop.reader().orderIds(body)])] : [];
  const asOfMs = () => shop.reader().asOfMs(body) ?? Date.now();
  const known = order ?? { uniqueIds: ids, asOfMs: asOfMs(), takes: false, ifUnknown: "sent" };
  const told = await acceptSale(text, known, { ids, ready, before, spans }, incoming, leftOut);
  const { outcome, more, settled } = told;
  const isKnown = outcome === "duplicate" || outcome === "changed";
  const made = settled === undefined || settled === "unavailable" ? undefined : settled;
  // The sale may be a repetition while its refund, or its total, is new.
  if (isKnown && made?.outcome === "refund") {
    return logOutcome("refund", { ...more, ...(made.id === undefined ? {} : { id: made.id }) });
  }
  if (made?.outcome === "total") return logOutcome(isKnown ? "changed" : outcome, more);
  const answer = await logOutcome(outcome, more);
  if (settled !== undefined) await logOrder(known, settled, incoming, !known.takes);
  return answer;
}

/** The body, if it can be valid: an unsigned one is a ping of a few bytes, or refused. */
async function bodyOf(request: Request, platform: Platform): Promise<Uint8Array> {
  const isSigned = request.headers.has(HEADERS[platform].signature);
  const isShort = Number(request.headers.get("content-length") ?? 0) <= MAX_PING_BYTES;
  if (isSigned || (platform === "woocommerce" && isShort)) return readBytes(request);
  await request.body?.cancel();
  return new Uint8Array();
}

/** Reads a webhook as a shop, at one time for all. */
function reader(request: Request, platform: Platform, body: Uint8Array): (shop: ResolvedShop) => Reading {
  const names = HEADERS[platform];
  const signature = request.headers.get(names.signature) ?? "";
  const topic = names.topic === undefined ? "" : (request.headers.get(names.topic) ?? "");
  const now = Date.now();
  return (shop) => {
    const text = call(() => shop.reader().read(signature, topic, body, now));
    return { shop, verdict: JSON.parse(text) as Verdict };
  };
}

/** The reading of the shop whose secret signed the webhook, among several shops on one platform. */
function read(all: readonly Reading[]): Reading {
  const [first] = all;
  const own = all.find(({ verdict }) => verdict.outcome !== "signature_refused") ?? first;
  if (own === undefined) throw unknownPlatform();
  return own;
}

function unknownPlatform(): Refusal {
  return new Refusal("not_found", "no webhooks of that platform are accepted: see the option shops");
}

/** What is known beside a sale. */
interface SaleContext {
  /** The order's own ids, which lead to what a mapping makes of it. */
  readonly ids: readonly string[];
  readonly ready: WebhookConversion | undefined;
  readonly before: Before;
  readonly spans: Spans;
}

/** What became of a sale, and of what its webhook says of its order. */
interface Told {
  readonly outcome: IncomingOutcome;
  readonly more?: Partial<WebhookLine>;
  readonly settled?: Outcome;
}

async function acceptSale(
  text: string,
  order: WebhookOrder,
  { ids, ready, before, spans }: SaleContext,
  incoming: Incoming,
  revenueLeftOut: "currency" | "amount" | undefined,
): Promise<Told> {
  const { platform, shop, intake, logOutcome } = incoming;
  const takesUpdates = intake.takesCorrections();
  const sale = { atMs: order.asOfMs, ...(ready?.revenue === undefined ? {} : { found: ready.revenue }) };
  let facts = order.facts ?? "";
  const isOfBefore = before.sold !== undefined;
  // The order's own ids lead to what the mapping makes of it.
  const of = (id: string, links: readonly OrderRef[]): OrderUpdate => ({
    ...{ platform, offerId: shop.keys.offerId, uniqueId: id, facts, isMapped: true, links },
    ifUnknown: isOfBefore ? "known" : "quiet",
  });
  // It is a conversion already, whose first fields count.
  const stays = async (orders: readonly OrderUpdate[]): Promise<Told> => {
    const settled = takesUpdates ? await updateAll(orders, incoming) : "unavailable";
    return { outcome: "changed", more: idOf(before), settled };
  };
  // What a mapping of before would make of it is not known: its notes lead there.
  if (isOfBefore && shop.keys.isMapped) return stays(ids.map((id) => of(id, [])));
  let update: OrderUpdate;
  let result: Acceptance;
  try {
    const { offerId, uniqueId, claim } = intake.keyOf(text);
    // A mapping may choose any key.
    const isOwn = shop.keys.isMapped ? findOwner(platform, shop.keys, spans) : undefined;
    if (isOwn !== undefined) {
      const key = { platform, offerId, uniqueId, facts: "", isMapped: false, claim } as const;
      const known = await settle({ ...key, ifUnknown: "known" }, incoming);
      if (known?.isKnown === true && !isOwn(known, claim)) {
        return { outcome: "refused", more: { code: OTHER_SHOP, alert: true } };
      }
    }
    if (takesUpdates && !isOfBefore) facts = await withFactsOf(before, { offerId, uniqueId }, facts, incoming);
    update = { platform, offerId, uniqueId, facts, isMapped: false, sale, ifUnknown: order.ifUnknown };
    if (isOfBefore) return stays([{ ...update, sale: { ...sale, text }, ifUnknown: "known" }]);
    if (takesUpdates && (await isSoldElsewhere({ offerId, uniqueId }, ids, incoming))) {
      const settled = await updateAll(
        ids.map((id) => of(id, [])),
        incoming,
      );
      return { outcome: "changed", settled };
    }
    result = await intake.convert(text, takesUpdates ? update : undefined);
  } catch (thrown) {
    if (!isCakeError(thrown) || thrown.code === "internal") throw thrown;
    if (shop.map !== undefined) return mapFailed(thrown.code, logOutcome);
    // The same payload would break the same rule again, so a repetition is of no use.
    return { outcome: "refused", more: { code: thrown.code, alert: true } };
  }
  if ("refusal" in result && result.refusal !== "conversion_conflict") {
    throw new Refusal(result.refusal, "too many conversions wait: try again later", { "retry-after": "60" });
  }
  // Before the answer: a platform sends again what has not been answered.
  let settled: Outcome = "unavailable";
  if (takesUpdates) {
    const own: OrderUpdate = { ...update, sale: { ...sale, text } };
    const known = "refusal" in result || result.settled === undefined ? [own] : [];
    const first = "refusal" in result ? undefined : result;
    const { offerId, uniqueId } = update;
    const others = ids.map((id) => of(id, [{ offerId, uniqueId }]));
    settled = await updateAll([...known, ...others], incoming, first);
  }
  if ("refusal" in result) return { outcome: "changed", settled };
  const { id, duplicate, state } = result;
  const twin = duplicate ? undefined : await twinOf(id, before, incoming);
  if (twin !== undefined) {
    const told: OrderUpdate = { platform, ...twin, facts, isMapped: true, ifUnknown: "known" };
    const moved = takesUpdates ? await updateAll([told], incoming) : "unavailable";
    return { outcome: "changed", more: { id: twin.id }, settled: moved };
  }
  const isCorrected = settled !== "unavailable" && settled.isMoneyUsed && !isOver(state);
  const moneyUsed = result.moneyUsed === false ? isCorrected : result.moneyUsed;
  const more = {
    id,
    ...(revenueLeftOut ? { revenueLeftOut } : {}),
    ...(moneyUsed === undefined ? {} : { moneyUsed }),
  };
  return { outcome: duplicate ? "duplicate" : "accepted", more, settled };
}

/** A correction of what CAKE has refused ends with it. */
const isOver = (state: string | undefined): boolean => state === "refused" || state === "dead" || state === "cancelled";

const idOf = ({ sold }: Before): { id?: string } => (sold?.conversion === undefined ? {} : { id: sold.conversion.id });

/**
 * The facts of an order, and those that were told under keys of before. They lead to its sale from now on: so does a
 * refund that came before the sale, and before the change.
 */
async function withFactsOf({ unsold }: Before, sold: OrderRef, facts: string, incoming: Incoming): Promise<string> {
  const { platform } = incoming;
  const all = facts === "" ? [] : [facts];
  for (const { offerId, uniqueId } of unsold) {
    if (offerId === sold.offerId && uniqueId === sold.uniqueId) continue;
    const key = { platform, offerId, uniqueId, facts: "", isMapped: false } as const;
    const settled = await settle({ ...key, ifUnknown: "known", links: [sold] }, incoming);
    if (settled !== undefined && settled.facts !== "") all.push(settled.facts);
  }
  return all.join("\n");
}

/**
 * Makes sure that an order of a new conversion is no other conversion. What CAKE has refused of it before is not sent
 * again. Another release may have made one under its own settings at the same moment: both releases take back the same
 * one of the two. Returns the other conversion where this one was taken back.
 */
async function twinOf(
  id: string,
  { unsold, again }: Before,
  { intake }: Incoming,
): Promise<(OrderRef & { readonly id: string }) | undefined> {
  for (const { conversion } of unsold) {
    if (conversion !== undefined && conversion.id !== id && conversion.state !== "cancelled") {
      await intake.withdraw(conversion.id);
    }
  }
  const other = (await again?.())?.sold;
  if (other?.conversion === undefined || other.conversion.id === id) return undefined;
  const { offerId, uniqueId, conversion } = other;
  for (const each of [id, conversion.id].sort()) {
    if (await intake.withdraw(each)) return each === id ? { offerId, uniqueId, id: conversion.id } : undefined;
  }
  return undefined;
}

/** Logs what came of an order, and answers it. `isQuiet`: only what is corrected is told. */
async function logOrder(
  { takes, unchanged }: WebhookOrder,
  outcome: Outcome,
  { logOutcome }: Incoming,
  isQuiet: boolean,
  unknown = "no_conversion",
): Promise<Response | undefined> {
  if (outcome === "unavailable") {
    if (isQuiet || !takes) return undefined;
    return logOutcome("refund_not_taken", { code: "corrections_unavailable", alert: true });
  }
  const { id } = outcome;
  switch (outcome.outcome) {
    case "refund":
      return logOutcome("refund", id === undefined ? {} : { id });
    case "total":
      return logOutcome("changed", id === undefined ? {} : { id });
    case "full":
      return logOutcome("ignored", { code: "too_many_facts", alert: true });
    case "map":
      return takes ? logOutcome("ignored", { code: "refund_map", alert: true }) : undefined;
    case "currency":
      return takes ? logOutcome("ignored", { code: unchanged ?? "refund_currency" }) : undefined;
    case "unknown":
      return isQuiet ? undefined : logOutcome("ignored", { code: unknown });
    default:
      if (isQuiet && !(takes && outcome.outcome === "same")) return undefined;
      if (unchanged !== undefined) return logOutcome("ignored", { code: unchanged });
      return logOutcome("refund_duplicate", id === undefined ? {} : { id });
  }
}

async function mapFailed(code: string, logOutcome: LogOutcome): Promise<never> {
  await logOutcome("map_failed", { code, alert: true });
  throw new Refusal("map_failed", "the site's own mapping of this webhook failed: see the log");
}

/** Has a mapping built on an order of no click? Where the ready one has found a click, losing it is a fault. */
function namesNoClick(text: string, intake: Intake): boolean {
  try {
    intake.keyOf(text);
    return false;
  } catch (thrown) {
    return isCakeError(thrown) && thrown.parameter === "clickId";
  }
}

/**
 * The JSON of one object, or nothing. An array would be read as several conversions. A `bigint`, a function and a symbol
 * are no JSON, and throw. `NaN` and `Infinity`, which JSON makes null and null is absent, are texts that the core refuses.
 */
function textOfMapped(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  const text = JSON.stringify(value, (_, field: unknown) => {
    if (typeof field === "function" || typeof field === "symbol") throw new TypeError("no conversion");
    return typeof field === "number" && !Number.isFinite(field) ? `${field}` : field;
  }) as string | undefined;
  if (text?.startsWith("{") !== true) throw new TypeError("no conversion");
  return text;
}

/**
 * Dates a sale by its payment, where the account's time zone is known. Otherwise CAKE dates it on arrival, like any
 * conversion.
 */
function dated(
  { conversion, paidAtMs }: NonNullable<Verdict["sale"]>,
  uniqueId = conversion.uniqueId,
  { zone }: ResolvedOptions,
): WebhookConversion {
  const conversionDate = paidAtMs !== undefined ? zone?.findCivil(new Date(paidAtMs)) : undefined;
  return { ...conversion, uniqueId, ...(conversionDate === undefined ? {} : { conversionDate }) };
}

function tryParse(body: Uint8Array): Record<string, unknown> | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(body)) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** The topic, if it is safe for a log. */
function topicOf(request: Request, platform: Platform, payload: Record<string, unknown> | undefined): string {
  const header = HEADERS[platform].topic;
  const topic = header === undefined ? payload?.["type"] : request.headers.get(header);
  return typeof topic === "string" && /^[\w./-]{1,64}$/.test(topic) ? topic : "";
}
