/** A shop's webhooks: the shared vectors, and how one is signed and sent to both forwarders. */
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import type { both, Options } from "./forwarder-in-process.ts";

export type Platform = "shopify" | "woocommerce" | "stripe";

export interface Vector {
  readonly name: string;
  readonly shop: Platform;
  readonly settings: Record<string, unknown>;
  readonly topic: string;
  readonly body?: string;
  readonly bodyBase64?: string;
  readonly signature: string;
  readonly verdict: {
    readonly outcome: string;
    readonly reason?: string;
    readonly sale?: { readonly conversion: object; readonly paidAtMs?: number; readonly revenueLeftOut?: string };
    readonly order?: { readonly takes: boolean; readonly ifUnknown: "sent" | "kept" | "quiet" | "known" };
  };
  /** The correction that follows, without its id. */
  readonly corrects?: object;
}

export const { nowS, secrets, webhooks } = JSON.parse(
  readFileSync(new URL("../vectors/shop_webhooks.json", import.meta.url), "utf8"),
) as { nowS: number; secrets: Record<Platform, string>; webhooks: Vector[] };

export const SIGNATURE = {
  shopify: "X-Shopify-Hmac-SHA256",
  woocommerce: "x-wc-webhook-signature",
  stripe: "Stripe-Signature",
};
export const TOPIC = { shopify: "X-SHOPIFY-TOPIC", woocommerce: "X-WC-Webhook-Topic", stripe: "" };

/** By Node's crypto alone. */
export function sign(
  shop: Platform,
  body: string | Buffer,
  secret = secrets[shop],
  atS = Math.floor(Date.now() / 1_000),
) {
  if (shop !== "stripe") return createHmac("sha256", secret).update(body).digest("base64");
  return `t=${atS},v1=${createHmac("sha256", secret).update(`${atS}.`).update(body).digest("hex")}`;
}

export const bodyOf = ({ body = "", bodyBase64 }: Vector) =>
  bodyBase64 === undefined ? Buffer.from(body) : Buffer.from(bodyBase64, "base64");

export function shopsOf(shop: Platform, settings: object = {}, secret: unknown = secrets[shop]): Partial<Options> {
  const options = { offerId: 12_345, currency: "USD", ...settings, secrets: secret };
  return { shops: { [shop]: options } } as Partial<Options>;
}

export type Both = ReturnType<typeof both>;

export interface Listed {
  readonly state: string;
  readonly conversion?: Record<string, unknown>;
  readonly correction?: Record<string, unknown>;
}

export function post(
  { ask }: Pick<Both, "ask">,
  shop: Platform,
  body: string | Buffer,
  { topic = "", signature = sign(shop, body) }: { topic?: string; signature?: string } = {},
) {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (signature !== "") headers[SIGNATURE[shop]] = signature;
  if (shop !== "stripe" && topic !== "") headers[TOPIC[shop]] = topic;
  return ask(`webhooks/${shop}`, { method: "POST", headers, body: body as BodyInit });
}

export const rows = async ({ operator }: Pick<Both, "operator">) =>
  ((await (await operator("conversions")).json()) as { rows: Listed[] }).rows;
export const counts = async ({ operator }: Pick<Both, "operator">) => {
  const totals = (await (await operator("counts")).json()) as Record<"webhooks" | "postbacks", object>;
  return { webhooks: totals.webhooks, postbacks: totals.postbacks };
};

export const order = (more: object = {}) => ({
  id: 5_678_901_234_567,
  name: "#1001",
  financial_status: "paid",
  currency: "USD",
  total_price: "409.94",
  note_attributes: [{ name: "reqid", value: "13b9ae60-4f60-4c9e-bf75-626dca035acf" }],
  ...more,
});
export const paid = (setup: Pick<Both, "ask">, more: object = {}) =>
  post(setup, "shopify", JSON.stringify(order(more)), { topic: "orders/paid" });
