/** The forwarder in one process: its rules, secrets and operators, with a sandbox and a fault server. */
import { createHmac, randomUUID } from "node:crypto";
import { expect, inject, test } from "vitest";
import { createForwarderInProcess, type LogLine } from "../../dist/entry/forwarder-memory.inline.js";
import { createSandbox } from "../../dist/entry/sandbox-memory.inline.js";
import { spellings } from "../chaos/spellings.ts";
import { both, event, KEY, OPERATOR, type Options, SITE } from "./forwarder-in-process.ts";

const rules = { baseUrl: "http://127.0.0.1", apiKey: KEY, operatorSecret: OPERATOR };

test("an event is delivered, and told by one line for each state", async () => {
  const { page, click, lines } = both();
  const answer = (await (await page(event(await click()))).json()) as { id: string };
  expect(answer).toMatchObject({ state: "delivered", duplicate: false, attempts: 1 });
  expect(lines).toEqual([
    { event: "conversion", id: answer.id, state: "pending", code: "", attempt: 0 },
    { event: "conversion", id: answer.id, state: "delivered", code: "", attempt: 1 },
  ]);
});

test("an event's id is HMAC-SHA256 by the outbox's own secret, also of rows from before", async () => {
  const kept = { rows: [], claims: [], webhooks: [], meta: [["id secret", "a secret of an outbox"] as const] };
  const { page, click } = both({ kept });
  const mine = event(await click());
  const { id } = (await (await page(mine)).json()) as { id: string };
  const hmac = createHmac("sha256", "a secret of an outbox");
  expect(id).toBe(hmac.update(`${rules.baseUrl}|${mine.offerId}|${mine.uniqueId}`).digest("hex").slice(0, 32));
});

test.each([
  ["apiKey", "", "missing_api_key"],
  ["apiKey", "short", "weak_secret"],
  ["apiKey", "YOUR_API_KEY", "placeholder_text"],
  ["apiKey", "<api key here>", "placeholder_text"],
  ["operatorSecret", "", "weak_secret"],
  ["operatorSecret", "thirty-one characters, not more", "weak_secret"],
  ["operatorSecret", "change-me-to-something-long-enough-please", "placeholder_text"],
  ["operatorSecret", "x".repeat(40), "placeholder_text"],
  ["signingSecrets", ["whsec_c2hvcnQ="], "weak_secret"],
  ["cookieSecrets", ["short"], "weak_secret"],
  ["baseUrl", "http://169.254.169.254", "invalid_base_url"],
  ["baseUrl", "https://yourdomain.cakemarketing.com", "placeholder_text"],
  ["baseUrl", "https://YOUR-DOMAIN.cakemarketing.com/", "placeholder_text"],
  ["baseUrl", "https://login.yourdomain.com:8443", "placeholder_text"],
  ["pixelDomain", "track.yourdomain.com", "placeholder_text"],
  ["pixelDomain", "2130706433", "invalid_domain"],
  ["origins", ["shop.example"], "invalid_field"],
  ["origins", ["*"], "invalid_field"],
  ["timeZone", "Mars/Olympus", "invalid_field"],
  ["capcity", 1, "invalid_field"],
])("%s %j is refused with %s", (name, value, code) => {
  let thrown: unknown;
  try {
    createForwarderInProcess({ ...rules, [name]: value } as Options);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ name: "CakeError", code });
  expect(String(thrown)).not.toContain(KEY);
});

test("a host that only begins like a manual's is somebody's", () => {
  for (const baseUrl of [
    "https://yourdomains.cakemarketing.com",
    "https://your.domain.example",
    "https://myyourdomain.cakemarketing.com",
    "https://yourtravel.cakemarketing.com",
  ]) {
    expect(() => createForwarderInProcess({ ...rules, baseUrl })).not.toThrow();
  }
});

test("a pixel that nobody deduplicates is refused: what became of an attempt could not be asked", () => {
  const pixel = { operatorSecret: OPERATOR, pixelDomain: "track.yournetwork.com" };
  expect(() => createForwarderInProcess({ ...pixel, upstreamDedupe: false })).toThrow(/upstreamDedupe must be true/);
  expect(() => createForwarderInProcess({ ...pixel, upstreamDedupe: { 7: false } })).toThrow(/upstreamDedupe/);
  expect(() => createForwarderInProcess(pixel)).not.toThrow();
});

