/** The options of shops: whose webhooks are accepted, and which conversions they make. */
import { call } from "../error.js";
import { findNearest } from "../nearest.js";
import { checkNames, checkNoNull, choice, functionOption, integerOption, optionalString, refuse } from "../option.js";
import { checkSecrets, texts } from "../secret.js";
import type { Shop } from "../wasm/forwarder.js";
import { core } from "./core.js";
import { hash } from "./hash.js";
import type { Held, Sender, ShopKeys } from "./key-settings.js";

/** The conversion that a webhook stands for. The fields are those of `POST conversions`. */
export interface WebhookConversion {
  readonly clickId: string;
  readonly offerId: number;
  readonly uniqueId: string;
  readonly orderId?: string | undefined;
  readonly payout?: string | undefined;
  readonly revenue?: string | undefined;
  /** In the account's time zone: `YYYY-MM-DD HH:MM:SS`. */
  readonly conversionDate?: string | undefined;
  readonly adv1?: string | undefined;
  readonly adv2?: string | undefined;
  readonly adv3?: string | undefined;
  readonly adv4?: string | undefined;
  readonly adv5?: string | undefined;
}

/** Makes a conversion of a verified webhook. `found` is the result of the built-in mapping, where it finds a sale. */
export type WebhookMap = (
  payload: Readonly<Record<string, unknown>>,
  topic: string,
  found: WebhookConversion | undefined,
) => WebhookConversion | undefined | Promise<WebhookConversion | undefined>;

/** The options that all shops have. */
export interface ShopOptions {
  /**
   * The secrets that sign the shop's webhooks, the newest first; each of 32 characters or more. A shop is known by them
   * after a change of its settings: rotate them one by one.
   */
  readonly secrets: string | readonly string[] | undefined;
  /**
   * The offer of the shop's sales. Not needed with {@link map}. Where it, {@link idPrefix}, the unique id or
   * {@link map} is changed, an order that was converted before stays that conversion.
   */
  readonly offerId?: number | undefined;
  /**
   * The currency of CAKE's revenue, such as `USD`. A sale in another currency is sent without revenue, so CAKE's own
   * rules decide it. Not needed with `revenue: "none"`.
   */
  readonly currency?: string | undefined;
  /**
   * The revenue of a sale. `total`: the amount paid. `subtotal`: the goods alone, after discounts, without tax and
   * shipping. `none`: nothing is sent, and CAKE's own rules decide.
   * @default "total"
   */
  readonly revenue?: "total" | "subtotal" | "none" | undefined;
  /**
   * The names under which an order may carry the click id, the preferred one first. Case and underscores before a name
   * do not matter. One of the order's own ids is no click id: then the next name counts.
   * @default those of `findClick`: reqid, ckm_request_id, click_id, clickid
   */
  readonly clickIdNames?: readonly string[] | undefined;
  /**
   * What begins every unique id of this shop, so that two shops do not share ids: letters, digits, `.`, `_` and `-`,
   * and no digit at the end. Of two shops, the later one needs it. A page or a pixel must report the order under the same id.
   * @default ""
   */
  readonly idPrefix?: string | undefined;
  /** Do test orders count? @default false */
  readonly testOrders?: boolean | undefined;
  /** Do later payments of a subscription count? Their orders carry the click id of the first one. @default false */
  readonly recurring?: boolean | undefined;
  /**
   * The site's own mapping, in place of the built-in one. It is called for every verified webhook that is readable and
   * recent, and neither a refund nor a test. The forwarder remembers which conversion it made of an order, and sends
   * refunds to that one. With the same unique id in another offer later, the first conversion counts. `undefined` means
   * that there is nothing to count. So does a conversion without a click id where the built-in mapping found no click
   * either: the answer is 200 `no_click_id`. If the mapping throws, or its conversion breaks another rule, the answer is
   * 500, and the platform sends the webhook again. Numbers above 2^53 have lost digits in `payload`.
   * @default the built-in mapping
   */
  readonly map?: WebhookMap | undefined;
}

