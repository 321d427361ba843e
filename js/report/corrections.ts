/**
 * Corrections for CAKE: the core decides which; this module applies the cap, and omits corrections that an earlier file
 * has.
 */

import { textOf, unitsOf } from "../amount.js";
import { csvCell } from "../csv.js";
import { integerOption, refuse, textsOption } from "../option.js";
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
  const most = options.cap?.amount === undefined ? undefined : unitsOf("cap.amount", options.cap.amount);
  const unread = integerOption("maxUnreadable", options.maxUnreadable, 0, Number.MAX_SAFE_INTEGER) ?? 0;
  const before = new Set<string>();
  for (const given of options.journal ?? []) {
    // An editor may have left a byte order mark, or line ends of its own.
    const line = given.replace(/^\uFEFF/, "").trim();
    if (line !== "" && !/^(upload|reconciliation) /.test(line)) {
      refuse("journal", "must have the lines of an earlier result's journal, unchanged");
    }
    before.add(line);
  }
  const lines: string[] = [];
  const journal: string[] = [];
  const moved: CorrectedRow[] = [];
  const skipped: Record<string, number> = {};
  let sum = 0n;
  let repeated = 0;
  let capped = 0;
  let cursor: number | undefined;
  let header = "";
  do {
    const answer: Answer = core.ask(Command.corrections, [
      `file=${options.file ?? "reconciliation"}`,
      ...(options.offerId === undefined ? [] : [`offer=${options.offerId}`]),
      ...(options.reject === undefined ? [] : [`reject=${textsOption("reject", options.reject).join()}`]),
      ...(cursor === undefined ? [] : [`cursor=${cursor}`]),
    ]);
    header = `${answer.columns.map((column) => csvCell(column, false)).join()}\r\n`;
    for (const line of answer.corrections) {
      if (line.journal === undefined) {
        const reason = line.skipped ?? "";
        skipped[reason] = (skipped[reason] ?? 0) + 1;
        continue;
      }
      if (before.has(line.journal)) {
        repeated += 1;
        continue;
      }
      // The sale, its refund or its other half may be what could not be read.
      if (answer.unreadable > unread) {
        skipped["unreadable_rows"] = (skipped["unreadable_rows"] ?? 0) + 1;
        continue;
      }
      const amount = unitsOf("amount", line.amount);
      if (lines.length >= rows || (most !== undefined && sum + amount > most)) {
        capped += 1;
        continue;
      }
      sum += amount;
      before.add(line.journal);
      journal.push(line.journal);
      if (options.file !== "upload") moved.push(rowOf(line.cells, line.amount));
      lines.push(`${line.cells.map((cell) => csvCell(cell, false)).join()}\r\n`);
    }
    cursor = answer.cursor;
  } while (cursor !== undefined);
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
