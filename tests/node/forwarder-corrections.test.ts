/** Corrections through a forwarder, in front of a sandbox. */
import { expect, test } from "vitest";
import { both, KEY, type Options, SITE } from "./forwarder-in-process.ts";

const OFFER = 12_345;
const UPDATE = "/api/6/track.asmx/UpdateConversionEvents";

interface Kept {
  readonly unique_id: string;
  readonly payout_units: number;
  readonly revenue_units: number;
  readonly conversion_status: string;
  readonly corrections: number;
  readonly note?: string;
}

/** A forwarder that has delivered a sale of 18.00. */
async function sold(more: Parameters<typeof both>[0] = {}) {
  const site = both(more);
  await site.backend({
    clickId: await site.click(),
    offerId: OFFER,
    uniqueId: "ORD-1",
    payout: "18.00",
    revenue: "22.00",
  });
  const kept = async () => (await site.recorded()).find(({ unique_id }) => unique_id === "ORD-1") as unknown as Kept;
  return { ...site, kept };
}

const refund = (more: object = {}) => ({ correctionId: "refund-1", offerId: OFFER, uniqueId: "ORD-1", ...more });

test("a refund is handed over as a sale is, and told with the sale's promise", async () => {
  const { correct, kept, ask, lines } = await sold();
  const answer = await correct(refund({ status: "returned", payout: "0", revenue: "0", note: "ticket 7" }));
  expect(answer.status).toBe(202);
  const told = await answer.json();
  expect(told).toMatchObject({ state: "delivered", duplicate: false, attempts: 1 });
  expect(await kept()).toMatchObject({
    conversion_status: "returned",
    payout_units: 0,
    revenue_units: 0,
    note: "ticket 7 [refund-1]",
    corrections: 1,
  });
  expect(await (await ask(`corrections/${told.id}`)).json()).toMatchObject({ id: told.id, state: "delivered" });
  expect(lines.filter(({ event }) => event === "correction").map(({ state }) => state)).toEqual([
    "pending",
    "delivered",
  ]);
});

test("the same correction again is a duplicate however it is spelt, and another of the same id a conflict", async () => {
  const { correct, kept } = await sold();
  await correct(refund({ payoutAdded: "-9.00" }));
  for (const same of [
    refund({ payoutAdded: "-9.000" }),
    refund({ payoutAdded: -9, note: "" }),
    { ...refund({ payoutAdded: "-9.0" }), offerId: "12345.0" as unknown },
  ].map((each) => JSON.parse(JSON.stringify(each).replace('"12345.0"', "12345.0")))) {
    const answer = await correct(same);
    expect([answer.status, await answer.json()]).toEqual([202, expect.objectContaining({ duplicate: true })]);
  }
  for (const other of [
    refund({ payoutAdded: "-9.01" }),
    refund({ payoutAdded: "9.00" }),
    refund({ payoutAdded: "-9.00", note: "other" }),
    refund({ payoutAdded: "-9.00", status: "returned" }),
    // Of another conversion, under the same id.
    refund({ payoutAdded: "-9.00", uniqueId: "ORD-2" }),
    { correctionId: "refund-1", offerId: OFFER, conversionId: 7, payoutAdded: "-9.00" },
    refund({ payoutAdded: "-9.00", offerId: 777 }),
  ]) {
    const answer = await correct(other);
    expect([answer.status, (await answer.json()).error.code], JSON.stringify(other)).toEqual([
      409,
      "correction_conflict",
    ]);
  }
  expect(await kept()).toMatchObject({ payout_units: 90_000, corrections: 1 });
});

test("a batch is answered in order, each by itself", async () => {
  const { correct, kept } = await sold();
  const answer = await correct({
    corrections: [
      refund({ payout: "17" }),
      refund({ payout: "17.00" }),
      refund({ payout: "16" }),
      { ...refund({ payoutAdded: "-1" }), correctionId: "refund-2" },
      {},
    ],
  });
  expect(answer.status).toBe(202);
  const { results } = await answer.json();
  expect(results).toMatchObject([
    { state: "delivered", duplicate: false },
    { duplicate: true },
    { error: { code: "correction_conflict" } },
    { state: "delivered" },
    { error: { code: "invalid_field", parameter: "correctionId" } },
  ]);
  expect(await kept()).toMatchObject({ payout_units: 160_000, note: "[refund-1] [refund-2]" });
});

