/**
 * The interface between a network and its storage. An implementation is synchronous, so that no other request runs
 * between a decision and its rows.
 */
import type { ClickRow, ConversionRow, FiredPostback, Numbers, PostbackRow } from "./rows.js";

/** A filter of clicks; the rows come in the order of their numbers. */
export interface ClickFilter {
  readonly from: string | null;
  readonly before: string | null;
  readonly offer_id: number | null;
  readonly affiliate_id: number | null;
  readonly offset: number;
  readonly limit: number;
}

/** A filter of conversions; the id decides between equal ones. */
export interface ConversionFilter {
  readonly from: string | null;
  readonly before: string | null;
  /** Recorded or changed at this civil time or later. */
  readonly updated_from: string | null;
  /** Only conversions that were moved or corrected. */
  readonly is_corrected: boolean | null;
  readonly unique_id: string | null;
  readonly offer_ids: readonly number[] | null;
  readonly affiliate_id: number | null;
  readonly statuses: readonly string[] | null;
  readonly offset: number;
  readonly limit: number;
  /** A column of {@link ConversionRow}; never a text from a caller. */
  readonly sort: string;
  readonly is_descending: boolean;
  /** With every column. */
  readonly is_whole: boolean;
}

/** The rows that a decision needs. */
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

/** A page of rows, and the number of all matching rows. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly total: number;
}

/** The filter of the live view. */
export interface ViewFilter {
  readonly offer_id?: number;
  readonly affiliate_id?: number;
  /** The status of conversions. */
  readonly status?: string | undefined;
  /** A part of a click id, a unique id or `s1`. */
  readonly text?: string | undefined;
  /** The maximum number of rows of each kind. */
  readonly limit: number;
}

/** The newest rows of each kind. */
export interface View {
  readonly clicks: readonly ClickRow[];
  readonly conversions: readonly ConversionRow[];
  readonly postbacks: readonly FiredPostback[];
}

/** The sum of an affiliate's conversions in one status. */
export interface Sum {
  readonly affiliate_id: number;
  readonly conversion_status: string;
  readonly conversions: number;
  readonly payout_units: number;
}

/** A part of a generated history. */
export interface PastRows {
  readonly clicks: readonly ClickRow[];
  readonly conversions: readonly ConversionRow[];
}

/** The storage of a network's rows. */
export interface Store {
  /** The numbers for the next rows. */
  numbers(): Numbers;
  /** The rows that a decision needs: a row or null, a number, rows or a page. */
  load(need: Need): unknown;
  /** Stores all rows or none. */
  apply(writes: readonly Write[]): void;
  /** Stores many new rows at once. */
  fill(past: PastRows): void;
  /** The present row of a conversion. */
  findConversion(conversionId: number): ConversionRow | null;
  /** The newest rows. */
  view(filter: ViewFilter): View;
  /** The sums of all affiliates by status. */
  sums(): readonly Sum[];
  /** The postbacks to send at `now`, the oldest first. */
  due(now: number, limit: number): readonly FiredPostback[];
  /** The time at which the next postback is due. */
  nextDue(): number | null;
  /** A text by its name: the fixture, the settings, the faults, the clock; null for an unknown name. */
  getMeta(name: string): string | null;
  /** Stores a text under a name; null deletes the text. */
  setMeta(name: string, text: string | null): void;
  /** Deletes everything. */
  clear(): void;
}
