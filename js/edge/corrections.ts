/** Many corrections at once. Each is checked, and applied only once, even over several runs. */
import { capOf, textOf, unitsOf } from "../amount.js";
import { CakeError, isCakeError, toCakeError } from "../error.js";
import { CORRECTION_ENTRY, readEntries } from "../journal-entry.js";
import { checkNames, checkNoMore, choice, copyOf, hookOption, integerOption, refuse, signalOption } from "../option.js";
import type { CakeClient, CorrectConversionParams } from "./cake-client.js";
import { createOrder } from "./correction-order.js";
import { copyRows, createSender, inTurn } from "./one-by-one.js";

/** One correction: from a report's `rows`, a forwarder's export, or your own list. */
export interface CorrectionRow extends CorrectConversionParams {
  /**
   * How much money it moves, such as `"9.00"`; `maxMoney` counts it, and never less than the row adds.
   * @default the amount that it adds
   */
  readonly amount?: string | undefined;
}

/**
 * A journal entry: one step of one correction. `sending` is written before the request leaves, and another state once
 * the outcome is known. `sending` alone means that the outcome is unknown. `missing` is for a person who has seen in
 * CAKE that the correction is not there.
 */
export interface CorrectionEntry {
  /** The correction as text: the same text for the same correction. */
  readonly correction: string;
  readonly state: "sending" | "corrected" | "refused" | "unknown" | "missing";
  /** The error's message. */
  readonly message?: string | undefined;
  /** The time, as an ISO date. */
  readonly at: string;
}

/**
 * Keeps a record of sent corrections, so that a rerun corrects nothing twice. Use one journal for each account. Calls that
 * have the same object run one after the other; two objects or processes over one store must not run at once.
 */
export interface CorrectionJournal {
  /** All entries, the oldest first. */
  read(): Iterable<CorrectionEntry> | Promise<Iterable<CorrectionEntry>>;
  /** Adds an entry. The request leaves only after the entry is stored durably. */
  append(entry: CorrectionEntry): void | Promise<void>;
}

