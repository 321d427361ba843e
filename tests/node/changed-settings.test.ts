/** Shops whose settings of keys change: an order of before stays one sale, and its refunds find it. */
import { describe, expect, test } from "vitest";
import { createForwarderInProcess, type StoreSnapshot } from "../../dist/entry/forwarder-memory.inline.js";
import { openForwarder } from "../../dist/entry/forwarder-node.node.js";
import { KEY, newFolder, OPERATOR, SITE } from "./node-place.ts";
import { type Platform, SIGNATURE, secrets, sign, TOPIC } from "./shop-webhook.ts";

/** What CAKE says of conversions at present. */
type State = "delivered" | "waiting" | "refused" | "in doubt";

const ANSWERS: Record<State, () => Response> = {
  delivered: () => Response.json({ success: true, conversion: { conversion_id: 7 } }),
  waiting: () => new Response("", { status: 429, headers: { "retry-after": "3600" } }),
  refused: () => Response.json({ success: false, message: "Affiliate Not Authorized for Campaign" }),
  "in doubt": () => new Response("", { status: 503 }),
};

type Open = (
  shops: object,
  cake: () => State,
) => { fetch(request: Request): Promise<Response>; close(): Promise<void> };

const common = (settings: object, cake: () => State) => ({
  ...{ baseUrl: "https://acme.cakemarketing.com", apiKey: KEY, operatorSecret: OPERATOR, log: () => undefined },
  ...settings,
  fetch: async ({ url }: Request) =>
    url.includes("/conversion") ? ANSWERS[cake()]() : new Response("", { status: 503 }),
});

const inMemory = (): Open => {
  let kept: StoreSnapshot | undefined;
  const keep = async (snapshot: StoreSnapshot) => {
    kept = structuredClone(snapshot);
  };
  return (settings, cake) => {
    const forwarder = createForwarderInProcess({ ...common(settings, cake), kept, keep } as never);
    return { fetch: (request) => forwarder.fetch(request), close: () => forwarder.settle() };
  };
};
const inFolder = (): Open => {
  const folder = newFolder();
  let numbers: object = { shards: 4 };
  return (settings, cake) => {
    const forwarder = openForwarder({ ...common(settings, cake), folder, ...numbers } as never);
    numbers = { shards: 3, formerShards: [4] };
    return forwarder;
  };
};

interface Row {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly isInDoubt?: boolean;
  readonly code?: string;
  readonly conversion?: { readonly offerId: number; readonly uniqueId: string; readonly revenue?: string };
  readonly correction?: { offerId: number; uniqueId: string; status?: string; revenue?: string };
}

/** A site: its shops may be set anew on the same rows. */
function site(open: Open) {
  let state: State = "delivered";
  let forwarder: ReturnType<Open> | undefined;
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await forwarder?.fetch(new Request(`${SITE}/cake/${path}`, init));
    return { status: answer?.status, ...((await answer?.json()) as Record<string, unknown>) };
  };
  const authorization = `Bearer ${OPERATOR}`;
  const rows = async () =>
    ((await ask("operator/conversions", { headers: { authorization } })) as unknown as { rows: Row[] }).rows;
  const all = {
    ask,
    rows,
    async set(settings: object, answer: State = "delivered") {
      await forwarder?.close();
      state = answer;
      forwarder = open(settings, () => state);
    },
    async tell([shop, topic, body]: Told, secret = secrets[shop]) {
      const text = JSON.stringify(body);
      const headers = { "content-type": "application/json", [SIGNATURE[shop]]: sign(shop, text, secret) };
      if (shop !== "stripe") headers[TOPIC[shop]] = topic;
      return (await ask(`webhooks/${shop}`, { method: "POST", headers, body: text })) as { outcome?: string };
    },
    /** Waits until the event of a sale is as the state says. */
    async reached(wanted: State) {
      const is = { delivered: "delivered", waiting: "pending", refused: "refused", "in doubt": "pending" }[wanted];
      await expect.poll(async () => (await rows())[0], { interval: 5 }).toMatchObject({ state: is });
      if (wanted !== "in doubt") return;
      await expect.poll(async () => (await rows())[0]?.isInDoubt, { interval: 5 }).toBe(true);
      const body = JSON.stringify({ id: (await rows())[0]?.id, reason: "nobody knows" });
      const headers = { authorization, "content-type": "application/json" };
      await ask("operator/cancel", { method: "POST", headers, body });
    },
    conversions: async () =>
      (await rows()).flatMap(({ conversion, state }) =>
        conversion ? [`${conversion.offerId} ${conversion.uniqueId} ${Number(conversion.revenue)} ${state}`] : [],
      ),
    corrections: async () =>
      (await rows()).flatMap(({ correction: it, state, code }) =>
        it && code !== "nothing_left" && state !== "cancelled"
          ? [`${it.offerId} ${it.uniqueId} ${it.status ?? Number(it.revenue)}`]
          : [],
      ),
    close: async () => forwarder?.close(),
  };
  return all;
}