/** A shop on Shopify. The secret is the app's client secret, or the secret under Settings, Notifications, Webhooks. */
export interface ShopifyOptions extends ShopOptions {
  /** The topic that counts as a sale. @default "orders/paid" */
  readonly saleTopic?: "orders/paid" | "orders/create" | undefined;
  /** The unique id: the order's `id`, or its `name`, such as `#1001`. A refund carries no name. @default "id" */
  readonly uniqueId?: "id" | "name" | undefined;
}

/** A shop on WooCommerce. */
export interface WooCommerceOptions extends ShopOptions {
  /** The order statuses that count as a sale. @default ["processing", "completed"] */
  readonly statuses?: readonly string[] | undefined;
  /** The unique id: the order's `id`, or its `number`. Plugins may change a number: the first one stays. @default "id" */
  readonly uniqueId?: "id" | "number" | undefined;
}

/** A site that takes payments through Stripe. The secret is the endpoint's, `whsec_…`. */
export interface StripeOptions extends ShopOptions {
  /** May a session's `client_reference_id` be the click id? Metadata take precedence. @default true */
  readonly clientReferenceId?: boolean | undefined;
}

/** The shops whose webhooks are accepted. The secret identifies the shop where a platform has several. */
export interface Shops {
  readonly shopify?: ShopifyOptions | readonly ShopifyOptions[] | undefined;
  readonly woocommerce?: WooCommerceOptions | readonly WooCommerceOptions[] | undefined;
  readonly stripe?: StripeOptions | readonly StripeOptions[] | undefined;
}

/** A platform that shops run on. */
export type Platform = keyof Shops;

/** A shop's options, checked and resolved. */
export interface ResolvedShop {
  readonly reader: () => Shop;
  readonly map: WebhookMap | undefined;
  /** The settings that decide the key of an order. */
  readonly keys: ShopKeys;
  readonly sender: Sender;
  /** Where the options have it. */
  readonly place: string;
  /** The shop as it was under other keys, in JSON. The mapping of that time cannot be called. */
  readonly under: (keys: string) => ResolvedShop;
}

const COMMON = [
  "secrets",
  "offerId",
  "currency",
  "revenue",
  "clickIdNames",
  "idPrefix",
  "testOrders",
  "recurring",
  "map",
];
const OWN: Readonly<Record<Platform, readonly string[]>> = {
  shopify: ["saleTopic", "uniqueId"],
  woocommerce: ["statuses", "uniqueId"],
  stripe: ["clientReferenceId"],
};

/** Is this the name of a platform? */
export function isPlatform(name: string): name is Platform {
  return Object.hasOwn(OWN, name);
}

/**
 * Checks the shops.
 *
 * @throws CakeError `weak_secret`, `placeholder_text`, `invalid_field`
 */
export function resolveShops(
  shops: Shops | undefined,
  retentionDays: number,
): ReadonlyMap<Platform, readonly ResolvedShop[]> {
  if (shops === null) refuse("shops", "must not be null: leave it out where there is none");
  checkNames("shops", shops, Object.keys(OWN));
  checkNoNull("shops", shops ?? {});
  const resolved = new Map<Platform, readonly ResolvedShop[]>();
  const placed: (PlacedShop & { readonly place: string })[] = [];
  for (const [name, given] of Object.entries(shops ?? {})) {
    if (given === undefined) continue;
    const platform = name as Platform;
    const several: readonly ShopOptions[] = Array.isArray(given) ? given : [given];
    const place = (index: number) => (Array.isArray(given) ? `shops.${name}.${index}` : `shops.${name}`);
    const about = { retentionDays, isAlone: several.length === 1 };
    const all = several.map((shop, index) => resolveShop(platform, place(index), shop, about));
    resolved.set(platform, all);
    const known = new Set<string>();
    several.forEach(({ secrets }, index) => {
      const own = new Set([secrets ?? []].flat().map((secret) => secret.trim()));
      if ([...own].some((secret) => known.has(secret)))
        refuse(`${place(index)}.secrets`, "must not be another shop's: the secret identifies the shop");
      for (const secret of own) known.add(secret);
    });
    placed.push(...all.map(({ keys }, index) => ({ platform, place: place(index), keys })));
  }
  placed.forEach((shop, index) => {
    const other = placed.slice(0, index).find((before) => shareIds(before, shop));
    if (other === undefined) return;
    const rule = `must keep its ids apart from those of ${other.place}, such as "b-": both shops count orders by themselves`;
    refuse(`${shop.place}.idPrefix`, rule);
  });
  return resolved;
}

