/** Edge cases, one for each kind: paths, ids, secrets, signatures, CSV, waits, echoes. */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { captureClick, readClickCookie, signConversion } from "../../dist/entry/edge.inline.js";
import { createForwarderInProcess, type StoreSnapshot } from "../../dist/entry/forwarder-memory.inline.js";
import { csvHeader, csvOf } from "../../dist/forwarder/csv.js";
import type { Row } from "../../dist/forwarder/store.js";
import { digest } from "../../js/page/digest.ts";
import { spellings } from "../chaos/spellings.ts";
import { both, event, KEY, OPERATOR, type Options, SECRET, SITE } from "./forwarder-in-process.ts";

const recorded = () => Response.json({ conversion: { conversion_id: 7 } });

describe("a path is read from its end", () => {
  const { forwarder } = both({ fetch: async () => recorded() });
  const ask = (method: string, path: string, more: Record<string, string> = {}) =>
    forwarder.fetch(
      new Request(`${SITE}${path}`, {
        method,
        headers: { origin: SITE, "content-type": "text/plain", ...more },
        ...(method === "POST" ? { body: JSON.stringify(event(randomUUID())) } : {}),
      }),
    );
  const authorization = `Bearer ${OPERATOR}`;

  test.each([
    "",
    "/cake",
    "/operator",
    "/operator/cake",
    "/my-operator",
    "/operators/x",
    "/conversions",
    "/health/conversions",
    "/a/operator/b/conversions/c",
    "/operator/operator",
  ])("mounted at %j everything is where it should be", async (mount) => {
    expect(await (await ask("GET", `${mount}/health`)).text()).toBe("ok");
    const accepted = await ask("POST", `${mount}/conversions`);
    expect(accepted.status).toBe(202);
    const { id } = (await accepted.json()) as { id: string };
    expect((await ask("GET", `${mount}/conversions/${id}`)).status).toBe(200);
    expect((await ask("OPTIONS", `${mount}/conversions`)).status).toBe(204);
    for (const path of ["operator", "operator/"]) {
      const page = await ask("GET", `${mount}/${path}`, { authorization });
      expect(page.headers.get("content-type")).toContain("text/html");
      expect(await page.text()).toContain(`action="${mount}/operator/replay"`);
    }
    for (const path of ["counts", "conversions", "export.csv"]) {
      expect((await ask("GET", `${mount}/operator/${path}`)).status).toBe(401);
      expect((await ask("GET", `${mount}/operator/${path}`, { authorization })).status).toBe(200);
    }
    expect((await ask("GET", `${mount}/elsewhere`)).status).toBeGreaterThanOrEqual(401);
  });
});

describe("ids", () => {
  const idOf = async (kit: ReturnType<typeof both>, mine: object) =>
    ((await (await kit.backend(mine)).json()) as { id: string }).id;

  test("cannot be computed from what an order number tells, and are one forwarder's own", async () => {
    const mine = event(randomUUID(), { uniqueId: "ORD-98765" });
    const [one, other] = [both({ fetch: async () => recorded() }), both({ fetch: async () => recorded() })];
    const id = await idOf(one, mine);
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    for (const text of [
      "http://127.0.0.1|12345|ORD-98765",
      "12345|ORD-98765",
      "ORD-98765",
      `${mine.clickId}|ORD-98765`,
    ]) {
      for (const hash of ["sha256", "sha1", "md5", "sha512"]) {
        const digest = createHash(hash).update(text).digest("hex");
        expect(digest).not.toContain(id);
      }
    }
    expect(await idOf(other, mine)).not.toBe(id);
    expect((await other.ask(`conversions/${id}`)).status).toBe(404);
  });

  test("stay the same from process to process: an event is known again, whatever secrets have changed", async () => {
    let kept: StoreSnapshot | undefined;
    const keep = async (snapshot: StoreSnapshot) => {
      kept = structuredClone(snapshot);
    };
    const mine = event(randomUUID());
    const first = both({ keep, fetch: async () => recorded() });
    const id = await idOf(first, mine);
    const second = both({
      kept,
      fetch: async () => recorded(),
      operatorSecret: randomUUID(),
      apiKey: "another-key-0815",
    });
    expect(await (await second.backend(mine)).json()).toMatchObject({ id, duplicate: true });
  });
});

