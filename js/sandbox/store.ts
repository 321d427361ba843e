/**
 * The seam between a network and its storage. An implementation is
 * synchronous, so that nothing comes between a decision and its rows.
 */
import type { ClickRow, ConversionRow, FiredPostback, Numbers, PostbackRow } from "./rows.js";

/** Which clicks; in the order of their numbers. */
export interface ClickFilter {
  readonly from: string | null;
  readonly before: string | null;
  readonly offer_id: number | null;
  readonly affiliate_id: number | null;
  readonly offset: number;
  readonly limit: number;
}

/** Which conversions; equal ones by id. */
export interface ConversionFilter {
  readonly from: string | null;
  readonly before: string | null;
  /** Recorded or changed at this civil time or later. */
  readonly updated_from: string | null;
  /** Only such as have been moved or corrected. */
  readonly is_corrected: boolean | null;
  readonly unique_id: string | null;
  readonly offer_ids: readonly number[] | null;
  readonly affiliate_id: number | null;
  readonly statuses: readonly string[] | null;
  readonly offset: number;
  readonly limit: number;
  /** A column of {@link ConversionRow}; never a caller's text. */
  readonly sort: string;
  readonly is_descending: boolean;
  /** With every column. */
  readonly is_whole: boolean;
}

/** Rows that a decision asks for. */
export type Need =
  | { readonly need: "click"; readonly click_id: string }
  | { readonly need: "duplicate"; readonly dedupe_key: string }
  | { readonly need: "conversion"; readonly conversion_id: number }
  | { readonly need: "count"; readonly filter: ConversionFilter }
  | { readonly need: "postbacks"; readonly affiliate_id: number }
  | { readonly need: "clicks"; readonly filter: ClickFilter }
  | { readonly need: "conversions"; readonly filter: ConversionFilter };

/** A row to store. */
export type Write =
  | { readonly write: "click"; readonly row: ClickRow }
  | { readonly write: "conversion"; readonly row: ConversionRow }
  | { readonly write: "changed"; readonly row: ConversionRow }
  | { readonly write: "postback"; readonly row: PostbackRow }
  | { readonly write: "fired"; readonly row: FiredPostback };

/** A page of rows, and how many match in all. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly total: number;
}

/** Which rows a person wants to see. */
export interface ViewFilter {
  readonly offer_id?: number;
  readonly affiliate_id?: number;
  /** Of conversions. */
  readonly status?: string;
  /** Somewhere in a click id, a unique id or `s1`. */
  readonly text?: string;
  /** At most this many of each. */
  readonly limit: number;
}

/** The newest rows of each kind. */
export interface View {
  readonly clicks: readonly ClickRow[];
  readonly conversions: readonly ConversionRow[];
  readonly postbacks: readonly FiredPostback[];
}

/** What an affiliate's conversions in one status add up to. */
export interface Sum {
  readonly affiliate_id: number;
  readonly conversion_status: string;
  readonly conversions: number;
  readonly payout_units: number;
}

/** A part of a made-up past. */
export interface PastRows {
  readonly clicks: readonly ClickRow[];
  readonly conversions: readonly ConversionRow[];
}

/** Where a network's rows are. */
export interface Store {
  /** The numbers that the next rows get. */
  numbers(): Numbers;
  /** What a decision asked for: a row or null, a number, rows or a page. */
  load(need: Need): unknown;
  /** Stores all of it or nothing. */
  apply(writes: readonly Write[]): void;
  /** Stores many fresh rows at once. */
  fill(past: PastRows): void;
  /** A conversion as it is now. */
  findConversion(conversionId: number): ConversionRow | null;
  /** The newest rows. */
  view(filter: ViewFilter): View;
  /** What there is of money. */
  sums(): readonly Sum[];
  /** The postbacks to send at `now`, the oldest first. */
  due(now: number, limit: number): readonly FiredPostback[];
  /** When the next postback is to be sent. */
  nextDue(): number | null;
  /** A text by its name: the fixture, the settings, the faults, the clock; null where there is none. */
  getMeta(name: string): string | null;
  /** Keeps a text by its name; null deletes it. */
  setMeta(name: string, text: string | null): void;
  /** Deletes everything. */
  clear(): void;
}