/** A platform, and how a shop on it makes its ids. */
interface PlacedShop {
  readonly platform: Platform;
  readonly keys: ShopKeys;
}

/** May another shop on the platform have the same ids? Those of Shopify and of Stripe are unique among all shops. */
export function areIdsShared({ platform, keys }: PlacedShop): boolean {
  return platform === "woocommerce" || keys.uniqueId === "name";
}

/**
 * May two orders of two shops have one id? Each shop counts its numbers and names from the beginning, and WooCommerce its
 * ids too. The ids of Shopify and of Stripe are unique among all their shops.
 */
export function shareIds(a: PlacedShop, b: PlacedShop): boolean {
  if (a.platform !== b.platform) return false;
  if (!areIdsShared(a) || !areIdsShared(b)) return false;
  // The offer is part of a conversion's key. A mapping chooses its own.
  const isMapped = a.keys.isMapped || b.keys.isMapped;
  if (!isMapped && a.keys.offerId !== b.keys.offerId) return false;
  const [one, two] = [a.keys.idPrefix, b.keys.idPrefix];
  if (one === two) return true;
  // An id of digits cannot go on as a prefix does, which ends without a digit. A name or a number may.
  const isFree = [a, b].some(({ keys }) => keys.uniqueId !== "id");
  return isFree && (one.startsWith(two) || two.startsWith(one));
}

/**
 * Checks that no shop begins to make ids that another one of the shops has made before: `held` has for each shop what the
 * others had. An order of the one would be an order of the other.
 *
 * @throws CakeError `invalid_field`
 */
export function checkHeld(
  shops: ReadonlyMap<Platform, readonly ResolvedShop[]>,
  held: readonly (readonly Held[])[],
): void {
  const all = [...shops].flatMap(([platform, own]) => own.map(({ keys, place }) => ({ platform, keys, place })));
  all.forEach((shop, index) => {
    const { platform } = shop;
    // A prefix of its own is enough: that a name of before begins like it is no more than possible.
    const isSame = (keys: ShopKeys) => keys.idPrefix === shop.keys.idPrefix && shareIds({ platform, keys }, shop);
    const made = held[index]?.find(({ keys }) => isSame(JSON.parse(keys) as ShopKeys));
    if (made === undefined) return;
    const until = new Date(made.untilMs).toISOString().slice(0, 10);
    const rule = `must keep its ids apart from those that ${all[made.by]?.place} had before, such as "b-": that shop's orders are known by them until ${until}`;
    refuse(`${shop.place}.idPrefix`, rule);
  });
}

