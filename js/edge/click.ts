/** A click as CAKE reports it, and the fast path for a page of clicks in the article's own shape. */
import { clientCore } from "./core.js";
import type { Dates, UnreadField } from "./dates.js";

/** A click as CAKE reports it. */
export interface Click {
  /** CAKE's click id, an opaque text. Like every other field, it is absent if the account's row lacks it. */
  readonly clickId?: string | undefined;
  /** The date as CAKE wrote it; by the article in the account's civil time, `YYYY-MM-DD HH:MM:SS`. */
  readonly clickDate?: string | undefined;
  /** The date as an instant, if the text itself is one or the client knows the account's `timeZone`. */
  readonly clickAt?: Date | undefined;
  /** The offer that was clicked. */
  readonly offerId?: number | undefined;
  /** The affiliate that sent the click. CAKE's own test affiliate is -1. */
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
  /** The visitor's IP address. */
  readonly ipAddress?: string | undefined;
  /** The visitor's country, two letters. */
  readonly country?: string | undefined;
  /** Has it become a conversion? Absent in lists of the older services, which do not report it. */
  readonly converted?: boolean | undefined;
  /** The conversion's id, if there is one. */
  readonly conversionId?: number | undefined;
}

/**
 * Reads a page. `taken` are the rows as the platform parsed them, if the core has not read them into `json`. `body` is
 * the text they were parsed from. Rows in the article's own shape are used as they are; if one of them is not, the core
 * reads them all.
 */
export function readClickPage(
  json: string,
  taken: readonly unknown[] | undefined,
  body: string,
  dates: Dates,
): { rows: Click[]; totalRows: number | undefined; gaps?: readonly number[] | undefined } {
  const read = JSON.parse(json) as ReadPage;
  // What stands around the rows, such as the number of all.
  dates.reportUnread(read.unread);
  const clicks = taken && !hasLongNumbers(body) ? tryReadPlain(taken, dates) : undefined;
  if (clicks !== undefined) return { rows: clicks, totalRows: read.totalRows };
  const page = taken === undefined ? read : (JSON.parse(clientCore.api().readClicks(body)) as ReadPage);
  if (page !== read) dates.reportUnread(page.unread);
  const rows = page.rows.map((click) => withInstant(click, dates));
  return { rows, totalRows: read.totalRows, gaps: page.gaps };
}

/** A page that the core has read. */
interface ReadPage {
  readonly rows: Click[];
  readonly totalRows?: number;
  readonly gaps?: readonly number[];
  readonly unread?: readonly UnreadField[];
}

/** A click that the core has read, with the instant of its date. */
export function withInstant(
  { unread, ...click }: Click & { readonly unread?: readonly UnreadField[] },
  dates: Dates,
): Click {
  dates.reportUnread(unread);
  const clickAt = dates.findInstant("clickDate", click.clickDate);
  return clickAt === undefined ? click : { ...click, clickAt };
}

/** A row in the article's shape. */
interface PlainRow {
  readonly click_id: string;
  readonly click_date: string;
  readonly offer_id: number;
  readonly affiliate_id: number;
  readonly sub_id_1?: string | null;
  readonly sub_id_2?: string | null;
  readonly sub_id_3?: string | null;
  readonly sub_id_4?: string | null;
  readonly sub_id_5?: string | null;
  readonly ip_address?: string | null;
  readonly country?: string | null | undefined;
  readonly converted: boolean;
  readonly conversion_id?: number | null | undefined;
}

/** The clicks, if all rows have the article's names and types; otherwise `undefined`. */
function tryReadPlain(rows: readonly unknown[], dates: Dates): Click[] | undefined {
  const clicks: Click[] = [];
  for (const row of rows) {
    if (!isPlain(row)) return undefined;
    clicks.push({
      clickId: row.click_id,
      clickDate: row.click_date,
      clickAt: dates.findInstant("clickDate", row.click_date),
      offerId: row.offer_id,
      affiliateId: row.affiliate_id,
      subId1: row.sub_id_1 ?? undefined,
      subId2: row.sub_id_2 ?? undefined,
      subId3: row.sub_id_3 ?? undefined,
      subId4: row.sub_id_4 ?? undefined,
      subId5: row.sub_id_5 ?? undefined,
      ipAddress: row.ip_address ?? undefined,
      country: row.country ?? undefined,
      converted: row.converted,
      conversionId: row.conversion_id ?? undefined,
    });
  }
  return clicks;
}

function isPlain(value: unknown): value is PlainRow {
  if (typeof value !== "object" || value === null) return false;
  const row = value as PlainRow;
  return (
    typeof row.click_id === "string" &&
    row.click_id !== "" &&
    typeof row.click_date === "string" &&
    isId(row.offer_id) &&
    (isId(row.affiliate_id) || row.affiliate_id === -1) &&
    isText(row.sub_id_1) &&
    isText(row.sub_id_2) &&
    isText(row.sub_id_3) &&
    isText(row.sub_id_4) &&
    isText(row.sub_id_5) &&
    isText(row.ip_address) &&
    isText(row.country) &&
    typeof row.converted === "boolean" &&
    (isAbsent(row.conversion_id) || isId(row.conversion_id))
  );
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function isText(value: unknown): boolean {
  return isAbsent(value) || typeof value === "string";
}

function isId(value: unknown): boolean {
  return typeof value === "number" && value > 0 && Number.isSafeInteger(value);
}

/** May a number of this JSON have more digits than JavaScript keeps, or be spelled in a different way? */
function hasLongNumbers(json: string): boolean {
  return /[:[,]\s*-?(?:\d{16}|\d+[.eE])/.test(json);
}
