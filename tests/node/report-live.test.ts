// Closes the month with a network: pages are read once and stored, planted errors are found, and a rerun needs neither
// network nor key.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openReport, type ReportRow } from "../../dist/entry/report.node.js";
import { CLI, type SandboxProcess, startSandbox } from "../sandbox-process.ts";

const folder = mkdtempSync(join(tmpdir(), "cake-edge-live-"));
const pages = join(folder, "pages");
let sandbox: SandboxProcess;
let days: { readonly from: string; readonly to: string };

beforeAll(async () => {
  sandbox = await startSandbox(["--history", "10d", "--clicks", "4000"]);
  const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
  days = { from: day(12), to: day(-1) };
});
afterAll(async () => {
  await sandbox.stop();
  rmSync(folder, { recursive: true });
});

function cli(args: readonly string[], env: Record<string, string> = {}) {
  const { CAKE_API_KEY: _, ...inherited } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: folder,
    encoding: "utf8",
    env: { ...inherited, ...env },
    maxBuffer: 64 << 20,
  });
  return { status, stdout, stderr };
}

const KEY = { CAKE_API_KEY: "sandbox-key" };
const range = () => ["--from", days.from, "--to", days.to];
const NOBODY = ["--base-url", "http://127.0.0.1:9"];

interface Row {
  readonly conversionId: number;
  readonly conversionDate: string;
  readonly conversionStatus: string;
  readonly uniqueId?: string;
  readonly payoutText: string;
  readonly revenueText: string;
}

const jsonLines = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

test("both lists are kept as pages, and printed from them without the network", () => {
  for (const kind of ["clicks", "conversions"]) {
    const live = cli([kind, ...range(), "--base-url", sandbox.origin, "--json"], KEY);
    expect(live, live.stderr).toMatchObject({ status: 0 });
    const kept = cli([kind, ...range(), "--base-url", sandbox.origin, "--pages", pages], KEY);
    expect(kept, kept.stderr).toMatchObject({ status: 0, stdout: "" });
    expect(existsSync(join(pages, `${kind}-${days.from}-${days.to}.complete.json`))).toBe(true);
    // No key and no address: the files on disk suffice.
    const again = cli([kind, ...range(), "--pages", pages, "--json"]);
    expect(again, again.stderr).toMatchObject({ status: 0 });
    expect(jsonLines(again.stdout)).toEqual(jsonLines(live.stdout));
    const csv = cli([kind, ...range(), "--pages", pages, "--csv"])
      .stdout.trim()
      .split("\r\n");
    expect(csv).toHaveLength(jsonLines(live.stdout).length + 1);
  }
  const [conversion] = jsonLines(cli(["conversions", ...range(), "--pages", pages, "--json"]).stdout) as Row[];
  expect(conversion).toMatchObject({ uniqueId: expect.any(String), revenueText: expect.any(String) });
});

test("ids and amounts are printed byte for byte, and what a spreadsheet would run is guarded elsewhere", () => {
  const exact = join(folder, "exact");
  cpSync(pages, exact, { recursive: true });
  const planted = {
    conversions: { unique_id: "@7", order_id: "+5", click_id: "-a", payout: "-1.50", conversion_status: "=1" },
    clicks: { click_id: "-b", sub_id_1: "=1+1", sub_id_2: "@x", country: "+a" },
  };
  for (const kind of ["conversions", "clicks"] as const) {
    const name = readdirSync(exact).find((each) => each.startsWith(kind) && !each.includes("complete")) as string;
    const text = readFileSync(join(exact, name), "utf8");
    const more = JSON.stringify(planted[kind]).slice(1, -1);
    // The last of two fields with one name counts.
    const first = text.indexOf("}", text.indexOf(kind === "clicks" ? '"clicks"' : '"conversions"'));
    writeFileSync(join(exact, name), `${text.slice(0, first)},${more}${text.slice(first)}`);
    const { stdout } = cli([kind, ...range(), "--pages", exact, "--csv"]);
    const [head = "", row = ""] = stdout.split("\r\n");
    const cells = Object.fromEntries(head.split(",").map((column, index) => [column, row.split(",")[index]]));
    expect(cells).toMatchObject(
      kind === "clicks"
        ? { clickId: "-b", subId1: "'=1+1", subId2: "'@x", country: "'+a" }
        : { uniqueId: "@7", orderId: "+5", clickId: "-a", payoutText: "-1.50", conversionStatus: "'=1" },
    );
  }
});

