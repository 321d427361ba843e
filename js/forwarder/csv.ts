/**
 * Events as CSV, in the columns of CAKE's bulk upload of conversions. A machine
 * reads it: ids, amounts and dates stand in it byte for byte.
 */
import { csvCell } from "../csv.js";
import { instant } from "./instant.js";
import type { ResolvedOptions } from "./options.js";
import type { Row } from "./store.js";

const COLUMNS: readonly (readonly [column: string, field: string, isFreeText?: true])[] = [
  ["click_id", "clickId"],
  ["offer_id", "offerId"],
  ["conversion_date", "conversionDate"],
  ["payout", "payout"],
  ["revenue", "revenue"],
  ["unique_id", "uniqueId"],
  ["order_id", "orderId"],
  ["adv1", "adv1", true],
  ["adv2", "adv2", true],
  ["adv3", "adv3", true],
  ["adv4", "adv4", true],
  ["adv5", "adv5", true],
];

/** The line of the columns' names. */
export function csvHeader(): string {
  return `${COLUMNS.map(([column]) => column).join()}\r\n`;
}

/** A row as a line. */
export function csvOf(row: Row, options: Pick<ResolvedOptions, "clockSpeed">): string {
  const fields: Record<string, unknown> = {
    // CAKE's upload insists on a date. Where the account's zone is not known, it is UTC.
    conversionDate: row.accepted_at || instant(row.accepted_ms, options).slice(0, 19).replace("T", " "),
    ...(JSON.parse(row.text) as object),
  };
  const values = COLUMNS.map(([, field, isFreeText = false]) => csvCell(String(fields[field] ?? ""), isFreeText));
  return `${values.join()}\r\n`;
}
