/** What a message says of an amount or a number is true of its reader: its examples, their opposites, and its range. */
import { expect, test } from "vitest";
import { applyCorrections, createCakeClient, createPixel } from "../../dist/entry/edge.inline.js";
import { type JourneyInput, type Model, openReport, type Report } from "../../dist/entry/report.node.js";

const cake = createCakeClient({ baseUrl: "http://127.0.0.1", apiKey: "k", fetch: () => Promise.reject(new Error()) });
const bytes = (text: string) => new TextEncoder().encode(text);
const journal = { read: () => [], append: () => undefined };

async function withReport<T>(use: (report: Report) => T | Promise<T>): Promise<T> {
  using report = await openReport();
  return await use(report);
}

const journey: JourneyInput = {
  touches: ["a", "b"].map((channel) => ({ channel, secondsBefore: 5 })),
  converted: true,
  payout: "18.00",
};

const attribute = (given: Partial<JourneyInput>, model: Model = "last") =>
  withReport((report) => report.attribute({ models: [model], journeys: [{ ...journey, ...given }] }));

const correct = (given: object) => {
  const row = { offerId: 1, conversionId: 1, note: "x", ...given } as never;
  return cake.correctConversion(row, { dryRun: true });
};

/** A row's own error. */
async function appliedAs(given: object): Promise<void> {
  const rows = [{ offerId: 1, conversionId: 1, note: "x", ...given }] as never[];
  const report = await applyCorrections(rows, { client: cake, journal, maxMoney: "500.00", dryRun: true });
  const error = report.rows[0]?.error;
  if (error !== undefined) throw error;
}

const AMOUNTS: Record<string, (amount: string) => unknown> = {
  "a journey's payout": (payout) => attribute({ payout }),
  "a report's tolerance": (tolerance) => openReport({ tolerance }).then((report) => report.dispose()),
  "a report's cap": (amount) =>
    withReport(async (report) => {
      await report.addOrders(bytes("[]"));
      await report.addConversions(bytes("[]"));
      return (await report.reconcile()).corrections({ cap: { amount } });
    }),
  "a cap of corrections": (maxMoney) => applyCorrections([], { client: cake, journal, maxMoney }),
  "a pixel's payout": (payout) => createPixel({ domain: "t.example.com", offerId: 1, clickId: "a1", payout }),
  "a correction's total": (payout) => correct({ payout }),
  "what a correction adds": (payoutAdded) => correct({ payoutAdded }),
  "what a row adds": (revenueAdded) => appliedAs({ revenueAdded }),
  "a row's amount": (amount) => appliedAs({ payout: "1.00", amount }),
};

async function refusalOf(run: () => unknown): Promise<string | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

test.each(Object.entries(AMOUNTS))("%s is read as its message says", async (_, read) => {
  const message = (await refusalOf(() => read("$5"))) ?? "";
  const examples = message.match(/-?\d+\.\d\d/g) ?? [];
  expect(examples).not.toEqual([]);
  for (const example of examples) {
    expect(await refusalOf(() => read(example)), message).toBeUndefined();
    // A message without a sign among its examples says that there is none.
    const isSigned = examples.some((other) => other.startsWith("-"));
    const opposite = example.startsWith("-") ? example.slice(1) : `-${example}`;
    expect(await refusalOf(() => read(opposite)), opposite).toBe(isSigned ? undefined : message);
    expect(message.endsWith("no sign")).toBe(!isSigned);
  }
  for (const wrong of ["1,000.00", "18,50", "+5", "1e3", "5.00 USD", "1.23456", ".5", "5.", "\u0665"]) {
    expect(await refusalOf(() => read(wrong)), wrong).toBe(message);
  }
  expect(await refusalOf(() => read("1.2345"))).toBeUndefined();
  const isLimited = message.includes("up to 9 digits before the point and 4 after");
  expect(isLimited || message.includes("at most 4 digits after the point"), message).toBe(true);
  if (isLimited) {
    expect(await refusalOf(() => read("999999999.9999"))).toBeUndefined();
    expect(await refusalOf(() => read("1000000000"))).toBe(message);
  }
});

test("a correction's error names the field that is wrong", async () => {
  for (const name of ["amount", "payoutAdded", "revenueAdded"]) {
    const error = await refusalOf(() => appliedAs({ payoutAdded: "1.00", [name]: "$5" }));
    expect(error).toContain(`${name} must be an amount`);
  }
});

test("percentages and half-lives are read as their messages say", async () => {
  const percent = (text: string) =>
    withReport((report) =>
      report.addOrders(bytes("order_id,date,total\n1,2026-06-01,5.00\n"), { revenue: { percent: text, of: "total" } }),
    );
  const position = (first: number, last: number) => attribute({}, { position: { first, last } });
  const halfLife = (halfLifeDays: number) => attribute({}, { timeDecay: { halfLifeDays } });
  for (const [run, words] of [
    [() => percent("0"), undefined],
    [() => percent("1000"), undefined],
    [() => percent("7.5"), undefined],
    [() => percent("7.5555"), undefined],
    [() => percent("-1"), 'from "0" to "1000"'],
    [() => percent("1001"), 'from "0" to "1000"'],
    [() => percent("7,5"), 'such as "7.5"'],
    [() => percent("10%"), 'such as "7.5"'],
    [() => percent("7.55555"), "at most 4 digits after the point"],
    [() => position(40, 40), undefined],
    [() => position(0, 100), undefined],
    [() => position(60, 60), "up to 100 together"],
    [() => position(-5, 40), "from 0"],
    [() => position(40.5, 40), "whole percentages"],
    [() => halfLife(0.5), undefined],
    [() => halfLife(36_500), undefined],
    [() => halfLife(36_501), "at most 36500"],
    [() => halfLife(0), "above 0"],
  ] as const) {
    const message = await refusalOf(run);
    if (words === undefined) expect(message, run.toString()).toBeUndefined();
    else expect(message, run.toString()).toContain(words);
  }
});

test("a journey keeps its touches beside a payout with a line feed or a tab", async () => {
  for (const payout of ["18.00\n", "18.00\r\n", "\t18.00", " 18.00 "]) {
    const found = await attribute({ payout });
    expect(found.models[0]?.channels).toMatchObject([
      { channel: "a", payout: "0.00" },
      { channel: "b", payout: "18.00" },
    ]);
  }
  for (const payout of ["18.00\tghost\t1", "18.00\nmodel=first"]) {
    expect(await refusalOf(() => attribute({ payout }))).toContain("payout must be an amount");
  }
});
