/** The report: the object that a caller uses. */
import { CakeError } from "../error.js";
import {
  checkNames,
  checkNoMore,
  checkRecord,
  choice,
  copyOf,
  hookOption,
  integerOption,
  limitArguments,
  refuse,
  signalOption,
  stringOption,
  textsOption,
} from "../option.js";
import { bytesOf, Command, Core, MAX_MEMORY } from "./core.js";
import { correctionsOf } from "./corrections.js";
import { csvOf, Output } from "./csv.js";
import { htmlOf } from "./html.js";
import { entriesOf, journeyLines, line, modelLine, SOURCE_OPTIONS, sourceLines } from "./lines.js";
import {
  AGREED,
  type AttributeOptions,
  type Attribution,
  type BreakDown,
  type BreakDownOptions,
  type ClassSums,
  type CorrectionOptions,
  type Corrections,
  type Dimension,
  type OwnDimension,
  type PairSums,
  type ReportOptions,
  type ReportProgress,
  type ReportRow,
  type ReportSource,
  ROW_CLASSES,
  type RowClass,
  type SourceOptions,
  type Understood,
} from "./options.js";
import { checkSignal, Feeder, turn } from "./source.js";
import { offsetsOf } from "./zone.js";

const OPTIONS = [
  "from",
  "to",
  "timeZone",
  "ordersTimeZone",
  "tolerance",
  "keys",
  "statuses",
  "currency",
  "prefer",
  "memory",
  "part",
  "revenue",
];

/** The time that the core works before it yields to the event loop. */
const WORK_MS = 40;

/**
 * Opens a report.
 *
 * @throws CakeError `invalid_field`, `invalid_time`, `invalid_money` name the option
 * @example
 * using report = await openReport({ from: "2026-06-01", to: "2026-06-30" });
 * await report.addOrders(orders, { dialect: "shopify" });
 * await report.addConversions(pages);
 * const result = await report.reconcile();
 */
export async function openReport(options?: ReportOptions): Promise<Report & Disposing>;
export async function openReport(given?: ReportOptions, ...more: unknown[]): Promise<Report & Disposing> {
  checkNoMore("openReport", 1, more);
  checkNames("options", given, OPTIONS);
  const options = given ?? {};
  // The core starts later, and results show the options.
  const kept = copyOf(options);
  const lines: string[] = [];
  for (const name of ["from", "to", "tolerance", "currency"] as const) {
    if (options[name] !== undefined) lines.push(line(name, stringOption(name, options[name])));
  }
  if (options.keys !== undefined) lines.push(line("keys", textsOption("keys", options.keys).join()));
  if (options.prefer !== undefined) lines.push(`prefer=${choice("prefer", options.prefer, ["approved", "first"])}`);
  for (const [word, mapped] of entriesOf("statuses", options.statuses)) {
    if (/[=\r\n]/.test(word)) refuse("statuses", "must have words without = and line feeds");
    lines.push(line(`status.${word}`, stringOption("statuses", mapped)));
  }
  if (options.part !== undefined) {
    if (!Array.isArray(options.part)) refuse("part", "must be the part and the number of parts, such as [1, 4]");
    lines.push(line("part", options.part.join("/")));
  }
  if (options.ordersTimeZone !== undefined && options.timeZone === undefined) {
    refuse("ordersTimeZone", "goes with `timeZone`, the account's");
  }
  if (options.timeZone !== undefined)
    lines.push(`zone=${offsetsOf("timeZone", stringOption("timeZone", options.timeZone))}`);
  if (options.ordersTimeZone !== undefined) {
    const zone = stringOption("ordersTimeZone", options.ordersTimeZone);
    lines.push(`ordersZone=${offsetsOf("ordersTimeZone", zone)}`);
  }
  lines.push(`memory=${options.memory === undefined ? MAX_MEMORY : bytesOf(options.memory)}`);
  // Who writes a file sees none of this process's numbers. Node would take 4 ms to load its cryptography.
  lines.push(`seed=${Math.floor(Math.random() * 2 ** 53)}`);
  const core = await Core.start();
  core.run(Command.open, lines);
  return new Report(core, kept) as Report & Disposing;
}

/** Rows and their results. Call `dispose` at the end, or open the report with `using`: either frees the memory. */
export class Report {
  #core: Core | undefined;
  readonly #options: ReportOptions;
  #isReading = false;
  /** Reads the present file. */
  #feeder: Feeder | undefined;
  #version = 0;

