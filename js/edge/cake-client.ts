/** The API client as its callers see it: its calls, their parameters and their answers. */
import type { CallOptions } from "./call-options.js";
import type { Click } from "./click.js";
import type { Verify } from "./client-options.js";
import type { Conversion, ConversionStatus, Correction, ListedConversion, ReportedConversion } from "./conversion.js";
import type { List, ListOptions, RowRange } from "./list.js";

/** The filters of Get Click. */
export interface ListClicksParams extends RowRange {
  /** The first day, `YYYY-MM-DD`, in the account's time zone. */
  readonly startDate?: string | undefined;
  /** The last day, `YYYY-MM-DD`. CAKE's reports have left out this day itself: see `dayRange`. */
  readonly endDate?: string | undefined;
  /** Only clicks on this offer. */
  readonly offerId?: number | undefined;
  /** Only clicks of this affiliate. */
  readonly affiliateId?: number | undefined;
}

/** The parameters of Record Conversion. */
export interface RecordConversionParams {
  /** The click id that was captured at click time. */
  readonly clickId: string;
  /** The offer that the conversion belongs to. */
  readonly offerId: number;
  /**
   * Overrides the affiliate's payout: an exact decimal such as `"18.00"`. A number counts as its digits: `18.5` is
   * accepted, `0.1 + 0.2` is refused.
   * @default by the offer's rules
   */
  readonly payout?: string | number | undefined;
  /** Overrides the advertiser's revenue, in the same form. @default by the offer's rules */
  readonly revenue?: string | number | undefined;
  /**
   * In the account's civil time, `YYYY-MM-DD HH:MM:SS`; or a `Date`, if the client knows the account's `timeZone`.
   * @default now, by CAKE's clock
   */
  readonly conversionDate?: string | Date | undefined;
  /**
   * Your transaction id, as your shop writes it: up to 128 characters, and no e-mail address. CAKE deduplicates only by
   * this id. Without it the conversion is never sent again.
   */
  readonly uniqueId?: string | number | bigint | undefined;
  /** Your order reference, in the same form. */
  readonly orderId?: string | number | bigint | undefined;
  /** Free for your own use. */
  readonly adv1?: string | undefined;
  /** Free for your own use. */
  readonly adv2?: string | undefined;
  /** Free for your own use. */
  readonly adv3?: string | undefined;
  /** Free for your own use. */
  readonly adv4?: string | undefined;
  /** Free for your own use. */
  readonly adv5?: string | undefined;
}

/** How to record one conversion. */
export interface RecordConversionOptions extends CallOptions {
  /** The check before this conversion is sent again. @default the client's */
  readonly verify?: Verify | undefined;
}

/** The filters of Get Conversions. */
export interface ListConversionsParams extends RowRange {
  /** The first day, `YYYY-MM-DD`, in the account's time zone. */
  readonly startDate: string;
  /** The last day, `YYYY-MM-DD`. CAKE's reports have left out this day itself: see `dayRange`. */
  readonly endDate: string;
  /** Only conversions on this offer. */
  readonly offerId?: number | undefined;
  /** Only conversions of this affiliate. */
  readonly affiliateId?: number | undefined;
  /** Only conversions for this advertiser. */
  readonly advertiserId?: number | undefined;
  /** Only conversions of this status, as a row tells it, in any case. A word that looks like a misspelt one is refused. */
  readonly conversionStatus?: ConversionStatus | undefined;
  /** CAKE's name of the field to sort by, such as `conversion_date`. */
  readonly sortField?: string | undefined;
  /** Return the newest or largest first? @default false */
  readonly sortDescending?: boolean | undefined;
}

/** The filters of the conversion report. */
export interface ListConversionReportParams extends RowRange {
  /** The first day, `YYYY-MM-DD`, in the account's time zone. */
  readonly startDate: string;
  /** The last day, `YYYY-MM-DD`. CAKE's reports have left out this day itself: see `dayRange`. */
  readonly endDate: string;
  /** Only conversions on this offer. */
  readonly offerId?: number | undefined;
  /** Only conversions of this affiliate. */
  readonly affiliateId?: number | undefined;
  /** Only conversions of this status, as a row tells it, in any case. A word that looks like a misspelt one is refused. */
  readonly conversionStatus?: ConversionStatus | undefined;
  /** CAKE's name of the field to sort by, such as `conversion_date`. */
  readonly sortField?: string | undefined;
  /** Return the newest or largest first? @default false */
  readonly sortDescending?: boolean | undefined;
}

