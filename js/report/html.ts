/** A result as one HTML page: figures, plots, differences. The page loads nothing, runs no script, and prints well. */
import { escapeHtml } from "../html.js";
import {
  AGREED,
  type ClassSums,
  type PairSums,
  type ReportOptions,
  type ReportRow,
  type RowClass,
  type RowSide,
  type Understood,
} from "./options.js";

/** The parts of a result that the page shows. */
interface Shown {
  readonly orders: number;
  readonly conversions: number;
  readonly unreadable: number;
  readonly isClean: boolean;
  readonly classes: readonly ClassSums[];
  readonly counts: Readonly<Record<RowClass, { readonly orders: number; readonly conversions: number }>>;
  rows(): Iterable<ReportRow>;
  byOfferAffiliate(): readonly PairSums[];
}

const STYLE = `:root{color-scheme:light dark;--ink:#1d2530;--soft:#5c6773;--line:#d9dee4;--good:#1b7f4d;--bad:#b3392f;--paper:#fff}
@media (prefers-color-scheme:dark){:root{--ink:#e8ecf1;--soft:#9aa6b2;--line:#37414d;--good:#4cc38a;--bad:#ff8b80;--paper:#14181d}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}p{color:var(--soft);margin:.25rem 0}h1,p,.w{overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-size:.87rem}th,td{text-align:left;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}th{vertical-align:bottom}
.n{text-align:right;font-variant-numeric:tabular-nums}td.n{white-space:nowrap}.bars{margin-bottom:1rem}.bars td{border:0}.bars .bar{width:70%}.bar svg{display:block;width:100%;height:1.1rem}
.good{fill:var(--good)}.bad{fill:var(--bad)}.scroll{overflow-x:auto}
@page{margin:12mm}
@media print{:root{color-scheme:light;--ink:#000;--soft:#333;--line:#bbb;--paper:#fff;--good:#1b7f4d;--bad:#b3392f}body{margin:0;padding:0;max-width:none;font-size:10pt}table{font-size:7.5pt}h2{break-after:avoid}tr,svg,.bars{break-inside:avoid}thead{display:table-header-group}.scroll{overflow:visible}}`;

/** The default limit of listed differences. */
const MAX_ROWS = 1_000;

/** The page, part by part. */
export function* htmlOf(
  result: Shown,
  report: ReportOptions,
  understood: readonly Understood[],
  options: { readonly title?: string | undefined; readonly maxRows?: number | undefined },
): Generator<string> {
  const title = escapeHtml(options.title ?? "Reconciliation");
  const range = [report.from, report.to].filter((day) => day !== undefined).join(" to ");
  yield `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${title}</title><style>${STYLE}</style>
<main><h1>${title}</h1><p>${escapeHtml([range, report.timeZone, `tolerance ${report.tolerance ?? "0.00"}`].filter(Boolean).join(" · "))}</p>
<p>${result.orders.toLocaleString("en")} orders, ${result.conversions.toLocaleString("en")} conversions, ${result.unreadable.toLocaleString("en")} unreadable.
${result.isClean ? "Nothing differs." : "There are differences."}</p>`;
  const sums = result.classes.length > 0 ? classTable(result.classes) : "<p>No rows were read.</p>";
  yield `<h2>What became of the rows</h2>${bars(result)}${sums}`;
  const pairs = result.byOfferAffiliate();
  if (pairs.length > 0) yield `<h2>By offer and affiliate</h2>${pairTable(pairs)}`;
  yield "<h2>Differences</h2>";
  const most = options.maxRows ?? MAX_ROWS;
  const head =
    "<th>Class<th>Reasons<th>Where<th>Order<th class=n>Revenue, order<th class=n>Payout, order<th>Conversion<th class=n>Revenue, CAKE<th class=n>Payout, CAKE<th>Hint";
  let count = 0;
  let left = 0;
  for (const row of result.rows()) {
    if (AGREED.includes(row.class)) continue;
    if (count < most) {
      if (count === 0) yield `<div class=scroll tabindex=0><table><thead><tr>${head}<tbody>`;
      count += 1;
      yield rowOf(row);
    } else {
      // The classes above have the exact number: reading further rows would only cost time.
      left += 1;
      break;
    }
  }
  yield count === 0 ? "<p>None.</p>" : "</table></div>";
  if (left > 0) yield `<p>These are the first ${most.toLocaleString("en")}; the CSV has all of them.</p>`;
  yield `<h2>What was read as what</h2><div class=scroll tabindex=0><table><thead><tr><th>File<th>As<th>Format<th>Columns<th class=n>Rows<th class=n>Unreadable<tbody>${understood.map(sourceRow).join("")}</table></div></main>`;
}

function cell(text: string | undefined, isNumber = false): string {
  return `<td${isNumber ? " class=n" : ""}>${escapeHtml(text ?? "")}`;
}

