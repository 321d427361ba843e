/** The options and answers of a report. */

/** A key by which orders and conversions are matched. */
export type ReportKey = "uniqueId" | "orderId" | "clickId";

/** The role of a column or field in a file. */
export type Role =
  | ReportKey
  | "conversionId"
  | "date"
  | "revenue"
  | "payout"
  | "status"
  | "currency"
  | "offerId"
  | "affiliateId"
  | "subId1"
  | "subId2"
  | "subId3"
  | "subId4"
  | "subId5"
  | "country"
  | "address"
  | "state"
  | "kind"
  | "refunded"
  | "cancelled"
  | "captured"
  | "disputed"
  | "remaining"
  | "refundIds"
  | "charge"
  | "intent"
  | "test"
  | "parent"
  | "latestCharge"
  | "paid";

/** The options of a report. */
export interface ReportOptions {
  /** The first day, `YYYY-MM-DD`, in the account's time zone. @default no bound */
  readonly from?: string | undefined;
  /** The last day, included. @default no bound */
  readonly to?: string | undefined;
  /** The account's time zone, such as `America/New_York`. Required where rows have offsets. */
  readonly timeZone?: string | undefined;
  /** The time zone of orders whose times have no offset; goes with `timeZone`. @default as the account's */
  readonly ordersTimeZone?: string | undefined;
  /** The tolerance in which amounts may differ. @default "0.00" */
  readonly tolerance?: string | undefined;
  /** The keys of the matching, the first one first. @default ["uniqueId", "orderId", "clickId"] */
  readonly keys?: readonly ReportKey[] | undefined;
  /**
   * CAKE's status for each status of the orders; `""` is that of orders without one. An order with another status is an
   * error.
   * @default CAKE's own words; of `shopify`, `woocommerce` and `stripe` their own, as docs/report.md lists them
   */
  readonly statuses?: Readonly<Record<string, string>> | undefined;
  /**
   * The account's currency, such as `USD`: that of CAKE's rows without one. Orders in another currency are
   * `currency_differs`. Required where orders have several currencies.
   */
  readonly currency?: string | undefined;
  /** The conversion that represents several with the same key: an approved one, or the first. @default "approved" */
  readonly prefer?: "approved" | "first" | undefined;
  /** The memory ceiling for rows, such as `"1 GB"`. @default "3.9 GB" */
  readonly memory?: string | undefined;
  /** One part of a report that exceeds the memory: read the same files once for each part. Requires a single key. */
  readonly part?: readonly [part: number, of: number] | undefined;
  /** The advertiser's amount: a column of the orders, or a percentage of one. */
  readonly revenue?: string | { readonly percent: string; readonly of: string };
}

/** The bytes of a source. Files and pages may be cut anywhere. */
export type ReportSource =
  | Uint8Array
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>;

/** The progress of a call. */
export interface ReportProgress {
  /** While a file is read, the bytes so far, and at its end all; while rows are matched, the share that is done, from 0 to 1. */
  readonly done: number;
}

