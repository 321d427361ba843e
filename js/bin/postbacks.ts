/** `npx cake-edge postbacks`: registers the postbacks of a file, each once. Without `--apply` it only checks. */
import {
  type AppliedPostback,
  applyPostbacks,
  type CheckedPostback,
  type CreatePostbackParams,
  checkPostbacks,
  createCakeClient,
  type PostbackEntry,
} from "../entry/edge.inline.js";
import { POSTBACK_ENTRY } from "../journal-entry.js";
import { findChange, identityOf, postbackKey } from "../postback-key.js";
import { accountOf, accountToShow, beside, type FileJournal, lock, openJournal } from "./journal.js";
import { ROW_OPTION_TYPES, type RowOptions, readRowOptions, summaryOf, untilAsked, withExitStatus } from "./rows.js";
import { readTable, visible } from "./table.js";
import { readArgs, UsageError } from "./usage.js";

export const POSTBACKS_USAGE = `Usage: cake-edge postbacks --file FILE [options]

Registers a postback for each row of a CSV file. Without --apply nothing is sent: a table shows the state of each row, its
findings, and what an earlier run has done. The API key comes from the environment, CAKE_API_KEY.

  --file FILE          the rows: affiliate_id,offer_id,postback_url and, if needed, postback_status,postback_type_id
  --base-url URL       your CAKE domain, such as https://yourdomain.cakemarketing.com
  --apply              register them, one by one
  --accept-findings    register rows with findings too; repeated rows never
  --rate N             at most N requests a second (2)
  --ignore COLUMN      a column of your own, such as a name; may be repeated
  --journal FILE       the record of what was sent (FILE.journal, beside the rows)
  --settle LINE=WORD   the outcome of a row that is unknown, once you have looked in CAKE: registered or missing
  --json               one JSON object a row instead of the table

Examples:
  cake-edge postbacks --file postbacks.csv
  CAKE_API_KEY=… cake-edge postbacks --file postbacks.csv --apply --base-url https://yourdomain.cakemarketing.com
  cake-edge postbacks --file postbacks.csv --settle 12=missing --base-url https://yourdomain.cakemarketing.com

Documentation: node_modules/cake-edge/docs/postbacks.md`;

const OPTION_TYPES = { ...ROW_OPTION_TYPES, "accept-findings": { type: "boolean" } } as const;

interface Options extends RowOptions<"registered"> {
  readonly acceptFindings: boolean;
}

/** A row of the file. */
interface FileRow {
  readonly line: number;
  readonly params: CreatePostbackParams;
}

/** A row as it is printed: checked, or applied. */
type Shown = (CheckedPostback & { readonly outcome?: string }) | AppliedPostback;

/** Checks the rows, registers them if asked to, and returns the exit status. */
export function postbacks(args: string[]): Promise<number> {
  return withExitStatus("postbacks", () => {
    const options = readOptions(args);
    const rows = readRows(options);
    return options.isApplied ? apply(options, rows) : preview(options, rows);
  });
}

function readOptions(args: string[]): Options {
  const values = readArgs(args, OPTION_TYPES, "cake-edge postbacks --help");
  return { ...readRowOptions(values, "registered"), acceptFindings: values["accept-findings"] === true };
}

/** The fields by their column names. */
const COLUMNS: Readonly<Record<string, keyof CreatePostbackParams>> = {
  affiliate_id: "affiliateId",
  offer_id: "offerId",
  postback_url: "postbackUrl",
  postback_status: "postbackStatus",
  postback_type_id: "postbackTypeId",
};

const NEEDED = ["affiliate_id", "offer_id", "postback_url"];

function readRows({ file, ignored }: Options): FileRow[] {
  return readTable(file, { known: COLUMNS, needed: NEEDED, ignored }).map(({ line, cells }) => {
    const given = [...cells].map(([field, cell]) => {
      if (field === "offerId" && cell.toLowerCase() === "all") return [field, 0];
      if (field === "postbackStatus") return [field, cell.toLowerCase()];
      const isNumber = field.endsWith("Id") && /^\d{1,16}$/.test(cell);
      return [field, isNumber ? Number(cell) : cell];
    });
    return { line, params: Object.fromEntries(given) as CreatePostbackParams };
  });
}

/** Records the outcome that a person has seen in CAKE. */
function settle({ settled, file }: Options, rows: readonly FileRow[], journal: FileJournal<PostbackEntry>): void {
  if (settled.size === 0) return;
  const registered = new Set(
    journal
      .read()
      .filter(({ state }) => state === "registered")
      .map(postbackKey),
  );
  for (const [line, state] of settled) {
    const row = rows.find((each) => each.line === line);
    if (row === undefined) throw new UsageError(`${file} has no row on line ${line}`);
    if (registered.has(postbackKey(row.params))) {
      throw new UsageError(
        `line ${line} of ${file} is registered, and known to be: there is nothing to settle. Where it was removed in CAKE, take its lines out of the journal`,
      );
    }
    journal.append({ ...identityOf(row.params), state, at: new Date().toISOString() });
  }
}

