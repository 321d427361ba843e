import { describe, expect, test } from "vitest";
import { both, type Options } from "./forwarder-in-process.ts";
import { refunded, session, sold } from "./shop-sold.ts";
import { counts, order, type Platform, post, rows, shopsOf } from "./shop-webhook.ts";

describe("refunds", () => {
  test("a part of a charge leaves a total, all of it a return, and each counts once", async () => {
    const { send, kept } = await sold("stripe", session);
    for (const outcome of ["refund", "refund_duplicate", "refund_duplicate"]) {
      expect(await send(refunded(935))).toMatchObject({ outcome });
    }
    expect(await kept()).toMatchObject({ revenue_units: 200_000, corrections: 1 });
    expect(await send(refunded(2_935))).toMatchObject({ outcome: "refund" });
    expect(await kept()).toMatchObject({ conversion_status: "returned", corrections: 2 });
    expect(await send(refunded(2_935))).toMatchObject({ outcome: "refund_duplicate" });
  });

  test("a charge of no sale that is known here is none of ours", async () => {
    const { send, operator } = await sold("stripe", session);
    const other = refunded(935);
    const object = { ...other.data.object, payment_intent: "pi_other" };
    expect(await send({ ...other, data: { object } })).toEqual({ outcome: "ignored", reason: "no_conversion" });
    expect((await counts({ operator })).webhooks).toEqual({ stripe: { accepted: 1, "ignored.no_conversion": 1 } });
  });

  test("a subscription's first charge is found by its invoice", async () => {
    const first = (click: string) => {
      const { data, ...rest } = session(click);
      return { ...rest, data: { object: { ...data.object, payment_intent: null, invoice: "in_1" } } };
    };
    const { send, kept } = await sold("stripe", first);
    const { data, ...rest } = refunded(2_935);
    const object = { ...data.object, payment_intent: "pi_9", invoice: "in_1" };
    expect(await send({ ...rest, data: { object } })).toMatchObject({ outcome: "refund" });
    expect(await kept()).toMatchObject({ conversion_status: "returned" });
  });

  test.each([
    ["before its session", ["link", "sale"]],
    ["after it", ["sale", "link"]],
  ])("since 2025-03-31 an invoice's payment tells its payment intent: %s", async (_, steps) => {
    const all = both(shopsOf("stripe"));
    const { data, ...rest } = session(await all.click());
    const sale = { ...rest, data: { object: { ...data.object, payment_intent: null, invoice: "in_1" } } };
    const payment = { id: "inpay_1", invoice: "in_1", payment: { type: "payment_intent", payment_intent: "pi_1" } };
    const link = { type: "invoice_payment.paid", livemode: true, data: { object: payment } };
    const outcomes: string[] = [];
    for (const event of [...steps.map((step) => (step === "sale" ? sale : link)), refunded(2_935)]) {
      const answer = await post(all, "stripe", JSON.stringify(event));
      outcomes.push(((await answer.json()) as { outcome: string }).outcome);
    }
    expect(outcomes.sort()).toEqual(["accepted", "ignored", "refund"]);
    await expect.poll(async () => (await all.recorded())[0]).toMatchObject({ conversion_status: "returned" });
  });

  test("Shopify tells what a refund takes off, and a cancelled order is returned", async () => {
    const own = (click: string) => order({ note_attributes: [{ name: "reqid", value: click }] });
    let click = "";
    const { send, kept } = await sold(
      "shopify",
      (given) => {
        click = given;
        return own(given);
      },
      "orders/paid",
    );
    const amount = { kind: "refund", status: "success", amount: "9.94", currency: "USD" };
    const refund = { id: 7, order_id: 5_678_901_234_567, transactions: [amount] };
    expect(await send(refund, "refunds/create")).toMatchObject({ outcome: "refund" });
    expect(await send(refund, "refunds/create")).toMatchObject({ outcome: "refund_duplicate" });
    expect(await kept()).toMatchObject({ revenue_units: 4_000_000, corrections: 1 });
    const cancelled = { ...own(click), cancelled_at: "2026-06-19T11:00:00-04:00" };
    expect(await send(cancelled, "orders/cancelled")).toMatchObject({ outcome: "refund" });
    expect(await kept()).toMatchObject({ conversion_status: "returned", corrections: 2 });
  });

  test("WooCommerce tells refunds with their order, and the order is not counted again", async () => {
    let click = "";
    const own = (more: object = {}) => ({
      ...{ id: 727, status: "completed", currency: "USD", total: "29.35", refunds: [] },
      ...{ meta_data: [{ key: "reqid", value: click }] },
      ...more,
    });
    const take = (given: string) => {
      click = given;
      return own();
    };
    const { send, kept, operator } = await sold("woocommerce", take, "order.updated");
    const partly = own({ refunds: [{ id: 1, total: "-9.35" }] });
    expect(await send(partly)).toMatchObject({ outcome: "refund" });
    expect(await send(partly)).toMatchObject({ outcome: "duplicate" });
    expect(await kept()).toMatchObject({ revenue_units: 200_000, corrections: 1 });
    expect(await send(own({ status: "refunded" }))).toMatchObject({ outcome: "refund" });
    expect(await kept()).toMatchObject({ conversion_status: "returned", corrections: 2 });
    const told = { accepted: 1, duplicate: 1, refund: 2, refund_duplicate: 1 };
    expect((await counts({ operator })).webhooks).toEqual({ woocommerce: told });
  });

  test("a refund in an order whose status is not listed is told by its own reason, and counts with the next status", async () => {
    const own =
      (status: string, more: object = {}) =>
      (click: string) => ({
        ...{ id: 727, status, currency: "USD", total: "29.35", refunds: [] },
        ...{ meta_data: [{ key: "reqid", value: click }] },
        ...more,
      });
    let click = "";
    const take = (given: string) => {
      click = given;
      return own("processing")(given);
    };
    const { send, kept } = await sold("woocommerce", take, "order.updated");
    const refunds = [{ id: 1, total: "-9.35" }];
    for (const status of ["shipped", "on-hold", "failed"]) {
      expect(await send(own(status)(click))).toEqual({ outcome: "ignored", reason: "status" });
      expect(await send(own(status, { refunds })(click))).toEqual({ outcome: "ignored", reason: "refund_status" });
    }
    expect(await kept()).toMatchObject({ revenue_units: 293_500 });
    expect(await send(own("completed", { refunds })(click))).toMatchObject({ outcome: "refund" });
    expect(await kept()).toMatchObject({ revenue_units: 200_000, corrections: 1 });
  });

  test("a new total is answered and counted as a change, by whichever topic it comes", async () => {
    let minute = 0;
    const own = (total_price: string) => (click: string) => {
      minute += 1;
      const updated_at = new Date(Date.now() + 60_000 * (minute - 99)).toISOString();
      return order({ total_price, updated_at, note_attributes: [{ name: "reqid", value: click }] });
    };
    let click = "";
    const take = (given: string) => {
      click = given;
      return own("409.94")(given);
    };
    const shop = shopsOf("shopify", { saleTopic: "orders/create" });
    const { send, kept, operator } = await sold("shopify", take, "orders/create", shop);
    for (const [total, topic] of [
      ["419.94", "orders/updated"],
      ["429.94", "orders/paid"],
      ["439.94", "orders/create"],
      ["409.94", "orders/create"],
    ] as const) {
      expect(await send(own(total)(click), topic), total).toMatchObject({ outcome: "changed" });
    }
    expect(await kept()).toMatchObject({ revenue_units: 4_099_400, corrections: 4 });
    expect((await counts({ operator })).webhooks).toEqual({ shopify: { accepted: 1, changed: 4 } });
  });

  describe("what is taken back is put back where the shop puts it back", () => {
    const woo = async () => {
      let click = "";
      const start = Date.now() - 3_600_000;
      const at = (minute: number) => new Date(start + 60_000 * minute).toISOString().slice(0, 19);
      const own = (status: string, minute: number, rest: object = {}) => ({
        ...{ id: 727, status, currency: "USD", total: "29.35", refunds: [], date_paid_gmt: at(0) },
        ...{ date_modified_gmt: at(minute), meta_data: [{ key: "reqid", value: click }] },
        ...rest,
      });
      const take = (given: string) => {
        click = given;
        return own("processing", 0);
      };
      return { ...(await sold("woocommerce", take, "order.updated")), own };
    };

    test("an order of WooCommerce's that counts again, and a refund that is deleted", async () => {
      const { send, kept, own } = await woo();
      await send(own("cancelled", 1));
      expect(await kept()).toMatchObject({ conversion_status: "returned", corrections: 1 });
      for (let time = 0; time < 2; time += 1) await send(own("processing", 2));
      expect(await kept()).toMatchObject({ conversion_status: "approved", corrections: 2 });
      // The cancellation is told once more: it is out of date.
      expect(await send(own("cancelled", 1))).toMatchObject({ outcome: "refund_duplicate" });
      await send(own("processing", 3, { refunds: [{ id: 1, total: "-9.35" }] }));
      expect(await kept()).toMatchObject({ revenue_units: 200_000, corrections: 3 });
      await send(own("completed", 4));
      expect(await kept()).toMatchObject({ conversion_status: "approved", revenue_units: 293_500, corrections: 4 });
      await send(own("cancelled", 5));
      expect(await kept()).toMatchObject({ conversion_status: "returned", corrections: 5 });
    });

    test("a newer state that comes first stands", async () => {
      const { send, kept, own } = await woo();
      await send(own("processing", 5, { refunds: [{ id: 1, total: "-9.35" }] }));
      await send(own("processing", 4));
      await send(own("cancelled", 3));
      expect(await kept()).toMatchObject({ conversion_status: "approved", revenue_units: 200_000, corrections: 1 });
    });

    const dispute = (type: string, more: object) => ({
      type: `charge.dispute.${type}`,
      livemode: true,
      data: { object: { id: "dp_1", charge: "ch_1", payment_intent: "pi_1", amount: 2_935, currency: "usd", ...more } },
    });

    test("a dispute that is won, and nothing of one that is lost", async () => {
      const { send, kept } = await sold("stripe", session);
      await send(dispute("created", { status: "needs_response" }));
      expect(await kept()).toMatchObject({ conversion_status: "returned", corrections: 1 });
      const lost = await send(dispute("closed", { status: "lost" }));
      expect(lost).toEqual({ outcome: "ignored", reason: "dispute_lost" });
      expect(await send(dispute("closed", { status: "won" }))).toMatchObject({ outcome: "refund" });
      // Told by two events.
      const again = await send(dispute("funds_reinstated", { status: "won" }));
      expect(again).toMatchObject({ outcome: "refund_duplicate" });
      expect(await kept()).toMatchObject({ conversion_status: "approved", corrections: 2 });
    });

    test("a dispute of a part takes the part", async () => {
      const { send, kept } = await sold("stripe", session);
      await send(dispute("created", { status: "needs_response", amount: 935 }));
      expect(await kept()).toMatchObject({ conversion_status: "approved", revenue_units: 200_000 });
      await send(dispute("closed", { status: "won", amount: 935 }));
      expect(await kept()).toMatchObject({ conversion_status: "approved", revenue_units: 293_500, corrections: 2 });
    });

    test("a refund that failed", async () => {
      const { send, kept } = await sold("stripe", session);
      await send(refunded(935));
      const refund = { id: "re_1", charge: "ch_1", payment_intent: "pi_1", amount: 935, currency: "usd" };
      for (const type of ["refund.failed", "refund.updated", "charge.refund.updated"]) {
        await send({ type, livemode: true, data: { object: { ...refund, status: "failed" } } });
      }
      expect(await kept()).toMatchObject({ revenue_units: 293_500, corrections: 2 });
    });
  });

  describe("a refund that overtakes its sale", () => {
    const refund = {
      id: 7,
      order_id: 5_678_901_234_567,
      transactions: [{ kind: "refund", status: "success", amount: "9.94", currency: "USD" }],
    };
    const paid = (click: string, more: object = {}) =>
      order({ note_attributes: [{ name: "reqid", value: click }], ...more });
    const cancelled = { cancelled_at: "2026-06-19T11:00:00-04:00" };

    test.each<[string, (click: string) => [string, object][], object]>([
      [
        "by its own webhook",
        (click) => [
          ["refunds/create", refund],
          ["refunds/create", refund],
          ["orders/paid", paid(click)],
          ["orders/paid", paid(click)],
        ],
        { revenue_units: 4_000_000, corrections: 1 },
      ],
      [
        "in the order, which is told late",
        (click) => [
          ["orders/paid", paid(click, { financial_status: "partially_refunded", refunds: [refund] })],
          ["refunds/create", refund],
        ],
        { revenue_units: 4_000_000, corrections: 1 },
      ],
      [
        "as a cancellation",
        (click) => [
          ["orders/cancelled", paid(click, cancelled)],
          ["orders/paid", paid(click)],
        ],
        { conversion_status: "returned" },
      ],
      [
        "as an order that is refunded by then",
        (click) => [["orders/paid", paid(click, { financial_status: "refunded", refunds: [] })]],
        { conversion_status: "returned" },
      ],
    ])("Shopify: %s", async (_, tell, wanted) => {
      const all = both(shopsOf("shopify"));
      for (const [topic, body] of tell(await all.click())) {
        expect((await post(all, "shopify", JSON.stringify(body), { topic })).status).toBe(200);
      }
      await expect.poll(async () => (await rows(all)).every(({ state }) => state === "delivered")).toBe(true);
      expect((await all.recorded())[0]).toMatchObject(wanted);
    });

    test("without its sale it is kept, and sent to nobody", async () => {
      const all = both(shopsOf("shopify"));
      await post(all, "shopify", JSON.stringify(refund), { topic: "refunds/create" });
      const [kept] = await rows(all);
      expect(kept).toMatchObject({ state: "refused", code: "no_conversion" });
      await all.forwarder.settle();
      expect(all.sent).toEqual([]);
    });

    test("an order of WooCommerce's that is cancelled unpaid, and paid later, is a sale", async () => {
      const all = both(shopsOf("woocommerce"));
      const own = (more: object) => ({
        ...{ id: 727, currency: "USD", total: "29.35", refunds: [] },
        ...{ meta_data: [{ key: "reqid", value: click }], ...more },
      });
      const click = await all.click();
      for (const more of [{ status: "cancelled", date_paid_gmt: null }, { status: "processing" }]) {
        await post(all, "woocommerce", JSON.stringify(own(more)), { topic: "order.updated" });
      }
      await expect.poll(async () => (await all.recorded())[0]).toMatchObject({ conversion_status: "approved" });
    });
  });

  describe("a conversion that a mapping of the site's own has made", () => {
    type Found = { uniqueId: string; revenue?: string } | undefined;
    type Map = (payload: { id: number; tags?: string }, topic: string, found: Found) => object | undefined;
    const vip: Map = (payload, _, found) =>
      found && { ...found, offerId: payload.tags?.includes("vip") ? 12_345 : 111 };
    const renamed: Map = ({ id }, _, found) => found && { ...found, uniqueId: `SHOP-${id ?? found.uniqueId}` };
    const cancelled = { cancelled_at: "2026-06-19T11:00:00-04:00" };
    const refund = {
      id: 7,
      order_id: 5_678_901_234_567,
      transactions: [{ kind: "refund", status: "success", amount: "9.94", currency: "USD" }],
    };
    const mapped = (shop: Platform, map: Map, body: (click: string) => object, topic = "", more: object = {}) =>
      sold(shop, body, topic, shopsOf(shop, { map, ...more }));

    test.each([
      ["chooses the offer", vip, { offerId: undefined }],
      ["chooses another offer than that of the options", vip, { offerId: 111 }],
      ["chooses the unique id", renamed, {}],
      ["adds a field", ((_, topic, found) => found && { ...found, adv1: topic }) as Map, {}],
    ])("Shopify, %s", async (_, map, more) => {
      let click = "";
      const own = (given: string) => {
        click = given;
        return order({ tags: "vip", note_attributes: [{ name: "reqid", value: given }] });
      };
      const { send, kept } = await mapped("shopify", map, own, "orders/paid", more);
      for (const outcome of ["refund", "refund_duplicate"]) {
        expect(await send(refund, "refunds/create")).toMatchObject({ outcome });
      }
      expect(await kept()).toMatchObject({ revenue_units: 4_000_000, corrections: 1 });
      expect(await send({ ...own(click), ...cancelled }, "orders/cancelled")).toMatchObject({ outcome: "refund" });
      expect(await kept()).toMatchObject({ conversion_status: "returned", corrections: 2 });
    });

    test("Stripe, by any id of the session", async () => {
      const rename: Map = (_, __, found) => found && { ...found, uniqueId: "order-1" };
      const { send, kept } = await mapped("stripe", rename, session);
      expect(await send(refunded(935))).toMatchObject({ outcome: "refund" });
      expect(await kept()).toMatchObject({ revenue_units: 200_000, corrections: 1 });
    });

    test("with another revenue than the shop's, a part is told and not guessed, and all of it is a return", async () => {
      const less: Map = (_, __, found) => found && { ...found, revenue: "20.00" };
      const { send, kept } = await mapped("stripe", less, session);
      expect(await send(refunded(935))).toEqual({ outcome: "ignored", reason: "refund_map" });
      expect(await send(refunded(2_935))).toMatchObject({ outcome: "refund" });
      expect(await kept()).toMatchObject({ conversion_status: "returned", revenue_units: 200_000, corrections: 1 });
      const failed = { id: "re_1", charge: "ch_1", payment_intent: "pi_1", amount: 2_935, currency: "usd" };
      await send({ type: "refund.failed", livemode: true, data: { object: { ...failed, status: "failed" } } });
      expect(await kept()).toMatchObject({ conversion_status: "approved", revenue_units: 200_000, corrections: 2 });
    });

    test.each([[undefined], [12_345]])(
      "nothing is taken back of an order that it made no sale of: %s",
      async (offerId) => {
        const all = both(shopsOf("shopify", { map: () => undefined, offerId }));
        for (const [topic, body] of [
          ["refunds/create", refund],
          ["orders/cancelled", order(cancelled)],
        ] as const) {
          const answer = await post(all, "shopify", JSON.stringify(body), { topic });
          expect(await answer.json()).toEqual({ outcome: "ignored", reason: "no_conversion" });
        }
        expect((await rows(all)).every(({ state }) => state === "refused")).toBe(true);
        await all.forwarder.settle();
        expect(all.sent).toEqual([]);
      },
    );

    test("is remembered by an outbox that is opened again", async () => {
      let stored: Parameters<NonNullable<Options["keep"]>>[0] | undefined;
      const keep = async (all: NonNullable<typeof stored>) => {
        stored = all;
      };
      const first = both({ ...shopsOf("shopify", { map: renamed }), keep });
      await post(first, "shopify", JSON.stringify(order()), { topic: "orders/paid" });
      const again = both({ ...shopsOf("shopify", { map: renamed }), kept: stored } as Partial<Options>);
      const answer = await post(again, "shopify", JSON.stringify(refund), { topic: "refunds/create" });
      expect(await answer.json()).toMatchObject({ outcome: "refund" });
    });
  });

  describe("an order that tells no click, and is a conversion of its page's", () => {
    const shopifyOrder = (more: object) => order({ id: 9, note_attributes: [], ...more });
    const wooOrder = (more: object) => ({
      ...{ id: 9, status: "processing", currency: "USD", total: "29.35", refunds: [], meta_data: [] },
      ...{ date_paid_gmt: "2026-06-19T10:00:00", ...more },
    });
    const cancelled_at = "2026-06-19T11:00:00-04:00";
    const amount = { kind: "refund", status: "success", amount: "1.00", currency: "USD" };
    const inOrder = { refunds: [{ id: 7, order_id: 9, transactions: [amount] }] };
    const part = { refunds: [{ id: 1, total: "-9.35" }] };
    const returned = { conversion_status: "returned" };
    test.each<[string, Platform, string, object, object]>([
      ["Shopify, cancelled", "shopify", "orders/cancelled", shopifyOrder({ cancelled_at }), returned],
      ["Shopify, paid and cancelled", "shopify", "orders/paid", shopifyOrder({ cancelled_at }), returned],
      ["Shopify, edited and cancelled", "shopify", "orders/updated", shopifyOrder({ cancelled_at }), returned],
      ["Shopify, a refund in the order", "shopify", "orders/updated", shopifyOrder(inOrder), { corrections: 1 }],
      ["WooCommerce, cancelled", "woocommerce", "order.updated", wooOrder({ status: "cancelled" }), returned],
      ["WooCommerce, refunded", "woocommerce", "order.updated", wooOrder({ status: "refunded" }), returned],
      ["WooCommerce, a part", "woocommerce", "order.updated", wooOrder(part), { revenue_units: 200_000 }],
    ])("%s", async (_, shop, topic, body, wanted) => {
      const all = both(shopsOf(shop));
      await all.page({ clickId: await all.click(), offerId: 12_345, uniqueId: "9" });
      for (const outcome of ["refund", "refund_duplicate"]) {
        const answer = await post(all, shop, JSON.stringify(body), { topic });
        expect(await answer.json()).toMatchObject({ outcome });
      }
      await all.forwarder.settle();
      expect((await all.recorded())[0]).toMatchObject(wanted);
    });

    test("Shopify, cancelled before the page has told it", async () => {
      const all = both(shopsOf("shopify"));
      const cancelled = shopifyOrder({ cancelled_at });
      const answer = await post(all, "shopify", JSON.stringify(cancelled), { topic: "orders/cancelled" });
      expect(await answer.json()).toEqual({ outcome: "ignored", reason: "no_conversion" });
      await all.page({ clickId: await all.click(), offerId: 12_345, uniqueId: "9" });
      await expect.poll(async () => (await all.recorded())[0]).toMatchObject(returned);
    });
  });

  test("a refund that is pending counts once its order tells that it is paid", async () => {
    const own = (click: string) => order({ note_attributes: [{ name: "reqid", value: click }] });
    const { send, kept } = await sold("shopify", own, "orders/paid");
    const refund = (status: string) => ({
      id: 7,
      order_id: 5_678_901_234_567,
      transactions: [{ kind: "refund", status, amount: "9.94", currency: "USD" }],
    });
    const pending = await send(refund("pending"), "refunds/create");
    expect(pending).toEqual({ outcome: "ignored", reason: "refund_pending" });
    const updated = order({ refunds: [refund("success")] });
    for (const outcome of ["refund", "refund_duplicate"]) {
      expect(await send(updated, "orders/updated")).toMatchObject({ outcome });
    }
    expect(await kept()).toMatchObject({ revenue_units: 4_000_000, corrections: 1 });
  });

  test.each([
    ["the whole in another currency", { currency: "eur" }, {}],
    ["the whole, with the subtotal as revenue", {}, { revenue: "subtotal" }],
    ["the whole, without revenue", {}, { revenue: "none" }],
  ])("a refund that failed puts back what was returned: %s", async (_, amounts, settings) => {
    const change = ({ data, ...rest }: { data: { object: object } }) => ({
      ...rest,
      data: { object: { ...data.object, ...amounts } },
    });
    const own = (click: string) => change(session(click));
    const { send, kept } = await sold("stripe", own, "", shopsOf("stripe", settings));
    expect(await send(change(refunded(2_935)))).toMatchObject({ outcome: "refund" });
    expect(await kept()).toMatchObject({ conversion_status: "returned", corrections: 1 });
    const failed = { id: "re_1", charge: "ch_1", payment_intent: "pi_1", amount: 2_935, currency: "usd" };
    const event = { type: "refund.failed", livemode: true, data: { object: { ...failed, status: "failed" } } };
    for (const outcome of ["refund", "refund_duplicate"]) expect(await send(change(event))).toMatchObject({ outcome });
    expect(await kept()).toMatchObject({ conversion_status: "approved", corrections: 2 });
  });

  test("a date in the future is no date: the sale counts when it comes", async () => {
    const all = both({ ...shopsOf("shopify"), timeZone: "UTC" });
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
    const body = order({ note_attributes: [{ name: "reqid", value: await all.click() }], processed_at: tomorrow });
    await post(all, "shopify", JSON.stringify(body), { topic: "orders/paid" });
    expect((await rows(all))[0]?.conversion).not.toHaveProperty("conversionDate");
    const conversion = { clickId: "a", offerId: 12_345, uniqueId: "u-1", conversionDate: "2099-01-01 00:00:00" };
    const answer = await all.backend(conversion);
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { parameter: "conversionDate" } }]);
  });

  test("without an account to send it to, a refund is counted as not taken", async () => {
    const byPixel = { baseUrl: "", apiKey: "", pixelDomain: "http://127.0.0.1" };
    const { send } = await sold("stripe", session, "", byPixel);
    expect(await send(refunded(935))).toEqual({ outcome: "refund_not_taken", reason: "corrections_unavailable" });
  });
});
