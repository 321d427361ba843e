/** A list of CAKE's API, row by row or page by page. */
import { abortedError, call } from "../error.js";
import { checkNames, copyOf, hookOption, integerOption, limitArguments, signalOption } from "../option.js";
import type { CallOptions } from "./call-options.js";
import { clientCore } from "./core.js";

/** One page of a list. */
export interface Page<Row> {
  /** The rows, in CAKE's order. */
  readonly rows: readonly Row[];
  /** The number of rows in all, if CAKE returns it. */
  readonly totalRows?: number | undefined;
}

/** The progress of reading a list. */
export interface ListProgress {
  /** The number of rows read, each counted once. */
  readonly rows: number;
  /** The number of rows in all, if CAKE returns it; it may change while you read. */
  readonly totalRows?: number | undefined;
  /** The number of pages read. */
  readonly pages: number;
}

/** The options of reading a list. */
export interface ListOptions extends CallOptions {
  /** The most rows to read. @default all */
  readonly maxRows?: number | undefined;
  /** Is called with the progress after each page. Its errors are ignored. */
  readonly onPage?: ((progress: ListProgress) => void) | undefined;
}

/**
 * A list of CAKE's API. Iterating reads page after page and holds one at a time. Each row with an id comes once, even
 * if rows are added meanwhile or `start_at_row` counts from 1. Where different rows of one page have one id, it tells
 * none apart, and all of them come. Nothing is sent before the first row or page is asked for.
 *
 * @example
 * for await (const click of cake.listClicks({ startDate: "2026-01-01", endDate: "2026-01-31" })) {
 *   console.log(click.clickId);
 * }
 */
export interface List<Row> extends AsyncIterable<Row> {
  /**
   * One page: the rows from `startAtRow`, at most `rowLimit`.
   * @throws CakeError `invalid_field`, `invalid_id`, and those of the network and of answers
   */
  page(): Promise<Page<Row>>;
  /**
   * Every page as CAKE sent it, in UTF-8, for callers that parse the rows themselves. Pages may overlap if the list
   * changes while it is read.
   * @throws CakeError as {@link List.page}
   */
  bytes(): AsyncIterable<Uint8Array>;
}

/** The parameters that paging sets. */
export interface RowRange {
  /** The first row. CAKE counts from 0. @default 0 */
  readonly startAtRow?: number | undefined;
  /**
   * The most rows of a page.
   * @default 100 for `page()`, by CAKE; iterating asks for 1,000 clicks, or 500 conversions
   */
  readonly rowLimit?: number | undefined;
}

/** A fetched page: its rows, and the answer's text. */
export interface FetchedPage<Row> extends Page<Row> {
  /** The places, from 0, of entries that are no row. */
  readonly gaps?: readonly number[] | undefined;
  /** The answer's text, as CAKE sent it. */
  readonly body: string;
}

/** The parts in which lists differ. */
interface ListDeps<Row> {
  readonly params: RowRange;
  readonly options: ListOptions | undefined;
  /** The rows of a page by default; then the most that are allowed. */
  readonly pageRows: number;
  readonly maxPageRows: number;
  /** The id that tells two rows apart, if CAKE returns one. */
  idOf(row: Row): string | number | undefined;
  fetchPage(params: RowRange, options: ListOptions | undefined): Promise<FetchedPage<Row>>;
  /** Is told where a list has ended before the number of rows that CAKE says it has. */
  reportMissing(rows: number, totalRows: number): void;
}

/** The number of last rows' ids to remember, so that repeated rows are skipped. */
const MAX_KNOWN_IDS = 100_000;

const OPTIONS = ["signal", "timeoutMs", "retries", "maxRows", "onPage"];

/** Makes a list from a function that fetches one page. It keeps copies: a list may be read long after it was made. */
export function createList<Row>(given: ListDeps<Row>): List<Row> {
  const deps = { ...given, params: copyOf(given.params), options: copyOf(given.options) };
  const list: List<Row> = {
    async page() {
      checkNames("options", deps.options, OPTIONS);
      const { rows, totalRows } = await deps.fetchPage(deps.params, deps.options);
      return { rows, totalRows };
    },
    async *bytes() {
      for await (const { body } of pages(deps)) yield new TextEncoder().encode(body);
    },
    async *[Symbol.asyncIterator]() {
      for await (const { fresh } of pages(deps)) {
        for (const row of fresh) {
          if (deps.options?.signal?.aborted) throw abortedError();
          yield row;
        }
      }
    },
  };
  return limitArguments(limitArguments(list, { bytes: 0 }), { page: 0 }, "async");
}

