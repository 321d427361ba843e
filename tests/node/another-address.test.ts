/** An outbox whose account gets another address: its events, clicks, orders and corrections stay known. */
import { createHmac, randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createForwarderInProcess, type StoreSnapshot } from "../../dist/entry/forwarder-memory.inline.js";
import { openForwarder } from "../../dist/entry/forwarder-node.node.js";
import { createIds } from "../../dist/forwarder/setup.js";
import { signConversion } from "../../dist/webhook-signature.js";
import { KEY, newEvent, newFolder, OFFER, OPERATOR, SITE } from "./node-place.ts";

const SIGNING = `whsec_${btoa("secret of a backend, 32 bytes or more")}`;
const SHOP = "a shop's secret of 32 characters or more";

const answer = async ({ url }: Request) =>
  url.includes("/p.ashx") ? new Response("SUCCESS") : Response.json({ conversion: { conversion_id: 7 } });

const COMMON = {
  apiKey: KEY,
  operatorSecret: OPERATOR,
  origins: [SITE],
  signingSecrets: [SIGNING],
  shops: { shopify: { secrets: SHOP, offerId: OFFER, currency: "USD" } },
  fetch: answer,
  log: () => undefined,
};

type Way = { readonly baseUrl?: string; readonly pixelDomain?: string };
const A: Way = { baseUrl: "https://acme.cakemarketing.com" };

/** How a forwarder starts on the rows of the one before, by host. */
type Open = (way: Way) => { fetch(request: Request): Promise<Response>; close(): Promise<void> };

const HOSTS: readonly (readonly [name: string, host: () => Open])[] = [
  [
    "in memory",
    () => {
      let kept: StoreSnapshot | undefined;
      const keep = async (snapshot: StoreSnapshot) => {
        kept = structuredClone(snapshot);
      };
      return (way) => {
        const forwarder = createForwarderInProcess({ ...COMMON, ...way, kept, keep });
        return { fetch: (request) => forwarder.fetch(request), close: () => forwarder.settle() };
      };
    },
  ],
  [
    "in a folder",
    () => {
      const folder = newFolder();
      return (way) => openForwarder({ ...COMMON, ...way, folder, shards: 4 });
    },
  ],
  [
    "in a folder, with another number of shards",
    () => {
      const folder = newFolder();
      let numbers: object = { shards: 4 };
      return (way) => {
        const forwarder = openForwarder({ ...COMMON, ...way, folder, ...numbers });
        numbers = { shards: 3, formerShards: [4] };
        return forwarder;
      };
    },
  ],
];

function callers(open: ReturnType<Open>) {
  const post = async (path: string, body: string, headers: Record<string, string>) => {
    const all = { "content-type": "application/json", ...headers };
    const answered = await open.fetch(new Request(`${SITE}/cake/${path}`, { method: "POST", headers: all, body }));
    const told = (await answered.json()) as { readonly id?: string };
    return { status: answered.status, ...told };
  };
  return {
    page: (event: object) => post("conversions", JSON.stringify(event), { origin: SITE }),
    async backend(body: object, path = "conversions") {
      const text = JSON.stringify(body);
      return post(path, text, { ...(await signConversion(text, SIGNING)) });
    },
    shop(topic: string, body: object) {
      const text = JSON.stringify(body);
      const signature = createHmac("sha256", SHOP).update(text).digest("base64");
      return post("webhooks/shopify", text, { "x-shopify-topic": topic, "x-shopify-hmac-sha256": signature });
    },
  };
}

const at = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();

function newOrder() {
  const id = Math.floor(Math.random() * 1e12);
  const paid = { financial_status: "paid", processed_at: at(-60), updated_at: at(-50), refunds: [] };
  const total = { total_price: "100.00", current_total_price: "100.00", currency: "USD" };
  const order = { id, name: "#1001", ...total, ...paid, note_attributes: [{ name: "reqid", value: randomUUID() }] };
  const money = { id: 1, order_id: id, amount: "100.00", currency: "USD", kind: "refund", status: "success" };
  const times = { created_at: at(-1), processed_at: at(-1) };
  const refund = { id: 5, order_id: id, ...times, transactions: [money], refund_line_items: [], order_adjustments: [] };
  return { order, refund };
}

describe.each(HOSTS)("%s", (_name, host) => {
  test.each<readonly [string, Way, Way]>([
    ["a mended name", { baseUrl: "https://amce.cakemarketing.com" }, A],
    ["the network's own domain, and a port", A, { baseUrl: "https://login.yournetwork.com:8443" }],
    ["a sandbox on another port", { baseUrl: "http://127.0.0.1:8787" }, { baseUrl: "http://localhost:8788" }],
    ["the API in place of p.ashx", { ...A, pixelDomain: "track.yournetwork.com" }, A],
    ["p.ashx in place of the API", A, { ...A, pixelDomain: "track.yournetwork.com" }],
    ["another tracking domain", { ...A, pixelDomain: "track.yournetwork.com" }, { ...A, pixelDomain: "trk.example" }],
  ])("%s: nothing counts twice, and refunds find their sales", async (_, before, after) => {
    const open = host();
    const [ofBackend, ofPage] = [newEvent({ payout: "1.00" }), newEvent()];
    const { order, refund } = newOrder();
    let forwarder = open(before);
    const first = callers(forwarder);
    const sold = await first.backend(ofBackend);
    expect(sold).toMatchObject({ status: 202, duplicate: false });
    expect(await first.page(ofPage)).toMatchObject({ status: 202, duplicate: false });
    expect(await first.shop("orders/paid", order)).toMatchObject({ outcome: "accepted" });
    await forwarder.close();
    forwarder = open(after);
    const second = callers(forwarder);
    expect(await second.backend(ofBackend)).toMatchObject({ id: sold.id, duplicate: true });
    expect(await second.page(ofPage)).toMatchObject({ status: 202, duplicate: true });
    expect(await second.page({ ...ofPage, uniqueId: randomUUID() })).toMatchObject({
      status: 409,
      error: { code: "click_converted" },
    });
    expect(await second.shop("orders/paid", order)).toMatchObject({ outcome: "duplicate" });
    expect(await second.shop("refunds/create", refund)).toMatchObject({ outcome: "refund" });
    const { offerId, uniqueId } = ofBackend;
    const correction = await second.backend(
      { correctionId: randomUUID(), offerId, uniqueId, status: "returned" },
      "corrections",
    );
    // It is kept beside its conversion.
    expect(String(correction.id).slice(0, 8)).toBe(String(sold.id).slice(0, 8));
    await forwarder.close();
  });

  test("what a sandbox was sent does not count as sent to CAKE", async () => {
    const open = host();
    const event = newEvent();
    for (const [way, duplicate] of [
      [{ baseUrl: "http://127.0.0.1:8787" }, false],
      [A, false],
      [{ baseUrl: "https://login.yournetwork.com" }, true],
    ] as const) {
      const forwarder = open(way);
      expect(await callers(forwarder).backend(event)).toMatchObject({ status: 202, duplicate });
      await forwarder.close();
    }
  });
});

test("in a rolling release, an older first shard says the secret alone, and an older Worker asks for no more", async () => {
  const account = "https://a.example";
  const ids = async (told: string) => createIds([{ idSecret: async () => told }] as never, { account, senders: [] })();
  const [old, first, later] = [await ids("ab.cd"), await ids(`ab.cd|${account}`), await ids("ab.cd|https://b.example")];
  expect(old.account).toBe(account);
  expect(first.account).toBe(account);
  expect(later.account).toBe("https://b.example");
  expect(new Set([old, first, later].map(({ idOf }) => idOf("key"))).size).toBe(1);
});
