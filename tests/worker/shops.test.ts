/** Shops' webhooks and postbacks in workerd, with the outbox in a Durable Object, against a sandbox. */
import { env, exports } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { wished, wishes } from "./worker.ts";

const ORIGIN = "http://127.0.0.1:8787";
const sandbox = (exports as unknown as { default: Fetcher }).default;
const SHOPIFY = "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";
const WOO = "a secret of a shop on WooCommerce, 32 or more";
const STRIPE = "whsec_Zm9yIHZlY3RvcnMgYWxvbmUsIG5vIHJlYWwgb25l";
const NETWORK = "a-network-secret-of-32-characters-or-more";
const MY_OFFER = 12_345;
let limited = 0;

beforeEach(() => {
  limited = 0;
  const shop = { offerId: MY_OFFER, currency: "USD" };
  wishes.now = {
    clockSpeed: 1_000,
    log: () => undefined,
    fetch: (request) => sandbox.fetch(request),
    rateLimit: {
      limit: async () => {
        limited += 1;
        return { success: false };
      },
    } as unknown as RateLimit,
    shops: {
      shopify: { ...shop, secrets: SHOPIFY },
      woocommerce: { ...shop, secrets: WOO },
      stripe: { ...shop, secrets: STRIPE },
    },
    postbacks: { network: { secrets: NETWORK, offerId: MY_OFFER, map: { clickId: "c", uniqueId: "t" } } },
  };
});

/** Calls a new isolate: the options are read once for each `env`. */
const ask = (path: string, init: RequestInit = {}) =>
  wished.fetch(new Request(`${ORIGIN}/cake/${path}`, init), { ...(env as object) } as never);

async function sign(secret: string, text: string): Promise<Uint8Array> {
  const encode = (given: string) => new TextEncoder().encode(given);
  const key = await crypto.subtle.importKey("raw", encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, encode(text)));
}
const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

async function click(): Promise<string> {
  const response = await sandbox.fetch(`${ORIGIN}/?a=67890&c=12`, { redirect: "manual" });
  return new URL(response.headers.get("location") ?? "").searchParams.get("reqid") ?? "";
}

async function recorded(uniqueId: string): Promise<{ revenue: string }[]> {
  const { conversions } = await (await sandbox.fetch(`${ORIGIN}/__sandbox/state?limit=500`)).json<{
    conversions: { unique_id: string; revenue: string }[];
  }>();
  return conversions.filter(({ unique_id }) => unique_id === uniqueId);
}

test("a sale on each platform is delivered once, with its revenue, however often it is told", async () => {
  const id = Math.floor(Math.random() * 1e12);
  const order = JSON.stringify({
    id,
    financial_status: "paid",
    currency: "USD",
    total_price: "409.94",
    note_attributes: [{ name: "reqid", value: await click() }],
  });
  const woo = JSON.stringify({
    id: id + 1,
    status: "processing",
    currency: "USD",
    total: "29.35",
    meta_data: [{ key: "reqid", value: await click() }],
  });
  const object = {
    id: `cs_${id}`,
    payment_status: "paid",
    amount_total: 500,
    currency: "usd",
    payment_intent: `pi_${id}`,
  };
  const stripe = JSON.stringify({
    type: "checkout.session.completed",
    livemode: true,
    data: { object: { ...object, client_reference_id: await click() } },
  });
  const post = async (path: string, body: string, headers: Record<string, string>) => {
    const answers = [];
    for (let time = 0; time < 3; time += 1) {
      const answer = await ask(`webhooks/${path}`, { method: "POST", headers, body });
      answers.push([answer.status, (await answer.json<{ outcome: string }>()).outcome]);
    }
    expect(answers).toEqual([
      [200, "accepted"],
      [200, "duplicate"],
      [200, "duplicate"],
    ]);
  };
  await post("shopify", order, {
    "x-shopify-hmac-sha256": base64(await sign(SHOPIFY, order)),
    "x-shopify-topic": "orders/paid",
  });
  await post("woocommerce", woo, {
    "x-wc-webhook-signature": base64(await sign(WOO, woo)),
    "x-wc-webhook-topic": "order.updated",
  });
  const at = Math.floor(Date.now() / 1_000);
  await post("stripe", stripe, { "stripe-signature": `t=${at},v1=${hex(await sign(STRIPE, `${at}.${stripe}`))}` });
  for (const [uniqueId, revenue] of [
    [String(id), 409.94],
    [String(id + 1), 29.35],
    [`pi_${id}`, 5],
  ] as const) {
    await expect.poll(async () => (await recorded(uniqueId)).length).toBe(1);
    expect(Number((await recorded(uniqueId))[0]?.revenue)).toBe(revenue);
  }
  // A webhook with a valid signature is not limited.
  expect(limited).toBe(0);
});

