/** What a report is asked, and what it answers. */

/** A key that orders and conversions are matched by. */
export type ReportKey = "uniqueId" | "orderId" | "clickId";

/** What a column or field of a file can be. */
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
  | "kind";

/** How a report is opened. */
export interface ReportOptions {
  /** The first day, `YYYY-MM-DD`, in the account's time zone. @default no bound */
  readonly from?: string;
  /** The last day; it belongs to the report. @default no bound */
  readonly to?: string;
  /** The account's time zone, such as `America/New_York`. Needed where rows carry offsets. */
  readonly timeZone?: string;
  /** The time zone of orders whose times carry no offset. @default as the account's */
  readonly ordersTimeZone?: string;
  /** By how much amounts may differ. @default "0.00" */
  readonly tolerance?: string;
  /** What is matched by, the first one first. @default ["uniqueId", "orderId", "clickId"] */
  readonly keys?: readonly ReportKey[];
  /**
   * CAKE's word for each word of the orders. A word that is not in it is an error.
   * @default CAKE's own words; of `shopify`, `woocommerce` and `stripe` their own, as docs/report.md lists them
   */
  readonly statuses?: Readonly<Record<string, string>>;
  /** The account's currency, such as `USD`. Needed where orders are in several. */
  readonly currency?: string;
  /** Which of several conversions with one key stands for all. @default "approved" */
  readonly prefer?: "approved" | "first";
  /** The most memory that rows may take, such as `"1 GB"`. @default "3.9 GB" */
  readonly memory?: string;
  /** One of several parts of what does not fit: read the same files once for each. Goes with one key. */
  readonly part?: readonly [part: number, of: number];
  /** A column of the orders, or a percentage of one, that is what the advertiser owes. */
  readonly revenue?: string | { readonly percent: string; readonly of: string };
}

/** Bytes, wherever they come from. Files and pages may be cut anywhere. */
export type ReportSource =
  | Uint8Array
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>;

/** How far it has come. */
export interface ReportProgress {
  /** Bytes of the file read so far; of reconciling the share that is done, from 0 to 1. */
  readonly done: number;
}

/** How a file is read. Nothing of it is guessed. */
export interface SourceOptions {
  /** The file's name, for whoever reads the result. */
  readonly name?: string;
  /** Whose export it is. @default "simple" for orders, "cake" for what CAKE reports */
  readonly dialect?: "simple" | "shopify" | "woocommerce" | "stripe" | "cake";
  /** @default by its first character: `{` and `[` begin JSON */
  readonly format?: "csv" | "json";
  /** @default the one under which the header has known columns */
  readonly delimiter?: "," | ";" | "\t" | "|";
  /** The decimal mark. @default "." where no amount could mean anything else */
  readonly decimal?: "." | ",";
  /** What stands between thousands. @default nothing */
  readonly group?: "." | "," | " " | "'" | "";
  /** Are amounts in the currency's smallest unit? @default "major", of `stripe` "smallest" */
  readonly units?: "major" | "smallest";
  /** How days are written that do not begin with their year. @default an error where there is one */
  readonly dates?: "YYYY-MM-DD" | "DD/MM/YYYY" | "MM/DD/YYYY" | "unix";
  /** @default UTF-8, and an error where it is not */
  readonly encoding?: "utf-8" | "windows-1252";
  /** The names of columns, or paths of fields such as `metadata.order_id`, that the dialect does not know. */
  readonly columns?: Readonly<Partial<Record<Role, string>>>;
  /** What unique ids and order ids begin with in the file and not at CAKE, such as `#`. */
  readonly idPrefix?: string;
  /** Of the forwarder's export: the state of all its events, where the file has no column for it. */
  readonly state?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ReportProgress) => void;
}

/** What was read as what. */
export interface Understood {
  readonly kind: "orders" | "conversions" | "deliveries" | "clicks";
  readonly name?: string;
  readonly dialect: string;
  readonly format: "csv" | "json" | "empty";
  readonly encoding: string;
  readonly delimiter?: string;
  /** The header's columns; one without a role is not read. */
  readonly columns?: readonly { readonly name: string; readonly role?: Role }[];
  readonly units: string;
  readonly decimal?: string;
  readonly group?: string;
  readonly dates: string;
  readonly rows: number;
  readonly unreadable: number;
  /** Lines that only add an item to the order before them (Shopify). */
  readonly lineItems: number;
  /** The first three rows, as they were understood. */
  readonly samples: readonly Readonly<Partial<Record<Role, string>>>[];
}

/** What became of a row. Each has exactly one. */
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
  | "read_twice"
  | "unreadable";

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
  "read_twice",
  "unreadable",
];

/** The classes that are no difference. */
export const AGREED: readonly RowClass[] = ["matched", "outside_window", "refund", "read_twice"];

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
  readonly currency?: string;
}

/** The same by offer and affiliate. */
export interface PairSums extends ClassSums {
  readonly offerId?: string;
  readonly affiliateId?: string;
}

/** Where a row was: a line of CSV, or the number of a row of JSON, both from 1. */
export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly row?: number;
}

/** One side of a row. */
export interface RowSide extends Place {
  readonly uniqueId?: string;
  readonly orderId?: string;
  readonly clickId?: string;
  readonly conversionId?: string;
  readonly offerId?: string;
  readonly affiliateId?: string;
  /** On the account's clock. */
  readonly date?: string;
  readonly revenue?: string;
  readonly revenueAfterRefunds?: string;
  readonly payout?: string;
  readonly currency?: string;
  readonly status?: string;
}

