// Reconcile, break down and attribute, as a user calls them.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { type CorrectionOptions, isCakeError, openReport, type ReportRow } from "../../dist/entry/report.node.js";

const folder = mkdtempSync(join(tmpdir(), "cake-edge-report-"));
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = (text: string) => new TextEncoder().encode(text);

const ORDERS = `unique_id,click_id,date,revenue,payout,status
A,c1,2026-06-01 10:00:00,22.00,18.00,approved
B,c2,2026-06-02 10:00:00,22.00,18.00,approved
C,c3,2026-06-03 10:00:00,20.00,17.00,rejected
=D,c4,2026-06-04 10:00:00,-5.00,,approved
`;

const PAGE = JSON.stringify({
  request_status: "Success",
  response: {
    data: {
      conversions: [
        { id: 1, unique: "A", status: "approved" },
        { id: 2, unique: "C", status: "approved" },
        { id: 3, unique: "X", status: "approved" },
        { id: 4, unique: "A", status: "approved" },
      ].map(({ id, unique, status }) => ({
        conversion_id: id,
        conversion_date: "2026-06-03 10:00:01",
        offer_id: 12345,
        affiliate_id: 67890,
        payout: 18,
        revenue: 22,
        conversion_status: status,
        unique_id: unique,
      })),
    },
  },
});

async function opened(options = {}) {
  const report = await openReport({ from: "2026-06-01", to: "2026-06-30", ...options });
  await report.addOrders(bytes(ORDERS), { name: "orders.csv" });
  await report.addConversions(bytes(PAGE));
  return report;
}

test("every row has a class, its reasons and its line", async () => {
  using report = await opened();
  const result = await report.reconcile();
  const rows = [...result.rows()].map(({ class: name, reasons, order, conversion }) => [
    name,
    reasons.join(),
    order?.line,
    conversion?.conversionId,
  ]);
  expect(rows).toEqual([
    ["matched", "", 2, "1"],
    ["missing_at_cake", "", 3, undefined],
    ["revenue_differs", "revenue_differs,payout_differs,status_differs", 4, "2"],
    ["refund_unclear", "no_sale_to_correct", 5, undefined],
    ["unknown_to_advertiser", "", undefined, "3"],
    ["duplicate_conversion", "", undefined, "4"],
  ]);
  expect(result.isClean).toBe(false);
  expect(result.counts.matched).toEqual({ orders: 1, conversions: 1 });
  expect(result.classes.find((sums) => sums.class === "revenue_differs")).toMatchObject({
    orderRevenue: "20.00",
    revenue: "22.00",
  });
  const matched = result.byOfferAffiliate().find((sums) => sums.class === "matched");
  expect(matched).toMatchObject({ offerId: "12345", affiliateId: "67890" });
});

test("a source is bytes from anywhere, cut anywhere", async () => {
  const file = join(folder, "orders.csv");
  writeFileSync(file, ORDERS);
  const pieces = (text: string, size: number) =>
    Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
      bytes(text.slice(index * size, (index + 1) * size)),
    );
  const sources = [
    file,
    new Blob([ORDERS]),
    new Blob([ORDERS]).stream(),
    new Response(ORDERS).body as ReadableStream<Uint8Array>,
    pieces(ORDERS, 7),
    (async function* () {
      yield* pieces(ORDERS, 1);
    })(),
    [new Blob([ORDERS.slice(0, 50)]), new Blob([ORDERS.slice(50)])] as unknown as Iterable<Uint8Array>,
  ];
  for (const source of sources) {
    using report = await openReport();
    const understood = await report.addOrders(source);
    expect(understood).toMatchObject({ kind: "orders", format: "csv", delimiter: ",", rows: 4, unreadable: 0 });
  }
});

test.each([
  ["nofile.csv", "unreadable_file", 'source is a path that cannot be read: "nofile.csv" (there is no such file)'],
  [folder, "unreadable_file", `source is a path that cannot be read: ${JSON.stringify(folder)} (EISDIR)`],
  ["https://shop.example/orders.csv", "unreadable_file", "there is no such file"],
  [new URL("https://shop.example/orders.csv"), "unreadable_file", "ERR_INVALID_URL_SCHEME"],
  ["order_id,date,email\n1,2026-06-01,jane@x.de", "invalid_field", "source is no path of a file: for a text pass"],
  ["1;2026-06-01;jane@x.de", "invalid_field", "source is no path of a file: for a text pass"],
  ['[{"email":"jane@x.de"}]', "invalid_field", "source is no path of a file: for a text pass"],
  ["jane@x.de ".repeat(1_000), "invalid_field", "source is no path of a file: for a text pass"],
  [new Blob(["jane@x.de"]).stream().pipeThrough(new TextDecoderStream()), "invalid_field", "gives text"],
])("a source that cannot be read is told without its text: %s", async (source, code, words) => {
  using report = await openReport();
  const error = await report.addOrders(source as never).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(isCakeError(error) && error.code).toBe(code);
  expect(`${error}`).toContain(words);
  expect(`${error} ${(error as Error).cause}`).not.toContain("jane");
});