test("pages, unsigned callers and wrong signatures are refused before anything is kept", async () => {
  const { ask, operator } = await sold();
  const body = JSON.stringify(refund({ payout: "0" }));
  const headers = { "content-type": "application/json" };
  const callers: readonly Record<string, string>[] = [
    { origin: SITE },
    {},
    { "webhook-id": "m", "webhook-timestamp": "1", "webhook-signature": "v1,x" },
  ];
  for (const more of callers) {
    const answer = await ask("corrections", { method: "POST", headers: { ...headers, ...more }, body });
    expect([answer.status, (await answer.json()).error.code]).toEqual([401, "signature_refused"]);
  }
  expect((await ask("corrections")).status).toBe(405);
  expect((await ask("corrections", { method: "OPTIONS", headers: { origin: SITE } })).status).toBe(405);
  expect((await ask(`corrections/${"0".repeat(32)}`)).status).toBe(404);
  const { corrections } = await (await operator("counts")).json();
  expect(corrections).toEqual({ pending: 0, delivered: 0, refused: 0, dead: 0, cancelled: 0 });
});

test("without an account there is nobody to correct, and an account beside p.ashx is enough", async () => {
  const bare = both({ baseUrl: undefined as never, apiKey: undefined as never, pixelDomain: "http://127.0.0.1" });
  const answer = await bare.correct(refund({ payout: "0" }));
  expect([answer.status, (await answer.json()).error]).toEqual([
    501,
    expect.objectContaining({
      code: "corrections_unavailable",
      retryable: false,
      rule: expect.stringContaining("apiKey"),
    }),
  ]);
  const { correct, kept, sent } = await sold({ pixelDomain: "http://127.0.0.1" });
  expect(await (await correct(refund({ payout: "1.50" }))).json()).toMatchObject({ state: "delivered" });
  expect(await kept()).toMatchObject({ payout_units: 15_000 });
  expect(sent).toEqual(["/p.ashx", UPDATE]);
});

test("an order goes to p.ashx from those who sign, and the API has no field for it", async () => {
  const order = { eventId: 1, orderTotal: "22.50", currency: "EUR", coupons: ["A", "B"], udid: "device-1" };
  const { backend, page, click, recorded } = both({ pixelDomain: "http://127.0.0.1" });
  const sale = { clickId: await click(), offerId: OFFER, uniqueId: "ORD-1", ...order };
  const byPage = await page(sale);
  expect([byPage.status, (await byPage.json()).error]).toMatchObject([
    400,
    { code: "invalid_field", parameter: "eventId" },
  ]);
  expect(await (await backend(sale)).json()).toMatchObject({ state: "delivered" });
  expect(await (await backend({ ...sale, orderTotal: 22.5 })).json()).toMatchObject({ duplicate: true });
  expect((await backend({ ...sale, coupons: ["A"] })).status).toBe(409);
  expect((await backend({ ...sale, uniqueId: "ORD-2", coupons: ["a^b"] })).status).toBe(400);
  expect(await recorded()).toMatchObject([
    { unique_id: "ORD-1", event_id: 1, order_total: "22.50", currency: "EUR", udid: "device-1" },
  ]);
  const api = both();
  for (const [name, value] of Object.entries(order)) {
    const more = name === "orderTotal" ? { orderTotal: value, currency: "EUR" } : { [name]: value };
    const answer = await api.backend({ clickId: await api.click(), offerId: OFFER, uniqueId: "ORD-1", ...more });
    expect([answer.status, (await answer.json()).error.rule]).toEqual([400, expect.stringContaining("p.ashx")]);
  }
});