/** The filters of conversions that changed. */
export interface ListConversionChangesParams extends RowRange {
  /** The first day of the changes, `YYYY-MM-DD`, in the account's time zone. */
  readonly since: string;
  /** Also return conversions that are only new? @default false */
  readonly includesNew?: boolean | undefined;
  /** Only conversions on this offer. */
  readonly offerId?: number | undefined;
  /** Only conversions of this affiliate. */
  readonly affiliateId?: number | undefined;
  /** Only conversions for this advertiser. */
  readonly advertiserId?: number | undefined;
  /** Return the newest first? @default false */
  readonly sortDescending?: boolean | undefined;
}

/** The parameters of a correction. Fields that are left out stay as they are. */
export interface CorrectConversionParams {
  /**
   * Your own id of this correction, without `[` and `]`. The note ends with it, such as `[refund-4711]`. If an answer
   * is lost, the client uses it to find out whether the correction was applied.
   */
  readonly correctionId?: string | number | bigint | undefined;
  /** CAKE's id of the conversion. Give this id or the `uniqueId`. */
  readonly conversionId?: number | undefined;
  /** Your transaction id of the conversion. */
  readonly uniqueId?: string | number | bigint | undefined;
  /** The offer that the conversion belongs to. */
  readonly offerId: number;
  /** The affiliate's new total payout: an exact decimal such as `"9.00"`, never negative. */
  readonly payout?: string | number | undefined;
  /** An amount to add to the payout; a minus takes it back. Sent once only. */
  readonly payoutAdded?: string | number | undefined;
  /** The advertiser's new total payment. */
  readonly revenue?: string | number | undefined;
  /** An amount to add to the revenue; a minus takes it back. Sent once only. */
  readonly revenueAdded?: string | number | undefined;
  /** The new status. A refund is `returned`. */
  readonly status?: "returned" | "rejected" | "approved" | "pending" | undefined;
  /** CAKE's id of one of your account's dispositions, the reason for the status. */
  readonly dispositionId?: number | undefined;
  /**
   * A text to append to the conversion's note, up to 500 characters. If an answer is lost, the client uses it to find
   * out whether the correction was applied. So give each correction its own, such as `refund 4711`. A correction that
   * adds an amount must have a note or a `correctionId`.
   */
  readonly note?: string | undefined;
  /** The day that the correction counts for: `"today"`, `"conversion_date"` or `YYYY-MM-DD`. @default "today" */
  readonly effectiveDate?: "today" | "conversion_date" | (string & {}) | undefined;
}

/** The options of a correction. */
export interface CorrectConversionOptions extends CallOptions {
  /** Check the correction and return the request without sending it. @default false */
  readonly dryRun?: boolean | undefined;
}

/** The parameters of Create Postback. */
export interface CreatePostbackParams {
  /** The affiliate to tell. */
  readonly affiliateId: number;
  /** The offer; 0 for all offers. */
  readonly offerId: number;
  /** An https URL with CAKE's macros, such as `https://partner.example/?id=#reqsessid#&payout=#price#`. */
  readonly postbackUrl: string;
  /** The status of the new postback. @default "active" */
  readonly postbackStatus?: "active" | "inactive" | undefined;
  /** The kind: 1 server to server, 2 iframe, 3 image, 4 JavaScript. @default CAKE's */
  readonly postbackTypeId?: 1 | 2 | 3 | 4 | undefined;
}

/** A postback that CAKE will fire. */
export interface Postback {
  readonly postbackId: number;
  readonly affiliateId?: number | undefined;
  /** The offer; 0 for all offers. */
  readonly offerId?: number | undefined;
  readonly postbackUrl?: string | undefined;
  /** The kind, such as `Server`. */
  readonly postbackType?: string | undefined;
  /** The kind's number, where CAKE tells it: see `postbackTypeId` of the parameters. */
  readonly postbackTypeId?: number | undefined;
  readonly postbackStatus?: "active" | "inactive" | (string & {}) | undefined;
}

/** The filters of Get Tracking Domains. The older services have none. */
export interface ListTrackingDomainsParams {
  /** Only the domain with this id. */
  readonly trackingDomainId?: number | undefined;
  /** Only domains with this status. */
  readonly domainStatus?: "active" | "inactive" | undefined;
}

/** A branded domain of the network. */
export interface TrackingDomain {
  /** CAKE's id of the domain. Like every other field, it is absent if the account's row lacks it. */
  readonly trackingDomainId?: number | undefined;
  /** The host name, such as `track.yournetwork.com`. */
  readonly domain?: string | undefined;
  readonly domainStatus?: "active" | "inactive" | (string & {}) | undefined;
  /** Is it the default domain of links? */
  readonly isDefault?: boolean | undefined;
}

/** The options of the doctor. */
export interface CheckOptions extends CallOptions {
  /** The id of one of your clicks, to check that CAKE knows it. */
  readonly clickId?: string | undefined;
}

