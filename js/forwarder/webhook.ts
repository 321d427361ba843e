/** The route of shops' webhooks. The core reads a webhook (`src/delivery/shop`); a platform reads only the status. */
import { call, isCakeError } from "../error.js";
import { checkMethod, json, Refusal } from "./answer.js";
import { readBytes } from "./body.js";
import type { IncomingOutcome, WebhookLine } from "./incoming.js";
import { logIncoming } from "./log-incoming.js";
import type { ResolvedOptions } from "./options.js";
import { checkLimit, type Setup } from "./setup.js";
import type { Acceptance, Intake } from "./shard.js";
import { isPlatform, type Platform, type ResolvedShop, type WebhookConversion } from "./shops.js";

/** A verdict of the core. */
interface Verdict {
  readonly outcome: "sale" | "refund" | "no_click_id" | "test" | "ignored" | "ping" | "signature_refused";
  readonly reason?: string;
  readonly sale?: {
    readonly conversion: WebhookConversion;
    readonly paidAtMs?: number;
    readonly revenueLeftOut?: "currency" | "amount";
  };
  readonly refunds?: readonly Refund[];
  /** Two ids of one sale. */
  readonly link?: { readonly id: string; readonly uniqueId: string };
}

/** A refund of a sale, or its end. */
interface Refund {
  /** A correction without its unique id. */
  readonly correction: {
    readonly offerId: number;
    readonly status?: string;
    readonly revenue?: string;
    readonly revenueAdded?: string;
  };
  /** The unique ids that the sale may have. */
  readonly uniqueIds: readonly string[];
  /** What to do where no such sale is known here: `sent` where a click certainly led to it. */
  readonly ifUnknown: "sent" | "kept" | "dropped";
  /** How it stands to the corrections before it (`src/delivery/shop/change.rs`). */
  readonly change?: { readonly restores?: true; readonly taken?: string; readonly givenBack?: string };
}

/** What a site's own mapping has made of an order. */
interface Mapped {
  readonly offerId: number;
  readonly uniqueId: string;
  /** Is its revenue the one that the ready mapping found? Otherwise the shop's amounts say nothing of it. */
  readonly isShopsMoney: boolean;
}

/** A webhook on its way to the outbox. */
interface Incoming {
  readonly platform: Platform;
  readonly shop: ResolvedShop;
  readonly intake: Intake;
  readonly logOutcome: LogOutcome;
}

/** What became of a refund. */
interface RefundOutcome {
  readonly outcome: IncomingOutcome;
  readonly more: Partial<WebhookLine>;
  /** Is nothing to tell, where another answer stands? */
  readonly isSilent: boolean;
}

const HEADERS: Readonly<Record<Platform, { readonly signature: string; readonly topic?: string }>> = {
  shopify: { signature: "x-shopify-hmac-sha256", topic: "x-shopify-topic" },
  woocommerce: { signature: "x-wc-webhook-signature", topic: "x-wc-webhook-topic" },
  stripe: { signature: "stripe-signature" },
};

/** More than the length of WooCommerce's `webhook_id=12`. */
const MAX_PING_BYTES = 64;

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
    const rule = `${HEADERS[name].signature} must sign this very body with one of the secrets of shops.${name}`;
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
  if (verdict.reason === "too_old") return logOutcome("ignored", { code: "too_old" });
  if (verdict.reason === "unreadable") return logOutcome("ignored", { code: "unreadable", alert: true });
  const incoming: Incoming = { platform: name, shop, intake, logOutcome };
  const refunds = verdict.refunds ?? [];
  if (verdict.link !== undefined) await intake.remember(linkOf(name, verdict.link.id), verdict.link.uniqueId);
  if (verdict.outcome === "refund") {
    const answer = await acceptRefunds(refunds, incoming, false, verdict.reason);
    return answer ?? logOutcome("ignored", { code: verdict.reason ?? "no_conversion" });
  }
  const ready = verdict.sale && dated(verdict.sale, options);
  let conversion = ready;
  if (shop.map !== undefined && payload !== undefined) {
    try {
      conversion = checkMapped(await shop.map(payload, topic, ready));
    } catch {
      return mapFailed("threw", logOutcome);
    }
  }
  if (conversion === undefined) {
    // The sale may be known nevertheless: its page has told the click.
    const answer = await acceptRefunds(refunds, incoming, true);
    if (answer !== undefined) return answer;
    if (shop.map !== undefined && payload !== undefined) return logOutcome("ignored", { code: "map" });
    return verdict.outcome === "no_click_id"
      ? logOutcome("no_click_id")
      : logOutcome("ignored", { code: verdict.reason ?? "other_topic" });
  }
  // The revenue of the site's own mapping is not known here.
  const leftOut = shop.map === undefined ? verdict.sale?.revenueLeftOut : undefined;
  const ids = shop.map === undefined ? [] : shop.reader().orderIds(body);
  const answer = await acceptSale(conversion, { ids, ready }, incoming, leftOut);
  // The sale may be a repetition while its refund is new. Nearly every sale has nothing to restore: that is not told.
  for (const each of refunds) await acceptRefunds([each], incoming, each.change?.restores === true);
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

