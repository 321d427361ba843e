/** The value of an option may begin with a dash: it is read, or the option is named. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { readArgs } from "../../dist/bin/usage.js";

const program = fileURLToPath(new URL("../../dist/bin/cake-edge.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "cake-edge-options-"));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, "o.csv"), "order_id,date,revenue\n");
writeFileSync(join(folder, "c.json"), "[]");

const run = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: "utf8" });

const OPTIONS = {
  one: { type: "string" },
  many: { type: "string", multiple: true },
  flag: { type: "boolean" },
} as const;

test.each(["-0.05", "-5", "-.5", "-,5", "-05:00", "-1001"])("%s is a value", (value) => {
  expect(readArgs(["--one", value], OPTIONS, "help")).toEqual({ one: value });
  expect(readArgs(["--many", value, "--many", "x", "--flag"], OPTIONS, "help")).toEqual({
    many: [value, "x"],
    flag: true,
  });
  expect(() => readArgs(["--one", value, "--one", "1"], OPTIONS, "help")).toThrow("--one is given twice");
  // An option without a value takes none, and one that has its value neither.
  expect(() => readArgs(["--flag", value], OPTIONS, "help")).toThrow();
  expect(() => readArgs(["--one=1", value], OPTIONS, "help")).toThrow();
});

test.each(["--flag", "-x", "-shop", "--"])("before %s a value is missing, and how to write it is told", (next) => {
  for (const isSecret of [false, true]) {
    const told = expect(() => readArgs(["--one", next], OPTIONS, "help", isSecret));
    told.toThrow(/^--one has no value; one that begins with a dash is written --one=VALUE; `help` lists the options$/);
  }
});

const REPORT = ["report", "--orders", "o.csv", "--conversions", "c.json"];

test.each([
  [...REPORT, "--tolerance", "-0.05"],
  [...REPORT, "--max-bad", "-1"],
  [...REPORT, "--orders-time-zone", "-shop"],
  ["corrections", "--file", "none.csv", "--max-money", "-5.00"],
  ["corrections", "--file", "none.csv", "--max-rows", "-1"],
  ["clicks", "--to", "2026-06-30", "--csv", "--base-url", "https://a.test", "--from", "-1"],
  ["sandbox", "--port", "-1"],
])("%s %s … names the option", (...args) => {
  const { status, stderr } = run(...args);
  const option = args.at(-2) as string;
  expect(stderr).toContain(`${option} `);
  expect(stderr).not.toContain("ambiguous");
  expect(status, stderr).toBe(2);
});