describe("secrets", () => {
  test.each(["\n", "\r\n", " ", "\t", "\ufeff"])(
    "white space %j around any of them is no part of it",
    async (around) => {
      const padded = (secret: string) => `${around}${secret}${around}`;
      const cookieSecret = randomBytes(32).toString("hex");
      const { backend, ask } = both({
        apiKey: padded(KEY),
        operatorSecret: padded(OPERATOR),
        signingSecrets: [padded(SECRET)],
        cookieSecrets: [padded(cookieSecret)],
      });
      // The click comes from the sandbox, which accepts only this key.
      const kit = both({ apiKey: padded(KEY) });
      expect(await (await kit.page(event(await kit.click()))).json()).toMatchObject({ state: "delivered" });
      expect((await backend(event(randomUUID()), "")).status).toBe(202);
      const counts = await ask("operator/counts", { headers: { authorization: `Bearer ${OPERATOR}` } });
      expect(counts.status).toBe(200);
      const body = new URLSearchParams({ secret: ` ${OPERATOR}\n` }).toString();
      const login = await ask("operator/login", { method: "POST", headers: { origin: SITE }, body });
      expect(login.status).toBe(303);
      expect((await signConversion("{}", padded(SECRET), { id: "a", at: new Date(0) }))["webhook-signature"]).toBe(
        (await signConversion("{}", SECRET, { id: "a", at: new Date(0) }))["webhook-signature"],
      );
      // Capture signs with the secret with which the forwarder reads.
      const landing = new Request(`${SITE}/?reqid=click-1`, { headers: { "sec-fetch-mode": "navigate" } });
      const { setCookie } = captureClick(landing, { secrets: [padded(cookieSecret)] });
      const cookie = setCookie?.split(";")[0] ?? "";
      expect(cookie).not.toBe("");
      const request = new Request(SITE, { headers: { cookie } });
      expect(readClickCookie(request, { secrets: [cookieSecret] })).toBe("click-1");
      const converted = await ask("conversions", {
        method: "POST",
        headers: { origin: SITE, "content-type": "text/plain", cookie },
        body: JSON.stringify({ offerId: 12_345, uniqueId: randomUUID() }),
      });
      expect(converted.status).toBe(202);
    },
  );

  test.each([
    "whsec_this is no base64 at all, though long enough",
    `whsec_${"*".repeat(44).replaceAll("**", "a*")}`,
    `whsec_${Buffer.alloc(32, 251).toString("base64url")}`,
    `whsec_${Buffer.alloc(23, 9).toString("base64")}=`,
  ])("a signing secret %j is a mistake of whoever has set it, and said so at once", (secret) => {
    const options: Options = {
      baseUrl: "http://127.0.0.1",
      apiKey: KEY,
      operatorSecret: OPERATOR,
      signingSecrets: [secret],
    };
    let thrown: unknown;
    try {
      createForwarderInProcess(options);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ name: "CakeError", code: "weak_secret" });
    expect(String(thrown)).not.toContain(secret.slice(6));
  });
});

describe("webhook ids", () => {
  const send = async (id: string) => {
    const { ask } = both({ fetch: async () => recorded() });
    const body = JSON.stringify(event(randomUUID()));
    const now = new Date();
    return ask("conversions?wait=1", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(now.getTime() / 1_000)),
        "webhook-signature": new Webhook(SECRET).sign(id, now, body),
      },
      body,
    });
  };

  test.each(["msg_a/b+c==", "a:b.c-d_e~f", "{curly}", "id with=marks;,".replaceAll(" ", "+"), "x".repeat(256), "!"])(
    "%s, which the reference library signs, is taken, and signed here too",
    async (id) => {
      expect((await send(id)).status).toBe(202);
      const headers = await signConversion("{}", SECRET, { id });
      expect(new Webhook(SECRET).verify("{}", { ...headers })).toEqual({});
    },
  );

  test.each(["a b", "x".repeat(257), "a\tb"])("%j is refused by name on both sides", async (id) => {
    const answer = await send(id);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { code: "invalid_field", parameter: "webhook-id" } });
    await expect(signConversion("{}", SECRET, { id })).rejects.toMatchObject({
      code: "invalid_field",
      parameter: "webhook-id",
    });
  });
});

