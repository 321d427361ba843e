/**
 * Events as CSV: conversions in the columns of CAKE's bulk upload, corrections in columns of their fields. Machines
 * read it, so ids, amounts and dates are unchanged byte for byte.
 */
import { csvCell } from "../csv.js";
import { instant } from "./instant.js";
import type { ResolvedOptions } from "./options.js";
import type { EventKind, Row } from "./store.js";

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

/** The columns of a correction, as `cake-edge corrections` reads them. */
const CORRECTION_COLUMNS: typeof COLUMNS = [
  ["correction_id", "correctionId"],
  ["conversion_id", "conversionId"],
  ["unique_id", "uniqueId"],
  ["offer_id", "offerId"],
  ["status", "status"],
  ["payout", "payout"],
  ["payout_added", "payoutAdded"],
  ["revenue", "revenue"],
  ["revenue_added", "revenueAdded"],
  ["disposition_id", "dispositionId"],
  ["effective_date", "effectiveDate"],
  ["note", "note", true],
];

function columnsOf(kind: EventKind): typeof COLUMNS {
  return kind === "correction" ? CORRECTION_COLUMNS : COLUMNS;
}

/** The header line. */
export function csvHeader(kind: EventKind = "conversion"): string {
  return `${columnsOf(kind)
    .map(([column]) => column)
    .join()}\r\n`;
}

/** A row as a line. */
export function csvOf(row: Row, options: Pick<ResolvedOptions, "clockSpeed">): string {
  const fields: Record<string, unknown> = {
    // CAKE's upload requires a date. Where the account's time zone is not known, the date is in UTC.
    conversionDate: row.accepted_at || instant(row.accepted_ms, options).slice(0, 19).replace("T", " "),
    ...(JSON.parse(row.text) as object),
  };
  const values = columnsOf(row.kind).map(([, field, isFreeText = false]) =>
    csvCell(String(fields[field] ?? ""), isFreeText),
  );
  return `${values.join()}\r\n`;
}
