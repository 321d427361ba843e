// What `cake-edge report` writes: nothing over an input, no line lost, none twice.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "cake-edge-command-"));
const program = fileURLToPath(new URL("../../dist/bin/cake-edge.js", import.meta.url));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (name: string) => readFileSync(join(folder, name), "utf8");
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const linesOf = (name: string) => read(name).trim().split(/\r?\n/).slice(1);

/** Orders that CAKE lacks. */
const orders = (...ids: number[]) =>
  write(
    "o.csv",
    `order_id,click_id,date,revenue,payout,status\n${ids.map((id) => `${id},k${id},2026-06-02 10:00:00,22.00,18.00,approved\n`).join("")}`,
  );

function report(...args: string[]) {
  const given = ["report", "--orders", "o.csv", "--conversions", "c.json", "--offer", "1", ...args];
  const { status, stderr } = spawnSync(process.execPath, [program, ...given], { cwd: folder, encoding: "utf8" });
  return { status, stderr };
}

beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  write("c.json", "[]");
  orders(1, 2);
});

test.each([
  ["CRLF", (text: string) => text.replaceAll("\n", "\r\n")],
  ["a byte order mark", (text: string) => `\uFEFF${text}`],
  ["no last line feed", (text: string) => text.trimEnd()],
])("a journal that an editor has saved with %s keeps its lines", (_, edit) => {
  const run = () => report("--upload", "u.csv", "--journal", "j.txt").stderr;
  expect(run()).toMatch(/upload: 2 lines/);
  write("j.txt", edit(read("j.txt")));
  orders(1, 2, 3);
  expect(run()).toMatch(/upload: 1 lines.*2 written before/);
  expect(linesOf("u.csv")).toEqual(["k3,1,2026-06-02 10:00:00,18.00,22.00,3,3"]);
  expect(run()).toMatch(/upload: 0 lines.*3 written before/);
});

test("a journal of another kind is refused", () => {
  write("j.txt", '{"correction":1}\n');
  expect(report("--upload", "u.csv", "--journal", "j.txt")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("journal"),
  });
  expect(existsSync(join(folder, "u.csv"))).toBe(false);
});

test("a rerun keeps the lines of an earlier run, and says where", () => {
  const run = () => report("--upload", "u.csv", "--journal", "j.txt").stderr;
  run();
  const first = read("u.csv");
  expect(run()).toContain("u.csv keeps the lines of an earlier run");
  expect(read("u.csv")).toBe(first);
  orders(1, 2, 3);
  expect(run()).toContain("the lines of an earlier run are now in u.csv.1");
  expect(read("u.csv.1")).toBe(first);
  expect(linesOf("u.csv")).toHaveLength(1);
});

test("a file that cannot be written leaves no line in the journal", () => {
  expect(report("--upload", "none/u.csv", "--journal", "j.txt").status).not.toBe(0);
  expect(existsSync(join(folder, "j.txt"))).toBe(false);
  report("--upload", "u.csv", "--journal", "j.txt");
  expect(linesOf("u.csv")).toHaveLength(2);
  expect(readdirSync(folder).sort()).toEqual(["c.json", "j.txt", "o.csv", "u.csv"]);
});

test.each([
  [["--csv", "o.csv"], "--orders"],
  [["--html", "./c.json"], "--conversions"],
  [["--corrections", "x.csv", "--csv", "x.csv"], "--csv"],
  [["--upload", "x.csv", "--journal", "x.csv"], "--upload"],
  [["--corrections", "o.csv"], "--orders"],
])("%j would write over the file of %s, and is refused", (args, other) => {
  const before = read("o.csv");
  expect(report(...args)).toMatchObject({ status: 2, stderr: expect.stringContaining(`the file of ${other}`) });
  expect(read("o.csv")).toBe(before);
});

test("a status that CAKE does not have is refused", () => {
  expect(report("--status", "approved=aproved")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("one of CAKE's words"),
  });
});
