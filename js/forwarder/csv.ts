/** Events as CSV, in the columns of CAKE's bulk upload of conversions. */
import type { Row } from "./store.js";

const COLUMNS: readonly (readonly [column: string, field: string])[] = [
  ["click_id", "clickId"],
  ["offer_id", "offerId"],
  ["conversion_date", "conversionDate"],
  ["payout", "payout"],
  ["revenue", "revenue"],
  ["unique_id", "uniqueId"],
  ["order_id", "orderId"],
  ["adv1", "adv1"],
  ["adv2", "adv2"],
  ["adv3", "adv3"],
  ["adv4", "adv4"],
  ["adv5", "adv5"],
];

/** A row as a line; without one, the line of the columns' names. */
export function csvOf(row?: Row): string {
  if (row === undefined) return `${COLUMNS.map(([column]) => column).join()}\r\n`;
  const fields = { conversionDate: row.accepted_at, ...(JSON.parse(row.text) as Record<string, unknown>) };
  const values = COLUMNS.map(([, field]) => cell(String((fields as Record<string, unknown>)[field] ?? "")));
  return `${values.join()}\r\n`;
}

function cell(text: string): string {
  // A spreadsheet takes such a text for a formula.
  const safe = /^[=+\-@\t]/.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