test("a broken call leaves no list that is taken for all of it, and no other account's is taken", () => {
  const other = join(folder, "other");
  const failed = cli(["conversions", ...range(), "--pages", other, ...NOBODY], KEY);
  expect(failed).toMatchObject({ status: 4 });
  expect(failed.stderr).not.toContain("sandbox-key");
  expect(readdirSync(other).filter((name) => name.includes("complete"))).toEqual([]);
  expect(cli(["conversions", ...range(), "--pages", other])).toMatchObject({ status: 2 });
  expect(cli(["conversions", ...range(), "--pages", other, "--base-url", sandbox.origin])).toMatchObject({ status: 2 });
  const refused = cli(["conversions", ...range(), "--pages", other, "--base-url", sandbox.origin], {
    CAKE_API_KEY: "another",
  });
  expect(refused, refused.stderr).toMatchObject({ status: 4 });
  const strange = cli(["conversions", ...range(), "--pages", pages, "--base-url", "https://another.example"], KEY);
  expect(strange).toMatchObject({ status: 2 });
  expect(strange.stderr).toContain("another account");
  const from = ["--from", days.from];
  for (const [wrong, sentence] of [
    [["--form", days.from], /Unknown option '--form': did you mean --from\?/],
    [[...range(), ...from], /--from is given twice/],
    [[...range(), "--csv", "--json"], /--csv and --json both write to standard output/],
    [[...range(), "--csv", "june.csv"], /--csv takes no value, it writes to standard output; for a file add > FILE/],
    [["--from", "2026-02-30", "--to", "2026-03-01"], /--from must be a day that exists/],
    [["--from", "2026-03-02", "--to", "2026-03-01"], /--to must not be before the first day/],
  ] as const) {
    const { status, stderr, stdout } = cli(["clicks", ...wrong, "--pages", other, "--base-url", sandbox.origin], KEY);
    expect({ status, stdout }, stderr).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(sentence);
  }
  const keyless = cli(["clicks", ...range(), "--pages", other, "--base-url", sandbox.origin]);
  expect(keyless.stderr).toMatch(/apiKey is missing.+ Set CAKE_API_KEY/);
  for (const wrong of [[], ["--from", "2026-02-30", "--to", "2026-03-01"], ["--key", "x"]]) {
    const { status, stderr } = cli(["clicks", ...wrong, "--pages", other, "--base-url", sandbox.origin], KEY);
    expect({ wrong, status }, stderr).toEqual({ wrong, status: 2 });
  }
});

