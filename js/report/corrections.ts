/**
 * Corrections for CAKE: the core decides which; this module applies the cap, and omits corrections that an earlier file
 * has.
 */

import { textOf, unitsOf } from "../amount.js";
import { csvCell } from "../csv.js";
import { integerOption, refuse, stringOption, textsOption } from "../option.js";
import { Command, type Core } from "./core.js";
import type { CorrectedRow, CorrectionOptions, Corrections } from "./options.js";

interface Answer {
  readonly columns: readonly string[];
  readonly corrections: readonly {
    readonly journal?: string;
    readonly skipped?: string;
    readonly cells: readonly string[];
    readonly amount: string;
  }[];
  /** The rows of the files that could not be read. */
  readonly unreadable: number;
  readonly cursor?: number;
}

/** Decides which corrections go into this file. */
export function correctionsOf(core: Core, options: CorrectionOptions): Corrections {
  const rows = integerOption("cap.rows", options.cap?.rows, 0, Number.MAX_SAFE_INTEGER) ?? Number.POSITIVE_INFINITY;
  const given = options.cap?.amount;
  const most = given === undefined ? undefined : unitsOf("cap.amount", stringOption("cap.amount", given));
  if (most !== undefined && most < 0n) refuse("cap.amount", "must not be below zero");
  const unread = integerOption("maxUnreadable", options.maxUnreadable, 0, Number.MAX_SAFE_INTEGER) ?? 0;
  const before = readJournal(options.journal ?? []);
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
  const take = ({ entry, cells, amount: moves }: Line) => {
    const amount = unitsOf("amount", moves);
    if (lines.length >= rows || (most !== undefined && sum + amount > most)) {
      capped += 1;
      return;
    }
    sum += amount;
    taken.add(entry);
    journal.push(entry);
    if (options.file !== "upload") moved.push(rowOf(cells, moves));
    lines.push(`${cells.map((cell) => csvCell(cell, false)).join()}\r\n`);
  };
  do {
    const answer: Answer = core.ask(Command.corrections, [
      `file=${options.file ?? "reconciliation"}`,
      ...(options.offerId === undefined ? [] : [`offer=${options.offerId}`]),
      ...(options.reject === undefined ? [] : [`reject=${textsOption("reject", options.reject).join()}`]),
      ...(cursor === undefined ? [] : [`cursor=${cursor}`]),
    ]);
    header = `${answer.columns.map((column) => csvCell(column, false)).join()}\r\n`;
    for (const { journal: written, skipped: reason = "", cells, amount } of answer.corrections) {
      if (written === undefined) {
        skip(reason);
        continue;
      }
      const entry = written.trim();
      const known = before.get(keyOf(entry));
      // A correction is needed again once another one has followed it. A sale is uploaded once.
      const isKnown = options.file === "upload" ? known?.includes(entry) : known?.at(-1) === entry;
      if (isKnown || taken.has(entry)) {
        repeated += 1;
        taken.add(entry);
      } else if (answer.unreadable > unread) {
        // The sale, its refund or its other half may be what could not be read.
        skip("unreadable_rows");
      } else if (options.file === "upload" && known !== undefined) changed.push({ entry, cells, amount });
      else take({ entry, cells, amount });
    }
    cursor = answer.cursor;
  } while (cursor !== undefined);
  for (const line of changed) {
    // Where the orders still have all that was uploaded under this id, this is another sale, such as another offer's.
    if (before.get(keyOf(line.entry))?.every((entry) => taken.has(entry))) take(line);
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
  readonly cells: readonly string[];
  readonly amount: string;
}

/** The lines of earlier files, the oldest first, by what they correct. */
function readJournal(given: Iterable<string>): Map<string, string[]> {
  const known = new Map<string, string[]>();
  for (const text of given) {
    // An editor may have left a byte order mark, or line ends of its own.
    const entry = text.replace(/^\uFEFF/, "").trim();
    if (entry === "") continue;
    if (!/^(upload|reconciliation) /.test(entry)) {
      refuse("journal", "must have the lines of an earlier result's journal, unchanged");
    }
    const key = keyOf(entry);
    known.set(key, [...(known.get(key) ?? []), entry]);
  }
  return known;
}

/** The file of a line in the journal, and the row that it is for. */
function keyOf(entry: string): string {
  return entry.split(" ", 2).join(" ");
}

/** A line of the reconciliation tool as `applyCorrections` takes it. */
function rowOf(cells: readonly string[], amount: string): CorrectedRow {
  const [conversionId = "", uniqueId = "", disposition = "", offerId = "", payout = ""] = cells;
  // The older services have no other word for a sale that is taken back.
  const status = disposition === "reversed" ? "returned" : disposition;
  return {
    ...(conversionId === "" ? { uniqueId } : { conversionId: Number(conversionId) }),
    offerId: Number(offerId),
    ...(status === "" ? {} : { status: status as CorrectedRow["status"] & string }),
    ...(payout === "" ? {} : { payout }),
    amount,
  };
}
