/** The chain inside workerd: the client against a sandbox. */
import { exports } from "cloudflare:workers";
import { createCakeClient, isCakeError } from "cake-edge";
import { expect, test } from "vitest";

const ORIGIN = "http://127.0.0.1:8787";
const API_KEY = "CANARY-KEY";
const sandbox = (exports as unknown as { default: Fetcher }).default;
const send = (request: Request) => sandbox.fetch(request);

async function click(): Promise<string> {
  const response = await sandbox.fetch(`${ORIGIN}/?a=67890&c=12&s1=test`, { redirect: "manual" });
  expect(response.status).toBe(302);
  const landing = new URL(response.headers.get("location") ?? "");
  expect(landing.pathname).toBe("/shop/");
  return landing.searchParams.get("reqid") ?? "";
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(isCakeError(error)).toBe(true);
  expect(JSON.stringify(error) + String(error)).not.toContain(API_KEY);
  return isCakeError(error) ? error.code : "";
}

test("a click becomes a conversion, once", async () => {
  const cake = createCakeClient({ baseUrl: ORIGIN, apiKey: API_KEY, fetch: send });
  const clickId = await click();
  expect((await cake.getClick(clickId))?.converted).toBe(false);

  const params = { clickId, offerId: 12345, uniqueId: "ORD-1", revenue: "40.5" };
  const first = await cake.recordConversion(params);
  expect(first).toMatchObject({ conversionStatus: "approved", payoutText: "18.00", revenueText: "40.50" });
  const second = await cake.recordConversion(params);
  expect(second.conversionId).toBe(first.conversionId);

  expect(await cake.getClick(clickId)).toMatchObject({
    converted: true,
    subId1: "test",
    conversionId: first.conversionId,
  });
});

test("a click that CAKE does not know is undefined to read and refused to convert", async () => {
  const cake = createCakeClient({ baseUrl: ORIGIN, apiKey: API_KEY, fetch: send });
  expect(await cake.getClick("nobody")).toBeUndefined();
  expect(await codeOf(cake.recordConversion({ clickId: "nobody", offerId: 12345 }))).toBe("refused");
});

test("all six methods and the doctor agree about one conversion", async () => {
  const cake = createCakeClient({ baseUrl: ORIGIN, apiKey: API_KEY, fetch: send, timeZone: "America/New_York" });
  const [domain] = await cake.listTrackingDomains({ domainStatus: "active" });
  expect(domain).toMatchObject({ domainStatus: "active", isDefault: true });
  const postback = await cake.createPostback({
    affiliateId: 67890,
    offerId: 12345,
    postbackUrl: "https://nobody.invalid/?click_id=#reqsessid#&payout=#price#",
    postbackTypeId: 1,
  });
  expect(postback).toMatchObject({ postbackStatus: "active", postbackType: "Server", offerId: 12345 });

  const clickId = await click();
  const sold = await cake.recordConversion({ clickId, offerId: 12345, uniqueId: "SIX-1", payout: "7.25" });
  const today = sold.conversionDate?.slice(0, 10) ?? "";
  const tomorrow = new Date(Date.parse(`${today}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
  const days = { startDate: today, endDate: tomorrow, offerId: 12345, affiliateId: 67890 };

  const clicks = [];
  // One row a page: every page but the first starts where the last one ended.
  for await (const row of cake.listClicks({ ...days, rowLimit: 1 })) clicks.push(row);
  expect(clicks.filter((row) => row.clickId === clickId)).toMatchObject([
    { converted: true, conversionId: sold.conversionId, clickAt: expect.any(Date) },
  ]);
  expect(new Set(clicks.map((row) => row.clickId)).size).toBe(clicks.length);

  const conversions = [];
  for await (const row of cake.listConversions({ ...days, conversionStatus: "approved", rowLimit: 1 }))
    conversions.push(row);
  expect(conversions.filter((row) => row.conversionId === sold.conversionId)).toMatchObject([
    { payoutText: "7.25", affiliate: { affiliateId: 67890 }, offer: { offerId: 12345 } },
  ]);

  const report = await cake.check({ clickId });
  expect(report.checks.map(({ name, status }) => `${name} ${status}`)).toEqual([
    "reachable ok",
    "key ok",
    "domains ok",
    "default_domain ok",
    expect.stringMatching(/^clock (ok|skipped)$/),
    "click ok",
    "services ok",
    "get_click ok",
    "get_conversions ok",
    "conversion_report ok",
  ]);
  expect(report.ok).toBe(true);
});

test("a HEAD request is redirected, without a click id, and leaves no click", async () => {
  const response = await sandbox.fetch(`${ORIGIN}/?a=67890&c=12&s1=head`, { method: "HEAD", redirect: "manual" });
  expect(response.status).toBe(302);
  expect(new URL(response.headers.get("location") ?? "").searchParams.get("reqid")).toBe("");
  const state = await sandbox.fetch(`${ORIGIN}/__sandbox/state?text=head`);
  expect(await state.json()).toMatchObject({ clicks: [] });
});

test("the global fetch reaches nobody: a read is retryable, a write is unknown, and no key is shown", async () => {
  const cake = createCakeClient({ baseUrl: "http://127.0.0.1:9", apiKey: API_KEY, timeoutMs: 2_000 });
  expect(await codeOf(cake.getClick("abc"))).toBe("network");
  expect(await codeOf(cake.recordConversion({ clickId: "abc", offerId: 1 }))).toBe("outcome_unknown");
});
