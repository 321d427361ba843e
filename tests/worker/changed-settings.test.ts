/** Shops in workerd whose settings of keys change: Workers and objects of both releases at once, and what it costs. */
import { abortAllDurableObjects, env } from "cloudflare:test";
import { createForwarder, type WorkerOptions } from "cake-edge/forwarder";
import { beforeEach, describe, expect, test } from "vitest";
import { settings, wishes } from "./worker.ts";

const { WISHED } = env as unknown as { WISHED: DurableObjectNamespace };
const SECRET = "a secret of a shop on WooCommerce, 32 or more";
const [SITE = ""] = settings.origins;

type Stub = Record<string, (...args: unknown[]) => Promise<unknown>>;

let tests = 0;
let prefix = "";
/** The methods of objects that were called. */
const calls: string[] = [];

beforeEach(() => {
  tests += 1;
  prefix = `settings ${tests}`;
});

/** Which objects are of an older release: the first one knows nothing of settings, the others not how events ended. */
type Older = "none" | "first" | "others";

/** The objects, counted. */
const outboxOf = (older: Older) =>
  ({
    idFromName: (name: string) => WISHED.idFromName(`${prefix} ${name}`),
    get: (id: DurableObjectId) => {
      const stub = WISHED.get(id) as unknown as Stub;
      return new Proxy(stub, {
        get:
          (_, method: string) =>
          async (...args: unknown[]) => {
            calls.push(method);
            const given = older === "first" && method === "idSecret" ? args.slice(0, 1) : args;
            const answer = await (stub[method] as Stub[string])(...given);
            if (older !== "others" || method !== "accept") return answer;
            return (answer as { settled?: object }[]).map(({ settled, ...rest }) => ({
              ...rest,
              ...(settled === undefined ? {} : { settled: { ...settled, conversion: undefined } }),
            }));
          },
      });
    },
  }) as unknown as DurableObjectNamespace;

const shop = (offerId: number, more: object = {}) => ({ secrets: SECRET, offerId, currency: "USD", ...more });

const options = (
  offerId: number,
  older: Older = "none",
  shops: readonly object[] = [shop(offerId)],
): WorkerOptions => ({
  ...settings,
  ...{ apiKey: "CANARY-KEY", outbox: outboxOf(older), shards: 2, log: () => undefined },
  shops: { woocommerce: shops } as WorkerOptions["shops"],
  fetch: async () => new Response(null, { status: 429, headers: { "retry-after": "3600" } }),
});

async function sign(text: string, secret: string): Promise<string> {
  const encode = (given: string) => new TextEncoder().encode(given);
  const key = await crypto.subtle.importKey("raw", encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.sign("HMAC", key, encode(text)))));
}

/** An isolate of a release. */
function worker(offerId: number, older: Older = "none", shops?: readonly object[]) {
  const forwarder = createForwarder(() => options(offerId, older, shops));
  const own = {};
  return {
    async tell(id: number, more: object = {}, secret = SECRET) {
      const order = { id, status: "processing", currency: "USD", total: "10.00", refunds: [] };
      const body = JSON.stringify({ ...order, meta_data: [{ key: "reqid", value: `a1b2c3-${id}` }], ...more });
      const headers = { "x-wc-webhook-topic": "order.updated", "x-wc-webhook-signature": await sign(body, secret) };
      const request = new Request(`${SITE}/cake/webhooks/woocommerce`, { method: "POST", headers, body });
      const answer = await forwarder.fetch(request, own);
      return { status: answer.status, ...((await answer.json()) as { outcome?: string }) };
    },
    async rows() {
      const headers = { authorization: `Bearer ${settings.operatorSecret}` };
      const request = new Request(`${SITE}/cake/operator/conversions?limit=500`, { headers });
      const listed = (await (await forwarder.fetch(request, own)).json()) as {
        rows: { state: string; conversion?: { offerId: number; uniqueId: string }; correction?: { offerId: number } }[];
      };
      return listed.rows;
    },
  };
}

const conversionsOf = async (from: ReturnType<typeof worker>) =>
  (await from.rows()).flatMap(({ conversion, state }) =>
    conversion === undefined || state === "cancelled" ? [] : [`${conversion.offerId} ${conversion.uniqueId}`],
  );

const numbers = Array.from({ length: 6 }, (_, index) => index + 1);
const refunds = [{ id: 1, total: "-4.00" }];

