/** Shops' webhooks of one order in any order and repeated, through the forwarder into CAKE: it ends as the shop says. */
import { describe, expect, test } from "vitest";
import { both, type Options } from "./forwarder-in-process.ts";
import {
  allShops,
  byCharge,
  byInvoice,
  cancelled,
  charge,
  chargeObject,
  dispute,
  edited,
  failed,
  inCake,
  invoicePaid,
  invoicePayment,
  invoicePaymentOf,
  iso,
  left,
  orders,
  part,
  removed,
  returned,
  session,
  shopify,
  stripe,
  type Told,
  tell,
  woo,
} from "./shop-told.ts";
import { counts, post, rows, secrets, shopsOf, sign } from "./shop-webhook.ts";

describe("an order ends in CAKE as its shop says, in whatever order its webhooks come", () => {
  test.each<[string, readonly Told[], string]>([
    ["the newer of two sums counts", [session, charge(2, 700), charge(3, 1_400)], left(12)],
    ["all, and a part before it", [session, charge(2, 700), charge(3, 2_600)], returned],
    ["refunded, failed, refunded again", [session, charge(1, 600), failed(2, 600), charge(3, 600)], left(20)],
    ["all of it so", [session, charge(1, 2_600), failed(2, 2_600), charge(3, 2_600)], returned],
    ["a failure of one of two refunds", [session, charge(1, 600), charge(2, 1_000), failed(3, 400, "re_2")], left(20)],
    ...([null, undefined] as const).flatMap((none): [string, readonly Told[], string][] => [
      [
        `a failure that tells no charge, but ${none}`,
        [session, charge(1, 600, chargeObject), failed(2, 600, "re_1", { charge: none })],
        left(26),
      ],
      [
        `a failure of the whole that tells no charge, but ${none}`,
        [session, charge(1, 2_600, chargeObject), failed(2, 2_600, "re_1", { charge: none })],
        left(26),
      ],
      [
        `an older failure that tells no charge, but ${none}`,
        [session, charge(3, 600, chargeObject), failed(2, 600, "re_1", { charge: none })],
        left(20),
      ],
      [
        `a failure that tells its charge alone, and ${none}`,
        [session, charge(1, 600, chargeObject), failed(2, 600, "re_1", { payment_intent: none })],
        left(26),
      ],
      [
        `a dispute that tells its charge alone, and ${none}`,
        [session, charge(1, 600, chargeObject), dispute(2, 2_000, undefined, { payment_intent: none })],
        returned,
      ],
      [
        `a dispute that tells its charge alone, and an end that tells both, beside ${none}`,
        [session, dispute(2, 2_600, undefined, { payment_intent: none }), dispute(3, 2_600, "won")],
        left(26),
      ],
      [
        `an invoice's payment, whose failure and dispute tell one id each, and ${none}`,
        [
          byInvoice,
          invoicePayment,
          charge(1, 600, chargeObject),
          failed(2, 600, "re_1", { charge: none }),
          dispute(3, 1_000, undefined, { payment_intent: none }),
        ],
        left(16),
      ],
      [
        `two payments of an invoice, and a failure of the one that tells no charge, but ${none}`,
        [
          byInvoice,
          invoicePayment,
          invoicePaymentOf("pi_2"),
          charge(1, 600, chargeObject),
          charge(1, 700, { ...chargeObject, id: "ch_2", payment_intent: "pi_2" }),
          failed(2, 700, "re_2", { charge: none, payment_intent: "pi_2" }),
        ],
        left(20),
      ],
    ]),
    ["a dispute that is won", [session, dispute(1, 2_600), dispute(3, 2_600, "won")], left(26)],
    ["a dispute that is lost", [session, dispute(1, 600), dispute(3, 600, "lost")], left(20)],
    [
      "a refund that fails beside a dispute that is won",
      [session, charge(1, 600), dispute(2, 2_000), failed(3, 600), dispute(4, 2_000, "won")],
      left(26),
    ],
    ["a dispute of a part, then a refund", [session, dispute(1, 1_000), charge(2, 600)], left(10)],
    [
      "refunded while it was disputed",
      [session, dispute(1, 2_600), charge(2, 2_600), dispute(3, 2_600, "won")],
      returned,
    ],
    [
      "a refund that fails while it is disputed",
      [session, charge(1, 2_600), dispute(2, 2_600), failed(3, 2_600)],
      returned,
    ],
    ["an invoice, told by its payment intent", [byInvoice, invoicePayment, charge(2, 600)], left(20)],
    ["a dispute of a payment that its invoice has told", [byInvoice, invoicePaid, dispute(2, 2_600)], returned],
    [
      "a refund whose charge tells its invoice, and its failure, which does not",
      [byInvoice, charge(2, 600, { invoice: "in_1" }), failed(3, 600)],
      left(26),
    ],
    [
      "a part that is refunded so, and the rest disputed",
      [byInvoice, charge(2, 600, { invoice: "in_1" }), dispute(3, 2_000)],
      returned,
    ],
    [
      "a charge of no payment intent",
      [
        byInvoice,
        charge(2, 600, { object: "charge", invoice: "in_1", payment_intent: null }),
        stripe(3, "charge.dispute.created", { id: "dp_1", ...byCharge, amount: 1_000, status: "needs_response" }),
      ],
      left(10),
    ],
    [
      "a payment that has an invoice besides",
      [session, charge(2, 600, { invoice: "in_1" }), dispute(3, 1_000)],
      left(10),
    ],
    ["cancelled and reopened", [woo(1, "processing"), woo(2, "cancelled"), woo(3, "completed")], left(26)],
    [
      "cancelled again",
      [woo(1, "processing"), woo(2, "cancelled"), woo(3, "completed"), woo(4, "cancelled")],
      returned,
    ],
    [
      "a refund that is deleted",
      [woo(1, "processing"), woo(2, "processing", ["5.00"]), woo(3, "processing")],
      left(26),
    ],
    ...[null, undefined, "", false, [null], [5001], [{ id: 900 }], { "1": { id: 900, total: "-6.00" }, "2": null }].map(
      (refunds): [string, readonly Told[], string] => [
        `refunds that cannot be read later, ${JSON.stringify(refunds)}`,
        [woo(1, "processing"), woo(2, "processing", ["6.00"]), woo(3, "completed", [], { refunds })],
        left(20),
      ],
    ),
    [
      "refunds as PHP writes a list with holes",
      [
        woo(1, "processing", [], { line_items: { "7": { id: 7, total: "26.00" } } }),
        woo(2, "processing", [], { refunds: { "1": { id: 1, total: "-6.00" }, "3": { id: 3, total: "-2.00" } } }),
      ],
      left(18),
    ],
    ["a refund without a list around it", [woo(2, "processing", [], { refunds: { id: 1, total: "-6.00" } })], left(20)],
    ["refunds that are gone", [woo(2, "processing", ["6.00"]), woo(3, "processing", [], { refunds: {} })], left(26)],
    ["cancelled unpaid, and paid", [woo(1, "cancelled", [], { date_paid_gmt: null }), woo(2, "processing")], left(26)],
    [
      "an edited total, and a part of it refunded",
      [
        woo(1, "processing"),
        woo(2, "processing", [], { total: "30.00" }),
        woo(3, "completed", ["4.00"], { total: "30.00" }),
      ],
      left(26),
    ],
    ["two parts", [shopify(1, "orders/paid"), part(1, "6.00"), part(2, "1.00")], left(19)],
    ["parts that are all", [shopify(1, "orders/paid"), part(1, "6.00"), part(2, "20.00")], returned],
    ["cancelled", [shopify(1, "orders/paid"), part(1, "6.00"), shopify(2, "orders/cancelled", cancelled)], returned],
    ["an edited total", [shopify(1, "orders/paid"), shopify(3, "orders/paid", { total_price: "30.00" })], left(30)],
    ["goods taken out before the payment", [shopify(2, "orders/paid", edited("26.00", "16.00"))], left(16)],
    [
      "an exchange whose difference is paid",
      [shopify(1, "orders/paid"), shopify(3, "orders/paid", edited("40.00", "30.00"))],
      left(30),
    ],
    [
      "goods taken out of a paid order, whose money is given back",
      [
        shopify(1, "orders/paid"),
        part(4, "10.00"),
        shopify(3, "orders/paid", edited("26.00", "16.00", [removed, part(4, "10.00")[2]])),
      ],
      left(16),
    ],
    [
      "an exchange, and all of it given back",
      [shopify(1, "orders/paid"), shopify(3, "orders/paid", edited("40.00", "30.00")), part(4, "30.00")],
      returned,
    ],
  ])("%s", async (_, told, wanted) => {
    const byItself = orders(told).map(async (sequence) => {
      const all = both(allShops());
      await tell(all, await all.click(), sequence);
      expect(await inCake(all), JSON.stringify(sequence)).toEqual([wanted]);
    });
    // The page has told the order first, or last, without money.
    const withPage = [true, false].map(async (isFirst) => {
      const all = both(allShops());
      const click = await all.click();
      const uniqueId = { shopify: "9", woocommerce: "77", stripe: told.includes(byInvoice) ? "in_1" : "pi_1" };
      const page = () => all.page({ clickId: click, offerId: 12_345, uniqueId: uniqueId[told[0]?.[0] ?? "shopify"] });
      if (isFirst) await page();
      await tell(all, click, [...told].reverse());
      if (!isFirst) await page();
      expect(await inCake(all), `page first: ${isFirst}`).toEqual([wanted]);
    });
    await Promise.all([...byItself, ...withPage]);
  });

  const pending = { financial_status: "pending" };
  const total = (amount: string) => ({ ...pending, total_price: amount, current_total_price: amount });

  test.each<[string, readonly Told[], string]>([
    ["more", [shopify(1, "orders/create", total("26.00")), shopify(3, "orders/updated", total("39.00"))], left(39)],
    ["less", [shopify(1, "orders/create", total("26.00")), shopify(3, "orders/updated", total("16.00"))], left(16)],
    [
      "at its payment",
      [shopify(1, "orders/create", total("26.00")), shopify(3, "orders/paid", total("39.00"))],
      left(39),
    ],
    [
      "of a paid order",
      [shopify(1, "orders/create", total("26.00")), shopify(3, "orders/updated", { total_price: "39.00" })],
      left(39),
    ],
    [
      "twice",
      [
        shopify(1, "orders/create", total("26.00")),
        shopify(2, "orders/updated", total("39.00")),
        shopify(3, "orders/updated", total("30.00")),
      ],
      left(30),
    ],
    [
      "and a refund of its first total",
      [
        shopify(1, "orders/create", total("26.00")),
        shopify(3, "orders/updated", { total_price: "39.00" }),
        part(4, "26.00"),
      ],
      left(13),
    ],
    [
      "and its cancellation",
      [
        shopify(1, "orders/create", total("26.00")),
        shopify(2, "orders/updated", total("39.00")),
        shopify(3, "orders/cancelled", cancelled),
      ],
      returned,
    ],
  ])(
    "a total that is edited before an order is paid counts where orders/create makes the sale: %s",
    async (_, told, wanted) => {
      const settings = shopsOf("shopify", { saleTopic: "orders/create" });
      for (const sequence of orders(told)) {
        const all = both(settings);
        await tell(all, await all.click(), sequence);
        expect(await inCake(all), JSON.stringify(sequence)).toEqual([wanted]);
      }
      const all = both(settings);
      const click = await all.click();
      await Promise.all(told.map((each) => tell(all, click, [each])));
      expect(await inCake(all), "all at once").toEqual([wanted]);
    },
  );

  test("goods taken out of an order that is a sale before it is paid are told by orders/updated", async () => {
    const shopifyOnly = shopsOf("shopify", { saleTopic: "orders/create" });
    const told = [
      shopify(1, "orders/create", pending),
      shopify(3, "orders/updated", edited("26.00", "16.00", [removed], pending)),
      // The topic of the payment makes no sale then.
      shopify(4, "orders/paid", edited("26.00", "16.00")),
    ];
    for (const sequence of [told, [...told, ...told]]) {
      const all = both(shopifyOnly);
      await tell(all, await all.click(), sequence);
      expect(await inCake(all)).toEqual([left(16)]);
    }
    // By itself it makes no sale, and leaves nothing behind.
    const all = both(shopifyOnly);
    expect(await tell(all, await all.click(), told.slice(1))).toEqual(["ignored", "ignored"]);
    expect([await inCake(all), await rows(all)]).toEqual([[], []]);
  });

  test("a purchase of several vendors is one sale, in whatever order its orders are told", async () => {
    const vendor = (id: number, status = "processing", refunds: string[] = []) =>
      woo(1, status, refunds, { id, parent_id: 77, total: "13.00", created_via: "yith_wcmv_vendor_suborder" });
    const told = [
      woo(1, "processing"),
      vendor(78),
      vendor(79),
      vendor(78, "processing", ["2.00"]),
      vendor(79, "refunded"),
    ];
    for (const sequence of orders(told)) {
      const all = both(allShops());
      await tell(all, await all.click(), sequence);
      expect(await inCake(all)).toEqual([left(26)]);
      expect((await rows(all)).length).toBe(1);
      const parts = sequence.filter(([, , body]) => "parent_id" in body).length;
      expect((await counts(all)).webhooks).toMatchObject({ woocommerce: { "ignored.sub_order": parts } });
    }
  });

  test("a mapping may make sales of the vendors' parts instead, with their refunds", async () => {
    const map = (payload: Readonly<Record<string, unknown>>, _: string, found: object | undefined) => {
      if (payload["parent_id"] === undefined) return undefined;
      return found ?? { clickId: click, offerId: 12_345, uniqueId: `${payload["id"]}`, revenue: `${payload["total"]}` };
    };
    const all = both(allShops({ map }));
    const click = await all.click();
    const vendor = (id: number, status = "processing") => woo(1, status, [], { id, parent_id: 77, total: "13.00" });
    await tell(all, click, [woo(1, "processing"), vendor(78), vendor(79)]);
    expect(await inCake(all)).toEqual([left(13), left(13)]);
    await tell(all, click, [vendor(78, "refunded")]);
    expect((await inCake(all)).sort()).toEqual([left(13), returned]);
  });

  test.each<[string, readonly Told[]]>([
    ["WooCommerce", ["refunded", "cancelled"].map((status) => woo(2, status, [], { created_via: "subscription" }))],
    ["Shopify", [shopify(2, "orders/cancelled", { ...cancelled, source_name: "subscription_contract" })]],
  ])("a renewal that is no conversion makes no correction: %s", async (_, told) => {
    const all = both(allShops());
    expect(new Set(await tell(all, await all.click(), told))).toEqual(new Set(["ignored"]));
    expect(await rows(all)).toEqual([]);
  });

  test.each<[string, readonly Told[], string]>([
    ["refunds before the sale", [part(1, "6.00"), part(2, "20.00")], returned],
    ["a dispute that was won", [dispute(1, 2_600), dispute(3, 2_600, "won")], left(26)],
    ["a refund that had failed", [charge(1, 2_600), failed(2, 2_600)], left(26)],
  ])("%s: one correction at most is made when the sale comes", async (_, told, wanted) => {
    const all = both(allShops());
    await tell(all, "", told);
    expect((await rows(all)).every(({ state }) => state === "refused" || state === "cancelled")).toBe(true);
    const sale = told[0]?.[0] === "shopify" ? shopify(1, "orders/paid") : session;
    await tell(all, await all.click(), [sale]);
    expect(await inCake(all)).toEqual([wanted]);
    const states = (await rows(all)).map(({ state }) => state);
    expect(states).toEqual(wanted === returned ? ["delivered", "delivered"] : ["delivered", "cancelled"]);
  });

  test("a mapped order's refund before its sale is its own, and that of its invoice", async () => {
    const map = (_: object, __: string, found: object | undefined) => found && { ...found, uniqueId: "order-1" };
    for (const told of [
      [part(1, "6.00"), shopify(1, "orders/paid")],
      [charge(2, 600), session],
      [charge(2, 600), byInvoice, invoicePayment],
      [invoicePayment, charge(2, 600), byInvoice],
    ]) {
      const all = both(allShops({ map }));
      const outcomes = await tell(all, await all.click(), told);
      expect(outcomes[0]).toBe("ignored");
      expect(await inCake(all), JSON.stringify(told)).toEqual([left(20)]);
    }
  });

  test("over a restart, and without anything of the order but ids, times and amounts", async () => {
    let stored: Parameters<NonNullable<Options["keep"]>>[0] | undefined;
    const keep = async (all: NonNullable<typeof stored>) => {
      stored = all;
    };
    const first = both({ ...allShops(), keep });
    const buyer = { billing: { email: "buyer@example.com" }, customer_note: "please ring" };
    const click = await first.click();
    await tell(first, click, [woo(5, "completed", ["6.00"], buyer)]);
    const ledgers = stored?.claims.filter(([claim]) => claim.startsWith("ledger ")) ?? [];
    expect(ledgers.map(([, text]) => text)).toEqual([expect.stringMatching(/^O\twoocommerce\t[\w\t\n-]+$/)]);
    expect(JSON.stringify(ledgers)).not.toMatch(/buyer|ring/);
    const again = both({ ...allShops(), kept: stored } as Partial<Options>);
    expect(await tell(again, click, [woo(4, "cancelled")])).toEqual(["refund_duplicate"]);
    expect((await rows(again)).filter(({ correction }) => correction !== undefined)).toHaveLength(1);
  });
});

