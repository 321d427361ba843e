/** The month's end, played over a week: the shop's orders against CAKE's report, with planted errors to mend. */
import { useEffect, useState } from "preact/hooks";
import { HOME } from "./network.js";
import { Scroll } from "./scroll.js";
import type { Comparison } from "./week.js";

/** The delay between the last key and the comparison. */
const TYPING_MS = 400;

type Compared = Extract<Comparison, { classes: unknown }>;
type Row = Compared["rows"][number];

const CLASSES: Record<Row["class"], string> = {
  matched: "agree",
  missing_at_cake: "missing at CAKE",
  unknown_to_advertiser: "unknown to the shop",
  duplicate_order: "twice in the file",
  duplicate_conversion: "twice at CAKE",
  currency_differs: "currency differs",
  revenue_differs: "revenue differs",
  payout_differs: "payout differs",
  status_differs: "status differs",
  outside_window: "outside the days",
  no_key: "no order id",
  refund: "refund",
  refund_unclear: "refund to look at",
  read_twice: "read twice, counted once",
  unreadable: "unreadable",
  test_order: "test order, not counted",
};

export function Reconcile({ ready }: { readonly ready: Promise<unknown> }) {
  const [orders, setOrders] = useState<string>();
  const [comparison, setComparison] = useState<Comparison>();
  const [trouble, setTrouble] = useState<string>();
  const fill = async (hasErrors: boolean) => {
    try {
      await ready;
      setOrders(await ask(`orders.csv?errors=${hasErrors ? 1 : 0}`).then((answer) => answer.text()));
    } catch (thrown) {
      setTrouble(String(thrown));
    }
  };
  useEffect(() => void fill(true), [ready]);
  useEffect(() => {
    if (orders === undefined) return;
    let isOver = false;
    const compare = async () => {
      try {
        const answer = await ask("reconcile.json", orders);
        const fresh = (await answer.json()) as Comparison;
        if (isOver) return;
        setTrouble(undefined);
        setComparison(fresh);
      } catch (thrown) {
        if (!isOver) setTrouble(String(thrown));
      }
    };
    const timer = setTimeout(() => void compare(), comparison === undefined ? 0 : TYPING_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [orders]);
  return (
    <section class="history" aria-labelledby="reconcile-title">
      <h2 id="reconcile-title">Do both sides agree?</h2>
      <p class="lead">
        The shop's own orders of seven days against CAKE's report, as at a month's end. Errors are planted: mend a line,
        or break another one. Ids match byte by byte, and nothing is guessed.
      </p>
      <div class="columns">
        <div class="orders">
          <label>
            <span>The shop's orders, as CSV</span>
            <textarea
              spellcheck={false}
              rows={16}
              disabled={orders === undefined}
              value={orders ?? "Reading the orders …"}
              onInput={({ currentTarget }) => setOrders(currentTarget.value)}
            />
          </label>
          <div class="actions">
            <button type="button" class="quiet" disabled={orders === undefined} onClick={() => fill(true)}>
              Plant the errors again
            </button>
            <button type="button" class="quiet" disabled={orders === undefined} onClick={() => fill(false)}>
              Without planted errors
            </button>
          </div>
        </div>
        <div class="comparison">
          {trouble !== undefined && (
            <p class="finding bad" role="alert">
              {trouble}
            </p>
          )}
          {comparison === undefined ? (
            <p class="empty">Comparing …</p>
          ) : "message" in comparison ? (
            <p class="finding bad" role="alert">
              {comparison.message} <code>{comparison.code}</code>
            </p>
          ) : (
            <Result {...comparison} />
          )}
        </div>
      </div>
    </section>
  );
}

function Result({ classes, rows, rowsInAll, corrections }: Compared) {
  return (
    <>
      <Scroll name="Orders and conversions by class">
        <table>
          <thead>
            <tr>
              <th scope="col">Class</th>
              <th scope="col" class="figure">
                Orders
              </th>
              <th scope="col" class="figure">
                Revenue
              </th>
              <th scope="col" class="figure">
                At CAKE
              </th>
              <th scope="col" class="figure">
                Revenue
              </th>
            </tr>
          </thead>
          <tbody>
            {classes.map((sum) => (
              <tr key={sum.class}>
                <th scope="row">{CLASSES[sum.class]}</th>
                <td class="figure">{sum.orders}</td>
                <td class="figure">{sum.orderRevenue}</td>
                <td class="figure">{sum.conversions}</td>
                <td class="figure">{sum.revenue}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p aria-live="polite">
        {rowsInAll === 0 ? "All rows agree." : `${rowsInAll} ${rowsInAll === 1 ? "row differs" : "rows differ"}:`}
      </p>
      <Scroll name="Rows that differ" class="tall">
        <ul class="differences">
          {rows.map((row) => (
            <li key={`${row.class} ${place(row)}`}>
              <b>{idOf(row)}</b> {CLASSES[row.class]}
              <small>{detailOf(row)}</small>
            </li>
          ))}
        </ul>
      </Scroll>
      {rowsInAll > rows.length && <p class="hint">The first {rows.length} are shown.</p>}
      {corrections !== "" && (
        <details>
          <summary>The file of corrections for CAKE</summary>
          <pre>{corrections}</pre>
        </details>
      )}
    </>
  );
}

function place({ order, conversion, unreadable }: Row): string {
  return `${order?.line} ${conversion?.row} ${unreadable?.line}`;
}

function idOf({ order, conversion, unreadable }: Row): string {
  if (unreadable !== undefined) return `line ${unreadable.line ?? unreadable.row}`;
  const id = order?.uniqueId ?? conversion?.uniqueId;
  return id ?? (order === undefined ? `conversion ${conversion?.conversionId}` : `line ${order.line}`);
}

/** The difference in figures, and the nearest key. */
function detailOf({ class: name, reasons, order, conversion, of, wouldMatch, unreadable }: Row): string {
  const near = wouldMatch?.[0];
  if (near !== undefined) return `but for ${near.without} it is ${near.conversion.uniqueId}`;
  if (unreadable !== undefined) return `${reasons.join(", ").replaceAll("_", " ")}: ${unreadable.text ?? ""}`;
  if (name === "revenue_differs") return `shop ${order?.revenue}, CAKE ${conversion?.revenue}`;
  if (name === "status_differs") return `shop ${order?.status}, CAKE ${conversion?.status}`;
  if (name === "duplicate_order") return `line ${order?.line}, as line ${of?.line}`;
  if (name === "duplicate_conversion") return `${conversion?.conversionId}, as ${of?.conversionId}`;
  return order?.revenue ?? conversion?.revenue ?? "";
}

async function ask(path: string, body?: string): Promise<Response> {
  const answer = await fetch(new URL(path, HOME), body === undefined ? {} : { method: "POST", body });
  if (!answer.ok) throw new Error(`the comparison answered ${answer.status}`);
  return answer;
}
