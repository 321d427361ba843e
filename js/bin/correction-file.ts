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
import { placeOf, refuseSpecial } from "./files.js";
import { isSameFile } from "./journal.js";
import { HeldError } from "./usage.js";

/** What FILE.part has while FILE and the journal are written. */
interface Pending {
  /** The journal's path. */
  readonly journal: string;
  /** The number of the journal's lines before the run, and the last one of them. */
  readonly written: number;
  readonly last: string;
  readonly entries: readonly string[];
  readonly csv: string;
}

/** The lines of a journal; none where there is no such file. */
export function readJournal(journal: string | undefined): string[] {
  if (journal !== undefined) refuseSpecial("the journal", journal);
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
  const known = entriesIn(journal);
  const pending: Pending = {
    journal: resolve(String(placeOf(journal))),
    written: known.length,
    last: known.at(-1) ?? "",
    entries,
    csv,
  };
  writeFileSync(partOf(place), JSON.stringify(pending), { flush: true });
  tryToMark(journal, resolve(partOf(place)));
  finish(kind, place, csv, false, [journal, () => entries]);
}

/**
 * Looks for a run that was broken off with the same journal and another file: the journal may have lines that only that
 * file's FILE.part has.
 *
 * @throws HeldError where there is one
 */
export function checkOtherParts(files: readonly string[], journal: string | undefined, isDry: boolean): void {
  if (journal === undefined || !existsSync(markOf(journal))) return;
  const part = readOwn<{ part: string }>(markOf(journal))?.part;
  if (part === undefined || !existsSync(part)) {
    // The run was broken off once all was written, or before the journal.
    if (!isDry) rmSync(markOf(journal));
    return;
  }
  if (files.some((file) => resolve(partOf(String(placeOf(file)))) === part)) return;
  const told = `${part} is of a run that was broken off, with the journal ${journal}: write ${part.slice(0, -5)} again, which finishes it`;
  if (!isDry) throw new HeldError(told);
  console.error(told);
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
  const pending = readOwn<Pending>(part);
  if (isDry) {
    console.error(`${kind}: ${part} is of a run that was broken off; the next run without --dry-run finishes it`);
    return;
  }
  if (pending === undefined) {
    // It was broken off before the journal.
    rmSync(part);
    return;
  }
  const known = [pending.journal, ...(journal === undefined ? [] : [journal])].filter((name) => existsSync(name));
  const has = known.find((name) => hasSome(name, pending));
  if (has !== undefined) {
    const lines = pending.entries.length;
    finish(kind, place, pending.csv, true, [has, () => missingIn(has, pending)]);
    console.error(`${kind}: ${file} has the ${lines} lines of a run that was broken off`);
  } else if (existsSync(pending.journal) || (journal !== undefined && isSameFile(pending.journal, journal))) {
    rmSync(part);
  } else {
    throw new HeldError(
      `${part} is of a run that was broken off, with the journal ${pending.journal}, which is not there: name it by --journal; or, if no line of it was used, remove ${part}`,
    );
  }
}

/** The object in a file beside one of the command's; `undefined` where its writing was broken off. */
function readOwn<T>(file: string): T | undefined {
  const text = readFileSync(file, "utf8");
  if (text !== "" && !text.startsWith("{")) {
    throw new HeldError(`${file} is not from this command: move it away`);
  }
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

/** Writes the journal and then the file, whose lines are in FILE.part until then. */
function finish(
  kind: string,
  place: string,
  csv: string,
  isResumed: boolean,
  [journal, entries]: [journal: string, entries: () => readonly string[]],
): void {
  try {
    append(journal, entries());
    put(kind, place, csv, isResumed);
  } catch (error) {
    const why = (error as Error).message;
    throw new HeldError(
      `${place} is not written yet: ${why}. Its lines are in ${partOf(place)}: run the same command again, which finishes it`,
    );
  }
  rmSync(partOf(place), { force: true });
  rmSync(markOf(journal), { force: true });
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
  const text = entries.map((line) => `${line}\n`).join("");
  appendFileSync(journal, `${isEnded || text === "" ? "" : "\n"}${text}`, { flush: true });
}

/** The entries of a journal, without the marks and line ends of editors. */
function entriesIn(journal: string): string[] {
  const lines = readJournal(journal).flatMap((line) => line.replace(/^\uFEFF/, "").split("\r"));
  return lines.map((line) => line.trim()).filter((line) => line !== "");
}

/** The run's entries that the journal has not got since: an older line may be the same, of a correction needed again. */
function missingIn(journal: string, { entries, written }: Pending): string[] {
  const known = new Set(entriesIn(journal).slice(written));
  return entries.filter((entry) => !known.has(entry.trim()));
}

/**
 * Has the journal got some of the run's entries? The torn end of one is cut off.
 *
 * @throws HeldError where the journal's earlier lines are others
 */
function hasSome(journal: string, pending: Pending): boolean {
  const { entries, written, last } = pending;
  const before = entriesIn(journal);
  if ((before[written - 1] ?? "") !== last) {
    if (resolve(journal) !== pending.journal) return false;
    throw new HeldError(
      `the journal ${journal} has lost or got earlier lines since a run was broken off: put them back, and run again`,
    );
  }
  const bytes = readFileSync(journal);
  const start = bytes.lastIndexOf("\n") + 1;
  const end = bytes.subarray(start);
  const isTorn = (entry: Buffer) => entry.length > end.length && entry.subarray(0, end.length).equals(end);
  const isNew = before.length > written && end.length > 0;
  if (isNew && entries.some((entry) => isTorn(Buffer.from(entry)))) truncateSync(journal, start);
  return missingIn(journal, pending).length < entries.length;
}

/** The file beside a journal that names the FILE.part of the run that writes both. */
function markOf(journal: string): string {
  return partOf(String(placeOf(journal)));
}

/** A journal may be a mount that nothing can be written beside. */
function tryToMark(journal: string, part: string): void {
  try {
    writeFileSync(markOf(journal), JSON.stringify({ part }), { flush: true });
  } catch {
    // The journal and FILE.part hold all lines without the mark.
  }
}

/** Has the file a line besides its header? */
function isFull(text: string): boolean {
  return text.trim().includes("\n");
}

function partOf(place: string): string {
  return `${place}.part`;
}
