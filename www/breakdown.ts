/**
 * The past, added up through CAKE's API: clicks, conversions and earnings by day,
 * affiliate and sub id. Runs beside the API key, never in the page.
 */
import type { CakeClient } from "cake-edge";
import { unitsOf } from "./figure.js";

/** A sum of one day, affiliate and sub id. */
export interface Cell {
  /** An index into {@link Breakdown.days}. */
  readonly day: number;
  readonly affiliateId: number;
  readonly s1: string;
  clicks: number;
  conversions: number;
  /** Approved payouts in 1/10000: whole numbers add up exactly. */
  earned: number;
}

/** What `breakdown.json` answers. */
export interface Breakdown {
  /** `YYYY-MM-DD`, in the account's time zone, without a gap. */
  readonly days: readonly string[];
  readonly cells: readonly Cell[];
}

const DAY_MS = 86_400_000;

/** Adds up the last `days` days. A conversion counts on the day of its click. */
export async function breakDown(cake: CakeClient, now: number, days: number): Promise<Breakdown> {
  const names = Array.from({ length: days }, (_, index) => dayOf(now - (days - 1 - index) * DAY_MS));
  // The last day itself is left out of CAKE's reports.
  const range = { startDate: names[0] ?? "", endDate: dayOf(now + DAY_MS) };
  const earned = new Map<number, number>();
  for await (const conversion of cake.listConversions(range)) {
    const units = conversion.conversionStatus === "approved" ? unitsOf(conversion.payoutText) : 0;
    if (conversion.conversionId !== undefined) earned.set(conversion.conversionId, units);
  }
  const indices = new Map(names.map((name, index) => [name, index]));
  const cells = new Map<string, Cell>();
  for await (const click of cake.listClicks({ ...range, rowLimit: 10_000 })) {
    const day = indices.get((click.clickDate ?? "").slice(0, 10));
    if (day === undefined) continue;
    const { affiliateId = 0, subId1: s1 = "" } = click;
    const key = `${day} ${affiliateId} ${s1}`;
    const cell = cells.get(key) ?? { day, affiliateId, s1, clicks: 0, conversions: 0, earned: 0 };
    cells.set(key, cell);
    cell.clicks += 1;
    if (click.conversionId !== undefined) {
      cell.conversions += 1;
      cell.earned += earned.get(click.conversionId) ?? 0;
    }
  }
  return { days: names, cells: [...cells.values()] };
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