/** The format of a file. The report never guesses it. */
export interface SourceOptions {
  /** The file's name, shown in the result. */
  readonly name?: string | undefined;
  /** The program that exported the file. @default "simple" for orders, "cake" for what CAKE reports */
  readonly dialect?: "simple" | "shopify" | "woocommerce" | "stripe" | "cake" | undefined;
  /** @default by its first character: `{` and `[` begin JSON */
  readonly format?: "csv" | "json" | undefined;
  /** @default the one under which the header has known columns */
  readonly delimiter?: "," | ";" | "\t" | "|" | undefined;
  /** The decimal mark. @default "." where no amount could mean anything else; of what CAKE reports "." */
  readonly decimal?: "." | "," | undefined;
  /**
   * The thousands separator. A blank is also a no-break one, an apostrophe also `’`.
   * @default nothing; of what CAKE reports "," where a point follows
   */
  readonly group?: "." | "," | " " | "'" | "" | undefined;
  /**
   * Are amounts in the currency's smallest unit?
   * @default "major"; of `stripe` "smallest" in JSON, "major" in what its dashboard exports, and an error in other CSV
   */
  readonly units?: "major" | "smallest" | undefined;
  /** The format of dates that do not begin with their year. @default an error where there is one */
  readonly dates?: "YYYY-MM-DD" | "DD/MM/YYYY" | "MM/DD/YYYY" | "DD/MM/YY" | "MM/DD/YY" | "unix" | undefined;
  /** @default UTF-8, and an error where it is not */
  readonly encoding?: "utf-8" | "windows-1252" | undefined;
  /** The names of columns that the dialect does not know, or paths of fields such as `metadata.order_id`. */
  readonly columns?: Readonly<Partial<Record<Role, string>>> | undefined;
  /** The prefix that unique ids and order ids have in the file and not at CAKE, such as `#`. */
  readonly idPrefix?: string | undefined;
  /**
   * The prefix that unique ids and order ids have at CAKE and not in the file: the forwarder's `idPrefix` of the shop,
   * such as `b-`.
   */
  readonly cakeIdPrefix?: string | undefined;
  /**
   * Of CAKE's conversions: when they were read, a `Date` or a text such as `2026-06-15T12:00:00Z`. Of several files the
   * earliest counts. A sale after it, or within the hour before it, is not uploaded: `read_too_early`. Of a conversion
   * that is in two files with `readAt`, the newer reading counts.
   * @default after the last day was over
   */
  readonly readAt?: Date | string | undefined;
  /**
   * Of CAKE's conversions: the days that the file has, both included, such as `{ from: "2026-06-01", to: "2026-06-30" }`.
   * A sale outside of the days that all files have is not uploaded: `at_the_border`. Beside such a file, another one has the
   * days from its first row to its last one.
   * @default the report's days
   */
  readonly covers?: { readonly from: string; readonly to: string } | undefined;
  /** Do test orders count, such as Shopify's with `test` and Stripe's without `livemode`? @default false */
  readonly testOrders?: boolean | undefined;
  /** For the forwarder's export: the state of all events, where the file has no column for the state. */
  readonly state?: string | undefined;
  /** Ends the reading at once as `aborted`, and lets go of the source. */
  readonly signal?: AbortSignal | undefined;
  /** Is called with the progress. Its errors are ignored. */
  readonly onProgress?: ((progress: ReportProgress) => void) | undefined;
}

/** How the report has understood a file. */
export interface Understood {
  readonly kind: "orders" | "conversions" | "deliveries" | "clicks";
  readonly name?: string | undefined;
  readonly dialect: string;
  readonly format: "csv" | "json" | "empty";
  readonly encoding: string;
  readonly delimiter?: string | undefined;
  /** The header's columns; the report ignores a column without a role. */
  readonly columns?: readonly { readonly name: string; readonly role?: Role | undefined }[];
  readonly units: string;
  readonly decimal?: string | undefined;
  readonly group?: string | undefined;
  readonly dates: string;
  readonly rows: number;
  readonly unreadable: number;
  /** Rows that only add an item to an order (Shopify). */
  readonly lineItems: number;
  /** Clicks that the page before has had at its end, or an earlier file: they count once. Absent where there are none. */
  readonly repeated?: number | undefined;
  /** Amounts of CAKE's that had more than four decimal places, and were rounded to four. Absent where there are none. */
  readonly rounded?: number | undefined;
  /** Test orders that do not count. Absent where there are none. */
  readonly testOrders?: number | undefined;
  /** The first three rows, with their values as understood. */
  readonly samples: readonly Readonly<Partial<Record<Role, string>>>[];
}

