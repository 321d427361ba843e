/** One cell of a CSV file, guarded against formulas where a person may open the file. */
import { expect, test } from "vitest";
import { csvCell } from "../../js/csv.ts";

test.each([
  ["plain", "plain"],
  ["-0.50", "-0.50"],
  ["=1+1", "'=1+1"],
  [" @x", "' @x"],
  ["x;=1+1;", `"x;'=1+1;"`],
  ['x; "=1+1', `"x; ""'=1+1"`],
  ["x\n=1+1", `"x\n'=1+1"`],
  ["x\t+1", `"x\t'+1"`],
  ["x;\uFF1D1", `"x;'\uFF1D1"`],
  ["ORD-1001;A", `"ORD-1001;A"`],
])("guarded, %j is %j", (text, cell) => {
  expect(csvCell(text, true)).toBe(cell);
});

test.each(["x;=1+1;", "x\n=1+1"])("for machines every byte of %j stays", (text) => {
  expect(csvCell(text, false)).toBe(`"${text}"`);
});