test("by p.ashx an event is delivered without a key", async () => {
  const { page, click, sent, recorded } = both({
    baseUrl: "",
    apiKey: "",
    pixelDomain: "http://127.0.0.1",
  });
  const mine = event(await click());
  expect(await (await page(mine)).json()).toMatchObject({ state: "delivered" });
  expect(sent).toEqual(["/p.ashx"]);
  expect((await recorded())[0]?.unique_id).toBe(mine.uniqueId);
  expect(await (await page(event("nobody"))).json()).toMatchObject({ state: "refused" });
});

test("a refused key pauses all, uses no attempt up, and the next key delivers", async () => {
  const sandbox = createSandbox({ apiKey: KEY });
  let kept: import("../../dist/entry/forwarder-memory.inline.js").StoreSnapshot | undefined;
  const lines: LogLine[] = [];
  const make = (apiKey: string) =>
    createForwarderInProcess({
      ...rules,
      apiKey,
      origins: [SITE],
      clockSpeed: 1_000,
      fetch: sandbox.fetch,
      log: (line) => lines.push(line),
      kept,
      keep: async (snapshot) => {
        kept = structuredClone(snapshot);
      },
    });
  const response = await sandbox.fetch(new Request("http://127.0.0.1/?a=67890&c=12"));
  const clickId = new URL(response.headers.get("location") ?? "").searchParams.get("reqid") ?? "";
  const post = (forwarder: ReturnType<typeof make>, body: object, query = "") =>
    forwarder.fetch(
      new Request(`${SITE}/cake/conversions${query}`, {
        method: "POST",
        headers: { origin: SITE, "content-type": "text/plain" },
        body: JSON.stringify(body),
      }),
    );
  const mine = event(clickId);
  const wrong = make("another-key-entirely");
  await post(wrong, mine);
  await wrong.settle();
  expect(await (await post(wrong, mine)).json()).toMatchObject({ state: "paused", duplicate: true });
  expect(lines.at(-1)).toMatchObject({ state: "paused", code: "unauthorized", attempt: 0, alert: true });
  const right = make(KEY);
  await expect
    .poll(async () => (await post(right, mine)).json())
    .toMatchObject({ state: "delivered", duplicate: true });
});

test("the date of acceptance is kept through retries, in the account's zone", async () => {
  const { page, click, faults, recorded } = both({ timeZone: "America/New_York" });
  await faults([{ script: ["server_error", "html", "reset_before"] }]);
  const expected = new Intl.DateTimeFormat("sv-SE", {
    timeZone: "America/New_York",
    dateStyle: "short",
    timeStyle: "medium",
  });
  const before = expected.format(new Date());
  expect(await (await page(event(await click()))).json()).toMatchObject({ state: "delivered", attempts: 4 });
  const date = (await recorded())[0]?.conversion_date ?? "";
  expect(date >= before && date <= expected.format(new Date())).toBe(true);
});

test("where CAKE does not deduplicate, Get Click is asked before an unknown attempt is repeated", async () => {
  const fixture = {
    offers: [
      {
        offer_id: 12_345,
        offer_name: "x",
        landing_page: "/shop/?reqid=#reqid#",
        payout: "1",
        revenue: "2",
        deduplicates: false,
      },
    ],
    creatives: [{ creative_id: 12, offer_id: 12_345 }],
    affiliates: [{ affiliate_id: 67_890, affiliate_name: "x" }],
  };
  const { page, click, faults, recorded, sent } = both({ upstreamDedupe: { 12345: false } }, fixture);
  await faults([{ script: ["reset_after"], actions: ["record_conversion"] }]);
  expect(await (await page(event(await click()))).json()).toMatchObject({ state: "delivered", attempts: 2 });
  // Get Click says that the click has converted; whose conversion it is, the report says.
  expect(sent).toEqual(["/api/2/conversion.json", "/api/2/click.json", "/api/2/report/conversion.json"]);
  sent.length = 0;
  await faults([{ script: ["reset_before"], actions: ["record_conversion"] }]);
  expect(await (await page(event(await click()))).json()).toMatchObject({ state: "delivered", attempts: 2 });
  // A slow CAKE may still be at work: a click that has not converted is asked for once more, a minute after the attempt.
  const asked = Array(2).fill("/api/2/click.json");
  expect(sent).toEqual(["/api/2/conversion.json", ...asked, "/api/2/conversion.json"]);
  expect(await recorded()).toHaveLength(2);
});

