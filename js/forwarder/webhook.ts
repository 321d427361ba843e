/** The route of shops' webhooks. The core reads a webhook (`src/delivery/shop`); a platform reads only the status. */
import { call, isCakeError } from "../error.js";
import { checkMethod, json, Refusal } from "./answer.js";
import { readBytes } from "./body.js";
import { Deadline } from "./deadlines.js";
import type { IncomingOutcome, WebhookLine } from "./incoming.js";
import { logIncoming } from "./log-incoming.js";
import type { ResolvedOptions } from "./options.js";
import { checkLimit, type Setup } from "./setup.js";
import type { Acceptance, Intake } from "./shard.js";
import { isPlatform, type Platform, type ResolvedShop, type WebhookConversion } from "./shops.js";
import type { OrderRef, OrderUpdate, Settled } from "./store.js";

/** A verdict of the core. */
interface Verdict {
  readonly outcome: "sale" | "refund" | "no_click_id" | "test" | "ignored" | "ping" | "signature_refused";
  readonly reason?: string | undefined;
  readonly sale?: {
    readonly conversion: WebhookConversion;
    readonly paidAtMs?: number;
    readonly revenueLeftOut?: "currency" | "amount" | undefined;
  };
  readonly order?: WebhookOrder | undefined;
}

/** What a webhook says of an order, beside its sale or without one. */
interface WebhookOrder {
  /** The unique ids that the order may be told by, the one for its sale first. */
  readonly uniqueIds: readonly string[];
  /** May another webhook of the order lack some of its ids, or tell others? */
  readonly isTied?: boolean;
  readonly asOfMs: number;
  readonly facts?: string;
  /** Do the facts take anything back? */
  readonly takes: boolean;
  readonly ifUnknown: OrderUpdate["ifUnknown"];
  /** Why it is ignored where it changes nothing. */
  readonly unchanged?: string;
  /** The unique id that the order has besides. */
  readonly link?: string;
}

/** A webhook on its way to the outbox. */
interface Incoming {
  readonly platform: Platform;
  readonly shop: ResolvedShop;
  readonly intake: Intake;
  readonly logOutcome: LogOutcome;
}

const HEADERS: Readonly<Record<Platform, { readonly signature: string; readonly topic?: string }>> = {
  shopify: { signature: "x-shopify-hmac-sha256", topic: "x-shopify-topic" },
  woocommerce: { signature: "x-wc-webhook-signature", topic: "x-wc-webhook-topic" },
  stripe: { signature: "stripe-signature" },
};

/** More than the length of WooCommerce's `webhook_id=12`. */
const MAX_PING_BYTES = 64;

/** How long a mapping may take. Every platform has given up its request by then. */
const MAP_MS = 60_000;

/** Answers `webhooks/PLATFORM`. */
export async function handleWebhook(request: Request, name: string, setup: Setup, intake: Intake): Promise<Response> {
  const { options } = setup;
  const shops = isPlatform(name) ? options.shops.get(name) : undefined;
  if (!isPlatform(name) || shops === undefined) {
    throw unknownPlatform();
  }
  checkMethod(request, ["POST"]);
  const body = await bodyOf(request, name);
  const { shop, verdict } = read(request, name, body, shops);
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
    const answer = order && (await logOrder(order, await updateOrder(order, incoming), incoming, true));
    if (answer !== undefined) return answer;
    if (shop.map !== undefined && payload !== undefined && !hasNoClick) return logOutcome("ignored", { code: "map" });
    return verdict.outcome === "no_click_id"
      ? logOutcome("no_click_id")
      : logOutcome("ignored", { code: reason ?? "other_topic" });
  }
  // The revenue of the site's own mapping is not known here.
  const leftOut = shop.map === undefined ? verdict.sale?.revenueLeftOut : undefined;
  const ids = shop.map === undefined ? [] : [...new Set([...tied, ...shop.reader().orderIds(body)])];
  const known = order ?? { uniqueIds: ids, asOfMs: Date.now(), takes: false, ifUnknown: "sent" };
  const { answer, settled } = await acceptSale(text, known, { ids, ready }, incoming, leftOut);
  // The sale may be a repetition while its refund is new.
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

/** Reads the webhook as the shop whose secret signed it, among several shops on one platform. */
function read(
  request: Request,
  platform: Platform,
  body: Uint8Array,
  shops: readonly ResolvedShop[],
): { readonly shop: ResolvedShop; readonly verdict: Verdict } {
  const names = HEADERS[platform];
  const signature = request.headers.get(names.signature) ?? "";
  const topic = names.topic === undefined ? "" : (request.headers.get(names.topic) ?? "");
  const all = shops.map((shop) => {
    const text = call(() => shop.reader().read(signature, topic, body, Date.now()));
    return { shop, verdict: JSON.parse(text) as Verdict };
  });
  const [first] = all;
  const own = all.find(({ verdict }) => verdict.outcome !== "signature_refused") ?? first;
  if (own === undefined) throw unknownPlatform();
  return own;
}

