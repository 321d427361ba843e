/** The rows of a network, as `src/sandbox/row.rs` writes them. */

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
  /** The first conversion that it became; looked up, not stored. */
  readonly conversion_id?: number | null;
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
  /** `ect` of the pixel: what the customer paid. */
  readonly order_total: string | null;
  /** `eccu` of the pixel: three capital letters. */
  readonly currency: string | null;
  /** `ecc` of the pixel. */
  readonly coupons: string | null;
  /** `udid` of the pixel: the device's id. */
  readonly udid: string | null;
  /** What was noted on it, corrections included. */
  readonly note: string | null;
  /** When it was recorded or changed last; null in a made-up past. */
  readonly updated_date: string | null;
  /** How often it has been moved or corrected. */
  readonly corrections: number;
}

/** A postback that an affiliate has set up. */
export interface PostbackRow {
  readonly postback_id: number;
  readonly affiliate_id: number;
  readonly offer_id: number;
  readonly postback_url: string;
  readonly postback_status: string;
  readonly postback_type_id: number;
}

/** One postback for one event: a row of the log. */
export interface FiredPostback {
  readonly fired_id: number;
  readonly postback_id: number;
  readonly conversion_id: number;
  /** What it tells of. */
  readonly event: "conversion" | "approval" | "rejection";
  readonly postback_type: "Server" | "iFrame" | "Image" | "JavaScript";
  readonly url: string;
  /**
   * `refused`: its host is not on the allow-list. `in_browser`: it was markup in
   * a pixel's answer. `undeliverable`: it needs a browser and there was none.
   */
  readonly state: "due" | "delivered" | "failed" | "refused" | "in_browser" | "undeliverable";
  /** The HTTP status of the last answer; null where none came. */
  readonly status: number | null;
  readonly attempts: number;
  /** Milliseconds since 1970, by the network's clock, like the two below. */
  readonly at_ms: number;
  /** When the last answer came, or failed to. */
  readonly answered_ms: number | null;
  /** When it is sent next, while it is due. */
  readonly next_ms: number | null;
}

/** The numbers that the next rows get. */
export interface Numbers {
  click: number;
  conversion: number;
  postback: number;
  fired: number;
}

/** The first numbers: those of conversions and postbacks are the article's. */
export const FIRST_NUMBERS: Readonly<Numbers> = { click: 1, conversion: 998_877, postback: 8_801, fired: 1 };

/** How an affiliate stands. */
export interface Balance {
  readonly affiliate_id: number;
  readonly affiliate_name: string;
  readonly conversions: number;
  readonly approved: number;
  /** The approved payouts, exactly. */
  readonly owed: string;
  /** What waits for approval. */
  readonly pending: string;
}

/** What there is in all. */
export interface Totals {
  readonly clicks: number;
  readonly balances: readonly Balance[];
  /** What all affiliates are owed together, exactly. */
  readonly owed: string;
}

/** What can be done to a conversion in a status. */
export interface StatusMoves {
  readonly conversion_status: string;
  readonly moves: readonly {
    /** The last part of the move's route. */
    readonly verb: "approve" | "reject" | "reverse";
    /** The status that it leads to. */
    readonly leads_to: string;
  }[];
}

/** What `GET /__sandbox/state` answers: rows, newest first. */
export interface SandboxState {
  readonly clicks: readonly ClickRow[];
  readonly conversions: readonly ConversionRow[];
  /** The log of fired postbacks. */
  readonly postbacks: readonly FiredPostback[];
  readonly totals: Totals;
  readonly clock: Clock;
  /** The rules in force. */
  readonly faults: readonly FaultRule[];
  readonly fixture: FixtureNames;
  /** Every status, with the moves that start from it. */
  readonly status_moves: readonly StatusMoves[];
}

/** What goes wrong; see docs/sandbox.md. */
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

/** The actions that faults strike. */
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

/** One rule: a share of the calls, or a script for the next ones. */
export interface FaultRule {
  /** @default those of both APIs */
  readonly actions?: readonly SandboxAction[];
  /** From 0 to 1. */
  readonly share?: number | null;
  /** What a share is drawn from, evenly. @default every kind */
  readonly kinds?: readonly FaultKind[];
  /** Instead of a share: what happens to the next calls; null lets one through. */
  readonly script?: readonly (FaultKind | null)[] | null;
  /** @default 1000 */
  readonly latency_ms?: number;
  /** Of a server error. @default 500 */
  readonly status?: number;
  /** @default 1 */
  readonly retry_after_s?: number;
  /** Of a redirect. */
  readonly location?: string;
  /** Is the work done behind a false answer? @default true for `cut_off`, false for the others */
  readonly recorded?: boolean | null;
}

/** The parts of a fixture that a view names things by. */
export interface FixtureNames {
  readonly offers: readonly { readonly offer_id: number; readonly offer_name: string }[];
  readonly affiliates: readonly { readonly affiliate_id: number; readonly affiliate_name: string }[];
  readonly creatives: readonly {
    readonly creative_id: number;
    readonly offer_id: number;
    readonly creative_name?: string;
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