async function acceptSale(
  conversion: WebhookConversion,
  { ids, ready }: { readonly ids: readonly string[]; readonly ready: WebhookConversion | undefined },
  { platform, shop, intake, logOutcome }: Incoming,
  revenueLeftOut: "currency" | "amount" | undefined,
): Promise<Response> {
  let result: Acceptance;
  try {
    result = await intake.convert(JSON.stringify(conversion));
  } catch (thrown) {
    if (!isCakeError(thrown) || thrown.code === "internal") throw thrown;
    if (shop.map !== undefined) return mapFailed(thrown.code, logOutcome);
    // The same payload would break the same rule again, so a repetition is of no use.
    return logOutcome("refused", { code: thrown.code, alert: true });
  }
  const isKnown = !("refusal" in result) || result.refusal === "conversion_conflict";
  if (isKnown) {
    const { offerId, uniqueId } = conversion;
    const mapped: Mapped = { offerId, uniqueId, isShopsMoney: isSameMoney(conversion.revenue, ready?.revenue) };
    // Before the answer: a platform sends again what has not been answered.
    for (const id of ids) await intake.remember(mappedOf(platform, id), JSON.stringify(mapped));
  }
  if ("refusal" in result) {
    if (result.refusal === "conversion_conflict") return logOutcome("changed");
    throw new Refusal(result.refusal, "too many conversions wait: try again later", { "retry-after": "60" });
  }
  const { id, duplicate } = result;
  let { moneyUsed } = result;
  if (moneyUsed === false) moneyUsed = await correctMoney(conversion, platform, intake);
  return logOutcome(duplicate ? "duplicate" : "accepted", {
    id,
    ...(revenueLeftOut ? { revenueLeftOut } : {}),
    ...(moneyUsed === undefined ? {} : { moneyUsed }),
  });
}

/**
 * Sends the money of a sale that CAKE already has without money, as a correction with the total. A conversion that was
 * corrected before stays as it is: its total is another one by now.
 */
async function correctMoney(sale: WebhookConversion, platform: Platform, intake: Intake): Promise<boolean> {
  const { offerId, uniqueId, revenue, payout } = sale;
  const correction = { correctionId: `${platform}-money-${uniqueId}`, offerId, uniqueId, revenue, payout };
  try {
    const result = await intake.correct(JSON.stringify(correction), { mustBeKnown: true, isFirst: true });
    return typeof result === "object" && !("refusal" in result) && result.without === undefined;
  } catch (thrown) {
    if (!isCakeError(thrown) || thrown.code === "internal") throw thrown;
    return false;
  }
}

/** Accepts refunds one by one; returns the answer for the first one that is told. `isQuiet`: only changes are told. */
async function acceptRefunds(
  refunds: readonly Refund[],
  incoming: Incoming,
  isQuiet: boolean,
  unknown?: string,
): Promise<Response | undefined> {
  let told: { readonly response: Response; readonly isSilent: boolean } | undefined;
  for (const refund of refunds) {
    const { outcome, more, isSilent } = await acceptRefund(refund, incoming, unknown);
    if (isSilent && isQuiet) continue;
    const response = await incoming.logOutcome(outcome, more);
    if (told === undefined || (told.isSilent && !isSilent)) told = { response, isSilent };
  }
  return told?.response;
}

