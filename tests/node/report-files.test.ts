/** File patterns, as `cake-edge report` reads them in every Node that the package supports. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { filesOf } from "../../dist/bin/files.js";

const FILES = [
  "orders.csv",
  "pages/conversions-1.json",
  "pages/conversions-2.json",
  "pages/conversions-10.json",
  "pages/conversions.complete.json",
  "pages/.hidden.json",
  "pages/a+b (1).json",
  "more/june/c-1.json",
  "more/july/c-2.json",
  "more/[x].json",
  "a [1]*/c-1.json",
];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "files-"));
  for (const name of ["pages", "more/june", "more/july", "a [1]*"]) mkdirSync(join(folder, name), { recursive: true });
  for (const name of FILES) writeFileSync(join(folder, name), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ["orders.csv", ["orders.csv"]],
  ["*.csv", ["orders.csv"]],
  ["pages/conversions-*.json", ["conversions-1.json", "conversions-10.json", "conversions-2.json"].map(inPages)],
  ["pages/conversions-?.json", ["conversions-1.json", "conversions-2.json"].map(inPages)],
  ["pages/conversions-[!1]*.json", ["pages/conversions-2.json"]],
  ["pages/conversions-[2-9].json", ["pages/conversions-2.json"]],
  ["pages/a+b*.json", ["pages/a+b (1).json"]],
  ["pages/.*.json", ["pages/.hidden.json"]],
  ["./pages/a*.json", ["pages/a+b (1).json"]],
  ["*/j*/c-?.json", ["more/july/c-2.json", "more/june/c-1.json"]],
  ["more/**/*.json", ["more/[x].json", "more/july/c-2.json", "more/june/c-1.json"]],
  ["more/[x].json", ["more/[x].json"]],
  ["a [1]*/c-*.json", ["a [1]*/c-1.json"]],
])("%s", (pattern, expected) => {
  const names = filesOf([`${folder}/${pattern}`]).map((file) => file.slice(folder.length + 1));
  expect(names.map((name) => name.replace(/^\.\//, "")).sort()).toEqual([...expected].sort());
});

test("what matches nothing is said", () => {
  for (const pattern of ["*.json", "nothing/*.json", "pages/*/x.json", "orders.csv/*", "pages/*.complete.json"]) {
    expect(() => filesOf([`${folder}/${pattern}`]), pattern).toThrow("there is no file");
  }
});

test("the commands use nothing of node:fs that came after Node 20.19", () => {
  for (const name of ["cake-edge", "doctor", "init", "pages", "postbacks", "report", "workerd"]) {
    expect(readFileSync(`dist/bin/${name}.js`, "utf8"), name).not.toMatch(
      /globSync|import\.meta\.main|mkdtempDisposable|styleText|stripTypeScriptTypes/,
    );
  }
});

function inPages(name: string): string {
  return `pages/${name}`;
}
