/** The forwarder in workerd: its routes, its callers, and its outbox in Durable Objects, against a sandbox. */
import { env, exports } from "cloudflare:workers";
import { createConversionToken } from "cake-edge";
import { createForwarder } from "cake-edge/forwarder";
import { Webhook } from "standardwebhooks";
import { beforeEach, expect, test } from "vitest";
import { signConversion } from "../../dist/webhook-signature.js";
import { forwarder, settings } from "./worker.ts";

const ORIGIN = "http://127.0.0.1:8787";
const SITE = "https://shop.example";
const sandbox = (exports as unknown as { default: Fetcher }).default;
const [SECRET = ""] = settings.signingSecrets;

const ask = (path: string, init: RequestInit = {}) =>
  forwarder.fetch(new Request(`${ORIGIN}/cake/${path}`, init), env as never);

/** Sends a request as a page of the shop does. */
const page = (body: unknown, headers: Record<string, string> = {}, query = "") =>
  ask(`conversions${query}`, {
    method: "POST",
    headers: { origin: SITE, "content-type": "text/plain;charset=UTF-8", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

/** Sends a request as a backend does. */
async function backend(body: unknown, query = "", more: Record<string, string> = {}): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const signature = { ...(await signConversion(text, SECRET)) };
  return ask(`conversions${query}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...signature, ...more },
    body: text,
  });
}

async function click(): Promise<string> {
  const response = await sandbox.fetch(`${ORIGIN}/?a=67890&c=12&s1=forwarder`, { redirect: "manual" });
  return new URL(response.headers.get("location") ?? "").searchParams.get("reqid") ?? "";
}

async function recorded(uniqueId: string): Promise<number> {
  const { conversions } = await (await sandbox.fetch(`${ORIGIN}/__sandbox/state?limit=500`)).json<{
    conversions: { unique_id: string }[];
  }>();
  return conversions.filter(({ unique_id }) => unique_id === uniqueId).length;
}

async function refusal(response: Response): Promise<[number, string]> {
  const { error } = await response.json<{ error: { code: string } }>();
  return [response.status, error.code];
}

const faults = (rules: unknown) =>
  sandbox.fetch(`${ORIGIN}/__sandbox/faults`, { method: "PUT", body: JSON.stringify(rules) });
const unique = () => `ORD-${crypto.randomUUID()}`;

beforeEach(async () => {
  await faults([]);
});

test("an event is accepted with 202, delivered, and known by its id", async () => {
  const event = { clickId: await click(), offerId: 12_345, uniqueId: unique() };
  const response = await page(event);
  expect(response.status).toBe(202);
  const { id, state, duplicate } = await response.json<{ id: string; state: string; duplicate: boolean }>();
  expect([state, duplicate]).toEqual(["pending", false]);
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  await expect
    .poll(async () => (await (await ask(`conversions/${id}`)).json<{ state: string }>()).state)
    .toBe("delivered");
  const status = await (await ask(`conversions/${id}`)).json();
  expect(status).toMatchObject({ id, state: "delivered", attempts: 1, acceptedAt: expect.stringMatching(/^\d{4,}-/) });
  expect(await recorded(event.uniqueId)).toBe(1);
});

test("with ?wait=1 the answer says what became of it", async () => {
  const answer = await (
    await page({ clickId: await click(), offerId: 12_345, uniqueId: unique() }, {}, "?wait=1")
  ).json();
  expect(answer).toMatchObject({ state: "delivered", duplicate: false, conversionId: expect.any(Number) });
  const refused = await (await page({ clickId: "nobody", offerId: 12_345, uniqueId: unique() }, {}, "?wait=1")).json();
  expect(refused).toMatchObject({ state: "refused", code: "refused" });
});

test("the same event again is a duplicate, and with other fields a conflict", async () => {
  const event = { clickId: await click(), offerId: 12_345, uniqueId: unique() };
  await page(event, {}, "?wait=1");
  const again = await (await page(event)).json();
  expect(again).toMatchObject({ state: "delivered", duplicate: true });
  expect(await refusal(await page({ ...event, orderId: "other" }))).toEqual([409, "conversion_conflict"]);
  expect(await recorded(event.uniqueId)).toBe(1);
});

test("32 of the same at once are one", async () => {
  const event = { clickId: await click(), offerId: 12_345, uniqueId: unique() };
  const answers = await Promise.all(
    Array.from({ length: 32 }, async () => (await page(event)).json<{ id: string; duplicate: boolean }>()),
  );
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
  expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
  await page(event, {}, "?wait=1");
  expect(await recorded(event.uniqueId)).toBe(1);
});

test("a batch is answered in order, each by itself", async () => {
  const clickId = await click();
  const [first, last] = [unique(), unique()];
  const response = await backend(
    {
      conversions: [
        { clickId, offerId: 12_345, uniqueId: first, payout: "18.00" },
        { clickId, offerId: 12_345 },
        { clickId, offerId: 12_345, uniqueId: last, revenue: 7.5, conversionDate: "2026-06-19 14:30:00" },
      ],
    },
    "?wait=1",
  );
  expect(response.status).toBe(202);
  const { results } = await response.json<{ results: Record<string, unknown>[] }>();
  expect(results).toMatchObject([
    { state: "delivered", duplicate: false },
    { error: { code: "invalid_field", parameter: "uniqueId", retryable: false } },
    { state: "delivered", duplicate: false },
  ]);
  expect([await recorded(first), await recorded(last)]).toEqual([1, 1]);
});

test("a hundred at once are accepted and delivered", async () => {
  const clickId = await click();
  const conversions = Array.from({ length: 100 }, () => ({ clickId, offerId: 12_345, uniqueId: unique() }));
  const { results } = await (await backend({ conversions })).json<{ results: { id: string }[] }>();
  expect(results).toHaveLength(100);
  const delivered = async () => {
    const told = await Promise.all(
      results.map(async ({ id }) => (await ask(`conversions/${id}`)).json<{ state: string }>()),
    );
    return told.filter(({ state }) => state === "delivered").length;
  };
  await expect.poll(delivered, { timeout: 15_000 }).toBe(100);
  expect((await refusal(await backend({ conversions: [...conversions, conversions[0]] })))[1]).toBe("invalid_field");
});

test("only POST converts: GET, HEAD and prefetches reach nobody", async () => {
  for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
    const response = await ask(`conversions?clickId=a&offerId=1&uniqueId=${unique()}`, {
      method,
      headers: { origin: SITE, "sec-purpose": "prefetch" },
    });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST, OPTIONS");
  }
});

test("the origin matrix", async () => {
  const event = { clickId: await click(), offerId: 12_345, uniqueId: unique() };
  const body = JSON.stringify(event);
  for (const [origin, expected] of [
    [SITE, 202],
    [ORIGIN, 202],
    [undefined, 403],
    ["null", 403],
    ["", 403],
    ["https://shop.example.evil.example", 403],
    ["https://evil-shop.example", 403],
    ["http://shop.example", 403],
    ["https://shop.example:8443", 403],
    ["https://SHOP.example", 403],
    ["https://www.shop.example", 403],
    ["https://shop.example/", 403],
    [`${SITE} https://evil.example`, 403],
  ] as const) {
    const response = await ask("conversions", {
      method: "POST",
      headers: { "content-type": "text/plain", ...(origin === undefined ? {} : { origin }) },
      body,
    });
    expect([origin, response.status]).toEqual([origin, expected]);
    expect(response.headers.get("access-control-allow-origin")).toBe(expected === 202 ? (origin ?? null) : null);
    expect(response.headers.get("vary")).toBe("origin");
    const preflight = await ask("conversions", { method: "OPTIONS", headers: origin === undefined ? {} : { origin } });
    expect([origin, preflight.status]).toEqual([origin, expected === 202 ? 204 : 403]);
  }
});

