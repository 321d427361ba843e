/** The client reads a network's answers in every dress. */
import { beforeEach, describe, expect, test } from "vitest";
import { type CakeClient, createCakeClient, dayRange } from "../../dist/entry/edge.inline.js";
import { createSandbox, type Sandbox } from "../../dist/entry/sandbox-memory.inline.js";

const DRESSES = [
  "d",
  "d_text",
  "pascal_case",
  "camel_case",
  "texts",
  "numbers",
  "elements",
  "one_object",
  "named_rows",
  "flat",
  "iso_dates",
  "offset_dates",
  "json_dates",
  "us_dates",
  "milliseconds",
] as const;

let sandbox: Sandbox;
let cake: CakeClient;
let warnings: string[];
let days = dayRange("2026-01-10", "2026-01-20");

const control = async (path: string, body: unknown) => {
  const request = new Request(`http://127.0.0.1/__sandbox/${path}`, { method: "PUT", body: JSON.stringify(body) });
  const answer = await sandbox.fetch(request);
  expect(answer.status, await answer.clone().text()).toBe(200);
};

async function click(query = "s1=spring&s2=12345678901234567890"): Promise<string> {
  const answer = await sandbox.fetch(new Request(`http://127.0.0.1/?a=67890&c=12&${query}`));
  return new URL(answer.headers.get("location") ?? "").searchParams.get("reqid") ?? "";
}

beforeEach(async () => {
  sandbox = createSandbox();
  warnings = [];
  cake = createCakeClient({
    baseUrl: "http://127.0.0.1",
    apiKey: "sandbox-key",
    fetch: sandbox.fetch,
    timeZone: "America/New_York",
    retries: 0,
    onWarning: ({ message }) => warnings.push(message),
  });
});

/** An account in New York, on a day in January. */
async function inJanuary(): Promise<void> {
  days = dayRange("2026-01-10", "2026-01-20");
  await control("settings", { utc_offset: "-05:00" });
  await control("clock", { now: "2026-01-15 14:42:11" });
}

/** All values that the client reads, without the dates' original texts. */
async function readAll(clickId: string): Promise<unknown[]> {
  const listed = [];
  for await (const row of cake.listConversions(days)) listed.push(row);
  const reported = [];
  for await (const row of cake.listConversionReport(days)) reported.push(row);
  const clicks = [];
  for await (const row of cake.listClicks(days)) clicks.push(row);
  const all = [await cake.getClick(clickId), clicks, listed, reported, await cake.listTrackingDomains()];
  return JSON.parse(
    JSON.stringify(all, (name, value) => {
      if (/Date$/.test(name)) return undefined;
      // The dress has added a fraction of a second.
      return /At$/.test(name) ? String(value).slice(0, 19) : value;
    }),
  );
}

describe("answers", () => {
  beforeEach(inJanuary);

  test.each(
    DRESSES.map((dress) => [[dress]] as const).concat([[["d", "pascal_case", "json_dates", "texts"] as never]]),
  )("in %j are read as the article's own", async (dress) => {
    const clickId = await click();
    await cake.recordConversion({ clickId, offerId: 12_345, payout: "18.50", uniqueId: "ORD-1" });
    const article = await readAll(clickId);
    expect(article[0]).toMatchObject({ subId2: "12345678901234567890", clickAt: "2026-01-15T14:42:11" });
    await control("settings", { dress });
    expect(await readAll(clickId)).toEqual(article);
    const other = await click("s1=other");
    expect(await cake.recordConversion({ clickId: other, offerId: 12_345, uniqueId: "ORD-2" })).toMatchObject({
      clickId: other,
      uniqueId: "ORD-2",
      offerId: 12_345,
      conversionAt: expect.any(Date),
    });
    const postback = { affiliateId: 67_890, offerId: 0, postbackUrl: "https://p.example/?id=#reqsessid#" };
    expect(await cake.createPostback(postback)).toMatchObject({ ...postback, postbackStatus: "active" });
    expect(warnings).toEqual([]);
  });

  test("with nulls in a row: the row and its neighbours come", async () => {
    for (const query of ["s1=a", "s1=b", "s1=c"]) await click(query);
    await control("settings", { dress: ["nulls"] });
    const { rows, totalRows } = await cake.listClicks(days).page();
    expect(rows.map(({ subId1, offerId }) => [subId1, offerId])).toEqual([
      [undefined, undefined],
      ["b", 12_345],
      ["c", 12_345],
    ]);
    expect(rows.every(({ clickId }) => clickId !== undefined)).toBe(true);
    expect(totalRows).toBe(3);
  });

  test("an empty list in each dress is one", async () => {
    for (const dress of DRESSES) {
      await control("settings", { dress: [dress] });
      expect(await cake.listClicks(days).page(), dress).toEqual({ rows: [], totalRows: 0 });
      expect((await cake.listConversions(days).page()).rows, dress).toEqual([]);
    }
  });

  test("a dress that nobody knows is refused", async () => {
    const request = new Request("http://127.0.0.1/__sandbox/settings", { method: "PUT", body: '{"dress":["velvet"]}' });
    const answer = await sandbox.fetch(request);
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining("unknown variant `velvet`")]);
  });
});