test("a refund finds what a mapping made of its order", async () => {
  const { shops } = wishes.now as { shops: { shopify: object } };
  const map = (_: object, __: string, found: { uniqueId: string } | undefined) =>
    found && { ...found, uniqueId: `order-${found.uniqueId}` };
  wishes.now = { ...wishes.now, shops: { ...shops, shopify: { ...shops.shopify, map } } } as typeof wishes.now;
  const id = Math.floor(Math.random() * 1e12);
  const paid = {
    id,
    currency: "USD",
    total_price: "409.94",
    note_attributes: [{ name: "reqid", value: await click() }],
  };
  const transactions = [{ kind: "refund", status: "success", amount: "9.94", currency: "USD" }];
  const outcomes = [];
  for (const [topic, payload] of [
    ["orders/paid", paid],
    ["refunds/create", { id: 7, order_id: id, transactions }],
    ["orders/cancelled", { ...paid, cancelled_at: "2026-06-19T11:00:00-04:00" }],
  ] as const) {
    const body = JSON.stringify(payload);
    const signature = base64(await sign(SHOPIFY, body));
    const headers = { "x-shopify-hmac-sha256": signature, "x-shopify-topic": topic };
    const answer = await ask("webhooks/shopify", { method: "POST", headers, body });
    outcomes.push((await answer.json<{ outcome: string }>()).outcome);
  }
  expect(outcomes).toEqual(["accepted", "refund", "refund"]);
  await expect.poll(async () => Number((await recorded(`order-${id}`))[0]?.revenue)).toBe(400);
});

test("facts of an order that come backwards, and twice, end in the state of the newest", async () => {
  const id = Math.floor(Math.random() * 1e12);
  const meta_data = [{ key: "_reqid", value: await click() }];
  const at = (minute: number) => new Date(Date.now() + 60_000 * (minute - 99)).toISOString().slice(0, 19);
  const order = { id, currency: "USD", total: "29.35", meta_data, date_paid_gmt: at(0), date_created_gmt: at(0) };
  const refunds = [{ id: 1, total: "-9.35" }];
  const told = [
    { ...order, status: "cancelled", date_modified_gmt: at(2), refunds: [] },
    { ...order, status: "completed", date_modified_gmt: at(3), refunds },
    { ...order, status: "processing", date_modified_gmt: at(1), refunds: [] },
  ];
  const outcomes = [];
  for (const payload of [...told, ...told]) {
    const body = JSON.stringify(payload);
    const signature = base64(await sign(WOO, body));
    const headers = { "x-wc-webhook-signature": signature, "x-wc-webhook-topic": "order.updated" };
    const answer = await ask("webhooks/woocommerce", { method: "POST", headers, body });
    outcomes.push((await answer.json<{ outcome: string }>()).outcome);
  }
  expect(outcomes).toEqual(["refund", "accepted", "duplicate", "refund_duplicate", "duplicate", "duplicate"]);
  await expect.poll(async () => await recorded(String(id))).toMatchObject([{ conversion_status: "approved" }]);
  await expect.poll(async () => Number((await recorded(String(id)))[0]?.revenue)).toBe(20);
});

test("what nobody has signed is refused, and limited; so is a postback", async () => {
  const init = {
    method: "POST",
    headers: { "x-shopify-hmac-sha256": "AAAA", "x-shopify-topic": "orders/paid" },
    body: "{}",
  };
  expect((await ask("webhooks/shopify", init)).status).toBe(429);
  expect((await ask(`postback/network/${NETWORK}?c=a&t=1`)).status).toBe(429);
  wishes.now = { ...wishes.now, rateLimit: undefined } as typeof wishes.now;
  const refused = await ask("webhooks/shopify", init);
  expect([refused.status, await refused.json()]).toEqual([
    401,
    { error: { code: "signature_refused", rule: expect.any(String), retryable: false } },
  ]);
  const ping = {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "webhook_id=7",
  };
  expect((await ask("webhooks/woocommerce", ping)).status).toBe(200);
});

test("a postback by GET is delivered once, and counted for the operators", async () => {
  wishes.now = { ...wishes.now, rateLimit: undefined } as typeof wishes.now;
  const uniqueId = `T-${crypto.randomUUID()}`;
  const clickId = await click();
  for (let time = 0; time < 3; time += 1) {
    const answer = await ask(`postback/network/${NETWORK}?c=${clickId}&t=${uniqueId}`);
    expect([answer.status, await answer.text()]).toEqual([200, "OK"]);
  }
  await expect.poll(async () => (await recorded(uniqueId)).length).toBe(1);
  const bearer = { authorization: "Bearer an operator's secret of 32 characters or more" };
  const { postbacks } = await (await ask("operator/counts", { headers: bearer })).json<{
    postbacks: Record<string, Record<string, number>>;
  }>();
  expect(postbacks["network"]).toMatchObject({ accepted: 1, duplicate: 2 });
  expect((await ask(`postback/network/${NETWORK}x?c=${clickId}&t=2`)).status).toBe(401);
});