/** A cell whose text may be one long word: it breaks anywhere. */
function wideCell(text: string | undefined): string {
  return `<td class=w>${escapeHtml(text ?? "")}`;
}

const words = (name: string) => name.replaceAll("_", " ");

function bars(result: Shown): string {
  const counts = Object.entries(result.counts)
    .map(([name, { orders, conversions }]) => [name, Math.max(orders, conversions)] as const)
    .filter(([, count]) => count > 0);
  const all: (readonly [string, number])[] =
    result.unreadable > 0 ? [...counts, ["unreadable", result.unreadable]] : counts;
  const most = Math.max(1, ...all.map(([, count]) => count));
  // One picture for each bar, with its text beside it: one large picture would shrink its text on a phone.
  const lines = all.map(([name, count]) => {
    const colour = (AGREED as readonly string[]).includes(name) ? "good" : "bad";
    const width = Math.max(0.5, (count / most) * 100).toFixed(1);
    return `<tr><td>${words(name)}<td class=bar><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width="${width}" height="10" class="${colour}"/></svg><td class=n>${count.toLocaleString("en")}`;
  });
  return lines.length > 0 ? `<table class=bars><tbody>${lines.join("")}</table>` : "";
}

function sums(row: ClassSums): string {
  return (
    [row.orders, row.conversions].map((count) => cell(count.toLocaleString("en"), true)).join("") +
    [row.orderRevenue, row.revenue, row.orderPayout, row.payout].map((text) => cell(text, true)).join("")
  );
}

const SUMS =
  "<th class=n>Orders<th class=n>Conversions<th class=n>Revenue, orders<th class=n>Revenue, CAKE<th class=n>Payout, orders<th class=n>Payout, CAKE";

/** A table of sums. The currency has a column where it is known. */
function sumTable<Row extends ClassSums>(head: string, rows: readonly Row[], cells: (row: Row) => string): string {
  const hasCurrency = rows.some(({ currency }) => currency !== undefined);
  const lines = rows.map((row) => `<tr>${cells(row)}${hasCurrency ? cell(row.currency) : ""}${sums(row)}`);
  return `<div class=scroll tabindex=0><table><thead><tr>${head}${hasCurrency ? "<th>Currency" : ""}${SUMS}<tbody>${lines.join("")}</table></div>`;
}

function classTable(classes: readonly ClassSums[]): string {
  return sumTable("<th>Class", classes, (row) => cell(words(row.class)));
}

function pairTable(pairs: readonly PairSums[]): string {
  const cells = (row: PairSums) => wideCell(row.offerId) + wideCell(row.affiliateId) + cell(words(row.class));
  return sumTable("<th>Offer<th>Affiliate<th>Class", pairs, cells);
}

function placeOf(side: { file?: string; line?: number; row?: number } | undefined): string {
  if (side === undefined) return "";
  const where = side.line === undefined ? `row ${side.row ?? "?"}` : `line ${side.line}`;
  return side.file === undefined ? where : `${side.file}, ${where}`;
}

function idOf(side: RowSide | undefined): string {
  return side?.uniqueId ?? side?.orderId ?? side?.clickId ?? side?.conversionId ?? "";
}

function rowOf({ class: name, reasons, order, conversion, unreadable, wouldMatch }: ReportRow): string {
  const hint = wouldMatch?.map((near) => `${idOf(near.conversion)} (${words(near.without)})`).join(", ");
  const cells = [
    cell(words(name)),
    cell(reasons.map(words).join(", ")),
    wideCell(placeOf(order ?? conversion ?? unreadable)),
    wideCell(order === undefined ? unreadable?.text : idOf(order)),
    cell(order?.revenueAfterRefunds ?? order?.revenue, true),
    cell(order?.payoutAfterRefunds ?? order?.payout, true),
    wideCell(conversion === undefined ? "" : `${conversion.conversionId ?? ""} ${idOf(conversion)}`),
    cell(conversion?.revenue, true),
    cell(conversion?.payout, true),
    wideCell(hint),
  ];
  return `<tr>${cells.join("")}`;
}

function sourceRow(source: Understood): string {
  const columns = source.columns?.filter(({ role }) => role !== undefined).map(({ name, role }) => `${name} → ${role}`);
  const delimiter = source.delimiter && `delimiter ${source.delimiter}`;
  const units = source.units && `${source.units} units`;
  const format = [source.format, delimiter, source.encoding, units, source.dates].filter(Boolean);
  return `<tr>${wideCell(source.name ?? source.kind)}${cell(`${source.kind}, ${source.dialect}`)}${cell(format.join(" · "))}${wideCell(columns?.join(", "))}${cell(source.rows.toLocaleString("en"), true)}${cell(source.unreadable.toLocaleString("en"), true)}`;
}
