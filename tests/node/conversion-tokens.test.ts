/** Conversion tokens at the forwarder: given out, shown by a frame whose origin is `null`, and used once. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { captureClick, createConversionToken } from "../../dist/entry/edge.inline.js";
import { createForwarderInProcess } from "../../dist/entry/forwarder-memory.inline.js";
import { both, KEY, OPERATOR, type Options } from "./forwarder-in-process.ts";

const SITE = "https://shop.example";
const SECRETS = ["the newest token secret of 32 bytes", "an older token secret of 32 bytes or more"];
const options = { tokenSecrets: SECRETS, tokenRoute: true };

interface Answer {
  readonly id?: string;
  readonly duplicate?: boolean;
  readonly error?: { readonly code: string; readonly rule: string; readonly retryable: boolean };
  readonly token?: string;
  readonly expiresAt?: string;
}

/** A forwarder, and its frame. */
function site(more: Partial<Options> = {}) {
  const all = both({ ...options, ...more });
  const frame = async (token: unknown, conversion: object, origin: string | null = "null") => {
    const answer = await all.ask("conversions", {
      method: "POST",
      headers: { "content-type": "text/plain", ...(origin === null ? {} : { origin }) },
      body: JSON.stringify({ token, conversion }),
    });
    const { error, ...rest } = (await answer.json()) as Answer;
    const allowed = answer.headers.get("access-control-allow-origin");
    return { status: answer.status, code: error?.code, retryable: error?.retryable, allowed, ...rest };
  };
  const give = (query: string, headers: Record<string, string> = { origin: SITE }) =>
    all.ask(`token?${query}`, { headers });
  return { ...all, frame, give };
}

const tokenFor = (clickId: string, more: object = {}) =>
  createConversionToken({ offerId: 12_345, clickId, origin: SITE, secrets: SECRETS, ...more });

test("a page gets a token, and its frame reports one conversion with it, however often", async () => {
  const { frame, give, click, operator, recorded } = site();
  const clickId = await click();
  const given = await give(`offerId=12345&clickId=${clickId}`);
  expect([given.status, given.headers.get("cache-control"), given.headers.get("access-control-allow-origin")]).toEqual([
    200,
    "no-store",
    SITE,
  ]);
  const { token, expiresAt } = (await given.json()) as Answer;
  expect(Date.parse(expiresAt ?? "") - Date.now()).toBeGreaterThan(890_000);
  const first = await frame(token, { uniqueId: "5001" });
  expect(first).toMatchObject({ status: 202, duplicate: false, allowed: "null" });
  // The same event is a repetition, spelt in another way as well.
  for (const same of [{ uniqueId: "5001" }, { offerId: "12345", uniqueId: " 5001 ", clickId }]) {
    expect(await frame(token, same)).toMatchObject({ status: 202, duplicate: true, id: first.id, allowed: "null" });
  }
  // Another one is refused, and the frame may read why.
  expect(await frame(token, { uniqueId: "5002" })).toMatchObject({ status: 409, code: "token_used", allowed: "null" });
  await expect.poll(async () => (await recorded()).length).toBe(1);
  const { rows } = (await (await operator("conversions")).json()) as { rows: { conversion: object }[] };
  expect(rows.map(({ conversion }) => conversion)).toEqual([{ clickId, offerId: 12_345, uniqueId: "5001" }]);
});

test("the site's own Worker gives tokens out as well, and a secret can be rotated", async () => {
  const { frame, click } = site({ tokenRoute: false });
  const clickId = await click();
  const old = tokenFor(clickId, { secrets: SECRETS.slice(1) });
  expect(await frame(old, { uniqueId: "5001" })).toMatchObject({ status: 202, duplicate: false });
  // Another token for the same event finds it.
  expect(await frame(tokenFor(clickId), { uniqueId: "5001" })).toMatchObject({ status: 202, duplicate: true });
  // One click converts once for an offer, as a page's does.
  expect(await frame(tokenFor(clickId), { uniqueId: "5002" })).toMatchObject({ status: 409, code: "click_converted" });
});

