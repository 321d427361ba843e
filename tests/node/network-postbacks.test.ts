/** Postbacks of networks and form tools at the forwarder's route, and the headers of Svix. */
import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { signConversion } from "../../dist/entry/edge.inline.js";
import { createForwarderInProcess } from "../../dist/entry/forwarder-memory.inline.js";
import { both, event, KEY, OPERATOR, type Options, SECRET } from "./forwarder-in-process.ts";

const NETWORK = "a network's secret of 32 characters or more";
const SEGMENT = encodeURIComponent(NETWORK);
const map = { clickId: "sub1", uniqueId: "txid", payout: "sum", adv1: "geo" };
const postbacks = {
  voluum: { secrets: [NETWORK, "an older secret of the very same network"], offerId: 12_345, map },
  signed: { secrets: NETWORK, by: "signature" as const, map: { ...map, offerId: "o" } },
};

const form = (body: string): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body,
});

test("a postback is one conversion however often it comes, by GET, by a form, by path or parameter", async () => {
  const all = both({ postbacks });
  const clickId = await all.click();
  const query = `sub1=${clickId}&txid=T-1&sum=18.5&geo=DE&campaign=7`;
  const first = await all.ask(`postback/voluum/${SEGMENT}?${query}`);
  expect([first.status, first.headers.get("content-type"), await first.text()]).toEqual([
    200,
    "text/plain; charset=utf-8",
    "OK",
  ]);
  const again = [
    await all.ask(`postback/voluum/${SEGMENT}?${query}`),
    await all.ask(`postback/voluum?${query}&secret=${SEGMENT}`),
    await all.ask(`postback/voluum/${encodeURIComponent("an older secret of the very same network")}`, form(query)),
    await all.ask(`postback/voluum`, form(`${query}&secret=${SEGMENT}`)),
    await all.ask(`postback/voluum?secret=${SEGMENT}`, form(query)),
  ];
  expect(again.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  const asked = { headers: { accept: "application/json" } };
  const told = await (await all.ask(`postback/voluum/${SEGMENT}?${query}`, asked)).json();
  expect(told).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{32}$/), duplicate: true });
  await expect.poll(async () => (await all.recorded()).length).toBe(1);
  const totals = (await (await all.operator("counts")).json()) as { postbacks: object };
  expect(totals.postbacks).toEqual({ voluum: { accepted: 1, duplicate: 6 } });
});

test("a secret in base64 stands in a path as it is, and a mangled address loses no money", async () => {
  const secret = "q7Zt+3x/Lk9uYw2mR5vB8nC1dF4gH6jK0pSxTz+/aE=";
  const all = both({ postbacks: { b: { secrets: secret, offerId: 12_345, map } } });
  const paths = [
    `postback/b/${secret}?sub1=a&txid=T-1&sum=1.50000`,
    `postback/b/${secret}/?sub1=a&txid=T-1&amp;sum=1.5`,
    `postback/b/${encodeURIComponent(secret)}?sub1=a&txid=T-1?sum=1.50`,
    `postback/b?sub1=a&txid=T-1;sum=1.5&secret=${secret}`,
  ];
  for (const path of paths) expect([path, (await all.ask(path)).status]).toEqual([path, 200]);
  const { rows } = (await (await all.operator("conversions")).json()) as { rows: { conversion: object }[] };
  expect(rows.map(({ conversion }) => conversion)).toEqual([
    { clickId: "a", offerId: 12_345, payout: "1.50", uniqueId: "T-1" },
  ]);
  for (const wrong of [`postback/b/${secret}x`, `postback/b/x/${secret}`, `postback/b/${secret.slice(0, 10)}`]) {
    expect((await all.ask(`${wrong}?sub1=a&txid=T-2`)).status).toBe(401);
  }
});

test("a signature is over the query or the form, and what is not signed is not read", async () => {
  const all = both({ postbacks });
  const sign = (text: string) => `${text}&signature=${createHmac("sha256", NETWORK).update(text).digest("hex")}`;
  const text = sign("sub1=a-click&txid=T-2&o=12345&sum=1");
  expect((await all.ask(`postback/signed?${text}`)).status).toBe(200);
  expect((await all.ask(`postback/signed?sum=99`, form(text))).status).toBe(200);
  const { rows } = (await (await all.operator("conversions")).json()) as { rows: { conversion: object }[] };
  expect(rows.map(({ conversion }) => conversion)).toEqual([
    { clickId: "a-click", offerId: 12_345, payout: "1.00", uniqueId: "T-2" },
  ]);
  for (const wrong of [
    `${text}&sum=99`,
    text.replace("T-2", "T-3"),
    `sub1=a-click&txid=T-4&o=12345&secret=${SEGMENT}`,
    "",
  ]) {
    expect((await all.ask(`postback/signed?${wrong}`)).status).toBe(401);
  }
  expect((await all.ask(`postback/signed/${SEGMENT}?sub1=a-click&txid=T-5&o=12345`)).status).toBe(401);
});