  /** @internal */
  constructor(core: Core, options: ReportOptions) {
    this.#core = core;
    this.#options = options;
  }

  /**
   * Adds the advertiser's orders. A refused file adds nothing.
   *
   * @throws CakeError `unreadable_file` also for a path that cannot be read; `invalid_field` for a text that is no path
   */
  addOrders(
    source: ReportSource | string | URL,
    options: SourceOptions & { readonly revenue?: ReportOptions["revenue"] | undefined } = {},
  ): Promise<Understood> {
    return this.#add("orders", source, options, this.#options.revenue);
  }

  /** Adds CAKE's conversions: unchanged pages of its API, rows one a line, or its CSV. */
  addConversions(source: ReportSource | string | URL, options: SourceOptions = {}): Promise<Understood> {
    return this.#add("conversions", source, options);
  }

  /** Adds CAKE's clicks. */
  addClicks(source: ReportSource | string | URL, options: SourceOptions = {}): Promise<Understood> {
    return this.#add("clicks", source, options);
  }

  /** Adds the forwarder's export, which explains missing conversions. */
  addDeliveries(source: ReportSource | string | URL, options: SourceOptions = {}): Promise<Understood> {
    return this.#add("deliveries", source, options);
  }

  async #add(
    kind: Understood["kind"],
    source: ReportSource | string | URL,
    given: (SourceOptions & { readonly revenue?: ReportOptions["revenue"] | undefined }) | undefined,
    revenue?: ReportOptions["revenue"],
  ): Promise<Understood> {
    checkNames("options", given, SOURCE_OPTIONS);
    const options: { -readonly [name in keyof SourceOptions]: SourceOptions[name] } & {
      revenue?: ReportOptions["revenue"] | undefined;
    } = { revenue, ...given };
    options.onProgress = hookOption("onProgress", options.onProgress);
    signalOption(options.signal);
    const core = this.#get();
    if (this.#isReading) refuse("source", "must wait: another file is being read");
    const feeder = new Feeder(core, options);
    // This lets go of the source, and leaves the report as it is.
    if (options.signal?.aborted) await feeder.run(source);
    this.#isReading = true;
    this.#feeder = feeder;
    this.#version += 1;
    try {
      core.run(Command.begin, sourceLines(kind, options));
      await feeder.run(source);
      feeder.finish();
      core.run(Command.end);
    } catch (error) {
      core.run(Command.cancel);
      throw error;
    } finally {
      this.#isReading = false;
      this.#feeder = undefined;
    }
    return this.understood().at(-1) as Understood;
  }

  /** How each file's columns and values were understood. */
  understood(): Understood[] {
    return this.#get().ask(Command.understood);
  }

  /** The memory of the report, in bytes. */
  get memoryBytes(): number {
    return this.#get().bytes;
  }

  /**
   * Matches orders and conversions.
   *
   * @throws CakeError `clocks_differ` where they are of two clocks, `ambiguous_file` where currencies are
   *   not certain, `unreadable_file` where pages name a further one, `report_full`, `aborted`
   */
  async reconcile(
    options: {
      readonly signal?: AbortSignal | undefined;
      readonly onProgress?: ((progress: ReportProgress) => void) | undefined;
    } = {},
  ): Promise<ReportResult> {
    checkNames("options", options, ["signal", "onProgress"]);
    const onProgress = hookOption("onProgress", options?.onProgress);
    const signal = signalOption(options?.signal);
    const core = this.#get();
    if (this.#isReading) refuse("report", "is still reading a file: wait for it");
    checkSignal(signal);
    this.#isReading = true;
    try {
      let since = performance.now();
      for (;;) {
        const done = core.run(Command.step);
        if (done >= 1) break;
        if (performance.now() - since < WORK_MS) continue;
        onProgress?.({ done });
        await turn();
        checkSignal(signal);
        if (this.#core === undefined) throw disposedError();
        since = performance.now();
      }
    } catch (error) {
      core.run(Command.stop);
      throw error;
    } finally {
      this.#isReading = false;
    }
    onProgress?.({ done: 1 });
    this.#version += 1;
    const version = this.#version;
    return new ReportResult(() => {
      const now = this.#get();
      if (this.#version !== version) refuse("report", "has changed since this result: call reconcile() again");
      return now;
    }, this.#options);
  }

  /**
   * Breaks clicks and conversions down. A conversion counts in its click's group.
   *
   * @throws CakeError `invalid_field` names the option: `currency` where conversions have several and it names none
   */
  breakDown(options: BreakDownOptions): BreakDown {
    checkRecord("options", options);
    checkNames("options", options, ["by", "unique", "sort", "top", "currency"]);
    if (!Array.isArray(options.by)) refuse("by", "must be a list of dimensions");
    const core = this.#get();
    const own = options.by.filter((dimension): dimension is OwnDimension => typeof dimension === "object");
    const [mine, ...others] = own;
    if (mine !== undefined) {
      checkOwn(mine);
      if (options.by.includes(mine.name)) refuse("name", "is another dimension's name: give this one its own");
    }
    if (others.length > 0) refuse("by", "takes one dimension of your own");
    const lines = [`by=${options.by.map((dimension) => (typeof dimension === "object" ? "own" : dimension)).join()}`];
    if (options.unique !== undefined) lines.push(line("unique", options.unique));
    if (options.sort !== undefined) lines.push(line("sort", options.sort));
    if (options.currency !== undefined) lines.push(line("currency", stringOption("currency", options.currency)));
    if (options.top !== undefined) {
      lines.push(`top=${integerOption("top", options.top, 1, Number.MAX_SAFE_INTEGER)}`);
    }
    if (mine !== undefined) {
      const values: Record<string, string>[] = core.ask(Command.values, [`by=${mine.of.join()}`]);
      lines.push(`own=${mine.of.join()}`);
      for (const value of values)
        lines.push(line("label", stringOption("label", mine.label(value)).replace(/[\r\n]/g, " ")));
    }
    const answer: BreakDown = core.ask(Command.breakDown, lines);
    if (mine === undefined) return answer;
    const rename = ({ own: label, ...key }: Record<string, string>) => ({ ...key, [mine.name]: label ?? "" });
    return { ...answer, groups: answer.groups.map((group) => ({ ...group, key: rename(group.key) })) };
  }

  /** Splits the credit for the sales, by one model or several. @throws CakeError as {@link breakDown} */
  attribute(options: AttributeOptions): Attribution {
    checkRecord("options", options);
    checkNames("options", options, ["models", "journeys", "key", "channel", "include", "currency"]);
    if (!Array.isArray(options.models) || options.models.length === 0)
      refuse("models", "must be a list of one model or more");
    const lines = options.models.map(modelLine);
    for (const status of textsOption("include", options.include ?? [])) lines.push(line("include", status));
    if (options.currency !== undefined) lines.push(line("currency", stringOption("currency", options.currency)));
    if (options.journeys === undefined) {
      lines.push(line("key", options.key ?? "address"), line("channel", options.channel ?? "affiliate"));
    } else {
      for (const journey of journeyLines(options.journeys)) lines.push(journey);
    }
    return this.#get().ask(Command.attribute, lines);
  }

  /** Frees the rows. The report cannot be used afterwards; reading a file and matching end as `aborted`. */
  dispose(): void {
    this.#core = undefined;
    this.#feeder?.abort(disposedError());
  }

  #get(): Core {
    return this.#core ?? refuse("report", "has been disposed of: open another");
  }
}

function disposedError(): CakeError {
  return new CakeError({ code: "aborted", rule: "the report has been disposed of" });
}

/** The type that `using` needs, where the project's `lib` has it; elsewhere the types must not name the symbol. */
export type Disposing = typeof Symbol extends { readonly dispose: infer Name extends symbol }
  ? Record<Name, () => void>
  : unknown;

limitArguments(
  Report.prototype,
  { addOrders: 2, addConversions: 2, addClicks: 2, addDeliveries: 2, reconcile: 1 },
  "async",
);
function checkOwn(dimension: OwnDimension): void {
  checkRecord("by", dimension);
  checkNames("by", dimension, ["name", "of", "label"]);
  if (!Array.isArray(dimension.of) || !dimension.of[0]) refuse("of", "must be a list of one dimension or more");
  if (typeof dimension.label !== "function") refuse("label", "must be a function");
}

limitArguments(Report.prototype, { understood: 0, breakDown: 1, attribute: 1, dispose: 0 });

if (Symbol.dispose !== undefined) {
  Object.defineProperty(Report.prototype, Symbol.dispose, { value: Report.prototype.dispose });
}

/** The rows to list. */
export interface RowOptions {
  /** @default all of them */
  readonly classes?: readonly RowClass[] | undefined;
}

/** The options of a result as CSV. */
export interface CsvOptions extends RowOptions {
  /**
   * For people, a cell that a spreadsheet would read as a formula is made safe, and a byte order mark declares UTF-8.
   * For machines, every id and amount stays unchanged.
   * @default "people"
   */
  readonly for?: "people" | "machines" | undefined;
}

/** The result of a reconciliation. */
export class ReportResult {
  readonly #core: () => Core;
  readonly #options: ReportOptions;
  /** Counts and exact sums of each class, by currency. */
  readonly classes: readonly ClassSums[];
  /** The number of orders and conversions, including those that were read twice. */
  readonly orders: number;
  readonly conversions: number;
  /** The number of unreadable rows; {@link rows} lists them with their reasons. */
  readonly unreadable: number;
  /** The number of pairs of unmatched rows with nearly the same key. */
  readonly hints: number;
  /** The search for near misses was skipped: the memory did not suffice, and no upload is written. */
  readonly lacksHints: boolean;

  /** @internal */
  constructor(core: () => Core, options: ReportOptions) {
    this.#core = core;
    this.#options = options;
    const answer: Pick<ReportResult, "classes" | "orders" | "conversions" | "unreadable" | "hints" | "lacksHints"> =
      core().ask(Command.result);
    this.classes = answer.classes;
    this.orders = answer.orders;
    this.conversions = answer.conversions;
    this.unreadable = answer.unreadable;
    this.hints = answer.hints;
    this.lacksHints = answer.lacksHints;
  }

  /** Orders and conversions of each class, over all currencies. */
  get counts(): Readonly<Record<RowClass, { readonly orders: number; readonly conversions: number }>> {
    const counts = Object.fromEntries(ROW_CLASSES.map((name) => [name, { orders: 0, conversions: 0 }]));
    for (const { class: name, orders, conversions } of this.classes) {
      const count = counts[name];
      if (count === undefined) continue;
      count.orders += orders;
      count.conversions += conversions;
    }
    return counts as Record<RowClass, { orders: number; conversions: number }>;
  }

  /** Is the result free of differences? */
  get isClean(): boolean {
    return this.unreadable === 0 && this.classes.every((sums) => AGREED.includes(sums.class));
  }

  /** Counts and sums by offer and affiliate. An order counts under its conversion's offer, or without one its own. */
  byOfferAffiliate(): PairSums[] {
    return this.#core().ask(Command.byPair);
  }

  /** Rows, loaded page by page: orders with their conversions first, in the order of the files. */
  *rows(given?: RowOptions): Generator<ReportRow, void, undefined> {
    const options = given ?? {};
    checkNames("options", options, ["classes"]);
    let cursor: string | undefined;
    do {
      const answer: { rows: ReportRow[]; cursor?: string } = this.#core().ask(Command.rows, [
        "limit=500",
        ...(options.classes === undefined ? [] : [line("classes", textsOption("classes", options.classes).join())]),
        ...(cursor === undefined ? [] : [`cursor=${cursor}`]),
      ]);
      yield* answer.rows;
      cursor = answer.cursor;
    } while (cursor !== undefined);
  }

  /** The rows as CSV. */
  csv(options: CsvOptions = {}): Output {
    checkNames("options", options, ["classes", "for"]);
    const isForPeople = (choice("for", options.for, ["people", "machines"]) ?? "people") === "people";
    const classes = options.classes === undefined ? {} : { classes: options.classes };
    return new Output(() => csvOf(this.rows(classes), isForPeople));
  }

  /** A self-contained HTML page with plots, for screen and print. */
  html(options: { readonly title?: string | undefined; readonly maxRows?: number | undefined } = {}): Output {
    checkNames("options", options, ["title", "maxRows"]);
    const understood: Understood[] = this.#core().ask(Command.understood);
    return new Output(() => htmlOf(this, this.#options, understood, options));
  }

  /** The corrections for CAKE, as the file that CAKE imports. Nothing is sent. */
  corrections(options: CorrectionOptions = {}): Corrections {
    checkNames("options", options, ["file", "cap", "offerId", "reject", "maxUnreadable", "maxKeyless", "journal"]);
    checkNames("cap", options.cap, ["rows", "amount"]);
    return correctionsOf(this.#core(), options);
  }
}

limitArguments(ReportResult.prototype, { byOfferAffiliate: 0, rows: 1, csv: 1, html: 1, corrections: 1 });

export type { Dimension };
export { CakeError };