test("what is uncertain is an error that names the rows, and adds nothing", async () => {
  using report = await openReport();
  const cases: [string, object, string, RegExp][] = [
    ["unique_id,revenue\nA,1.234\n", {}, "ambiguous_file", /line 2: 1\.234/],
    ["unique_id,status\nA,lost\n", {}, "unmapped_status", /lost/],
    ["x,y\n1,2\n", {}, "unreadable_file", /columns/],
    ["unique_id\nA\n", { decimal: ";" }, "invalid_field", /decimal/],
    ["unique_id\nA\n", { dialekt: "simple" }, "invalid_field", /dialekt/],
    ["unique_id\nA\n", { columns: { price: "x" } }, "invalid_field", /columns/],
  ];
  for (const [text, options, code, message] of cases) {
    const error = await report.addOrders(bytes(text), options).catch((thrown) => thrown);
    expect(isCakeError(error) && error.code).toBe(code);
    expect(error.message).toMatch(message);
  }
  expect(report.understood()).toEqual([]);
});

test("offsets are brought to the account's clock, over a change of the clocks", async () => {
  using report = await openReport({ timeZone: "America/New_York", ordersTimeZone: "Europe/Paris" });
  await report.addOrders(
    bytes(
      "unique_id,date\nA,2026-03-08T08:30:00+01:00\nB,2026-03-08 08:30:00\nC,2026-11-01 06:30:00\nD,2026-07-01 02:00:00\n",
    ),
  );
  const result = await report.reconcile();
  expect([...result.rows()].map(({ order }) => order?.date)).toEqual([
    "2026-03-08 03:30:00",
    "2026-03-08 03:30:00",
    "2026-11-01 01:30:00",
    "2026-06-30 20:00:00",
  ]);
});

test("CSV is safe for people and exact for machines; the page stands alone", async () => {
  using report = await opened();
  const result = await report.reconcile();
  const people = String(result.csv());
  const machines = String(result.csv({ for: "machines" }));
  expect(people.startsWith("\uFEFFclass,reasons,")).toBe(true);
  expect(people).toContain(",'=D,");
  expect(people).toContain(",-5.00,");
  expect(machines).toContain(",=D,");
  expect(machines.split("\r\n")).toHaveLength(8);
  expect(await new Response(result.csv({ for: "machines" }).stream()).text()).toBe(machines);
  const page = String(result.html({ title: "June <1>" }));
  expect(page).toContain("June &#60;1&#62;");
  expect(page).toContain("<svg");
  expect(page).not.toMatch(/<script|https?:/);
});

test("corrections are exact, capped, and never written twice", async () => {
  using report = await opened();
  const result = await report.reconcile();
  const first = result.corrections({ cap: { rows: 1 } });
  expect(first.csv).toBe(
    "Conversion ID,Transaction ID,Disposition,Offer ID,Payout,Add to Existing Payout\r\n2,,rejected,12345,17.00,FALSE\r\n",
  );
  expect(first).toMatchObject({ lines: 1, amount: "18.00", capped: 1, repeated: 0 });
  const second = result.corrections({ journal: first.journal });
  expect(second.csv).toContain("\r\n4,,rejected,12345,,FALSE\r\n");
  expect(second).toMatchObject({ lines: 1, repeated: 1 });
  const upload = result.corrections({ file: "upload", offerId: "12345" });
  expect(upload.csv).toBe(
    "click_id,offer_id,conversion_date,payout,revenue,unique_id,order_id\r\nc2,12345,2026-06-02 10:00:00,18.00,22.00,B,\r\n",
  );
  expect(result.corrections({ file: "upload", offerId: "12345", cap: { amount: "17.99" } })).toMatchObject({
    lines: 0,
    capped: 1,
  });
});

