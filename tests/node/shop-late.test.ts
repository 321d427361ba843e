/** Webhooks that come late, are dated ahead, or whose amounts say nothing; and mappings of every kind. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { WebhookLine } from "../../dist/entry/forwarder-memory.inline.js";
import { both, type Options } from "./forwarder-in-process.ts";
import { counts, order, type Platform, post, rows, shopsOf } from "./shop-webhook.ts";

const DAY = 86_400_000;
const START = Date.UTC(2026, 5, 19, 14, 0, 0);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);
const iso = (ms = 0) => new Date(Date.now() + ms).toISOString().slice(0, 19);

/** A shop with a click, and what CAKE has of its only order. */
async function shopOf(shop: Platform, settings: object = {}, more: Partial<Options> = {}) {
  const lines: WebhookLine[] = [];
  const log = (line: { event: string }) => void (line.event === "webhook" && lines.push(line as WebhookLine));
  const all = both({ ...shopsOf(shop, settings), clockSpeed: 1, log, ...more } as Partial<Options>);
  const reqid = await all.click();
  const send = async (payload: object, topic = "order.updated") => {
    const answer = await post(all, shop, JSON.stringify(payload), { topic });
    const told = (await answer.json()) as { outcome?: string; reason?: string; error?: { code: string } };
    await all.forwarder.settle();
    return { status: answer.status, ...told };
  };
  const inCake = async () => {
    const [row] = (await all.recorded()) as unknown as { conversion_status: string; revenue_units: number }[];
    return [row?.conversion_status, row === undefined ? undefined : row.revenue_units / 10_000];
  };
  return { ...all, reqid, send, inCake, lines };
}

const woo = (reqid: string, more: object = {}) => ({
  ...{ id: 901, status: "completed", currency: "USD", total: "100.00", refunds: [] },
  ...{ meta_data: [{ key: "_reqid", value: reqid }], date_modified_gmt: iso() },
  ...{ date_created_gmt: "2026-06-19T14:00:00", date_paid_gmt: "2026-06-19T14:00:00" },
  ...more,
});
const sale = (reqid: string, more: object = {}) =>
  order({
    ...{ total_price: "100.00", subtotal_price: "80.00", updated_at: `${iso()}Z`, processed_at: `${iso()}Z` },
    ...{ note_attributes: [{ name: "reqid", value: reqid }] },
    ...more,
  });
const refund = (id: number, amount: string, currency = "USD") => ({
  ...{ id, order_id: 5_678_901_234_567 },
  transactions: [{ kind: "refund", status: "success", amount, currency }],
});

test.each([
  ["1970-01-01T00:00:00", "2026-06-19T13:00:00", "2026-06-19 13:00:00"],
  ["1970-01-01T00:00:00", "1970-01-01T00:00:00", undefined],
  ["0000-00-00T00:00:00", "2026-06-19T13:00:00", "2026-06-19 13:00:00"],
  // A gateway's local time. A long wait for the payment makes no old sale of it.
  ["2026-06-19T22:00:00", "2026-04-01T00:00:00", undefined],
])(
  "no sale is lost by a date that is none: paid %s, made %s",
  async (date_paid_gmt, date_created_gmt, conversionDate) => {
    const all = await shopOf("woocommerce", {}, { timeZone: "UTC" });
    expect(await all.send(woo(all.reqid, { date_paid_gmt, date_created_gmt }))).toMatchObject({ outcome: "accepted" });
    const [row] = await rows(all);
    expect(row?.conversion?.["conversionDate"]).toBe(conversionDate);
  },
);

