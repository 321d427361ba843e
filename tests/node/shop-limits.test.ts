/** What a shop's webhook route refuses, and what it promises: sizes, signatures, a full or failing outbox. */
import { expect, test } from "vitest";
import { createForwarderInProcess } from "../../dist/entry/forwarder-memory.inline.js";
import { both, KEY, OPERATOR, type Options } from "./forwarder-in-process.ts";
import { order, paid, post, secrets, shopsOf } from "./shop-webhook.ts";

test("a full outbox and a shop that is not set up are no platform's fault", async () => {
  const all = both({ ...shopsOf("shopify"), capacity: 1, fetch: () => new Promise<Response>(() => undefined) });
  expect((await paid(all)).status).toBe(200);
  const full = await paid(all, { id: 2 });
  expect([full.status, full.headers.get("retry-after")]).toEqual([503, "60"]);
  expect(await full.json()).toMatchObject({ error: { code: "outbox_full", retryable: true } });
  // A repetition needs no room.
  expect(await (await paid(all)).json()).toMatchObject({ outcome: "duplicate" });
  expect((await post(all, "stripe", "{}")).status).toBe(404);
  expect((await all.ask("webhooks/magento", { method: "POST" })).status).toBe(404);
  expect((await all.ask("webhooks/shopify")).status).toBe(405);
});

test("a body is cut off at 2 MB, and one of 1 MB is read", async () => {
  const all = both(shopsOf("shopify"));
  const big = (bytes: number) => JSON.stringify(order({ note: "x".repeat(bytes) }));
  expect((await post(all, "shopify", big(1_000_000), { topic: "orders/paid" })).status).toBe(200);
  const tooBig = await post(all, "shopify", big(2_100_000), { topic: "orders/paid" });
  expect([tooBig.status, ((await tooBig.json()) as { error: { code: string } }).error.code]).toEqual([
    413,
    "body_too_large",
  ]);
});

test.each([
  [{ shopify: { offerId: 1, currency: "USD" } }, "shops.shopify.secrets", "weak_secret"],
  [{ shopify: { offerId: 1, currency: "USD", secrets: "short" } }, "shops.shopify.secrets", "weak_secret"],
  [{ shopify: { offerId: 1, currency: "USD", secrets: [] } }, "shops.shopify.secrets", "invalid_field"],
  [{ shopify: { currency: "USD", secrets: secrets.shopify } }, "shops.shopify.offerId", "invalid_field"],
  [{ shopify: { offerId: 1, secrets: secrets.shopify } }, "shops.shopify.currency", "invalid_field"],
  [{ stripe: { offerId: 1, currency: "dollars", secrets: secrets.stripe } }, "shops.stripe.currency", "invalid_field"],
  [{ stripe: { offerId: 1, currency: "USD", secrets: secrets.stripe, statuses: [] } }, "statuses", "invalid_field"],
  [{ woocommerce: [{ offerId: 0, currency: "USD" }] }, "shops.woocommerce.0.offerId", "invalid_field"],
  [{ woocommerce: { offerId: 1, currency: "USD", uniqueId: "name" } }, "shops.woocommerce.uniqueId", "invalid_field"],
  [{ shopfy: {} }, "shopfy", "invalid_field"],
  [
    { stripe: { offerId: 1, currency: "USD", secrets: secrets.stripe, idPrefix: "b7" } },
    "shops.stripe.idPrefix",
    "invalid_field",
  ],
  [
    { stripe: { offerId: 1, currency: "USD", secrets: secrets.stripe, idPrefix: "b 7-" } },
    "shops.stripe.idPrefix",
    "invalid_field",
  ],
])("a shop that is set up wrongly is refused by its option: %#", (shops, parameter, code) => {
  let thrown: unknown;
  try {
    createForwarderInProcess({ baseUrl: "http://127.0.0.1", apiKey: KEY, operatorSecret: OPERATOR, shops } as Options);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ name: "CakeError", code, parameter });
});

test("what nobody has signed is not read", async () => {
  const all = both(shopsOf("shopify"));
  const body = new ReadableStream(
    {
      pull: () => {
        throw new Error("read");
      },
    },
    { highWaterMark: 0 },
  );
  const init = { method: "POST", body, duplex: "half" } as RequestInit;
  expect((await all.ask("webhooks/shopify", init)).status).toBe(401);
});

test("what cannot be kept is not promised, and the platform asks again", async () => {
  const all = both({ ...shopsOf("shopify"), keep: () => Promise.reject(new Error("full")) });
  const answer = await paid(all);
  expect([answer.status, await answer.json()]).toEqual([
    503,
    { error: { code: "outbox_unavailable", rule: expect.any(String), retryable: true } },
  ]);
});

test("what is taken is kept before the platform is told", async () => {
  let kept = 0;
  const all = both({
    ...shopsOf("shopify"),
    keep: async ({ rows: stored }) => {
      kept = stored.length;
    },
  });
  expect((await paid(all)).status).toBe(200);
  expect(kept).toBe(1);
});