test("no correction is ready while a row of either side is unreadable, unless that is accepted", async () => {
  for (const add of ["addOrders", "addConversions", "addDeliveries", "addClicks"] as const) {
    using report = await opened();
    await report[add](bytes("[7]"));
    const result = await report.reconcile();
    const held = add !== "addClicks";
    for (const file of ["reconciliation", "upload"] as const) {
      const given = { file, offerId: "12345" };
      const accepted = result.corrections({ ...given, maxUnreadable: 1 });
      expect(accepted.lines).toBeGreaterThan(0);
      expect(result.corrections(given)).toMatchObject(
        held
          ? { lines: 0, journal: [], amount: "0.00", skipped: { unreadable_rows: accepted.lines } }
          : { lines: accepted.lines },
      );
    }
    expect(() => result.corrections({ maxUnreadable: -1 })).toThrow(/maxUnreadable/);
  }
});

/** The corrections of one order and one conversion. */
async function told(order: string, conversion: object | undefined, options: CorrectionOptions) {
  using report = await openReport();
  await report.addOrders(bytes(`order_id,date,revenue,status,click_id,offer_id,payout\n${order}\n`));
  const rows = conversion === undefined ? [] : [{ conversion_id: 1, offer_id: 12, unique_id: "1001", ...conversion }];
  await report.addConversions(bytes(JSON.stringify(rows)));
  return (await report.reconcile()).corrections(options);
}

test("a correction that is needed again is written again, and a rerun writes nothing", async () => {
  const steps: [string, string, object, string][] = [
    ["reversed", "18.00", { conversion_status: "approved" }, "1,,reversed,12,,FALSE"],
    ["approved", "18.00", { conversion_status: "returned" }, "1,,approved,12,,FALSE"],
    ["reversed", "18.00", { conversion_status: "approved" }, "1,,reversed,12,,FALSE"],
    ["approved", "20.00", { conversion_status: "approved" }, "1,,,12,20.00,FALSE"],
    ["approved", "18.00", { conversion_status: "approved", payout: 20 }, "1,,,12,18.00,FALSE"],
    ["approved", "20.00", { conversion_status: "approved" }, "1,,,12,20.00,FALSE"],
    // Somebody has changed CAKE's row by hand.
    ["approved", "20.00", { conversion_status: "pending" }, "1,,approved,12,20.00,FALSE"],
  ];
  let journal: string[] = [];
  for (const [status, payout, conversion, line] of steps) {
    const order = `1001,2026-06-10 09:20:00,22.00,${status},k,12,${payout}`;
    const row = { payout: 18, revenue: 22, ...conversion };
    const first = await told(order, row, { journal });
    expect(first.csv.split("\r\n")[1]).toBe(line);
    // As a file keeps it.
    journal = `${[...journal, ...first.journal].join("\r\n")}\r\n`.split("\n");
    expect(await told(order, row, { journal })).toMatchObject({ lines: 0, repeated: 1 });
  }
});

test("a sale is uploaded once, whatever changes in it", async () => {
  const written = "1001,2026-06-10 09:20:00,22.00,approved,k,12,18.00";
  const upload = { file: "upload" } as const;
  const { journal } = await told(written, undefined, upload);
  expect(await told(written, undefined, { ...upload, journal })).toMatchObject({ lines: 0, repeated: 1 });
  for (const changed of [
    "1001,2026-06-10 09:20:00,17.00,approved,k,12,18.00",
    "1001,2026-06-10 09:20:07,22.00,approved,k,12,17.00",
    "1001,2026-06-10 09:20:00,22.00,approved,k,13,18.00",
    "1001,2026-06-10 09:20:00,22.00,approved,k-2,12,18.00",
  ]) {
    expect(await told(changed, undefined, { ...upload, journal })).toMatchObject({
      lines: 0,
      repeated: 0,
      skipped: { changed_since_written: 1 },
    });
  }
  // A program has saved the orders, or a column came in.
  const order = "date,revenue,status,click_id,offer_id,payout\n";
  const rest = written.slice(written.indexOf(","));
  const dressed = ["001001", "1001.0", "#1001", '"=""1001"""', "1001\u200b", ""].map((id) => `order_id,${order}${id}`);
  for (const start of [...dressed, `unique_id,order_id,${order}U1,1001`, `unique_id,order_id,${order}U1,`]) {
    using report = await openReport();
    await report.addOrders(bytes(`${start}${rest}\n`));
    const found = (await report.reconcile()).corrections({ ...upload, journal });
    // A spreadsheet's mark says so first.
    const reason = start.includes("=") ? "shortened_id" : "changed_since_written";
    expect(found.skipped, start).toEqual({ [reason]: 1 });
  }
  // Another offer's sale of the order, which a cap has kept back.
  const both = `${written}\n1001,2026-06-10 09:20:00,22.00,approved,k,13,18.00`;
  const first = await told(both, undefined, { ...upload, cap: { rows: 1 } });
  expect(await told(both, undefined, { ...upload, journal: first.journal })).toMatchObject({ lines: 1, repeated: 1 });
  // An order that has a unique id alone.
  using report = await openReport();
  await report.addOrders(bytes("unique_id,date,click_id,offer_id\nA,2026-06-10 09:20:00,k,12\n"));
  const result = await report.reconcile();
  const once = result.corrections({ file: "upload" });
  const kept = [...once.journal].map((line) => `${line}\r`);
  expect(result.corrections({ file: "upload", journal: kept })).toMatchObject({ lines: 0, repeated: 1 });
});

