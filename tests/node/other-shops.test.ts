/** Shops that take over the settings of another one: no sale and no refund of one shop becomes the other one's. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createForwarderInProcess, type StoreSnapshot } from "../../dist/entry/forwarder-memory.inline.js";
import { openForwarder } from "../../dist/entry/forwarder-node.node.js";
import { KEY, newFolder, OPERATOR, SITE } from "./node-place.ts";
import { type Platform, SIGNATURE, sign, TOPIC } from "./shop-webhook.ts";

const A = "the secret of shop A, with 32 characters or more";
const B = "the secret of shop B, with 32 characters or more";
const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

const shop = (secrets: string | string[], idPrefix = "", more: object = {}) => ({
  ...{ secrets, offerId: 111, currency: "USD", idPrefix },
  ...more,
});
const woo = (...woocommerce: readonly object[]) => ({ shops: { woocommerce } });
const order = (id: number, clickId: string, more: object = {}) => ({
  ...{ id, number: `${id}`, status: "processing", currency: "USD", total: "100.00", refunds: [] },
  ...{ meta_data: clickId === "" ? [] : [{ key: "reqid", value: clickId }] },
  ...{ date_paid_gmt: gmt(), date_modified_gmt: gmt(), ...more },
});
const gmt = () => new Date().toISOString().slice(0, 19);
const PART = { refunds: [{ id: 8, total: "-40.00" }] };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});
const later = (ms: number) => vi.setSystemTime(Date.now() + ms);

type Forwarder = { fetch(request: Request): Promise<Response>; close(): Promise<unknown> };

/** Forwarders on the same rows, one after the other. */
function site() {
  let kept: StoreSnapshot | undefined;
  let forwarder: Forwarder | undefined;
  let conversionId = 0;
  const alerts: object[] = [];
  const common = {
    ...{ baseUrl: "https://acme.cakemarketing.com", apiKey: KEY, operatorSecret: OPERATOR, origins: [SITE] },
    log: (line: { alert?: true }) => line.alert && alerts.push(line),
    fetch: async ({ url }: Request) =>
      url.includes("/conversion")
        ? Response.json({ success: true, conversion: { conversion_id: ++conversionId } })
        : new Response("", { status: 503 }),
  };
  const keep = async (snapshot: StoreSnapshot) => {
    kept = structuredClone(snapshot);
  };
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await forwarder?.fetch(new Request(`${SITE}/cake/${path}`, init));
    const body = (await answer?.json()) as Record<string, unknown>;
    return { ...body, status: answer?.status } as Record<string, unknown>;
  };
  interface Row {
    conversion?: { offerId: number; uniqueId: string; clickId: string };
    correction?: { offerId: number; uniqueId: string; status?: string; revenue?: string };
  }
  const rows = async () =>
    (await ask("operator/conversions", { headers: { authorization: `Bearer ${OPERATOR}` } }))["rows"] as Row[];
  return {
    alerts,
    async set(settings: object) {
      await forwarder?.close();
      later(MINUTE);
      const made = createForwarderInProcess({ ...common, ...settings, kept, keep } as never);
      forwarder = { fetch: (request) => made.fetch(request), close: () => made.settle() };
    },
    tell: (secret: string, body: object, shop: Platform = "woocommerce", topic = "order.updated") => {
      later(MINUTE);
      const text = JSON.stringify(body);
      const headers = { [SIGNATURE[shop]]: sign(shop, text, secret), [TOPIC[shop]]: topic };
      return ask(`webhooks/${shop}`, { method: "POST", headers, body: text });
    },
    page: (event: object) => {
      later(MINUTE);
      const headers = { origin: SITE, "content-type": "text/plain" };
      return ask("conversions", { method: "POST", headers, body: JSON.stringify(event) });
    },
    conversions: async () =>
      (await rows()).flatMap(({ conversion: it }) => (it ? [`${it.offerId} ${it.uniqueId} ${it.clickId}`] : [])).sort(),
    corrections: async () =>
      (await rows())
        .flatMap(({ correction: it }) =>
          it ? [`${it.offerId} ${it.uniqueId} ${it.status ?? Number(it.revenue)}`] : [],
        )
        .sort(),
  };
}

