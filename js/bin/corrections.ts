/** `npx cake-edge corrections`: applies the corrections of a file, each once. Without `--apply` it only checks. */
import { capOf } from "../amount.js";
import {
  type AppliedCorrection,
  applyCorrections,
  type CakeError,
  type CorrectionEntry,
  type CorrectionRow,
  createCakeClient,
} from "../entry/edge.inline.js";
import { CORRECTION_ENTRY } from "../journal-entry.js";
import { accountToShow, beside, lock, openJournal } from "./journal.js";
import { ROW_OPTION_TYPES, type RowOptions, readRowOptions, summaryOf, untilAsked, withExitStatus } from "./rows.js";
import { readTable, visible } from "./table.js";
import { integerIn, readArgs, sentenceOf, UsageError } from "./usage.js";

export const CORRECTIONS_USAGE = `Usage: cake-edge corrections --file FILE [options]

Corrects a conversion for each row of a CSV file, by CAKE's older services. Without --apply nothing is sent: a table shows
the state of each row, earlier runs included. The API key comes from the environment, CAKE_API_KEY.

  --file FILE          the rows: the file of \`cake-edge report --corrections\`, a forwarder's
                       export.csv?kind=correction, or your own, with offer_id, conversion_id or unique_id and, if
                       needed, correction_id, status, payout, payout_added, revenue, revenue_added, disposition_id,
                       effective_date, note, amount
  --base-url URL       your CAKE domain, such as https://yourdomain.cakemarketing.com
  --apply              apply them, one by one
  --max-rows N         send at most N rows now
  --max-money AMOUNT   move at most this money, such as 500.00: a row that sets totals or a status then needs an
                       amount column
  --rate N             at most N requests a second (2)
  --ignore COLUMN      a column of your own, such as a name; may be repeated
  --journal FILE       the record of what was sent (FILE.journal, beside the rows)
  --settle LINE=WORD   the outcome of a row that is unknown, once you have looked in CAKE: corrected or missing
  --json               one JSON object a row instead of the table

Examples:
  cake-edge corrections --file fix.csv
  CAKE_API_KEY=… cake-edge corrections --file fix.csv --apply --max-rows 100 --base-url https://yourdomain.cakemarketing.com
  cake-edge corrections --file fix.csv --settle 12=missing --base-url https://yourdomain.cakemarketing.com

Documentation: node_modules/cake-edge/docs/client.md`;

const OPTION_TYPES = { ...ROW_OPTION_TYPES, "max-rows": { type: "string" }, "max-money": { type: "string" } } as const;

interface Options extends RowOptions<"corrected"> {
  readonly maxRows: number | undefined;
  readonly maxMoney: string | undefined;
}

/** A row of the file. */
interface FileRow {
  readonly line: number;
  readonly row: CorrectionRow;
}

/** Checks the rows, applies them if asked to, and returns the exit status. */
export function corrections(args: string[]): Promise<number> {
  return withExitStatus("corrections", () => {
    const options = readOptions(args);
    return run(options, readRows(options));
  });
}

function readOptions(args: string[]): Options {
  const values = readArgs(args, OPTION_TYPES, "cake-edge corrections --help");
  const maxRows = values["max-rows"] as string | undefined;
  const maxMoney = values["max-money"] as string | undefined;
  if (maxMoney !== undefined) capOf("--max-money", maxMoney);
  return {
    ...readRowOptions(values, "corrected"),
    maxRows: maxRows === undefined ? undefined : integerIn("max-rows", maxRows, 0),
    maxMoney,
  };
}

/** The fields by their column names: this package's, and those of CAKE's reconciliation tool. */
const COLUMNS = {
  correction_id: "correctionId",
  conversion_id: "conversionId",
  unique_id: "uniqueId",
  transaction_id: "uniqueId",
  offer_id: "offerId",
  status: "status",
  disposition: "status",
  payout: "payout",
  add_to_existing_payout: "isAdded",
  payout_added: "payoutAdded",
  revenue: "revenue",
  revenue_added: "revenueAdded",
  disposition_id: "dispositionId",
  effective_date: "effectiveDate",
  note: "note",
  amount: "amount",
} as const;

const NUMBERS: ReadonlySet<string> = new Set(["conversionId", "offerId", "dispositionId"]);

function readRows({ file, ignored }: Options): FileRow[] {
  return readTable(file, { known: COLUMNS, needed: ["offer_id"], ignored }).map(({ line, cells }) => {
    const fields: Record<string, unknown> = {};
    for (const [field, cell] of cells) {
      if (field === "isAdded") continue;
      if (field === "status") fields[field] = /^reversed$/i.test(cell) ? "returned" : cell.toLowerCase();
      else fields[field] = NUMBERS.has(field) && /^\d{1,16}$/.test(cell) ? Number(cell) : cell;
    }
    const isAdded = cells.get("isAdded") ?? "FALSE";
    if (!/^(true|false)$/i.test(isAdded)) {
      throw new UsageError(`${file}, line ${line}: Add to Existing Payout must be TRUE or FALSE`);
    }
    if (/^true$/i.test(isAdded) && fields["payout"] !== undefined) {
      fields["payoutAdded"] = fields["payout"];
      delete fields["payout"];
    }
    return { line, row: fields as unknown as CorrectionRow };
  });
}