/** One check of the doctor. */
export interface Check {
  readonly name:
    | "reachable"
    | "key"
    | "domains"
    | "default_domain"
    | "clock"
    | "click"
    | "services"
    | "get_click"
    | "get_conversions"
    | "conversion_report";
  readonly status: "ok" | "failed" | "skipped";
  /** The finding. */
  readonly found: string;
  /** The advice, unless all is well. */
  readonly advice?: string | undefined;
}

/** The doctor's report. */
export interface CheckReport {
  /** Did no check fail? */
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

/**
 * CAKE's API. Every call may throw a CakeError: `invalid_…` before anything is sent. Errors of the network are
 * `network`, `timeout`, `aborted`. Errors of answers are `http_status`, `rate_limited`, `unauthorized`, `refused`,
 * `unexpected_answer`, `redirected`, `answer_too_large`.
 */
export interface CakeClient {
  /**
   * Get Click by click id; `undefined` if CAKE knows none.
   * @throws CakeError `invalid_click_id`, `placeholder_text`, and those of the network and of answers
   */
  getClick(clickId: string, options?: CallOptions): Promise<Click | undefined>;
  /**
   * Get Click by filters.
   * @throws CakeError `invalid_field`, `invalid_id`, and those of the network and of answers
   */
  listClicks(params?: ListClicksParams, options?: ListOptions): List<Click>;
  /**
   * Record Conversion. It is sent again only with a `uniqueId`, and only after Get Click has said that the click has
   * not converted (see `verify`).
   * @throws CakeError `outcome_unknown` if no clear answer came: the conversion may or may not be recorded, and `cause`
   * holds the error that came instead. `read_only`, `invalid_click_id`, `placeholder_text`, `invalid_id`,
   * `invalid_money`, `invalid_time`, `invalid_unique_id`, `invalid_text`, `invalid_field`, and those of answers
   */
  recordConversion(params: RecordConversionParams, options?: RecordConversionOptions): Promise<Conversion>;
  /**
   * Get Conversions.
   * @throws CakeError `invalid_field`, `invalid_id`, and those of the network and of answers
   */
  listConversions(params: ListConversionsParams, options?: ListOptions): List<ListedConversion>;
  /**
   * The conversions that changed since a day, including refunds and corrections of weeks later. They always come from
   * the older services, whatever the option `services` says.
   * @throws CakeError `invalid_field`, `invalid_id`, and those of the network and of answers
   */
  listConversionChanges(params: ListConversionChangesParams, options?: ListOptions): List<ListedConversion>;
  /**
   * Corrects a conversion after the sale: totals, a status, or an amount to add. Uses the older services. If no clear
   * answer came, the client first checks whether new totals or a status were applied, and sends them again if not. An
   * added amount is sent only once.
   * @throws CakeError `outcome_unknown` if no clear answer came and the conversion does not show the correction: it may
   * or may not be applied. `read_only`, `invalid_field`, `invalid_id`, `invalid_money`, `invalid_unique_id`,
   * `invalid_text`, and those of answers
   * @example
   * await cake.correctConversion({ uniqueId: "ORD-98765", offerId: 12345, status: "returned", payout: "0", note: "refund 4711" });
   */
  correctConversion(params: CorrectConversionParams, options?: CorrectConversionOptions): Promise<Correction>;
  /**
   * The conversion report, `report/conversion.json`: up to 10,000 rows a page, with the unique id. Not every account
   * has it; `npx cake-edge doctor` tells whether yours does.
   * @throws CakeError `invalid_field`, `invalid_id`, and those of the network and of answers
   */
  listConversionReport(params: ListConversionReportParams, options?: ListOptions): List<ReportedConversion>;
  /**
   * Create Postback, sent once.
   * @throws CakeError `outcome_unknown` if no clear answer came; `read_only`, `invalid_field`, `invalid_id`,
   * `invalid_postback_url`, and those of answers
   */
  createPostback(params: CreatePostbackParams, options?: CallOptions): Promise<Postback>;
  /**
   * Get Tracking Domains.
   * @throws CakeError `invalid_field`, `invalid_id`, and those of the network and of answers
   */
  listTrackingDomains(params?: ListTrackingDomainsParams, options?: CallOptions): Promise<TrackingDomain[]>;
  /**
   * The doctor: examines the account check by check, each with its advice. Use it in a settings page or a deploy
   * script. Problems of the account are in the report; they are not thrown.
   * @throws CakeError `invalid_click_id`, `placeholder_text`, `aborted`
   * @example
   * const { ok, checks } = await cake.check();
   * for (const { name, status, found, advice } of checks) console.log(status, name, found, advice ?? "");
   * if (!ok) process.exit(1);
   */
  check(options?: CheckOptions): Promise<CheckReport>;
}