test("what CAKE refused is listed, exported in CAKE's columns and replayed", async () => {
  const { backend, click, operator, faults } = both({ timeZone: "UTC" });
  await faults([{ share: 1, kinds: ["server_error"], status: 404 }]);
  const mine = event(await click(), { payout: "18.00", adv1: '=cmd("x"), y', conversionDate: "2026-06-19 14:30:00" });
  const { id, state } = (await (await backend(mine)).json()) as { id: string; state: string };
  expect(state).toBe("refused");
  expect(await (await operator("counts")).json()).toMatchObject({
    counts: { pending: 0, paused: 0, delivered: 0, refused: 1, dead: 0 },
    oldestMs: null,
  });
  const { rows } = (await (await operator("conversions?state=refused")).json()) as { rows: object[] };
  expect(rows).toMatchObject([{ id, state: "refused", code: "http_status", conversion: { uniqueId: mine.uniqueId } }]);
  const csv = await (await operator("export.csv?state=refused")).text();
  expect(csv.split("\r\n")).toEqual([
    "click_id,offer_id,conversion_date,payout,revenue,unique_id,order_id,adv1,adv2,adv3,adv4,adv5",
    `${mine.clickId},12345,2026-06-19 14:30:00,18.00,,${mine.uniqueId},,"'=cmd(""x""), y",,,,`,
    "",
  ]);
  await faults([]);
  const replayed = await operator("replay", { method: "POST", body: JSON.stringify({ state: "refused" }) });
  expect(await replayed.json()).toEqual({ replayed: 1 });
  await expect
    .poll(async () => (await operator("counts")).json())
    .toMatchObject({ counts: { delivered: 1, refused: 0 } });
});

test("a long list is paged without losing or repeating a row", async () => {
  const { backend, click, operator } = both();
  const clickId = await click();
  const conversions = Array.from({ length: 25 }, () => event(clickId));
  await backend({ conversions });
  const seen: string[] = [];
  let from = "";
  for (let pages = 0; pages < 4; pages += 1) {
    const page = (await (await operator(`conversions?limit=10&from=${from}`)).json()) as {
      rows: { conversion: { uniqueId: string } }[];
      next: string | null;
    };
    seen.push(...page.rows.map(({ conversion }) => conversion.uniqueId));
    if (page.next === null) break;
    from = page.next;
  }
  expect(seen.sort()).toEqual(conversions.map(({ uniqueId }) => uniqueId).sort());
});

test("operators: a bearer, or a cookie that was signed; nobody else", async () => {
  const { ask, operator } = both();
  for (const headers of [
    {},
    { authorization: "Bearer wrong" },
    { authorization: `Basic ${OPERATOR}` },
    { cookie: "__Host-cake_operator=9999999999.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
  ] as Record<string, string>[]) {
    for (const path of ["operator/counts", "operator/conversions", "operator/export.csv"]) {
      expect((await ask(path, { headers })).status).toBe(401);
    }
  }
  expect((await operator("counts")).status).toBe(200);
  const login = (secret: string) =>
    ask("operator/login", {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", origin: SITE },
      body: new URLSearchParams({ secret }).toString(),
    });
  expect((await login("wrong")).status).toBe(401);
  const signedIn = await login(OPERATOR);
  expect([signedIn.status, signedIn.headers.get("location")]).toEqual([303, "/cake/operator"]);
  const setCookie = signedIn.headers.get("set-cookie") ?? "";
  expect(setCookie).toMatch(
    /^__Host-cake_operator=\d+\.[\w-]{43}; Path=\/; Max-Age=28800; HttpOnly; SameSite=Strict; Secure$/,
  );
  const cookie = setCookie.split(";")[0] ?? "";
  const status = await ask("operator", { headers: { cookie } });
  expect(await status.text()).toContain("oldest waiting");
  expect(status.headers.get("content-security-policy")).toContain("default-src 'none'");
  // A request that changes data must come from the page itself.
  const replay = (headers: Record<string, string>) =>
    ask("operator/replay", { method: "POST", headers: { cookie, ...headers }, body: "state=dead" });
  expect((await replay({})).status).toBe(401);
  expect((await replay({ origin: "https://evil.example" })).status).toBe(401);
  expect((await replay({ origin: SITE })).status).toBe(303);
  const expired = cookie.replace(/=\d+/, "=1000000000");
  expect((await ask("operator/counts", { headers: { cookie: expired } })).status).toBe(401);
});

test("a full outbox says so, and still knows what it has", async () => {
  const { page, click, faults } = both({ capacity: 2, severalPerClick: true, clockSpeed: 1 });
  await faults([{ share: 1, kinds: ["server_error"] }]);
  const clickId = await click();
  const known = event(clickId);
  await page(known, "");
  await page(event(clickId), "");
  const full = await page(event(clickId), "");
  expect(full.status).toBe(503);
  expect(await full.json()).toMatchObject({ error: { code: "outbox_full", retryable: true } });
  expect(await (await page(known, "")).json()).toMatchObject({ duplicate: true });
});

test("at most five requests are under way at once, and a batch is delivered whole", async () => {
  let [now, most, recorded] = [0, 0, 0];
  const { backend, click } = both({
    fetch: async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now -= 1;
      recorded += 1;
      return Response.json({ conversion: { conversion_id: recorded } });
    },
  });
  const clickId = await click();
  const conversions = Array.from({ length: 60 }, () => event(clickId));
  const { results } = (await (await backend({ conversions })).json()) as { results: { state: string }[] };
  expect(results.filter(({ state }) => state === "delivered")).toHaveLength(60);
  expect(most).toBe(5);
});