describe("the export", () => {
  /** A reader of CSV by RFC 4180. */
  const parse = (text: string): string[][] => {
    const rows: string[][] = [[]];
    for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
      rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
      if (end === "\r\n") rows.push([]);
      if (end === "") break;
    }
    return rows.filter((row) => row.length > 1);
  };

  test.each([
    { uniqueId: "=1+1", orderId: "-5" },
    { uniqueId: "+49", orderId: "@home" },
    { uniqueId: "007", orderId: "1e5" },
    { uniqueId: 'a,"b"', orderId: "O'Neil" },
    { uniqueId: "'quoted'", orderId: "#1001" },
    { uniqueId: "ORD;1", orderId: "2026/001" },
  ])("leaves the ids of %j and amounts byte for byte", (ids) => {
    const conversion = { clickId: "-click.1", offerId: 12_345, payout: "18.10", revenue: "-0.50", ...ids };
    const text = JSON.stringify({ ...conversion, adv1: "=cmd()", adv2: "-2", adv3: "it's", adv4: "a\tb, c" });
    const line = csvOf({ text, accepted_at: "", accepted_ms: 0 } as Row, { clockSpeed: 1 });
    const [head = [], row = []] = parse(csvHeader() + line);
    expect(Object.fromEntries(head.map((name, index) => [name, row[index]]))).toEqual({
      click_id: "-click.1",
      offer_id: "12345",
      conversion_date: "1970-01-01 00:00:00",
      payout: "18.10",
      revenue: "-0.50",
      unique_id: ids.uniqueId,
      order_id: ids.orderId,
      // Free text is protected against formulas, because a person may open the file.
      adv1: "'=cmd()",
      // A negative amount is not a formula.
      adv2: "-2",
      adv3: "it's",
      adv4: "a\tb, c",
      adv5: "",
    });
  });

  test.each([undefined, "UTC", "America/New_York"])("always dates a conversion (time zone %s)", async (timeZone) => {
    const { backend, operator } = both({
      clockSpeed: 1_000,
      fetch: async () => new Response("", { status: 400 }),
      ...(timeZone === undefined ? {} : { timeZone }),
    });
    const before = Date.now();
    await backend(event("click"));
    const [, row = []] = parse(await (await operator("export.csv?state=refused")).text());
    expect(row[2]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    if (timeZone !== "America/New_York") {
      expect(Date.parse(`${row[2]?.replace(" ", "T")}Z`)).toBeGreaterThan(before - 2_000);
      expect(Date.parse(`${row[2]?.replace(" ", "T")}Z`)).toBeLessThan(Date.now() + 2_000);
    }
  });
});

describe("Retry-After", () => {
  const HOUR = 3_600_000;
  test.each([
    ["1.5", 4_000, 6_500],
    ["-5", 4_000, 6_500],
    ["0", 4_000, 6_500],
    ["soon", 4_000, 6_500],
    ["", 4_000, 6_500],
    ["90.2", 90_000, 91_500],
    ["7200", 2 * HOUR - 2_000, 2 * HOUR + 2_000],
    ["DATE", 2 * HOUR - 2_000, 2 * HOUR + 2_000],
    ["PAST", 4_000, 6_500],
    ["2592000", 23 * HOUR, 24 * HOUR + 2_000],
    ["99999999999999999999", 23 * HOUR, 24 * HOUR + 2_000],
  ])("%s puts an event off by %i to %i ms", async (header, least, most) => {
    const text = header
      .replace("DATE", new Date(Date.now() + 2 * HOUR).toUTCString())
      .replace("PAST", new Date(Date.now() - HOUR).toUTCString());
    const { backend, operator, lines } = both({
      clockSpeed: 1,
      fetch: async () => new Response("", { status: 429, headers: { "retry-after": text } }),
    });
    await backend(event(randomUUID()), "");
    await expect.poll(() => lines.length).toBe(2);
    const { rows } = (await (await operator("conversions")).json()) as { rows: { nextAt: string }[] };
    const wait = Date.parse(rows[0]?.nextAt ?? "") - Date.now();
    expect(wait).toBeGreaterThanOrEqual(least - 1_000);
    expect(wait).toBeLessThanOrEqual(most);
  });
});

