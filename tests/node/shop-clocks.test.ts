/** A shop's clock and the forwarder's are never the same: an order ends as its shop says, whatever is between them. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createForwarderInProcess, type StoreSnapshot } from "../../dist/entry/forwarder-memory.inline.js";
import { both, KEY, OPERATOR, type Options, SITE } from "./forwarder-in-process.ts";
import { allShops, left, returned, type Told } from "./shop-told.ts";
import { order, post, rows, shopsOf } from "./shop-webhook.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 5, 19, 14, 0, 0, 123);
/** How far a shop's clock is ahead of the forwarder's. */
const SKEWS = [-HOUR, -5 * SECOND, 0, 5 * SECOND, 5 * MINUTE, HOUR, DAY];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);

/** What shops say, `second` seconds after the start by a clock that is `skew` ahead. */
const clockOf = (skew: number) => {
  const iso = (second: number) => new Date(START + skew + SECOND * second).toISOString().slice(0, 19);
  const stripe = (second: number, type: string, object: object): Told => {
    const created = Math.floor((START + skew) / SECOND) + second;
    return ["stripe", "", { type, livemode: true, created, data: { object: { currency: "usd", ...object } } }];
  };
  const paidFor = { payment_status: "paid", amount_total: 2_600, client_reference_id: "CLICK" };
  const session = stripe(-60, "checkout.session.completed", { id: "cs_1", payment_intent: "pi_1", ...paidFor });
  const of = { charge: "ch_1", payment_intent: "pi_1" };
  const charge = (second: number, amount_refunded: number) =>
    stripe(second, "charge.refunded", { id: "ch_1", payment_intent: "pi_1", amount: 2_600, amount_refunded });
  const dispute = (second: number, status: string) => {
    const type = status === "won" || status === "lost" ? "closed" : "created";
    return stripe(second, `charge.dispute.${type}`, { id: "dp_1", ...of, amount: 2_600, status });
  };
  const failed = (second: number) =>
    stripe(second, "refund.failed", { id: "re_1", ...of, amount: 600, status: "failed" });
  const woo = (second: number, status: string, total = "26.00", refunds: readonly string[] = []): Told => [
    "woocommerce",
    "order.updated",
    {
      ...{ id: 77, status, currency: "USD", total, date_created_gmt: iso(-60), date_paid_gmt: iso(-60) },
      ...{ date_modified_gmt: iso(second), meta_data: [{ key: "_reqid", value: "CLICK" }] },
      refunds: refunds.map((amount, id) => ({ id: 900 + id, total: `-${amount}` })),
    },
  ];
  const shopify = (second: number, total_price: string, topic = "orders/paid"): Told => [
    "shopify",
    topic,
    order({
      ...{ id: 9, total_price, updated_at: `${iso(second)}Z`, processed_at: `${iso(-60)}Z` },
      note_attributes: [{ name: "reqid", value: "CLICK" }],
    }),
  ];
  return { session, charge, dispute, failed, woo, shopify };
};

/** Each ends as its last webhook says. */
const BROTHERS: readonly [string, (clock: ReturnType<typeof clockOf>) => readonly Told[], string][] = [
  ["Stripe: a part, then all", ({ session, charge }) => [session, charge(1, 700), charge(3, 2_600)], returned],
  ["Stripe: two parts", ({ session, charge }) => [session, charge(1, 700), charge(3, 1_400)], left(12)],
  [
    "Stripe: a dispute that is won",
    ({ session, dispute }) => [session, dispute(1, "needs_response"), dispute(3, "won")],
    left(26),
  ],
  ["Stripe: a refund that fails", ({ session, charge, failed }) => [session, charge(1, 600), failed(3)], left(26)],
  ["WooCommerce: refunded", ({ woo }) => [woo(-2, "processing"), woo(1, "refunded", "26.00", ["26.00"])], returned],
  [
    "WooCommerce: cancelled, and not so any more",
    ({ woo }) => [woo(-2, "processing"), woo(1, "cancelled"), woo(3, "completed")],
    left(26),
  ],
  [
    "WooCommerce: another total",
    ({ woo }) => [woo(-2, "processing"), woo(1, "processing", "31.00"), woo(3, "processing", "28.00")],
    left(28),
  ],
  [
    "Shopify: another total",
    ({ shopify }) => [shopify(-2, "26.00"), shopify(1, "31.00"), shopify(3, "28.00")],
    left(28),
  ],
];