/** The options of {@link applyCorrections}. */
export interface ApplyCorrectionsOptions {
  /** The account. */
  readonly client: Pick<CakeClient, "correctConversion">;
  readonly journal: CorrectionJournal;
  /** The most corrections to send; the rest is left for the next run. @default all */
  readonly maxRows?: number | undefined;
  /**
   * The most money to move, such as `"500.00"`; the rest is left for the next run. A row that sets totals or a status
   * then needs an `amount`, because the row does not show how much it moves.
   * @default any sum
   */
  readonly maxMoney?: string | undefined;
  /** Check the rows and return the requests without sending them. @default false */
  readonly dryRun?: boolean | undefined;
  /** The most requests a second. @default 2 */
  readonly rateLimit?: number | undefined;
  /** Is called for each row, in their order, once its outcome is known. Its errors are ignored. */
  readonly onRow?: ((row: AppliedCorrection) => void) | undefined;
  /** Ends the run between two rows. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The outcome of a row:
 *
 * - `corrected`: applied now
 * - `already`: applied by an earlier run or row, and no later correction has set something else
 * - `ready`: would be sent, in a dry run
 * - `invalid`: breaks a rule, and is not sent
 * - `doubtful`: not sent. Another row sets something else of the same conversion, or a later correction has done so
 * - `capped`: left out by `maxRows` or `maxMoney`
 * - `refused`: refused by CAKE
 * - `unknown`: sent now or earlier without a clear answer, and not sent again
 * - `left`: not reached
 */
export type CorrectionOutcome =
  | "corrected"
  | "already"
  | "ready"
  | "invalid"
  | "doubtful"
  | "capped"
  | "refused"
  | "unknown"
  | "left";

/** A row and its outcome. */
export interface AppliedCorrection {
  /** The row's place in the list, from 0. */
  readonly index: number;
  readonly row: CorrectionRow;
  /** The journal's key of the row; empty if the row is invalid. */
  readonly correction: string;
  readonly outcome: CorrectionOutcome;
  readonly error?: CakeError | undefined;
  /** The place of a row that contradicts this one. */
  readonly otherIndex?: number | undefined;
}

/** The outcomes of all rows. */
export interface CorrectionsReport {
  /** Is every row corrected, or, in a dry run, ready? */
  readonly ok: boolean;
  readonly rows: readonly AppliedCorrection[];
  /** How much money was moved, or in a dry run would be, according to the rows. */
  readonly money: string;
  /** Why the run ended before the last row: CAKE refuses the key, an outage, `aborted`. */
  readonly stopped?: CakeError | undefined;
}

const OPTIONS = ["client", "journal", "maxRows", "maxMoney", "dryRun", "rateLimit", "onRow", "signal"];

/**
 * Applies corrections one by one, with {@link CakeClient.correctConversion}. If the journal has a correction as
 * applied, or with an unknown outcome, it is not sent again. For an unknown outcome, look at the conversion in CAKE.
 *
 * @throws CakeError `invalid_field`; errors of single rows are in the report
 * @example
 * const { rows } = result.corrections({ reject: ["duplicate_conversion"] });
 * const report = await applyCorrections(rows, { client: cake, journal, maxRows: 100, maxMoney: "500.00" });
 */
export async function applyCorrections(
  rows: Iterable<CorrectionRow>,
  options: ApplyCorrectionsOptions,
): Promise<CorrectionsReport>;
export async function applyCorrections(
  rows: Iterable<CorrectionRow>,
  options: ApplyCorrectionsOptions,
  ...more: unknown[]
): Promise<CorrectionsReport> {
  checkNoMore("applyCorrections", 2, more);
  if (typeof options !== "object" || options === null) refuse("options", "must be an object");
  const kept = copyRows(rows);
  const settings = copyOf(options);
  return inTurn(settings.journal, () => applyAll(kept, settings));
}

async function applyAll(rows: readonly CorrectionRow[], options: ApplyCorrectionsOptions): Promise<CorrectionsReport> {
  checkNames("options", options, OPTIONS);
  const { client, journal } = options;
  if (typeof client?.correctConversion !== "function")
    refuse("client", "must be a client, as createCakeClient makes it");
  if (typeof journal?.read !== "function" || typeof journal.append !== "function") {
    refuse("journal", "must have read() and append(entry)");
  }
  const maxRows = integerOption("maxRows", options.maxRows, 0, Number.MAX_SAFE_INTEGER) ?? Number.POSITIVE_INFINITY;
  const maxMoney = options.maxMoney === undefined ? undefined : capOf("maxMoney", options.maxMoney);
  const dryRun = choice("dryRun", options.dryRun, [true, false]) ?? false;
  const onRow = hookOption("onRow", options.onRow);
  const sender = createSender(options.rateLimit ?? 2, signalOption(options.signal));
  const entries = readEntries<CorrectionEntry>(await journal.read(), CORRECTION_ENTRY);
  const checked: Checked[] = [];
  for (const row of rows) checked.push(await check(row));
  const order = createOrder(checked.map(({ correction }) => correction));
  for (const { correction, state } of entries) order.note(correction, state);
  const done: AppliedCorrection[] = [];
  let sentRows = 0;
  let money = 0n;

  async function check(row: CorrectionRow): Promise<Checked> {
    let correction = "";
    try {
      // Checked by the core, which spells the same correction in the same way. Nothing is sent.
      correction = (await client.correctConversion(paramsOf(row), { dryRun: true })).query;
      return { row, correction, moved: movedBy(row, maxMoney !== undefined) };
    } catch (thrown) {
      if (!isCakeError(thrown)) throw thrown;
      return { row, correction, moved: 0n, error: toCakeError(thrown) };
    }
  }

  async function apply({ row, correction, moved, error: flaw }: Checked, index: number): Promise<AppliedCorrection> {
    if (flaw !== undefined) return { index, row, correction: "", outcome: "invalid", error: flaw };
    const params = paramsOf(row);
    const end = (outcome: CorrectionOutcome, error?: CakeError, otherIndex?: number): AppliedCorrection => ({
      index,
      row,
      correction,
      outcome,
      ...(error && { error }),
      ...(otherIndex !== undefined && { otherIndex }),
    });
    const not = (parameter: string, rule: string) => new CakeError({ code: "invalid_field", parameter, rule });
    if (row.correctionId !== undefined && order.findRival(correction) !== undefined) {
      const rule = "was given to another correction of this conversion: give each an id of its own";
      return end("invalid", not("correctionId", rule));
    }
    const state = order.stateOf(correction);
    if (state === "sending" || state === "unknown") return end("unknown");
    const contradiction = order.findContradiction(index);
    if (contradiction !== undefined) {
      const rule =
        "differs in another row of this conversion: give the row that shall count alone, or each a correctionId of its own, in their order";
      return end("doubtful", not(contradiction.parameter, rule), contradiction.otherIndex);
    }
    if (state === "corrected" && order.isOnce(correction)) return end("already");
    const overtaken = order.findOvertaken(index);
    if (overtaken !== undefined) {
      const rule =
        "was sent otherwise by a later correction of this conversion: where this row shall count again, give it a new correctionId";
      return end("doubtful", not(overtaken, rule));
    }
    if (state === "corrected") return end("already");
    if (sender.stopped !== undefined) return end("left");
    if (sentRows >= maxRows || (maxMoney !== undefined && money + moved > maxMoney)) return end("capped");
    sentRows += 1;
    money += moved;
    if (dryRun) {
      order.note(correction, "sending");
      order.note(correction, "corrected");
      return end("ready");
    }
    const note = (step: Pick<CorrectionEntry, "state" | "message">) => {
      order.note(correction, step.state);
      return journal.append({ correction, ...step, at: new Date().toISOString() });
    };
    const sent = await sender.send(note, async () => {
      await client.correctConversion(params);
      await note({ state: "corrected" });
    });
    if (sent.outcome === "done") return end("corrected");
    // A correction that was not applied moved no money.
    if (sent.outcome !== "unknown") money -= moved;
    return end(sent.outcome, sent.error);
  }

  for (const row of checked) {
    const applied = await apply(row, done.length);
    done.push(applied);
    onRow?.(applied);
  }
  const ok = done.every(({ outcome }) => outcome === "corrected" || outcome === "already" || outcome === "ready");
  return { ok, rows: done, money: textOf(money), ...(sender.stopped && { stopped: sender.stopped }) };
}

/** A row, and the correction that the core makes of it. */
interface Checked {
  readonly row: CorrectionRow;
  /** Empty where the core refuses the row. */
  readonly correction: string;
  readonly moved: bigint;
  readonly error?: CakeError | undefined;
}

/** The row's parameters for the client. */
function paramsOf({ amount: _, ...params }: CorrectionRow): CorrectConversionParams {
  return params;
}

/** How much money a row moves, in 1/10,000: its `amount`, and never less than it adds. */
function movedBy(
  { amount, payoutAdded, revenueAdded, payout, revenue, status }: CorrectionRow,
  isAsked: boolean,
): bigint {
  if (isAsked && amount === undefined && (payout !== undefined || revenue !== undefined || status !== undefined)) {
    const rule = "is missing: a total or a status does not say how much money it moves, and maxMoney counts it";
    throw new CakeError({ code: "invalid_field", parameter: "amount", rule });
  }
  // One refund takes from both: the larger part is the money moved.
  const added = Object.entries({ amount, payoutAdded, revenueAdded }).map(([name, text]) =>
    text === undefined ? 0n : size(unitsOf(name, String(text))),
  );
  return added.reduce((most, each) => (each > most ? each : most), 0n);
}

function size(units: bigint): bigint {
  return units < 0n ? -units : units;
}