describe("an order of WooCommerce's", () => {
  test.each([
    ["a part is refunded", {}, { refunds: [{ id: 9, total: "-30.00" }] }, ["approved", 70]],
    ["all is", {}, { status: "refunded", refunds: [{ id: 9, total: "-100.00" }] }, ["returned", 100]],
    ["it counts again", { status: "cancelled" }, {}, ["approved", 100]],
    ["its total is edited", {}, { total: "90.00" }, ["approved", 90]],
  ])("31 days after its payment %s", async (_, before, after, wanted) => {
    const { send, reqid, inCake } = await shopOf("woocommerce");
    expect(await send(woo(reqid))).toMatchObject({ outcome: "accepted" });
    pass(DAY);
    await send(woo(reqid, before));
    pass(30 * DAY);
    await send(woo(reqid, after));
    expect(await inCake()).toEqual(wanted);
    // Without a change, and of an order that nobody knows, nothing happens.
    expect(await send(woo(reqid, { ...after, id: 902 }))).toMatchObject(
      "status" in after ? { outcome: "refund" } : { outcome: "ignored", reason: "too_old" },
    );
    expect(await inCake()).toEqual(wanted);
  });

  test("is a sale from its completion, where it is none before", async () => {
    const { send, reqid, inCake } = await shopOf("woocommerce", { statuses: ["completed"] });
    pass(45 * DAY);
    const completed = woo(reqid, { date_completed_gmt: iso() });
    expect(await send(completed)).toMatchObject({ outcome: "accepted" });
    expect(await inCake()).toEqual(["approved", 100]);
    const other = await shopOf("woocommerce");
    expect(await other.send(completed)).toMatchObject({ outcome: "ignored", reason: "too_old" });
  });

  test("that a clock ahead has dated is taken back by the right time", async () => {
    const { send, reqid, inCake } = await shopOf("woocommerce");
    await send(woo(reqid, { date_modified_gmt: iso(3_600_000) }));
    pass(600_000);
    expect(await send(woo(reqid, { status: "cancelled" }))).toMatchObject({ outcome: "refund" });
    expect(await inCake()).toEqual(["returned", 100]);
    pass(600_000);
    expect(await send(woo(reqid))).toMatchObject({ outcome: "refund" });
    expect(await inCake()).toEqual(["approved", 100]);
  });

  test("is dated by the shop alone while the forwarder's clock is not set yet", async () => {
    const { send, reqid, inCake, recorded } = await shopOf("woocommerce", {}, { timeZone: "UTC" });
    const paid = { date_paid_gmt: iso(), date_modified_gmt: iso() };
    const cancelled = { status: "cancelled", date_paid_gmt: iso(), date_modified_gmt: iso(60_000) };
    vi.setSystemTime(600_000);
    expect(await send(woo(reqid, paid))).toMatchObject({ outcome: "accepted" });
    expect(await recorded()).toMatchObject([{ conversion_date: "2026-06-19 14:00:00" }]);
    expect(await send(woo(reqid, cancelled))).toMatchObject({ outcome: "refund" });
    vi.setSystemTime(START + 600_000);
    // Told again late: it was so before the order was cancelled.
    await send(woo(reqid, paid));
    expect(await inCake()).toEqual(["returned", 100]);
  });

  test.each([
    ["shopify", "orders/paid"],
    ["woocommerce", "order.updated"],
  ] as const)(
    "in another currency keeps CAKE's own money when %s tells a partial refund of it",
    async (shop, topic) => {
      const { send, reqid, inCake, lines } = await shopOf(shop);
      const sale =
        shop === "shopify"
          ? order({ currency: "CAD", note_attributes: [{ name: "reqid", value: reqid }] })
          : woo(reqid, { currency: "CAD" });
      expect(await send(sale, topic)).toMatchObject({ outcome: "accepted", revenueLeftOut: "currency" });
      const own = await inCake();
      const transactions = [{ kind: "refund", status: "success", amount: "7.40", currency: "USD" }];
      const refund =
        shop === "shopify"
          ? { id: 9, order_id: 5_678_901_234_567, transactions }
          : woo(reqid, { currency: "CAD", refunds: [{ id: 9, total: "-7.40" }] });
      await send(refund, shop === "shopify" ? "refunds/create" : topic);
      if (shop === "shopify") expect(lines.at(-1)).toMatchObject({ outcome: "ignored", code: "refund_currency" });
      expect(await inCake()).toEqual(own);
    },
  );

  test.each(["100.12345", "100,50", "", null, undefined, "-5.00", "1234567890.00", {}])(
    "whose total is %s leaves the revenue to CAKE",
    async (total) => {
      const { send, reqid, inCake, sent } = await shopOf("woocommerce");
      const other = await shopOf("woocommerce");
      await other.send(woo(other.reqid, { currency: "EUR" }));
      expect(await send(woo(reqid, { total }))).toMatchObject({ outcome: "accepted", revenueLeftOut: "amount" });
      expect(await inCake()).toEqual(await other.inCake());
      expect(sent).toHaveLength(other.sent.length);
    },
  );

  test("says so where the amount of a refund cannot be read", async () => {
    const { send, reqid, inCake, operator } = await shopOf("woocommerce");
    await send(woo(reqid));
    pass(5_000);
    await send(woo(reqid, { refunds: [{ id: 9, total: "-30.00" }] }));
    pass(5_000);
    await send(
      woo(reqid, {
        refunds: [
          { id: 9, total: "-30.00" },
          { id: 10, total: "-1.23456" },
        ],
      }),
    );
    expect(await inCake()).toEqual(["approved", 70]);
    expect((await counts({ operator })).webhooks).toEqual({
      woocommerce: { accepted: 1, duplicate: 1, refund: 1, "ignored.refund_amount": 1 },
    });
  });
});

