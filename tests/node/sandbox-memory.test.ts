/** The sandbox inside a process, and the equality of its two stores. */
import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { createCakeClient } from "../../dist/entry/edge.inline.js";
import { createSandbox } from "../../dist/entry/sandbox-memory.inline.js";
import { startSandbox } from "../sandbox-process.ts";

const ORIGIN = "http://127.0.0.1";

test("a test has a network of its own without a server: click, conversion, postback", async () => {
  const sent: string[] = [];
  const sandbox = createSandbox({
    fetch: async (url) => {
      sent.push(url);
      return new Response("OK");
    },
  });
  const landing = await sandbox.fetch(new Request(`${ORIGIN}/?a=67890&c=12&s1=spring`));
  const clickId = new URL(landing.headers.get("location") ?? "").searchParams.get("reqid") ?? "";
  const cake = createCakeClient({ baseUrl: ORIGIN, apiKey: "sandbox-key", fetch: sandbox.fetch });
  const conversion = await cake.recordConversion({ clickId, offerId: 12_345, uniqueId: "ORD-1" });
  expect(conversion).toMatchObject({ conversionId: 998_877, payoutText: "18.00" });
  await sandbox.settle();
  expect(sent).toEqual([`${ORIGIN}/affiliate/postback?click_id=${clickId}&payout=18.00&status=approved&s1=spring`]);
});

test("a sandbox goes on from a snapshot of another: rows, numbers, faults", async () => {
  const fetch = async () => new Response("OK");
  const before = createSandbox({ fetch });
  const landing = await before.fetch(new Request(`${ORIGIN}/?a=67890&c=12&s1=spring`));
  const clickId = new URL(landing.headers.get("location") ?? "").searchParams.get("reqid") ?? "";
  const faults = { method: "PUT", body: '{"actions":["get_click"],"share":1,"kinds":["rate_limit"]}' };
  await before.fetch(new Request(`${ORIGIN}/__sandbox/faults`, faults));
  const first = createCakeClient({ baseUrl: ORIGIN, apiKey: "sandbox-key", fetch: before.fetch });
  const { conversionId = 0 } = await first.recordConversion({ clickId, offerId: 12_345, uniqueId: "ORD-1" });
  await before.settle();

  const after = createSandbox({ fetch, kept: structuredClone(before.snapshot()) });
  expect(after.snapshot()).toEqual(before.snapshot());
  const cake = createCakeClient({ baseUrl: ORIGIN, apiKey: "sandbox-key", fetch: after.fetch });
  const again = await cake.recordConversion({ clickId, offerId: 12_345, uniqueId: "ORD-1" });
  const next = await cake.recordConversion({ clickId, offerId: 12_345, uniqueId: "ORD-2" });
  expect([again.conversionId, next.conversionId]).toEqual([conversionId, conversionId + 1]);
  expect((await after.fetch(new Request(`${ORIGIN}/api/2/click.json`))).status).toBe(429);
});

test("hosts that postbacks may go to are hosts, in any case of letters", async () => {
  for (const host of [
    "https://partner.example/",
    "partner.example/x",
    "*.partner.example",
    "a b",
    "",
    "u@partner.example",
  ]) {
    const open = () => createSandbox({ allowedHosts: [host] });
    expect(open, host).toThrow(expect.objectContaining({ code: "invalid_field", parameter: "allowedHosts" }));
  }
  for (const host of ["Partner.Example", "partner.example:8443", "[::1]", "127.0.0.1"]) {
    expect(() => createSandbox({ allowedHosts: [host] }), host).not.toThrow();
  }
});

test("a reset fault throws as fetch does, and a bad fixture names its place", async () => {
  const sandbox = createSandbox();
  const faults = new Request(`${ORIGIN}/__sandbox/faults`, {
    method: "PUT",
    body: '{"share":1,"kinds":["reset_before"]}',
  });
  expect((await sandbox.fetch(faults)).status).toBe(200);
  await expect(sandbox.fetch(new Request(`${ORIGIN}/api/2/click.json`))).rejects.toThrow(TypeError);
  for (const kept of [{}, { writes: [] }, { writes: 1, meta: [] }, { writes: [null], meta: [] }]) {
    expect(() => createSandbox({ kept: kept as never })).toThrow("kept must be a snapshot() of an earlier sandbox");
  }
  expect(() => createSandbox({ fixture: { offers: 1 } })).toThrow(/offers: must be a list, and is `1`/);
});

test("the schema of the fixture names exactly the fields that the rules know", async () => {
  interface Schema {
    readonly properties: Record<string, { properties?: object; items?: { properties: object; required: string[] } }>;
  }
  const schema = JSON.parse(readFileSync("dist/sandbox/fixture.schema.json", "utf8")) as Schema;
  const response = await createSandbox().fetch(new Request(`${ORIGIN}/__sandbox/fixture`));
  const fixture = (await response.json()) as Record<string, object | object[]>;
  expect(Object.keys(schema.properties).sort()).toEqual(Object.keys(fixture).sort());
  for (const [name, value] of Object.entries(fixture)) {
    const { properties, items } = schema.properties[name] ?? {};
    const first = Array.isArray(value) ? value[0] : value;
    const known = properties ?? items?.properties;
    if (known) expect(Object.keys(known).sort(), name).toEqual(Object.keys(first ?? {}).sort());
    // The rules require every field that the schema requires.
    for (const field of items?.required ?? []) {
      const { [field]: _, ...rest } = first as Record<string, unknown>;
      const lacking = { ...fixture, [name]: [rest] };
      expect(() => createSandbox({ fixture: lacking }), field).toThrow(`missing field \`${field}\``);
    }
  }
});

