/**
 * The shop's orders of the last seven days against CAKE's report, by the package's report. This code runs beside the API
 * key, never in the page.
 */
import { type CakeClient, isCakeError } from "cake-edge";
import { AGREED, openReport, type ReportRow, type RowClass } from "cake-edge/report";
import { DAY_MS, dayOf } from "./day.js";

/** The order file's days, the present one included. */
const DAYS = 7;

/** The maximum size of an order file that is taken, in characters. */
const MAX_ORDERS = 400_000;

/** The maximum number of rows in an answer. */
const MAX_ROWS = 40;

/** The shop's words for CAKE's status. */
const STATUSES = { paid: "approved", open: "pending", cancelled: "rejected", returned: "returned" };

/** Counts and sums of one class. */
export interface ClassSum {
  readonly class: RowClass;
  readonly orders: number;
  readonly conversions: number;
  readonly orderRevenue: string;
  readonly revenue: string;
}

/** The answer of `reconcile.json`: the comparison, or the reason why there is none. */
export type Comparison =
  | {
      readonly classes: readonly ClassSum[];
      /** Rows that differ, without those in excess of a maximum. */
      readonly rows: readonly ReportRow[];
      readonly rowsInAll: number;
      /** The file of corrections that CAKE's reconciliation tool takes; nothing is sent. */
      readonly corrections: string;
    }
  | { readonly code: string; readonly message: string };

/** Does the query of `orders.csv` ask for errors? `?errors=0` does not. */
export function isPlanted(query: URLSearchParams): boolean {
  return query.get("errors") !== "0";
}

/** Writes the shop's orders as CSV, with errors planted where `isPlanted` says so. */
export async function writeOrders(cake: CakeClient, now: number, isPlanted: boolean): Promise<string> {
  const { startDate, endDate } = rangeOf(now);
  const words = Object.fromEntries(Object.entries(STATUSES).map(([word, status]) => [status, word]));
  const lines: string[][] = [];
  const ids = new Set<string>();
  for await (const row of cake.listConversionReport({ startDate, endDate })) {
    const { uniqueId, conversionDate = "", revenueText = "", conversionStatus = "" } = row;
    // CAKE has some orders twice, and some without their number: the shop has each once.
    if (uniqueId === undefined || ids.has(uniqueId)) continue;
    ids.add(uniqueId);
    lines.push([uniqueId, conversionDate, revenueText, words[conversionStatus] ?? conversionStatus]);
  }
  if (isPlanted) plantErrors(lines, startDate);
  return ["order_id,date,revenue,status", ...lines.map((line) => line.join())].join("\n");
}

/** One error of each kind that a month's end meets. */
function plantErrors(lines: string[][], day: string): void {
  const [cased, repeated, cheaper, returned, unreadable] = [0, 1, 2, 3, 4].map((place) => lines[place]);
  // CAKE has a sale that the shop does not know.
  lines.splice(5, 1);
  if (cased !== undefined) cased[0] = cased[0]?.toLowerCase() ?? "";
  if (repeated !== undefined) lines.push([...repeated]);
  if (cheaper !== undefined) cheaper[2] = "12.00";
  if (returned !== undefined) returned[3] = returned[3] === "returned" ? "paid" : "returned";
  if (unreadable !== undefined) unreadable[2] = "18.o0";
  lines.push(["ORD-W1", `${day} 11:20:00`, "18.00", "paid"], ["undefined", `${day} 12:00:00`, "18.00", "paid"]);
}

/** Compares an order file with CAKE's report of the same days. */
export async function reconcile(cake: CakeClient, now: number, orders: string): Promise<Comparison> {
  if (orders.length > MAX_ORDERS) {
    return { code: "too_large", message: `the demo takes files of up to ${MAX_ORDERS / 1_000} kB` };
  }
  const { startDate, endDate } = rangeOf(now);
  const to = dayOf(now);
  try {
    using report = await openReport({ from: startDate, to, keys: ["uniqueId", "orderId"], statuses: STATUSES });
    await report.addOrders(new TextEncoder().encode(orders), { name: "orders.csv", columns: { uniqueId: "order_id" } });
    await report.addConversions(cake.listConversionReport({ startDate, endDate }).bytes());
    const result = await report.reconcile();
    const rows = [...result.rows()].filter((row) => !AGREED.includes(row.class));
    // The planted row that cannot be read is known to stand for itself; a file of one's own with more has no corrections.
    const { csv } = result.corrections({ maxUnreadable: 1 });
    return { classes: result.classes, rows: rows.slice(0, MAX_ROWS), rowsInAll: rows.length, corrections: csv };
  } catch (thrown) {
    if (isCakeError(thrown)) return { code: thrown.code, message: thrown.message };
    throw thrown;
  }
}

/** CAKE's reports exclude the last day. */
function rangeOf(now: number): { startDate: string; endDate: string } {
  return { startDate: dayOf(now - (DAYS - 1) * DAY_MS), endDate: dayOf(now + DAY_MS) };
}