async function run(options: Options, rows: readonly FileRow[]): Promise<number> {
  const { baseUrl, isApplied, maxRows, maxMoney } = options;
  const client = createCakeClient({
    baseUrl: baseUrl ?? "https://example.cakemarketing.com",
    // Without --apply nothing is sent, and no key is needed.
    apiKey: process.env["CAKE_API_KEY"] ?? (isApplied ? "" : "not-used"),
  });
  const account = accountToShow(baseUrl, options.journal, CORRECTION_ENTRY);
  const file =
    account === undefined ? undefined : openJournal<CorrectionEntry>(options.journal, account, CORRECTION_ENTRY);
  const journal = file ?? { read: () => [], append: () => undefined };
  const release =
    isApplied || options.settled.size > 0
      ? lock(beside(options.journal, ".lock"), "applying these rows")
      : () => undefined;
  const apply = (dryRun: boolean, signal?: AbortSignal) =>
    applyCorrections(
      rows.map(({ row }) => row),
      {
        client,
        journal,
        dryRun,
        rateLimit: options.rateLimit,
        signal,
        ...(maxRows === undefined ? {} : { maxRows }),
        ...(maxMoney === undefined ? {} : { maxMoney }),
      },
    );
  try {
    if (options.settled.size > 0) settle(options, rows, (await apply(true)).rows, journal);
    const report = isApplied ? await untilAsked("corrections", (signal) => apply(false, signal)) : await apply(true);
    print(options, rows, report.rows);
    if (report.stopped) console.error(`cake-edge corrections: ended early: ${sentenceOf(report.stopped)}`);
    const counts = summaryOf(report.rows);
    const hint = counts.includes(" ready") ? "; --apply sends those that are ready" : "";
    const money = report.money === "0.00" ? "" : ` Money, as far as rows say: ${report.money}.`;
    const end = isApplied ? `${money} Journal: ${options.journal}` : `${money} Nothing was sent${hint}.`;
    console.error(`${report.rows.length} rows: ${counts}.${end}`);
    return report.stopped && statusOf(report.rows) !== 3 ? 4 : statusOf(report.rows);
  } finally {
    release();
  }
}

/** Records the outcome that a person has seen in CAKE. */
function settle(
  { settled, file }: Options,
  rows: readonly FileRow[],
  checked: readonly AppliedCorrection[],
  journal: { append(entry: CorrectionEntry): void },
): void {
  for (const [line, state] of settled) {
    const index = rows.findIndex((each) => each.line === line);
    const row = checked[index];
    if (row === undefined) throw new UsageError(`${file} has no row on line ${line}`);
    if (row.outcome === "invalid")
      throw new UsageError(`line ${line} of ${file} is not a valid correction: mend the row first`);
    if (row.outcome === "doubtful")
      throw new UsageError(`line ${line} of ${file} is doubtful: ${sentenceOf(row.error as CakeError)}`);
    if (row.outcome === "already")
      throw new UsageError(`line ${line} of ${file} is applied: there is nothing to settle`);
    journal.append({ correction: row.correction, state, at: new Date().toISOString() });
  }
}

/** Stands for a cell that is empty. */
const EMPTY = "(empty)";

function statusOf(rows: readonly AppliedCorrection[]): number {
  const has = (...outcomes: string[]) => rows.some(({ outcome }) => outcomes.includes(outcome));
  if (has("unknown")) return 3;
  return has("invalid", "doubtful", "refused", "capped") ? 1 : 0;
}

function print(options: Options, rows: readonly FileRow[], shown: readonly AppliedCorrection[]): void {
  for (const { index, row, outcome, error, otherIndex } of shown) {
    const line = rows[index]?.line;
    const other = otherIndex === undefined ? undefined : rows[otherIndex]?.line;
    if (options.isJson) {
      const why = error && { error: { code: error.code, message: error.message } };
      console.log(JSON.stringify({ line, outcome, ...row, ...why, otherLine: other }));
      continue;
    }
    const { offerId, conversionId, uniqueId, amount: _, ...changes } = row;
    const what = Object.entries(changes).map(([name, value]) => `${name} ${visible(value)}`);
    const of = uniqueId === undefined ? `conversion ${visible(conversionId ?? EMPTY)}` : visible(uniqueId);
    console.log(`line ${line}  ${outcome}  offer ${visible(offerId ?? EMPTY)}  ${of}  ${what.join(", ")}`);
    if (error) console.log(`      ${other === undefined ? "" : `line ${other}: `}${visible(sentenceOf(error))}`);
    if (outcome === "unknown") {
      console.log(
        `      CAKE may have it: look at the conversion's note and totals there, then --settle ${line}=corrected, or =missing to have it sent again`,
      );
    }
  }
}
