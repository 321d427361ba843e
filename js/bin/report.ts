/** `npx cake-edge report`: reconciles a month's orders with CAKE, for people who do not program. */
import { appendFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import {
  isCakeError,
  openReport,
  type Report,
  type ReportOptions,
  type ReportResult,
  type Role,
  type SourceOptions,
} from "../entry/report.node.js";
import { checkOtherParts, finishCorrections, readJournal, writeCorrections } from "./correction-file.js";
import { filesOf, placeOf } from "./files.js";
import { isSameFile } from "./journal.js";
import { checkOneAccount, checkPages, daysOf, inReadingOrder, readPages, readUntil } from "./pages.js";
import { endingOf, integerIn, type OptionType, readArgs, sentenceOf, UsageError } from "./usage.js";

export const REPORT_USAGE = `Usage: cake-edge report --orders FILE --conversions FILE… [options]

Compares your orders with CAKE's conversions: matches, missing rows, differences, repetitions.

  --orders FILE         your orders, CSV or JSON; may be repeated
  --dialect NAME        the program that wrote that file: simple (default), shopify, woocommerce, stripe, cake
  --conversions FILE    CAKE's conversions: saved pages, JSON or CSV; may be repeated, and may have * in it
  --conversions live    read them through the API; the key comes from CAKE_API_KEY. Needs --base-url and --save
  --base-url URL        your CAKE domain, such as https://yourdomain.cakemarketing.com
  --save DIR            store the pages there; a rerun reads them and needs no network
  --deliveries FILE     the forwarder's export: shows where a missing conversion got lost; --state WORD
  --from DAY --to DAY   the days of the report, both included, such as 2026-06-01
  --time-zone ZONE      the account's, such as America/New_York; --orders-time-zone ZONE for yours
  --tolerance AMOUNT    the difference that amounts may have (0.00)
  --keys LIST           the keys that rows are matched by (uniqueId,orderId,clickId)
  --status WORD=CAKE    CAKE's word for one of yours, such as paid=approved; may be repeated
  --column ROLE=NAME    a column's name, such as uniqueId=Order; may be repeated
  --revenue COLUMN      the amount that you owe; --revenue-percent 10 where it is a percentage of that column
  --delimiter --decimal --group --dates --encoding --units --id-prefix --cake-id-prefix --currency
                        how the orders' file is written; docs/report.md lists the words
  --cake-dates FORMAT   how days are written in CAKE's file, where they do not begin with their year
  --test-orders         count the shop's test orders too
  --csv FILE            all rows for a spreadsheet; --machine-csv FILE byte by byte
  --html FILE           a page with plots, to read and to print
  --corrections FILE    the file for CAKE's reconciliation tool; --upload FILE the bulk upload of missing conversions
  --offer ID            the offer of orders that name none
  --cap-rows N --cap-amount AMOUNT --journal FILE --dry-run
                        limits for corrections; the journal keeps a rerun from writing anything twice
  --explain             show how each column was read, with three rows of each file
  --max-bad N           unreadable rows that are accepted (0); with more, no correction is written
  --max-keyless N       CAKE's rows without a key that are accepted (0); with more, no sale that may be one is uploaded
  --memory SIZE --part I/N
                        for files that do not fit into memory: read the same files once for each part
  --json                counts and sums as JSON

Examples:
  cake-edge report --orders june.csv --dialect shopify --status paid=approved --status refunded=reversed \\
    --conversions 'pages/*.json' --from 2026-06-01 --to 2026-06-30 --html june.html --csv june-rows.csv
  CAKE_API_KEY=… cake-edge report --orders june.csv --conversions live --save pages \\
    --base-url https://yourdomain.cakemarketing.com --from 2026-06-01 --to 2026-06-30

Documentation: node_modules/cake-edge/docs/report.md`;

const TEXTS = [
  "dialect",
  "base-url",
  "save",
  "state",
  "from",
  "to",
  "time-zone",
  "orders-time-zone",
  "tolerance",
  "keys",
  "revenue",
  "revenue-percent",
  "delimiter",
  "decimal",
  "group",
  "dates",
  "encoding",
  "units",
  "id-prefix",
  "cake-id-prefix",
  "cake-dates",
  "currency",
  "csv",
  "machine-csv",
  "html",
  "corrections",
  "upload",
  "offer",
  "cap-rows",
  "cap-amount",
  "journal",
  "max-bad",
  "max-keyless",
  "memory",
  "part",
] as const;
const LISTS = ["orders", "conversions", "deliveries", "status", "column"] as const;
const FLAGS = ["test-orders", "dry-run", "explain", "json"] as const;

/** The option behind a parameter of the library, where they differ by more than two dashes. */
const OPTIONS_OF: { readonly [parameter: string]: string } = {
  timeZone: "time-zone",
  ordersTimeZone: "orders-time-zone",
  statuses: "status",
  columns: "column",
  baseUrl: "base-url",
  offerId: "offer",
  "revenue.of": "revenue",
  "revenue.percent": "revenue-percent",
  "cap.amount": "cap-amount",
  idPrefix: "id-prefix",
  cakeIdPrefix: "cake-id-prefix",
  testOrders: "test-orders",
};

/** The options of a file that the command has for the orders alone. */
const OF_ORDERS: ReadonlySet<string> = new Set(["decimal", "group", "encoding", "units", "columns", "delimiter"]);

/** The kind of the file that an error is about, where it is not the orders'. */
const kindOf = new WeakMap<object, "conversions" | "deliveries">();

/** Words for marks that a shell would take for its own. */
const MARKS: { readonly [word: string]: string } = { tab: "\t", semicolon: ";", comma: ",", pipe: "|", point: "." };

type Values = Partial<Record<(typeof TEXTS)[number], string>> &
  Partial<Record<(typeof LISTS)[number], string[]>> &
  Partial<Record<(typeof FLAGS)[number], boolean>>;

/** Makes the report, and returns the exit status. */
export async function report(args: string[]): Promise<number> {
  let values: Values;
  try {
    values = readValues(args);
  } catch (error) {
    return fail(error, 2);
  }
  let opened: Awaited<ReturnType<typeof openReport>>;
  try {
    opened = await openReport(reportOptions(values));
  } catch (error) {
    return fail(error, 2);
  }
  using current = opened;
  try {
    await addFiles(current, values);
    if (values.explain) console.error(explain(current));
    const result = await current.reconcile({ onProgress: progress("matching") });
    say("");
    writeOutputs(result, values);
    console.log(values.json ? JSON.stringify({ ...pick(result), isClean: result.isClean }) : table(result));
    if (result.unreadable > Number(values["max-bad"] ?? 0)) {
      for (const { unreadable, reasons } of result.rows({ classes: ["unreadable"] })) {
        const { file, line, row } = unreadable ?? {};
        console.error(
          `unreadable: ${file ?? unreadable?.of ?? ""} ${line === undefined ? `row ${row}` : `line ${line}`}: ${reasons.join()}: ${unreadable?.text ?? ""}`,
        );
      }
      return 3;
    }
    return result.isClean ? 0 : 1;
  } catch (error) {
    say("");
    return fail(error, exitOf(error));
  }
}

function fail(error: unknown, status: number): number {
  if (!(error instanceof UsageError || isCakeError(error) || isFileError(error))) throw error;
  const sentence = sentenceOf(error as Error);
  const name = isCakeError(error) ? (error.parameter ?? "") : "";
  const option = findOption(name, error);
  const isSubject = option !== undefined && sentence.startsWith(name);
  const told = isSubject ? `--${option}${sentence.slice(name.length)}` : sentence;
  console.error(`cake-edge report: ${withOptions(told, error)}`);
  return error instanceof UsageError ? error.status : status;
}

/** The option behind a parameter of the library. A file of CAKE's or the forwarder's has few. */
function findOption(parameter: string, error: unknown): string | undefined {
  const kind = kindOf.get(error as object);
  if (kind !== undefined && OF_ORDERS.has(parameter)) return undefined;
  if (kind !== undefined && parameter === "dates") return kind === "conversions" ? "cake-dates" : undefined;
  const name = OPTIONS_OF[parameter] ?? parameter;
  return [...TEXTS, ...LISTS].find((option) => option === name);
}

/** A sentence of the library with the command's options: `--time-zone` for `timeZone`. */
function withOptions(sentence: string, error: unknown): string {
  return sentence.replace(/`(\w+)`/g, (given, name: string) => {
    const option = findOption(name, error);
    return option === undefined ? given : `--${option}`;
  });
}

function isFileError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

function exitOf(error: unknown): number {
  if (!isCakeError(error)) return 3;
  const isOfFile = ["ambiguous_file", "unreadable_file", "unmapped_status", "report_full", "clocks_differ"];
  return isOfFile.includes(error.code) ? 3 : (endingOf(error)?.status ?? 4);
}

function readValues(args: string[]): Values {
  const options: { [name: string]: OptionType } = Object.fromEntries([
    ...TEXTS.map((name) => [name, { type: "string" }] as const),
    ...LISTS.map((name) => [name, { type: "string", multiple: true }] as const),
    ...FLAGS.map((name) => [name, { type: "boolean" }] as const),
  ]);
  const values = readArgs(args, options, "cake-edge report --help") as Values;
  if (values.orders === undefined) throw new UsageError("--orders is missing: the file of your orders");
  if (values.conversions === undefined)
    throw new UsageError("--conversions is missing: files of CAKE's conversions, or live");
  if (values.conversions.includes("live") && values.save === undefined) {
    throw new UsageError("--conversions live needs --save, and --base-url where the pages are not there yet");
  }
  for (const name of ["max-bad", "max-keyless", "cap-rows"] as const) integerIn(name, values[name] ?? "0", 0);
  const [index = 0, count = 0] = values.part?.split("/").map(Number) ?? [];
  if (values.part !== undefined && !(/^\d+\/\d+$/.test(values.part) && index >= 1 && index <= count)) {
    throw new UsageError("--part must be the part and the number of parts, such as 1/4");
  }
  checkOutputs(values);
  checkPages(filesOf(values.orders));
  const kept = values.conversions.filter((given) => given !== "live");
  checkPages(filesOf(kept), kept.length === values.conversions.length ? values : undefined);
  return values;
}

function pairs(name: string, list: readonly string[] | undefined): Record<string, string> {
  const found = new Map<string, string>();
  for (const item of list ?? []) {
    const at = item.indexOf("=");
    if (at < 1) throw new UsageError(`--${name} must be a pair such as a=b, not ${JSON.stringify(item)}`);
    const [key, value] = [item.slice(0, at), item.slice(at + 1)];
    const known = found.get(key);
    if (known !== undefined && known !== value) {
      throw new UsageError(`--${name} gives ${key} two meanings, ${known} and ${value}: choose one`);
    }
    found.set(key, value);
  }
  return Object.fromEntries(found);
}

function defined<T extends object>(given: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}

function reportOptions(values: Values): ReportOptions {
  return defined({
    from: values.from,
    to: values.to,
    timeZone: values["time-zone"],
    ordersTimeZone: values["orders-time-zone"],
    tolerance: values.tolerance,
    keys: values.keys?.split(",") as ReportOptions["keys"],
    statuses: values.status === undefined ? undefined : pairs("status", values.status),
    currency: values.currency,
    memory: values.memory,
    part: values.part?.split("/").map(Number) as unknown as ReportOptions["part"],
  });
}

function mark(given: string | undefined): string | undefined {
  return given !== undefined && Object.hasOwn(MARKS, given) ? MARKS[given] : given;
}

function ordersOptions(values: Values): SourceOptions & { revenue?: ReportOptions["revenue"] } {
  const percent = values["revenue-percent"];
  if (percent !== undefined && values.revenue === undefined) {
    throw new UsageError("--revenue-percent goes with --revenue, the column that it is a percentage of");
  }
  return defined({
    dialect: values.dialect as SourceOptions["dialect"],
    delimiter: mark(values.delimiter) as SourceOptions["delimiter"],
    decimal: mark(values.decimal) as SourceOptions["decimal"],
    group: mark(values.group) as SourceOptions["group"],
    dates: values.dates as SourceOptions["dates"],
    encoding: values.encoding as SourceOptions["encoding"],
    units: values.units as SourceOptions["units"],
    idPrefix: values["id-prefix"],
    cakeIdPrefix: values["cake-id-prefix"],
    testOrders: values["test-orders"],
    columns:
      values.column === undefined ? undefined : (pairs("column", values.column) as Partial<Record<Role, string>>),
    revenue: percent === undefined ? values.revenue : { percent, of: values.revenue ?? "" },
  });
}

async function addFiles(current: Report, values: Values): Promise<void> {
  for (const file of filesOf(values.orders)) {
    await current.addOrders(file, {
      name: basename(file),
      onProgress: progress(basename(file)),
      ...ordersOptions(values),
    });
  }
  const pages: string[] = [];
  for (const given of values.conversions ?? []) {
    pages.push(...(given === "live" ? await readPages("conversions", liveOptions(values)) : filesOf([given])));
  }
  checkOneAccount(pages);
  const readAt = readUntil(pages, values);
  for (const file of inReadingOrder(pages)) {
    const name = basename(file);
    const options = { name, readAt, covers: daysOf(file), dates: values["cake-dates"], onProgress: progress(name) };
    const added = current.addConversions(file, defined(options) as SourceOptions);
    const { rounded } = await ofKind("conversions", added);
    if (rounded) console.error(`${name}: ${rounded} amounts of more than four decimal places are rounded to four`);
  }
  for (const file of filesOf(values.deliveries)) {
    const options = defined({ name: basename(file), state: values.state }) as SourceOptions;
    await ofKind("deliveries", current.addDeliveries(file, options));
  }
}

/** Notes the kind of the file that an error is about. */
async function ofKind<Added>(kind: "conversions" | "deliveries", added: Promise<Added>): Promise<Added> {
  try {
    return await added;
  } catch (error) {
    if (isCakeError(error)) kindOf.set(error, kind);
    throw error;
  }
}

function liveOptions(values: Values) {
  if (values.from === undefined || values.to === undefined)
    throw new UsageError("--conversions live needs --from and --to");
  return {
    baseUrl: values["base-url"],
    from: values.from,
    to: values.to,
    folder: values.save ?? "",
    onRows: (rows: number) => say(`conversions: ${rows.toLocaleString("en")} rows`),
  };
}

function writeOutputs(result: ReportResult, values: Values): void {
  const write = (file: string | undefined, parts: () => Iterable<string>) => {
    if (file === undefined) return;
    const place = placeOf(file);
    writeFileSync(place, "");
    for (const part of parts()) appendFileSync(place, part);
  };
  write(values.csv, () => result.csv());
  write(values["machine-csv"], () => result.csv({ for: "machines" }));
  write(values.html, () => result.html({ title: `Reconciliation ${values.from ?? ""} ${values.to ?? ""}`.trim() }));
  const { journal } = values;
  const isDry = values["dry-run"] === true;
  const files = [values.corrections, values.upload].filter((file) => file !== undefined);
  if (files.length > 0) checkOtherParts(files, journal, isDry);
  for (const kind of ["corrections", "upload"] as const) {
    const file = values[kind];
    if (file !== undefined) finishCorrections(kind, file, journal, isDry);
  }
  const written = readJournal(journal);
  for (const kind of ["corrections", "upload"] as const) {
    const file = values[kind];
    if (file === undefined) continue;
    const corrections = result.corrections({
      file: kind === "upload" ? "upload" : "reconciliation",
      ...(values.offer === undefined ? {} : { offerId: values.offer }),
      cap: defined({
        rows: values["cap-rows"] === undefined ? undefined : Number(values["cap-rows"]),
        amount: values["cap-amount"],
      }),
      maxUnreadable: Number(values["max-bad"] ?? 0),
      maxKeyless: Number(values["max-keyless"] ?? 0),
      journal: written,
    });
    const { lines, amount, repeated, capped, skipped } = corrections;
    const left = Object.entries(skipped).map(([reason, count]) => `, ${count} left out: ${reason}`);
    console.error(
      `${kind}: ${lines} lines, ${amount}${repeated > 0 ? `, ${repeated} written before` : ""}${capped > 0 ? `, ${capped} above the cap` : ""}${left.join("")}${isDry ? " (dry run: nothing is written)" : ""}`,
    );
    if (!isDry) writeCorrections(kind, file, corrections, journal);
  }
}

/** No output may be one of the files that are read, or another output. */
function checkOutputs(values: Values): void {
  const pages = (values.conversions ?? []).filter((given) => given !== "live");
  const taken: [string, string][] = [
    ...filesOf(values.orders).map((file): [string, string] => ["--orders", file]),
    ...filesOf(pages).map((file): [string, string] => ["--conversions", file]),
    ...filesOf(values.deliveries).map((file): [string, string] => ["--deliveries", file]),
  ];
  for (const name of ["csv", "machine-csv", "html", "corrections", "upload", "journal"] as const) {
    const file = values[name];
    if (file === undefined) continue;
    if (file === "-") throw new UsageError(`--${name} writes a file, not standard output: name one`);
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
      throw new UsageError(`--${name} ${file} is a folder: name a file in it`);
    }
    const place = placeOf(file);
    const folder = typeof place === "string" ? dirname(place) : undefined;
    if (folder !== undefined && statSync(resolve(folder), { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new UsageError(`--${name} ${file} cannot be written, because there is no folder ${folder}: make it first`);
    }
    const other = taken.find(([, known]) => isSameFile(known, file));
    if (other !== undefined) throw new UsageError(`--${name} is the file of ${other[0]}: name another one`);
    taken.push([`--${name}`, file]);
  }
}

function explain(current: Report): string {
  return current
    .understood()
    .map((source) => {
      const columns = source.columns?.map(
        ({ name, role }) => `    ${name}${role === undefined ? ": not read" : ` → ${role}`}`,
      );
      const facts = [
        source.dialect,
        source.format,
        source.delimiter && `delimiter ${source.delimiter}`,
        source.encoding,
        `${source.units} units`,
        source.decimal && `decimal ${source.decimal}`,
        `dates ${source.dates}`,
      ];
      return [
        `${source.name ?? source.kind} (${source.kind}): ${facts.filter(Boolean).join(", ")}; ${source.rows} rows, ${source.unreadable} unreadable, ${source.lineItems} line items${source.testOrders === undefined ? "" : `, ${source.testOrders} test orders that do not count`}`,
        ...(columns ?? []),
        ...source.samples.map((sample) => `  ${JSON.stringify(sample)}`),
      ].join("\n");
    })
    .join("\n");
}

function pick({ orders, conversions, unreadable, hints, lacksHints, classes }: ReportResult) {
  return { orders, conversions, unreadable, hints, lacksHints, classes };
}

function table(result: ReportResult): string {
  const head = ["class", "currency", "orders", "conversions", "revenue, orders", "revenue, CAKE", "payout, CAKE"];
  const lines = result.classes.map((sums) => [
    sums.class,
    sums.currency ?? "",
    String(sums.orders),
    String(sums.conversions),
    sums.orderRevenue,
    sums.revenue,
    sums.payout,
  ]);
  const widths = head.map((name, column) => Math.max(name.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const write = (line: readonly string[]) =>
    line
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
  const near = `${result.hints} unmatched pairs have nearly the same key: see would_match in the CSV`;
  const lacks = "near misses were not searched, because the memory did not suffice: raise --memory";
  const hints = result.lacksHints ? `\n${lacks}` : result.hints > 0 ? `\n${near}` : "";
  return `${[head, ...lines].map(write).join("\n")}\n${result.unreadable} unreadable rows${hints}`;
}

function progress(what: string): ({ done }: { readonly done: number }) => void {
  return ({ done }) =>
    say(done <= 1 ? `${what}: ${Math.round(done * 100)} %` : `${what}: ${Math.round(done / 1e6)} MB`);
}

/** Writes one line of a terminal over the last one. */
function say(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