test("a page brings no money and no date, and converts a click once for an offer", async () => {
  const clickId = await click();
  for (const more of [{ payout: "99.00" }, { revenue: 1 }, { conversionDate: "2026-06-19 14:30:00" }]) {
    const response = await page({ clickId, offerId: 12_345, uniqueId: unique(), ...more });
    expect(await refusal(response)).toEqual([400, "invalid_field"]);
  }
  const first = { clickId, offerId: 12_345, uniqueId: unique() };
  expect((await page(first)).status).toBe(202);
  for (let tries = 0; tries < 4; tries += 1) {
    expect(await refusal(await page({ ...first, uniqueId: unique() }))).toEqual([409, "click_converted"]);
  }
  expect((await page(first)).status).toBe(202);
  // A backend may report several sales of one click.
  expect((await backend({ ...first, uniqueId: unique() })).status).toBe(202);
});

test("a backend's signature: this very body, this moment, one of the secrets", async () => {
  const body = JSON.stringify({ clickId: await click(), offerId: 12_345, uniqueId: unique(), payout: "1.00" });
  const send = (headers: Record<string, string>, text = body) =>
    ask("conversions", { method: "POST", headers: { "content-type": "application/json", ...headers }, body: text });
  const signed = { ...(await signConversion(body, SECRET)) };
  const at = (seconds: number) => ({ at: new Date(Date.now() + seconds * 1_000) });
  for (const headers of [
    { ...signed, "webhook-id": "msg_other" },
    { ...signed, "webhook-timestamp": String(Number(signed["webhook-timestamp"]) - 1) },
    { ...signed, "webhook-signature": "v1,AAAA" },
    { ...signed, "webhook-signature": "" },
    { ...(await signConversion(body, SECRET, at(-301))) },
    // A second may pass before it is read.
    { ...(await signConversion(body, SECRET, at(305))) },
    { ...(await signConversion(body, `whsec_${btoa("another secret of thirty-two bytes")}`)) },
    { ...(await signConversion(`${body} `, SECRET)) },
  ]) {
    expect(await refusal(await send(headers as Record<string, string>))).toEqual([401, "signature_refused"]);
  }
  expect(await refusal(await send(signed, `${body} `))).toEqual([401, "signature_refused"]);
  const rotated = `v1,${"A".repeat(43)}= ${signed["webhook-signature"]}`;
  expect((await send({ ...signed, "webhook-signature": rotated })).status).toBe(202);
});

