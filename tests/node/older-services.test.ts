/** An account on the older services, from lists to refunds, in memory and in workerd's SQLite. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CakeClient, createCakeClient, createPixel } from "../../dist/entry/edge.inline.js";
import { createSandbox } from "../../dist/entry/sandbox-memory.inline.js";
import { startSandbox } from "../sandbox-process.ts";

const MEMORY = "http://127.0.0.1";
/** A sandbox's clock is this machine's clock: a correction's result is looked up from yesterday on. */
const dayAt = (ms: number) => new Date(ms).toISOString().slice(0, 10);
const SINCE = dayAt(Date.now());
const DAY = { startDate: SINCE, endDate: dayAt(Date.now() + 86_400_000) };

interface Place {
  readonly origin: string;
  readonly fetch: (request: Request) => Promise<Response>;
}

let places: readonly Place[];
let stop: () => Promise<unknown>;

beforeAll(async () => {
  const running = await startSandbox();
  stop = () => running.stop();
  const fetchManually = (request: Request) => fetch(new Request(request, { redirect: "manual" }));
  const sandbox = createSandbox({ fetch: async () => new Response("OK") });
  places = [
    { origin: MEMORY, fetch: sandbox.fetch },
    { origin: running.origin, fetch: fetchManually },
  ];
}, 120_000);

afterAll(() => stop());

function open({ origin, fetch }: Place, more: object = {}): CakeClient {
  return createCakeClient({ baseUrl: origin, apiKey: "sandbox-key", fetch, services: "older", retries: 1, ...more });
}

/** A new sandbox, with one click. */
async function click(place: Place): Promise<string> {
  await place.fetch(new Request(`${place.origin}/__sandbox/reset`, { method: "POST" }));
  const landing = await place.fetch(new Request(`${place.origin}/?a=67890&c=12&s1=spring`, { redirect: "manual" }));
  return new URL(landing.headers.get("location") ?? "", place.origin).searchParams.get("reqid") ?? "";
}

function faults(place: Place, script: readonly (string | null)[], action = "update_conversion_events") {
  const body = JSON.stringify([{ actions: [action], script }]);
  return place.fetch(new Request(`${place.origin}/__sandbox/faults`, { method: "PUT", body }));
}

test("lists come from the older services in the young ones' shape", async () => {
  for (const place of places) {
    const clickId = await click(place);
    const asked: string[] = [];
    const cake = open(place, { timeZone: "UTC", onRequest: ({ path }: { path: string }) => asked.push(path) });
    await cake.recordConversion({ clickId, offerId: 12_345, uniqueId: "ORD-1" });
    const { rows, totalRows } = await cake.listClicks(DAY).page();
    expect(totalRows).toBe(1);
    expect(rows[0]).toMatchObject({ clickId, offerId: 12_345, affiliateId: 67_890, subId1: "spring" });
    expect(rows[0]?.clickAt?.toISOString().slice(0, 10)).toBe(SINCE);
    expect(rows[0]).not.toHaveProperty("converted");
    const conversions = [];
    for await (const conversion of cake.listConversions(DAY)) conversions.push(conversion);
    expect(conversions).toHaveLength(1);
    expect(conversions[0]).toMatchObject({
      conversionId: 998_877,
      clickId,
      uniqueId: "ORD-1",
      payoutText: "18.0000",
      payout: 18,
      currency: "USD",
      conversionStatus: "approved",
      conversionAt: expect.any(Date),
    });
    expect((await cake.listTrackingDomains())[0]).toMatchObject({ isDefault: true });
    const pages = [];
    for await (const bytes of cake.listConversions(DAY).bytes())
      pages.push(JSON.parse(new TextDecoder().decode(bytes)));
    expect(pages[0].rows[0].uniqueId).toBe("ORD-1");
    expect([...new Set(asked)]).toEqual([
      "/api/2/conversion.json",
      "/api/12/reports.asmx/Clicks",
      "/api/17/reports.asmx/EventConversions",
      "/api/1/get.asmx/TrackingDomains",
    ]);
  }
});

test("a refund is corrected, listed as a change, and no longer owed", async () => {
  for (const place of places) {
    const clickId = await click(place);
    const cake = open(place);
    const { conversionId } = await cake.recordConversion({ clickId, offerId: 12_345, uniqueId: "ORD-1" });
    const since = SINCE;
    expect((await cake.listConversionChanges({ since }).page()).rows).toEqual([]);
    const refund = { uniqueId: "ORD-1", offerId: 12_345, status: "returned", payout: "0", note: "refund 1" } as const;
    expect(await cake.correctConversion(refund, { dryRun: true })).toMatchObject({ isDryRun: true });
    expect((await cake.listConversionChanges({ since }).page()).rows).toEqual([]);
    expect(await cake.correctConversion(refund)).toMatchObject({
      message: "Conversion Updated",
      isRecovered: false,
      isDryRun: false,
    });
    const { rows } = await cake.listConversionChanges({ since }).page();
    expect(rows[0]).toMatchObject({
      conversionId,
      conversionStatus: "returned",
      payoutText: "0.0000",
      note: "refund 1",
    });
    const state = await (await place.fetch(new Request(`${place.origin}/__sandbox/state`))).json();
    expect(state.totals.owed).toBe("0.00");
  }
});