test.each([
  ["", 401, "secret_refused"],
  [`/${SEGMENT}x?sub1=a&txid=1`, 401, "secret_refused"],
  [`/%E0%A4%A?sub1=a&txid=1`, 401, "secret_refused"],
  [`/${SEGMENT}?sub1={clickid}&txid=1`, 400, "placeholder_text: sub1 "],
  [`/${SEGMENT}?sub1=undefined&txid=1`, 400, "placeholder_text: sub1 "],
  [`/${SEGMENT}?sub1=a&txid=%23tid%23`, 400, "placeholder_text: txid "],
  [`/${SEGMENT}?sub1=a&txid=1&sum={payout}`, 400, "placeholder_text: sum "],
  [`/${SEGMENT}?sub1=a&txid=1&geo={country}`, 400, "placeholder_text: geo "],
  [`/${SEGMENT}?sub1=a&txid=1&sum=-1`, 400, "invalid_money: sum "],
  [`/${SEGMENT}?sub1=a`, 400, "invalid_field: txid "],
  [`/${SEGMENT}?txid=1`, 400, "invalid_click_id: sub1 "],
  [`/${SEGMENT}?sub1=a&sub1=b&txid=1`, 400, "invalid_field: sub1 "],
])("postback/voluum%s is refused with %i", async (rest, status, words) => {
  const lines: unknown[] = [];
  const { ask, operator } = both({ postbacks, log: (line) => lines.push(line) });
  const answer = await ask(`postback/voluum${rest}`);
  const text = await answer.text();
  expect([answer.status, text.slice(0, words.length)]).toEqual([status, words]);
  expect(((await (await operator("conversions")).json()) as { rows: object[] }).rows).toEqual([]);
  // Neither the query nor the secret is told.
  expect(JSON.stringify([text, lines])).not.toMatch(/a network|clickid|sub1=/);
});

test("other names, methods and types are refused, and other values under one id", async () => {
  const { ask, click } = both({ postbacks });
  const good = `postback/voluum/${SEGMENT}?sub1=${await click()}&txid=1`;
  expect((await ask("postback/other?sub1=a&txid=1")).status).toBe(404);
  expect((await ask(good, { method: "PUT" })).status).toBe(405);
  expect((await ask(good, { method: "HEAD" })).status).toBe(405);
  expect((await ask(good, { method: "POST", body: "{}" })).status).toBe(415);
  expect((await ask(good)).status).toBe(200);
  expect((await ask(`${good}&geo=DE`)).status).toBe(409);
  const large = await ask(`postback/voluum/${SEGMENT}`, form(`sub1=a&txid=2&x=${"x".repeat(9_000)}`));
  expect(large.status).toBe(413);
  // Off by default.
  expect((await both().ask(good)).status).toBe(404);
});

test("a GET that is taken is kept before it is answered", async () => {
  let kept = 0;
  const keep = async ({ rows }: { rows: readonly object[] }) => {
    kept = rows.length;
  };
  const { ask } = both({ postbacks, keep });
  expect((await ask(`postback/voluum/${SEGMENT}?sub1=a&txid=1`)).status).toBe(200);
  expect(kept).toBe(1);
});

test.each([
  [{ Voluum: postbacks.voluum }, "postbacks"],
  [{ operator: postbacks.voluum }, "postbacks"],
  [{ a: { ...postbacks.voluum, secrets: undefined } }, "postbacks.a.secrets"],
  [{ a: { ...postbacks.voluum, secrets: "short" } }, "postbacks.a.secrets"],
  [{ a: { ...postbacks.voluum, offerId: undefined } }, "postbacks.a.offerId"],
  [{ a: { ...postbacks.voluum, map: { ...map, offerId: "o" } } }, "postbacks.a.offerId"],
  [{ a: { ...postbacks.voluum, map: { clickId: "c" } } }, "postbacks.a.map.uniqueId"],
  [{ a: { ...postbacks.voluum, map: { ...map, subid: "c" } } }, "subid"],
  [{ a: { ...postbacks.voluum, by: "trust" } }, "postbacks.a.by"],
])("a postback that is set up wrongly is refused by its option: %#", (wrong, parameter) => {
  const make = () =>
    createForwarderInProcess({
      ...{ baseUrl: "http://127.0.0.1", apiKey: KEY, operatorSecret: OPERATOR },
      postbacks: wrong,
    } as unknown as Options);
  expect(make).toThrow(expect.objectContaining({ name: "CakeError", parameter }));
});

test("a backend may sign by the names that Svix gave the headers, and not by half of each", async () => {
  const { ask } = both();
  const body = JSON.stringify(event("a-click"));
  const standard = Object.entries(await signConversion(body, SECRET));
  const post = (headers: Record<string, string>) =>
    ask("conversions", { method: "POST", headers: { "content-type": "application/json", ...headers }, body });
  const svix = Object.fromEntries(standard.map(([name, value]) => [name.replace("webhook-", "svix-"), value]));
  expect((await post(svix)).status).toBe(202);
  const mixed = { ...svix, "webhook-id": svix["svix-id"] ?? "", "svix-id": "" };
  expect((await post(mixed)).status).toBe(401);
  expect((await post({ ...svix, "svix-timestamp": "1" })).status).toBe(401);
});

test("a forwarder may be mounted below the words of its own routes", async () => {
  const { forwarder } = both({ postbacks });
  const status = async (path: string, init: RequestInit = {}) =>
    (await forwarder.fetch(new Request(`https://shop.example/${path}`, init))).status;
  for (const mount of ["postback", "webhooks", "postback/a", "webhooks/shopify", "operator"]) {
    expect(await status(`${mount}/health`)).toBe(200);
    expect(await status(`${mount}/conversions`, { method: "POST" })).toBe(415);
    expect(await status(`${mount}/conversions/0123456789abcdef0123456789abcdef`)).toBe(404);
    expect(await status(`${mount}/operator`)).toBe(200);
    expect(await status(`${mount}/operator/counts`)).toBe(401);
    expect(await status(`${mount}/postback/voluum/${SEGMENT}?sub1=a&txid=1`)).toBe(200);
    expect(await status(`${mount}/webhooks/shopify`, { method: "POST" })).toBe(404);
  }
});