test("each token of the shared list is taken or refused, and a forged one learns nothing", async () => {
  const all = JSON.parse(readFileSync("tests/vectors/conversion_tokens.json", "utf8")) as {
    readonly secrets: readonly string[];
    readonly nowMs: number;
    readonly bodies: readonly {
      readonly name: string;
      readonly body: string;
      readonly says: string | { flaw: string };
    }[];
  };
  const codes: Record<string, readonly [number, string | undefined]> = {
    "": [202, undefined],
    expired: [401, "token_expired"],
    early: [401, "token_refused"],
    other_offer: [401, "token_refused"],
    other_click: [401, "token_refused"],
    forged: [401, "token_refused"],
  };
  const now = Date.now;
  Date.now = () => all.nowMs;
  try {
    for (const { name, body, says } of all.bodies) {
      const { ask } = site({ tokenSecrets: all.secrets });
      const answer = await ask("conversions", {
        method: "POST",
        headers: { origin: "null", "content-type": "text/plain" },
        body,
      });
      const { error } = (await answer.json()) as Answer;
      const told = [answer.status, error?.code, answer.headers.get("access-control-allow-origin")];
      if (says === "none") expect(told, name).toEqual([403, "origin_refused", null]);
      else if (typeof says === "string") expect(told, name).toEqual([400, "invalid_field", "null"]);
      else expect(told, name).toEqual([...(codes[says.flaw] ?? []), says.flaw === "forged" ? null : "null"]);
    }
  } finally {
    Date.now = now;
  }
});

test("a token is bound to the origin that it was issued to", async () => {
  const { frame, click } = site({ origins: ["https://other.example"] });
  const clickId = await click();
  const elsewhere = tokenFor(clickId, { origin: "https://evil.example" });
  expect(await frame(elsewhere, { uniqueId: "1" })).toMatchObject({ status: 401, code: "token_refused" });
  // A page with an origin of its own shows a token of that origin alone.
  const token = tokenFor(clickId);
  expect(await frame(token, { uniqueId: "1" }, "https://other.example")).toMatchObject({ code: "token_refused" });
  expect(await frame(token, { uniqueId: "1" }, "https://evil.example")).toMatchObject({ code: "origin_refused" });
  expect(await frame(token, { uniqueId: "1" }, null)).toMatchObject({ code: "origin_refused" });
  expect(await frame(token, { uniqueId: "1" }, SITE)).toMatchObject({ status: 202, allowed: SITE });
});

test("a frame brings neither money nor several, and no page without a token", async () => {
  const { ask, frame, click } = site();
  const token = tokenFor(await click());
  for (const more of [{ payout: "1" }, { revenue: "18.00" }, { conversionDate: "2026-06-19 10:00:00" }]) {
    expect(await frame(token, { uniqueId: "1", ...more })).toMatchObject({ status: 400, code: "invalid_field" });
  }
  expect(await frame(token, { conversions: [{ uniqueId: "1" }] })).toMatchObject({
    status: 400,
    code: "invalid_field",
  });
  expect(await frame(token, { uniqueId: "" })).toMatchObject({ status: 400, allowed: "null" });
  expect(await frame(token, { uniqueId: "x".repeat(9_000) })).toMatchObject({ status: 413 });
  const plain = { method: "POST", headers: { origin: "null", "content-type": "text/plain" } };
  const answer = await ask("conversions", { ...plain, body: JSON.stringify({ offerId: 12_345, uniqueId: "1" }) });
  expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([403, null]);
  // No preflight is answered: a text needs none.
  const preflight = await ask("conversions", { method: "OPTIONS", headers: { origin: "null" } });
  expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([403, null]);
  // A refused event has not used the token up.
  expect(await frame(token, { uniqueId: "1" })).toMatchObject({ status: 202 });
});

test("without a secret nothing is given out, and no token is taken", async () => {
  const { ask, frame, give } = site({ tokenSecrets: undefined, tokenRoute: undefined } as Partial<Options>);
  expect((await give("offerId=12345&clickId=a-click")).status).toBe(404);
  expect(await frame(tokenFor("a-click"), { uniqueId: "1" })).toMatchObject({ status: 403, code: "origin_refused" });
  // A page's body is as strict as before.
  const page = await ask("conversions", {
    method: "POST",
    headers: { origin: SITE, "content-type": "text/plain" },
    body: JSON.stringify({ token: "x", conversion: {} }),
  });
  expect(page.status).toBe(400);
  const make = () =>
    createForwarderInProcess({ baseUrl: "http://127.0.0.1", apiKey: KEY, operatorSecret: OPERATOR, tokenRoute: true });
  expect(make).toThrow(expect.objectContaining({ name: "CakeError", parameter: "tokenSecrets" }));
});