test("a correction waits for its conversion, and goes when that is delivered", async () => {
  const { backend, correct, click, faults, recorded, sent, operator } = both();
  await faults([{ actions: ["record_conversion"], script: Array(4).fill("server_error"), status: 503 }]);
  const sale = backend({ clickId: await click(), offerId: OFFER, uniqueId: "ORD-1", payout: "18.00" }, "");
  const corrections = [
    { ...refund({ payoutAdded: "-3" }), correctionId: "a" },
    { ...refund({ payout: "10" }), correctionId: "b" },
    { ...refund({ payoutAdded: "-1" }), correctionId: "c" },
  ];
  await sale;
  const { results } = await (await correct({ corrections }, "")).json();
  await expect
    .poll(async () =>
      (await (await operator("conversions?kind=correction")).json()).rows.map(
        (row: { waitsFor: string }) => row.waitsFor,
      ),
    )
    .toContain("conversion");
  await expect
    .poll(async () => (await (await operator("counts")).json()).corrections.delivered, { timeout: 20_000 })
    .toBe(3);
  expect(results.every(({ state }: { state: string }) => state === "pending")).toBe(true);
  const [kept] = (await recorded()) as unknown as Kept[];
  expect(kept).toMatchObject({ payout_units: 90_000, note: "[a] [b] [c]", corrections: 3 });
  expect(sent.filter((path) => path === UPDATE)).toHaveLength(3);
  expect(sent.lastIndexOf("/api/2/conversion.json")).toBeLessThan(sent.indexOf(UPDATE));
});

test("a correction of what CAKE refused ends with its reason, and goes with its conversion's replay", async () => {
  const { backend, correct, click, faults, operator, recorded, sent } = both();
  await faults([{ actions: ["record_conversion"], script: ["server_error"], status: 409 }]);
  const sale = await (
    await backend({ clickId: await click(), offerId: OFFER, uniqueId: "ORD-1", payout: "18.00" })
  ).json();
  expect(sale.state).toBe("refused");
  const told = await (await correct(refund({ payout: "1" }))).json();
  expect(told).toMatchObject({ state: "refused", code: "conversion_refused" });
  expect(sent).not.toContain(UPDATE);
  const list = async (query: string) => (await (await operator(`conversions?${query}`)).json()).rows;
  const [row] = await list("kind=correction");
  expect(row).toMatchObject({
    kind: "correction",
    state: "refused",
    upstreamMessage: expect.stringContaining("http_status"),
    correction: refund({ payout: "1.00" }),
  });
  expect(row).not.toHaveProperty("conversion");
  expect((await list("kind=conversion")).map(({ id }: { id: string }) => id)).toEqual([sale.id]);
  expect(await list("state=failed")).toHaveLength(2);
  expect((await operator("conversions?kind=refund")).status).toBe(400);
  const post = (path: string, body: object) => operator(path, { method: "POST", body: JSON.stringify(body) });
  expect(await (await post("replay", { id: sale.id })).json()).toEqual({ replayed: 2 });
  await expect
    .poll(async () => ((await recorded()) as unknown as Kept[])[0]?.payout_units, { timeout: 20_000 })
    .toBe(10_000);
});

test("a correction that came before its sale is sent after it, in its order", async () => {
  const { backend, correct, click, recorded, operator } = both();
  for (const [correctionId, payoutAdded] of [
    ["a", "-3"],
    ["b", "-1"],
  ]) {
    expect(await (await correct(refund({ correctionId, payoutAdded }))).json()).toMatchObject({
      state: "refused",
      code: "refused",
    });
  }
  // Another conversion's is left alone, and so is what an operator has cancelled.
  await correct(refund({ correctionId: "c", uniqueId: "ORD-2", payout: "1" }));
  const { id } = await (await correct(refund({ correctionId: "d", payout: "1" }))).json();
  await operator("cancel", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id, reason: "told by mistake" }),
  });
  const sale = { clickId: await click(), offerId: OFFER, uniqueId: "ORD-1", payout: "18.00" };
  await backend(sale);
  await expect
    .poll(async () => (await (await operator("counts")).json()).corrections)
    .toEqual({ pending: 0, delivered: 2, refused: 1, dead: 0, cancelled: 1 });
  // The same sale again is a duplicate, and sends nothing.
  await backend(sale);
  const [kept] = (await recorded()) as unknown as Kept[];
  expect(kept).toMatchObject({ payout_units: 140_000, note: "[a] [b]", corrections: 2 });
});

