/** Shops' webhooks at the forwarder's route, by the shared vectors and against a sandbox. */
import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { WebhookLine } from "../../dist/entry/forwarder-memory.inline.js";
import { both, OPERATOR, type Options } from "./forwarder-in-process.ts";
import {
  bodyOf,
  counts,
  nowS,
  order,
  type Platform,
  paid,
  post,
  rows,
  secrets,
  shopsOf,
  sign,
  webhooks,
} from "./shop-webhook.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("the shared vectors", () => {
  const good = webhooks.filter(({ verdict }) => !["signature_refused", "ping"].includes(verdict.outcome));

  test("another implementation signs as they do", () => {
    const alike = good.filter((each) => each.signature === sign(each.shop, bodyOf(each), secrets[each.shop], nowS));
    // The others have white space, several signatures or another time.
    expect(good.length - alike.length).toBe(3);
  });

  test.each(webhooks.map((vector) => [`${vector.shop}: ${vector.name}`, vector] as const))("%s", async (_, vector) => {
    vi.useFakeTimers({ toFake: ["Date"], now: nowS * 1_000 });
    const { offerId, currency, ...settings } = vector.settings;
    const own = currency === "" ? { offerId, ...settings } : { offerId, currency, ...settings };
    const secret = ["a newer secret of the very same shop, of the site", secrets[vector.shop]];
    const lines: unknown[] = [];
    const all = both({
      timeZone: "America/New_York",
      ...shopsOf(vector.shop, own, secret),
      log: (line) => lines.push(line),
    });
    const { outcome, reason, sale, order } = vector.verdict;
    const answer = await post(all, vector.shop, bodyOf(vector), vector);
    const told = (await answer.json()) as { outcome: string; reason?: string; error?: { code: string } };
    const listed = await rows(all);
    const stored = listed.flatMap(({ conversion }) => conversion ?? []);
    const corrections = listed.flatMap(({ correction }) => correction ?? []);
    if (outcome === "signature_refused") {
      expect([answer.status, told.error?.code, stored]).toEqual([401, "signature_refused", []]);
      return;
    }
    expect(answer.status).toBe(200);
    // A correction is for a sale that is known, or waits for one, or is sent since a click led to it.
    const isMade = sale !== undefined || order?.ifUnknown === "sent" || order?.ifUnknown === "kept";
    const corrects = (corrections as Record<string, unknown>[]).map(({ correctionId, ...fields }) => fields);
    expect(corrects).toEqual(isMade && vector.corrects !== undefined ? [vector.corrects] : []);
    if (sale === undefined) {
      const expected =
        outcome !== "refund"
          ? [outcome, reason]
          : order?.ifUnknown === "sent"
            ? ["refund", undefined]
            : ["ignored", reason ?? "no_conversion"];
      expect([told.outcome, told.reason]).toEqual(expected);
      expect(stored).toEqual([]);
    } else {
      expect(told).toMatchObject({ outcome: "accepted", id: expect.stringMatching(/^[0-9a-f]{32}$/) });
      expect((told as { revenueLeftOut?: string }).revenueLeftOut).toBe(sale.revenueLeftOut);
      const hours = 4 * 3_600_000;
      const date = sale.paidAtMs && new Date(sale.paidAtMs - hours).toISOString().slice(0, 19).replace("T", " ");
      expect(stored).toEqual([{ ...sale.conversion, ...(date ? { conversionDate: date } : {}) }]);
    }
    expect(JSON.stringify([told, lines])).not.toMatch(/buyer@|shpss_|whsec_|wc-secret/);
  });
});

