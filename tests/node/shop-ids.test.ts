/** One order that its shop tells under several ids is one sale, under the id that came first. */
import { describe, expect, test } from "vitest";
import { both, type Options } from "./forwarder-in-process.ts";
import { type Both, order, type Platform, post, rows, secrets } from "./shop-webhook.ts";

type Told = readonly [shop: Platform, topic: string, body: object];

const START_MS = Date.now() - 86_400_000;
const iso = (minute: number) => new Date(START_MS + 60_000 * minute).toISOString().slice(0, 19);

const stripe = (minute: number, type: string, object: object): Told => {
  const created = Math.floor(START_MS / 1_000) + 60 * minute;
  return ["stripe", "", { type, livemode: true, created, data: { object: { currency: "usd", ...object } } }];
};
const metadata = { metadata: { reqid: "CLICK" } };
const invoice = (more: object) =>
  stripe(0, "invoice.paid", {
    ...{ id: "in_1", billing_reason: "subscription_cycle", amount_paid: 2_600 },
    ...{ status_transitions: { paid_at: Math.floor(START_MS / 1_000) }, lines: { data: [metadata] } },
    ...more,
  });
/** As API versions before and since 2025-03-31 have a renewal. */
const before = invoice({ payment_intent: "pi_1", charge: "ch_1", subscription: "sub_1" });
const since = invoice({ parent: { type: "subscription_details", subscription_details: { subscription: "sub_1" } } });
const byCharge = invoice({ payment_intent: null, charge: "ch_1" });
const paidBy = stripe(0, "invoice_payment.paid", {
  ...{ id: "inpay_1", invoice: "in_1" },
  payment: { type: "payment_intent", payment_intent: "pi_1" },
});
const session = (more: object) =>
  stripe(0, "checkout.session.completed", {
    id: "cs_1",
    payment_status: "paid",
    amount_total: 2_600,
    ...metadata,
    ...more,
  });
const refund = (more: object = {}) =>
  stripe(2, "charge.refunded", { id: "ch_1", payment_intent: "pi_1", amount: 2_600, amount_refunded: 600, ...more });
const dispute = stripe(2, "charge.dispute.created", {
  ...{ id: "dp_1", charge: "ch_1", payment_intent: "pi_1", amount: 600, status: "needs_response" },
});

const woo = (minute: number, number: string, more: object = {}): Told => [
  "woocommerce",
  "order.updated",
  {
    ...{ id: 50, number, status: "processing", currency: "USD", total: "26.00", refunds: [] },
    ...{ date_created_gmt: iso(0), date_paid_gmt: iso(0), date_modified_gmt: iso(minute) },
    ...{ meta_data: [{ key: "_reqid", value: "CLICK" }], ...more },
  },
];
const wooRefund = woo(3, "2026-0017", { refunds: [{ id: 900, total: "-6.00" }] });

const shopify = (minute: number, topic: string, name: string, more: object = {}): Told => [
  "shopify",
  topic,
  order({
    ...{ id: 9, name, total_price: "26.00", updated_at: `${iso(minute)}Z` },
    ...{ note_attributes: [{ name: "reqid", value: "CLICK" }], ...more },
  }),
];
const part = { id: 1, transactions: [{ kind: "refund", status: "success", amount: "6.00", currency: "USD" }] };

const shops = (more: object = {}, platform: Partial<Options> = {}) => {
  const shop = { offerId: 12_345, currency: "USD", ...more };
  return both({
    shops: {
      shopify: { ...shop, secrets: secrets.shopify, uniqueId: "name" },
      woocommerce: { ...shop, secrets: secrets.woocommerce, uniqueId: "number" },
      stripe: { ...shop, secrets: secrets.stripe, recurring: true },
    },
    ...platform,
  } as Partial<Options>);
};

async function tellOne(all: Both, click: string, [shop, topic, body]: Told): Promise<string> {
  const answer = await post(all, shop, JSON.stringify(body).replaceAll("CLICK", click), { topic });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { outcome: string }).outcome;
}

async function settled(all: Both): Promise<void> {
  do await all.forwarder.settle();
  while ((await rows(all)).some(({ state }) => state === "pending"));
}

async function tell(all: Both, click: string, told: readonly Told[]): Promise<void> {
  for (const each of told) {
    await tellOne(all, click, each);
    await settled(all);
  }
}

async function inCake(all: Both): Promise<string[]> {
  await settled(all);
  const recorded = (await all.recorded()) as unknown as { conversion_status: string; revenue_units: number }[];
  return recorded.map((each) => `${each.conversion_status} ${(each.revenue_units / 10_000).toFixed(2)}`);
}

function permutations<T>(all: readonly T[]): T[][] {
  if (all.length < 2) return [[...all]];
  return all.flatMap((first, at) =>
    permutations(all.filter((_, other) => other !== at)).map((rest) => [first, ...rest]),
  );
}

const WHOLE = "approved 26.00";
const LEFT = "approved 20.00";