/** A row of the result: an order, a conversion, or both. */
export interface ReportRow {
  readonly class: RowClass;
  /** All of them, not only the one that made the class. */
  readonly reasons: readonly string[];
  readonly order?: RowSide;
  readonly conversion?: RowSide;
  /** The row that stands for a duplicate, a refund, or a row that was read twice. */
  readonly of?: RowSide;
  /** Conversions whose key is nearly the same; never a match. */
  readonly wouldMatch?: readonly {
    readonly key: ReportKey;
    /** What they differ by. */
    readonly without: string;
    readonly conversion: RowSide;
  }[];
  readonly unreadable?: Place & { readonly of: string; readonly text?: string };
}

/** What is grouped by. */
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

/** A dimension of one's own: called once for each combination of values, not for each click. */
export interface OwnDimension {
  readonly name: string;
  readonly of: readonly Dimension[];
  readonly label: (values: Readonly<Record<string, string>>) => string;
}

/** What clicks and conversions are broken down by. */
export interface BreakDownOptions {
  readonly by: readonly (Dimension | OwnDimension)[];
  /** What two clicks of one visitor share within a group. @default "address" */
  readonly unique?: "address" | "addressAndDay";
  /** The largest first; `key` sorts by name. @default "clicks" */
  readonly sort?: "clicks" | "uniqueClicks" | "conversions" | "rate" | "payout" | "revenue" | "margin" | "epc" | "key";
  /** How many groups; the others are added up as `rest`. @default all */
  readonly top?: number;
}

/** What is counted of a group. */
export interface Figures {
  readonly clicks: number;
  readonly uniqueClicks: number;
  readonly conversions: number;
  /** Conversions by status, as far as rows tell it. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Conversions a click, with Wilson's interval at 95 %; absent without clicks. */
  readonly rate?: number;
  readonly rateLow?: number;
  readonly rateHigh?: number;
  /** Of approved conversions, and of those without a status. */
  readonly payout: string;
  readonly revenue: string;
  readonly margin: string;
  readonly pendingPayout: string;
  /** Approved payout a click, to four places. */
  readonly epc?: string;
  /** From click to conversion, the nearest rank. */
  readonly medianSeconds?: number;
  readonly p90Seconds?: number;
}

/** Clicks and conversions by group. */
export interface BreakDown {
  readonly total: Figures;
  readonly groups: readonly (Figures & { readonly key: Readonly<Record<string, string>> })[];
  /** All groups after the top ones, where there are any. */
  readonly rest?: Figures;
  readonly groupsInAll: number;
  /** Clicks outside of the report's days. */
  readonly clicksOutside: number;
}

/** How credit is given. */
export type Model =
  | "last"
  | "first"
  | "linear"
  | "position"
  | "markov"
  | "shapley"
  | { readonly position: { readonly first: number; readonly last: number } }
  | { readonly timeDecay: { readonly halfLifeDays: number } };

/** A journey that was handed in, such as the touches that a page has stored. */
export interface JourneyInput {
  /** The first touch first. */
  readonly touches: readonly { readonly channel: string; readonly secondsBefore?: number }[];
  readonly converted: boolean;
  /** What the conversion pays, as text. @default "0" */
  readonly payout?: string;
}

/** Which journeys, and which models. */
export interface AttributeOptions {
  readonly models: readonly Model[];
  /** Journeys of one's own; without them they are made of clicks. */
  readonly journeys?: Iterable<JourneyInput>;
  /** What clicks of one visitor share. @default "address" */
  readonly key?: Dimension | "address";
  /** What credit is given to. @default "affiliate" */
  readonly channel?: Dimension;
}

/** The models side by side. */
export interface Attribution {
  readonly journeys: number;
  readonly conversions: number;
  readonly payout: string;
  readonly models: readonly {
    readonly model: string;
    readonly channels: readonly {
      readonly channel: string;
      /** The channels' payouts add up to the whole one. */
      readonly payout: string;
      readonly conversions: number;
      readonly removalEffect?: number;
    }[];
  }[];
}

/** What CAKE is told. */
export interface CorrectionOptions {
  /** The reconciliation tool's file, or the bulk upload's. @default "reconciliation" */
  readonly file?: "reconciliation" | "upload";
  /** At most so many lines, and at most so much money: what exceeds it is left for the next time. */
  readonly cap?: { readonly rows?: number; readonly amount?: string };
  /** The offer of orders that name none. */
  readonly offerId?: string;
  /** Unpaired conversions that are to be rejected. @default ["duplicate_conversion"] */
  readonly reject?: readonly ("duplicate_conversion" | "unknown_to_advertiser")[];
  /** What was written before, as the last result's `journal` has it: it is not written again. */
  readonly journal?: Iterable<string>;
}

/** A correction as `applyCorrections` of the client takes it. */
export interface CorrectedRow {
  readonly conversionId?: number;
  readonly uniqueId?: string;
  readonly offerId: number;
  readonly status?: "returned" | "rejected" | "approved" | "pending";
  readonly payout?: string;
  /** How much money it moves. */
  readonly amount: string;
}

/** Corrections, ready to be written. */
export interface Corrections {
  /** The lines of the reconciliation tool's file, for CAKE's older services; empty for the bulk upload. */
  readonly rows: readonly CorrectedRow[];
  /** The file, byte by byte as CAKE reads it. */
  readonly csv: string;
  readonly lines: number;
  readonly amount: string;
  /** One line for each correction of the file: keep them, and pass them to the next call. */
  readonly journal: readonly string[];
  /** Written before, so left out. */
  readonly repeated: number;
  /** Left out because of the cap. */
  readonly capped: number;
  /** Left out because something is missing, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}
