/** Corrections of one conversion: the last one counts at CAKE, so rows that contradict each other are never sent silently. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  applyCorrections,
  type CorrectionEntry,
  type CorrectionRow,
  createCakeClient,
} from "../../dist/entry/edge.inline.js";
import { startSandbox } from "../sandbox-process.ts";

const KEY = "sandbox-key";
const OFFER = 12_345;

let sandbox: Awaited<ReturnType<typeof startSandbox>>;
let folder: string;

beforeAll(async () => {
  sandbox = await startSandbox();
  folder = mkdtempSync(join(tmpdir(), "cake-edge-order-"));
}, 120_000);

afterAll(async () => {
  await sandbox.stop();
  rmSync(folder, { recursive: true, force: true });
});

const client = () => createCakeClient({ baseUrl: sandbox.origin, apiKey: KEY, retries: 0 });

/** A fresh network with one sale of 18.00, and one that no correction is about. */
beforeEach(async () => {
  await fetch(`${sandbox.origin}/__sandbox/reset`, { method: "POST" });
  for (const uniqueId of ["ORD-1", "ORD-2"]) {
    const landing = await fetch(`${sandbox.origin}/?a=67890&c=12`, { redirect: "manual" });
    const clickId = new URL(landing.headers.get("location") ?? "", sandbox.origin).searchParams.get("reqid") ?? "";
    await client().recordConversion({ clickId, offerId: OFFER, uniqueId, payout: "18.00" });
  }
});

interface Kept {
  readonly unique_id: string;
  readonly payout_units: number;
  readonly conversion_status: string;
  readonly corrections: number;
}

async function kept(uniqueId = "ORD-1"): Promise<Kept | undefined> {
  const state = await fetch(`${sandbox.origin}/__sandbox/state?limit=1000`);
  return ((await state.json()) as { conversions: Kept[] }).conversions.find((row) => row.unique_id === uniqueId);
}

function journalOf(entries: CorrectionEntry[] = []) {
  return { entries, read: () => [...entries], append: (entry: CorrectionEntry) => void entries.push(entry) };
}

const row = (more: Partial<CorrectionRow>): CorrectionRow => ({ offerId: OFFER, uniqueId: "ORD-1", ...more });
const returned = row({ status: "returned" });
const approved = row({ status: "approved" });

async function apply(rows: readonly CorrectionRow[], journal = journalOf(), more = {}) {
  const options = { client: client(), journal, rateLimit: 1_000, ...more };
  const report = await applyCorrections(rows, options);
  return report.rows.map(({ outcome, error, otherIndex }) =>
    [outcome, error?.parameter, otherIndex].filter((part) => part !== undefined).join(" "),
  );
}

test("rows of one conversion that set different things are all doubtful, and none is sent", async () => {
  const none = journalOf();
  for (const [rows, parameter] of [
    [[returned, approved, returned], "status"],
    [[row({ payout: "9.00" }), row({ payout: "8.00" })], "payout"],
    [[row({ payout: "9.00" }), row({ payout: "8.00" }), row({ payout: "9.0" })], "payout"],
    [[row({ revenue: "9.00" }), row({ revenue: "0" })], "revenue"],
    [[row({ status: "returned", payout: "0" }), row({ payout: "8.00" })], "payout"],
    [[row({ status: "rejected", dispositionId: 3 }), row({ status: "rejected", dispositionId: 4 })], "dispositionId"],
    // A note is no order, and an added amount is lost where a total follows.
    [[row({ payout: "9.00", note: "May" }), row({ payout: "8.00", note: "June" })], "payout"],
    [[row({ payoutAdded: "-1.00", correctionId: "r" }), row({ payout: "8.00" })], "payout"],
    [[row({ payout: "8.00", correctionId: "a" }), row({ payout: "9.00" })], "payout"],
  ] as const) {
    const expected = rows.map((_, index) => `doubtful ${parameter} ${index === 0 ? 1 : 0}`);
    if (rows.length === 3) expected[2] = `doubtful ${parameter} 1`;
    for (const dryRun of [true, false]) expect(await apply(rows, none, { dryRun })).toEqual(expected);
  }
  expect(none.entries).toEqual([]);
  expect(await kept()).toMatchObject({ corrections: 0 });
});

