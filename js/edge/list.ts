/** A list of CAKE's, row by row or page by page. */
import { CakeError, call } from "../error.js";
import { checkNames, functionOption, integerOption, limitArguments } from "../option.js";
import type { CallOptions } from "./call-options.js";
import { clientCore } from "./core.js";

/** One page of a list. */
export interface Page<Row> {
  /** The rows, in CAKE's order. */
  readonly rows: readonly Row[];
  /** How many rows there are in all, where CAKE tells it. */
  readonly totalRows?: number | undefined;
}

/** How far the reading of a list has come. */
export interface ListProgress {
  /** How many rows have been read, each counted once. */
  readonly rows: number;
  /** How many there are in all, where CAKE tells it; it may change while you read. */
  readonly totalRows?: number | undefined;
  /** How many pages that took. */
  readonly pages: number;
}

/** How to read a list. */
export interface ListOptions extends CallOptions {
  /** Stop after so many rows. @default all */
  readonly maxRows?: number;
  /** Is told after each page how far the reading has come. */
  readonly onPage?: (progress: ListProgress) => void;
}

/**
 * A list of CAKE's. Iterating reads page after page and holds one at a time;
 * each row that has an id comes once, also where rows arrive meanwhile or `start_at_row`
 * counts from 1. Nothing is sent before the first row or page is asked for.
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
   * Every page as CAKE sent it, in UTF-8: for whoever reads the rows elsewhere.
   * Pages may overlap where the list changes while it is read.
   * @throws CakeError as {@link List.page}
   */
  bytes(): AsyncIterable<Uint8Array>;
}

/** The parameters that paging sets. */
export interface RowRange {
  /** Which row to start at. CAKE counts from 0. @default 0 */
  readonly startAtRow?: number;
  /**
   * How many rows a page holds at most.
   * @default 100 for `page()`, by CAKE; iterating asks for 1,000 clicks, or 500 conversions
   */
  readonly rowLimit?: number;
}

/** A page as it is fetched: its rows, and the answer that they were read from. */
export interface FetchedPage<Row> extends Page<Row> {
  /** The answer's text, as CAKE sent it. */
  readonly body: string;
}

/** What makes a list of its own. */
interface ListDeps<Row> {
  readonly params: RowRange;
  readonly options: ListOptions | undefined;
  /** The rows of a page where the caller does not say, and at most. */
  readonly pageRows: number;
  readonly maxPageRows: number;
  /** What two rows are told apart by, where CAKE tells it. */
  idOf(row: Row): string | number | undefined;
  fetchPage(params: RowRange): Promise<FetchedPage<Row>>;
}

/** How many of the last rows' ids are remembered, to pass over rows that come again. */
const MAX_KNOWN_IDS = 100_000;

const OPTIONS = ["signal", "timeoutMs", "retries", "maxRows", "onPage"];

/** Makes a list of a way to fetch one page. */
export function createList<Row>(deps: ListDeps<Row>): List<Row> {
  const list: List<Row> = {
    async page() {
      checkNames("options", deps.options, OPTIONS);
      const { rows, totalRows } = await deps.fetchPage(deps.params);
      return { rows, totalRows };
    },
    async *bytes() {
      for await (const { body } of pages(deps)) yield new TextEncoder().encode(body);
    },
    async *[Symbol.asyncIterator]() {
      for await (const { fresh } of pages(deps)) {
        for (const row of fresh) {
          if (deps.options?.signal?.aborted) {
            throw new CakeError({ code: "aborted", rule: "the call was aborted by its signal" });
          }
          yield row;
        }
      }
    },
  };
  return limitArguments(limitArguments(list, { bytes: 0 }), { page: 0 }, "async");
}

/** The pages of a list: the rows of each that have not come before, and its text. */
async function* pages<Row>({
  params,
  options: given,
  pageRows,
  maxPageRows,
  idOf,
  fetchPage,
}: ListDeps<Row>): AsyncGenerator<{ readonly fresh: readonly Row[]; readonly body: string }, void, undefined> {
  checkNames("options", given, OPTIONS);
  const options = given ?? {};
  const onPage = functionOption("onPage", options.onPage);
  const startAtRow = integerOption("startAtRow", params?.startAtRow, 0, Number.MAX_SAFE_INTEGER) ?? 0;
  const rowLimit = integerOption("rowLimit", params?.rowLimit, 1, maxPageRows) ?? pageRows;
  const maxRows = integerOption("maxRows", options.maxRows, 0, Number.MAX_SAFE_INTEGER);
  const known = new Set<string | number>();
  const pager = new (clientCore.api().Pager)(startAtRow, rowLimit, maxRows);
  let read = 0;
  // Behind the last position that was read, and what came last: rows without an id are known by these.
  let [end, last] = [startAtRow, ""];
  // Such rows of a page that is the one before to the letter: rows of the same content where another page
  // follows, and a `start_at_row` that is not heeded where none does.
  let held: Row[] = [];
  try {
    for (let count = 1; ; count += 1) {
      const range: RowRange | undefined = call(() => pager.next());
      if (range === undefined) return;
      const { rows, totalRows, body } = await fetchPage({ ...params, ...range });
      const left = (maxRows ?? Number.POSITIVE_INFINITY) - read;
      const ids = rows.map(idOf);
      const start = range.startAtRow ?? 0;
      const isSame = rows.length > 0 && body === last && !(totalRows !== undefined && totalRows > read);
      const isKnown = ids.map((id, index) => (id === undefined ? start + index < end : known.has(id)));
      // The rows of one page are all rows, whatever they have in common.
      const found = rows.filter((_, index) => isKnown[index] === false);
      if (isSame) held.push(...found);
      const unread = isSame ? [] : found;
      const lastKnown = isSame ? rows.length - 1 : isKnown.lastIndexOf(true);
      // Where rows in between were missed, the page is asked for again, from further up.
      const isTaken = pager.read(rows.length, unread.length, lastKnown < 0 ? undefined : lastKnown, totalRows);
      const fresh = isTaken && !isSame ? [...held, ...unread].slice(0, left) : [];
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