test("an id that is no number of CAKE's stands in no correction", async () => {
  const order = "1001,2026-06-10 09:20:00,22.00,rejected,k,12,18.00";
  for (const id of ["9007199254740993", '"9F3A-B"', '"007"', "0"]) {
    using report = await openReport();
    await report.addOrders(bytes(`order_id,date,revenue,status,click_id,offer_id,payout\n${order}\n`));
    const row = `{"conversion_id":${id},"unique_id":"1001","offer_id":12,"payout":18,"conversion_status":"approved"}`;
    await report.addConversions(bytes(`[${row}]`));
    const { rows, csv } = (await report.reconcile()).corrections();
    expect(rows).toEqual([{ uniqueId: "1001", offerId: 12, status: "rejected", amount: "18.00" }]);
    expect(csv).toContain("\r\n,1001,rejected,12,,FALSE\r\n");
  }
});

test("a cap of money leaves out what has no known amount", async () => {
  using report = await openReport({ from: "2026-06-01", to: "2026-06-30" });
  const sale = (id: number) => `${id},k${id},2026-06-02 10:00:00,approved\n`;
  await report.addOrders(bytes(`unique_id,click_id,date,status\n${sale(1)}${sale(2)}`));
  const row = { conversion_id: 1, offer_id: 1, unique_id: "1", conversion_date: "2026-06-02 10:00:00" };
  await report.addConversions(bytes(JSON.stringify([{ ...row, conversion_status: "pending" }])));
  const result = await report.reconcile();
  for (const file of ["reconciliation", "upload"] as const) {
    const of = (cap: { amount?: string; rows?: number }) => result.corrections({ file, offerId: "1", cap });
    expect(of({ rows: 9 })).toMatchObject({ lines: 1, amount: "0.00", skipped: {} });
    expect(of({ amount: "0.00" })).toMatchObject({ lines: 0, capped: 0, skipped: { amount_unknown: 1 } });
    expect(of({ amount: "999.00" })).toMatchObject({ lines: 0, skipped: { amount_unknown: 1 } });
  }
  // A row without an amount says so: `applyCorrections` refuses it under `maxMoney`.
  expect(result.corrections().rows).toEqual([{ conversionId: 1, offerId: 1, status: "approved" }]);
});

test("caps and offers that are none are refused", async () => {
  using report = await opened();
  const result = await report.reconcile();
  for (const offerId of ["x", "0", "-3", 1.5]) {
    expect(() => result.corrections({ file: "upload", offerId })).toThrow(/offerId/);
  }
  for (const amount of [5, "-1"]) {
    expect(() => result.corrections({ cap: { amount } as { amount: string } })).toThrow(/cap.amount/);
  }
  expect(result.corrections({ file: "upload", offerId: 12345 }).lines).toBe(1);
});

test("abort ends reading and reconciling, and leaves the report usable", async () => {
  using report = await openReport();
  const signal = AbortSignal.abort();
  await expect(report.addOrders(bytes(ORDERS), { signal })).rejects.toMatchObject({ code: "aborted" });
  const controller = new AbortController();
  const endless = (async function* () {
    yield bytes("unique_id\n");
    for (let index = 0; ; index += 1) {
      if (index === 100) controller.abort();
      yield bytes(`ORD-${index}\n`);
    }
  })();
  await expect(report.addOrders(endless, { signal: controller.signal })).rejects.toMatchObject({ code: "aborted" });
  expect(report.understood()).toEqual([]);
  await report.addOrders(bytes(ORDERS));
  await expect(report.reconcile({ signal })).rejects.toMatchObject({ code: "aborted" });
  expect((await report.reconcile()).orders).toBe(4);
});