test.each([
  ["offerId=12345&clickId=a-click", { "sec-fetch-site": "same-origin" }, 200],
  ["offerId=12345&clickId=a-click", { referer: `${SITE}/cart` }, 200],
  ["offerId=12345&clickId=a-click", { "sec-fetch-site": "cross-site", referer: `${SITE}/cart` }, 403],
  ["offerId=12345&clickId=a-click", { referer: "https://evil.example/" }, 403],
  ["offerId=12345&clickId=a-click", { origin: "https://evil.example" }, 403],
  ["offerId=12345&clickId=a-click", { origin: "null" }, 403],
  ["offerId=12345&clickId=a-click", {}, 403],
  ["offerId=12345", { origin: SITE }, 400],
  ["offerId=12345&clickId=undefined", { origin: SITE }, 400],
  ["offerId=12345&clickId=a!b", { origin: SITE }, 400],
  ["offerId=0&clickId=a-click", { origin: SITE }, 400],
  ["offerId=1e3&clickId=a-click", { origin: SITE }, 400],
  ["clickId=a-click", { origin: SITE }, 400],
  ["offerId=12345&clickID=a-click", { origin: SITE }, 400],
  ["offerId=12345&offerId=7&clickId=a-click", { origin: SITE }, 400],
  ["offerId=12345&clickId=a-click&clickId=b-click", { origin: SITE }, 400],
])("GET token?%s by %o is answered %i", async (query, headers, status) => {
  const answer = await site().give(query, headers as unknown as Record<string, string>);
  expect(answer.status).toBe(status);
  expect(answer.headers.get("access-control-allow-origin")).toBe(
    "origin" in headers && headers.origin === SITE ? SITE : null,
  );
});

test("a page that cannot see its click gets a token for the signed cookie's, whatever it asks for", async () => {
  const cookieSecrets = ["a cookie secret of thirty-two bytes or more"];
  const { ask, frame, click, operator } = site({ cookieSecrets });
  const clickId = await click();
  const landing = new Request(`${SITE}/?reqid=${clickId}`, { headers: { accept: "text/html" } });
  const { setCookie = "" } = captureClick(landing, { secrets: cookieSecrets });
  const headers = { origin: SITE, cookie: setCookie.split(";", 1)[0] ?? "" };
  for (const query of ["offerId=12345", "offerId=12345&clickId=another-click"]) {
    const given = (await (await ask(`token?${query}`, { headers })).json()) as Answer;
    expect(await frame(given.token, { uniqueId: "5001" })).toMatchObject({ status: 202 });
  }
  const { rows } = (await (await operator("conversions")).json()) as { rows: { conversion: { clickId: string } }[] };
  expect(rows.map(({ conversion }) => conversion.clickId)).toEqual([clickId]);
});

test.each([
  [{ offerId: 0 }, "invalid_id", "offerId"],
  [{ clickId: "undefined" }, "placeholder_text", "clickId"],
  [{ clickId: "a b" }, "invalid_click_id", undefined],
  [{ origin: `${SITE}/cart` }, "invalid_field", "origin"],
  [{ origin: "null" }, "invalid_field", "origin"],
  [{ origin: undefined }, "invalid_field", "origin"],
  [{ secrets: ["short"] }, "weak_secret", undefined],
  [{ secrets: "the newest token secret of 32 bytes" }, "invalid_field", "secrets"],
  [{ offer: 1 }, "invalid_field", "offer"],
])("createConversionToken refuses %o", (wrong, code, parameter) => {
  const make = () => tokenFor("a-click", wrong);
  expect(make).toThrow(expect.objectContaining({ name: "CakeError", code, ...(parameter ? { parameter } : {}) }));
});
