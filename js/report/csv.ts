/** A result as CSV. For people, no cell can become a formula in a spreadsheet; for machines, every byte stays. */
import { csvCell } from "../csv.js";
import type { ReportRow, RowSide } from "./options.js";

/** A text that is generated part by part. */
export class Output implements Iterable<string> {
  readonly #parts: () => Iterable<string>;

  constructor(parts: () => Iterable<string>) {
    this.#parts = parts;
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#parts()[Symbol.iterator]();
  }

  /** The whole text. */
  toString(): string {
    return [...this].join("");
  }

  /** The text as a stream of UTF-8, generated while it is read. */
  stream(): ReadableStream<Uint8Array> {
    const parts = this[Symbol.iterator]();
    const encoder = new TextEncoder();
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        const { done, value } = parts.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
    });
  }
}

const SIDE: readonly (readonly [column: string, field: keyof RowSide])[] = [
  ["file", "file"],
  ["line", "line"],
  ["row", "row"],
  ["unique_id", "uniqueId"],
  ["order_id", "orderId"],
  ["click_id", "clickId"],
  ["conversion_id", "conversionId"],
  ["offer_id", "offerId"],
  ["affiliate_id", "affiliateId"],
  ["date", "date"],
  ["revenue", "revenue"],
  ["payout", "payout"],
  ["currency", "currency"],
  ["status", "status"],
];

const ORDER = SIDE.filter(([, field]) => field !== "conversionId" && field !== "affiliateId");
const CONVERSION = SIDE;

/** A line with the columns' names, then one line for each row. */
export function* csvOf(rows: Iterable<ReportRow>, isForPeople: boolean): Generator<string> {
  const names = [
    "class",
    "reasons",
    ...ORDER.map(([name]) => `order_${name}`),
    ...CONVERSION.map(([name]) => `cake_${name}`),
    "would_match",
    "unreadable_text",
  ];
  // Without the byte order mark, spreadsheets read the file in the code page of their country.
  yield `${isForPeople ? "\uFEFF" : ""}${names.join()}\r\n`;
  let lines: string[] = [];
  for (const row of rows) {
    const bad = row.unreadable;
    const isOrder = bad === undefined || bad.of === "orders";
    const order = row.order ?? (isOrder ? bad : undefined);
    const conversion = row.conversion ?? (isOrder ? undefined : bad);
    const near = row.wouldMatch
      ?.map(({ key, conversionKey, conversion }) => conversion[conversionKey ?? key])
      .join(" ");
    const cells = [
      row.class,
      row.reasons.join(" "),
      ...ORDER.map(([, field]) => (order as RowSide | undefined)?.[field]),
      ...CONVERSION.map(([, field]) => (conversion as RowSide | undefined)?.[field]),
      near,
      bad?.text,
    ];
    lines.push(`${cells.map((cell) => csvCell(cell, isForPeople)).join()}\r\n`);
    if (lines.length === 1_000) {
      yield lines.join("");
      lines = [];
    }
  }
  if (lines.length > 0) yield lines.join("");
}