test("what adds is applied once, whatever became of its answer", async () => {
  for (const place of places) {
    const clickId = await click(place);
    const cake = open(place);
    const { conversionId } = await cake.recordConversion({ clickId, offerId: 12_345, uniqueId: "ORD-1" });
    const part = { conversionId, offerId: 12_345, payoutAdded: "-4.00" };
    await faults(place, ["reset_after"]);
    expect(await cake.correctConversion({ ...part, note: "part 1" })).toMatchObject({ isRecovered: true });
    await faults(place, ["reset_before"]);
    await expect(cake.correctConversion({ ...part, note: "part 2" })).rejects.toMatchObject({
      code: "outcome_unknown",
    });
    await faults(place, ["restricted"]);
    await cake.correctConversion({ ...part, note: "part 3" });
    const { rows } = await cake.listConversionChanges({ since: SINCE }).page();
    expect(rows[0]).toMatchObject({ payoutText: "10.0000", note: "part 1 part 3" });
  }
}, 30_000);

test("a total is sent again until it is there", async () => {
  for (const place of places) {
    const clickId = await click(place);
    const cake = open(place, { retries: 3 });
    const { conversionId } = await cake.recordConversion({ clickId, offerId: 12_345, uniqueId: "ORD-1" });
    await faults(place, ["reset_before", "html", "reset_after"]);
    await cake.correctConversion({ conversionId, offerId: 12_345, revenue: "11.50", note: "half" });
    const { rows } = await cake.listConversionChanges({ since: SINCE }).page();
    expect(rows[0]).toMatchObject({ revenueText: "11.5000", payoutText: "18.0000", note: "half" });
  }
}, 30_000);

test("what is wrong is refused by its name, and nothing is sent", async () => {
  const [place] = places as [Place];
  const cake = open({ ...place, fetch: () => Promise.reject(new Error("sent")) });
  const id = { conversionId: 1, offerId: 1 };
  for (const [params, parameter] of [
    [{ ...id, payout: "-1.00" }, "payout"],
    [{ ...id, payoutAdded: "-1.00" }, "note"],
    [{ ...id, payot: "1.00" }, "payot"],
    [{ ...id, status: "reversed" }, "status"],
    [{ ...id, revenue: 0.1 + 0.2 }, "revenue"],
    [{ offerId: 1, status: "returned" }, "conversionId"],
  ] as const) {
    await expect(cake.correctConversion(params as never)).rejects.toMatchObject({ parameter });
  }
  await expect(cake.correctConversion({ ...id, payout: 1 }, { dry: true } as never)).rejects.toMatchObject({
    code: "invalid_field",
  });
  await expect(cake.listTrackingDomains({ trackingDomainId: 1 })).rejects.toMatchObject({
    parameter: "trackingDomainId",
  });
  await expect(cake.listConversionChanges({ since: "June" }).page()).rejects.toMatchObject({ parameter: "since" });
  expect(() => open(place, { services: "old" })).toThrow(/services/);
  const reader = open(place, { readOnly: true });
  await expect(reader.correctConversion({ ...id, payout: 1 })).rejects.toMatchObject({ code: "read_only" });
});

test("an order on a pixel is told by the older services", async () => {
  for (const place of places) {
    const clickId = await click(place);
    const { url } = createPixel({
      domain: place.origin,
      sandbox: true,
      offerId: 12_345,
      eventId: 22,
      clickId,
      transactionId: "ORD-9",
      orderTotal: "21.42",
      subtotal: "18.00",
      tax: "3.42",
      currency: "EUR",
      coupons: ["SUMMER"],
      items: [{ sku: "S-1", quantity: 2, price: "9.00" }],
      udid: "device-1",
    });
    expect(await (await place.fetch(new Request(url))).text()).toBe("SUCCESS");
    const { rows } = await open(place).listConversions(DAY).page();
    expect(rows[0]).toMatchObject({ eventId: 22, orderTotalText: "21.4200", currency: "EUR", uniqueId: "ORD-9" });
  }
  expect(() =>
    createPixel({
      domain: "track.yournetwork.com",
      offerId: 1,
      clickId: "a",
      orderTotal: "5",
      subtotal: "4",
      currency: "EUR",
    }),
  ).toThrow(/orderTotal/);
});
