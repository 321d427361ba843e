/** `npx cake-edge clicks` and `conversions`: stores CAKE's lists as pages on disk, so that a rerun needs no network. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { csvCell } from "../csv.js";
import {
  type CakeClient,
  type Click,
  createCakeClient,
  type Day,
  dayRange,
  type ReportedConversion,
} from "../entry/edge.inline.js";
import { makeFolder } from "../folder.js";
import { placeOf } from "./files.js";
import { accountOf, lock } from "./journal.js";
import { endingOf, readArgs, UsageError } from "./usage.js";

type Kind = "clicks" | "conversions";

export const PAGES_USAGE = `Usage: cake-edge clicks|conversions --from DAY --to DAY --base-url URL [options]

Reads a list of CAKE's. The API key comes from the environment, CAKE_API_KEY.

  --from DAY --to DAY   the days, both included, such as 2026-06-01
  --base-url URL        your CAKE domain, such as https://yourdomain.cakemarketing.com
  --pages DIR           store the pages there as CAKE sent them; a rerun reads them, without network and key
  --csv                 rows as CSV on standard output, with --pages those of the pages
  --json                the same as JSON, one a line

Conversions come from the report call, report/conversion.json, which has the unique ids. Pages of an
unfinished call are read again; those of a finished call are kept until you remove NAME.complete.json.

Examples:
  CAKE_API_KEY=… cake-edge clicks --from 2026-06-01 --to 2026-06-30 --pages pages --base-url https://yourdomain.cakemarketing.com
  CAKE_API_KEY=… cake-edge conversions --from 2026-06-01 --to 2026-06-30 --csv --base-url https://yourdomain.cakemarketing.com > june.csv

Documentation: node_modules/cake-edge/docs/report.md`;

/** The list to read, and where to keep its pages. */
interface LiveOptions {
  /** Not needed if the pages are on disk. */
  readonly baseUrl: string | undefined;
  readonly from: string;
  readonly to: string;
  /** Empty if nothing is kept. */
  readonly folder: string;
  readonly onRows?: ((rows: number) => void) | undefined;
}

const OPTION_TYPES = {
  from: { type: "string" },
  to: { type: "string" },
  "base-url": { type: "string" },
  pages: { type: "string" },
  csv: { type: "boolean" },
  json: { type: "boolean" },
} as const;

/** Writes the requested rows, and returns the exit status. */
export async function pages(kind: Kind, args: string[]): Promise<number> {
  let values: { from?: string; to?: string; "base-url"?: string; pages?: string; csv?: boolean; json?: boolean };
  try {
    values = readArgs(args, OPTION_TYPES, `cake-edge ${kind} --help`);
    if (values.pages === "") throw new UsageError("--pages is empty: name the folder that keeps the pages");
    if (values.csv === true && values.json === true) {
      throw new UsageError("--csv and --json both write to standard output: choose one");
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`cake-edge ${kind}: ${error.message}`);
    return error.status;
  }
  const { from, to, "base-url": baseUrl, pages: folder } = values;
  const isPrinted = values.csv === true || values.json === true;
  if (from === undefined || to === undefined || !(folder || (isPrinted && baseUrl !== undefined))) {
    console.error(
      `cake-edge ${kind}: --from, --to, --base-url, and one of --pages, --csv and --json are needed; --base-url is not where --pages has them already`,
    );
    return 2;
  }
  const onRows = (rows: number) => say(`${kind}: ${rows.toLocaleString("en")} rows`);
  const live: LiveOptions = { baseUrl, from, to, folder: folder ?? "", onRows };
  try {
    // A day that is none is wrong whether a key is there or not.
    dayRange(from as Day, to as Day);
    if (folder !== undefined) {
      const files = await readPages(kind, live);
      say("");
      console.error(`${kind}: ${files.length} pages in ${folder}`);
    }
    if (isPrinted) await print(kind, live, values.csv === true);
    return 0;
  } catch (error) {
    const ending = endingOf(error);
    if (ending === undefined) throw error;
    console.error(`cake-edge ${kind}: ${ending.sentence}`);
    return ending.status;
  }
}

