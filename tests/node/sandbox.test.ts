/** `cake-edge sandbox` over real loopback, as a client and an affiliate use it. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { ConversionRow, FiredPostback, SandboxState } from "../../js/sandbox/rows.ts";
import { type SandboxProcess, startSandbox } from "../sandbox-process.ts";

const KEY = "sandbox-key";
const PATIENTLY = { timeout: 10_000, interval: 10 };
let sandbox: SandboxProcess;
let affiliate: Server;
let received: string[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeAll(async () => {
  sandbox = await startSandbox();
  affiliate = createServer((request, response) => {
    received.push(request.url ?? "");
    answer(request, response);
  });
  await new Promise<void>((resolve) => affiliate.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  await sandbox?.stop();
  affiliate?.close();
});
beforeEach(async () => {
  received = [];
  answer = (_, response) => response.end("OK");
  await control("POST", "reset");
});

async function control<T = unknown>(method: string, route: string, body?: unknown, at = sandbox): Promise<T> {
  const init: RequestInit = { method };
  if (body !== undefined) init.body = JSON.stringify(body);
  const response = await fetch(`${at.origin}/__sandbox/${route}`, init);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

async function click(at = sandbox): Promise<string> {
  const response = await fetch(`${at.origin}/?a=67890&c=12&s1=test`, { redirect: "manual" });
  return new URL(response.headers.get("location") ?? "").searchParams.get("reqid") ?? "";
}

const recordUrl = (clickId: string, uniqueId: string, at = sandbox) =>
  `${at.origin}/api/2/conversion.json?api_key=${KEY}&click_id=${clickId}&offer_id=12345&unique_id=${uniqueId}`;

async function recorded(): Promise<(string | null)[]> {
  const { conversions } = await control<SandboxState>("GET", "state");
  return conversions.map(({ unique_id }: ConversionRow) => unique_id);
}

/** Adds a server postback to the test's affiliate, and removes the fixture's own. */
async function listenFor(url: string, settings: object = {}, type = 1): Promise<void> {
  const fixture = await control<Record<string, unknown>>("GET", "fixture");
  await control("PUT", "fixture", { ...fixture, postbacks: [] });
  await control("PUT", "settings", settings);
  const response = await fetch(`${sandbox.origin}/api/2/affiliate_postback.json`, {
    method: "POST",
    body: JSON.stringify({
      api_key: KEY,
      affiliate_id: 67_890,
      offer_id: 0,
      postback_url: url,
      postback_type_id: type,
    }),
  });
  expect(await response.json()).toMatchObject({ request_status: "Success" });
}

async function postbackIn(...states: FiredPostback["state"][]): Promise<FiredPostback> {
  const find = async () => {
    const { postbacks } = await control<SandboxState>("GET", "state");
    return postbacks.find(({ state }) => states.includes(state));
  };
  await expect.poll(find, PATIENTLY).toBeDefined();
  return (await find()) as FiredPostback;
}

const home = () => `http://127.0.0.1:${(affiliate.address() as AddressInfo).port}`;

test("every fault has its form on the wire, and is carried out or not as it says", async () => {
  const clickId = await click();
  const strike = async (rule: object, uniqueId: string) => {
    await control("PUT", "faults", rule);
    const start = performance.now();
    try {
      const response = await fetch(recordUrl(clickId, uniqueId), { redirect: "manual" });
      const { status, headers } = response;
      const body = await response.text().catch(() => "CUT OFF");
      const ms = performance.now() - start;
      return { status, headers, body, ms, isRecorded: (await recorded()).includes(uniqueId) };
    } catch (error) {
      const cause = (error as Error).cause as { code?: string };
      return { cause: cause.code, isRecorded: (await recorded()).includes(uniqueId) };
    }
  };
  const script = (kind: string, more: object = {}) => ({ script: [kind], ...more });

  expect(await strike(script("reset_before"), "A")).toEqual({ cause: "UND_ERR_SOCKET", isRecorded: false });
  expect(await strike(script("reset_after"), "B")).toEqual({ cause: "UND_ERR_SOCKET", isRecorded: true });
  expect(await strike(script("cut_off"), "C")).toMatchObject({ status: 200, body: "CUT OFF", isRecorded: true });
  expect(await strike(script("cut_off", { recorded: false }), "D")).toMatchObject({
    body: "CUT OFF",
    isRecorded: false,
  });
  const late = await strike(script("latency", { latency_ms: 200 }), "E");
  expect(late).toMatchObject({ status: 200, isRecorded: true });
  expect(late.ms).toBeGreaterThanOrEqual(200);
  const limited = await strike(script("rate_limit", { retry_after_s: 7 }), "F");
  expect(limited).toMatchObject({ status: 429, isRecorded: false });
  expect(limited.headers?.get("retry-after")).toBe("7");
  expect(await strike(script("server_error", { status: 503 }), "G")).toMatchObject({ status: 503, isRecorded: false });
  expect(await strike(script("server_error", { recorded: true }), "H")).toMatchObject({
    status: 500,
    isRecorded: true,
  });
  expect(await strike(script("restricted"), "I")).toMatchObject({
    status: 200,
    body: '{"success":false,"message":"Restricted"}',
    isRecorded: false,
  });
  const html = await strike(script("html"), "J");
  expect(html).toMatchObject({ status: 200, isRecorded: false });
  expect(html.body).toMatch(/^<!DOCTYPE html>/);
  expect(await strike(script("wrong_json"), "K")).toMatchObject({ status: 200, body: '{"d":null}', isRecorded: false });
  const moved = await strike(script("redirect", { location: "http://127.0.0.1:1/login" }), "L");
  expect(moved).toMatchObject({ status: 302, isRecorded: false });
  expect(moved.headers?.get("location")).toBe("http://127.0.0.1:1/login");
  expect(await strike(script("latency"), "M")).toMatchObject({ isRecorded: true });
  expect(sandbox.output()).not.toContain("sandbox fault");
});

