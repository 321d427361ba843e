/** A list of CAKE's, row by row or page by page. */
import { CakeError } from "../error.js";
import { checkNames, integerOption } from "../option.js";
import type { CallOptions } from "./call-options.js";
import { edge } from "./core.js";

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
 * each row comes once, also where rows arrive meanwhile or `start_at_row`
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

/** What makes a list of its own. */
interface ListDeps<Row> {
  readonly params: RowRange;
  readonly options: ListOptions | undefined;
  /** The rows of a page where the caller does not say, and at most. */
  readonly pageRows: number;
  readonly maxPageRows: number;
  /** What two rows are told apart by. */
  idOf(row: Row): string | number;
  fetchPage(params: RowRange): Promise<Page<Row>>;
}

/** How many of the last rows' ids are remembered, to pass over rows that come again. */
const MAX_KNOWN_IDS = 10_000;

const OPTIONS = ["signal", "timeoutMs", "retries", "maxRows", "onPage"];

/** Makes a list of a way to fetch one page. */
export function createList<Row>(deps: ListDeps<Row>): List<Row> {
  return {
    async page() {
      checkNames("options", deps.options, OPTIONS);
      return deps.fetchPage(deps.params);
    },
    [Symbol.asyncIterator]: () => iterate(deps),
  };
}

async function* iterate<Row>({
  params,
  options = {},
  pageRows,
  maxPageRows,
  idOf,
  fetchPage,
}: ListDeps<Row>): AsyncGenerator<Row, void, undefined> {
  checkNames("options", options, OPTIONS);
  const startAtRow = integerOption("startAtRow", params?.startAtRow, 0, Number.MAX_SAFE_INTEGER) ?? 0;
  const rowLimit = integerOption("rowLimit", params?.rowLimit, 1, maxPageRows) ?? pageRows;
  const maxRows = integerOption("maxRows", options.maxRows, 0, Number.MAX_SAFE_INTEGER);
  const known = new Set<string | number>();
  const pages = new (edge.api().Pager)(startAtRow, rowLimit, maxRows);
  let read = 0;
  try {
    for (let count = 1; ; count += 1) {
      const range: RowRange | undefined = pages.next();
      if (range === undefined) return;
      const { rows, totalRows } = await fetchPage({ ...params, ...range });
      const left = (maxRows ?? Number.POSITIVE_INFINITY) - read;
      const fresh = rows.filter((row) => !known.has(idOf(row))).slice(0, left);
      for (const row of fresh) known.add(idOf(row));
      for (const id of known) {
        if (known.size <= MAX_KNOWN_IDS) break;
        known.delete(id);
      }
      pages.read(rows.length, fresh.length, totalRows);
      read += fresh.length;
      options.onPage?.({ rows: read, totalRows, pages: count });
      for (const row of fresh) {
        if (options.signal?.aborted) {
          throw new CakeError({ code: "aborted", rule: "the call was aborted by its signal" });
        }
        yield row;
      }
    }
  } finally {
    pages.free();
  }
}
