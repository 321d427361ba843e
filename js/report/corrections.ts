/**
 * Corrections for CAKE: the core decides which; this module applies the cap, and omits corrections that an earlier file
 * has.
 */

import { csvCell } from "../csv.js";
import { integerOption, refuse } from "../option.js";
import { Command, type Core } from "./core.js";
import type { CorrectionOptions, Corrections } from "./options.js";

interface Answer {
  readonly columns: readonly string[];
  readonly corrections: readonly {
    readonly journal?: string;
    readonly skipped?: string;
    readonly cells: readonly string[];
    readonly amount: string;
  }[];
  readonly cursor?: number;
}

/** Decides which corrections go into this file. */
export function correctionsOf(core: Core, options: CorrectionOptions): Corrections {
  const rows = integerOption("cap.rows", options.cap?.rows, 0, Number.MAX_SAFE_INTEGER) ?? Number.POSITIVE_INFINITY;
  const most = options.cap?.amount === undefined ? undefined : unitsOf("cap.amount", options.cap.amount);
  const before = new Set(options.journal);
  const lines: string[] = [];
  const journal: string[] = [];
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
      ...(options.reject === undefined ? [] : [`reject=${options.reject.join()}`]),
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
      const amount = unitsOf("amount", line.amount);
      if (lines.length >= rows || (most !== undefined && sum + amount > most)) {
        capped += 1;
        continue;
      }
      sum += amount;
      before.add(line.journal);
      journal.push(line.journal);
      lines.push(`${line.cells.map((cell) => csvCell(cell, false)).join()}\r\n`);
    }
    cursor = answer.cursor;
  } while (cursor !== undefined);
  return {
    csv: header + lines.join(""),
    lines: lines.length,
    amount: textOf(sum),
    journal,
    repeated,
    capped,
    skipped,
  };
}

/** An exact amount in 1/10,000. */
export function unitsOf(name: string, text: string): bigint {
  const [, sign, whole = "", fraction = ""] = /^(-?)(\d+)(?:\.(\d{1,4}))?$/.exec(text) ?? [];
  if (whole === "") refuse(name, 'must be an amount as text, such as "500.00"');
  const units = BigInt(whole) * 10_000n + BigInt(fraction.padEnd(4, "0"));
  return sign === "-" ? -units : units;
}

/** The amount as text, with at least two places. */
export function textOf(units: bigint): string {
  const size = units < 0n ? -units : units;
  const fraction = String(size % 10_000n)
    .padStart(4, "0")
    .replace(/0{1,2}$/, "");
  return `${units < 0n ? "-" : ""}${size / 10_000n}.${fraction}`;
}