/** The class of a row. Every row has exactly one. */
export type RowClass =
  | "matched"
  | "missing_at_cake"
  | "unknown_to_advertiser"
  | "duplicate_order"
  | "duplicate_conversion"
  | "revenue_differs"
  | "payout_differs"
  | "status_differs"
  | "currency_differs"
  | "outside_window"
  | "no_key"
  | "refund"
  | "refund_unclear"
  | "read_twice"
  | "unreadable"
  | "test_order";

/** Every class, in the order in which reports list them. */
export const ROW_CLASSES: readonly RowClass[] = [
  "matched",
  "missing_at_cake",
  "unknown_to_advertiser",
  "duplicate_order",
  "duplicate_conversion",
  "revenue_differs",
  "payout_differs",
  "status_differs",
  "currency_differs",
  "outside_window",
  "no_key",
  "refund",
  "refund_unclear",
  "read_twice",
  "unreadable",
  "test_order",
];

/** The classes that are not a difference. */
export const AGREED: readonly RowClass[] = ["matched", "outside_window", "refund", "read_twice", "test_order"];

/** Counts and exact sums. */
export interface Sums {
  readonly orders: number;
  readonly conversions: number;
  readonly orderRevenue: string;
  readonly orderPayout: string;
  readonly revenue: string;
  readonly payout: string;
}

/** Counts and sums of one class in one currency. */
export interface ClassSums extends Sums {
  readonly class: RowClass;
  readonly currency?: string | undefined;
}

/** Counts and sums of one class in one currency, by offer and affiliate. */
export interface PairSums extends ClassSums {
  readonly offerId?: string | undefined;
  readonly affiliateId?: string | undefined;
}

/** The place of a row: a line of CSV, or the number of a row of JSON, both from 1. */
export interface Place {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly row?: number | undefined;
}

/** One side of a row. */
export interface RowSide extends Place {
  readonly uniqueId?: string | undefined;
  readonly orderId?: string | undefined;
  readonly clickId?: string | undefined;
  readonly conversionId?: string | undefined;
  readonly offerId?: string | undefined;
  readonly affiliateId?: string | undefined;
  /** The civil time in the account's time zone. */
  readonly date?: string | undefined;
  readonly revenue?: string | undefined;
  readonly revenueAfterRefunds?: string | undefined;
  readonly payout?: string | undefined;
  readonly payoutAfterRefunds?: string | undefined;
  readonly currency?: string | undefined;
  readonly status?: string | undefined;
}

/** A row of the result: an order, a conversion, or both. */
export interface ReportRow {
  readonly class: RowClass;
  /** All reasons, not only the one that decides the class. */
  readonly reasons: readonly string[];
  readonly order?: RowSide | undefined;
  readonly conversion?: RowSide | undefined;
  /** The row that represents a duplicate, a refund, or a row that was read twice. */
  readonly of?: RowSide | undefined;
  /** Conversions with nearly the same key; never a match. */
  readonly wouldMatch?: readonly {
    /** The order's key. */
    readonly key: ReportKey;
    /** The conversion's key, where it is another one: the order id may be CAKE's unique id. */
    readonly conversionKey?: ReportKey | undefined;
    /** What only one of the keys has, such as `case`, `leading_zeros`, a `prefix` or `other_ids`; `other_key`, `other_offer` and, of a refund, `sale` where they are equal. */
    readonly without: string;
    readonly conversion: RowSide;
  }[];
  readonly unreadable?: Place & { readonly of: string; readonly text?: string | undefined };
}

/** A dimension of groups. */
export type Dimension =
  | "affiliate"
  | "offer"
  | "subId1"
  | "subId2"
  | "subId3"
  | "subId4"
  | "subId5"
  | "country"
  | "day"
  | "hour"
  | "weekday";

/** A custom dimension: the function is called once for each combination of values, not for each click. */
export interface OwnDimension {
  readonly name: string;
  readonly of: readonly Dimension[];
  readonly label: (values: Readonly<Record<string, string>>) => string;
}