const ONE = [shop(A)];
const NUMBER = { uniqueId: "number" };
const NUMBER_222 = { ...NUMBER, offerId: 222 };
const NUMBERS = [shop(A, "", NUMBER_222), shop(B, "b-", NUMBER)];
const BOTH = [shop(A, "a-"), shop(B, "b-")];
/** What was set, one after the other; the key of A's first order; where B's orders go once B has a prefix. */
const TAKEN: readonly [name: string, starts: readonly (readonly object[])[], key: string, mended: readonly object[]][] =
  [
    ["the first shop gets the prefix", [ONE, [shop(A, "a-"), shop(B)]], "111 1", [shop(A, "a-"), shop(B, "c-")]],
    ["the other one comes later", [ONE, [shop(A, "a-")], [shop(A, "a-"), shop(B)]], "111 1", BOTH],
    ["another offer", [ONE, [shop(A, "", { offerId: 222 }), shop(B)]], "111 1", [ONE[0] ?? {}, shop(B, "b-")]],
    ["the order's number", [[shop(A, "", NUMBER)], [shop(A, "", NUMBER_222), shop(B, "", NUMBER)]], "111 1", NUMBERS],
    ["they change places", [BOTH, [shop(A, "b-"), shop(B, "a-")]], "111 a-1", [shop(A, "a-"), shop(B, "b-")]],
    ["the other one is alone", [ONE, [shop(B)]], "111 1", [shop(B, "b-")]],
  ];