test("each webhook comes three times, in any order, and is one conversion", async () => {
  const stripe = { offerId: 12_345, currency: "USD", secrets: secrets.stripe };
  const woocommerce = { offerId: 12_345, currency: "USD", secrets: secrets.woocommerce };
  const shopify = { offerId: 12_345, currency: "USD", secrets: secrets.shopify };
  const all = both({ shops: { shopify, woocommerce, stripe } });
  const bodies: [Platform, string, string][] = [];
  for (let index = 0; index < 4; index += 1) {
    const reqid = await all.click();
    const shopOrder = { ...order(), id: 1_000 + index, note_attributes: [{ name: "reqid", value: reqid }] };
    bodies.push(["shopify", "orders/paid", JSON.stringify(shopOrder)]);
    const meta_data = [{ key: "reqid", value: await all.click() }];
    const woo = { id: 2_000 + index, status: "processing", currency: "USD", total: "5.00", meta_data };
    bodies.push(
      ["woocommerce", "order.created", JSON.stringify(woo)],
      ["woocommerce", "order.updated", JSON.stringify(woo)],
    );
    const object = {
      id: `cs_${index}`,
      payment_intent: `pi_${index}`,
      payment_status: "paid",
      amount_total: 500,
      currency: "usd",
      client_reference_id: await all.click(),
    };
    bodies.push([
      "stripe",
      "",
      JSON.stringify({ type: "checkout.session.completed", livemode: true, data: { object } }),
    ]);
  }
  const repeated = [...bodies, ...bodies, ...bodies].sort(() => Math.random() - 0.5);
  const outcomes = await Promise.all(
    repeated.map(async ([shop, topic, body]) => {
      const answer = await post(all, shop, body, { topic });
      expect(answer.status).toBe(200);
      return ((await answer.json()) as { outcome: string }).outcome;
    }),
  );
  expect(outcomes.filter((outcome) => outcome === "accepted").length).toBe(12);
  expect(outcomes.filter((outcome) => outcome === "duplicate").length).toBe(36);
  await expect.poll(async () => (await all.recorded()).length).toBe(12);
  const recorded = (await all.recorded()).map(({ unique_id }) => unique_id).sort();
  expect(recorded).toEqual(
    [1_000, 1_001, 1_002, 1_003, 2_000, 2_001, 2_002, 2_003]
      .map(String)
      .concat(["pi_0", "pi_1", "pi_2", "pi_3"])
      .sort(),
  );
  expect((await counts(all)).webhooks).toEqual({
    shopify: { accepted: 4, duplicate: 8 },
    woocommerce: { accepted: 4, duplicate: 20 },
    stripe: { accepted: 4, duplicate: 8 },
  });
});

test("an amount that is missing is no matter of the currency, and another currency stays one", async () => {
  const tell = async (shop: Platform, topic: string, settings: object, body: object) => {
    const all = both(shopsOf(shop, settings));
    const reqid = await all.click();
    const text = JSON.stringify(body).replace("CLICK", reqid);
    return (await (await post(all, shop, text, { topic })).json()) as object;
  };
  const woo = { id: 7, status: "processing", meta_data: [{ key: "reqid", value: "CLICK" }] };
  const session = (more: object) => ({
    type: "checkout.session.completed",
    livemode: true,
    data: {
      object: { id: "cs_1", payment_intent: "pi_1", payment_status: "paid", client_reference_id: "CLICK", ...more },
    },
  });
  for (const none of [null, undefined]) {
    for (const [currency, revenueLeftOut] of [
      ["USD", "amount"],
      ["CAD", "currency"],
    ]) {
      const shopify = order({
        ...{ total_price: none, subtotal_price: none, currency },
        note_attributes: [{ name: "reqid", value: "CLICK" }],
      });
      const told = { outcome: "accepted", revenueLeftOut };
      for (const revenue of ["total", "subtotal"]) {
        expect(await tell("shopify", "orders/paid", { revenue }, shopify)).toMatchObject(told);
        expect(
          await tell("woocommerce", "order.updated", { revenue }, { ...woo, total: none, currency }),
        ).toMatchObject(told);
        expect(await tell("stripe", "", { revenue }, session({ amount_total: none, currency }))).toMatchObject(told);
      }
    }
  }
});

test("what is not counted is told by the counts, the page and the log", async () => {
  const lines: WebhookLine[] = [];
  const all = both({
    ...shopsOf("shopify"),
    fetch: async () => Response.json({ conversion: { conversion_id: 7 } }),
    log: (line) => void (line.event === "webhook" && lines.push(line)),
  });
  await paid(all, { note_attributes: [] });
  await paid(all, { note_attributes: null });
  await paid(all, { financial_status: "pending" });
  await paid(all, { test: true });
  await post(all, "shopify", "{}", { topic: "refunds/create", signature: "AAAA" });
  await paid(all, { currency: "CAD" });
  // The order is known with other fields.
  await paid(all, { currency: "USD", note_attributes: [{ name: "reqid", value: "another-click" }] });
  expect(await counts(all)).toEqual({
    webhooks: {
      shopify: { no_click_id: 2, "ignored.not_paid": 1, test: 1, signature_refused: 1, accepted: 1, changed: 1 },
    },
    postbacks: {},
  });
  const page = await (await all.operator("", { headers: { authorization: `Bearer ${OPERATOR}` } })).text();
  expect(page).toContain("Webhooks of shops, the last day");
  expect(page).toContain("2 no_click_id");
  expect(lines[0]).toEqual({ event: "webhook", shop: "shopify", topic: "orders/paid", outcome: "no_click_id" });
  expect(lines[5]).toMatchObject({ outcome: "accepted", revenueLeftOut: "currency" });
});

