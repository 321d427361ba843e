/** CSV: a cell as it is written, a small file as it is read. (Files of any size are the report's affair: src/report/csv.rs.) */

/**
 * One cell of a CSV file. `isGuarded` for text that a spreadsheet would take for a
 * formula, which begins with `=`, `+`, `-`, `@`, a tab or a carriage return: it gets
 * an apostrophe in front. An amount below zero is no formula.
 */
export function csvCell(value: string | number | undefined, isGuarded: boolean): string {
  const text = value === undefined ? "" : String(value);
  const isFormula = /^\s*[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text);
  const safe = isGuarded && isFormula ? `'${text}` : text;
  return /[",;\r\n\t]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A row of a file, and the line that it begins on, from 1. */
export interface CsvRow {
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * Reads a file as RFC 4180 has it and as spreadsheets write it: a byte order mark, any line end, quotes, and comma,
 * semicolon or tab, whichever the first line has most of. Empty lines are left out; cells lose the white space around
 * them. `undefined` where a quote does not end.
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