describe.each(TAKEN)("%s", (name, starts, key, mended) => {
  const swaps = name === "they change places";
  const isAlone = name === "the other one is alone";

  test.each([0, 3 * DAY])("no order is another shop's, %i ms later", async (gap) => {
    const { set, tell, conversions, corrections, alerts } = site();
    for (const [index, shops] of starts.entries()) {
      await set(woo(...shops));
      if (index > 0) continue;
      expect(await tell(A, order(1, "a1b2c3-click"))).toMatchObject({ outcome: "accepted" });
      expect(await tell(A, order(2, "", { status: "refunded" }))).toMatchObject({ outcome: "ignored" });
      if (swaps) expect(await tell(B, order(1, "d4e5f6-click"))).toMatchObject({ outcome: "accepted" });
    }
    later(gap);
    const first = [`${key} a1b2c3-click`, ...(swaps ? ["111 b-1 d4e5f6-click"] : [])];
    if (!isAlone) {
      expect(await tell(A, order(1, "a1b2c3-click", { status: "completed" }))).toMatchObject({ outcome: "changed" });
      expect(await tell(A, order(1, "a1b2c3-click", PART))).toMatchObject({ outcome: "refund" });
      expect(await corrections()).toContain(`${key} 60`);
    }
    const before = await corrections();
    const answers = [
      await tell(B, order(1, "d4e5f6-click")),
      await tell(B, order(1, "d4e5f6-click", { total: "90.00", ...PART })),
    ];
    if (swaps) {
      expect(answers).toMatchObject([{ outcome: "changed" }, { outcome: "refund" }]);
      expect(await corrections()).toEqual([...before, "111 b-1 50"].sort());
    } else {
      for (const told of answers) expect(told).toMatchObject({ outcome: "refused", reason: "other_shop" });
      expect(await tell(B, order(1, "d4e5f6-click", { status: "refunded" }))).toMatchObject({
        ...{ outcome: "refund_not_taken", reason: "other_shop" },
      });
      expect(await tell(B, order(1, ""))).toMatchObject({ outcome: "no_click_id" });
      // A refund of the first shop's waits there for its sale.
      expect(await tell(B, order(2, "e7f8a9-click"))).toMatchObject({ outcome: "refused", reason: "other_shop" });
      expect(alerts).toHaveLength(4);
      expect(await corrections()).toEqual(before);
    }
    expect(await conversions()).toEqual(first.sort());
    // Its other orders are sold as ever.
    expect(await tell(B, order(70, "070707-click"))).toMatchObject({ outcome: "accepted" });
    expect(await tell(B, order(70, "070707-click", PART))).toMatchObject({ outcome: "refund" });
    expect(await corrections()).toHaveLength(before.length + (swaps ? 2 : 1));
    await set(woo(...mended));
    if (!swaps) expect(await tell(B, order(1, "d4e5f6-click"))).toMatchObject({ outcome: "accepted" });
    expect(await tell(B, order(70, "070707-click", { ...PART, status: "completed" }))).toMatchObject({
      outcome: "changed",
    });
    expect(await conversions()).toHaveLength(3);
  });

  test("a Node process does not start so, unless it is the only one left", async () => {
    const folder = newFolder();
    const open = (shops: readonly object[]) =>
      openForwarder({
        ...{ baseUrl: "https://acme.cakemarketing.com", apiKey: KEY, operatorSecret: OPERATOR, folder },
        ...{ log: () => undefined, fetch: async () => new Response("", { status: 503 }), ...woo(...shops) },
      } as never);
    const last = starts.at(-1) ?? [];
    for (const shops of starts.slice(0, -1)) {
      const forwarder = open(shops);
      await forwarder.fetch(new Request(`${SITE}/cake/conversions`, { method: "POST", body: "{}" }));
      for (const secret of [A, B]) {
        const text = JSON.stringify(order(1, ""));
        const headers = {
          [SIGNATURE.woocommerce]: sign("woocommerce", text, secret),
          [TOPIC.woocommerce]: "order.updated",
        };
        await forwarder.fetch(
          new Request(`${SITE}/cake/webhooks/woocommerce`, { method: "POST", headers, body: text }),
        );
      }
      await forwarder.close();
      later(DAY);
    }
    if (isAlone) return open(last).close();
    const refused = swaps
      ? ["shops.woocommerce.0", "shops.woocommerce.1"]
      : ["shops.woocommerce.1", "shops.woocommerce.0"];
    for (let time = 0; time < 2; time += 1) {
      expect(() => open(last)).toThrow(
        `${refused[0]}.idPrefix must keep its ids apart from those that ${refused[1]} had before, such as "b-": that shop's orders are known by them until 20`,
      );
    }
    for (const shops of [mended, starts[0] ?? []]) await open(shops).close();
    // Nobody knows them any more.
    later(61 * DAY);
    if (name === "the other one comes later") await open(last).close();
  });
});

describe("one shop whose secret was replaced at once", () => {
  test("its orders are found by their click, the others are told", async () => {
    const { set, tell, page, corrections, conversions } = site();
    await set(woo(shop(A)));
    await tell(A, order(1, "a1b2c3-click"));
    await page({ clickId: "d4e5f6-click", offerId: 111, uniqueId: "2" });
    await page({ clickId: "e7f8a9-click", offerId: 111, uniqueId: "3" });
    await set(woo(shop(B)));
    expect(await tell(B, order(1, "a1b2c3-click"))).toMatchObject({ outcome: "duplicate" });
    expect(await tell(B, order(1, "a1b2c3-click", PART))).toMatchObject({ outcome: "refund" });
    expect(await tell(B, order(2, "0b0b0b-click", PART))).toMatchObject({ outcome: "refused", reason: "other_shop" });
    expect(await tell(B, order(3, "", { status: "cancelled" }))).toMatchObject({ outcome: "refund_not_taken" });
    expect(await corrections()).toEqual(["111 1 60"]);
    // The old secret behind the new one says that it is the same shop.
    await set(woo(shop([B, A])));
    expect(await tell(B, order(2, "0b0b0b-click", PART))).toMatchObject({ outcome: "refund" });
    expect(await tell(B, order(3, "", { status: "cancelled" }))).toMatchObject({ outcome: "refund" });
    expect(await corrections()).toEqual(["111 1 60", "111 2 60", "111 3 returned"]);
    expect(await conversions()).toHaveLength(3);
  });

  test("an order that came once the other was gone is its own, whatever its click", async () => {
    const { set, tell, page, corrections, alerts } = site();
    await set(woo(shop(A)));
    await tell(A, order(1, "a1b2c3-click"));
    await set(woo(shop(B)));
    await tell(B, order(50, "070707-click"));
    later(8 * DAY);
    await page({ clickId: "d4e5f6-click", offerId: 111, uniqueId: "60" });
    expect(await tell(B, order(60, "0b0b0b-click"))).toMatchObject({ outcome: "changed" });
    expect(await tell(B, order(60, "", { status: "cancelled" }))).toMatchObject({ outcome: "refund" });
    expect(await tell(B, order(1, "", { status: "cancelled" }))).toMatchObject({ outcome: "refund_not_taken" });
    expect(await corrections()).toContain("111 60 returned");
    expect(alerts).toHaveLength(1);
  });
});

