/** The rows of a network, as `src/sandbox/row.rs` defines them. */

/** A logged click. */
export interface ClickRow {
  readonly number: number;
  readonly click_id: string;
  readonly click_date: string;
  readonly offer_id: number;
  readonly affiliate_id: number;
  readonly creative_id: number;
  readonly sub_id_1: string | null;
  readonly sub_id_2: string | null;
  readonly sub_id_3: string | null;
  readonly sub_id_4: string | null;
  readonly sub_id_5: string | null;
  readonly ip_address: string | null;
  readonly country: string | null;
  /** The first conversion of the click; looked up, not stored. */
  readonly conversion_id?: number | null | undefined;
}

/** A recorded conversion; amounts as exact texts and in 1/10000. */
export interface ConversionRow {
  readonly conversion_id: number;
  readonly click_id: string;
  readonly offer_id: number;
  readonly affiliate_id: number;
  readonly payout: string;
  readonly payout_units: number;
  readonly revenue: string;
  readonly revenue_units: number;
  readonly unique_id: string | null;
  readonly dedupe_key: string | null;
  readonly order_id: string | null;
  readonly conversion_date: string;
  readonly conversion_status: string;
  readonly adv1: string | null;
  readonly adv2: string | null;
  readonly adv3: string | null;
  readonly adv4: string | null;
  readonly adv5: string | null;
  /** `e` of the pixel: the event. */
  readonly event_id: number | null;
  /** `ect` of the pixel: the customer's total. */
  readonly order_total: string | null;
  /** `eccu` of the pixel: three capital letters. */
  readonly currency: string | null;
  /** `ecc` of the pixel. */
  readonly coupons: string | null;
  /** `udid` of the pixel: the device's id. */
  readonly udid: string | null;
  /** The appended notes, including those of corrections. */
  readonly note: string | null;
  /** The time of the last change; null in a generated history. */
  readonly updated_date: string | null;
  /** The number of moves and corrections. */
  readonly corrections: number;
}

/** A postback of an affiliate. */
export interface PostbackRow {
  readonly postback_id: number;
  readonly affiliate_id: number;
  readonly offer_id: number;
  readonly postback_url: string;
  readonly postback_status: string;
  readonly postback_type_id: number;
}

/** A row of the postback log: one postback for one event. */
export interface FiredPostback {
  readonly fired_id: number;
  readonly postback_id: number;
  readonly conversion_id: number;
  /** The event. */
  readonly event: "conversion" | "approval" | "rejection";
  readonly postback_type: "Server" | "iFrame" | "Image" | "JavaScript";
  readonly url: string;
  /**
   * `refused`: the host is not on the allow-list. `in_browser`: the postback was markup in a pixel's answer.
   * `undeliverable`: the postback needs a browser, and there was none.
   */
  readonly state: "due" | "delivered" | "failed" | "refused" | "in_browser" | "undeliverable";
  /** The HTTP status of the last answer; null without an answer. */
  readonly status: number | null;
  readonly attempts: number;
  /** Milliseconds since 1970 by the network's clock, as in the two fields below. */
  readonly at_ms: number;
  /** The time of the last attempt's end. */
  readonly answered_ms: number | null;
  /** The time of the next attempt, while the row is due. */
  readonly next_ms: number | null;
}

/** The numbers for the next rows. */
export interface Numbers {
  click: number;
  conversion: number;
  postback: number;
  fired: number;
}

/** The first numbers: conversions and postbacks begin with the article's. */
export const FIRST_NUMBERS: Readonly<Numbers> = { click: 1, conversion: 998_877, postback: 8_801, fired: 1 };

/** The balance of an affiliate. */
export interface Balance {
  readonly affiliate_id: number;
  readonly affiliate_name: string;
  readonly conversions: number;
  readonly approved: number;
  /** The exact sum of the approved payouts. */
  readonly owed: string;
  /** The sum of the pending payouts. */
  readonly pending: string;
}

/** The totals of the network. */
export interface Totals {
  readonly clicks: number;
  readonly balances: readonly Balance[];
  /** The exact sum that is owed to all affiliates. */
  readonly owed: string;
}

/** The moves from a status. */
export interface StatusMoves {
  readonly conversion_status: string;
  readonly moves: readonly {
    /** The last part of the move's route. */
    readonly verb: "approve" | "reject" | "reverse";
    /** The status after the move. */
    readonly leads_to: string;
  }[];
}

/** The answer of `GET /__sandbox/state`: rows, newest first. */
export interface SandboxState {
  readonly clicks: readonly ClickRow[];
  readonly conversions: readonly ConversionRow[];
  /** The postback log. */
  readonly postbacks: readonly FiredPostback[];
  readonly totals: Totals;
  readonly clock: Clock;
  /** The active fault rules. */
  readonly faults: readonly FaultRule[];
  readonly fixture: FixtureNames;
  /** Every status, with the moves from it. */
  readonly status_moves: readonly StatusMoves[];
}

/** The kinds of faults; see docs/sandbox.md. */
export type FaultKind =
  | "latency"
  | "rate_limit"
  | "server_error"
  | "restricted"
  | "html"
  | "cut_off"
  | "reset_before"
  | "reset_after"
  | "redirect"
  | "wrong_json";

/** The actions to which faults apply. */
export type SandboxAction =
  | "click"
  | "pixel"
  | "get_click"
  | "record_conversion"
  | "get_conversions"
  | "conversion_report"
  | "create_postback"
  | "get_tracking_domains"
  | "clicks"
  | "event_conversions"
  | "event_conversion_changes"
  | "update_conversion_events"
  | "tracking_domains";

/** One rule: a share of the calls, or a script for the next calls. */
export interface FaultRule {
  /** @default those of both APIs */
  readonly actions?: readonly SandboxAction[] | undefined;
  /** From 0 to 1. */
  readonly share?: number | null | undefined;
  /** The kinds from which a share is drawn, evenly. @default every kind */
  readonly kinds?: readonly FaultKind[] | undefined;
  /** A script in place of a share: the kinds of the next calls, in order. Null lets a call through. */
  readonly script?: readonly (FaultKind | null)[] | null | undefined;
  /** @default 1000 */
  readonly latency_ms?: number | undefined;
  /** The status of a server error. @default 500 */
  readonly status?: number | undefined;
  /** @default 1 */
  readonly retry_after_s?: number | undefined;
  /** The target of a redirect. */
  readonly location?: string | undefined;
  /** Is the call carried out in spite of the fault? @default true for `cut_off`, false for the others */
  readonly recorded?: boolean | null | undefined;
}

/** The parts of a fixture from which a view takes names. */
export interface FixtureNames {
  readonly offers: readonly { readonly offer_id: number; readonly offer_name: string }[];
  readonly affiliates: readonly { readonly affiliate_id: number; readonly affiliate_name: string }[];
  readonly creatives: readonly {
    readonly creative_id: number;
    readonly offer_id: number;
    readonly creative_name?: string | undefined;
  }[];
}

/** The network's time. */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly now_ms: number;
  /** `YYYY-MM-DD HH:MM:SS` in UTC. */
  readonly now: string;
  readonly is_frozen: boolean;
}