function say(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** A client of the account, or one that reads a page from disk and sends nothing. */
function open(baseUrl: string, page?: Uint8Array): CakeClient {
  return createCakeClient({
    baseUrl,
    apiKey: page === undefined ? (process.env["CAKE_API_KEY"] ?? "") : "not-used",
    readOnly: true,
    ...(page && { fetch: async () => new Response(page as Uint8Array<ArrayBuffer>) }),
  });
}

function listOf(cake: CakeClient, kind: Kind, { from, to, onRows }: LiveOptions) {
  const range = dayRange(from as Day, to as Day);
  const options = onRows === undefined ? {} : { onPage: ({ rows }: { readonly rows: number }) => onRows(rows) };
  // Only the report call returns unique ids, by which a conversion is joined to an order.
  return kind === "clicks"
    ? cake.listClicks({ ...range, rowLimit: 10_000 }, options)
    : cake.listConversionReport(range, options);
}

/** The note beside the pages, written when all of them are there. */
interface Complete {
  readonly origin: string;
  readonly readAt: string;
  readonly pages: readonly string[];
}

/** The pages' files. If they are not complete on disk, they are read through the API first. */
export async function readPages(kind: Kind, live: LiveOptions): Promise<string[]> {
  const name = `${kind}-${live.from}-${live.to}`;
  const note = join(live.folder, `${name}.complete.json`);
  if (existsSync(note)) return keptPages(note, live);
  if (live.baseUrl === undefined)
    throw new UsageError(`--base-url is needed: ${live.folder} has no pages of these days`);
  written(live.folder, live.folder, () => makeFolder(live.folder));
  // The pages of two runs would be mixed, and each run's note would call them complete.
  const release = lock(join(live.folder, `${name}.lock`), `reading the same list into ${live.folder}`);
  try {
    // The run before may have ended between the two.
    return existsSync(note) ? keptPages(note, live) : await storePages(kind, live, name, live.baseUrl, note);
  } finally {
    release();
  }
}

/** Reads the list, and stores its pages and their note. */
async function storePages(
  kind: Kind,
  live: LiveOptions,
  name: string,
  baseUrl: string,
  note: string,
): Promise<string[]> {
  const pages: string[] = [];
  for await (const page of listOf(open(baseUrl), kind, live).bytes()) {
    const file = `${name}-${String(pages.length + 1).padStart(5, "0")}.json`;
    written(live.folder, join(live.folder, file), () => writeFileSync(join(live.folder, file), page));
    pages.push(file);
  }
  // A longer list that broke off has left pages that are none of this one.
  for (const file of readdirSync(live.folder)) {
    if (PAGE.exec(file)?.[1] === name && !pages.includes(file)) rmSync(join(live.folder, file));
  }
  const complete: Complete = { origin: new URL(baseUrl).origin, readAt: new Date().toISOString(), pages };
  // Written to another file and renamed: half a list never counts as complete.
  const place = placeOf(note);
  written(live.folder, note, () => {
    writeFileSync(`${place}.part`, JSON.stringify(complete));
    renameSync(`${place}.part`, String(place));
  });
  return pages.map((file) => join(live.folder, file));
}

/** Writes a file of the folder. @throws UsageError, which names the option and the file, where the system refuses */
function written(folder: string, file: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "EEXIST" || code === "ENOTDIR" ? "a file stands where a folder is needed" : code;
    throw new UsageError(`--pages ${folder}: ${file} cannot be written: ${why}`);
  }
}

function keptPages(note: string, { baseUrl, folder, to }: LiveOptions): string[] {
  const { origin, readAt, pages } = readNote(note);
  if (baseUrl !== undefined && accountOf(baseUrl) !== origin) {
    throw new UsageError(`${note} has pages of ${origin}: take another folder for another account`);
  }
  const files = pages.map((file) => join(folder, file));
  const missing = files.find((file) => !existsSync(file));
  if (missing !== undefined) throw new UsageError(`${missing} is not there: remove ${note} to read the pages again`);
  checkFilled(files, note);
  warnOfEarly(note, readAt, to);
  return files;
}

/** CAKE's pages are never empty: a full disk or a cloud folder has taken the rows of one that is. */
function checkFilled(files: readonly string[], note: string): void {
  const empty = files.find((file) => statSync(file).size === 0);
  if (empty !== undefined) throw new UsageError(`${empty} is empty: remove ${note} to read the pages again`);
}

function warnOfEarly(note: string, readAt: string, to: string): void {
  if (!isWhole({ readAt, to })) {
    console.error(`${note}: these pages were read before ${to} was over: remove that file to read them again`);
  }
}

/** Was the list read after its last day was over everywhere? It ends at most 12 hours after it ends in UTC. */
function isWhole({ readAt, to }: { readonly readAt: string; readonly to: string }): boolean {
  return Date.parse(readAt) >= Date.parse(`${to}T00:00:00Z`) + 36 * 3_600_000;
}