test("a shop's webhook adds its money to the event of its page, and a page's event after it is a repetition", async () => {
  const all = both({ ...shopsOf("shopify"), fetch: () => new Promise<Response>(() => undefined) });
  const clickId = "13b9ae60-4f60-4c9e-bf75-626dca035acf";
  await paid(all, { id: 1 });
  const page = (uniqueId: string) => all.page({ clickId, offerId: 12_345, uniqueId }, "");
  expect(await (await page("1")).json()).toMatchObject({ duplicate: true });
  const other = both({ ...shopsOf("shopify", { offerId: 12_345 }), clockSpeed: 1 });
  await other.faults([{ script: ["server_error"] }]);
  const own = await other.click();
  await other.page({ clickId: own, offerId: 12_345, uniqueId: "2" }, "");
  const answer = await paid(other, { id: 2, note_attributes: [{ name: "reqid", value: own }] });
  expect(await answer.json()).toMatchObject({ outcome: "duplicate", moneyUsed: true });
});

describe("money for a sale that CAKE already has from its page", () => {
  const pageFirst = async (more: Partial<Options> = {}) => {
    const all = both({ ...shopsOf("shopify"), ...more });
    const reqid = await all.click();
    expect((await all.page({ clickId: reqid, offerId: 12_345, uniqueId: "2" })).status).toBe(202);
    const shop = async (topic: string, body: object) =>
      (await (await post(all, "shopify", JSON.stringify(body), { topic })).json()) as object;
    const sale = order({ id: 2, note_attributes: [{ name: "reqid", value: reqid }] });
    const amount = { kind: "refund", status: "success", amount: "9.94", currency: "USD" };
    const refund = () => shop("refunds/create", { id: 7, order_id: 2, transactions: [amount] });
    const inCake = async () => {
      await all.forwarder.settle();
      return (await all.recorded()).map((row) => (row as unknown as { revenue_units: number }).revenue_units);
    };
    return { ...all, paid: () => shop("orders/paid", sale), refund, inCake };
  };

  test("becomes its total, once, and a refund is taken off it", async () => {
    const all = await pageFirst();
    for (let time = 0; time < 2; time += 1) {
      expect(await all.paid()).toMatchObject({ outcome: "duplicate", moneyUsed: true });
    }
    expect(await all.inCake()).toEqual([4_099_400]);
    expect(await all.refund()).toMatchObject({ outcome: "refund" });
    expect(await all.inCake()).toEqual([4_000_000]);
  });

  test("comes after a refund that was taken off CAKE's own amount", async () => {
    const all = await pageFirst();
    const [byRule = 0] = await all.inCake();
    await all.refund();
    expect(await all.inCake()).toEqual([byRule - 99_400]);
    expect(await all.paid()).toMatchObject({ outcome: "duplicate", moneyUsed: true });
    expect(await all.inCake()).toEqual([4_000_000]);
  });

  test("is told also by a webhook that lacks the click", async () => {
    const all = await pageFirst();
    for (const note_attributes of [[], [{ name: "reqid", value: "2" }]]) {
      const body = order({ id: 2, note_attributes });
      const answer = await post(all, "shopify", JSON.stringify(body), { topic: "orders/paid" });
      const reason = note_attributes.length > 0 ? { reason: "own_id" } : {};
      expect(await answer.json()).toEqual({ outcome: "no_click_id", ...reason, moneyUsed: true });
    }
    expect(await all.inCake()).toEqual([4_099_400]);
    const other = await post(all, "shopify", JSON.stringify(order({ id: 3, note_attributes: [] })), {
      topic: "orders/paid",
    });
    expect(await other.json()).toEqual({ outcome: "no_click_id" });
  });

  test("is not used where there is no account to correct it in", async () => {
    const all = await pageFirst({ baseUrl: "", apiKey: "", pixelDomain: "http://127.0.0.1" });
    expect(await all.paid()).toMatchObject({ outcome: "duplicate", moneyUsed: false });
  });
});