test("a fault strikes its action alone", async () => {
  await control("PUT", "faults", { share: 1, kinds: ["server_error"], actions: ["get_click"] });
  const clickId = await click();
  expect((await fetch(recordUrl(clickId, "A"))).status).toBe(200);
  expect((await fetch(`${sandbox.origin}/api/2/click.json?api_key=${KEY}`)).status).toBe(500);
  await control("PUT", "faults", { share: 1, kinds: ["reset_before"], actions: ["click"] });
  await expect(click()).rejects.toThrow("fetch failed");
});

test("32 concurrent records of one unique id are one conversion and one postback", async () => {
  await listenFor(`${home()}/once`);
  const clickId = await click();
  const answers = await Promise.all(
    Array.from({ length: 32 }, async () => (await (await fetch(recordUrl(clickId, "ORD-1"))).json()) as object),
  );
  expect(new Set(answers.map((body) => JSON.stringify(body))).size).toBe(1);
  await postbackIn("delivered");
  expect(await recorded()).toEqual(["ORD-1"]);
  expect(received).toEqual(["/once"]);
});

test("a postback is sent again by the schedule until it is answered 2xx", async () => {
  answer = (_, response) => {
    response.statusCode = received.length < 3 ? 500 : 204;
    response.end();
  };
  await listenFor(`${home()}/p?id=#reqsessid#&payout=#price#&s1=#s1#&t=#tid#`, { retry_ms: [30, 30, 30] });
  const clickId = await click();
  await fetch(recordUrl(clickId, "ORD-1"));
  expect(await postbackIn("delivered", "failed")).toMatchObject({ state: "delivered", status: 204, attempts: 3 });
  expect(received).toEqual(Array(3).fill(`/p?id=${clickId}&payout=18.00&s1=test&t=ORD-1`));
});

test("a redirect is not followed: its target sees nothing, and the log says 302", async () => {
  answer = (request, response) => {
    if (request.url?.startsWith("/from")) response.writeHead(302, { location: `${home()}/target` });
    response.end();
  };
  await listenFor(`${home()}/from`, { retry_ms: [10] });
  await fetch(recordUrl(await click(), "ORD-1"));
  expect(await postbackIn("failed")).toMatchObject({ status: 302, attempts: 2 });
  expect(received).toEqual(["/from", "/from"]);
});

test("a host off the allow-list is refused in any spelling, and nobody hears of it", async () => {
  const port = (affiliate.address() as AddressInfo).port;
  for (const host of [
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "[::ffff:127.0.0.1]",
    "localhost.",
    "127.0.0.1.nip.invalid",
  ]) {
    await control("POST", "reset");
    await listenFor(`http://${host}:${port}/`);
    await fetch(recordUrl(await click(), "ORD-1"));
    expect(await postbackIn("refused", "delivered", "failed")).toMatchObject({ state: "refused", attempts: 0 });
  }
  expect(received).toEqual([]);
});

test("a stopped clock holds retries back until it is moved", async () => {
  answer = (_, response) => {
    response.statusCode = received.length === 1 ? 500 : 200;
    response.end();
  };
  await listenFor(`${home()}/later`, { retry_ms: [3_600_000] });
  await control("PUT", "clock", { now: "2026-06-19 14:30:00", is_frozen: true });
  const log = async () => {
    const { postbacks } = await control<SandboxState>("GET", "state");
    return postbacks.map(({ state, attempts }) => `${state} ${attempts}`);
  };
  await fetch(recordUrl(await click(), "ORD-1"));
  await expect.poll(log).toEqual(["due 1"]);
  // A later postback is sent; the first one still waits.
  await fetch(recordUrl(await click(), "ORD-2"));
  await expect.poll(log).toEqual(["delivered 1", "due 1"]);
  expect(received).toHaveLength(2);
  await control("PUT", "clock", { advance_ms: 3_600_000 });
  await expect.poll(log).toEqual(["delivered 1", "delivered 2"]);
  expect((await control<SandboxState>("GET", "state")).postbacks[1]).toMatchObject({
    answered_ms: Date.parse("2026-06-19T15:30:00Z"),
  });
});