describe("during a rolling release", () => {
  test("an order is one conversion, whichever release is told first, over objects of both", async () => {
    wishes.now = options(111);
    const old = worker(111);
    for (const id of numbers.slice(0, 3)) expect(await old.tell(id)).toMatchObject({ outcome: "accepted" });
    await abortAllDurableObjects();
    wishes.now = options(222);
    const next = worker(222);
    for (const id of numbers.slice(0, 3)) expect(await next.tell(id)).toMatchObject({ outcome: "changed" });
    for (const id of numbers.slice(3)) expect(await next.tell(id)).toMatchObject({ outcome: "accepted" });
    await abortAllDurableObjects();
    wishes.now = options(111);
    // Another isolate of the old release.
    const older = worker(111);
    for (const id of numbers) expect(await older.tell(id)).toMatchObject({ status: 200 });
    for (const id of numbers) expect(await next.tell(id, { refunds })).toMatchObject({ status: 200 });
    const sold = numbers.map((id) => `${id <= 3 ? 111 : 222} ${id}`);
    expect((await conversionsOf(next)).sort()).toEqual(sold);
    const corrected = (await next.rows()).flatMap(({ correction }) => (correction ? [correction.offerId] : []));
    expect(corrected.sort()).toEqual([111, 111, 111, 222, 222, 222]);
  });

  test("an order that both releases are told at one moment is one conversion", async () => {
    wishes.now = options(222);
    const first = worker(111);
    await first.tell(99);
    const [next, old] = [worker(222), worker(111)];
    await next.tell(99);
    await old.tell(99);
    const both = Array.from({ length: 12 }, (_, index) => index + 1);
    await Promise.all(both.flatMap((id) => [old.tell(id), next.tell(id)]));
    const ids = (await conversionsOf(next)).map((each) => each.split(" ")[1]);
    expect(ids.sort()).toEqual([...both, 99].map(String).sort());
    for (const id of both) for (const each of [old, next]) await each.tell(id, { refunds });
    expect((await conversionsOf(next)).length).toBe(13);
    expect((await next.rows()).filter(({ correction }) => correction !== undefined)).toHaveLength(12);
  });

  test("objects of an older release say less, and an order counts as known", async () => {
    wishes.now = options(111);
    await worker(111).tell(1);
    // It knows no settings of before: as before, the order is another one.
    expect(await worker(222, "first").tell(1)).toMatchObject({ outcome: "accepted" });
    expect(await worker(333, "others").tell(1)).toMatchObject({ outcome: "changed" });
  });
});

test("a shop that takes over another one's settings takes none of its orders, during the roll-out too", async () => {
  wishes.now = options(111);
  const secrets = "a secret of another shop, 32 characters or more";
  const old = worker(111);
  expect(await old.tell(1)).toMatchObject({ outcome: "accepted" });
  const shops = [shop(111, { idPrefix: "a-" }), shop(111, { secrets })];
  await abortAllDurableObjects();
  wishes.now = options(111, "none", shops);
  const next = worker(111, "none", shops);
  const other = { meta_data: [{ key: "reqid", value: "d4e5f6-click" }], refunds };
  const refused = { outcome: "refused", reason: "other_shop" };
  expect(await next.tell(1, other, secrets)).toMatchObject(refused);
  expect(await old.tell(2)).toMatchObject({ outcome: "accepted" });
  expect(await next.tell(2, other, secrets)).toMatchObject(refused);
  expect(await next.tell(2, { refunds })).toMatchObject({ outcome: "refund" });
  expect(await next.tell(3, other, secrets)).toMatchObject({ outcome: "accepted" });
  expect((await conversionsOf(next)).sort()).toEqual(["111 1", "111 2", "111 3"]);
  const corrected = (await next.rows()).filter(({ correction }) => correction !== undefined);
  expect(corrected).toHaveLength(2);
});

test("without a change a webhook calls what it called before; with one it asks for each setting of before", async () => {
  wishes.now = options(111);
  const called = async (from: ReturnType<typeof worker>, id: number) => {
    calls.length = 0;
    await from.tell(id);
    return [...calls];
  };
  const old = worker(111);
  expect(await called(old, 1)).toEqual(["idSecret", "accept", "tally"]);
  expect(await called(old, 1)).toEqual(["accept", "tally"]);
  expect(await called(worker(111), 2)).toEqual(["idSecret", "accept", "tally"]);
  const next = worker(222);
  expect(await called(next, 1)).toEqual(["idSecret", "accept", "accept", "accept", "tally"]);
  expect((await called(next, 3)).filter((method) => method !== "accept")).toEqual(["tally"]);
});