test("a result of rows that have changed is refused, as is a disposed report", async () => {
  const report = await opened();
  const result = await report.reconcile();
  await report.addOrders(bytes("unique_id\nZ\n"));
  expect(() => [...result.rows()]).toThrow(/changed/);
  report.dispose();
  expect(() => report.understood()).toThrow(/disposed/);
});

test("a full report says how much it holds and what to do", async () => {
  using report = await openReport({ memory: "1 MB" });
  const many = Array.from({ length: 60_000 }, (_, index) => `ORDER-NUMBER-${index}`).join("\n");
  const error = await report.addOrders(bytes(`unique_id\n${many}`)).catch((thrown) => thrown);
  expect(error).toMatchObject({ code: "report_full" });
  expect(error.message).toMatch(/part/);
  // Also while a path is read.
  using small = await openReport({ memory: "1 kB" });
  await expect(small.addOrders("package.json")).rejects.toMatchObject({ code: "report_full" });
});

test("parts of a report add up to the whole", async () => {
  const orders = Array.from({ length: 500 }, (_, index) => `O${index},${index}.00`).join("\n");
  const rowsOf = async (options: object) => {
    using report = await openReport({ keys: ["uniqueId"], ...options });
    await report.addOrders(bytes(`unique_id,revenue\n${orders}`));
    const result = await report.reconcile();
    return [...result.rows()].map((row: ReportRow) => row.order?.uniqueId ?? "");
  };
  const parts = await Promise.all([1, 2, 3, 4].map((part) => rowsOf({ part: [part, 4] })));
  expect(parts.every((rows) => rows.length > 50)).toBe(true);
  expect(parts.flat().sort()).toEqual((await rowsOf({})).sort());
});

test("clicks break down by a dimension of one's own, and models stand side by side", async () => {
  using report = await openReport();
  const click = (id: number, affiliate: number, sub: string, conversion?: number) => ({
    click_id: `c${id}`,
    click_date: `2026-06-0${id} 10:00:00`,
    affiliate_id: affiliate,
    offer_id: 1,
    sub_id_1: sub,
    ip_address: "203.0.113.7",
    converted: conversion !== undefined,
    conversion_id: conversion ?? null,
  });
  const clicks = { response: { clicks: [click(1, 1, "news_a"), click(2, 2, "news_b", 1), click(3, 1, "toolbar")] } };
  await report.addClicks(bytes(JSON.stringify(clicks)));
  await report.addConversions(bytes(PAGE));
  const { groups, total } = report.breakDown({
    by: [{ name: "family", of: ["subId1"], label: ({ subId1 }) => subId1?.split("_")[0] ?? "" }],
    sort: "clicks",
  });
  expect(groups.map(({ key, clicks: count, uniqueClicks }) => [key["family"], count, uniqueClicks])).toEqual([
    ["news", 2, 1],
    ["toolbar", 1, 1],
    ["", 0, 0],
  ]);
  expect(total).toMatchObject({ clicks: 3, conversions: 4, payout: "72.00" });
  const { models } = report.attribute({
    models: [
      "last",
      "linear",
      { timeDecay: { halfLifeDays: 1 } },
      { position: { first: 30, last: 30 } },
      "markov",
      "shapley",
    ],
  });
  for (const { channels } of models) {
    expect(channels.reduce((sum, { payout }) => sum + Math.round(Number(payout) * 100), 0)).toBe(1_800);
  }
  for (const secondsBefore of [-5, Number.NaN, Number.POSITIVE_INFINITY]) {
    const journeys = [{ touches: [{ channel: "a", secondsBefore }], converted: true }];
    expect(() => report.attribute({ models: ["last"], journeys })).toThrow(/secondsBefore/);
  }
  const touches = [{ channel: "a", secondsBefore: 60 }, { channel: "b" }];
  const decayed = (converted: boolean) =>
    report.attribute({ models: [{ timeDecay: { halfLifeDays: 1 } }], journeys: [{ touches, converted }] });
  expect(() => decayed(true)).toThrow(/secondsBefore/);
  expect(decayed(false).conversions).toBe(0);
  expect(report.attribute({ models: ["linear"], journeys: [{ touches, converted: true }] }).conversions).toBe(1);
  for (const converted of ["false", 1, undefined]) {
    const journeys = [{ touches, converted: converted as unknown as boolean }];
    expect(() => report.attribute({ models: ["last"], journeys })).toThrow(/converted/);
  }
  const known = report.attribute({
    models: ["markov"],
    journeys: [
      { touches: ["C1", "C2", "C3"].map((channel) => ({ channel })), converted: true, payout: "10.00" },
      { touches: [{ channel: "C1" }], converted: false },
      { touches: ["C2", "C3"].map((channel) => ({ channel })), converted: false },
    ],
  });
  expect(known.models[0]?.channels).toEqual([
    { channel: "C1", payout: "2.00", conversions: 0.2, removalEffect: 0.5 },
    { channel: "C2", payout: "4.00", conversions: 0.4, removalEffect: 1 },
    { channel: "C3", payout: "4.00", conversions: 0.4, removalEffect: 1 },
  ]);
});