/** A forwarder that may be started anew over the same rows and the same CAKE. */
function restartable(more: Partial<Options> = {}) {
  let kept: StoreSnapshot | undefined;
  const keep = async (snapshot: StoreSnapshot) => {
    kept = structuredClone(snapshot);
  };
  const all = both({ ...allShops(), clockSpeed: 1, keep, ...more });
  let { forwarder } = all;
  const ask = (path: string, init: RequestInit = {}) => forwarder.fetch(new Request(`${SITE}/cake/${path}`, init));
  const operator = (path: string) => ask(`operator/${path}`, { headers: { authorization: `Bearer ${OPERATOR}` } });
  const settled = async () => {
    do await forwarder.settle();
    while ((await rows({ operator })).some(({ state }) => state === "pending"));
  };
  return {
    ...all,
    restart: () => {
      forwarder = createForwarderInProcess({
        ...{ baseUrl: "http://127.0.0.1", apiKey: KEY, operatorSecret: OPERATOR, clockSpeed: 1, log: () => undefined },
        ...{ fetch: (request: Request) => all.sandbox.fetch(request), keep, kept },
        ...allShops(),
        ...more,
      } as Options);
    },
    tell: async (click: string, [shop, topic, body]: Told) => {
      const answer = await post({ ask }, shop, JSON.stringify(body).replace("CLICK", click), { topic });
      expect(answer.status).toBe(200);
      const { outcome } = (await answer.json()) as { outcome: string };
      await settled();
      return outcome;
    },
    inCake: async () => {
      const [row] = (await all.recorded()) as unknown as { conversion_status: string; revenue_units: number }[];
      return row?.conversion_status === returned
        ? returned
        : `${row?.conversion_status} ${((row?.revenue_units ?? 0) / 10_000).toFixed(2)}`;
    },
  };
}

describe.each(BROTHERS)("%s", (_, told, wanted) => {
  test.each(SKEWS)("repeated, by a shop's clock that is %i ms ahead", async (skew) => {
    const { click, tell, inCake, restart } = restartable();
    const [reqid, all] = [await click(), told(clockOf(skew))];
    for (const each of all) await tell(reqid, each);
    expect(await inCake()).toBe(wanted);
    for (const wait of [SECOND, 2 * HOUR]) {
      pass(wait);
      restart();
      for (const each of [...all, ...[...all].reverse()]) {
        await tell(reqid, each);
        expect(await inCake()).toBe(wanted);
      }
    }
  });

  test.each(SKEWS)("swapped, by a shop's clock that is %i ms ahead", async (skew) => {
    for (const wait of [SECOND, HOUR]) {
      vi.setSystemTime(START);
      const { click, tell, inCake, restart } = restartable();
      const [reqid, [sale, ...rest]] = [await click(), told(clockOf(skew))];
      if (sale !== undefined) await tell(reqid, sale);
      for (const each of rest.reverse()) {
        await tell(reqid, each);
        pass(wait);
        restart();
      }
      expect(await inCake()).toBe(wanted);
    }
  });
});

test.each(SKEWS)("a sale of a mapping's own topic is dated by a shop's clock that is %i ms ahead", async (skew) => {
  const map = (body: object) => {
    const { id, total_price, note_attributes } = body as Record<string, unknown>;
    const [{ value }] = note_attributes as [{ value: string }];
    return { clickId: value, offerId: 12_345, uniqueId: String(id), revenue: total_price as string };
  };
  const { click, tell, inCake } = restartable(shopsOf("shopify", { map }));
  const [reqid, { shopify }] = [await click(), clockOf(skew)];
  const [first, second] = [shopify(-2, "26.00", "orders/edited"), shopify(1, "31.00", "orders/edited")];
  for (const each of [first, second, first, second, first]) {
    await tell(reqid, each);
    pass(SECOND);
  }
  expect(await inCake()).toBe(left(31));
});

test.each([0, 5 * SECOND, 4 * MINUTE])(
  "a sale that is told again is the same where a shop's clock is %i ms ahead",
  async (skew) => {
    const { click, tell } = restartable({ timeZone: "UTC" });
    const clock = clockOf(skew + MINUTE);
    for (const sale of [clock.session, clock.woo(0, "processing"), clock.shopify(0, "26.00")]) {
      const reqid = await click();
      expect(await tell(reqid, sale)).toBe("accepted");
      pass(10 * MINUTE);
      expect(await tell(reqid, sale)).toBe("duplicate");
      vi.setSystemTime(START);
    }
  },
);