type Told = readonly [shop: Platform, topic: string, body: object];
type Next = "sale" | "edit" | "refund" | "cancel";
const NEXT: readonly Next[] = ["sale", "edit", "refund", "cancel"];

const START_MS = Date.now() - 3_600_000;
const iso = (minute: number) => new Date(START_MS + 60_000 * minute).toISOString().slice(0, 19);
const click = (shop: Platform) => ({ [shop === "shopify" ? "name" : "key"]: "reqid", value: "a1b2c3-click" });

/** An order of 100.00: its sale, and what its shop tells next. */
const TELL: Record<Platform, (next: Next, minute?: number) => Told> = {
  shopify(next, minute = 5) {
    const money = { amount: "30.00", currency: "USD", kind: "refund", status: "success" };
    const total = next === "edit" ? "90.00" : "100.00";
    const body = {
      ...{ id: 5_001, name: "#1001", currency: "USD", total_price: total, current_total_price: total },
      ...{ financial_status: "paid", processed_at: `${iso(0)}Z`, updated_at: `${iso(minute)}Z` },
      ...{ note_attributes: [click("shopify")] },
      ...(next === "refund" ? { refunds: [{ id: 6, order_id: 5_001, transactions: [money] }] } : {}),
      ...(next === "cancel" ? { cancelled_at: `${iso(minute)}Z` } : {}),
    };
    const topics = { sale: "orders/paid", edit: "orders/paid", refund: "orders/updated", cancel: "orders/cancelled" };
    return ["shopify", topics[next], body];
  },
  woocommerce(next, minute = 5) {
    const body = {
      ...{ id: 50, number: "W-50", status: next === "cancel" ? "cancelled" : "processing", currency: "USD" },
      ...{ total: next === "edit" ? "90.00" : "100.00", meta_data: [click("woocommerce")] },
      ...{ refunds: next === "refund" ? [{ id: 6, total: "-30.00" }] : [] },
      ...{ date_created_gmt: iso(0), date_paid_gmt: iso(0), date_modified_gmt: iso(minute) },
    };
    return ["woocommerce", "order.updated", body];
  },
  stripe(next, minute = 5) {
    const isSale = next === "sale" || next === "edit";
    const amount = next === "edit" ? 9_000 : 10_000;
    const sale = { id: "cs_1", payment_status: "paid", amount_total: amount, client_reference_id: "a1b2c3-click" };
    const charge = { id: "ch_1", amount: 10_000, amount_refunded: next === "refund" ? 3_000 : 10_000 };
    const object = { ...(isSale ? sale : charge), currency: "usd", payment_intent: "pi_1" };
    const type = isSale ? "checkout.session.completed" : "charge.refunded";
    return ["stripe", type, { type, livemode: true, created: Math.floor(START_MS / 1_000) + minute, data: { object } }];
  },
};

const OWN = { shopify: "5001", woocommerce: "50", stripe: "pi_1" };
const PUBLIC = { shopify: "#1001", woocommerce: "W-50", stripe: "" };

/** A mapping that chooses the offer and the unique id, and says so. */
const map = (_: object, __: string, found: { uniqueId: string } | undefined) =>
  found && { ...found, offerId: 333, uniqueId: `order-${found.uniqueId}` };

interface Setting {
  readonly name: string;
  readonly set: (shop: Platform) => object;
  readonly key: (shop: Platform) => string;
  readonly on?: readonly Platform[];
}
const number = (shop: Platform) => (shop === "shopify" ? "name" : "number");
const OLD: Setting = { name: "an offer", set: () => ({ offerId: 111 }), key: (shop) => `111 ${OWN[shop]}` };
const OTHERS: readonly Setting[] = [
  { name: "another offer", set: () => ({ offerId: 222 }), key: (shop) => `222 ${OWN[shop]}` },
  { name: "a prefix", set: () => ({ offerId: 111, idPrefix: "b-" }), key: (shop) => `111 b-${OWN[shop]}` },
  {
    name: "the order's number",
    set: (shop) => ({ offerId: 111, uniqueId: number(shop) }),
    key: (shop) => `111 ${PUBLIC[shop]}`,
    on: ["shopify", "woocommerce"],
  },
  { name: "a mapping", set: () => ({ map }), key: (shop) => `333 order-${OWN[shop]}` },
  {
    name: "a mapping besides an offer",
    set: () => ({ offerId: 222, map }),
    key: (shop) => `333 order-${OWN[shop]}`,
  },
];
const PLATFORMS: readonly Platform[] = ["shopify", "woocommerce", "stripe"];
/** Each change in both directions. */
const CHANGES = PLATFORMS.flatMap((shop) =>
  OTHERS.filter(({ on }) => on?.includes(shop) !== false).flatMap((other) => [
    { shop, before: OLD, after: other },
    { shop, before: other, after: OLD },
  ]),
);

