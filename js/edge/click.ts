/** A click as CAKE reports it, and the lean reader of a page of them, held against the core's by the tests. */
import type { Dates } from "./dates.js";
import { findRow, flagOf, hasLongNumbers, idOf, parseExact, type Row, textOf, withNames } from "./row.js";

/** A click as CAKE reports it. */
export interface Click {
  /** CAKE's click id: an opaque text. Absent, as all others, where the account's row lacks it. */
  readonly clickId?: string | undefined;
  /** As CAKE wrote it; by the article in the account's civil time, `YYYY-MM-DD HH:MM:SS`. */
  readonly clickDate?: string | undefined;
  /** The same as an instant, where it says so itself or the client knows the account's `timeZone`. */
  readonly clickAt?: Date | undefined;
  /** The offer that was clicked. */
  readonly offerId?: number | undefined;
  /** Who sent the click. CAKE's own test affiliate is -1. */
  readonly affiliateId?: number | undefined;
  /** `s1` of the link. */
  readonly subId1?: string | undefined;
  /** `s2` of the link. */
  readonly subId2?: string | undefined;
  /** `s3` of the link. */
  readonly subId3?: string | undefined;
  /** `s4` of the link. */
  readonly subId4?: string | undefined;
  /** `s5` of the link. */
  readonly subId5?: string | undefined;
  /** The visitor's address. */
  readonly ipAddress?: string | undefined;
  /** The visitor's country, two letters. */
  readonly country?: string | undefined;
  /** Has it become a conversion? Absent where the older services list it: they do not tell. */
  readonly converted?: boolean | undefined;
  /** The conversion's id, where there is one. */
  readonly conversionId?: number | undefined;
}

/** CAKE's names of a click's fields. */
const NAMES = [
  "click_id",
  "click_date",
  "offer_id",
  "affiliate_id",
  "sub_id_1",
  "sub_id_2",
  "sub_id_3",
  "sub_id_4",
  "sub_id_5",
  "ip_address",
  "country",
  "converted",
  "conversion_id",
] as const;

/**
 * Reads rows as CAKE writes them, 10,000 at most. What a row lacks or has in
 * another shape is absent in that row; what is no record at all is passed over.
 */
export function readClicks(rows: readonly unknown[], dates: Dates): Click[] {
  const clicks: Click[] = [];
  for (const value of rows) {
    const row = findRow(value, "click");
    if (row !== undefined) clicks.push(readClick(row, dates));
  }
  return clicks;
}

/**
 * Reads a page: `taken` are the rows as the platform parsed them, where the core
 * has not read them itself into `page`, and `body` the text that they were parsed from.
 */
export function readClickPage(
  page: string,
  taken: readonly unknown[] | undefined,
  body: string,
  dates: Dates,
): { rows: Click[]; totalRows: number | undefined } {
  const read = JSON.parse(page) as { rows: Click[]; totalRows?: number };
  if (taken === undefined)
    return { rows: read.rows.map((click) => withInstant(click, dates)), totalRows: read.totalRows };
  const rows = hasLongNumbers(body) ? rowsIn(parseExact(body)) : taken;
  return { rows: readClicks(rows, dates), totalRows: read.totalRows };
}

/** A click that the core has read, with its date's instant. */
export function withInstant(click: Click, dates: Dates): Click {
  const clickAt = dates.findInstant("clickDate", click.clickDate);
  return clickAt === undefined ? click : { ...click, clickAt };
}

/** The rows where the article has them. */
function rowsIn(answer: unknown): unknown[] {
  return (answer as { response: { clicks: unknown[] } }).response.clicks;
}

function readClick(row: Row, dates: Dates): Click {
  // The article's own names and types, almost always.
  const isPlain = typeof row["click_id"] === "string" && typeof row["offer_id"] === "number";
  const wire = (isPlain ? row : withNames(row, NAMES)) as { readonly [Name in (typeof NAMES)[number]]?: unknown };
  const clickDate = textOf(wire.click_date);
  return {
    clickId: textOf(wire.click_id) || undefined,
    clickDate,
    clickAt: dates.findInstant("clickDate", clickDate),
    offerId: idOf(wire.offer_id),
    affiliateId: textOf(wire.affiliate_id)?.trim() === "-1" ? -1 : idOf(wire.affiliate_id),
    subId1: textOf(wire.sub_id_1),
    subId2: textOf(wire.sub_id_2),
    subId3: textOf(wire.sub_id_3),
    subId4: textOf(wire.sub_id_4),
    subId5: textOf(wire.sub_id_5),
    ipAddress: textOf(wire.ip_address),
    country: textOf(wire.country),
    converted: flagOf(wire.converted),
    conversionId: idOf(wire.conversion_id),
  };
}
