/** The sandbox's Durable Object in workerd: its SQLite, its clock, its control routes. */
import { exports } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";

const ORIGIN = "http://127.0.0.1:8787";
const KEY = "CANARY-KEY";
const sandbox = (exports as unknown as { default: Fetcher }).default;

const control = (method: string, route: string, body?: unknown) =>
  sandbox.fetch(`${ORIGIN}/__sandbox/${route}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });

async function api<T = Record<string, unknown>>(action: string, query: Record<string, string | number>): Promise<T> {
  const parameters = new URLSearchParams({ api_key: KEY, ...(query as Record<string, string>) });
  return (await sandbox.fetch(`${ORIGIN}/api/2/${action}.json?${parameters}`)).json<T>();
}

async function click(query = "a=67890&c=12&s1=banner_300x250"): Promise<string> {
  const response = await sandbox.fetch(`${ORIGIN}/?${query}`, {
    redirect: "manual",
    headers: { "cf-connecting-ip": "203.0.113.42", "cf-ipcountry": "US" },
  });
  return new URL(response.headers.get("location") ?? "").searchParams.get("reqid") ?? "";
}

const record = (clickId: string, more: Record<string, string> = {}, offerId = 12_345) =>
  api<{ conversion: { conversion_id: number; conversion_status: string }; message?: string }>("conversion", {
    click_id: clickId,
    offer_id: offerId,
    ...more,
  });

beforeEach(async () => {
  expect((await control("POST", "reset")).status).toBe(200);
  await control("PUT", "clock", { now: "2026-06-19 14:30:00", is_frozen: true });
});

test("the five actions answer what the article shows, field by field, in its order", async () => {
  const clickId = await click();
  expect(await record(clickId, { payout: "18.00", revenue: "22.00", unique_id: "ORD-98765" })).toEqual({
    request_status: "Success",
    conversion: {
      conversion_id: 998_877,
      offer_id: 12_345,
      affiliate_id: 67_890,
      click_id: clickId,
      payout: 18,
      revenue: 22,
      unique_id: "ORD-98765",
      conversion_date: "2026-06-19 14:30:00",
      conversion_status: "approved",
    },
  });
  expect(
    await api("click", { start_date: "2026-06-01", end_date: "2026-06-30", offer_id: 12_345, row_limit: 50 }),
  ).toEqual({
    request_status: "Success",
    response: {
      clicks: [
        {
          click_id: clickId,
          click_date: "2026-06-19 14:30:00",
          offer_id: 12_345,
          affiliate_id: 67_890,
          sub_id_1: "banner_300x250",
          ip_address: "203.0.113.42",
          country: "US",
          converted: true,
          conversion_id: 998_877,
        },
      ],
      total_rows: 1,
    },
  });
  const range = { start_date: "2026-06-01", end_date: "2026-06-20" };
  expect(await api("conversions", { ...range, offer_id: 12_345, conversion_status: "approved" })).toEqual({
    request_status: "Success",
    total_rows: 1,
    conversions: [
      {
        conversion: {
          conversion_id: 998_877,
          offer: { offer_id: 12_345, offer_name: "Auto Insurance Quote" },
          affiliate: { affiliate_id: 67_890, affiliate_name: "MediaBridge Partners" },
          payout: 18,
          revenue: 22,
          conversion_status: "approved",
          conversion_date: "2026-06-19 14:30:00",
        },
      },
    ],
  });
  const postback = {
    affiliate_id: 67_890,
    offer_id: 12_345,
    postback_url: "https://tracking.partner.com/postback?click_id=#reqsessid#&payout=#price#&status=#status#",
    postback_status: "active",
  };
  const created = await sandbox.fetch(`${ORIGIN}/api/2/affiliate_postback.json`, {
    method: "POST",
    body: JSON.stringify({ api_key: KEY, ...postback, postback_type_id: 1 }),
  });
  expect(await created.json()).toEqual({
    request_status: "Success",
    postback: { postback_id: 8801, ...postback, postback_type: "Server" },
  });
  expect(await api("tracking_domains", { domain_status: "active" })).toEqual({
    request_status: "Success",
    tracking_domains: [
      { tracking_domain_id: 1, domain: "track.yournetwork.com", domain_status: "active", is_default: true },
    ],
  });
});

test("amounts travel with their exact digits", async () => {
  const clickId = await click();
  const url = `${ORIGIN}/api/2/conversion.json?api_key=${KEY}&click_id=${clickId}&offer_id=12345&payout=0.1&revenue=12.3450`;
  expect(await (await sandbox.fetch(url)).text()).toContain('"payout":0.10,"revenue":12.3450,');
});

test("32 concurrent records of one unique id are one conversion", async () => {
  const clickId = await click();
  const answers = await Promise.all(Array.from({ length: 32 }, () => record(clickId, { unique_id: "ORD-1" })));
  expect(new Set(answers.map(({ conversion }) => conversion.conversion_id))).toEqual(new Set([998_877]));
  const { conversions, totals } = await (await control("GET", "state")).json<{
    conversions: unknown[];
    totals: { balances: { owed: string }[] };
  }>();
  expect(conversions).toHaveLength(1);
  expect(totals.balances[0]?.owed).toBe("18.00");
});

test("conversions are filtered, sorted and paged without losing or repeating one", async () => {
  const clickId = await click();
  for (let index = 0; index < 25; index += 1) {
    await record(clickId, { payout: `${(index * 7) % 25}.00`, unique_id: `U${index}` });
  }
  type Page = { total_rows: number; conversions: { conversion: { conversion_id: number; payout: number } }[] };
  const range = { start_date: "2026-06-19", end_date: "2026-06-20" };
  const seen: number[] = [];
  for (let start = 0; start < 30; start += 10) {
    const page = await api<Page>("conversions", { ...range, row_limit: 10, start_at_row: start });
    expect(page.total_rows).toBe(25);
    seen.push(...page.conversions.map(({ conversion }) => conversion.conversion_id));
  }
  expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => 998_877 + index));
  const sorted = await api<Page>("conversions", {
    ...range,
    sort_field: "payout",
    sort_descending: "true",
    row_limit: 3,
  });
  expect(sorted.conversions.map(({ conversion }) => conversion.payout)).toEqual([24, 23, 22]);
  expect((await api<Page>("conversions", { ...range, advertiser_id: 1 })).total_rows).toBe(25);
  expect((await api<Page>("conversions", { ...range, advertiser_id: 2 })).total_rows).toBe(0);
  expect((await api<Page>("conversions", { ...range, affiliate_id: 67_891 })).total_rows).toBe(0);
  expect((await api<Page>("conversions", { ...range, conversion_status: "pending" })).total_rows).toBe(0);
  expect((await api<Page>("conversions", { start_date: "2026-06-18", end_date: "2026-06-19" })).total_rows).toBe(0);
  // The count is up to date.
  await record(clickId, { unique_id: "U25" });
  expect((await api<Page>("conversions", { ...range, row_limit: 1 })).total_rows).toBe(26);
});

test("a status moves by hand, and what is owed with it", async () => {
  await record(await click("a=67891&c=13"), { unique_id: "H1" }, 12_346);
  const owed = async () => {
    const state = await (await control("GET", "state?status=approved")).json<{
      conversions: unknown[];
      totals: { balances: { owed: string; pending: string }[] };
    }>();
    return [state.conversions.length, state.totals.balances[1]?.owed, state.totals.balances[1]?.pending];
  };
  expect(await owed()).toEqual([0, "0.00", "42.00"]);
  expect((await control("POST", "conversions/998877/approve")).status).toBe(200);
  expect(await owed()).toEqual([1, "42.00", "0.00"]);
  expect((await control("POST", "conversions/998877/approve")).status).toBe(409);
  expect((await control("POST", "conversions/998877/reverse")).status).toBe(200);
  expect(await owed()).toEqual([0, "0.00", "0.00"]);
});

test("settings, fixture and clock are changed at run time, and a reset takes all of it back", async () => {
  await control("PUT", "settings", { click_ids: "integer", failures: "request_status" });
  expect(await click()).toBe("500000001");
  expect(await api("click", { row_limit: 0 })).toMatchObject({ request_status: "Failure" });
  await control("PUT", "clock", { advance_ms: 86_400_000 });
  expect(await (await control("GET", "clock")).json()).toMatchObject({ now: "2026-06-20 14:30:00", is_frozen: true });
  const fixture = await (await control("GET", "fixture")).json<{ offers: { offer_name: string }[] }>();
  const renamed = { ...fixture, offers: fixture.offers.map((offer) => ({ ...offer, offer_name: "Renamed" })) };
  expect((await control("PUT", "fixture", renamed)).status).toBe(200);
  const state = await (await control("GET", "state")).json<{ fixture: { offers: { offer_name: string }[] } }>();
  expect(state.fixture.offers[0]?.offer_name).toBe("Renamed");
  await control("POST", "reset");
  expect(await (await control("GET", "settings")).json()).toMatchObject({
    click_ids: "uuid",
    failures: "success_false",
  });
  expect(await (await control("GET", "fixture")).json()).toEqual(fixture);
  expect(await (await control("GET", "state")).json()).toMatchObject({ clicks: [], clock: { is_frozen: false } });
});

test("ids and drawn faults repeat from a seed", async () => {
  const run = async () => {
    await control("POST", "reset");
    await control("PUT", "settings", { id_seed: 42 });
    await control("PUT", "faults", [{ share: 0.5, kinds: ["rate_limit"] }]);
    const ids = [await click(), await click()];
    const statuses: number[] = [];
    for (let call = 0; call < 20; call += 1) {
      const response = await sandbox.fetch(`${ORIGIN}/api/2/tracking_domains.json?api_key=${KEY}`);
      statuses.push(response.status);
      await response.text();
    }
    return { ids, statuses };
  };
  const first = await run();
  expect(await run()).toEqual(first);
  expect(first.statuses.filter((status) => status === 429)).toHaveLength(10);
});

test("what the control routes do not understand is refused with its place", async () => {
  for (const [method, route, body, words] of [
    ["PUT", "faults", '[{"share":2}]', "faults[0] must have a share"],
    ["PUT", "faults", "no JSON", "faults"],
    ["PUT", "settings", { color: "red" }, "unknown field `color`"],
    ["PUT", "clock", { now: "tomorrow" }, "must be a time in UTC"],
    ["PUT", "clock", { tomorrow: true }, "is not a part of the clock"],
    ["PUT", "fixture", { offers: [] }, "missing field `creatives`"],
    ["POST", "history", { days: 0, clicks: 1 }, "must be from 1 to 3650"],
    ["POST", "history", "{}", "missing field `days`"],
  ] as const) {
    const response = await control(method, route, body);
    expect(response.status).toBe(400);
    expect((await response.json<{ error: { rule: string } }>()).error.rule).toContain(words);
  }
  expect((await control("GET", "nothing")).status).toBe(404);
  expect((await control("DELETE", "settings")).status).toBe(404);
});

test("a history is made in the background of other requests, and can be read by the API", async () => {
  const response = await control("POST", "history", { days: 3, clicks: 5_000, seed: 3 });
  const lines = (await response.text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const last = lines.at(-1);
  expect(last).toMatchObject({ clicks: 5_000, is_last: true });
  const clicks = await api<{ response: { total_rows: number } }>("click", { row_limit: 1 });
  expect(clicks.response.total_rows).toBe(5_000);
  const all = await api<{ total_rows: number }>("conversions", { start_date: "2026-06-01", end_date: "2026-06-30" });
  expect(all.total_rows).toBe(last.conversions);
  // A second one continues the numbers.
  await (await control("POST", "history", { days: 1, clicks: 100 })).text();
  const more = await api<{ response: { total_rows: number } }>("click", { row_limit: 1 });
  expect(more.response.total_rows).toBe(5_100);
});

test("a page of another site, and another name for loopback, are turned away", async () => {
  const url = `${ORIGIN}/__sandbox/state`;
  expect((await sandbox.fetch(url, { headers: { origin: "https://evil.example" } })).status).toBe(403);
  expect((await sandbox.fetch("http://rebound.evil.example:8787/__sandbox/state")).status).toBe(403);
  expect((await sandbox.fetch(url, { headers: { origin: ORIGIN } })).status).toBe(200);
});

test("a prefetch is answered with nothing, and leaves nothing", async () => {
  const response = await sandbox.fetch(`${ORIGIN}/?a=67890&c=12`, {
    redirect: "manual",
    headers: { "sec-purpose": "prefetch;prerender" },
  });
  expect(response.status).toBe(204);
  expect(await (await control("GET", "state")).json()).toMatchObject({ clicks: [] });
});

test("an image pixel is a GIF, and the view comes with a policy that names its own script alone", async () => {
  const clickId = await click();
  const pixel = await sandbox.fetch(`${ORIGIN}/p.ashx?o=12345&r=${clickId}&t=P1&f=img`);
  expect(pixel.headers.get("content-type")).toBe("image/gif");
  expect(new TextDecoder("latin1").decode(await pixel.arrayBuffer()).slice(0, 6)).toBe("GIF89a");
  const view = await sandbox.fetch(`${ORIGIN}/__sandbox/`);
  const policy = view.headers.get("content-security-policy") ?? "";
  expect(policy).toMatch(/script-src 'sha256-[^']+'; style-src 'sha256-/);
  const html = await view.text();
  expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
});