test("an order of before that tells no click is the first shop's, from the time when it was alone", async () => {
  const { set, tell, page, corrections } = site();
  await set(woo(shop(A)));
  await page({ clickId: "a1b2c3-click", offerId: 111, uniqueId: "1" });
  await set(woo(shop(A, "a-"), shop(B)));
  expect(await tell(A, order(1, "", { status: "cancelled" }))).toMatchObject({ outcome: "refund" });
  expect(await tell(B, order(1, "", { status: "cancelled" }))).toMatchObject({ outcome: "refund_not_taken" });
  expect(await corrections()).toEqual(["111 1 returned"]);
});

test("a mapping that chooses another shop's order makes no sale of it", async () => {
  const { set, tell, conversions } = site();
  const map = (_: object, __: string, found: { uniqueId: string } | undefined) =>
    found && { ...found, offerId: 111, uniqueId: found.uniqueId.replace("m-", "") };
  await set(woo(shop(A)));
  await tell(A, order(1, "a1b2c3-click"));
  await set(woo(shop(A, "a-"), { secrets: B, currency: "USD", map }));
  expect(await tell(B, order(1, "d4e5f6-click"))).toMatchObject({ outcome: "refused", reason: "other_shop" });
  expect(await tell(B, order(2, "d4e5f6-click"))).toMatchObject({ outcome: "accepted" });
  expect(await conversions()).toEqual(["111 1 a1b2c3-click", "111 2 d4e5f6-click"]);
});

test("a shop on Shopify whose names are those of another one", async () => {
  const { set, tell, conversions, corrections } = site();
  const named = (secrets: string) => ({ shops: { shopify: shop(secrets, "", { uniqueId: "name" }) } });
  const paid = (id: number, clickId: string, more: object = {}) => ({
    ...{ id, name: "#1001", currency: "USD", total_price: "100.00", financial_status: "paid" },
    ...{ note_attributes: [{ name: "reqid", value: clickId }], updated_at: new Date().toISOString(), ...more },
  });
  await set(named(A));
  expect(await tell(A, paid(5_001, "a1b2c3-click"), "shopify", "orders/paid")).toMatchObject({ outcome: "accepted" });
  await set(named(B));
  const own = paid(7_001, "d4e5f6-click");
  expect(await tell(B, own, "shopify", "orders/paid")).toMatchObject({ outcome: "refused", reason: "other_shop" });
  const cancelled = { ...own, cancelled_at: new Date().toISOString() };
  expect(await tell(B, cancelled, "shopify", "orders/cancelled")).toMatchObject({
    ...{ outcome: "refund_not_taken", reason: "other_shop" },
  });
  expect(await conversions()).toEqual(["111 #1001 a1b2c3-click"]);
  expect(await corrections()).toEqual([]);
});