test("the library's own signer is understood, and understands ours", async () => {
  const webhook = new Webhook(SECRET);
  const body = JSON.stringify({ clickId: await click(), offerId: 12_345, uniqueId: unique(), adv1: "ünïcode" });
  const now = new Date();
  const response = await ask("conversions", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "webhook-id": "msg_library",
      "webhook-timestamp": String(Math.floor(now.getTime() / 1_000)),
      "webhook-signature": webhook.sign("msg_library", now, body),
    },
    body,
  });
  expect(response.status).toBe(202);
  expect(webhook.verify(body, { ...(await signConversion(body, SECRET)) })).toEqual(JSON.parse(body));
});

test("a signed request replayed sends nothing again, and its id serves no other body", async () => {
  const event = { clickId: await click(), offerId: 12_345, uniqueId: unique(), payout: "2.00" };
  const body = JSON.stringify(event);
  const signed = { ...(await signConversion(body, SECRET)) };
  const send = (headers: object, text: string) =>
    ask("conversions?wait=1", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: text,
    });
  expect(await (await send(signed, body)).json()).toMatchObject({ state: "delivered", duplicate: false });
  expect(await (await send(signed, body)).json()).toMatchObject({ state: "delivered", duplicate: true });
  expect(await recorded(event.uniqueId)).toBe(1);
  const other = JSON.stringify({ ...event, payout: "3.00" });
  const reused = { ...(await signConversion(other, SECRET, { id: signed["webhook-id"] })) };
  expect(await refusal(await send(reused, other))).toEqual([409, "webhook_id_reused"]);
});

