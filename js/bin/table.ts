/** Reads a CSV file's rows by the columns that a command knows and needs. */
import { readFileSync } from "node:fs";
import { readCsv } from "../csv.js";
import { findNearest } from "../nearest.js";
import { refuseDevice } from "./files.js";
import { UsageError } from "./usage.js";

/** The columns of a file. */
export interface Columns<Field extends string> {
  /** The fields by their columns' names. */
  readonly known: Readonly<Record<string, Field>>;
  readonly needed: readonly string[];
  /** The caller's own columns, which are ignored. */
  readonly ignored: readonly string[];
}

/** A row: its position, and its non-empty cells by field. */
export interface TableRow<Field extends string> {
  readonly line: number;
  readonly cells: ReadonlyMap<Field, string>;
}

/**
 * Reads a file. An unknown column is refused: it may be misspelt.
 *
 * @throws UsageError
 */
export function readTable<Field extends string>(
  file: string,
  { known, needed, ignored }: Columns<Field>,
): TableRow<Field>[] {
  let text: string;
  refuseDevice("--file", file);
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const isEncoding = code === "ERR_ENCODING_INVALID_ENCODED_DATA";
    throw new UsageError(isEncoding ? `${file} is not UTF-8: save it as such` : `${file} cannot be read: ${code}`);
  }
  const read = readCsv(text);
  if (read === undefined)
    throw new UsageError(`${file}: a quote has no end: close it, or write a quote in a cell twice`);
  const [head, ...rows] = read;
  if (head === undefined) throw new UsageError(`${file} is empty: its first line names the columns, ${needed.join()}`);
  // `Affiliate ID`, `affiliateId` and `affiliate_id` are the same column.
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "");
  const passed = new Set(ignored.map(plain));
  const fields = head.cells.map((name) => {
    if (passed.has(plain(name))) return undefined;
    const column = Object.keys(known).find((each) => plain(each) === plain(name));
    if (column !== undefined) return known[column];
    const nearest = findNearest(name, Object.keys(known));
    const meant = nearest === undefined ? "" : `did you mean ${nearest}? `;
    throw new UsageError(
      `${file}: column ${JSON.stringify(name)} is unknown: ${meant}Where it is one of your own, add --ignore ${JSON.stringify(name)}`,
    );
  });
  for (const name of needed) {
    const times = fields.filter((field) => field === known[name]).length;
    if (times !== 1) throw new UsageError(`${file} needs one column ${name}: its first line names the columns`);
  }
  return rows.map(({ line, cells }) => {
    if (cells.length !== fields.length) {
      throw new UsageError(
        `${file}, line ${line}: ${cells.length} cells, but ${fields.length} columns. Quote a cell that has commas`,
      );
    }
    const filled = fields.flatMap((field, index) => {
      const cell = cells[index] ?? "";
      return field === undefined || cell === "" ? [] : [[field, cell] as const];
    });
    return { line, cells: new Map(filled) };
  });
}

/** A file's text without characters that would control a terminal. */
export function visible(text: unknown): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
  return String(text).replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\uFFFD");
}