test("an outage is asked about, not stormed, and its end is met by one request first", async () => {
  const sent: number[] = [];
  let isAway = true;
  const { backend, click, lines } = both({
    clockSpeed: 100,
    fetch: async () => {
      sent.push(Date.now());
      if (isAway) return new Response("", { status: 503 });
      return Response.json({ conversion: { conversion_id: sent.length } });
    },
  });
  const clickId = await click();
  const conversions = Array.from({ length: 100 }, () => event(clickId));
  await backend({ conversions }, "");
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  // 150 s of the outbox's clock: ten failures, then one request in 1, 2, 4 … s.
  expect(sent.length).toBeLessThan(30);
  isAway = false;
  await expect.poll(() => lines.filter(({ state }) => state === "delivered").length, { timeout: 20_000 }).toBe(100);
  expect(Math.max(...lines.map(({ attempt }) => attempt))).toBeLessThan(8);
});

test("what is kept outlives the process", async () => {
  const sandbox = createSandbox({ apiKey: KEY });
  let kept: import("../../dist/entry/forwarder-memory.inline.js").StoreSnapshot | undefined;
  const make = (fetch: (request: Request) => Promise<Response>) =>
    createForwarderInProcess({
      ...rules,
      clockSpeed: 1_000,
      log: () => undefined,
      fetch,
      kept,
      keep: async (snapshot) => {
        kept = structuredClone(snapshot);
      },
    });
  const response = await sandbox.fetch(new Request("http://127.0.0.1/?a=67890&c=12"));
  const clickId = new URL(response.headers.get("location") ?? "").searchParams.get("reqid") ?? "";
  const dead = make(() => new Promise(() => undefined));
  const accepted = await dead.fetch(
    new Request(`${SITE}/conversions`, {
      method: "POST",
      headers: { origin: SITE, "content-type": "application/json" },
      body: JSON.stringify(event(clickId)),
    }),
  );
  const { id } = (await accepted.json()) as { id: string };
  const alive = make(sandbox.fetch);
  await alive.settle();
  expect(await (await alive.fetch(new Request(`${SITE}/conversions/${id}`))).json()).toMatchObject({
    state: "delivered",
  });
});

test("what an earlier process has left is sent, though nobody asks", async () => {
  type Snapshot = import("../../dist/entry/forwarder-memory.inline.js").StoreSnapshot;
  const kept: Snapshot[] = [];
  const lines: object[] = [];
  const make = (fetch: (request: Request) => Promise<Response>) =>
    createForwarderInProcess({
      ...rules,
      clockSpeed: 1_000,
      fetch,
      log: (line) => void lines.push(line),
      kept: kept.at(-1),
      keep: async (snapshot) => void kept.push(structuredClone(snapshot)),
    });
  const body = JSON.stringify(event("13b9ae60-4f60-4c9e-bf75-626dca035acf"));
  const headers = { origin: SITE, "content-type": "application/json" };
  const gone = make(() => new Promise(() => undefined));
  const { id } = (await (
    await gone.fetch(new Request(`${SITE}/conversions`, { method: "POST", headers, body }))
  ).json()) as { id: string };
  make(async () => Response.json({ request_status: "Success", conversion: { conversion_id: 7 } }));
  await expect.poll(() => lines.at(-1)).toMatchObject({ id, state: "delivered" });
});