/** Prints what a run with --apply would do. */
function preview(options: Options, rows: readonly FileRow[]): number {
  const { baseUrl } = options;
  const account = accountToShow(baseUrl, options.journal, POSTBACK_ENTRY);
  const journal =
    account === undefined ? undefined : openJournal<PostbackEntry>(options.journal, account, POSTBACK_ENTRY);
  if (journal) settle(options, rows, journal);
  const known = new Map<string, PostbackEntry>();
  for (const entry of journal?.read() ?? []) {
    if (known.get(postbackKey(entry))?.state !== "registered") known.set(postbackKey(entry), entry);
  }
  const checked = checkPostbacks(
    rows.map(({ params }) => params),
    { sandbox: isSandbox(baseUrl) },
  );
  const shown = checked.map((alone): Shown => {
    const entry = known.get(postbackKey(alone.params));
    const state = entry?.state;
    const change = state === "registered" ? findChange(entry ?? {}, alone.params) : undefined;
    const row = change === undefined ? alone : { ...alone, findings: [...alone.findings, change] };
    const isUnknown = state === "sending" || state === "unknown";
    const outcome = row.error
      ? "invalid"
      : row.findings.some(({ code }) => code === "repeated_row")
        ? "doubtful"
        : state === "registered"
          ? change === undefined
            ? "already"
            : "doubtful"
          : isUnknown
            ? "unknown"
            : row.findings.length > 0 && !options.acceptFindings
              ? "doubtful"
              : "ready";
    return { ...row, outcome };
  });
  print(options, rows, shown);
  const count = (outcome: string) => shown.filter((row) => row.outcome === outcome).length;
  console.error(
    `${shown.length} rows: ${summaryOf(shown)}. Nothing was sent${count("ready") > 0 ? "; --apply registers those that are ready" : ""}.`,
  );
  return statusOf(shown);
}

async function apply(options: Options, rows: readonly FileRow[]): Promise<number> {
  const baseUrl = options.baseUrl as string;
  const client = createCakeClient({ baseUrl, apiKey: process.env["CAKE_API_KEY"] ?? "" });
  const release = lock(beside(options.journal, ".lock"), "registering these rows");
  try {
    const journal = openJournal<PostbackEntry>(options.journal, accountOf(baseUrl), POSTBACK_ENTRY);
    settle(options, rows, journal);
    const report = await untilAsked("postbacks", (signal) =>
      applyPostbacks(
        rows.map(({ params }) => params),
        {
          client,
          journal,
          sandbox: isSandbox(baseUrl),
          acceptFindings: options.acceptFindings,
          rateLimit: options.rateLimit,
          signal,
          onRow: (row) => {
            if (process.stderr.isTTY)
              process.stderr.write(`\r\x1b[K${row.index + 1} of ${rows.length}: ${row.outcome}`);
          },
        },
      ),
    );
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
    print(options, rows, report.rows);
    if (report.stopped) console.error(`cake-edge postbacks: ended early: ${report.stopped.message}`);
    console.error(`${report.rows.length} rows: ${summaryOf(report.rows)}. Journal: ${options.journal}`);
    return report.stopped && statusOf(report.rows) !== 3 ? 4 : statusOf(report.rows);
  } finally {
    release();
  }
}

function isSandbox(baseUrl: string | undefined): boolean {
  return /^http:/i.test(baseUrl ?? "");
}

function statusOf(rows: readonly Shown[]): number {
  const has = (...outcomes: string[]) => rows.some(({ outcome = "" }) => outcomes.includes(outcome));
  if (has("unknown")) return 3;
  const isOtherwise = rows.some(({ findings }) => findings.some(({ code }) => code === "registered_otherwise"));
  return isOtherwise || has("invalid", "doubtful", "refused") ? 1 : 0;
}

function print(options: Options, rows: readonly FileRow[], shown: readonly Shown[]): void {
  if (options.isJson) {
    for (const row of shown) {
      const { outcome, params, uses, findings, error } = row;
      const postbackId = "postbackId" in row ? { postbackId: row.postbackId } : {};
      const why = error && { error: { code: error.code, message: error.message } };
      const line = rows[row.index]?.line;
      console.log(JSON.stringify({ line, outcome, ...postbackId, ...params, uses, findings, ...why }));
    }
    return;
  }
  const cells = shown.map((row) => [
    String(rows[row.index]?.line ?? ""),
    row.outcome ?? "",
    String(row.params.affiliateId ?? ""),
    String(row.params.offerId === 0 ? "all" : (row.params.offerId ?? "")),
    visible(row.params.postbackUrl ?? ""),
  ]);
  const head = ["line", "outcome", "affiliate", "offer", "URL"];
  const widths = head.map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const lineOf = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  console.log(lineOf(head));
  for (const [index, row] of shown.entries()) {
    console.log(lineOf(cells[index] ?? []));
    if (row.error) console.log(`      ${visible(row.error.message)}`);
    for (const { code, parameter, sentence, otherIndex } of row.findings) {
      const about = otherIndex === undefined ? visible(parameter) : `line ${rows[otherIndex]?.line}`;
      console.log(`      ${code}${about === "" ? "" : ` ${about}`}: ${visible(sentence)}`);
    }
    if (row.outcome === "unknown") {
      console.log(
        `      CAKE may have it: look there, then --settle ${rows[row.index]?.line}=registered, or =missing to have it sent again`,
      );
    }
  }
}
