/** Many corrections at once: each applied once, whatever happens on the way, within what the caller allows. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  applyCorrections,
  type CorrectionEntry,
  type CorrectionRow,
  createCakeClient,
} from "../../dist/entry/edge.inline.js";
import { openReport } from "../../dist/entry/report.node.js";
import { startSandbox } from "../sandbox-process.ts";

const KEY = "sandbox-key";
const OFFER = 12_345;

interface Kept {
  readonly conversion_id: number;
  readonly unique_id: string;
  readonly payout_units: number;
  readonly conversion_status: string;
  readonly corrections: number;
  readonly note?: string;
}

let sandbox: Awaited<ReturnType<typeof startSandbox>>;
let folder: string;

beforeAll(async () => {
  sandbox = await startSandbox();
  folder = mkdtempSync(join(tmpdir(), "cake-edge-corrections-"));
}, 120_000);

afterAll(async () => {
  await sandbox.stop();
  rmSync(folder, { recursive: true, force: true });
});

const client = () => createCakeClient({ baseUrl: sandbox.origin, apiKey: KEY, retries: 0 });

/** A fresh network with sales of 18.00. */
beforeEach(async () => {
  await fetch(`${sandbox.origin}/__sandbox/reset`, { method: "POST" });
  const cake = client();
  for (const uniqueId of ["ORD-1", "ORD-2", "ORD-3"]) {
    const landing = await fetch(`${sandbox.origin}/?a=67890&c=12`, { redirect: "manual" });
    const clickId = new URL(landing.headers.get("location") ?? "", sandbox.origin).searchParams.get("reqid") ?? "";
    await cake.recordConversion({ clickId, offerId: OFFER, uniqueId, payout: "18.00" });
  }
});

async function kept(): Promise<ReadonlyMap<string, Kept>> {
  const state = await fetch(`${sandbox.origin}/__sandbox/state?limit=1000`);
  const { conversions } = (await state.json()) as { conversions: Kept[] };
  return new Map(conversions.map((row) => [row.unique_id, row]));
}

function faults(script: readonly (string | null)[]) {
  const body = JSON.stringify([{ actions: ["update_conversion_events"], script }]);
  return fetch(`${sandbox.origin}/__sandbox/faults`, { method: "PUT", body });
}

function journalOf(entries: CorrectionEntry[] = []) {
  return { entries, read: () => [...entries], append: (entry: CorrectionEntry) => void entries.push(entry) };
}

const row = (uniqueId: string, more: Partial<CorrectionRow>): CorrectionRow => ({ offerId: OFFER, uniqueId, ...more });
const outcomes = (report: { readonly rows: readonly { readonly outcome: string }[] }) =>
  report.rows.map(({ outcome }) => outcome);

test("rows are applied once, and a rerun applies nothing twice", async () => {
  const journal = journalOf();
  const rows = [
    row("ORD-1", { status: "returned", payout: "0", amount: "18.00" }),
    row("ORD-2", { payoutAdded: "-3.00", correctionId: "refund-2", note: "ticket" }),
    row("ORD-2", { payoutAdded: "-3.00", correctionId: "refund-2", note: "ticket" }),
    row("ORD-2", { payoutAdded: "-3.00" }),
    row("ORD-9", { payout: "1" }),
  ];
  const report = await applyCorrections(rows, { client: client(), journal, rateLimit: 1_000 });
  expect(outcomes(report)).toEqual(["corrected", "corrected", "already", "invalid", "refused"]);
  expect([report.ok, report.money, report.rows[3]?.error?.parameter]).toEqual([false, "21.00", "note"]);
  const rerun = await applyCorrections(rows.slice(0, 3), { client: client(), journal, rateLimit: 1_000 });
  expect([rerun.ok, outcomes(rerun)]).toEqual([true, ["already", "already", "already"]]);
  const all = await kept();
  expect(all.get("ORD-1")).toMatchObject({ conversion_status: "returned", payout_units: 0, corrections: 1 });
  expect(all.get("ORD-2")).toMatchObject({ payout_units: 150_000, corrections: 1, note: "ticket [refund-2]" });
  expect(journal.entries.map(({ state }) => state)).toEqual([
    "sending",
    "corrected",
    "sending",
    "corrected",
    "sending",
    "refused",
  ]);
});

test("an id of any kind that the types take is the same correction", async () => {
  const options = { client: client(), journal: journalOf(), rateLimit: 1_000 };
  for (const [correctionId, outcome] of [
    [9_007_199_254_740_993n, "corrected"],
    ["9007199254740993", "already"],
  ] as const) {
    const report = await applyCorrections([row("ORD-1", { payoutAdded: "-1.00", correctionId })], options);
    expect([correctionId, ...outcomes(report)]).toEqual([correctionId, outcome]);
  }
  expect((await kept()).get("ORD-1")).toMatchObject({ corrections: 1, note: "[9007199254740993]" });
});