/** The notes of the pages among these files, and their days. */
function notesOf(files: readonly string[]): Map<string, Complete & { readonly from: string; readonly to: string }> {
  const notes = new Map<string, Complete & { readonly from: string; readonly to: string }>();
  for (const file of files) {
    const [name, , from = "", to = ""] = PAGE.exec(basename(file)) ?? [];
    const note = noteOf(file);
    if (name !== undefined && !notes.has(note)) notes.set(note, { ...readNote(note), from, to });
  }
  return notes;
}

function noteOf(page: string): string {
  return join(dirname(page), `${PAGE.exec(basename(page))?.[1]}.complete.json`);
}

/** @throws UsageError for pages of two accounts: their conversions may have the same ids */
export function checkOneAccount(files: readonly string[]): void {
  const [first, ...others] = notesOf(files);
  const other = others.find(([, { origin }]) => origin !== first?.[1].origin);
  if (first !== undefined && other !== undefined) {
    throw new UsageError(
      `${other[0]} has pages of ${other[1].origin}, and ${first[0]} has pages of ${first[1].origin}: give one account's`,
    );
  }
}

/**
 * The files, the pages among them in the order in which they were read: of a conversion that was read twice, the row
 * read last counts. Other files keep their places.
 */
export function inReadingOrder(files: readonly string[]): string[] {
  const notes = notesOf(files);
  const readAt = (page: string) => Date.parse(notes.get(noteOf(page))?.readAt ?? "");
  const pages = files.filter((file) => notes.has(noteOf(file))).sort((one, other) => readAt(one) - readAt(other));
  return files.map((file) => (notes.has(noteOf(file)) ? (pages.shift() ?? file) : file));
}

/**
 * When the pages among these files were read, as far as it matters: before the days of the report were over. A sale after
 * it may be at CAKE by now.
 */
export function readUntil(
  files: readonly string[],
  { from, to }: { readonly from?: string; readonly to?: string },
): string | undefined {
  const lists = notesOf(files);
  const sorted = [...lists.values()].sort((a, b) => (a.from < b.from ? -1 : 1));
  // In any time zone a day begins at most 14 hours before it does in UTC, and 12 after.
  const startOf = (day: string) => Date.parse(`${day}T00:00:00Z`) - 14 * 3_600_000;
  let known = startOf(from ?? sorted[0]?.from ?? "");
  let until = known;
  for (const list of sorted) {
    if (startOf(list.from) > known) break;
    const end = isWhole(list) ? startOf(nextDay(list.to)) : Date.parse(list.readAt);
    known = Math.max(known, isWhole(list) ? end : end - 26 * 3_600_000);
    until = Math.max(until, end);
  }
  // A file that is no page may have the other days.
  const isMixed = files.some((file) => !PAGE.test(basename(file)));
  const isAll = isMixed ? sorted.every(isWhole) : known >= startOf(nextDay(to ?? sorted.at(-1)?.to ?? ""));
  return isAll || Number.isNaN(until) ? undefined : new Date(until).toISOString();
}

/** The days that a kept page's name says its list has; `undefined` for another file. */
export function daysOf(file: string): { from: string; to: string } | undefined {
  const [name, , from = "", to = ""] = PAGE.exec(basename(file)) ?? [];
  return name === undefined ? undefined : { from, to };
}

/** The name of a page's file: the name of its list, and the list's days. */
const PAGE = /^((?:clicks|conversions)-(\d{4}-\d\d-\d\d)-(\d{4}-\d\d-\d\d))-\d{5,}\.json$/;

/**
 * Refuses pages that are not all of their lists, and lists that are not all of the report's days: each sale that they
 * lack would count as missing at CAKE. Other files pass.
 *
 * @throws UsageError
 */
export function checkPages(files: readonly string[], days?: { readonly from?: string; readonly to?: string }): void {
  const lists = new Map<string, { from: string; to: string; names: string[] }>();
  let isOnlyPages = true;
  for (const file of files) {
    const [name, list = "", from = "", to = ""] = PAGE.exec(basename(file)) ?? [];
    if (name === undefined) isOnlyPages = false;
    else {
      const path = join(dirname(file), list);
      const known = lists.get(path) ?? { from, to, names: [] };
      known.names.push(name);
      lists.set(path, known);
    }
  }
  for (const [path, { to, names }] of lists) {
    const note = `${path}.complete.json`;
    if (!existsSync(note)) {
      throw new UsageError(
        `${path}-….json may lack pages, because ${note} is not there: the list broke off. Read it again with --pages ${dirname(path)}`,
      );
    }
    const { pages, readAt } = readNote(note);
    const lacking = pages.find((page) => !names.includes(page));
    if (lacking !== undefined) {
      const file = join(dirname(path), lacking);
      throw new UsageError(
        existsSync(file)
          ? `${file} belongs to the same list: give all pages that ${note} names`
          : `${file} is not there, and ${note} names it: remove that note, and read the pages again`,
      );
    }
    const other = names.find((page) => !pages.includes(page));
    if (other !== undefined) {
      throw new UsageError(`${join(dirname(path), other)} is none of the pages that ${note} names: remove it`);
    }
    checkFilled(
      names.map((name) => join(dirname(path), name)),
      note,
    );
    warnOfEarly(note, readAt, to);
  }
  inReadingOrder(files);
  if (isOnlyPages && days !== undefined) checkDays([...lists.values()], days);
}