test("a webhook's id serves one body, whatever shard its events fall into", async () => {
  const clickId = await click();
  const send = async (id: string, uniqueIds: readonly string[]) => {
    const events = uniqueIds.map((uniqueId) => ({ clickId, offerId: 12_345, uniqueId }));
    const body = JSON.stringify(events.length === 1 ? events[0] : { conversions: events });
    const signed = { ...(await signConversion(body, SECRET, { id })) };
    return ask("conversions", { method: "POST", headers: { "content-type": "application/json", ...signed }, body });
  };
  for (let round = 0; round < 6; round += 1) {
    const id = `msg_${crypto.randomUUID()}`;
    const [first, batch] = [unique(), [unique(), unique(), unique(), unique()]];
    expect((await send(id, [first])).status).toBe(202);
    expect((await send(id, [first])).status).toBe(202);
    // Two shards: each of these events belongs to one of them.
    for (let other = 0; other < 4; other += 1) {
      expect(await refusal(await send(id, [unique()]))).toEqual([409, "webhook_id_reused"]);
    }
    const { results } = await (await send(id, batch)).json<{ results: { error?: { code: string } }[] }>();
    expect(results.map(({ error }) => error?.code)).toEqual(Array(4).fill("webhook_id_reused"));
    const other = `msg_${crypto.randomUUID()}`;
    expect((await send(other, batch)).status).toBe(202);
    expect(await refusal(await send(other, [first]))).toEqual([409, "webhook_id_reused"]);
  }
});

test("a token serves one event, whatever shards click, event and token fall into", async () => {
  const send = async (token: string, uniqueId: string) =>
    ask("conversions", {
      method: "POST",
      headers: { "content-type": "text/plain", origin: "null" },
      body: JSON.stringify({ token, conversion: { uniqueId } }),
    });
  for (let round = 0; round < 6; round += 1) {
    const [clickId, other] = [await click(), await click()];
    const give = (id: string) =>
      createConversionToken({
        ...{ offerId: 12_345, clickId: id, origin: "https://shop.example" },
        secrets: ["a token's secret of 32 characters or more"],
      });
    const [token, second] = [give(clickId), give(clickId)];
    const first = unique();
    // Both at once, as a frame that retries while its first request is under way.
    const both = await Promise.all([send(token, first), send(token, first)]);
    expect(both.map(({ status }) => status)).toEqual([202, 202]);
    const answers = (await Promise.all(both.map((each) => each.json()))) as { duplicate: boolean }[];
    expect(answers.map(({ duplicate }) => duplicate).sort()).toEqual([false, true]);
    expect(await (await send(second, first)).json()).toMatchObject({ duplicate: true });
    // The click has converted: a claim for another event is taken back, and the token stays used.
    for (const used of [token, second]) expect((await send(used, unique())).status).toBe(409);
    // One of several events with one token of a fresh click is accepted, whatever their shards.
    const fresh = give(other);
    const rivals = await Promise.all([1, 2, 3, 4].map(() => send(fresh, unique())));
    expect(rivals.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409]);
  }
});

