/** What shops' webhooks tell of one order, and what CAKE has of it then. */
import { expect } from "vitest";
import type { Options } from "./forwarder-in-process.ts";
import { type Both, order, type Platform, post, rows, secrets } from "./shop-webhook.ts";

export type Told = readonly [shop: Platform, topic: string, body: object];

export const START_MS = Date.now() - 86_400_000;
export const iso = (minute: number) => new Date(START_MS + 60_000 * minute).toISOString().slice(0, 19);
export const returned = "returned";
export const left = (amount: number) => `approved ${amount.toFixed(2)}`;

export const woo = (minute: number, status: string, refunds: readonly string[] = [], more: object = {}): Told => [
  "woocommerce",
  "order.updated",
  {
    ...{ id: 77, status, currency: "USD", total: "26.00", date_created_gmt: iso(0), date_paid_gmt: iso(0) },
    ...{ date_modified_gmt: iso(minute), meta_data: [{ key: "_reqid", value: "CLICK" }] },
    refunds: refunds.map((amount, id) => ({ id: 900 + id, total: `-${amount}` })),
    ...more,
  },
];

export const stripe = (minute: number, type: string, object: object): Told => {
  const created = Math.floor(START_MS / 1_000) + 60 * minute;
  return ["stripe", "", { type, livemode: true, created, data: { object: { currency: "usd", ...object } } }];
};
export const paidFor = { payment_status: "paid", amount_total: 2_600, client_reference_id: "CLICK" };
export const session = stripe(0, "checkout.session.completed", { id: "cs_1", payment_intent: "pi_1", ...paidFor });
export const byInvoice = stripe(0, "checkout.session.completed", { id: "cs_1", invoice: "in_1", ...paidFor });
export const invoicePaymentOf = (payment_intent: string) =>
  stripe(0, "invoice_payment.paid", {
    ...{ id: `inpay_${payment_intent}`, invoice: "in_1" },
    payment: { type: "payment_intent", payment_intent },
  });
export const invoicePayment = invoicePaymentOf("pi_1");
/** As API versions before 2025-03-31 have it: the invoice tells its payment, and the charge its invoice. */
export const invoicePaid = stripe(0, "invoice.paid", {
  ...{ id: "in_1", billing_reason: "subscription_create", payment_intent: "pi_1", charge: "ch_1", amount_paid: 2_600 },
});
export const byCharge = { payment_intent: null, charge: "ch_1" };
export const ofCharge = { charge: "ch_1", payment_intent: "pi_1" };
export const charge = (minute: number, amount_refunded: number, more: object = {}) =>
  stripe(minute, "charge.refunded", { id: "ch_1", payment_intent: "pi_1", amount: 2_600, amount_refunded, ...more });
export const chargeObject = { object: "charge" };
export const failed = (minute: number, amount: number, id = "re_1", more: object = {}) =>
  stripe(minute, "refund.failed", { id, ...ofCharge, amount, status: "failed", ...more });
export const dispute = (minute: number, amount: number, status = "needs_response", more: object = {}) => {
  const type = status === "won" || status === "lost" ? "closed" : "created";
  return stripe(minute, `charge.dispute.${type}`, { id: "dp_1", ...ofCharge, amount, status, ...more });
};

export const shopify = (minute: number, topic: string, more: object = {}): Told => [
  "shopify",
  topic,
  order({
    ...{ id: 9, total_price: "26.00", updated_at: `${iso(minute)}Z` },
    ...{ note_attributes: [{ name: "reqid", value: "CLICK" }], ...more },
  }),
];
export const part = (id: number, amount: string): Told => {
  const transactions = [{ kind: "refund", status: "success", amount, currency: "USD" }];
  return ["shopify", "refunds/create", { id, order_id: 9, transactions }];
};
/** Goods of 10.00 that are taken out of an order of 26.00 without money being given back. */
export const removed = {
  id: 3,
  transactions: [],
  refund_line_items: [{ subtotal: 10, total_tax: 0 }],
};
export const edited = (total: string, current: string, refunds: readonly object[] = [removed], more: object = {}) => ({
  ...{ total_price: total, current_total_price: current, refunds },
  ...more,
});
export const cancelled = { cancelled_at: "2026-06-19T11:00:00-04:00" };

export const allShops = (more: object = {}): Partial<Options> => {
  const options = { offerId: 12_345, currency: "USD", ...more };
  return {
    shops: {
      shopify: { ...options, secrets: secrets.shopify },
      woocommerce: { ...options, secrets: secrets.woocommerce },
      stripe: { ...options, secrets: secrets.stripe },
    },
  };
};

/** Tells webhooks one after another; returns their outcomes. */
export async function tell(all: Both, click: string, told: readonly Told[]): Promise<string[]> {
  const outcomes: string[] = [];
  for (const [shop, topic, body] of told) {
    const answer = await post(all, shop, JSON.stringify(body).replace("CLICK", click), { topic });
    expect(answer.status).toBe(200);
    outcomes.push(((await answer.json()) as { outcome: string }).outcome);
    await settled(all);
  }
  return outcomes;
}

/** A correction after its conversion has a turn of its own. */
export async function settled(all: Both): Promise<void> {
  for (;;) {
    await all.forwarder.settle();
    if ((await rows(all)).every(({ state }) => state !== "pending")) return;
  }
}

/** The conversions in CAKE: status and revenue, where they count. */
export async function inCake(all: Both): Promise<string[]> {
  await settled(all);
  const recorded = (await all.recorded()) as unknown as { conversion_status: string; revenue_units: number }[];
  return recorded.map(({ conversion_status, revenue_units }) =>
    conversion_status === "returned" ? returned : `${conversion_status} ${(revenue_units / 10_000).toFixed(2)}`,
  );
}

/** The sequence itself, backwards, and twice from each other place on. */
export function orders(told: readonly Told[]): (readonly Told[])[] {
  const twice = [...told, ...told];
  const turned = told.slice(1).map((_, index) => [...twice.slice(index + 1), ...twice.slice(0, index + 1)]);
  return [told, [...told].reverse(), ...turned];
}