describe("an order of Shopify's", () => {
  const total_price_set = {
    shop_money: { amount: "100.00", currency_code: "USD" },
    presentment_money: { amount: "92.50", currency_code: "EUR" },
  };
  const own = (_: object, __: string, found?: object) => found && { ...found, revenue: "50.00" };
  test.each([
    ["revenue none", { revenue: "none" }, "refund_amount", 1],
    ["revenue subtotal", { revenue: "subtotal" }, "refund_amount", 1],
    ["another currency of the account's", { currency: "GBP" }, "refund_currency", 1],
    ["a revenue of the mapping's own", { map: own }, "refund_map", 1],
    ["refunds in the buyer's currency", {}, "refund_currency", 0.925],
  ])("with %s is returned once its refunds amount to its total", async (_, settings, reason, rate) => {
    const amount = (usd: number) => (usd * rate).toFixed(2);
    const currency = rate === 1 ? "USD" : "EUR";
    for (const isFirst of [false, true]) {
      const { send, reqid, inCake } = await shopOf("shopify", settings);
      const paid = sale(reqid, { total_price_set });
      const first = refund(7, amount(40), currency);
      if (isFirst) await send(first, "refunds/create");
      expect(await send(paid, "orders/paid")).toMatchObject({ outcome: "accepted" });
      if (!isFirst) expect(await send(first, "refunds/create")).toMatchObject({ outcome: "ignored", reason });
      // The same one again, by itself and with its order.
      await send(first, "refunds/create");
      await send({ ...paid, refunds: [first] }, "orders/updated");
      expect((await inCake())[0]).toBe("approved");
      expect(await send(refund(8, amount(60), currency), "refunds/create")).toMatchObject({ outcome: "refund" });
      expect((await inCake())[0]).toBe("returned");
    }
  });

  test("that is paid long after it was placed is a sale of its payment's day", async () => {
    const { send, reqid, inCake } = await shopOf("shopify");
    const placed = `${iso(-45 * DAY)}Z`;
    const paid = sale(reqid, { created_at: placed, processed_at: placed });
    const terms = (completed_at: string | null) => ({
      payment_terms: { payment_schedules: [{ completed_at: null }, { due_at: `${iso()}Z`, completed_at }] },
    });
    for (const each of [paid, { ...paid, ...terms(null) }, { ...paid, ...terms(placed) }]) {
      expect(await send(each, "orders/paid")).toMatchObject({ outcome: "ignored", reason: "too_old" });
    }
    expect(await send({ ...paid, ...terms(`${iso()}Z`) }, "orders/paid")).toMatchObject({ outcome: "accepted" });
    expect(await inCake()).toEqual(["approved", 100]);
  });
});

