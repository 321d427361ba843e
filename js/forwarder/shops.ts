/** The options of shops: whose webhooks are taken, and what they count as. */
import { call } from "../error.js";
import { checkNames, choice, functionOption, integerOption, optionalString, refuse } from "../option.js";
import type { Shop } from "../wasm/forwarder.js";
import { core } from "./core.js";
import { checkSecrets, texts } from "./secret.js";

/** A conversion that a webhook stands for. The fields are those of `POST conversions`. */
export interface WebhookConversion {
  readonly clickId: string;
  readonly offerId: number;
  readonly uniqueId: string;
  readonly orderId?: string;
  readonly payout?: string;
  readonly revenue?: string;
  /** In the account's time zone: `YYYY-MM-DD HH:MM:SS`. */
  readonly conversionDate?: string;
  readonly adv1?: string;
  readonly adv2?: string;
  readonly adv3?: string;
  readonly adv4?: string;
  readonly adv5?: string;
}

/** Makes a conversion of a verified webhook. `found` is what the ready mapping makes of it, where that finds a sale. */
export type WebhookMap = (
  payload: Readonly<Record<string, unknown>>,
  topic: string,
  found: WebhookConversion | undefined,
) => WebhookConversion | undefined | Promise<WebhookConversion | undefined>;

/** What all shops have in common. */
export interface ShopOptions {
  /** The secrets that sign its webhooks, the newest first; each of 32 characters or more. */
  readonly secrets: string | readonly string[];
  /** The offer that its sales belong to. Not needed with {@link map}. */
  readonly offerId?: number;
  /**
   * The currency of CAKE's revenue, such as `USD`. A sale in another one counts without revenue, so that CAKE's own rules
   * say it. Not needed with `revenue: "none"`.
   */
  readonly currency?: string;
  /**
   * What the revenue is: all that was paid; the goods alone, after discounts and without tax and shipping; or nothing, so
   * that CAKE's own rules say it.
   * @default "total"
   */
  readonly revenue?: "total" | "subtotal" | "none";
  /**
   * The names under which an order carries the click id, the preferred one first. Case does not matter, nor do underscores
   * before a name.
   * @default those of `findClick`: reqid, ckm_request_id, click_id, clickid
   */
  readonly clickIdNames?: readonly string[];
  /** Do test orders count? @default false */
  readonly testOrders?: boolean;
  /** Do later payments of a subscription count? Their orders have the click id of the first one. @default false */
  readonly recurring?: boolean;
  /**
   * A mapping of the site's own, where the ready one does not fit. It is asked about every verified webhook that is no
   * refund, no test, not too old and readable; `undefined` means that there is nothing to count. A mapping that throws, or whose
   * conversion breaks a rule, is answered 500, so that the platform sends the webhook again. Numbers above 2^53 have lost
   * digits in `payload`.
   * @default the ready mapping
   */
  readonly map?: WebhookMap;
}

/** A shop on Shopify. The secret is the app's client secret, or the one under Settings, Notifications, Webhooks. */
export interface ShopifyOptions extends ShopOptions {
  /** The topic that makes a sale. @default "orders/paid" */
  readonly saleTopic?: "orders/paid" | "orders/create";
  /** The unique id: the order's `id`, or its `name`, such as `#1001`. A refund does not tell a name. @default "id" */
  readonly uniqueId?: "id" | "name";
}

/** A shop on WooCommerce. */
export interface WooCommerceOptions extends ShopOptions {
  /** The statuses of an order that make it a sale. @default ["processing", "completed"] */
  readonly statuses?: readonly string[];
  /** The unique id: the order's `id`, or its `number`, which plugins change. @default "id" */
  readonly uniqueId?: "id" | "number";
}

/** A site that is paid through Stripe. The secret is the endpoint's, `whsec_…`. */
export interface StripeOptions extends ShopOptions {
  /** May a session's `client_reference_id` be the click id? Metadata go before it. @default true */
  readonly clientReferenceId?: boolean;
}

/** Whose webhooks are taken. Several shops on one platform are told apart by their secrets. */
export interface Shops {
  readonly shopify?: ShopifyOptions | readonly ShopifyOptions[];
  readonly woocommerce?: WooCommerceOptions | readonly WooCommerceOptions[];
  readonly stripe?: StripeOptions | readonly StripeOptions[];
}

/** A platform that shops run on. */
export type Platform = keyof Shops;

/** A shop, fit for use. */
export interface ResolvedShop {
  readonly reader: () => Shop;
  readonly map: WebhookMap | undefined;
}

const COMMON = ["secrets", "offerId", "currency", "revenue", "clickIdNames", "testOrders", "recurring", "map"];
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
  checkNames("shops", shops, Object.keys(OWN));
  const resolved = new Map<Platform, readonly ResolvedShop[]>();
  for (const [name, given] of Object.entries(shops ?? {})) {
    if (given === undefined || given === null) continue;
    const platform = name as Platform;
    const several: readonly ShopOptions[] = Array.isArray(given) ? given : [given];
    const place = (index: number) => (Array.isArray(given) ? `shops.${name}.${index}` : `shops.${name}`);
    resolved.set(
      platform,
      several.map((shop, index) => resolveShop(platform, place(index), shop, retentionDays)),
    );
    const known = new Set<string>();
    several.forEach(({ secrets }, index) => {
      const own = new Set([secrets].flat().map((secret) => secret.trim()));
      if ([...own].some((secret) => known.has(secret)))
        refuse(`${place(index)}.secrets`, "must not be another shop's: by its secret a shop is known");
      for (const secret of own) known.add(secret);
    });
  }
  return resolved;
}

function resolveShop(platform: Platform, place: string, shop: ShopOptions, retentionDays: number): ResolvedShop {
  if (typeof shop !== "object" || shop === null) refuse(place, "must be an object");
  checkNames(place, shop, [...COMMON, ...OWN[platform]]);
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
  const settings = JSON.stringify({
    offerId,
    currency,
    revenue,
    retentionDays,
    clickIdNames: names(at("clickIdNames"), shop.clickIdNames),
    testOrders: flag(at("testOrders"), shop.testOrders),
    saleTopic: choice(at("saleTopic"), saleTopic, ["orders/paid", "orders/create"]),
    uniqueId: choice(at("uniqueId"), uniqueId, ["id", platform === "shopify" ? "name" : "number"]),
    // WooCommerce's database writes `wc-` before a status, its webhooks do not.
    statuses: names(at("statuses"), statuses)?.map((status) => status.replace(/^wc-/, "")),
    recurring: flag(at("recurring"), shop.recurring),
    clientReferenceId: flag(at("clientReferenceId"), clientReferenceId),
  });
  const secrets = checkSecrets(at("secrets"), shop.secrets);
  const reader = core.keep(({ Shop }) => new Shop(platform, secrets, settings));
  call(reader);
  return { reader, map };
}

function flag(name: string, value: unknown): boolean | undefined {
  return choice(name, value, [true, false]);
}

/** A list that is not empty; `undefined` where it is absent. */
function names(name: string, value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const given = texts(name, value).map((text) => text.trim());
  return given.length > 0 && !given.includes("")
    ? given
    : refuse(name, "must hold one name at least, and no empty one");
}