test("errors that were planted into a month of orders are found, each by its name, live and from disk", async () => {
  const rows = jsonLines(cli(["conversions", ...range(), "--pages", pages, "--json"]).stdout) as Row[];
  // Among conversions with one unique id, an approved one represents the others; otherwise the earliest.
  const rank = (row: Row) =>
    `${row.conversionStatus === "approved" ? 0 : 1} ${row.conversionDate} ${String(row.conversionId).padStart(16, "0")}`;
  const standing = new Map<string, Row>();
  for (const row of rows) {
    const { uniqueId } = row;
    const other = uniqueId === undefined ? undefined : standing.get(uniqueId);
    if (uniqueId === undefined) continue;
    if (other === undefined || rank(row) < rank(other)) standing.set(uniqueId, row);
  }
  const known = [...standing.values()];
  // Each row of the network is an order. Then every eleventh order is changed in one of eight ways.
  const expected = new Map<string, number>();
  const count = (name: string) => expected.set(name, (expected.get(name) ?? 0) + 1);
  const lines = ["order_id,date,revenue,payout,status"];
  const cents = (text: string, more: number) => (Number(text) + more).toFixed(2);
  known.forEach((row, index) => {
    const { uniqueId = "", conversionDate: date, revenueText, payoutText, conversionStatus } = row;
    const line = (changed: Partial<Record<"id" | "revenue" | "payout" | "status", string>> = {}) =>
      [
        changed.id ?? uniqueId,
        date,
        changed.revenue ?? revenueText,
        changed.payout ?? payoutText,
        changed.status ?? conversionStatus,
      ].join();
    const error = index % 11 === 3 ? Math.floor(index / 11) % 8 : -1;
    if (error === 0) count("unknown_to_advertiser");
    else if (error === 1) {
      lines.push(line(), line());
      count("duplicate_order");
      count("matched");
    } else if (error === 2) {
      lines.push(line({ revenue: cents(revenueText, 0.01) }));
      count("revenue_differs");
    } else if (error === 3) {
      lines.push(line({ payout: cents(payoutText, -1) }));
      count("payout_differs");
    } else if (error === 4) {
      lines.push(line({ status: conversionStatus === "rejected" ? "approved" : "rejected" }));
      count("status_differs");
    } else if (error === 5) {
      lines.push(line(), line({ id: `LOST-${index}` }));
      count("matched");
      count("missing_at_cake");
    } else if (error === 6) {
      lines.push(line(), line({ id: "" }));
      count("matched");
      count("no_key");
    } else if (error === 7) {
      lines.push(line(), line({ id: `BAD-${index}`, revenue: "twenty" }));
      count("matched");
      count("unreadable");
    } else {
      lines.push(line());
      count("matched");
    }
  });
  for (const row of rows) {
    if (row.uniqueId === undefined) count("no_key");
    else if (standing.get(row.uniqueId) !== row) {
      // Conversions without their order are unknown: one represents them, and the rest are its duplicates.
      count("duplicate_conversion");
    }
  }
  writeFileSync(join(folder, "month.csv"), `${lines.join("\r\n")}\r\n`);
  // The network's history may contain duplicate conversions; the test always plants these classes.
  expect([...expected.keys()]).toEqual(
    expect.arrayContaining([
      "duplicate_order",
      "matched",
      "missing_at_cake",
      "no_key",
      "payout_differs",
      "revenue_differs",
      "status_differs",
      "unknown_to_advertiser",
      "unreadable",
    ]),
  );

  using report = await openReport();
  await report.addOrders(join(folder, "month.csv"), { name: "month.csv" });
  for (const name of readdirSync(pages).sort()) {
    if (/^conversions.*-\d+\.json$/.test(name)) await report.addConversions(join(pages, name));
  }
  const result = await report.reconcile();
  const found = new Map<string, number>();
  for (const row of result.rows() as Iterable<ReportRow>) found.set(row.class, (found.get(row.class) ?? 0) + 1);
  // Pages of a list without a total overlap by a row.
  found.delete("read_twice");
  expect(Object.fromEntries([...found].sort())).toEqual(Object.fromEntries([...expected].sort()));

  const save = join(folder, "saved");
  const args = [
    "report",
    "--orders",
    "month.csv",
    "--conversions",
    "live",
    "--save",
    save,
    "--json",
    "--max-bad",
    "9999",
  ];
  const live = cli([...args, ...range(), "--base-url", sandbox.origin], KEY);
  expect(live, live.stderr).toMatchObject({ status: 1 });
  renameSync(join(folder, "month.csv"), join(folder, "same.csv"));
  const rerun = cli([...args.map((arg) => (arg === "month.csv" ? "same.csv" : arg)), ...range()]);
  expect(rerun, rerun.stderr).toMatchObject({ status: 1, stdout: live.stdout });
  const summary = JSON.parse(live.stdout) as { classes: { class: string; orders: number; conversions: number }[] };
  const of = (name: string) => summary.classes.find((sums) => sums.class === name);
  expect(of("missing_at_cake")?.orders).toBe(expected.get("missing_at_cake"));
  expect(of("unknown_to_advertiser")?.conversions).toBe(expected.get("unknown_to_advertiser"));
  // No file contains the key.
  for (const name of readdirSync(save)) expect(readFileSync(join(save, name), "utf8")).not.toContain("sandbox-key");
});