/** Turns a refund into a correction of the conversion, under the first unique id that is known here. */
async function acceptRefund(given: Refund, incoming: Incoming, unknown = "no_conversion"): Promise<RefundOutcome> {
  const { intake } = incoming;
  const none: RefundOutcome = { outcome: "ignored", more: { code: unknown }, isSilent: true };
  const refund = await placed(given, incoming);
  if (typeof refund === "string") {
    return refund === "no_conversion"
      ? none
      : { outcome: "ignored", more: { code: refund, alert: true }, isSilent: false };
  }
  const { correction, uniqueIds, ifUnknown, change } = refund;
  const [first] = uniqueIds;
  const correct = (uniqueId: string, mustBeKnown: boolean) =>
    intake.correct(JSON.stringify({ ...correction, uniqueId }), {
      mustBeKnown,
      isKept: ifUnknown === "kept",
      change: change && JSON.stringify(change),
    });
  let result: Awaited<ReturnType<Intake["correct"]>>;
  try {
    // A platform also sends refunds of sales without a click.
    if (ifUnknown !== "sent") for (const uniqueId of uniqueIds) result ??= await correct(uniqueId, true);
    if (ifUnknown !== "dropped" && first !== undefined) result ??= await correct(first, false);
  } catch (thrown) {
    if (!isCakeError(thrown) || thrown.code === "internal") throw thrown;
    return { outcome: "refused", more: { code: thrown.code, alert: true }, isSilent: false };
  }
  if (result === "unavailable") {
    return { outcome: "refund_not_taken", more: { code: "corrections_unavailable", alert: true }, isSilent: true };
  }
  if (result === undefined || ("without" in result && result.without === "kept")) return none;
  if ("refusal" in result) {
    if (result.refusal === "correction_conflict") return { outcome: "changed", more: {}, isSilent: false };
    throw new Refusal(result.refusal, "too many events wait: try again later", { "retry-after": "60" });
  }
  const outcome = result.duplicate ? "refund_duplicate" : "refund";
  return { outcome, more: { id: result.id }, isSilent: result.without === "nothing" && change?.restores === true };
}

/**
 * A refund with the ids that its sale has here, or why there is none: a payment of Stripe's may stand for an invoice,
 * and a site's own mapping may have made anything of an order.
 */
async function placed(
  refund: Refund,
  { platform, shop, intake }: Incoming,
): Promise<Refund | "no_conversion" | "refund_map"> {
  const uniqueIds = [...refund.uniqueIds];
  if (platform === "stripe") {
    for (const id of refund.uniqueIds) {
      const linked = await intake.recall(linkOf(platform, id));
      if (linked !== undefined && !uniqueIds.includes(linked)) uniqueIds.push(linked);
    }
  }
  if (shop.map === undefined) return { ...refund, uniqueIds };
  let mapped: Mapped | undefined;
  for (const id of uniqueIds) {
    const text: string | undefined = mapped === undefined ? await intake.recall(mappedOf(platform, id)) : undefined;
    if (text !== undefined) mapped = JSON.parse(text) as Mapped;
  }
  if (mapped === undefined) {
    // The mapping may choose the offer. Where the options name it, the conversion may be under the order's own id.
    if (refund.correction.offerId === 0) return "no_conversion";
    const ifUnknown = refund.ifUnknown === "sent" ? "kept" : refund.ifUnknown;
    const whole = withoutMoney({ ...refund, uniqueIds, ifUnknown });
    return whole === "refund_map" ? "no_conversion" : whole;
  }
  const { offerId, uniqueId, isShopsMoney } = mapped;
  const own: Refund = { ...refund, correction: { ...refund.correction, offerId }, uniqueIds: [uniqueId] };
  return isShopsMoney ? own : withoutMoney(own);
}

/** A refund without amounts: the mapping's revenue is another one, so a part of the shop's says nothing of it. */
function withoutMoney(refund: Refund): Refund | "refund_map" {
  const { revenue: _, revenueAdded: __, ...correction } = refund.correction;
  if (correction.status === undefined) return "refund_map";
  if (refund.change === undefined) return { ...refund, correction };
  const { taken: ___, givenBack: ____, ...change } = refund.change;
  return { ...refund, correction, change };
}

/** Are two amounts the same, or both absent? */
function isSameMoney(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined ? one === other : Number(one) === Number(other);
}

function mappedOf(platform: Platform, id: string): string {
  return `${platform}|order|${id}`;
}

function linkOf(platform: Platform, id: string): string {
  return `${platform}|link|${id}`;
}

async function mapFailed(code: string, logOutcome: LogOutcome): Promise<never> {
  await logOutcome("map_failed", { code, alert: true });
  throw new Refusal("map_failed", "the site's own mapping of this webhook failed: see the log");
}

/** One object or nothing: an array would be read as several conversions. */
function checkMapped(value: unknown): WebhookConversion | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value)) throw new TypeError("no conversion");
  return value as WebhookConversion;
}

/**
 * Dates a sale by its payment, where the account's time zone is known. Otherwise CAKE dates it on arrival, like any
 * conversion.
 */
function dated({ conversion, paidAtMs }: NonNullable<Verdict["sale"]>, { zone }: ResolvedOptions): WebhookConversion {
  // A platform's clock that is ahead must not move the sale into the future: it counts from when it came.
  const isPast = paidAtMs !== undefined && paidAtMs <= Date.now();
  const conversionDate = isPast ? zone?.findCivil(new Date(paidAtMs)) : undefined;
  return conversionDate === undefined ? conversion : { ...conversion, conversionDate };
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