test("a key that CAKE echoes in whatever spelling is nowhere", async () => {
  const key = "CANARY/k7+of=pie-3";
  const marks = (each: (code: number) => string) => key.replace(/[^a-z0-9]/gi, (mark) => each(mark.charCodeAt(0)));
  const hex = (code: number) => code.toString(16).padStart(2, "0");
  const url = `https://x.example/api/2/conversion.json?api_key=${encodeURIComponent(key)}&click_id=1`;
  const echoes = [
    ...spellings(key),
    encodeURIComponent(encodeURIComponent(key)),
    encodeURIComponent(encodeURIComponent(encodeURIComponent(key))),
    marks((code) => `&#${code};`),
    marks((code) => `&#x${hex(code)};`),
    marks((code) => `\\${String.fromCharCode(code)}`),
    marks((code) => `\\u00${hex(code)}`),
    marks((code) => `\\\\u00${hex(code)}`),
    marks((code) => `%u00${hex(code)}`),
    Buffer.from(key).toString("hex"),
    ...["", "a", "ab", "abc"].flatMap((before) => [
      Buffer.from(before + url).toString("base64"),
      Buffer.from(before + url).toString("base64url"),
      Buffer.from(encodeURIComponent(before + url)).toString("base64"),
    ]),
  ];
  const told: string[] = [];
  for (const echo of echoes) {
    const { backend, operator, lines } = both({
      apiKey: key,
      fetch: async () => Response.json({ success: false, message: `No: ${echo} is not for you` }),
    });
    told.push(await (await backend(event(randomUUID()))).text());
    for (const path of ["", "conversions", "export.csv?state=refused"]) told.push(await (await operator(path)).text());
    told.push(JSON.stringify(lines));
    const text = told.splice(0).join("\n");
    expect(text).toContain("[api_key]");
    const middle = echo.slice(Math.floor(echo.length * 0.4), Math.ceil(echo.length * 0.7));
    for (const secret of [echo, middle.length >= 6 ? middle : echo, key, "k7+of"]) {
      expect(text, echo).not.toContain(JSON.stringify(secret).slice(1, -1));
    }
  }
});

describe("a page's conversion", () => {
  const cookieSecret = randomBytes(32).toString("hex");
  /** The cookie after these landings, each with the cookie of the one before. */
  const cookieAfter = (...paths: string[]) =>
    paths.reduce((cookie, path) => {
      const headers = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", cookie };
      const { setCookie } = captureClick(new Request(`${SITE}${path}`, { headers }), { secrets: [cookieSecret] });
      return setCookie?.split(";")[0] ?? cookie;
    }, "");
  /** Posts as a page does, and returns the answer with what CAKE was asked. */
  const post = async (conversion: object, cookie = "") => {
    const asked: URLSearchParams[] = [];
    const { forwarder } = both({
      cookieSecrets: [cookieSecret],
      fetch: async ({ url }) => {
        asked.push(new URL(url).searchParams);
        return recorded();
      },
    });
    const response = await forwarder.fetch(
      new Request(`${SITE}/conversions?wait=1`, {
        method: "POST",
        headers: { origin: SITE, "content-type": "text/plain", cookie },
        body: JSON.stringify({ offerId: 12_345, ...conversion }),
      }),
    );
    const { error } = (await response.json()) as { error?: { code: string } };
    const find = (name: string) => asked.map((query) => query.get(name)).find((value) => value !== null);
    return { code: error?.code ?? response.status, clickId: find("click_id"), orderId: find("order_id") };
  };

  test("its own order id or unique id is never its click id, whoever put it into the cookie", async () => {
    const cookie = cookieAfter("/?reqid=paid-1", "/thanks?click_id=1077", "/thanks?click_id=T-5");
    for (const [fields, clickId] of [
      [{ uniqueId: "u-1" }, "T-5"],
      [{ uniqueId: "shop:t-5" }, "1077"],
      [{ uniqueId: "T-5", orderId: "#1077" }, "paid-1"],
    ] as const) {
      expect(await post(fields, cookie)).toMatchObject({ code: 202, clickId });
    }
    const only = cookieAfter("/thanks?click_id=1077");
    const own = { uniqueId: "u-2", orderId: "1077" };
    expect(await post(own, only)).toMatchObject({ code: "invalid_click_id" });
    expect(await post({ ...own, clickId: "1077" })).toMatchObject({ code: "invalid_click_id" });
    expect(await post({ ...own, clickId: "paid-2" }, only)).toMatchObject({ code: 202, clickId: "paid-2" });
  });

  test("an order id that is too long is taken as the page's digest of it", async () => {
    const long = "A".repeat(200);
    expect(await post({ uniqueId: "u", orderId: long, clickId: "paid-1" })).toMatchObject({
      code: "invalid_unique_id",
    });
    const orderId = digest(long);
    expect(await post({ uniqueId: digest(`paid-1:${long}`), orderId, clickId: "paid-1" })).toMatchObject({
      code: 202,
      orderId,
    });
  });
});

