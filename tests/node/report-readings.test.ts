// Kept pages of several readings: the newest counts, and two accounts are never one.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "cake-edge-readings-"));
const program = fileURLToPath(new URL("../../dist/bin/cake-edge.js", import.meta.url));
afterAll(() => rmSync(folder, { recursive: true }));

const MONTH = "conversions-2026-06-01-2026-06-30";
const HALF = "conversions-2026-06-01-2026-06-15";
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

/** Keeps a list of one page, as `cake-edge conversions --pages` does. */
function keep(list: string, status: string, readAt: string, origin = "https://a.example") {
  const row = {
    conversion_id: 7,
    unique_id: "1001",
    conversion_date: "2026-06-02 10:00:00",
    revenue: "22.00",
    payout: "18.00",
    conversion_status: status,
  };
  write(`${list}-00001.json`, JSON.stringify([row]));
  const pages = [`${list.split("/").at(-1)}-00001.json`];
  write(`${list}.complete.json`, JSON.stringify({ origin, readAt, pages }));
}

function report(conversions: readonly string[], ...more: string[]) {
  const days = ["--from", "2026-06-01", "--to", "2026-06-30", "--csv", "rows.csv"];
  const files = conversions.flatMap((file) => ["--conversions", file]);
  return spawnSync(process.execPath, [program, "report", "--orders", "o.csv", ...files, ...days, ...more], {
    cwd: folder,
    encoding: "utf8",
  });
}

beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  write("o.csv", "order_id,date,revenue,status\n1001,2026-06-02 10:00:00,22.00,reversed\n");
});

test.each([
  ["the days of a month", HALF, MONTH],
  ["the month of some days", MONTH, HALF],
])("%s that were read again count, whatever the files' names and order", (_, later, earlier) => {
  keep(earlier, "approved", "2026-07-05T00:00:00.000Z");
  keep(later, "reversed", "2026-07-05T02:00:01+02:00");
  write("other.csv", "conversion_id,unique_id,revenue\n8,,1.00\n");
  const [one, other] = [earlier, later].map((list) => `${list}-00001.json`) as [string, string];
  for (const given of [["conversions-*.json"], [one, other], [other, one], [other, "other.csv", one]]) {
    const { status, stderr } = report(given);
    const rows = readFileSync(join(folder, "rows.csv"), "utf8");
    expect([rows, stderr, status]).toEqual([expect.stringMatching(/^\uFEFF?.*\r?\nmatched/), stderr, status]);
    expect(rows).toMatch(/read_twice.*approved/);
    rmSync(join(folder, "rows.csv"));
  }
});

test("pages of two accounts are refused, in one folder and in two", () => {
  mkdirSync(join(folder, "b"));
  keep(MONTH, "reversed", "2026-07-05T00:00:00Z");
  for (const list of [HALF, `b/${MONTH}`, `b/${HALF}`]) {
    keep(list, "reversed", "2026-07-06T00:00:00Z", "https://b.example");
    const { status, stderr } = report([`${MONTH}-*.json`, `${list}-*.json`]);
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(
        /complete\.json has pages of https:\/\/.\.example, and .* has pages of https:.*one account's/,
      ),
    ]);
    keep(list, "reversed", "2026-07-06T00:00:00Z");
    expect(report([`${MONTH}-*.json`, `${list}-*.json`]).status).toBe(0);
  }
});

test("pages that are kept for a live report are not joined with another account's", () => {
  mkdirSync(join(folder, "b"));
  keep(MONTH, "reversed", "2026-07-05T00:00:00Z");
  keep(`b/${HALF}`, "reversed", "2026-07-05T00:00:00Z", "https://b.example");
  const { status, stderr } = report(["live", `b/${HALF}-*.json`], "--save", ".");
  expect([status, stderr]).toEqual([2, expect.stringContaining("give one account's")]);
});