test.each([
  ["was refused before its sale", ["correct", "sell"]],
  ["comes with its sale", ["sell", "correct"]],
])("a correction that %s goes as soon as the sale is delivered, by the true clock", async (_, order) => {
  for (const delayMs of [0, 3, 6, 9, 12, 20]) {
    const sandbox: { fetch?: (request: Request) => Promise<Response> } = {};
    const site = both({
      clockSpeed: 1,
      fetch: async (request) => {
        if (request.url.includes("conversion.json")) await new Promise((resolve) => setTimeout(resolve, delayMs));
        return (sandbox.fetch as NonNullable<typeof sandbox.fetch>)(request);
      },
    });
    sandbox.fetch = (request) => site.sandbox.fetch(request);
    const sale = { clickId: await site.click(), offerId: OFFER, uniqueId: "ORD-1", payout: "18.00" };
    const calls: Record<string, () => Promise<unknown>> = {
      sell: () => site.backend(sale, ""),
      correct: () => site.correct(refund({ payoutAdded: "-3" }), order[0] === "correct" ? "?wait=1" : ""),
    };
    for (const name of order) await calls[name]?.();
    await expect
      .poll(async () => (await (await site.operator("counts")).json()).corrections, { timeout: 3_000 })
      .toMatchObject({ pending: 0, delivered: 1 });
    expect(await site.recorded()).toMatchObject([{ payout_units: 150_000 }]);
  }
});

test("a process that ends while a correction is on its way has kept that it is", async () => {
  let snapshot: Options["kept"];
  let isGone = false;
  const keep = async (taken: NonNullable<Options["kept"]>) => {
    const copy = structuredClone(taken);
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (!isGone) snapshot = copy;
  };
  const first = both({ keep });
  const sandbox = first.sandbox;
  await first.backend({ clickId: await first.click(), offerId: OFFER, uniqueId: "ORD-1", payout: "18.00" });
  const dying = both({
    kept: snapshot,
    keep,
    // CAKE carries it out, and the process ends at once.
    fetch: async (request) => {
      await sandbox.fetch(request);
      isGone = true;
      return new Promise(() => {});
    },
  });
  await dying.correct(refund({ payoutAdded: "-9" }), "");
  await expect.poll(() => isGone).toBe(true);
  const asked: string[] = [];
  const next = both({
    kept: snapshot,
    timeoutMs: 100,
    fetch: (request) => {
      asked.push(new URL(request.url).pathname.split("/").at(-1) ?? "");
      return sandbox.fetch(request);
    },
  });
  await expect
    .poll(async () => (await (await next.operator("counts")).json()).corrections.delivered, { timeout: 20_000 })
    .toBe(1);
  expect(asked).toEqual(["EventConversionChanges"]);
  expect((await first.recorded())[0]).toMatchObject({ payout_units: 90_000, corrections: 1 });
});

test("what cannot be kept does not leave, and snapshots are kept one after the other", async () => {
  let isFull = false;
  let atOnce = 0;
  const most: number[] = [];
  const { backend, correct, click, sent, operator } = both({
    keep: async () => {
      most.push(++atOnce);
      await new Promise((resolve) => setTimeout(resolve, 1));
      atOnce -= 1;
      if (isFull) throw new Error("full");
    },
  });
  await backend({ clickId: await click(), offerId: OFFER, uniqueId: "ORD-1", payout: "18.00" });
  isFull = true;
  expect((await correct(refund({ payoutAdded: "-9" }), "")).status).toBe(503);
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(sent.filter((path) => path === UPDATE)).toHaveLength(0);
  isFull = false;
  await expect
    .poll(async () => (await (await operator("counts")).json()).corrections.delivered, { timeout: 20_000 })
    .toBe(1);
  expect(sent.filter((path) => path === UPDATE)).toHaveLength(1);
  expect(Math.max(...most)).toBe(1);
});

