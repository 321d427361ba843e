/** Shops' webhooks on the Node host, with rows in four SQLite files: a refund finds its sale in whichever it is. */
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openForwarder, type WebhookConversion } from "../../dist/entry/forwarder-node.node.js";
import { createSandbox } from "../../dist/entry/sandbox-memory.inline.js";
import { KEY, OPERATOR, SITE } from "./forwarder-in-process.ts";

const SECRET = "whsec_Zm9yIHZlY3RvcnMgYWxvbmUsIG5vIHJlYWwgb25l";

const rename = (_: object, __: string, found: WebhookConversion | undefined) =>
  found && { ...found, uniqueId: `order-${found.uniqueId}` };

test.each([
  ["under their own ids", {}],
  ["under a mapping's", { map: rename }],
])("sales and refunds of many orders are each counted once, over four shards: %s", async (_, more) => {
  const folder = mkdtempSync(join(tmpdir(), "cake-edge-shops-"));
  const sandbox = createSandbox({ apiKey: KEY });
  const forwarder = openForwarder({
    folder,
    baseUrl: "http://127.0.0.1",
    apiKey: KEY,
    operatorSecret: OPERATOR,
    clockSpeed: 1_000,
    fetch: sandbox.fetch,
    log: () => undefined,
    shops: { stripe: { secrets: SECRET, offerId: 12_345, currency: "USD", ...more } },
  });
  onTestFinished(async () => {
    await forwarder.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const post = async (type: string, object: object) => {
    const body = JSON.stringify({ type, livemode: true, data: { object } });
    const at = Math.floor(Date.now() / 1_000);
    const v1 = createHmac("sha256", SECRET).update(`${at}.${body}`).digest("hex");
    const headers = { "stripe-signature": `t=${at},v1=${v1}` };
    const request = new Request(`${SITE}/cake/webhooks/stripe`, { method: "POST", headers, body });
    const answer = await forwarder.fetch(request);
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { outcome: string }).outcome;
  };
  const numbers = Array.from({ length: 12 }, (_, index) => index);
  const outcomes: string[] = [];
  for (const number of numbers) {
    const click = await sandbox.fetch(new Request("http://127.0.0.1/?a=67890&c=12"));
    const client_reference_id = new URL(click.headers.get("location") ?? "").searchParams.get("reqid");
    const sale = { id: `cs_${number}`, payment_status: "paid", amount_total: 2_000, currency: "usd" };
    const session = { ...sale, payment_intent: `pi_${number}`, client_reference_id };
    const charge = { id: `ch_${number}`, amount: 2_000, amount_refunded: 500, currency: "usd" };
    const refund = { ...charge, payment_intent: `pi_${number}` };
    for (let time = 0; time < 2; time += 1) outcomes.push(await post("checkout.session.completed", session));
    for (let time = 0; time < 2; time += 1) outcomes.push(await post("charge.refunded", refund));
  }
  expect(outcomes).toEqual(numbers.flatMap(() => ["accepted", "duplicate", "refund", "refund_duplicate"]));
  const state = async () => {
    const answer = await sandbox.fetch(new Request("http://127.0.0.1/__sandbox/state?limit=1000"));
    const { conversions } = (await answer.json()) as { conversions: { revenue_units: number; corrections: number }[] };
    return conversions.map(({ revenue_units, corrections }) => [revenue_units, corrections]);
  };
  await expect.poll(state, { timeout: 20_000 }).toEqual(numbers.map(() => [150_000, 1]));
});

describe("by another number of shards", () => {
  type Told = readonly [type: string, objects: readonly object[]];
  const told =
    (folder: string) =>
    async (shards: object, [type, objects]: Told) => {
      const forwarder = openForwarder({
        ...{ folder, baseUrl: "http://127.0.0.1", apiKey: KEY, operatorSecret: OPERATOR, log: () => undefined },
        fetch: () => Promise.resolve(new Response("", { status: 503 })),
        shops: { stripe: { secrets: SECRET, currency: "USD", offerId: 12_345, map: rename } },
        ...shards,
      });
      const outcomes: string[] = [];
      for (const object of objects) {
        const body = JSON.stringify({ type, livemode: true, data: { object } });
        const at = Math.floor(Date.now() / 1_000);
        const v1 = createHmac("sha256", SECRET).update(`${at}.${body}`).digest("hex");
        const init = { method: "POST", headers: { "stripe-signature": `t=${at},v1=${v1}` }, body };
        const answer = await forwarder.fetch(new Request(`${SITE}/cake/webhooks/stripe`, init));
        outcomes.push(((await answer.json()) as { outcome: string }).outcome);
      }
      const authorization = `Bearer ${OPERATOR}`;
      const listed = await forwarder.fetch(
        new Request(`${SITE}/cake/operator/conversions`, { headers: { authorization } }),
      );
      const { rows } = (await listed.json()) as { rows: { correction?: { status?: string; uniqueId: string } }[] };
      await forwarder.close();
      return { outcomes, returned: rows.filter(({ correction }) => correction?.status === "returned").length };
    };
  const numbers = Array.from({ length: 12 }, (_, index) => index);
  const paid = { payment_status: "paid", amount_total: 2_000, currency: "usd" };
  const sessions = numbers.map((n) => ({
    ...paid,
    id: `cs_${n}`,
    payment_intent: `pi_${n}`,
    client_reference_id: `a1b2-${n}`,
  }));
  const all = { amount: 2_000, amount_refunded: 2_000, currency: "usd" };
  const charges = numbers.map((n) => ({ ...all, id: `ch_${n}`, payment_intent: `pi_${n}` }));
  const four = { shards: 4 };
  const six = { shards: 6, formerShards: [4] };

  test.each([
    ["what a mapping made of an order is found", true, ["accepted", "refund"]],
    ["what came before the sale is found", false, ["ignored", "accepted"]],
  ])("%s", async (_, isSaleFirst, wanted) => {
    const folder = mkdtempSync(join(tmpdir(), "cake-edge-shops-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const sale: Told = ["checkout.session.completed", sessions];
    const refund: Told = ["charge.refunded", charges];
    const before = await told(folder)(four, isSaleFirst ? sale : refund);
    const after = await told(folder)(six, isSaleFirst ? refund : sale);
    expect(before.outcomes).toEqual(numbers.map(() => wanted[0]));
    expect(after.outcomes).toEqual(numbers.map(() => wanted[1]));
    expect(after.returned).toBe(12);
  });
});
