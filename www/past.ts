/**
 * The history, added up by the package's report: clicks, conversions and earnings by day, affiliate and sub id. CAKE's
 * pages go in unchanged. This code runs beside the API key, never in the page.
 */
import type { CakeClient } from "cake-edge";
import { openReport } from "cake-edge/report";
import { DAY_MS, dayOf } from "./day.js";
import { unitsOf } from "./figure.js";

/** A sum of one day, affiliate and sub id. */
export interface Cell {
  /** An index into {@link Past.days}. */
  readonly day: number;
  readonly affiliateId: number;
  readonly s1: string;
  readonly clicks: number;
  readonly conversions: number;
  /** Approved payouts in 1/10000: whole numbers add up exactly. */
  readonly earned: number;
}

/** The answer of `breakdown.json`. */
export interface Past {
  /** `YYYY-MM-DD`, in the account's time zone, every day without a gap. */
  readonly days: readonly string[];
  readonly cells: readonly Cell[];
}

/** Adds up the last `days` days. A conversion counts on the day of its click. */
export async function readPast(cake: CakeClient, now: number, days: number): Promise<Past> {
  const names = Array.from({ length: days }, (_, index) => dayOf(now - (days - 1 - index) * DAY_MS));
  const [from = "", to = from] = [names[0], names.at(-1)];
  // CAKE's reports exclude the last day.
  const range = { startDate: from, endDate: dayOf(now + DAY_MS) };
  using report = await openReport({ from, to });
  await report.addConversions(cake.listConversionReport(range).bytes());
  await report.addClicks(cake.listClicks({ ...range, rowLimit: 10_000 }).bytes());
  const indices = new Map(names.map((name, index) => [name, index]));
  const { groups } = report.breakDown({ by: ["day", "affiliate", "subId1"] });
  const cells = groups.flatMap(({ key, clicks, conversions, payout }) => {
    const day = indices.get(key["day"] ?? "");
    // A conversion without a click here belongs to an earlier click.
    if (day === undefined || clicks === 0) return [];
    const { affiliate, subId1: s1 = "" } = key;
    return { day, affiliateId: Number(affiliate), s1, clicks, conversions, earned: unitsOf(payout) };
  });
  return { days: names, cells };
}