test("two calls at once over one journal run one after the other", async () => {
  const rows = [row("ORD-1", { payoutAdded: "2.00", correctionId: "bonus" })];
  const options = { client: client(), journal: journalOf(), rateLimit: 1_000 };
  const both = await Promise.all([applyCorrections(rows, options), applyCorrections(rows, options)]);
  expect(both.map(outcomes)).toEqual([["corrected"], ["already"]]);
  expect((await kept()).get("ORD-1")).toMatchObject({ corrections: 1 });
});

test("an id stands for one correction of a conversion, in a list, in a rerun and in another spelling", async () => {
  const journal = journalOf();
  const mine = row("ORD-2", { payoutAdded: "-3.00", correctionId: "refund-2" });
  const others = [
    { ...mine, payoutAdded: "-2.00" },
    { ...mine, note: "told on Monday" },
    { ...mine, effectiveDate: "2026-06-01" },
    { ...mine, status: "returned" as const },
  ];
  const options = { client: client(), journal, rateLimit: 1_000 };
  const dry = await applyCorrections([mine, ...others], { ...options, dryRun: true });
  expect(outcomes(dry)).toEqual(["ready", "invalid", "invalid", "invalid", "invalid"]);
  const rows = [mine, ...others, { ...mine, payoutAdded: "-3.000" }, { ...mine, correctionId: "refund-3" }];
  const report = await applyCorrections(rows, options);
  expect(outcomes(report)).toEqual(["corrected", ...others.map(() => "invalid"), "already", "corrected"]);
  expect(report.rows[1]?.error).toMatchObject({ code: "invalid_field", parameter: "correctionId" });
  // In a run of its own too, and of another conversion it is another one.
  const rerun = await applyCorrections([...others, { ...mine, uniqueId: "ORD-3" }], options);
  expect(outcomes(rerun)).toEqual([...others.map(() => "invalid"), "corrected"]);
  // What CAKE has refused may be put right under its id.
  const refused = row("ORD-9", { payout: "1", correctionId: "r" });
  const again = await applyCorrections([refused, { ...refused, payout: "2" }], options);
  expect(outcomes(again)).toEqual(["refused", "refused"]);
  expect((await kept()).get("ORD-2")).toMatchObject({ payout_units: 120_000, note: "[refund-2] [refund-3]" });
});

test("an id is one as the forwarder takes it, and no note holds another's", async () => {
  const journal = journalOf();
  const taken = row("ORD-1", { payoutAdded: "-1", correctionId: 7, note: "see [8]" });
  const ids = ["", " ", "a]b", "[a", "undefined", "a@b.example"];
  const rows = [taken, ...ids.map((correctionId) => row("ORD-2", { payout: "1", correctionId }))];
  const report = await applyCorrections(rows, { client: client(), journal, rateLimit: 1_000 });
  expect(outcomes(report)).toEqual(["corrected", ...ids.map(() => "invalid")]);
  expect(report.rows.slice(1).every(({ error }) => error?.parameter === "correctionId")).toBe(true);
  expect((await kept()).get("ORD-1")).toMatchObject({ note: "see (8) [7]" });
});