/** The options of a breakdown. */
export interface BreakDownOptions {
  readonly by: readonly (Dimension | OwnDimension)[];
  /** The key that identifies a visitor within a group. @default "address" */
  readonly unique?: "address" | "addressAndDay" | undefined;
  /** The sort order, largest first; `key` sorts by name. @default "clicks" */
  readonly sort?:
    | "clicks"
    | "uniqueClicks"
    | "conversions"
    | "rate"
    | "payout"
    | "revenue"
    | "margin"
    | "epc"
    | "key"
    | undefined;
  /** The number of groups; the others are added up as `rest`. @default all */
  readonly top?: number | undefined;
  /** The currency of the conversions that count. Required where they have several: two are never added. */
  readonly currency?: string | undefined;
}

/** The counts and sums of a group. */
export interface Figures {
  readonly clicks: number;
  readonly uniqueClicks: number;
  readonly conversions: number;
  /** Conversions by status, where the rows have one. */
  readonly statuses: Readonly<Record<string, number>>;
  /**
   * Conversions per click, with Wilson's interval at 95 %; absent without clicks. The interval is absent where the rate is
   * above 1.
   */
  readonly rate?: number | undefined;
  readonly rateLow?: number | undefined;
  readonly rateHigh?: number | undefined;
  /** The sum of approved conversions, and of those without a status. */
  readonly payout: string;
  readonly revenue: string;
  readonly margin: string;
  readonly pendingPayout: string;
  /** Approved payout per click, to four places. */
  readonly epc?: string | undefined;
  /** The time from click to conversion, by nearest rank. */
  readonly medianSeconds?: number | undefined;
  readonly p90Seconds?: number | undefined;
}

/** Clicks and conversions by group. */
export interface BreakDown {
  readonly total: Figures;
  readonly groups: readonly (Figures & { readonly key: Readonly<Record<string, string>> })[];
  /** The sum of all groups after the top ones, where there are any. */
  readonly rest?: Figures | undefined;
  readonly groupsInAll: number;
  /** Clicks outside the report's days. */
  readonly clicksOutside: number;
  /**
   * Conversions that count in no group: their click, or without a click they themselves, are outside the report's days.
   * `payout` is that of approved ones.
   */
  readonly conversionsOutside: { readonly conversions: number; readonly payout: string };
}

/** An attribution model: the rule that splits the credit. */
export type Model =
  | "last"
  | "first"
  | "linear"
  | "position"
  | "markov"
  | "shapley"
  /** Percentages of the first and the last touch; the touches between share the rest. `position` is 40 and 40. */
  | { readonly position: { readonly first: number; readonly last: number } }
  | { readonly timeDecay: { readonly halfLifeDays: number } };

/** A journey from the caller, such as the touches that a page has stored. */
export interface JourneyInput {
  /** The first touch first. `timeDecay` needs `secondsBefore`, the seconds before the journey's end, of every touch. */
  readonly touches: readonly { readonly channel: string; readonly secondsBefore?: number | undefined }[];
  readonly converted: boolean;
  /** The conversion's payout, as text such as "18.00"; below zero it takes credit back. @default "0" */
  readonly payout?: string | undefined;
}

/** The journeys and the models of an attribution. */
export interface AttributeOptions {
  readonly models: readonly Model[];
  /** The caller's own journeys; without them, the journeys are made from clicks. */
  readonly journeys?: Iterable<JourneyInput> | undefined;
  /** The key that identifies a visitor's clicks. @default "address" */
  readonly key?: Dimension | "address" | undefined;
  /** The dimension that gets the credit. @default "affiliate" */
  readonly channel?: Dimension | undefined;
  /** Statuses that earn credit besides approved, such as `["pending"]`. @default none, as in a breakdown's payout */
  readonly include?: readonly string[] | undefined;
  /** The currency of the conversions that earn credit. Required where they have several: two are never added. */
  readonly currency?: string | undefined;
}