test("what may have been sent by an earlier process is cancelled in doubt, wherever that is told", async () => {
  const kept: import("../../dist/entry/forwarder-memory.inline.js").StoreSnapshot[] = [];
  const lines: object[] = [];
  const make = () =>
    createForwarderInProcess({
      ...rules,
      upstreamDedupe: false,
      fetch: () => new Promise(() => undefined),
      log: (line) => void lines.push(line),
      kept: kept.at(-1),
      keep: async (snapshot) => void kept.push(structuredClone(snapshot)),
    });
  const headers = { origin: SITE, "content-type": "application/json" };
  const body = JSON.stringify(event("13b9ae60-4f60-4c9e-bf75-626dca035acf"));
  const accepted = await make().fetch(new Request(`${SITE}/conversions`, { method: "POST", headers, body }));
  const { id } = (await accepted.json()) as { id: string };
  const alive = make();
  const cancel = new Request(`${SITE}/operator/cancel`, {
    method: "POST",
    headers: { authorization: `Bearer ${OPERATOR}`, "content-type": "application/json" },
    body: JSON.stringify({ id, reason: "told twice" }),
  });
  expect(await (await alive.fetch(cancel)).json()).toEqual({ id, state: "cancelled" });
  const status = await alive.fetch(new Request(`${SITE}/conversions/${id}`));
  expect(await status.json()).toMatchObject({ state: "cancelled", isInDoubt: true });
  expect(lines).toContainEqual(expect.objectContaining({ id, state: "cancelled", isInDoubt: true }));
});

test("no address, user agent or e-mail is kept or logged, and no key is anywhere", async () => {
  const snapshots: string[] = [];
  const { page, ask, click, lines, faults, operator } = both({
    keep: async (snapshot) => void snapshots.push(JSON.stringify(snapshot)),
  });
  const told: string[] = [];
  for (const script of [["server_error"], ["html"], ["cut_off"], ["wrong_json"], ["redirect"], ["restricted"], []]) {
    await faults([{ script }]);
    told.push(await (await page(event(await click()))).text());
  }
  const response = await ask("conversions?wait=1", {
    method: "POST",
    headers: {
      origin: SITE,
      "content-type": "text/plain",
      "user-agent": "CANARY-agent",
      "cf-connecting-ip": "203.0.113.77",
      "x-forwarded-for": "203.0.113.77",
      referer: "https://shop.example/?email=jane@example.com",
    },
    body: JSON.stringify(event(await click())),
  });
  told.push(await response.text(), await (await operator("")).text(), await (await operator("conversions")).text());
  told.push(await (await operator("export.csv?state=delivered")).text(), JSON.stringify(lines), ...snapshots);
  const text = told.join("\n");
  expect(snapshots.length).toBeGreaterThan(0);
  for (const secret of [
    ...spellings(KEY),
    ...spellings(OPERATOR),
    "CANARY-agent",
    "203.0.113.77",
    "jane@example.com",
  ]) {
    expect(text).not.toContain(secret);
  }
});

test("a redirect is not followed: its target sees nobody", async () => {
  const forwarder = createForwarderInProcess({
    ...rules,
    baseUrl: inject("faults"),
    origins: [SITE],
    log: () => undefined,
  });
  const clickId = `redirects.${randomUUID()}`;
  const answer = await forwarder.fetch(
    new Request(`${SITE}/conversions?wait=1`, {
      method: "POST",
      headers: { origin: SITE, "content-type": "text/plain" },
      body: JSON.stringify(event(clickId)),
    }),
  );
  expect(await answer.json()).toMatchObject({ state: "pending", code: "redirected" });
  const log = (await (await fetch(`${inject("faults")}/__log?click=${clickId}`)).json()) as {
    paths: string[];
    stolen: number;
  };
  expect(log).toMatchObject({ paths: ["conversion"], stolen: 0 });
});

test.each(["huge", "stalls", "garbled", "echoes", "cut-off"])("an answer that %s harms nobody", async (fault) => {
  const forwarder = createForwarderInProcess({
    ...rules,
    baseUrl: inject("faults"),
    origins: [SITE],
    timeoutMs: 500,
    log: () => undefined,
  });
  const answer = await forwarder.fetch(
    new Request(`${SITE}/conversions?wait=1`, {
      method: "POST",
      headers: { origin: SITE, "content-type": "text/plain" },
      body: JSON.stringify(event(`${fault}.${randomUUID()}`)),
    }),
  );
  const text = await answer.text();
  expect(JSON.parse(text).state).toMatch(/^(pending|refused|paused)$/);
  for (const spelling of spellings(KEY)) expect(text).not.toContain(spelling);
});

test("GET, HEAD and a prefetch send nothing to CAKE", async () => {
  const { ask, sent, click } = both();
  const query = `clickId=${await click()}&offerId=12345&uniqueId=U1`;
  for (const method of ["GET", "HEAD"]) {
    const headers = { origin: SITE, "sec-purpose": "prefetch;prerender" };
    expect((await ask(`conversions?${query}`, { method, headers })).status).toBe(405);
  }
  expect(sent).toEqual([]);
});