describe("a mapping of the site's own", () => {
  type Found = Record<string, unknown> | undefined;
  type Tagged = { readonly id: number; readonly tags?: string };

  test("may give numbers, as a body of POST conversions may", async () => {
    const map = ({ id }: Tagged, _: string, found: Found) =>
      found && { ...found, uniqueId: id % 10_000, orderId: 1_001, revenue: 9.5, payout: 3 };
    const { send, reqid, inCake, operator } = await shopOf("shopify", { map });
    for (const outcome of ["accepted", "duplicate"]) {
      expect(await send(sale(reqid), "orders/paid")).toMatchObject({ status: 200, outcome });
    }
    expect((await rows({ operator }))[0]?.conversion).toMatchObject({
      uniqueId: "4567",
      orderId: "1001",
      revenue: "9.50",
    });
    const all = refund(7, "100.00");
    expect(await send(all, "refunds/create")).toMatchObject({ outcome: "refund" });
    expect((await inCake())[0]).toBe("returned");
  });

  test.each([
    ["a bigint", ({ id }: Tagged, _: string, found: Found) => ({ ...found, uniqueId: BigInt(id) })],
    [
      "a cycle",
      (_: Tagged, __: string, found: Found) => {
        const all: Record<string, unknown> = { ...found };
        all["adv1"] = all;
        return all;
      },
    ],
    [
      "a getter that throws",
      (_: Tagged, __: string, found: Found) => ({
        ...found,
        get clickId(): string {
          throw new Error("no session");
        },
      }),
    ],
    ["nothing as JSON", () => ({ toJSON: () => undefined })],
    ["a list as JSON", () => ({ toJSON: () => [] })],
    ["a function", () => () => undefined],
  ])("that brings %s has failed, and the log says so", async (_, map) => {
    const { send, reqid, lines, operator } = await shopOf("shopify", { map });
    expect(await send(sale(reqid), "orders/paid")).toMatchObject({ status: 500, error: { code: "map_failed" } });
    expect(lines).toEqual([expect.objectContaining({ outcome: "map_failed", code: "threw", alert: true })]);
    expect((await counts({ operator })).webhooks).toEqual({ shopify: { "map_failed.threw": 1 } });
  });

  test.each<[string, Platform, string, (all: Tagged, topic: string, found: Found) => unknown, object, object]>([
    [
      "what the ready one found, of no click",
      "shopify",
      "orders/paid",
      ({ id }, _, found) => ({ ...found, offerId: 12_345, uniqueId: `${id}` }),
      { note_attributes: [] },
      { outcome: "no_click_id" },
    ],
    [
      "an empty click id",
      "woocommerce",
      "order.updated",
      ({ id }) => ({ clickId: "", offerId: 12_345, uniqueId: `${id}` }),
      { meta_data: [] },
      { outcome: "no_click_id" },
    ],
    [
      "a word for none",
      "woocommerce",
      "order.updated",
      ({ id }) => ({ clickId: `${undefined}`, offerId: 12_345, uniqueId: `${id}` }),
      { meta_data: [] },
      { outcome: "no_click_id" },
    ],
    [
      "null",
      "shopify",
      "orders/paid",
      ({ id }) => ({ clickId: null, offerId: 12_345, uniqueId: `${id}` }),
      { note_attributes: [] },
      { outcome: "no_click_id" },
    ],
    [
      "nothing of an order that does not count yet",
      "woocommerce",
      "order.updated",
      ({ id }, _, found) => ({ ...found, offerId: 12_345, uniqueId: `${id}` }),
      { status: "pending" },
      { outcome: "ignored", reason: "status" },
    ],
  ])("that builds on an order of no click is no fault: %s", async (_, shop, topic, map, more, expected) => {
    const { send, reqid, operator } = await shopOf(shop, { map });
    const payload = shop === "shopify" ? sale(reqid, more) : woo(reqid, more);
    for (let time = 0; time < 2; time += 1) expect(await send(payload, topic)).toEqual({ status: 200, ...expected });
    expect(await rows({ operator })).toEqual([]);
  });

  test.each<[string, (all: Tagged, topic: string, found: Found) => unknown, object]>([
    ["loses the click that the ready one has found", (_, __, found) => ({ ...found, clickId: "" }), {}],
    ["misspells a field besides", () => ({ offerId: 12_345, uniqeId: "1" }), { note_attributes: [] }],
    ["names a click of its own, and no unique id", () => ({ clickId: "a", offerId: 1 }), { note_attributes: [] }],
  ])("that %s has failed", async (_, map, more) => {
    const { send, reqid } = await shopOf("shopify", { map });
    expect(await send(sale(reqid, more), "orders/paid")).toMatchObject({ status: 500, error: { code: "map_failed" } });
  });

  const byTag = ({ tags = "" }: Tagged, _: string, found: Found) =>
    found && { ...found, offerId: tags.includes("vip") ? 222 : 12_345 };

  test.each([
    ["without an offer of the shop's", { offerId: undefined }],
    ["with another one", { offerId: 7 }],
    ["with the first one", { offerId: 12_345 }],
    ["with the second one", { offerId: 222 }],
  ])("makes one conversion of an order that is told again with another tag: %s", async (_, settings) => {
    const { send, reqid, inCake, operator } = await shopOf("shopify", { map: byTag, ...settings });
    expect(await send(sale(reqid), "orders/paid")).toMatchObject({ outcome: "accepted" });
    pass(5_000);
    for (const tags of ["vip", "", "vip"]) {
      const outcome = tags === "" ? "duplicate" : "changed";
      expect(await send(sale(reqid, { tags }), "orders/paid")).toMatchObject({ status: 200, outcome });
    }
    // The refund of the edited order goes to the conversion that there is.
    await send(sale(reqid, { tags: "vip", refunds: [refund(7, "30.00")] }), "orders/paid");
    expect(await inCake()).toEqual(["approved", 70]);
    await send(refund(8, "70.00"), "refunds/create");
    expect((await inCake())[0]).toBe("returned");
    const conversions = (await rows({ operator })).filter(({ conversion }) => conversion !== undefined);
    expect(conversions).toHaveLength(1);
  });

  test("makes two of it where each has a unique id of its own", async () => {
    const map = (all: Tagged, topic: string, found: Found) => {
      const mapped = byTag(all, topic, found);
      return mapped && { ...mapped, uniqueId: `${mapped["offerId"]}-${all.id}` };
    };
    const { send, reqid } = await shopOf("shopify", { map });
    for (const tags of ["", "vip"]) {
      expect(await send(sale(reqid, { tags }), "orders/paid")).toMatchObject({ outcome: "accepted" });
    }
  });

  test("that failed at first may bring another offer later", async () => {
    let offerId = -1;
    const map = (_: Tagged, __: string, found: Found) => found && { ...found, offerId };
    const { send, reqid } = await shopOf("shopify", { map });
    expect(await send(sale(reqid), "orders/paid")).toMatchObject({ status: 500 });
    offerId = 12_345;
    expect(await send(sale(reqid), "orders/paid")).toMatchObject({ outcome: "accepted" });
  });
});