test("a dry run sends and notes nothing, and says what would be sent within the limits", async () => {
  const journal = journalOf();
  const rows = ["ORD-1", "ORD-2", "ORD-3"].map((id) => row(id, { payoutAdded: "-4", correctionId: id }));
  const options = { client: client(), journal, dryRun: true };
  const dry = await applyCorrections(rows, options);
  expect([dry.ok, dry.money, outcomes(dry)]).toEqual([true, "12.00", ["ready", "ready", "ready"]]);
  expect(outcomes(await applyCorrections(rows, { ...options, maxRows: 2 }))).toEqual(["ready", "ready", "capped"]);
  expect(outcomes(await applyCorrections(rows, { ...options, maxMoney: "8.00" }))).toEqual([
    "ready",
    "ready",
    "capped",
  ]);
  // A total does not say what it moves.
  const totals = [row("ORD-1", { payout: "1" }), row("ORD-2", { status: "rejected", amount: "5" })];
  const capped = await applyCorrections(totals, { ...options, maxMoney: "5" });
  expect(outcomes(capped)).toEqual(["invalid", "ready"]);
  expect(capped.rows[0]?.error).toMatchObject({ code: "invalid_field", parameter: "amount" });
  // Nor does a status of a report whose rows do not say the payout.
  using report = await openReport();
  const order = "unique_id,date,status\nORD-1,2026-06-02 10:00:00,approved\n";
  await report.addOrders(new TextEncoder().encode(order));
  const pending = { conversion_id: 1, offer_id: OFFER, unique_id: "ORD-1", conversion_status: "pending" };
  const page = [{ ...pending, conversion_date: "2026-06-02 10:00:00" }];
  await report.addConversions(new TextEncoder().encode(JSON.stringify(page)));
  const unknown = (await report.reconcile()).corrections().rows;
  const held = await applyCorrections(unknown, { ...options, maxMoney: "0.00" });
  expect(outcomes(held)).toEqual(["invalid"]);
  expect(held.rows[0]?.error).toMatchObject({ code: "invalid_field", parameter: "amount" });
  expect(outcomes(await applyCorrections(unknown, options))).toEqual(["ready"]);
  // Nor does an amount say less than the row adds.
  const small = [row("ORD-1", { payoutAdded: "-18.00", amount: "0.01", correctionId: "s" })];
  expect(outcomes(await applyCorrections(small, { ...options, maxMoney: "5.00" }))).toEqual(["capped"]);
  expect(journal.entries).toEqual([]);
  expect([...(await kept()).values()].every(({ corrections }) => corrections === 0)).toBe(true);
  const now = await applyCorrections(rows, { client: client(), journal, rateLimit: 1_000, maxRows: 2 });
  const later = await applyCorrections(rows, { client: client(), journal, rateLimit: 1_000, maxRows: 2 });
  expect([outcomes(now), outcomes(later)]).toEqual([
    ["corrected", "corrected", "capped"],
    ["already", "already", "corrected"],
  ]);
});

test("what nobody knows the outcome of is not sent again, and a crash leaves it so", async () => {
  const rows = [row("ORD-1", { payoutAdded: "-4", correctionId: "a" })];
  // Refused by its reader where CAKE answers nonsense, and its row is not there to be looked at.
  await fetch(`${sandbox.origin}/__sandbox/faults`, {
    method: "PUT",
    body: JSON.stringify([
      { actions: ["update_conversion_events"], script: ["html"] },
      { actions: ["event_conversion_changes"], share: 1, kinds: ["server_error"] },
    ]),
  });
  const journal = journalOf();
  const report = await applyCorrections(rows, { client: client(), journal, rateLimit: 1_000 });
  expect([outcomes(report), journal.entries.at(-1)?.state]).toEqual([["unknown"], "unknown"]);
  await faults([]);
  for (const state of ["unknown", "sending"] as const) {
    const [entry] = journal.entries;
    if (entry === undefined) throw new Error("nothing was noted");
    const again = await applyCorrections(rows, { client: client(), journal: journalOf([{ ...entry, state }]) });
    expect(outcomes(again)).toEqual(["unknown"]);
  }
  const [entry] = journal.entries;
  if (entry === undefined) throw new Error("nothing was noted");
  const settled = journalOf([...journal.entries, { ...entry, state: "missing" }]);
  expect(outcomes(await applyCorrections(rows, { client: client(), journal: settled }))).toEqual(["corrected"]);
  expect((await kept()).get("ORD-1")).toMatchObject({ payout_units: 140_000, corrections: 1 });
});

test("a key that is refused ends it at once", async () => {
  const cake = createCakeClient({ baseUrl: sandbox.origin, apiKey: "another-key", retries: 0 });
  const rows = [row("ORD-1", { payout: "1" }), row("ORD-2", { payout: "1" })];
  const report = await applyCorrections(rows, { client: cake, journal: journalOf(), rateLimit: 1_000 });
  expect([report.stopped?.code, outcomes(report)]).toEqual(["unauthorized", ["left", "left"]]);
});

test("options and rows that are none are refused", async () => {
  const options = { client: client(), journal: journalOf() };
  for (const [rows, more] of [
    [null, {}],
    [[null], {}],
    [[], { maxMoney: "many" }],
    [[], { maxRows: -1 }],
    [[], { dryRun: "yes" }],
    [[], { maxrows: 1 }],
    [[], { journal: {} }],
    [[], { client: {} }],
  ] as const) {
    const applied = applyCorrections(rows as never, { ...options, ...more } as never);
    await expect(applied, JSON.stringify([rows, more])).rejects.toMatchObject({ code: "invalid_field" });
  }
});

/** A report that finds one conversion returned and another paid too much. */
async function reported() {
  const all = await kept();
  const report = await openReport({ timeZone: "UTC", statuses: { paid: "approved", refunded: "reversed" } });
  const bytes = (text: string) => new TextEncoder().encode(text);
  const date = new Date().toISOString().slice(0, 10);
  await report.addOrders(
    bytes(
      `unique_id,date,payout,status\nORD-1,${date} 00:00:00,18.00,refunded\nORD-2,${date} 00:00:00,9.00,paid\nORD-3,${date} 00:00:00,18.00,paid\n`,
    ),
  );
  const conversions = [...all.values()].map(({ conversion_id, unique_id }) => ({
    conversion_id,
    unique_id,
    offer_id: OFFER,
    conversion_date: `${date} 00:00:00`,
    payout: "18.00",
    conversion_status: "approved",
  }));
  await report.addConversions(bytes(JSON.stringify(conversions)));
  const result = (await report.reconcile()).corrections();
  report.dispose();
  return result;
}

