/** Conversions as CAKE reports them: money as exact text and as a number, times with their instant. */
import type { Dates, UnreadField } from "./dates.js";

/** What became of a conversion. An open set: CAKE has more words than its article. */
export type ConversionStatus = "approved" | "pending" | "rejected" | "ignored" | "reversed" | (string & {});

/** Money and time, which a recorded and a listed conversion have in common. */
export interface ConversionFacts {
  /** CAKE's id of the conversion. */
  readonly conversionId: number;
  /** What the affiliate gets. For sums take {@link payoutText}: this is a binary fraction. */
  readonly payout?: number | undefined;
  /** The payout exactly as CAKE wrote it, such as `18.00`. */
  readonly payoutText?: string | undefined;
  /** What the advertiser pays. For sums take {@link revenueText}. */
  readonly revenue?: number | undefined;
  /** The revenue exactly as CAKE wrote it. */
  readonly revenueText?: string | undefined;
  /** In the account's civil time: `YYYY-MM-DD HH:MM:SS`. */
  readonly conversionDate?: string | undefined;
  /** The same as an instant, where it says so itself or the client knows the account's `timeZone`. */
  readonly conversionAt?: Date | undefined;
  /** What became of it. */
  readonly conversionStatus?: ConversionStatus | undefined;
  /** The click that converted. Get Conversions tells it in some accounts only. */
  readonly clickId?: string | undefined;
  /** Your transaction id. Get Conversions tells it in some accounts only. */
  readonly uniqueId?: string | undefined;
}

/** A conversion that was recorded. */
export interface Conversion extends ConversionFacts {
  readonly offerId?: number | undefined;
  /** CAKE's own test affiliate is -1. */
  readonly affiliateId?: number | undefined;
  /**
   * Was CAKE's own answer lost, and the conversion then found by Get Click? It
   * has neither amounts nor a date then.
   */
  readonly isRecovered: boolean;
}

/** A row of Get Conversions. What the account's row lacks is absent. */
export interface ListedConversion extends Partial<ConversionFacts> {
  readonly offer: { readonly offerId?: number | undefined; readonly offerName?: string | undefined };
  readonly affiliate: { readonly affiliateId?: number | undefined; readonly affiliateName?: string | undefined };
  /** Your order reference, in accounts that tell it. */
  readonly orderId?: string | undefined;
  /** What the customer paid, exactly as CAKE wrote it. Like all that follows, the older services tell it. */
  readonly orderTotalText?: string | undefined;
  /** The currency of the amounts, such as `EUR`. */
  readonly currency?: string | undefined;
  /** The name of its disposition, of those that your account has. */
  readonly disposition?: string | undefined;
  /** The event that it is of. */
  readonly eventId?: number | undefined;
  readonly eventName?: string | undefined;
  /** When it was changed last, in the account's civil time. */
  readonly updatedDate?: string | undefined;
  /** The same as an instant, where the client knows the account's `timeZone`. */
  readonly updatedAt?: Date | undefined;
  /** What was noted on it, corrections included. */
  readonly note?: string | undefined;
}

/** A correction that CAKE has taken, or that a dry run has checked. */
export interface Correction {
  /** CAKE's id of the conversion, where you gave it or its row told it. */
  readonly conversionId?: number | undefined;
  /** Your transaction id, likewise. */
  readonly uniqueId?: string | undefined;
  readonly offerId: number;
  /** CAKE's words, such as `Conversion Updated`. */
  readonly message?: string | undefined;
  /** Was CAKE's own answer lost, and the correction then found on the conversion? */
  readonly isRecovered: boolean;
  /** Was nothing sent, because you asked for a dry run? */
  readonly isDryRun: boolean;
  /** What is sent, without the API key. */
  readonly query: string;
}

/** A row of the conversion report. What the account's row lacks is absent. */
export interface ReportedConversion extends Partial<ConversionFacts> {
  readonly offerId?: number | undefined;
  /** CAKE's own test affiliate is -1. */
  readonly affiliateId?: number | undefined;
  /** Your order reference, in accounts that tell it. */
  readonly orderId?: string | undefined;
}

/** Puts the number beside each amount's text, and the instant beside the date. */
export function complete<T extends Partial<ConversionFacts> & Pick<ListedConversion, "updatedDate">>(
  { unread, ...read }: T & { readonly unread?: readonly UnreadField[] },
  dates: Dates,
): T {
  dates.tell(unread);
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