describe("a correction of the site's own", () => {
  test.each<[string, Told, object, string]>([
    ["cancelled", woo(2, "cancelled"), { status: "approved" }, left(26)],
    ["refunded in part", woo(2, "processing", ["5.00"]), { revenue: "26.00" }, left(26)],
    ["whole", woo(2, "completed"), { revenue: "18.00" }, left(18)],
  ])("stays while the shop says nothing else of the order: %s", async (_, told, own, wanted) => {
    const all = both(allShops());
    const click = await all.click();
    await tell(all, click, [woo(1, "processing"), told]);
    await all.correct({ correctionId: "mine", offerId: 12_345, uniqueId: "77", ...own });
    expect(await inCake(all)).toEqual([wanted]);
    const [shop, topic, body] = told;
    const edited: Told = [shop, topic, { ...body, date_modified_gmt: iso(3), customer_note: "please ring" }];
    await tell(all, click, [edited, edited, woo(1, "processing")]);
    expect(await inCake(all)).toEqual([wanted]);
    // Something else is said: it counts.
    await tell(all, click, [woo(4, "completed", ["7.00"])]);
    expect(await inCake(all)).toEqual([left(19)]);
  });

  test("goes before the money of a sale that its page has told", async () => {
    const all = both(allShops());
    const click = await all.click();
    await all.page({ clickId: click, offerId: 12_345, uniqueId: "9" });
    await all.correct({ correctionId: "mine", offerId: 12_345, uniqueId: "9", revenue: "18.00" });
    const answer = await post(all, "shopify", JSON.stringify(shopify(1, "orders/paid")[2]).replace("CLICK", click), {
      topic: "orders/paid",
    });
    expect(await answer.json()).toMatchObject({ outcome: "duplicate", moneyUsed: false });
    expect(await inCake(all)).toEqual([left(18)]);
  });
});