const program = fileURLToPath(new URL("../../dist/bin/cake-edge.js", import.meta.url));

function cli(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: "utf8" });
  return { status, stdout, stderr };
}

test("the command line says by its exit status how it went", () => {
  writeFileSync(join(folder, "june.csv"), ORDERS);
  writeFileSync(join(folder, "page-1.json"), PAGE);
  writeFileSync(join(folder, "same.csv"), "unique_id\nA\nC\nX\n");
  writeFileSync(join(folder, "same.json"), '[{"unique_id":"A"},{"unique_id":"C"},{"unique_id":"X"}]');
  writeFileSync(join(folder, "bad.csv"), "unique_id,revenue\nA,x\n");
  writeFileSync(join(folder, "odd.csv"), "unique_id,revenue\nA,1.234\n");
  const both = ["--from", "2026-06-01", "--to", "2026-06-30", "--conversions", "page-*.json"];
  const found = cli("report", "--orders", "june.csv", ...both, "--csv", "out.csv", "--html", "out.html", "--explain");
  expect(found).toMatchObject({ status: 1 });
  expect(found.stdout).toMatch(/missing_at_cake +1/);
  expect(found.stderr).toMatch(/unique_id → uniqueId/);
  expect(readFileSync(join(folder, "out.csv"), "utf8")).toContain("missing_at_cake");
  expect(readFileSync(join(folder, "out.html"), "utf8")).toMatch(/<\/table>/);
  expect(cli("report", "--orders", "same.csv", "--conversions", "same.json").status).toBe(0);
  expect(cli("report", "--orders", "same.csv").status).toBe(2);
  expect(cli("report", "--orders", "nowhere.csv", "--conversions", "same.json").status).toBe(2);
  expect(cli("report", "--orders", "same.csv", "--conversions", "same.json", "--key", "secret").stderr).not.toContain(
    "secret",
  );
  const bad = cli("report", "--orders", "bad.csv", "--conversions", "same.json");
  expect(bad).toMatchObject({ status: 3 });
  expect(bad.stderr).toMatch(/bad\.csv line 2: amount: A,x/);
  expect(cli("report", "--orders", "bad.csv", "--conversions", "same.json", "--max-bad", "1").status).toBe(1);
  expect(cli("report", "--orders", "odd.csv", "--conversions", "same.json")).toMatchObject({ status: 3 });
  expect(cli("report", "--help")).toMatchObject({ status: 0 });
  expect(cli("report", "--help").stdout).toMatch(/Examples:/);
});

test("a rerun with a journal writes no correction twice, and a dry run none at all", () => {
  writeFileSync(join(folder, "june.csv"), ORDERS);
  writeFileSync(join(folder, "page-1.json"), PAGE);
  const files = "--orders june.csv --conversions page-1.json --corrections fix.csv --journal done.txt".split(" ");
  const run = (...more: string[]) => cli("report", ...files, ...more);
  expect(run("--dry-run").stderr).toMatch(/2 lines.*dry run/);
  expect(existsSync(join(folder, "fix.csv"))).toBe(false);
  run("--cap-rows", "1");
  expect(readFileSync(join(folder, "fix.csv"), "utf8").trim().split("\r\n")).toHaveLength(2);
  expect(run().stderr).toMatch(/1 lines, .*1 written before/);
  expect(run().stderr).toMatch(/0 lines, .*2 written before/);
});