test("rows that agree are sent, and the same row twice counts once", async () => {
  const other = { uniqueId: "ORD-2" };
  const rows = [
    returned,
    row({ payout: "0" }),
    row({ payout: "0.00" }),
    row({ ...other, payoutAdded: "-1.00", correctionId: "a" }),
    row({ ...other, payoutAdded: "-2.00", correctionId: "b" }),
    row({ ...other, status: "approved" }),
  ];
  const outcome = (word: string) => [word, word, "already", word, word, word];
  expect(await apply(rows, journalOf(), { dryRun: true })).toEqual(outcome("ready"));
  const journal = journalOf();
  expect(await apply(rows, journal)).toEqual(outcome("corrected"));
  expect(await apply(rows, journal)).toEqual(rows.map(() => "already"));
  expect(await kept()).toMatchObject({ conversion_status: "returned", payout_units: 0, corrections: 2 });
  expect(await kept("ORD-2")).toMatchObject({ payout_units: 150_000, corrections: 3 });
});

test("with ids of their own rows go in their order, each once", async () => {
  const journal = journalOf();
  const rows = [returned, approved, returned].map((each, index) => ({ ...each, correctionId: `step-${index}` }));
  expect(await apply(rows, journal)).toEqual(["corrected", "corrected", "corrected"]);
  expect(await apply(rows, journal)).toEqual(["already", "already", "already"]);
  expect(await kept()).toMatchObject({ conversion_status: "returned", corrections: 3 });
});

test("an older correction is neither sent again by a rerun, nor called applied", async () => {
  for (const [first, second] of [
    [returned, approved],
    [row({ payout: "9.00" }), row({ payout: "8.00" })],
    [row({ revenue: "9.00" }), row({ revenueAdded: "-1.00", correctionId: "x" })],
  ] as const) {
    const journal = journalOf();
    expect(await apply([first], journal)).toEqual(["corrected"]);
    expect(await apply([second], journal)).toEqual(["corrected"]);
    expect(await apply([second], journal)).toEqual(["already"]);
    for (const dryRun of [true, false])
      expect(await apply([first], journal, { dryRun })).toEqual([expect.stringMatching(/^doubtful \w+$/)]);
    expect(await apply([{ ...first, correctionId: "again" }], journal)).toEqual(["corrected"]);
    expect(await apply([{ ...first, correctionId: "again" }], journal)).toEqual(["already"]);
  }
  expect(await kept()).toMatchObject({ conversion_status: "returned", payout_units: 90_000 });
});

test("a row that was passed over does not go after the row below it", async () => {
  const rows = [
    row({ payout: "9.00", amount: "9.00", correctionId: "a" }),
    row({ payout: "8.00", amount: "1.00", correctionId: "b" }),
  ];
  const journal = journalOf();
  expect(await apply(rows, journal, { maxMoney: "5.00" })).toEqual(["capped", "corrected"]);
  expect(await apply(rows, journal, { maxMoney: "50.00" })).toEqual(["doubtful payout", "already"]);
  // The same where CAKE's answer was lost, and a person has not found it.
  const [entry] = journal.entries;
  const correction = (entry as CorrectionEntry).correction.replace("8.00", "9.00").replace("%5Bb%5D", "%5Ba%5D");
  const at = new Date().toISOString();
  const lost = [
    { correction, state: "sending", at } as const,
    ...journal.entries,
    { correction, state: "missing", at } as const,
  ];
  expect(await apply(rows, journalOf(lost))).toEqual(["doubtful payout", "already"]);
  // What nobody knows the outcome of stays unknown, whatever contradicts it.
  expect(await apply(rows, journalOf(lost.slice(0, -1)))).toEqual(["unknown", "already"]);
  // CAKE's no to the later one leaves the earlier one in force.
  const state = "refused";
  const refused = [{ correction, state: "corrected", at } as const, { ...(entry as CorrectionEntry), state } as const];
  expect(await apply(rows.slice(0, 1), journalOf(refused))).toEqual(["already"]);
  expect(await kept()).toMatchObject({ payout_units: 80_000, corrections: 1 });
});

function start(...args: string[]) {
  const child = spawn(process.execPath, ["dist/bin/cake-edge.js", ...args], {
    env: { ...process.env, CAKE_API_KEY: KEY },
  });
  const said = { out: "", err: "" };
  child.stdout.on("data", (chunk) => {
    said.out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    said.err += chunk;
  });
  const ended = new Promise<{ status: number | null; out: string; err: string }>((resolve) => {
    child.on("close", (status) => resolve({ status, ...said }));
  });
  return { child, said, ended };
}