test("a secret can be rotated, and two shops on one platform are told apart by theirs", async () => {
  const other = "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";
  const common = { currency: "USD" };
  const all = both({
    shops: {
      shopify: [
        { ...common, offerId: 12_345, secrets: [other, "a third secret, of the first of the two shops"] },
        { ...common, offerId: 777, secrets: secrets.shopify },
      ],
    },
  });
  const body = JSON.stringify(order());
  for (const [secret, offerId] of [
    ["a third secret, of the first of the two shops", 12_345],
    [secrets.shopify, 777],
  ] as const) {
    const answer = await post(all, "shopify", body, { topic: "orders/paid", signature: sign("shopify", body, secret) });
    expect(await answer.json()).toMatchObject({ outcome: "accepted" });
    expect((await rows(all)).map(({ conversion }) => conversion?.["offerId"])).toContain(offerId);
  }
  const wrong = sign("shopify", body, "a secret of nobody's here, long enough");
  expect((await post(all, "shopify", body, { topic: "orders/paid", signature: wrong })).status).toBe(401);
});

const names = (a: string, b: string) =>
  [
    { uniqueId: "name", idPrefix: a },
    { uniqueId: "name", idPrefix: b },
  ] as const;

describe("two shops whose orders may have one id", () => {
  const shop = (more: object = {}) => ({ currency: "USD", offerId: 1, secrets: randomUUID(), ...more });
  const map = () => undefined;
  const refusalOf = (shops: object) => {
    try {
      both({ shops } as Partial<Options>);
      return undefined;
    } catch (error) {
      return error;
    }
  };
  test.each([
    ["one offer", "woocommerce", {}, {}],
    ["one prefix", "woocommerce", { idPrefix: "a-" }, { idPrefix: "a-" }],
    ["an offer of the mapping's", "woocommerce", { offerId: undefined, map }, { offerId: 2 }],
    ["names, whose marks are the shops' own", "shopify", { uniqueId: "name" }, { uniqueId: "name", idPrefix: "b-" }],
    ["names and prefixes that begin alike", "shopify", ...names("b-", "b-c-")],
  ])("are refused: %s", (_, platform, a, b) => {
    expect(refusalOf({ [platform]: [shop(a), shop(b)] })).toMatchObject({
      code: "invalid_field",
      parameter: `shops.${platform}.1.idPrefix`,
    });
  });
  test.each([
    ["WooCommerce by a prefix", "woocommerce", {}, { idPrefix: "b-" }],
    ["WooCommerce by its offer", "woocommerce", {}, { offerId: 2 }],
    ["Shopify by its ids, which no two shops share", "shopify", {}, {}],
    ["Shopify's names by prefixes", "shopify", ...names("a-", "b-")],
    ["Stripe by its ids", "stripe", {}, {}],
  ])("are kept apart: %s", (_, platform, a, b) => {
    expect(refusalOf({ [platform]: [shop(a), shop(b)] })).toBeUndefined();
  });

  test("are two conversions with a prefix, and a cancellation finds its own", async () => {
    const other = "wc-secret of the other of the two shops";
    const both2 = [
      shop({ offerId: 12_345, secrets: secrets.woocommerce }),
      shop({ offerId: 12_345, secrets: other, idPrefix: "b-" }),
    ];
    const all = both({ shops: { woocommerce: both2 } } as Partial<Options>);
    const send = async (secret: string, value: string, status: string) => {
      const body = JSON.stringify({
        ...{ id: 9, status, currency: "USD", total: "5.00", date_paid_gmt: "2026-01-01T00:00:00" },
        ...{ meta_data: [{ key: "reqid", value }], date_created_gmt: new Date().toISOString() },
        ...(status === "processing" ? { date_paid_gmt: undefined } : {}),
      });
      const answer = await post(all, "woocommerce", body, {
        topic: "order.updated",
        signature: sign("woocommerce", body, secret),
      });
      return ((await answer.json()) as { outcome: string }).outcome;
    };
    const [a, b] = [await all.click(), await all.click()];
    expect(await send(secrets.woocommerce, a, "processing")).toBe("accepted");
    expect(await send(other, b, "processing")).toBe("accepted");
    expect(await send(other, b, "cancelled")).toBe("refund");
    await all.forwarder.settle();
    const told = (await all.recorded()) as unknown as { unique_id: string; conversion_status: string }[];
    expect(told.map((row) => [row.unique_id, row.conversion_status]).sort()).toEqual([
      ["9", "approved"],
      ["b-9", "returned"],
    ]);
  });
});