test("look-ups in long, slow reports leave connections to events that need none", async () => {
  let [open, most] = [0, 0];
  const { backend } = both({
    upstreamDedupe: { 12345: false },
    clockSpeed: 20,
    fetch: async ({ url }) => {
      const { pathname, searchParams } = new URL(url);
      if (pathname.endsWith("/report/conversion.json")) {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setTimeout(resolve, 5_000));
        open -= 1;
        return new Response("", { status: 500 });
      }
      if (pathname.endsWith("/click.json")) {
        const click = { click_id: searchParams.get("click_id"), offer_id: 12_345, converted: true };
        return Response.json({ response: { clicks: [click] } });
      }
      if (searchParams.get("offer_id") === "12345") return new Response("", { status: 502 });
      return Response.json({ conversion: { conversion_id: 7 } });
    },
  });
  for (let each = 0; each < 9; each += 1) await backend(event(`k${each}`), "");
  await expect.poll(() => open, { timeout: 5_000 }).toBe(3);
  for (let each = 0; each < 4; each += 1) {
    const good = await (await backend({ ...event(`g${each}`), offerId: 22_222 })).json();
    expect(good).toMatchObject({ state: "delivered" });
  }
  expect(most).toBe(3);
});

test.each([
  ["Account suspended", 0],
  ["IP 203.0.113.9 is not whitelisted", 0],
  ["Monthly API quota exceeded", 0],
  ["An error has occurred.", 0],
  // Nobody knows these words: the first event is refused, and the second one shows that they are about the account.
  ["Zugriff verweigert", 1],
  // These are about the conversion.
  ["Offer is closed", 20],
])("a no that every event meets is the account's: %s", async (message, refused) => {
  let isBroken = true;
  const { backend, operator, lines } = both({
    fetch: async () =>
      isBroken ? Response.json({ success: false, message }) : Response.json({ conversion: { conversion_id: 7 } }),
  });
  for (let each = 0; each < 20; each += 1) await backend({ ...event(`k${each}`), offerId: 100 + each }, "");
  await new Promise((resolve) => setTimeout(resolve, 50));
  const isAlarmed = lines.some(({ alert }) => alert === true);
  isBroken = false;
  const counts = async () => ((await (await operator("counts")).json()) as { counts: Record<string, number> }).counts;
  await expect
    .poll(counts, { timeout: 10_000 })
    .toMatchObject({ pending: 0, paused: 0, refused, delivered: 20 - refused });
  expect(isAlarmed).toBe(refused < 20 && !message.includes("quota"));
});

test.each([
  ["with its length", { "content-length": "500" }],
  ["in chunks", {}],
])("a body %s that ends early is the caller's trouble", async (_, more) => {
  const { forwarder } = both({
    shops: { shopify: { offerId: 12_345, secrets: [KEY + KEY], revenue: "none" } } as never,
  });
  for (const path of ["conversions", "operator/login", "webhooks/shopify"]) {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        if (pulled > 1) controller.error(new TypeError("the connection ended"));
        else controller.enqueue(new TextEncoder().encode('{"offerId":'));
      },
    });
    const isForm = path === "operator/login";
    const headers = {
      origin: SITE,
      "content-type": isForm ? "application/x-www-form-urlencoded" : "application/json",
      "x-shopify-hmac-sha256": "AA==",
      ...more,
    };
    const init = { method: "POST", headers, body, duplex: "half" };
    const answer = await forwarder.fetch(new Request(`${SITE}/cake/${path}`, init as RequestInit));
    expect(answer.status, path).toBe(400);
    if (!isForm) expect(((await answer.json()) as { error: { code: string } }).error.code).toBe("invalid_field");
  }
});