test("a report's corrections are applied through the same call", async () => {
  const { rows, csv } = await reported();
  expect(rows.toSorted((a, b) => Number(b.amount) - Number(a.amount))).toMatchObject([
    { status: "returned", amount: "18.00", offerId: OFFER },
    { payout: "9.00", amount: "9.00" },
  ]);
  expect(csv.trim().split("\r\n")).toHaveLength(rows.length + 1);
  const report = await applyCorrections(rows, {
    client: client(),
    journal: journalOf(),
    rateLimit: 1_000,
    maxRows: 100,
    maxMoney: "500.00",
  });
  expect([report.ok, report.money]).toEqual([true, "27.00"]);
  const all = await kept();
  expect(all.get("ORD-1")).toMatchObject({ conversion_status: "returned" });
  expect(all.get("ORD-2")).toMatchObject({ payout_units: 90_000 });
  expect(all.get("ORD-3")).toMatchObject({ corrections: 0 });
});

function cli(...args: string[]): Promise<{ status: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["dist/bin/cake-edge.js", "corrections", ...args], {
      env: { ...process.env, CAKE_API_KEY: KEY },
    });
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      err += chunk;
    });
    child.on("close", (status) => resolve({ status, out, err }));
  });
}

test("the command looks first, applies with a journal, and reads a report's file and a forwarder's export", async () => {
  const file = join(folder, "fix.csv");
  writeFileSync(file, (await reported()).csv);
  const looked = await cli("--file", file);
  expect([looked.status, looked.err]).toEqual([0, expect.stringContaining("2 ready")]);
  expect((await kept()).get("ORD-2")).toMatchObject({ corrections: 0 });
  const way = ["--base-url", sandbox.origin, "--rate", "1000"];
  const one = await cli("--file", file, "--apply", "--max-rows", "1", ...way);
  expect([one.status, one.err]).toEqual([1, expect.stringContaining("1 corrected, 1 capped")]);
  const rest = await cli("--file", file, "--apply", "--json", ...way);
  expect(rest.status).toBe(0);
  expect(
    rest.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).outcome),
  ).toEqual(["already", "corrected"]);
  expect(readFileSync(`${file}.journal`, "utf8").trim().split("\n")).toHaveLength(4);
  expect(readFileSync(`${file}.journal`, "utf8") + rest.out + rest.err).not.toContain(KEY);

  const exported = join(folder, "dead.csv");
  writeFileSync(
    exported,
    "correction_id,conversion_id,unique_id,offer_id,status,payout,payout_added,revenue,revenue_added,disposition_id,effective_date,note\r\nrefund-3,,ORD-3,12345,,,-2.50,,,,,ticket 7\r\n",
  );
  const applied = await cli("--file", exported, "--apply", "--max-money", "2.50", ...way);
  expect([applied.status, applied.err]).toEqual([0, expect.stringContaining("1 corrected")]);
  expect((await kept()).get("ORD-3")).toMatchObject({ payout_units: 155_000, note: "ticket 7 [refund-3]" });
}, 60_000);

test("the command says what is wrong with a file or an option", async () => {
  const file = join(folder, "wrong.csv");
  const look = async (text: string, ...more: string[]) => {
    writeFileSync(file, text);
    const { status, out, err } = await cli("--file", file, ...more);
    return [status, out + err] as const;
  };
  for (const [text, ...more] of [
    ["offer,unique_id,payout\n1,u,1\n"],
    ["offer_id,unique_id,payuot\n1,u,1\n"],
    ["offer_id,unique_id,payout,add_to_existing_payout\n1,u,1,maybe\n"],
    ["offer_id,unique_id,payout\n1,u,1\n", "--max-money", "1,00"],
    ["offer_id,unique_id,payout\n1,u,1\n", "--max-rows", "-1"],
    ["offer_id,unique_id,payout\n1,u,1\n", "--apply"],
    ["offer_id,unique_id,payout\n1,u,1\n", "--key=x"],
    ["offer_id,unique_id,payout\n1,u,1\n", "--settle", "2=done"],
  ] as const) {
    expect([text, more, (await look(text, ...more))[0]]).toEqual([text, more, 2]);
  }
  expect(await look("offer_id,unique_id,payout\n1,u,-1\n")).toEqual([1, expect.stringContaining("payout")]);
}, 60_000);