function resolveShop(
  platform: Platform,
  place: string,
  shop: ShopOptions,
  { retentionDays, isAlone }: { readonly retentionDays: number; readonly isAlone: boolean },
): ResolvedShop {
  if (typeof shop !== "object" || shop === null) refuse(place, "must be an object");
  checkNames(place, shop, [...COMMON, ...OWN[platform]]);
  checkNoNull(place, shop);
  const { saleTopic, uniqueId, statuses, clientReferenceId } = shop as ShopifyOptions &
    WooCommerceOptions &
    StripeOptions;
  const at = (option: string) => `${place}.${option}`;
  const map = functionOption(at("map"), shop.map);
  const offerId = integerOption(at("offerId"), shop.offerId, 1, Number.MAX_SAFE_INTEGER);
  if (offerId === undefined && map === undefined)
    refuse(at("offerId"), "is missing: which offer do its sales belong to?");
  const revenue = choice(at("revenue"), shop.revenue, ["total", "subtotal", "none"]) ?? "total";
  const currency = optionalString(at("currency"), shop.currency)?.trim() ?? "";
  if (revenue !== "none" && !/^[A-Za-z]{3}$/.test(currency)) {
    refuse(at("currency"), 'must be the currency of CAKE\'s revenue, such as USD; or set revenue: "none"');
  }
  const idPrefix = optionalString(at("idPrefix"), shop.idPrefix) ?? "";
  if (idPrefix !== "" && !/^[\w.-]{0,31}[A-Za-z_.-]$/.test(idPrefix)) {
    refuse(at("idPrefix"), "must be of letters, digits, ., _ and -, at most 32, without a digit at its end");
  }
  const settings = {
    currency,
    revenue,
    retentionDays,
    clickIdNames: names(at("clickIdNames"), shop.clickIdNames),
    testOrders: flag(at("testOrders"), shop.testOrders),
    saleTopic: choice(at("saleTopic"), saleTopic, ["orders/paid", "orders/create"]),
    statuses: names(at("statuses"), statuses)?.map((status) => saleStatus(at("statuses"), status)),
    recurring: flag(at("recurring"), shop.recurring),
    clientReferenceId: flag(at("clientReferenceId"), clientReferenceId),
  };
  const keys: ShopKeys = {
    offerId: offerId ?? 0,
    uniqueId: choice(at("uniqueId"), uniqueId, ["id", platform === "shopify" ? "name" : "number"]) ?? "id",
    idPrefix,
    isMapped: map !== undefined,
  };
  const secrets = checkSecrets(at("secrets"), shop.secrets);
  const readerUnder = ({ offerId, uniqueId, idPrefix }: ShopKeys) =>
    core.keep(({ Shop }) => new Shop(platform, secrets, JSON.stringify({ ...settings, offerId, uniqueId, idPrefix })));
  const reader = readerUnder(keys);
  call(reader);
  const digests = secrets.map((secret) => hash(`secret of a shop ${secret}`));
  const isSole = isAlone && !areIdsShared({ platform, keys });
  const sender = { name: platform, digests, keys: JSON.stringify(keys), isSole };
  const former = new Map<string, ResolvedShop>();
  const under = (text: string): ResolvedShop => {
    const other = JSON.parse(text) as ShopKeys;
    const made = former.get(text) ?? { reader: readerUnder(other), map: undefined, keys: other, sender, place, under };
    former.set(text, made);
    return made;
  };
  return { reader, map, keys, sender, place, under };
}

function flag(name: string, value: unknown): boolean | undefined {
  return choice(name, value, [true, false]);
}

/** The statuses that WooCommerce itself has. A site may have more. */
const STATUSES = ["pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed"];
const TAKEN_BACK = ["cancelled", "refunded", "failed"];

/** A status that makes a sale. WooCommerce's database writes `wc-` before it, its webhooks do not. */
function saleStatus(name: string, given: string): string {
  const status = given.replace(/^wc-/, "");
  if (TAKEN_BACK.includes(status)) refuse(name, `must be statuses of sales, and ${status} takes a sale back`);
  const near = STATUSES.includes(status) ? undefined : findNearest(status, STATUSES);
  if (near !== undefined) refuse(name, `must be statuses of WooCommerce or of the site: did you mean ${near}?`);
  return status;
}

/** A list with at least one entry; `undefined` where it is absent. */
function names(name: string, value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const given = texts(name, value).map((text) => text.trim());
  return given.length > 0 && !given.includes("")
    ? given
    : refuse(name, "must hold one name at least, and no empty one");
}
