/** Conversions as CAKE reports them: money as exact text and as a number, times with their instant. */
import type { Dates, UnreadField } from "./dates.js";

/** The status of a conversion. An open set: CAKE has more words than its article. */
export type ConversionStatus =
  | "approved"
  | "pending"
  | "rejected"
  | "ignored"
  | "reversed"
  | "returned"
  | "scrubbed"
  | (string & {});

/** The money and times that recorded and listed conversions have in common. */
export interface ConversionFacts {
  /** CAKE's id of the conversion. */
  readonly conversionId?: number | undefined;
  /** The affiliate's payout. For sums use {@link payoutText}: this number is a binary fraction. */
  readonly payout?: number | undefined;
  /** The payout exactly as CAKE wrote it, such as `18.00`. */
  readonly payoutText?: string | undefined;
  /** The advertiser's payment. For sums use {@link revenueText}. */
  readonly revenue?: number | undefined;
  /** The revenue exactly as CAKE wrote it. */
  readonly revenueText?: string | undefined;
  /** The date as CAKE wrote it; by the article in the account's civil time, `YYYY-MM-DD HH:MM:SS`. */
  readonly conversionDate?: string | undefined;
  /** The date as an instant, if the text itself is one or the client knows the account's `timeZone`. */
  readonly conversionAt?: Date | undefined;
  /** The conversion's status, in lower case whatever case the account writes it in. */
  readonly conversionStatus?: ConversionStatus | undefined;
  /** The click that converted. Get Conversions returns it only in some accounts. */
  readonly clickId?: string | undefined;
  /** Your transaction id. Get Conversions returns it only in some accounts. */
  readonly uniqueId?: string | undefined;
}

/** A conversion that was recorded. */
export interface Conversion extends ConversionFacts {
  /**
   * CAKE's id of the conversion. It is absent only if {@link isRecovered}, and CAKE has said that it has this
   * `uniqueId`, and not as which conversion.
   */
  readonly conversionId?: number | undefined;
  readonly offerId?: number | undefined;
  /** CAKE's own test affiliate is -1. */
  readonly affiliateId?: number | undefined;
  /**
   * Was CAKE's own answer lost, and the conversion then found by a look-up, or by CAKE's answer that it is a duplicate?
   * Only the conversion report tells its amounts and date.
   */
  readonly isRecovered: boolean;
}

/** A row of Get Conversions. A field that the account's row lacks is absent. */
export interface ListedConversion extends ConversionFacts {
  readonly offer: { readonly offerId?: number | undefined; readonly offerName?: string | undefined };
  readonly affiliate: { readonly affiliateId?: number | undefined; readonly affiliateName?: string | undefined };
  /** Your order reference, in accounts that return it. */
  readonly orderId?: string | undefined;
  /** The customer's total, exactly as CAKE wrote it. Only the older services return this field and those below. */
  readonly orderTotalText?: string | undefined;
  /** The currency of all amounts, such as `EUR`; absent if they have several. */
  readonly currency?: string | undefined;
  /** The currency of the payout: an affiliate's own. */
  readonly payoutCurrency?: string | undefined;
  /** The currency of the revenue: an advertiser's own. */
  readonly revenueCurrency?: string | undefined;
  /** The currency of the customer's total. */
  readonly orderTotalCurrency?: string | undefined;
  /** The name of the disposition, one of your account's. */
  readonly disposition?: string | undefined;
  /** The event that the conversion belongs to. */
  readonly eventId?: number | undefined;
  readonly eventName?: string | undefined;
  /** The time of the last change, as CAKE wrote it; in the account's civil time. */
  readonly updatedDate?: string | undefined;
  /** The same as an instant, if the client knows the account's `timeZone`. */
  readonly updatedAt?: Date | undefined;
  /** The conversion's note, corrections included. */
  readonly note?: string | undefined;
}

/** A correction that CAKE has applied, or that a dry run has checked. */
export interface Correction {
  /** CAKE's id of the conversion, if you gave it or its row contained it. */
  readonly conversionId?: number | undefined;
  /** Your transaction id, if you gave it or the row contained it. */
  readonly uniqueId?: string | undefined;
  readonly offerId: number;
  /** CAKE's words, such as `Conversion Updated`. */
  readonly message?: string | undefined;
  /** Was CAKE's own answer lost, and the correction then found on the conversion? */
  readonly isRecovered: boolean;
  /** Was nothing sent, because you asked for a dry run? */
  readonly isDryRun: boolean;
  /** The query that is sent, without the API key. */
  readonly query: string;
}

/** A row of the conversion report. A field that the account's row lacks is absent. */
export interface ReportedConversion extends ConversionFacts {
  readonly offerId?: number | undefined;
  /** CAKE's own test affiliate is -1. */
  readonly affiliateId?: number | undefined;
  /** Your order reference, in accounts that return it. */
  readonly orderId?: string | undefined;
}

/** Adds the number to each amount's text, and the instant to the dates. */
export function complete<T extends ConversionFacts & Pick<ListedConversion, "updatedDate">>(
  { unread, ...read }: T & { readonly unread?: readonly UnreadField[] },
  dates: Dates,
): T {
  dates.reportUnread(unread);
  const facts = read as unknown as T;
  const { payoutText, revenueText, conversionDate, updatedDate } = facts;
  const more: { payout?: number; revenue?: number; conversionAt?: Date; updatedAt?: Date } = {};
  const payout = dates.findAmount("payout", payoutText);
  if (payout !== undefined) more.payout = payout;
  const revenue = dates.findAmount("revenue", revenueText);
  if (revenue !== undefined) more.revenue = revenue;
  const at = dates.findInstant("conversionDate", conversionDate);
  if (at) more.conversionAt = at;
  const updatedAt = dates.findInstant("updatedDate", updatedDate);
  if (updatedAt) more.updatedAt = updatedAt;
  return Object.assign(facts, more);
}