const cli = (...args: string[]) => start("corrections", ...args).ended;

test("the command names the line that contradicts a row, sends none of them, and ends with 1", async () => {
  const file = join(folder, "aba.csv");
  const lines = ["returned", "approved", "returned"].map((status) => `ORD-1,${OFFER},${status}\n`);
  writeFileSync(file, `unique_id,offer_id,status\n${lines.join("")}ORD-2,,returned\n`);
  for (const more of [[], ["--apply", "--base-url", sandbox.origin, "--rate", "1000"]]) {
    const { status, out, err } = await cli("--file", file, ...more);
    expect([status, out.match(/line \d: status differs/g)]).toEqual([
      1,
      ["line 3: status differs", "line 2: status differs", "line 3: status differs"],
    ]);
    expect(err).toContain("3 doubtful, 1 invalid");
    expect(out).toContain("offer (empty)");
    expect(out).not.toContain("undefined");
  }
  const settled = await cli("--file", file, "--settle", "2=missing", "--base-url", sandbox.origin);
  expect([settled.status, settled.err]).toEqual([2, expect.stringContaining("line 2 of")]);
  expect(await kept()).toMatchObject({ corrections: 0 });
}, 60_000);

test("a run that is asked to end says that it waits for the request under way", async () => {
  let arrived = () => {};
  const asked = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const silent = createServer(() => arrived()).listen(0, "127.0.0.1");
  try {
    await new Promise((resolve) => silent.once("listening", resolve));
    const file = join(folder, "silent.csv");
    writeFileSync(file, `unique_id,offer_id,status\nORD-1,${OFFER},returned\nORD-2,${OFFER},returned\n`);
    const origin = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const { child, said, ended } = start("corrections", "--file", file, "--apply", "--base-url", origin);
    await asked;
    child.kill("SIGINT");
    child.kill("SIGINT");
    await expect.poll(() => said.err, { timeout: 5_000 }).toContain("waits for the outcome");
    expect(said.err.trim().split("\n")).toHaveLength(1);
    child.kill("SIGKILL");
    await ended;
  } finally {
    silent.closeAllConnections();
    silent.close();
  }
}, 30_000);

/** Runs a command to its end, or to the end of its time. */
function run(args: readonly string[], input?: string) {
  const options = { encoding: "utf8", input, timeout: 20_000, env: { ...process.env, CAKE_API_KEY: KEY } } as const;
  const { status, stderr } = spawnSync(process.execPath, ["dist/bin/cake-edge.js", ...args], options);
  return [status, stderr] as const;
}

test.runIf(existsSync("/dev/zero"))(
  "a device is no file of rows and no journal",
  () => {
    const file = join(folder, "plain.csv");
    writeFileSync(file, `unique_id,offer_id,status\nORD-1,${OFFER},returned\n`);
    const postbacks = join(folder, "postbacks.csv");
    writeFileSync(postbacks, "affiliate_id,offer_id,postback_url\n1,2,https://a.test/?c=#reqid#\n");
    for (const [command, rows] of [
      ["corrections", file],
      ["postbacks", postbacks],
    ] as const) {
      for (const device of ["/dev/zero", "/dev/full", "/dev/null"].filter(existsSync)) {
        for (const args of [
          [command, "--file", device],
          [command, "--file", rows, "--journal", device],
          [command, "--file", rows, "--journal", device, "--apply", "--base-url", sandbox.origin],
        ]) {
          expect([args, ...run(args)]).toEqual([args, 2, expect.stringMatching(`${device} is a device`)]);
        }
      }
    }
  },
  120_000,
);

test("a key from standard input has an end", () => {
  const args = ["doctor", "--key-stdin", "--base-url", sandbox.origin];
  expect(run(args, "k".repeat(100_000))).toEqual([2, expect.stringMatching(/^cake-edge: --key-stdin: .*1024/)]);
});

test("a folder for pages that is none is refused by option and file", () => {
  const file = join(folder, "taken");
  writeFileSync(file, "");
  const list = ["conversions", "--from", "2026-06-01", "--to", "2026-06-01", "--base-url", sandbox.origin, "--pages"];
  for (const pages of ["", file, join(file, "below")]) {
    expect([pages, ...run([...list, pages])]).toEqual([pages, 2, expect.stringContaining("--pages")]);
    expect(run([...list, pages])[1]).toContain(pages);
  }
});
