/**
 * Corrections for CAKE: the core decides which; this module applies the cap, and omits corrections that an earlier file
 * has.
 */

import { capOf, textOf, unitsOf } from "../amount.js";
import { csvCell } from "../csv.js";
import { integerOption, refuse, stringOption, textsOption } from "../option.js";
import { Command, type Core } from "./core.js";
import type { CorrectedRow, CorrectionOptions, Corrections } from "./options.js";

interface Answer {
  readonly columns: readonly string[];
  readonly corrections: readonly {
    readonly journal?: string | undefined;
    /** A row that cannot be compared may be this one. */
    readonly keyless?: true;
    /** The journal's uploads that may be the same sale, by number. */
    readonly like?: readonly number[];
    readonly skipped?: string;
    readonly cells: readonly string[];
    readonly amount: string;
    /** Nobody knows the amount. */
    readonly unknown?: true;
  }[];
  /** The rows of the files that could not be read. */
  readonly unreadable: number;
  /** The rows that share no kind of key with some row of the other side. */
  readonly keyless: number;
  readonly cursor?: number;
}

/** Decides which corrections go into this file. */
export function correctionsOf(core: Core, options: CorrectionOptions): Corrections {
  const rows = integerOption("cap.rows", options.cap?.rows, 0, Number.MAX_SAFE_INTEGER) ?? Number.POSITIVE_INFINITY;
  const given = options.cap?.amount;
  const most = given === undefined ? undefined : capOf("cap.amount", stringOption("cap.amount", given));
  const unread = integerOption("maxUnreadable", options.maxUnreadable, 0, Number.MAX_SAFE_INTEGER) ?? 0;
  const uncompared = integerOption("maxKeyless", options.maxKeyless, 0, Number.MAX_SAFE_INTEGER) ?? 0;
  const isUpload = options.file === "upload";
  const { uploads, corrected } = readJournal(options.journal ?? []);
  const uploaded = new Set(uploads);
  const lines: string[] = [];
  const taken = new Set<string>();
  const changed: Line[] = [];
  const journal: string[] = [];
  const moved: CorrectedRow[] = [];
  const skipped: Record<string, number> = {};
  let sum = 0n;
  let repeated = 0;
  let capped = 0;
  let cursor: number | undefined;
  let header = "";
  const skip = (reason: string) => {
    skipped[reason] = (skipped[reason] ?? 0) + 1;
  };
  const take = ({ entry, cells, amount: moves, unknown }: Line) => {
    const amount = unitsOf("amount", moves);
    if (lines.length >= rows || (most !== undefined && sum + amount > most)) {
      capped += 1;
      return;
    }
    sum += amount;
    taken.add(entry);
    journal.push(entry);
    if (!isUpload) moved.push(rowOf(cells, unknown ? undefined : moves));
    lines.push(`${cells.map((cell) => csvCell(cell, false)).join()}\r\n`);
  };
  do {
    const answer: Answer = core.ask(Command.corrections, [
      `file=${options.file ?? "reconciliation"}`,
      ...(options.offerId === undefined ? [] : [`offer=${options.offerId}`]),
      ...(options.reject === undefined ? [] : [`reject=${textsOption("reject", options.reject).join()}`]),
      ...(cursor === undefined ? (isUpload ? uploads.map((entry) => `journal=${entry}`) : []) : [`cursor=${cursor}`]),
    ]);
    header = `${answer.columns.map((column) => csvCell(column, false)).join()}\r\n`;
    for (const {
      journal: written,
      skipped: reason = "",
      keyless,
      like,
      cells,
      amount,
      unknown,
    } of answer.corrections) {
      if (written === undefined) {
        skip(reason);
        continue;
      }
      const entry = written.trim();
      // A correction is needed again once another one has followed it. A sale is uploaded once.
      const isKnown = isUpload ? uploaded.has(entry) : corrected.get(rowIn(entry)) === entry;
      if (isKnown || taken.has(entry)) {
        repeated += 1;
        taken.add(entry);
      } else if (answer.unreadable > unread) {
        // The sale, its refund or its other half may be what could not be read.
        skip("unreadable_rows");
      } else if (keyless && answer.keyless > uncompared) skip("rows_without_key");
      // A cap of money cannot hold what has no amount.
      else if (unknown && most !== undefined) skip("amount_unknown");
      else if (like !== undefined) changed.push({ entry, like, cells, amount });
      else take({ entry, cells, amount, unknown });
    }
    cursor = answer.cursor;
  } while (cursor !== undefined);
  for (const line of changed) {
    // Where the orders still have all that was uploaded like it, this is another sale, such as another offer's.
    if (line.like?.every((number) => taken.has(uploads[number] ?? ""))) take(line);
    else skip("changed_since_written");
  }
  return {
    csv: header + lines.join(""),
    rows: moved,
    lines: lines.length,
    amount: textOf(sum),
    journal,
    repeated,
    capped,
    skipped,
  };
}

/** A correction that may go into the file, with its line of the journal. */
interface Line {
  readonly entry: string;
  readonly like?: readonly number[];
  readonly cells: readonly string[];
  readonly amount: string;
  readonly unknown?: true | undefined;
}

/** The words of a line as `src/report/correction.rs` writes them. A line that is cut lacks the point at its end. */
const ENTRY =
  /^(upload( [^ ]+){3} \d{4}-\d\d-\d\d_\d\d:\d\d:\d\d( [^ ]*){4}|reconciliation [^ ]+( [^ ]*){5} FALSE( [^ ]*){2}) \.$/;

/**
 * The lines of earlier files: the uploads, the oldest first, and each row's last correction.
 *
 * @throws CakeError `invalid_field` for a line that is cut, or two lines in one: a sale in it would be written again
 */
function readJournal(given: Iterable<string>): { uploads: string[]; corrected: Map<string, string> } {
  const uploads: string[] = [];
  const corrected = new Map<string, string>();
  for (const text of given) {
    // An editor may have left a byte order mark, or line ends of its own.
    for (const line of text.replace(/^\uFEFF/, "").split(/[\r\n]/)) {
      const entry = line.trim();
      if (entry === "") continue;
      if (!ENTRY.test(entry)) refuse("journal", "must have the lines of an earlier result's journal, unchanged");
      if (entry.startsWith("upload ")) uploads.push(entry);
      else corrected.set(rowIn(entry), entry);
    }
  }
  return { uploads, corrected };
}

/** The row that a correction in the journal is for. */
function rowIn(entry: string): string {
  return entry.split(" ", 2).join(" ");
}

/** A line of the reconciliation tool as `applyCorrections` takes it. */
function rowOf(cells: readonly string[], amount: string | undefined): CorrectedRow {
  const [conversionId = "", uniqueId = "", disposition = "", offerId = "", payout = ""] = cells;
  // The older services have no other word for a sale that is taken back.
  const status = disposition === "reversed" ? "returned" : disposition;
  return {
    ...(conversionId === "" ? { uniqueId } : { conversionId: Number(conversionId) }),
    offerId: Number(offerId),
    ...(status === "" ? {} : { status: status as CorrectedRow["status"] & string }),
    ...(payout === "" ? {} : { payout }),
    ...(amount === undefined ? {} : { amount }),
  };
}