test("memory and SQLite answer the same to the same", async () => {
  const memory = createSandbox({ apiKey: "sandbox-key", fetch: async () => new Response("OK") });
  const process = await startSandbox();
  const both = async (method: string, path: string, body?: unknown) => {
    const init: RequestInit = { method, redirect: "manual" };
    if (body !== undefined) init.body = JSON.stringify(body);
    const answers = [
      await memory.fetch(new Request(ORIGIN + path, init)),
      await fetch(process.origin + path, init),
    ].map(async (response, index) => {
      const text = `${response.status} ${response.headers.get("location") ?? ""} ${await response.text()}`;
      return text.replaceAll(index === 0 ? ORIGIN : process.origin, "ORIGIN");
    });
    const [first, second] = await Promise.all(answers);
    expect(second, `${method} ${path}`).toBe(first);
    return first ?? "";
  };
  await both("PUT", "/__sandbox/settings", { id_seed: 7, retry_ms: [] });
  expect(await both("PUT", "/__sandbox/clock", { now: "2026-02-30 00:00:00" })).toContain("that exists");
  await both("PUT", "/__sandbox/clock", { now: "2026-06-19 14:30:00", is_frozen: true });
  const ids: string[] = [];
  for (const query of ["a=67890&c=12&s1=x", "a=67891&c=13", "a=67892&c=14&s1=%25_", "a=1&c=12"]) {
    ids.push(/reqid=([^&]+)/.exec(await both("GET", `/?${query}`))?.[1] ?? "");
  }
  const key = "api_key=sandbox-key";
  for (let index = 0; index < 30; index += 1) {
    const offer = 12_345 + (index % 3);
    const more = index % 4 === 0 ? "" : `&unique_id=U${index % 9}&payout=${(index * 37) % 11}.5`;
    await both("GET", `/api/2/conversion.json?${key}&click_id=${ids[index % 3]}&offer_id=${offer}${more}`);
  }
  for (const move of ["998877/reverse", "998878/approve", "998878/approve", "998881/reject", "1/approve"]) {
    await both("POST", `/__sandbox/conversions/${move}`);
  }
  const range = "start_date=2026-06-19&end_date=2026-06-20";
  for (const query of [
    "click.json?row_limit=2&start_at_row=1",
    "click.json?affiliate_id=67891",
    `click.json?${range}&offer_id=12347`,
    `click.json?click_id=${ids[0]}`,
    `conversions.json?${range}`,
    `conversions.json?${range}&sort_field=payout&sort_descending=true&row_limit=5&start_at_row=3`,
    `conversions.json?${range}&sort_field=conversion_status`,
    `conversions.json?${range}&conversion_status=pending&affiliate_id=67891`,
    `conversions.json?${range}&advertiser_id=3&offer_id=12347`,
    `conversions.json?${range}&advertiser_id=3&offer_id=12345`,
    "conversions.json?start_date=2026-06-20&end_date=2026-06-21",
  ]) {
    await both("GET", `/api/2/${query}&${key}`);
  }
  for (const filter of [
    "",
    "text=U3",
    "text=%25_",
    "status=reversed",
    "offer_id=12345&affiliate_id=67890",
    "limit=2",
  ]) {
    const [, , ...json] = (await stateOf(memory, filter)).split(" ");
    const state = await (await fetch(`${process.origin}/__sandbox/state?${filter}`)).json();
    const other = JSON.parse(json.join(" "));
    const plain = (whole: Record<string, unknown>) => ({
      clicks: whole["clicks"],
      conversions: whole["conversions"],
      totals: whole["totals"],
    });
    expect(plain(state as Record<string, unknown>), filter).toEqual(plain(other));
  }
  await process.stop();
});

async function stateOf(sandbox: { fetch(request: Request): Promise<Response> }, filter: string): Promise<string> {
  const response = await sandbox.fetch(new Request(`${ORIGIN}/__sandbox/state?${filter}`));
  return `${response.status}  ${await response.text()}`;
}

test("a machine whose clock is before 1970 has a network all the same", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  try {
    vi.setSystemTime(-5_000);
    const sandbox = createSandbox({});
    const landing = await sandbox.fetch(new Request(`${ORIGIN}/?a=67890&c=12`));
    expect(landing.status).toBe(302);
    const clock = await sandbox.fetch(new Request(`${ORIGIN}/__sandbox/clock`));
    expect(await clock.json()).toMatchObject({ now: "1970-01-01 00:00:00" });
  } finally {
    vi.useRealTimers();
  }
});