function nextDay(day: string): string {
  const ms = Date.parse(day) + 86_400_000;
  return Number.isNaN(ms) ? day : new Date(ms).toISOString().slice(0, 10);
}

function checkDays(
  lists: readonly { readonly from: string; readonly to: string }[],
  { from, to }: { readonly from?: string; readonly to?: string },
): void {
  const sorted = [...lists].sort((a, b) => (a.from < b.from ? -1 : 1));
  let next = from;
  for (const list of sorted) {
    if (next !== undefined && list.from > next) break;
    const after = nextDay(list.to);
    if (next === undefined || after > next) next = after;
  }
  const end = to ?? sorted.at(-1)?.to;
  if (next !== undefined && end !== undefined && next <= end) {
    throw new UsageError(`the pages of CAKE's conversions do not have ${next}, a day of the report: read it as well`);
  }
}

/** @throws UsageError if the note is damaged */
function readNote(note: string): Complete {
  try {
    const { origin, readAt, pages } = JSON.parse(readFileSync(note, "utf8")) as Complete;
    if (
      typeof origin === "string" &&
      !Number.isNaN(Date.parse(readAt)) &&
      pages.every((name) => typeof name === "string")
    )
      return { origin, readAt, pages };
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  throw new UsageError(`${note} is damaged: remove it to read the pages again`);
}

/** The rows, each once, from pages on disk or from the API. */
async function* rowsOf(kind: Kind, live: LiveOptions): AsyncGenerator<object> {
  if (live.folder === "") {
    yield* listOf(open(live.baseUrl ?? ""), kind, live);
    return;
  }
  const known = new Set<string | number>();
  for (const file of await readPages(kind, live)) {
    const cake = open("https://pages.example", readFileSync(file));
    const { rows } = await listOf(cake, kind, { ...live, onRows: undefined }).page();
    const ids = rows.map((row) =>
      kind === "clicks" ? (row as Click).clickId : (row as ReportedConversion).conversionId,
    );
    // Within one page all rows count; pages may overlap.
    for (const [index, row] of rows.entries()) {
      const id = ids[index];
      if (id === undefined || !known.has(id)) yield row;
    }
    for (const id of ids) if (id !== undefined) known.add(id);
  }
}

async function print(kind: Kind, live: LiveOptions, isCsv: boolean): Promise<void> {
  const names = COLUMNS[kind];
  let head = isCsv ? `${names.join()}\r\n` : "";
  for await (const row of rowsOf(kind, live)) {
    // Such as `head`, which has read enough.
    if (!process.stdout.writable) return;
    const cells = row as Record<string, string | number | undefined>;
    const line = isCsv
      ? `${names.map((name) => csvCell(cells[name], !EXACT.has(name))).join()}\r\n`
      : `${JSON.stringify(row)}\n`;
    // The first row shows that the request was right.
    process.stdout.write(head + line);
    head = "";
  }
  if (head && process.stdout.writable) process.stdout.write(head);
}

/** Ids and amounts, by which other files are matched: byte for byte as in CAKE. The other fields are guarded. */
const EXACT: ReadonlySet<string> = new Set([
  "clickId",
  "conversionId",
  "offerId",
  "affiliateId",
  "payoutText",
  "revenueText",
  "uniqueId",
  "orderId",
]);

const COLUMNS: Record<Kind, string[]> = {
  clicks: [
    "clickId",
    "clickDate",
    "offerId",
    "affiliateId",
    "subId1",
    "subId2",
    "subId3",
    "subId4",
    "subId5",
    "ipAddress",
    "country",
    "converted",
    "conversionId",
  ],
  conversions: [
    "conversionId",
    "conversionDate",
    "conversionStatus",
    "offerId",
    "affiliateId",
    "payoutText",
    "revenueText",
    "uniqueId",
    "orderId",
    "clickId",
  ],
};