test("an operator's sign-ins and sign-outs count for every shard and request", async () => {
  const login = (secret: string, address: string) =>
    ask("operator/login", {
      method: "POST",
      headers: { origin: ORIGIN, "cf-connecting-ip": address },
      body: new URLSearchParams({ secret }).toString(),
    });
  const cookie = (await login(settings.operatorSecret, "203.0.113.5")).headers.get("set-cookie")?.split(";")[0] ?? "";
  const counts = async () => (await ask("operator/counts", { headers: { cookie } })).status;
  expect(await counts()).toBe(200);
  const out = await ask("operator/logout", { method: "POST", headers: { cookie, origin: ORIGIN } });
  expect(out.status).toBe(303);
  expect(await counts()).toBe(401);
  const statuses = [];
  for (let tries = 0; tries < 12; tries += 1) statuses.push((await login("wrong", "203.0.113.6")).status);
  expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
  expect((await login(settings.operatorSecret, "203.0.113.6")).status).toBe(429);
  expect((await login(settings.operatorSecret, "203.0.113.7")).status).toBe(303);
  // A secret that contains white space still works as a bearer.
  const bearer = { authorization: `Bearer ${settings.operatorSecret}` };
  expect((await ask("operator/counts", { headers: bearer })).status).toBe(200);
});

test("what waits is cancelled, filtered and replayed by the rows on disk", async () => {
  await faults([{ share: 1, kinds: ["server_error"], actions: ["record_conversion"], status: 400 }]);
  const bearer = { authorization: `Bearer ${settings.operatorSecret}` };
  const operator = (path: string, body?: object) =>
    ask(`operator/${path}`, {
      headers: bearer,
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
  const event = { clickId: await click(), offerId: 12_345, uniqueId: unique() };
  const since = new Date(Date.now() - 1).toISOString();
  const { id } = await (await page(event, {}, "?wait=1")).json<{ id: string }>();
  const list = async (query: string) =>
    (await (await operator(`conversions?${query}`)).json<{ rows: { id: string; cancelReason?: string }[] }>()).rows;
  const ids = async (query: string) => (await list(query)).map((row) => row.id);
  for (const query of [
    "state=failed",
    "code=http_status&state=refused",
    `since=${since}`,
    "isInDoubt=false&offerId=12345",
  ]) {
    expect(await ids(query), query).toContain(id);
  }
  for (const query of ["state=dead", "code=refused", `until=${since}`, "isInDoubt=true", "offerId=1"]) {
    expect(await ids(query), query).not.toContain(id);
  }
  expect((await operator("cancel", { id, reason: "a test's own" })).status).toBe(200);
  expect(await list("state=cancelled")).toMatchObject([{ id, cancelReason: "a test's own" }]);
  expect(await (await operator("replay", { since, state: "failed" })).json()).toEqual({ replayed: 0 });
  await faults([]);
  expect(await (await operator("replay", { since, state: "cancelled" })).json()).toEqual({ replayed: 1 });
  await expect.poll(() => ids("state=delivered")).toContain(id);
});

test("bodies: the type, the size, and an endless one that is cut off", async () => {
  const event = { clickId: "a", offerId: 12_345, uniqueId: unique() };
  expect(await refusal(await page(event, { "content-type": "application/x-www-form-urlencoded" }))).toEqual([
    415,
    "unsupported_type",
  ]);
  expect(await refusal(await page({ ...event, adv1: "x".repeat(9_000) }))).toEqual([413, "body_too_large"]);
  expect(await refusal(await page("\ufeff{}"))).toEqual([400, "invalid_field"]);
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += 1;
      controller.enqueue(new Uint8Array(1_024).fill(32));
    },
  });
  const response = await ask("conversions", {
    method: "POST",
    headers: { origin: SITE, "content-type": "text/plain" },
    body: endless,
  });
  expect(await refusal(response)).toEqual([413, "body_too_large"]);
  expect(pulled).toBeLessThan(20);
});

test.each([
  "latency",
  "rate_limit",
  "server_error",
  "restricted",
  "html",
  "cut_off",
  "reset_before",
  "reset_after",
  "redirect",
  "wrong_json",
])("after the fault %s the event is delivered, once", async (kind) => {
  const event = { clickId: await click(), offerId: 12_345, uniqueId: unique() };
  await faults([{ script: [kind, kind], actions: ["record_conversion"], latency_ms: 30 }]);
  const answer = await (await page(event, {}, "?wait=1")).json();
  expect(answer).toMatchObject({ state: "delivered" });
  expect(await recorded(event.uniqueId)).toBe(1);
});