const shops = (shop: Platform, { set }: Setting, secret: unknown = secrets[shop]) => ({
  shops: { [shop]: { currency: "USD", ...set(shop), secrets: secret } },
});
const isMapped = ({ set }: Setting, shop: Platform) => "map" in set(shop);

describe.each(CHANGES)("$shop: $before.name, then $after.name", ({ shop, before, after }) => {
  const was = before.key(shop);
  const sold = `${was} 100`;
  const corrected: Record<Next, readonly string[]> = {
    sale: [],
    // A mapping's total is its own.
    edit: isMapped(before, shop) ? [] : [`${was} 90`],
    refund: [`${was} 70`],
    cancel: [`${was} returned`],
  };

  test.each<State>(["delivered", "waiting", "in doubt"])("an order that is %s goes on under its key", async (state) => {
    for (const next of NEXT) {
      const { set, tell, reached, conversions, corrections, close } = site(inMemory());
      await set(shops(shop, before), state);
      expect(await tell(TELL[shop]("sale", 1))).toMatchObject({ outcome: "accepted" });
      await reached(state);
      await set(shops(shop, after));
      for (let time = 0; time < 2; time += 1) expect(await tell(TELL[shop](next))).toMatchObject({ status: 200 });
      const ended = { delivered: "delivered", waiting: "pending", "in doubt": "cancelled", refused: "" }[state];
      const all = await conversions();
      expect(all, next).toEqual([
        state === "waiting" ? expect.stringMatching(`^${sold} (pending|delivered)$`) : `${sold} ${ended}`,
      ]);
      expect(await corrections(), next).toEqual(corrected[next]);
      await close();
    }
  });

  test("an order that CAKE has surely refused is converted under the new key, once", async () => {
    for (const next of ["sale", "edit"] as const) {
      const { set, tell, reached, conversions, corrections, close } = site(inMemory());
      await set(shops(shop, before), "refused");
      await tell(TELL[shop]("sale", 1));
      await reached("refused");
      await set(shops(shop, after));
      expect(await tell(TELL[shop](next))).toMatchObject({ outcome: "accepted" });
      await reached("delivered");
      expect(await tell(TELL[shop](next))).toMatchObject({ outcome: "duplicate" });
      await tell(TELL[shop]("cancel", 9));
      const now = after.key(shop);
      expect(await conversions()).toEqual([`${now} ${next === "edit" ? 90 : 100} delivered`, `${sold} cancelled`]);
      expect(await corrections()).toEqual([`${now} returned`]);
      await close();
    }
  });

  test("a refund that came before its sale, and before the change, finds the sale", async () => {
    const { set, tell, conversions, corrections, close } = site(inMemory());
    await set(shops(shop, before));
    const [, topic, refund] = TELL[shop]("refund", 3);
    // An order of WooCommerce's of no click is no sale.
    await tell([shop, topic, { ...refund, meta_data: [] }]);
    expect(await conversions()).toEqual([]);
    await set(shops(shop, after));
    await tell(TELL[shop]("sale", 1));
    const now = after.key(shop);
    expect(await conversions()).toEqual([expect.stringContaining(now)]);
    expect((await corrections()).at(0)).toBe(`${now} 70`);
    await close();
  });

  test("in a folder, with another number of shards", async () => {
    const { set, tell, reached, conversions, corrections, close } = site(inFolder());
    await set(shops(shop, before));
    await tell(TELL[shop]("sale", 1));
    await reached("delivered");
    for (const setting of [after, before, after]) {
      await set(shops(shop, setting));
      expect(await tell(TELL[shop]("sale"))).toMatchObject({ outcome: expect.stringMatching(/^(duplicate|changed)$/) });
    }
    await tell(TELL[shop]("refund"));
    expect(await conversions()).toEqual([`${sold} delivered`]);
    expect(await corrections()).toEqual([`${was} 70`]);
    await close();
  });
});
