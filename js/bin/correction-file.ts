/**
 * The files of corrections and their journal, in steps: a run that is broken off at any of them loses no line, and the
 * next run finishes it.
 */
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { resolve } from "node:path";
import type { Corrections } from "../entry/report.node.js";
import { placeOf } from "./files.js";
import { isSameFile } from "./journal.js";
import { HeldError } from "./usage.js";

/** What FILE.part has while FILE and the journal are written. */
interface Pending {
  /** The journal's path. */
  readonly journal: string;
  readonly entries: readonly string[];
  readonly csv: string;
}

/** The lines of a journal; none where there is no such file. */
export function readJournal(journal: string | undefined): string[] {
  return journal !== undefined && existsSync(journal) ? readFileSync(journal, "utf8").split("\n") : [];
}

/**
 * Writes FILE.part, then the journal, then FILE. What the journal counts as written is in one of the two files at each
 * step. The lines of an earlier run are never lost. What is no plain file is written to.
 *
 * @throws HeldError where FILE.part has the lines
 */
export function writeCorrections(
  kind: string,
  file: string,
  { csv, lines, journal: entries }: Corrections,
  journal: string | undefined,
): void {
  const before = statSync(file, { throwIfNoEntry: false });
  const place = placeOf(file);
  if (typeof place === "number" || before?.isFile() === false) {
    writeFileSync(place, csv);
    append(journal, entries);
    return;
  }
  if (before !== undefined) {
    if (lines === 0 && isFull(readFileSync(place, "utf8"))) {
      console.error(`${kind}: nothing new; ${file} keeps the lines of an earlier run`);
      return;
    }
    // A spreadsheet may hold the file: then nothing is written at all.
    closeSync(openSync(place, "r+"));
  }
  if (journal === undefined || entries.length === 0) {
    put(kind, place, csv, false);
    append(journal, entries);
    return;
  }
  const pending: Pending = { journal: resolve(String(placeOf(journal))), entries, csv };
  writeFileSync(partOf(place), JSON.stringify(pending), { flush: true });
  finish(kind, place, csv, false, () => append(journal, entries));
}

/**
 * Finishes a run that was broken off, if FILE.part is there and the journal has some of its lines. Without any of them
 * in the journal, this run writes them again.
 *
 * @throws HeldError where it is not certain which of the two holds
 */
export function finishCorrections(kind: string, file: string, journal: string | undefined, isDry: boolean): void {
  const place = placeOf(file);
  if (typeof place === "number" || !existsSync(partOf(place))) return;
  const part = partOf(place);
  const text = readFileSync(part, "utf8");
  if (text !== "" && !text.startsWith("{")) {
    throw new HeldError(`${part} is not from this command: move it away`);
  }
  if (isDry) {
    console.error(`${kind}: ${part} is of a run that was broken off; the next run without --dry-run finishes it`);
    return;
  }
  let pending: Pending;
  try {
    pending = JSON.parse(text) as Pending;
  } catch {
    // It was broken off before the journal.
    rmSync(part);
    return;
  }
  const known = [pending.journal, ...(journal === undefined ? [] : [journal])].filter((name) => existsSync(name));
  const has = known.find((name) => hasSome(name, pending.entries));
  if (has !== undefined) {
    const lines = pending.entries.length;
    finish(kind, place, pending.csv, true, () => append(has, missingIn(has, pending.entries)));
    console.error(`${kind}: ${file} has the ${lines} lines of a run that was broken off`);
  } else if (existsSync(pending.journal) || (journal !== undefined && isSameFile(pending.journal, journal))) {
    rmSync(part);
  } else {
    throw new HeldError(
      `${part} is of a run that was broken off, with the journal ${pending.journal}, which is not there: name it by --journal; or, if no line of it was used, remove ${part}`,
    );
  }
}

/** Writes the journal and then the file, whose lines are in FILE.part until then. */
function finish(kind: string, place: string, csv: string, isResumed: boolean, note: () => void): void {
  try {
    note();
    put(kind, place, csv, isResumed);
  } catch (error) {
    const why = (error as Error).message;
    throw new HeldError(
      `${place} is not written yet: ${why}. Its lines are in ${partOf(place)}: run the same command again, which finishes it`,
    );
  }
  rmSync(partOf(place), { force: true });
}

/** Writes the file in its place, which may be a mount that nothing can be moved to. */
function put(kind: string, place: string, csv: string, isResumed: boolean): void {
  const old = existsSync(place) ? readFileSync(place, "utf8") : "";
  // The writing itself may have been broken off.
  if (isFull(old) && !(isResumed && csv.startsWith(old))) setAside(kind, place, old, isResumed);
  writeFileSync(place, csv, { flush: true });
}

/** Keeps the lines of an earlier run. */
function setAside(kind: string, place: string, old: string, isResumed: boolean): void {
  let number = 1;
  const aside = () => `${place}.${number}`;
  // The copying may have been broken off, too.
  while (existsSync(aside()) && !(isResumed && old.startsWith(readFileSync(aside(), "utf8")))) number += 1;
  try {
    renameSync(place, aside());
  } catch {
    copyFileSync(place, aside());
  }
  console.error(`${kind}: the lines of an earlier run are now in ${aside()}`);
}

function append(journal: string | undefined, entries: readonly string[]): void {
  if (journal === undefined) return;
  // An editor may have taken the last line feed away.
  const isEnded = (readJournal(journal).at(-1) ?? "") === "";
  const isDevice = statSync(journal, { throwIfNoEntry: false })?.isFile() === false;
  const text = entries.map((line) => `${line}\n`).join("");
  appendFileSync(journal, `${isEnded || text === "" ? "" : "\n"}${text}`, { flush: !isDevice });
}

function missingIn(journal: string, entries: readonly string[]): string[] {
  const known = new Set(readJournal(journal).flatMap((line) => line.replace(/^\uFEFF/, "").split("\r")));
  return entries.filter((entry) => !known.has(entry));
}

/** Has the journal some of the entries? The torn end of one is cut off. */
function hasSome(journal: string, entries: readonly string[]): boolean {
  const bytes = readFileSync(journal);
  const start = bytes.lastIndexOf("\n") + 1;
  const end = bytes.subarray(start);
  const isTorn = (entry: Buffer) => entry.length > end.length && entry.subarray(0, end.length).equals(end);
  if (end.length > 0 && entries.some((entry) => isTorn(Buffer.from(entry)))) truncateSync(journal, start);
  return missingIn(journal, entries).length < entries.length;
}

/** Has the file a line besides its header? */
function isFull(text: string): boolean {
  return text.trim().includes("\n");
}

function partOf(place: string): string {
  return `${place}.part`;
}
