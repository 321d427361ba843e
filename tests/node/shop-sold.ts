/** A sale that a shop has told, for the tests of its refunds. */
import { expect } from "vitest";
import { both, type Options } from "./forwarder-in-process.ts";
import { type Platform, post, rows, shopsOf } from "./shop-webhook.ts";

export const sold = async (
  shop: Platform,
  body: (click: string) => object,
  topic = "",
  more: Partial<Options> = {},
) => {
  const all = both({ ...shopsOf(shop), ...more });
  const send = async (payload: object, own = topic) => {
    const answer = await post(all, shop, JSON.stringify(payload), { topic: own });
    expect(answer.status).toBe(200);
    return (await answer.json()) as { outcome: string; reason?: string; id?: string };
  };
  expect(await send(body(await all.click()))).toMatchObject({ outcome: "accepted" });
  const states = async () => (await rows(all)).map(({ state }) => state);
  const kept = async () => {
    await expect.poll(async () => (await states()).every((state) => state === "delivered")).toBe(true);
    return (await all.recorded())[0] as unknown as {
      conversion_status: string;
      revenue_units: number;
      corrections: number;
    };
  };
  return { ...all, send, kept };
};
export const session = (click: string) => {
  const paidFor = { payment_status: "paid", amount_total: 2_935, currency: "usd", payment_intent: "pi_1" };
  const object = { id: "cs_1", ...paidFor, client_reference_id: click };
  return { type: "checkout.session.completed", livemode: true, data: { object } };
};
export const refunded = (amount_refunded: number) => ({
  type: "charge.refunded",
  livemode: true,
  data: { object: { id: "ch_1", amount: 2_935, amount_refunded, currency: "usd", payment_intent: "pi_1" } },
});