test("two shops with one secret are refused, and a status is taken as the database writes it", async () => {
  const shop = { currency: "USD", offerId: 1, secrets: secrets.shopify };
  for (const shopify of [
    [shop, { ...shop, offerId: 2 }],
    [{ ...shop, secrets: ["another secret of 32 characters or more", ` ${secrets.shopify} `] }, shop],
  ]) {
    expect(() => both({ shops: { shopify } })).toThrow(/shops\.shopify\.1\.secrets must not be another shop's/);
  }
  const setup = both(shopsOf("woocommerce", { statuses: ["wc-completed"] }));
  const body = JSON.stringify({
    id: 7,
    status: "completed",
    currency: "USD",
    total: "18.00",
    meta_data: [{ key: "reqid", value: "a1b2-c3" }],
  });
  const answer = await post(setup, "woocommerce", body, { topic: "order.updated" });
  expect(await answer.json()).toMatchObject({ outcome: "accepted" });
});

describe("a mapping of the site's own", () => {
  const withMap = (map: unknown, more: object = {}) => {
    const lines: WebhookLine[] = [];
    const log = (line: { event: string }) => void (line.event === "webhook" && lines.push(line as WebhookLine));
    return { ...both({ ...shopsOf("shopify", { map, ...more }), log } as Partial<Options>), lines };
  };

  test("changes what the ready one found, and is told the topic", async () => {
    const all = withMap(async (payload: { name: string }, topic: string, found: object) => ({
      ...found,
      orderId: payload.name,
      adv1: topic,
    }));
    expect(await (await paid(all)).json()).toMatchObject({ outcome: "accepted" });
    expect((await rows(all))[0]?.conversion).toMatchObject({
      orderId: "#1001",
      adv1: "orders/paid",
      revenue: "409.94",
    });
  });

  test("maps what the ready one knows nothing of, without an offer of its own", async () => {
    const map = ({ ref }: { ref: string }) => ({ clickId: ref, offerId: 7, uniqueId: "x-1" });
    const all = withMap(map, { offerId: undefined });
    const answer = await post(all, "shopify", JSON.stringify({ ref: "a-click" }), { topic: "checkouts/update" });
    expect(await answer.json()).toMatchObject({ outcome: "accepted" });
    expect((await rows(all))[0]?.conversion).toEqual({ clickId: "a-click", offerId: 7, uniqueId: "x-1" });
  });

  test("says that there is nothing to count", async () => {
    const all = withMap(() => undefined);
    expect(await (await paid(all)).json()).toEqual({ outcome: "ignored", reason: "map" });
  });

  test.each<[string, unknown, string]>([
    ["throws", () => Promise.reject(new Error("secret words of the site")), "threw"],
    ["brings a text", () => "conversion", "threw"],
    ["brings several", () => ({ conversions: [] }), "invalid_field"],
    ["misspells", (_: object, __: string, found: object) => ({ ...found, uniqeId: "1" }), "invalid_field"],
    ["brings no unique id", () => ({ clickId: "a", offerId: 1 }), "invalid_field"],
    ...[Number("1.234,50"), Infinity, () => 1, Symbol("x"), 18n].flatMap((odd) =>
      ["revenue", "payout"].map((name): [string, unknown, string] => {
        const map = (_: object, __: string, found: object) => ({ ...found, [name]: odd });
        return [`brings ${String(odd)} for the ${name}`, map, typeof odd === "number" ? "invalid_money" : "threw"];
      }),
    ),
    ["brings a placeholder", () => ({ clickId: "undefined", offerId: 1, uniqueId: "1" }), "placeholder_text"],
  ])("%s: 500, so that the platform asks again, and a line of the log", async (_, map, code) => {
    const all = withMap(map);
    const answer = await paid(all);
    const text = await answer.text();
    expect([answer.status, JSON.parse(text)]).toEqual([
      500,
      { error: { code: "map_failed", rule: expect.any(String), retryable: true } },
    ]);
    expect(text).not.toContain("secret words");
    expect(all.lines).toEqual([expect.objectContaining({ outcome: "map_failed", code, alert: true })]);
  });
});

test("a mapping that never answers: 500, so that the platform asks again", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const lines: unknown[] = [];
  const map = () => new Promise<never>(() => undefined);
  const all = both({ ...shopsOf("shopify", { map }), log: (line) => lines.push(line) });
  let answer: Response | undefined;
  void paid(all).then((given) => {
    answer = given;
  });
  while (answer === undefined) {
    await vi.advanceTimersByTimeAsync(10_000);
    await new Promise(setImmediate);
  }
  expect(answer.status).toBe(500);
  expect(lines).toContainEqual(expect.objectContaining({ outcome: "map_failed", code: "timed_out", alert: true }));
});
