/** A click as CAKE reports it, and the lean reader of a page of them. */
import { CakeError } from "../error.js";
import type { TimeZone } from "../time-zone.js";

/** A click as CAKE reports it. */
export interface Click {
  /** CAKE's click id: an opaque text. */
  readonly clickId: string;
  /** In the account's civil time: `YYYY-MM-DD HH:MM:SS`. */
  readonly clickDate?: string | undefined;
  /** The same as an instant, where the client knows the account's `timeZone`. */
  readonly clickAt?: Date | undefined;
  /** The offer that was clicked. */
  readonly offerId: number;
  /** Who sent the click. CAKE's own test affiliate is -1. */
  readonly affiliateId: number;
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
  /** Has it become a conversion? */
  readonly converted: boolean;
  /** The conversion's id, where there is one. */
  readonly conversionId?: number | undefined;
}

/** A row as CAKE writes it: nothing about it is certain. */
type WireClick = { readonly [Field in keyof typeof NOTHING]?: unknown };
const NOTHING = {
  click_id: 0,
  click_date: 0,
  offer_id: 0,
  affiliate_id: 0,
  sub_id_1: 0,
  sub_id_2: 0,
  sub_id_3: 0,
  sub_id_4: 0,
  sub_id_5: 0,
  ip_address: 0,
  country: 0,
  converted: 0,
  conversion_id: 0,
};

/**
 * Reads a page of rows, 10,000 at most, as the core reads a single one
 * (`src/api/get_click.rs`; the tests hold the two against each other). `body`
 * is the text that the rows were parsed from.
 *
 * @throws CakeError `unexpected_answer`, naming the field and the row
 */
export function readClicks(rows: readonly unknown[], body: string | undefined, zone: TimeZone | undefined): Click[] {
  let at = 0;
  try {
    const clicks: Click[] = [];
    for (; at < rows.length; at += 1) clicks.push(readClick(rows[at], zone, body !== undefined));
    return clicks;
  } catch (thrown) {
    if (thrown === LONG_ID) return readClicks(parseWithLongIds(body ?? ""), undefined, zone);
    if (typeof thrown !== "string") throw thrown;
    throw new CakeError({ code: "unexpected_answer", rule: `CAKE's answer ${thrown} (row ${at})` });
  }
}

/** A click id that is a number with more digits than a JavaScript number holds. */
const LONG_ID = Symbol("long id");

function readClick(row: unknown, zone: TimeZone | undefined, canParseAgain: boolean): Click {
  if (typeof row !== "object" || row === null) throw "has no record in `clicks`";
  const wire = row as WireClick;
  const clickId = wire.click_id;
  if (canParseAgain && typeof clickId === "number" && Math.abs(clickId) > Number.MAX_SAFE_INTEGER) throw LONG_ID;
  const clickDate = text(wire.click_date);
  const converted = wire.converted;
  return {
    clickId: text(clickId) || missing("click_id"),
    clickDate,
    clickAt: zone && clickDate !== undefined ? zone.findInstant(clickDate) : undefined,
    offerId: id(wire.offer_id, "offer_id") ?? missing("offer_id"),
    affiliateId: wire.affiliate_id === -1 ? -1 : (id(wire.affiliate_id, "affiliate_id") ?? missing("affiliate_id")),
    subId1: text(wire.sub_id_1),
    subId2: text(wire.sub_id_2),
    subId3: text(wire.sub_id_3),
    subId4: text(wire.sub_id_4),
    subId5: text(wire.sub_id_5),
    ipAddress: text(wire.ip_address),
    country: text(wire.country),
    converted:
      converted === true || converted === 1 || converted === "true" || converted === "True" || converted === "1",
    // .NET writes 0 for "none".
    conversionId: id(wire.conversion_id, "conversion_id") || undefined,
  };
}

function missing(name: string): never {
  throw `has no ${name}`;
}

function text(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : undefined;
}

function id(value: unknown, name: string): number | undefined {
  if (typeof value === "number" && value >= 0 && Number.isSafeInteger(value)) return value;
  if (value === undefined || value === null || value === "") return undefined;
  const number = typeof value === "string" && /^\d+(\.0+)?$/.test(value) ? Number(value) : -1;
  if (number >= 0 && Number.isSafeInteger(number)) return number;
  if (typeof value === "object" || typeof value === "boolean") return undefined;
  throw `has a value that is no id in ${name}`;
}

/** Parses again, long numeric click ids as text. A key in quotes can stand in no string. */
function parseWithLongIds(body: string): unknown[] {
  const parsed: { response: { clicks: unknown[] } } = JSON.parse(
    body.replace(/("click_id"\s*:\s*)(\d{16,})/g, '$1"$2"'),
  );
  return parsed.response.clicks;
}