describe("failures", () => {
  beforeEach(inJanuary);

  test.each([
    ["success_false", "refused", "refused"],
    ["request_status", "refused", "refused"],
    ["d", "refused", "refused"],
    ["elsewhere", "refused", "refused"],
    ["xml", "refused", "refused"],
    ["message", "http_status", "http_status"],
    ["soap_fault", "http_status", "outcome_unknown"],
    ["error", "unexpected_answer", "outcome_unknown"],
    ["html", "unexpected_answer", "outcome_unknown"],
  ])("as %s come with CAKE's words: %s of a read, %s of a write", async (failures, ofRead, ofWrite) => {
    await control("settings", { failures });
    const thrown = async (run: Promise<unknown>) =>
      run.then(
        () => "passed",
        (error: unknown) => error,
      );
    const read = await thrown(cake.listConversions({ ...days, sortField: "colour" }).page());
    expect(read).toMatchObject({ code: ofRead, message: expect.stringContaining("Invalid sort_field") });
    const write = (await thrown(cake.recordConversion({ clickId: "nobody", offerId: 12_345 }))) as Error;
    expect(write).toMatchObject({ code: ofWrite });
    const { message } = ofWrite === "outcome_unknown" ? (write.cause as Error) : write;
    expect(message).toMatch(/click/i);
  });
});

describe("after an unknown outcome, the report", () => {
  beforeEach(() => {
    days = dayRange("last7Days", { timeZone: "UTC" });
  });

  const record = (clickId: string, uniqueId: string) =>
    // A report that lacks the conversion is asked again after four times this.
    cake.recordConversion({ clickId, offerId: 12_345, uniqueId }, { verify: "report", retries: 2, timeoutMs: 1_000 });
  const conversions = async () => (await cake.listConversionReport(days).page()).rows.map(({ uniqueId }) => uniqueId);
  const script = (kind: string) => control("faults", [{ actions: ["record_conversion"], script: [kind] }]);

  test("finds the unique id, and nothing is sent again", async () => {
    const clickId = await click();
    await script("reset_after");
    expect(await record(clickId, "ORD-1")).toMatchObject({ isRecovered: true, conversionId: expect.any(Number) });
    expect(await conversions()).toEqual(["ORD-1"]);
  });

  test("does not find it, and the conversion is sent again: also a second one of the same click", async () => {
    const clickId = await click();
    await record(clickId, "ORD-1");
    await script("reset_before");
    expect(await record(clickId, "ORD-2")).toMatchObject({ isRecovered: false, uniqueId: "ORD-2" });
    expect((await conversions()).sort()).toEqual(["ORD-1", "ORD-2"]);
  });

  test("is not there, and the outcome stays unknown", async () => {
    const clickId = await click();
    await control("faults", [
      { actions: ["record_conversion"], script: ["reset_after"] },
      { actions: ["conversion_report"], share: 1, kinds: ["html"] },
    ]);
    await expect(record(clickId, "ORD-1")).rejects.toMatchObject({ code: "outcome_unknown" });
    await control("faults", []);
    expect(await conversions()).toEqual(["ORD-1"]);
  });
});

test("no answer: the platform's words are the cause, without URL and key", async () => {
  const causeOf = async (fetch: (request: Request) => Promise<Response>) => {
    const cake = createCakeClient({ baseUrl: "https://a.example", apiKey: "CANARY-KEY", retries: 0, fetch });
    const error = await cake.getClick("abc").then(String, (error: Error & { code: string }) => error);
    expect(error).toMatchObject({ code: "network" });
    const { cause } = error as Error;
    return cause === undefined ? undefined : (cause as Error).message;
  };
  const failed = await causeOf(async (request) => {
    throw new TypeError(`fetch failed for ${request.url}`, { cause: new Error("connect ECONNREFUSED 10.0.0.1:443") });
  });
  expect(failed).toBe("fetch failed for (the URL) connect ECONNREFUSED 10.0.0.1:443");
  expect(await causeOf(() => Promise.reject("no route for CANARY-KEY"))).toBe("no route for [api_key]");
  expect(await causeOf(() => Promise.reject(Object.assign(new Error(""), { code: "ECONNRESET" })))).toBe("ECONNRESET");
  expect(await causeOf(() => Promise.reject(undefined))).toBeUndefined();
});

test("an error's words are taken from its beginning, however long and slow the body", async () => {
  const client = (body: BodyInit) =>
    createCakeClient({
      baseUrl: "https://a.example",
      apiKey: "CANARY-KEY",
      retries: 0,
      fetch: async () => new Response(body, { status: 500 }),
    });
  const long = `<html><head><title>Runtime Error</title></head>${"x".repeat(200_000)}`;
  await expect(client(long).getClick("abc")).rejects.toThrow("no answer of CAKE's API: Runtime Error");
  const stalls = new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode("Try again later")) });
  await expect(client(stalls).getClick("abc")).rejects.toThrow("error status: Try again later");
});
