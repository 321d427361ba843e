/** What was sent of a file's rows, in a file of its own: one line of JSON for each step. */
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
import { isRunning, UsageError } from "./usage.js";

/** Are both names one file's? */
export function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((file) => statSync(file, { throwIfNoEntry: false }));
  return resolve(one) === resolve(other) || (a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino);
}

/** What a journal keeps, by an account. */
type JournalLine<Entry> = Entry & { readonly account: string };

/** What an entry must be. */
export interface EntryRules {
  /** The states that it can have. */
  readonly states: readonly string[];
  /** Has it all that its row is known by? */
  readonly isWhole: (entry: Readonly<Record<string, unknown>>) => boolean;
  /** What it must have, for a sentence: `an account, an affiliate, an offer or a URL`. */
  readonly parts: string;
}

/** A journal in a file. */
export interface FileJournal<Entry> {
  /** The entries of the account, the oldest first. */
  read(): Entry[];
  append(entry: Entry): void;
}

/**
 * The journal's entries of this account, and how to add one. A torn last line was never acted on; anything else that
 * cannot be read may be a row that was sent, so it is refused.
 */
export function openJournal<Entry extends object>(
  file: string,
  account: string,
  rules: EntryRules,
): FileJournal<Entry> {
  const load = (): Buffer => {
    try {
      return readFileSync(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
      throw new UsageError(`the journal ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
    }
  };
  /** The entries of all accounts, and how many bytes of the file they are. */
  const readAll = (): { entries: JournalLine<Entry>[]; length: number; isEnded: boolean } => {
    const bytes = load();
    const entries: JournalLine<Entry>[] = [];
    let start = 0;
    for (let line = 1; start < bytes.length; line += 1) {
      const at = bytes.indexOf("\n", start);
      const end = at < 0 ? bytes.length : at;
      const entry = readEntry<Entry>(bytes.subarray(start, end), rules);
      if (typeof entry === "string") {
        // What a power cut has torn off is the end of the file, and no whole object.
        const isTorn =
          at < 0 && (entry === TORN || entry === FOREIGN) && bytes[start] === 0x7b && bytes[start + 1] !== 0;
        if (isTorn) return { entries, length: start, isEnded: true };
        throw new UsageError(
          `the journal ${file}, line ${line}: ${entry}. It says what was sent: bring it back as it was, or look in CAKE and mend the line`,
        );
      }
      if (entry !== undefined) entries.push(entry);
      start = end + 1;
    }
    return { entries, length: bytes.length, isEnded: bytes.length === 0 || bytes.at(-1) === 10 };
  };
  return {
    read: () => readAll().entries.filter((entry) => entry.account === account),
    append(entry) {
      const text = `${JSON.stringify({ account, ...entry })}\n`;
      const { length, isEnded } = readAll();
      let handle: number;
      try {
        handle = openSync(file, "a");
      } catch (error) {
        throw new UsageError(`the journal ${file} cannot be written: ${(error as NodeJS.ErrnoException).code}`);
      }
      try {
        if (length < load().length) truncateSync(file, length);
        writeSync(handle, isEnded ? text : `\n${text}`);
        // A power cut must not forget what was sent.
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
    },
  };
}

const TORN = "it is no whole JSON object";
const FOREIGN = "it is not UTF-8: save the file as such";

/** One line of a journal; nothing where it is empty, or what is wrong with it. */
function readEntry<Entry>(
  bytes: Uint8Array,
  { states, isWhole, parts }: EntryRules,
): JournalLine<Entry> | string | undefined {
  let entry: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (text.trim() === "") return undefined;
    if (text.includes("\0")) return FOREIGN;
    entry = JSON.parse(text);
  } catch (error) {
    return error instanceof SyntaxError ? TORN : FOREIGN;
  }
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return "it is no entry of a journal";
  const fields = entry as Readonly<Record<string, unknown>>;
  const { account, state } = fields;
  if (!states.some((known) => known === state))
    return `its state ${JSON.stringify(state)} is none of ${states.join(", ")}`;
  return typeof account === "string" && isWhole(fields) ? (entry as JournalLine<Entry>) : `it lacks ${parts}`;
}

/** What a journal's entries belong to. */
export function accountOf(baseUrl: string): string {
  if (!URL.canParse(baseUrl)) throw new UsageError("--base-url must be a URL: your CAKE domain");
  return new URL(baseUrl).origin;
}

/** Two runs at once would send each row twice. */
export function lock(file: string, doing: string): () => void {
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      return () => rmSync(file, { force: true });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EEXIST") throw new UsageError(`the journal's lock ${file} cannot be written: ${code}`);
      const owner = Number(readFileSync(file, "utf8"));
      if (owner > 0 && isRunning(owner)) {
        throw new UsageError(`process ${owner} is ${doing}: wait for it`);
      }
      // What was killed has left it behind.
      rmSync(file, { force: true });
    }
  }
}