/** The pages of a list: each page's new rows, and its text. */
async function* pages<Row>({
  params,
  options: given,
  pageRows,
  maxPageRows,
  idOf,
  fetchPage,
  reportMissing,
}: ListDeps<Row>): AsyncGenerator<{ readonly fresh: readonly Row[]; readonly body: string }, void, undefined> {
  checkNames("options", given, OPTIONS);
  const options = given ?? {};
  const onPage = hookOption("onPage", options.onPage);
  signalOption(options.signal);
  const startAtRow = integerOption("startAtRow", params?.startAtRow, 0, Number.MAX_SAFE_INTEGER) ?? 0;
  const rowLimit = integerOption("rowLimit", params?.rowLimit, 1, maxPageRows) ?? pageRows;
  const maxRows = integerOption("maxRows", options.maxRows, 0, Number.MAX_SAFE_INTEGER);
  const known = new Set<string | number>();
  const pager = new (clientCore.api().Pager)(startAtRow, rowLimit, maxRows);
  // An id of two rows of one page tells none apart: whatever the account writes for "none".
  const shared = new Set<string | number>();
  let read = 0;
  let gapCount = 0;
  // The position after the last read row, and the last page's text: rows without an id are recognised by these.
  let [end, last] = [startAtRow, ""];
  // Rows of a page that equals the one before. If another page follows, they are rows with the same content. Otherwise
  // the server ignored `start_at_row`.
  let held: (Row | undefined)[] = [];
  try {
    for (let count = 1; ; count += 1) {
      const range: RowRange | undefined = call(() => pager.next());
      if (range === undefined) {
        const length: number | undefined = pager.unlisted(read + gapCount);
        if (length !== undefined) reportMissing(read, length);
        return;
      }
      const { rows: listed, gaps, totalRows, body } = await fetchPage({ ...params, ...range }, given);
      const left = (maxRows ?? Number.POSITIVE_INFINITY) - read;
      const { rows, ids } = tellingIds(withGaps(listed, gaps), idOf, shared);
      const start = range.startAtRow ?? 0;
      const isRepeated = rows.length > 0 && body === last;
      const isSame = isRepeated && !(totalRows !== undefined && totalRows > read);
      const isKnown = ids.map((id, index) => (id === undefined ? start + index < end : known.has(id)));
      // Within one page all rows without an id count, even equal ones.
      const found = rows.filter((_, index) => isKnown[index] === false);
      if (isSame) held.push(...found);
      const unread = isSame ? [] : found;
      const lastKnown = isSame ? rows.length - 1 : isKnown.lastIndexOf(true);
      // If rows in between were missed, the page is requested again from an earlier row.
      const newGaps = unread.filter(isGap).length;
      const counts = [rows.length, unread.length, newGaps] as const;
      const isTaken = pager.read(...counts, lastKnown < 0 ? undefined : lastKnown, totalRows, isRepeated);
      const taken = isTaken && !isSame ? [...held, ...unread] : [];
      const fresh = taken.filter((row) => !isGap(row)).slice(0, left) as Row[];
      gapCount += taken.filter(isGap).length;
      if (isTaken && !isSame) held = [];
      if (isTaken) {
        for (const id of ids) if (id !== undefined) known.add(id);
        end = Math.max(end, start + rows.length);
        last = body;
      }
      for (const key of known) {
        if (known.size <= MAX_KNOWN_IDS) break;
        known.delete(key);
      }
      read += fresh.length;
      onPage?.({ rows: read, totalRows, pages: count });
      if (isTaken) yield { fresh, body };
    }
  } finally {
    pager.free();
  }
}

function isGap(row: unknown): boolean {
  return row === undefined;
}

/** The rows with `undefined` in each gap: a page is asked for by its first entry's place. */
function withGaps<Row>(rows: readonly Row[], gaps: readonly number[] = []): (Row | undefined)[] {
  const all: (Row | undefined)[] = [...rows];
  for (const at of gaps) all.splice(at, 0, undefined);
  return all;
}

/**
 * The ids without those that name nothing, and without those that different rows of a page have, which are added to
 * `shared`. A row that is there twice, to the last field, is a gap the second time.
 */
function tellingIds<Row>(
  page: readonly (Row | undefined)[],
  idOf: (row: Row) => string | number | undefined,
  shared: Set<string | number>,
) {
  const core = clientCore.api();
  const seen = new Map<string | number, Row>();
  const all = page.map((row) => {
    const id = row && idOf(row);
    if (row === undefined || id === undefined) return { row };
    const before = seen.get(id);
    if (before === undefined) seen.set(id, row);
    if (core.namesNothing(`${id}`)) shared.add(id);
    else if (before !== undefined) {
      if (JSON.stringify(before) === JSON.stringify(row)) return { row: undefined };
      shared.add(id);
    }
    return { row, id };
  });
  return {
    rows: all.map(({ row }) => row),
    ids: all.map(({ id }) => (id === undefined || shared.has(id) ? undefined : id)),
  };
}