test("who asks too often is told when to come back, by the address that Cloudflare names", async () => {
  const response = await page({ clickId: "a", offerId: 1, uniqueId: unique() }, { "cf-connecting-ip": "203.0.113.99" });
  expect(response.headers.get("retry-after")).toBe("60");
  expect(await refusal(response)).toEqual([429, "too_many_requests"]);
  // A frame's conversion and a page's token as well.
  const often = { "cf-connecting-ip": "203.0.113.99" };
  const frame = { method: "POST", headers: { ...often, origin: "null" }, body: "{}" };
  const asked = [
    await ask("conversions", frame),
    await ask("token?offerId=1&clickId=a", { headers: { ...often, origin: ORIGIN } }),
  ];
  expect(asked.map(({ status }) => status)).toEqual([429, 429]);
});

test("a configuration that is not fit for use answers 500 everywhere but on health", async () => {
  for (const [key, secret, code] of [
    ["", settings.operatorSecret, "missing_api_key"],
    ["CANARY-KEY", "", "weak_secret"],
    ["CANARY-KEY", "short", "weak_secret"],
    ["YOUR-API-KEY", settings.operatorSecret, "placeholder_text"],
  ] as const) {
    const broken = createForwarder<{ OUTBOX: DurableObjectNamespace }>(({ OUTBOX }) => ({
      ...settings,
      outbox: OUTBOX,
      apiKey: key,
      operatorSecret: secret,
    }));
    const request = (path: string, method = "GET") =>
      broken.fetch(new Request(`${ORIGIN}/cake/${path}`, { method, headers: { origin: SITE } }), env as never);
    for (const [path, method] of [
      ["conversions", "POST"],
      ["conversions", "GET"],
      ["conversions", "OPTIONS"],
      [`conversions/${"0".repeat(32)}`, "GET"],
      ["operator", "GET"],
      ["operator/login", "POST"],
      ["operator/counts", "GET"],
      ["elsewhere", "GET"],
    ] as const) {
      expect(await refusal(await request(path, method))).toEqual([500, code]);
    }
    expect((await request("health")).status).toBe(200);
  }
});

test("options in place of the function that makes them, and options behind it, are told when the Worker starts", () => {
  const create = createForwarder as (...given: unknown[]) => unknown;
  for (const given of [[settings], [undefined], ["settings"], [() => settings, { timeoutMs: 1_000 }]]) {
    expect(() => create(...given)).toThrow(expect.objectContaining({ code: "invalid_field" }));
  }
});

test("a signing secret that is no base64 is the configuration's mistake, and no caller's", async () => {
  for (const secret of [`whsec_${"no base64! ".repeat(6)}`, `whsec_${"-_".repeat(22)}`, `whsec_${btoa("short")}`]) {
    const broken = createForwarder<{ OUTBOX: DurableObjectNamespace }>(({ OUTBOX }) => ({
      ...settings,
      outbox: OUTBOX,
      apiKey: "CANARY-KEY",
      signingSecrets: [settings.signingSecrets[0] ?? "", secret],
    }));
    const body = JSON.stringify({ clickId: "a", offerId: 1, uniqueId: unique() });
    const headers = { "content-type": "application/json", ...(await signConversion(body, SECRET)) };
    const answer = await broken.fetch(
      new Request(`${ORIGIN}/cake/conversions`, { method: "POST", headers, body }),
      env as never,
    );
    expect(await refusal(answer)).toEqual([500, "weak_secret"]);
  }
});

test("there is no other way in", async () => {
  for (const path of ["", "conversions/../x", "conversion", "conversions/abc", `conversions/${"0".repeat(32)}`]) {
    expect((await refusal(await ask(path)))[0]).toBe(404);
  }
  expect((await ask("health")).status).toBe(200);
});
