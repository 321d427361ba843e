/** A journal file: one line of JSON for each step of sending a file's rows. */
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { resolve } from "node:path";
import { type EntryRules, flawOfEntry, MEND_ENTRY } from "../journal-entry.js";
import { placeOf, refuseSpecial } from "./files.js";
import { HeldError, isRunning, UsageError } from "./usage.js";

/** Are both names those of one file? */
export function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((file) => statSync(file, { throwIfNoEntry: false }));
  const [place, otherPlace] = [one, other].map((file) => resolve(String(placeOf(file))));
  return place === otherPlace || (a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino);
}

/** A file beside another one, where that lies itself: all links that lead to it share this one. */
export function beside(file: string, ending: string): string {
  const place = placeOf(file);
  return `${typeof place === "string" ? place : file}${ending}`;
}

/** A journal's line: an entry and its account. */
type JournalLine<Entry> = Entry & { readonly account: string };

/** A journal in a file. */
export interface FileJournal<Entry> {
  /** The entries of the account, the oldest first. */
  read(): Entry[];
  append(entry: Entry): void;
}

/**
 * Opens the journal's entries of this account. A torn last line was never acted on. Any other unreadable line may be a
 * row that was sent, so it is refused.
 */
export function openJournal<Entry extends object>(
  file: string,
  account: string,
  rules: EntryRules,
): FileJournal<Entry> {
  return {
    read: () => readLines<Entry>(file, rules).entries.filter((entry) => entry.account === account),
    append(entry) {
      const text = `${JSON.stringify({ account, ...entry })}\n`;
      const { length, isEnded } = readLines(file, rules);
      try {
        const handle = openSync(file, "a");
        try {
          if (length < load(file).length) truncateSync(file, length);
          writeSync(handle, isEnded ? text : `\n${text}`);
          // A power cut must not lose the record of a sent row.
          fsyncSync(handle);
        } finally {
          closeSync(handle);
        }
      } catch (error) {
        if (error instanceof UsageError) throw error;
        throw new UsageError(`the journal ${file} cannot be written: ${(error as NodeJS.ErrnoException).code}`);
      }
    },
  };
}

function load(file: string): Buffer {
  refuseSpecial("the journal", file);
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw new UsageError(`the journal ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** The entries of all accounts, and the length of the read part of the file in bytes. */
function readLines<Entry extends object>(
  file: string,
  rules: EntryRules,
): { entries: JournalLine<Entry>[]; length: number; isEnded: boolean } {
  const bytes = load(file);
  const entries: JournalLine<Entry>[] = [];
  let start = 0;
  for (let line = 1; start < bytes.length; line += 1) {
    const at = bytes.indexOf("\n", start);
    const end = at < 0 ? bytes.length : at;
    const entry = readEntry<Entry>(bytes.subarray(start, end), rules);
    if (typeof entry === "string") {
      // A power cut tears off the end of the file, so that the last line is no whole object.
      const isTorn =
        at < 0 && [TORN, FOREIGN, ZEROS].includes(entry) && bytes[start] === 0x7b && bytes[start + 1] !== 0;
      if (isTorn) return { entries, length: start, isEnded: true };
      throw new UsageError(`the journal ${file}, line ${line}: ${entry}. ${MEND_ENTRY}`);
    }
    if (entry !== undefined) entries.push(entry);
    start = end + 1;
  }
  return { entries, length: bytes.length, isEnded: bytes.length === 0 || bytes.at(-1) === 10 };
}

/**
 * The account whose journal a dry run reads: that of --base-url, else the only one in the journal. With several, the
 * run says that it shows none.
 */
export function accountToShow(baseUrl: string | undefined, file: string, rules: EntryRules): string | undefined {
  if (baseUrl !== undefined) return accountOf(baseUrl);
  const accounts = [...new Set(readLines(file, rules).entries.map(({ account }) => account))];
  if (accounts.length > 1) {
    const list = accounts.join(", ");
    console.error(`The journal has rows of ${list}: what an earlier run has done is shown only with --base-url.`);
  }
  return accounts.length === 1 ? accounts[0] : undefined;
}

const TORN = "it is no whole JSON object";
const FOREIGN = "it is not UTF-8: save the file as such";
const ZEROS = "it holds bytes of zero, as a power cut or a broken disk leaves them";

/** One line of a journal; `undefined` if it is empty, or a text with the error. */
function readEntry<Entry>(bytes: Uint8Array, rules: EntryRules): JournalLine<Entry> | string | undefined {
  let entry: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (text.trim() === "") return undefined;
    // UTF-16 has one such byte at a time.
    if (text.includes("\0\0") || text === "\0") return ZEROS;
    if (text.includes("\0")) return FOREIGN;
    entry = JSON.parse(text);
  } catch (error) {
    return error instanceof SyntaxError ? TORN : FOREIGN;
  }
  const flaw = flawOfEntry(entry, rules);
  if (flaw !== undefined) return flaw;
  const line = entry as JournalLine<Entry>;
  return typeof line.account === "string" ? line : "it lacks an account";
}

/** The account that a journal's entries belong to. */
export function accountOf(baseUrl: string): string {
  if (!URL.canParse(baseUrl)) throw new UsageError("--base-url must be a URL: your CAKE domain");
  return new URL(baseUrl).origin;
}

/**
 * Takes a lock, a file with this process's id, until it is given back: two runs at the same time would send each row
 * twice.
 *
 * @throws HeldError where another process has it, in the words of `doing`
 */
export function lock(file: string, doing: string): () => void {
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EEXIST") throw new UsageError(`the lock ${file} cannot be written: ${code}`);
      const owner = Number(readFileSync(file, "utf8"));
      if (owner > 0 && isRunning(owner)) {
        throw new HeldError(`process ${owner} is ${doing}: wait for it`);
      }
      // A killed process has left it behind.
      rmSync(file, { force: true });
    }
  }
}