function unknownPlatform(): Refusal {
  return new Refusal("not_found", "no webhooks of that platform are accepted: see the option shops");
}

type LogOutcome = (outcome: IncomingOutcome, more?: Partial<WebhookLine>) => Promise<Response>;

/** What came of an update, over all its ids. `unavailable`: there is no account to correct it in. */
type Outcome = Settled | "unavailable";

async function acceptSale(
  text: string,
  order: WebhookOrder,
  { ids, ready }: { readonly ids: readonly string[]; readonly ready: WebhookConversion | undefined },
  incoming: Incoming,
  revenueLeftOut: "currency" | "amount" | undefined,
): Promise<{ readonly answer: Response; readonly settled?: Outcome }> {
  const { platform, shop, intake, logOutcome } = incoming;
  const takesUpdates = intake.takesCorrections();
  const sale = { atMs: order.asOfMs, ...(ready?.revenue === undefined ? {} : { found: ready.revenue }) };
  const facts = order.facts ?? "";
  // The order's own ids lead to what the mapping makes of it.
  const of = (id: string, links: readonly OrderRef[]): OrderUpdate => ({
    ...{ platform, offerId: shop.offerId, uniqueId: id, facts, isMapped: true, ifUnknown: "quiet", links },
  });
  let update: OrderUpdate;
  let result: Acceptance;
  try {
    const { offerId, uniqueId } = intake.keyOf(text);
    update = { platform, offerId, uniqueId, facts, isMapped: false, sale, ifUnknown: order.ifUnknown };
    if (takesUpdates && (await isSoldElsewhere({ offerId, uniqueId }, ids, incoming))) {
      const settled = await updateAll(
        ids.map((id) => of(id, [])),
        incoming,
      );
      return { answer: await logOutcome("changed"), settled };
    }
    result = await intake.convert(text, takesUpdates ? update : undefined);
  } catch (thrown) {
    if (!isCakeError(thrown) || thrown.code === "internal") throw thrown;
    if (shop.map !== undefined) return { answer: await mapFailed(thrown.code, logOutcome) };
    // The same payload would break the same rule again, so a repetition is of no use.
    return { answer: await logOutcome("refused", { code: thrown.code, alert: true }) };
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
  if ("refusal" in result) return { answer: await logOutcome("changed"), settled };
  const { id, duplicate, state } = result;
  // A correction of what CAKE has refused ends with it.
  const isOver = state === "refused" || state === "dead" || state === "cancelled";
  const isCorrected = settled !== "unavailable" && settled.isMoneyUsed && !isOver;
  const moneyUsed = result.moneyUsed === false ? isCorrected : result.moneyUsed;
  const answer = await logOutcome(duplicate ? "duplicate" : "accepted", {
    id,
    ...(revenueLeftOut ? { revenueLeftOut } : {}),
    ...(moneyUsed === undefined ? {} : { moneyUsed }),
  });
  return { answer, settled };
}

/**
 * Has a mapping made a conversion of this order before, under the same unique id in another offer? One order is one sale:
 * the first conversion counts. This one is noted before it is accepted: a webhook right behind it finds the note.
 */
async function isSoldElsewhere(sold: OrderRef, ids: readonly string[], incoming: Incoming): Promise<boolean> {
  const { platform, shop } = incoming;
  const ask = (ref: OrderRef, more: Pick<OrderUpdate, "ifUnknown" | "links">) =>
    settle({ platform, ...ref, facts: "", isMapped: true, ...more }, incoming);
  for (const uniqueId of ids) {
    const own: OrderRef = { offerId: shop.offerId, uniqueId };
    const order = await ask(own, { ifUnknown: "quiet", links: [sold] });
    for (const link of [...(order?.isKnown === true ? [own] : []), ...(order?.links ?? [])]) {
      if (link.uniqueId !== sold.uniqueId) continue;
      if (link.offerId === sold.offerId) break;
      if ((await ask(link, { ifUnknown: "known" }))?.isKnown === true) return true;
    }
  }
  return false;
}

/**
 * The unique id of the sale of an order that is told under several ids: the one that was decided first, by another
 * webhook or by the order's page. Each id leads to it from then on, also what was told of the order under it before.
 */
async function soldAs({ uniqueIds, ifUnknown }: WebhookOrder, incoming: Incoming): Promise<string> {
  const { platform, shop } = incoming;
  const { offerId } = shop;
  const ask = (uniqueId: string, more: Pick<OrderUpdate, "ifUnknown" | "soldAs" | "facts">) =>
    settle({ platform, offerId, uniqueId, isMapped: shop.map !== undefined, ...more }, incoming);
  let [sold = ""] = uniqueIds;
  const walk = async (how: OrderUpdate["ifUnknown"]) => {
    let isFound = false;
    const facts = new Map<string, string>();
    // The sale's own id last: another webhook decides at an id that both tell.
    const open = [...uniqueIds].reverse();
    for (let next = open.shift(); next !== undefined; next = open.shift()) {
      if (facts.has(next)) continue;
      const settled = await ask(next, { ifUnknown: how, soldAs: sold, facts: "" });
      facts.set(next, settled?.facts ?? "");
      const decided = settled?.soldAs ?? "";
      isFound ||= decided !== "";
      if (decided === "" || decided === sold) continue;
      sold = decided;
      open.push(sold);
    }
    for (const [uniqueId, told] of facts) {
      if (uniqueId !== sold && told !== "") await ask(sold, { ifUnknown: how, facts: told });
    }
    return isFound;
  };
  // What is no conversion here, and will be none, leaves nothing behind.
  if (ifUnknown !== "known" || (await walk("known"))) await walk("quiet");
  return sold;
}

/** Hands over what a webhook says of an order, without making a conversion of it. */
async function updateOrder(order: WebhookOrder, incoming: Incoming): Promise<Outcome> {
  const { platform, shop, intake } = incoming;
  if (!intake.takesCorrections()) return "unavailable";
  const { offerId } = shop;
  const isMapped = shop.map !== undefined;
  const of = (uniqueId: string, ifUnknown: OrderUpdate["ifUnknown"]): OrderUpdate => ({
    ...{ platform, offerId, uniqueId, facts: order.facts ?? "", isMapped, ifUnknown },
    ...(order.link === undefined ? {} : { links: [{ offerId, uniqueId: order.link }] }),
  });
  const [first = ""] = order.uniqueIds;
  // A mapping may have made anything of the order, or nothing.
  const ifUnknown = isMapped && order.ifUnknown !== "known" ? "quiet" : order.ifUnknown;
  if (order.link !== undefined && ifUnknown !== "quiet") {
    // Which of the two ids has the sale? Where none has, the correction waits for it.
    const outcome = await updateAll([of(first, "quiet")], incoming);
    if (outcome === "unavailable" || outcome.isKnown) return outcome;
  }
  return updateAll([of(first, ifUnknown)], incoming);
}

/** Updates orders, and the orders that they are besides. `first` is done already. */
async function updateAll(orders: readonly OrderUpdate[], incoming: Incoming, first?: Acceptance): Promise<Outcome> {
  let best: Outcome = "unavailable";
  const weigh = (settled: Settled | undefined) => {
    if (settled === undefined) return;
    const weight = (of: Settled) => OUTCOMES.indexOf(of.outcome);
    if (best === "unavailable" || weight(settled) > weight(best)) best = settled;
  };
  if (first !== undefined) weigh(settledOf(first));
  const open = [...orders];
  const known = new Set<string>();
  for (let next = open.shift(); next !== undefined && known.size < MAX_ORDERS; next = open.shift()) {
    const settled = await settle(next, incoming);
    weigh(settled);
    known.add(`${next.offerId}|${next.uniqueId}`);
    if (settled === undefined) continue;
    const { links, facts } = settled;
    const { platform, isMapped } = next;
    // Where the sale is found, nothing waits for it elsewhere.
    const ifUnknown = settled.isKnown && next.ifUnknown !== "known" ? "quiet" : next.ifUnknown;
    for (const link of links) {
      if (!known.has(`${link.offerId}|${link.uniqueId}`)) open.push({ platform, ifUnknown, isMapped, facts, ...link });
    }
  }
  return best;
}

async function settle(update: OrderUpdate, { intake }: Incoming): Promise<Settled | undefined> {
  return settledOf(await intake.updateOrder(update));
}

function settledOf(result: Acceptance): Settled | undefined {
  if ("refusal" in result)
    throw new Refusal(result.refusal, "too many events wait: try again later", { "retry-after": "60" });
  return result.settled;
}

/** The outcomes of an update, the one that counts most last. */
const OUTCOMES: readonly Settled["outcome"][] = ["unknown", "whole", "money", "same", "map", "refund", "full"];

/** The most orders that one webhook leads to. */
const MAX_ORDERS = 16;

/** Logs what came of an order, and answers it. `isQuiet`: only what is taken back or put back is told. */
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
    case "full":
      return logOutcome("ignored", { code: "too_many_facts", alert: true });
    case "map":
      return takes ? logOutcome("ignored", { code: "refund_map", alert: true }) : undefined;
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