test("operators filter, export, cancel and replay corrections", async () => {
  const { correct, faults, operator, kept } = await sold();
  await faults([{ actions: ["update_conversion_events"], script: Array(30).fill("rate_limit"), retry_after_s: 3_600 }]);
  const one = await (await correct(refund({ payout: "5", note: "=1+1" }), "")).json();
  const two = await (await correct({ ...refund({ payout: "4" }), correctionId: "refund-2" }, "")).json();
  const post = (path: string, body: object) => operator(path, { method: "POST", body: JSON.stringify(body) });
  for (const { id } of [one, two]) {
    expect(await (await post("cancel", { id, reason: "a mistake" })).json()).toMatchObject({ state: "cancelled" });
  }
  const csv = await (await operator("export.csv?kind=correction&state=cancelled")).text();
  expect(csv.split("\r\n")).toEqual([
    "correction_id,conversion_id,unique_id,offer_id,status,payout,payout_added,revenue,revenue_added,disposition_id,effective_date,note",
    "refund-2,,ORD-1,12345,,4.00,,,,,,",
    "refund-1,,ORD-1,12345,,5.00,,,,,,'=1+1",
    "",
  ]);
  // The bulk upload's file is of conversions alone.
  expect((await (await operator("export.csv?state=cancelled")).text()).split("\r\n")).toHaveLength(2);
  const html = await (await operator("?state=cancelled")).text();
  expect(html).toContain("refund-1: ORD-1");
  expect(html).toContain("of 2 corrections wait");
  await faults([]);
  expect(await (await post("replay", { state: "cancelled", kind: "correction" })).json()).toEqual({ replayed: 2 });
  await expect.poll(async () => (await kept()).corrections, { timeout: 20_000 }).toBe(2);
  expect(await kept()).toMatchObject({ payout_units: 40_000, note: "=1+1 [refund-1] [refund-2]" });
});

test("what was overtaken by a later correction is not sent any more", async () => {
  const { correct, faults, operator, kept } = await sold();
  await faults([{ actions: ["update_conversion_events"], script: ["server_error"], status: 409 }]);
  const one = await (await correct(refund({ payout: "5" }))).json();
  expect(one.state).toBe("refused");
  await correct({ ...refund({ payout: "4" }), correctionId: "refund-2" });
  const body = JSON.stringify({ id: one.id });
  expect(await (await operator("replay", { method: "POST", body })).json()).toEqual({ replayed: 1 });
  await expect
    .poll(async () => (await (await operator("conversions?kind=correction&state=refused")).json()).rows, {
      timeout: 8_000,
    })
    .toMatchObject([{ id: one.id, code: "overtaken" }]);
  expect(await kept()).toMatchObject({ payout_units: 40_000, corrections: 1 });
});

test("what adds is added once, whatever its requests and their answers meet", async () => {
  for (const fault of [
    "reset_before",
    "reset_after",
    "cut_off",
    "html",
    "server_error",
    "wrong_json",
    "redirect",
    "restricted",
    "rate_limit",
  ]) {
    const { correct, faults, operator, kept } = await sold({ timeoutMs: 1_000 });
    await faults([{ actions: ["update_conversion_events"], script: [fault, fault], status: 500 }]);
    await correct(refund({ payoutAdded: "-2.50" }), "");
    await expect
      .poll(async () => (await (await operator("counts")).json()).corrections.delivered, { timeout: 20_000 })
      .toBe(1);
    expect([fault, await kept()]).toMatchObject([fault, { payout_units: 155_000, corrections: 1, note: "[refund-1]" }]);
  }
}, 60_000);

test("nothing of the key is told", async () => {
  const { correct, operator, faults } = await sold();
  await faults([{ actions: ["update_conversion_events"], script: ["html"] }]);
  await correct(refund({ payout: "5" }), "");
  await expect
    .poll(async () => (await (await operator("counts")).json()).corrections.delivered, { timeout: 8_000 })
    .toBe(1);
  for (const path of [
    "conversions?kind=correction",
    "export.csv?kind=correction&state=delivered",
    "?state=delivered",
  ]) {
    const text = await (await operator(path)).text();
    expect(text).toContain("refund-1");
    expect(text).not.toContain(KEY);
  }
});