test("two shops whose orders have one id have corrections of their own", async () => {
  const other = "wc-secret of the other of the two shops";
  const shop = { currency: "USD" };
  const woocommerce = [
    { ...shop, offerId: 12_345, secrets: secrets.woocommerce },
    { ...shop, offerId: 777, secrets: other },
  ];
  const all = both({ shops: { woocommerce } } as Partial<Options>);
  for (const secret of [secrets.woocommerce, other]) {
    for (const [, topic, body] of [woo(1, "processing"), woo(2, "cancelled")]) {
      const text = JSON.stringify(body).replace("CLICK", await all.click());
      const answer = await post(all, "woocommerce", text, { topic, signature: sign("woocommerce", text, secret) });
      expect(answer.status).toBe(200);
    }
  }
  const ids = (await rows(all)).flatMap(({ correction }) => correction?.["correctionId"] ?? []);
  expect(ids).toEqual([
    expect.stringMatching(/^woocommerce-777-77-\d+$/),
    expect.stringMatching(/^woocommerce-12345-77-\d+$/),
  ]);
});

test("an order with too many facts is told so, and stays as it is", async () => {
  const all = both(shopsOf("stripe"));
  const many = Array.from({ length: 101 }, (_, index) => failed(1, 1, `re_${index}`));
  const outcomes = await tell(all, await all.click(), [session, ...many, charge(2, 600)]);
  expect(outcomes.at(-1)).toBe("ignored");
  expect((await counts(all)).webhooks).toMatchObject({ stripe: { "ignored.too_many_facts": 3 } });
  expect(await inCake(all)).toEqual([left(26)]);
});
