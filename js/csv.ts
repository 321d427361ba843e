/** CSV: writes a cell, reads a small file. (src/report/csv.rs reads files of any size, for the report.) */

/** A formula's beginning behind what separates cells in other languages' spreadsheets, or rows. */
const INNER_FORMULA = /([;\t\r\n]["\s]*)(?=[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/g;

/**
 * One cell of a CSV file. With `isGuarded`, a text that a spreadsheet would take for a formula gets an apostrophe in
 * front. Such a text begins with `=`, `+`, `-`, `@`, a tab or a carriage return. An amount below zero is no formula.
 * The same goes for what follows a semicolon, a tab or a line end: a spreadsheet may cut the cell there.
 */
export function csvCell(value: string | number | undefined, isGuarded: boolean): string {
  const text = value === undefined ? "" : String(value);
  const isFormula = /^\s*[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text);
  const safe = isGuarded ? `${isFormula ? "'" : ""}${text}`.replace(INNER_FORMULA, "$1'") : text;
  return /[",;\r\n\t]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A row of a file, and the line on which it begins, from 1. */
export interface CsvRow {
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * Reads a file in RFC 4180's form, and as spreadsheets write it: with a byte order mark, any line end and quotes. The
 * separator is comma, semicolon or tab: the one that the first line has most of. Empty lines are left out; cells lose
 * the white space around them. `undefined` if a quote does not end.
 */
export function readCsv(text: string): CsvRow[] | undefined {
  const input = text.replace(/^\uFEFF/, "");
  const [head = ""] = input.split(/\r?\n|\r/, 1);
  const count = (delimiter: string) => head.split(delimiter).length;
  const delimiter = [",", ";", "\t"].reduce((best, each) => (count(each) > count(best) ? each : best));
  const token = /"((?:[^"]|"")*)"[ ]*|[^",;\t\r\n]+|[",;\t]|\r\n|\r|\n/y;
  const rows: CsvRow[] = [];
  let [line, begin, cell] = [1, 1, ""];
  let cells: string[] = [];
  const endRow = () => {
    cells.push(cell.trim());
    if (cells.some((each) => each !== "")) rows.push({ line: begin, cells });
    [cells, cell, begin] = [[], "", line];
  };
  for (let found = token.exec(input); found !== null; found = token.exec(input)) {
    const [all, quoted] = found;
    line += all.match(/\r\n|\r|\n/g)?.length ?? 0;
    if (/^[\r\n]/.test(all)) endRow();
    else if (all === delimiter) {
      cells.push(cell.trim());
      cell = "";
    } else if (quoted !== undefined && cell.trim() === "") cell = quoted.replaceAll('""', '"');
    else if (all === '"' && cell.trim() === "") return undefined;
    else cell += all;
  }
  endRow();
  return rows;
}