/** The models side by side. */
export interface Attribution {
  readonly journeys: number;
  readonly conversions: number;
  readonly payout: string;
  /** Conversions of these days without credit: those that do not count, and those whose click is in no journey. */
  readonly leftOut: {
    readonly notApproved: { readonly conversions: number; readonly payout: string };
    readonly withoutJourney: { readonly conversions: number; readonly payout: string };
  };
  readonly models: readonly {
    readonly model: string;
    readonly channels: readonly {
      readonly channel: string;
      /** The channels' payouts add up to this total. */
      readonly payout: string;
      readonly conversions: number;
      readonly removalEffect?: number | undefined;
    }[];
  }[];
}

/** The options of corrections for CAKE. */
export interface CorrectionOptions {
  /** The file: for the reconciliation tool or for the bulk upload. @default "reconciliation" */
  readonly file?: "reconciliation" | "upload" | undefined;
  /**
   * The maximum number of lines, and the maximum amount: corrections beyond the cap wait for the next file. The amount
   * is the money that moves: what is not approved is 0, but a payout that changes counts by its change at least. With
   * `amount`, what has no known amount is skipped as `amount_unknown`.
   */
  readonly cap?: { readonly rows?: number | undefined; readonly amount?: string | undefined };
  /** The offer of orders without one. */
  readonly offerId?: string | number | undefined;
  /** Classes of unpaired conversions that are to be rejected. @default ["duplicate_conversion"] */
  readonly reject?: readonly ("duplicate_conversion" | "unknown_to_advertiser")[] | undefined;
  /**
   * How many unreadable rows of all files are accepted. Beyond it, every correction is skipped as `unreadable_rows`,
   * because any of these rows may be the one that it is about. @default 0
   */
  readonly maxUnreadable?: number | undefined;
  /**
   * How many of CAKE's conversions and of the forwarder's events are accepted that share no kind of key with an order,
   * such as those with the literal `TRANSACTION_ID`. Beyond it, what one of them may be is skipped as `rows_without_key`.
   * For rejections the same of orders. @default 0
   */
  readonly maxKeyless?: number | undefined;
  /** The earlier corrections, from all earlier results' `journal`, the oldest first: they are not written again. */
  readonly journal?: Iterable<string> | undefined;
}

/** A correction as `applyCorrections` of the client takes it. */
export interface CorrectedRow {
  readonly conversionId?: number | undefined;
  readonly uniqueId?: string | undefined;
  readonly offerId: number;
  readonly status?: "returned" | "rejected" | "approved" | "pending" | undefined;
  readonly payout?: string | undefined;
  /** How much money it moves; absent where nobody knows. `maxMoney` then refuses the row. */
  readonly amount?: string | undefined;
}

/** Corrections, ready for the file. */
export interface Corrections {
  /** The lines of the reconciliation tool's file, for CAKE's older services; empty for the bulk upload. */
  readonly rows: readonly CorrectedRow[];
  /** The file, in exactly the bytes that CAKE reads. */
  readonly csv: string;
  readonly lines: number;
  readonly amount: string;
  /** One line for each correction in the file: keep the lines of all calls in their order, and pass them to the next. */
  readonly journal: readonly string[];
  /** Omitted, because an earlier file has them: sales, and of a conversion the last correction. */
  readonly repeated: number;
  /** Omitted, because of the cap. */
  readonly capped: number;
  /**
   * Omitted, by reason: CAKE takes no such value (`no_click_id`, `invalid_unique_id`, `no_disposition`, …); nothing is
   * owed (`not_approved`, `refunded`); CAKE may have the sale (`would_match`, `the_forwarder_has_it`,
   * `rows_without_key`, `may_be_another_order`, `near_misses_not_searched`, `read_too_early`, `at_the_border`);
   * a cap of money cannot hold the line (`amount_unknown`); or a person must look (`refund_unclear`, `rows_contradict`,
   * `only_revenue_differs`, `changed_since_written`, `unreadable_rows`, …). docs/report.md explains each.
   */
  readonly skipped: Readonly<Record<string, number>>;
}