const TOLD: [string, readonly Told[], string][] = [
  ["a renewal in two API versions", [before, since], WHOLE],
  ["its refund, told with the payment alone", [before, since, refund()], LEFT],
  ["its refund, told with the invoice", [before, since, refund({ invoice: "in_1" })], LEFT],
  ["its dispute, and the event that ties both ids", [before, since, paidBy, dispute], LEFT],
  ["a renewal of a charge without an intent", [byCharge, since, before], WHOLE],
  [
    "a session by its invoice, and by its payment",
    [session({ invoice: "in_1" }), session({ invoice: "in_1", payment_intent: "pi_1" })],
    WHOLE,
  ],
  ["a session that tells no other id yet", [session({}), session({ payment_intent: "pi_1" }), refund()], LEFT],
  ["three shapes", [session({}), session({ invoice: "in_1" }), session({ payment_intent: "pi_1" })], WHOLE],
  ["WooCommerce's number that a plugin gives later", [woo(1, "50"), woo(2, "2026-0017")], WHOLE],
  ["its refund", [woo(1, "50"), woo(2, "2026-0017", { status: "completed" }), wooRefund], LEFT],
  ["Shopify's name that is edited", [shopify(1, "orders/paid", "#1001"), shopify(2, "orders/paid", "#1001-EX")], WHOLE],
  [
    "its refund",
    [
      shopify(1, "orders/paid", "#1001"),
      shopify(2, "orders/paid", "#A"),
      shopify(3, "orders/updated", "#B", { refunds: [part] }),
    ],
    LEFT,
  ],
];

describe("one order under several ids is one sale", () => {
  test.each(TOLD)("in any order: %s", async (_, told, wanted) => {
    for (const each of permutations(told)) {
      const all = shops();
      await tell(all, await all.click(), [...each, ...each]);
      expect(await inCake(all), JSON.stringify(each.map(([, , body]) => body))).toEqual([wanted]);
    }
  });

  test.each(TOLD)("at one moment: %s", async (_, told, wanted) => {
    for (const each of [told, [...told].reverse()]) {
      const all = shops();
      const click = await all.click();
      await Promise.all(each.map((one) => tellOne(all, click, one)));
      // Who comes last may have seen the others before they were stored: each is told again, as platforms do.
      await tell(all, click, each);
      expect(await inCake(all), JSON.stringify(each.map(([, , body]) => body))).toEqual([wanted]);
    }
  });

  test.each(TOLD)("with a mapping of the site's own: %s", async (_, told, wanted) => {
    const map = (__: object, ___: string, found: { uniqueId: string } | undefined) =>
      found && { ...found, uniqueId: `order-${found.uniqueId}` };
    for (const each of [told, [...told].reverse()]) {
      const all = shops({ map });
      await tell(all, await all.click(), [...each, ...each]);
      expect(await inCake(all), JSON.stringify(each.map(([, , body]) => body))).toEqual([wanted]);
    }
  });

  test.each(TOLD)("where conversions go by pixels alone: %s", async (_, told) => {
    for (const each of [told, [...told].reverse()]) {
      const bare = {
        baseUrl: undefined,
        apiKey: undefined,
        pixelDomain: "http://127.0.0.1",
      } as unknown as Partial<Options>;
      const all = shops({}, bare);
      await tell(all, await all.click(), each);
      expect(await inCake(all)).toHaveLength(1);
    }
  });

  test.each<[string, string, readonly Told[]]>([
    ["a session's id", "cs_1", [session({ payment_intent: "pi_1" }), refund()]],
    ["an invoice's id", "in_1", [session({ payment_intent: "pi_1", invoice: "in_1" }), refund()]],
    ["the number of that time", "50", [woo(1, "50"), woo(2, "2026-0017"), wooRefund]],
  ])("also the one under which its page told it: %s", async (_, uniqueId, told) => {
    for (const isOfNoClick of [false, true]) {
      const all = shops();
      const click = await all.click();
      await all.page({ clickId: click, offerId: 12_345, uniqueId });
      await tell(all, isOfNoClick ? "" : click, told);
      expect(await inCake(all)).toEqual([LEFT]);
    }
  });
});

test("two orders are two, where the number of one is the id of the other", async () => {
  const all = shops();
  await tell(all, await all.click(), [woo(1, "2026-0017")]);
  await tell(all, await all.click(), [woo(1, "50", { id: 77, total: "10.00" })]);
  await tell(all, "", [wooRefund]);
  expect((await inCake(all)).sort()).toEqual(["approved 10.00", LEFT]);
});

test("an order of no click leaves nothing behind", async () => {
  let kept: { readonly claims: readonly unknown[] } | undefined;
  const keep = async (stored: NonNullable<typeof kept>) => {
    kept = stored;
  };
  const all = shops({}, { keep });
  await tell(all, "", [woo(1, "50"), shopify(1, "orders/paid", "#1001"), session({ payment_intent: "pi_1" }), since]);
  expect(kept?.claims ?? []).toEqual([]);
});