test("what happens is told to a viewer as it happens", async () => {
  const abort = new AbortController();
  const response = await fetch(`${sandbox.origin}/__sandbox/events`, { signal: abort.signal });
  expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
  const clickId = await click();
  await fetch(recordUrl(clickId, "SEEN"));
  let text = "";
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.includes('"SEEN"') && text.includes(clickId)) break;
  }
  abort.abort();
  expect(text).toContain('"owed":"18.00"');
});

test("a kill loses nothing that was answered or set, and what was due is still sent", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cake-edge-rows-"));
  try {
    let first = await startSandbox(["--persist", folder]);
    const answered: string[] = [];
    const postback = { affiliate_id: 67_890, offer_id: 0, postback_url: `${home()}/kept?lead=#leadid#` };
    await fetch(`${first.origin}/api/2/affiliate_postback.json`, {
      method: "POST",
      body: JSON.stringify({ api_key: KEY, ...postback }),
    });
    const clickId = await click(first);
    let isKilled = false;
    const senders = Array.from({ length: 8 }, async (_, sender) => {
      for (let count = 0; !isKilled; count += 1) {
        const uniqueId = `K-${sender}-${count}`;
        const response = await fetch(recordUrl(clickId, uniqueId, first)).catch(() => undefined);
        const text = await response?.text().catch(() => "");
        if (text?.includes('"Success"')) answered.push(uniqueId);
      }
    });
    await expect.poll(() => answered.length, PATIENTLY).toBeGreaterThanOrEqual(150);
    await control("PUT", "faults", { script: ["rate_limit"], actions: ["get_tracking_domains"] }, first);
    await control("PUT", "settings", { country: "GB" }, first);
    await first.stop("SIGKILL");
    isKilled = true;
    await Promise.all(senders);

    first = await startSandbox(["--persist", folder]);
    const state = await control<SandboxState>("GET", "state?limit=1000", undefined, first);
    const kept = new Set(state.conversions.map(({ unique_id }) => unique_id));
    expect(answered.filter((uniqueId) => !kept.has(uniqueId))).toEqual([]);
    expect(kept.size).toBe(state.conversions.length);
    const domains = () => fetch(`${first.origin}/api/2/tracking_domains.json?api_key=${KEY}`);
    expect([(await domains()).status, (await domains()).status]).toEqual([429, 200]);
    expect(await control("GET", "settings", undefined, first)).toMatchObject({ country: "GB" });
    // Each conversion's postback was stored with it, and every postback is delivered.
    const isOurs = ({ postback_id }: FiredPostback) => postback_id === 8801;
    expect(state.postbacks.filter(isOurs)).toHaveLength(state.conversions.length);
    const undelivered = async () => {
      const { postbacks } = await control<SandboxState>("GET", "state?limit=1000", undefined, first);
      return postbacks.filter((row) => isOurs(row) && row.state !== "delivered");
    };
    await expect.poll(undelivered, PATIENTLY).toEqual([]);
    expect(new Set(received).size).toBe(state.conversions.length);
    await first.stop();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("with a token, whoever has it gets in, by header, by the first address and then by cookie", async () => {
  const token = "a-token-of-some-length";
  const guarded = await startSandbox(["--token", token]);
  const at = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${guarded.origin}/__sandbox/${path}`, { headers, redirect: "manual" });
  expect((await at("state")).status).toBe(401);
  expect((await at("state", { authorization: "Bearer a-token-of-some-lengtH" })).status).toBe(401);
  expect((await at("state", { authorization: `Bearer ${token}` })).status).toBe(200);
  const first = await at(`?token=${token}`);
  expect(first.status).toBe(302);
  expect(first.headers.get("location")).toBe(`${guarded.origin}/__sandbox/`);
  const cookie = first.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/; Path=\/__sandbox; HttpOnly; SameSite=Strict$/);
  const kept = { cookie: cookie.split(";")[0] ?? "" };
  expect((await at("", kept)).status).toBe(200);
  expect((await at("state", { ...kept, origin: "https://evil.example" })).status).toBe(403);
  // Visitors and the API need no token.
  expect((await fetch(`${guarded.origin}/?a=67890&c=12`, { redirect: "manual" })).status).toBe(302);
  await guarded.stop();
});

test("on another address than loopback a token is asked for, and made where none is given", async () => {
  const open = await startSandbox(["--host", "0.0.0.0"]);
  const port = new URL(open.origin).port;
  expect((await fetch(`http://127.0.0.1:${port}/__sandbox/state`)).status).toBe(401);
  const token = /token=([0-9a-f-]{36})/.exec(open.output())?.[1];
  const headers = { authorization: `Bearer ${token}` };
  expect((await fetch(`http://127.0.0.1:${port}/__sandbox/state`, { headers })).status).toBe(200);
  await open.stop();
});
