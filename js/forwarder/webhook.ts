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
}

/** A refund of a sale, or its end. */
interface Refund {
  /** A correction without its unique id. */
  readonly correction: object;
  /** The unique ids that the sale may have. */
  readonly uniqueIds: readonly string[];
  /** What to do where no such sale is known here: `sent` where a click certainly led to it. */
  readonly ifUnknown: "sent" | "kept" | "dropped";
  /** How it stands to the corrections before it (`src/delivery/shop/change.rs`). */
  readonly change?: { readonly restores?: true };
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
  const [refund] = verdict.refunds ?? [];
  if (verdict.outcome === "refund" && refund !== undefined) return acceptRefund(refund, intake, logOutcome);
  const ready = verdict.sale && dated(verdict.sale, options);
  let conversion = ready;
  if (shop.map !== undefined && payload !== undefined) {
    try {
      conversion = checkMapped(await shop.map(payload, topic, ready));
    } catch {
      return mapFailed("threw", logOutcome);
    }
    if (conversion === undefined) return logOutcome("ignored", { code: "map" });
  }
  if (conversion === undefined) {
    return verdict.outcome === "no_click_id"
      ? logOutcome("no_click_id")
      : logOutcome("ignored", { code: verdict.reason ?? "other_topic" });
  }
  // The revenue of the site's own mapping is not known here.
  const leftOut = shop.map === undefined ? verdict.sale?.revenueLeftOut : undefined;
  const answer = await acceptSale(conversion, shop, intake, logOutcome, leftOut);
  // The sale may be a repetition while its refund is new. Nearly every sale has nothing to restore: that is not told.
  for (const each of verdict.refunds ?? []) {
    await acceptRefund(each, intake, logOutcome, each.change?.restores === true ? answer : undefined);
  }
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
  shop: ResolvedShop,
  intake: Intake,
  logOutcome: LogOutcome,
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
  if ("refusal" in result) {
    if (result.refusal === "conversion_conflict") return logOutcome("changed");
    throw new Refusal(result.refusal, "too many conversions wait: try again later", { "retry-after": "60" });
  }
  const { id, duplicate, moneyUsed } = result;
  return logOutcome(duplicate ? "duplicate" : "accepted", {
    id,
    ...(revenueLeftOut ? { revenueLeftOut } : {}),
    ...(moneyUsed === undefined ? {} : { moneyUsed }),
  });
}

/**
 * Turns a refund into a correction of the conversion, under the first unique id that is known here. `silent` is the
 * answer where nothing changes, and nothing is told then.
 */
async function acceptRefund(
  { correction, uniqueIds, ifUnknown, change }: Refund,
  intake: Intake,
  logOutcome: LogOutcome,
  silent?: Response,
): Promise<Response> {
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
    return logOutcome("refused", { code: thrown.code, alert: true });
  }
  if (result === "unavailable") {
    return silent ?? logOutcome("refund_not_taken", { code: "corrections_unavailable", alert: true });
  }
  if (result !== undefined && "refusal" in result) {
    if (result.refusal === "correction_conflict") return logOutcome("changed");
    throw new Refusal(result.refusal, "too many events wait: try again later", { "retry-after": "60" });
  }
  const isUnchanged = result === undefined || result.without === "nothing";
  if (silent !== undefined && isUnchanged) return silent;
  if (result === undefined || result.without === "kept") return logOutcome("ignored", { code: "no_conversion" });
  return logOutcome(result.duplicate ? "refund_duplicate" : "refund", { id: result.id });
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
