/** The history in pictures: plots by day with a common cursor, and a ranking by sub id; each filters the other. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { amount, count, percent } from "./figure.js";
import { HOME } from "./network.js";
import type { Cell, Past } from "./past.js";
import type { PlotSeries } from "./plot.js";
import { Scroll } from "./scroll.js";

interface Sums {
  clicks: number;
  conversions: number;
  earned: number;
}

interface Filter {
  readonly affiliateId: number | undefined;
  readonly s1: string | undefined;
  /** The first and last day, as indices. */
  readonly days: readonly [number, number] | undefined;
}

const EVERYTHING: Filter = { affiliateId: undefined, s1: undefined, days: undefined };

/** Places with fewer clicks are not ranked by their rate. */
const LEAST_CLICKS = 30;

type Order = "clicks" | "conversions" | "rate" | "epc";

/** The delay of a reload after events, so that not every click reloads the history. */
const SETTLE_MS = 1_500;

interface HistoryProps {
  readonly ready: Promise<unknown>;
  readonly version: number;
  readonly affiliates: readonly { readonly affiliate_id: number; readonly affiliate_name: string }[];
}

export function History({ ready, version, affiliates }: HistoryProps) {
  const breakdown = useBreakdown(ready, version);
  const [filter, setFilter] = useState(EVERYTHING);
  const [order, setOrder] = useState<Order>("epc");
  const isFiltered = filter !== EVERYTHING && Object.values(filter).some((value) => value !== undefined);
  return (
    <section class="history" aria-labelledby="history-title">
      <h2 id="history-title">Which places earn money?</h2>
      <p class="lead">
        Thirty days of this network, read through CAKE's API and added up by the package's report. A conversion counts
        on the day of its click; EPC is what approved conversions earned per click, so the latest days still rise.
      </p>
      <form class="filters" aria-label="Filter the past" onSubmit={(event) => event.preventDefault()}>
        <label>
          <span>Affiliate</span>
          <select
            value={String(filter.affiliateId ?? "")}
            onChange={({ currentTarget: { value } }) =>
              setFilter({ ...filter, affiliateId: value === "" ? undefined : Number(value) })
            }
          >
            <option value="">all</option>
            {affiliates.map(({ affiliate_id, affiliate_name }) => (
              <option key={affiliate_id} value={String(affiliate_id)}>
                {affiliate_name}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>Days</span>
          <select
            value={periodOf(filter.days, breakdown?.days.length ?? 0)}
            onChange={({ currentTarget: { value } }) =>
              setFilter({ ...filter, days: lastDays(Number(value), breakdown?.days.length ?? 0) })
            }
          >
            <option value="0">all 30</option>
            <option value="14">the last 14</option>
            <option value="7">the last 7</option>
            {periodOf(filter.days, breakdown?.days.length ?? 0) === "chosen" && (
              <option value="chosen">chosen below</option>
            )}
          </select>
        </label>
        <p class="chips" aria-live="polite">
          {filter.s1 !== undefined && (
            <button type="button" class="quiet" onClick={() => setFilter({ ...filter, s1: undefined })}>
              s1 = {filter.s1 || "none"} <span aria-hidden="true">×</span>
              <span class="hidden">, show all</span>
            </button>
          )}
          {filter.days !== undefined && breakdown !== undefined && (
            <button type="button" class="quiet" onClick={() => setFilter({ ...filter, days: undefined })}>
              {breakdown.days[filter.days[0]]} to {breakdown.days[filter.days[1]]} <span aria-hidden="true">×</span>
              <span class="hidden">, show all days</span>
            </button>
          )}
        </p>
        <button type="button" class="quiet" disabled={!isFiltered} onClick={() => setFilter(EVERYTHING)}>
          Show all
        </button>
      </form>
      {breakdown === undefined ? (
        <p class="empty">Reading the past …</p>
      ) : (
        <div class="columns">
          <ByDay breakdown={breakdown} filter={filter} onFilter={setFilter} />
          <BySubId breakdown={breakdown} filter={filter} onFilter={setFilter} order={order} onOrder={setOrder} />
        </div>
      )}
    </section>
  );
}

interface PartProps {
  readonly breakdown: Past;
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
}

function ByDay({ breakdown, filter, onFilter }: PartProps) {
  const sums = useMemo(() => {
    const days: Sums[] = breakdown.days.map(() => ({ clicks: 0, conversions: 0, earned: 0 }));
    for (const cell of breakdown.cells) {
      const day = days[cell.day];
      if (day !== undefined && isWhose(cell, filter) && (filter.s1 ?? cell.s1) === cell.s1) add(day, cell);
    }
    return days;
  }, [breakdown, filter.affiliateId, filter.s1]);
  const total = useMemo(() => {
    const [first, last] = filter.days ?? [0, breakdown.days.length - 1];
    const all: Sums = { clicks: 0, conversions: 0, earned: 0 };
    for (const day of sums.slice(first, last + 1)) add(all, day);
    return all;
  }, [sums, filter.days, breakdown]);

  const series: PlotSeries[] = [
    {
      name: "Clicks",
      form: "bars",
      colour: "--click",
      values: sums.map(({ clicks }) => clicks),
      write: count,
      tick: count,
    },
    {
      name: "Conversions",
      form: "bars",
      colour: "--money",
      values: sums.map(({ conversions }) => conversions),
      write: count,
      tick: count,
    },
    {
      name: "Conversion rate",
      form: "line",
      colour: "--click",
      values: sums.map(rateOf),
      write: percent,
      tick: (value) => `${Math.round(value * 1_000) / 10} %`,
    },
    {
      name: "EPC",
      form: "line",
      colour: "--money",
      values: sums.map(epcOf),
      write: (value) => amount(value * 10_000, 4),
      tick: (value) => amount(value * 10_000),
    },
  ];
  const totals = [
    count(total.clicks),
    count(total.conversions),
    percent(rateOf(total)),
    amount(epcOf(total) * 10_000, 4),
  ];
  return (
    <div class="by-day">
      <Plots
        days={breakdown.days}
        series={series}
        totals={totals}
        range={filter.days}
        onRange={(days) => onFilter({ ...filter, days })}
      />
      <details>
        <summary>The same as a table</summary>
        <Scroll name="Figures by day">
          <table>
            <thead>
              <tr>
                <th scope="col">Day</th>
                {series.map(({ name }) => (
                  <th key={name} scope="col" class="figure">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {breakdown.days.map((day, index) => (
                <tr key={day}>
                  <th scope="row">{day}</th>
                  {series.map(({ name, values, write }) => (
                    <td key={name} class="figure">
                      {write(values[index] ?? 0)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </div>
  );
}

type PlotsProps = Parameters<typeof import("./plot.js").Plots>[0];

/** The plots load with their library, after the page is shown. */
function Plots(props: PlotsProps) {
  const [module, setModule] = useState<typeof import("./plot.js")>();
  useEffect(() => {
    void import("./plot.js").then(setModule);
  }, []);
  return module === undefined ? <p class="empty plots">Drawing …</p> : <module.Plots {...props} />;
}

function BySubId({
  breakdown,
  filter,
  onFilter,
  order,
  onOrder,
}: PartProps & { readonly order: Order; readonly onOrder: (order: Order) => void }) {
  const rows = useMemo(() => {
    const [first, last] = filter.days ?? [0, breakdown.days.length - 1];
    const sums = new Map<string, Sums>();
    for (const cell of breakdown.cells) {
      if (!isWhose(cell, filter) || cell.day < first || cell.day > last) continue;
      const sum = sums.get(cell.s1) ?? { clicks: 0, conversions: 0, earned: 0 };
      add(sum, cell);
      sums.set(cell.s1, sum);
    }
    const by = {
      clicks: (sum: Sums) => sum.clicks,
      conversions: (sum: Sums) => sum.conversions,
      rate: rateOf,
      epc: epcOf,
    };
    // A rate from three clicks means nothing.
    const isRated = ({ clicks }: Sums) =>
      Number(order === "clicks" || order === "conversions" || clicks >= LEAST_CLICKS);
    return [...sums].sort(
      ([, a], [, b]) => isRated(b) - isRated(a) || by[order](b) - by[order](a) || b.clicks - a.clicks,
    );
  }, [breakdown, filter.affiliateId, filter.days, order]);
  const most = (of: (sum: Sums) => number) =>
    Math.max(...rows.map(([, sum]) => (sum.clicks < LEAST_CLICKS ? 0 : of(sum))), 0) || 1;
  const columns: readonly [Order, string, (sum: Sums) => number, (value: number) => string, string][] = [
    ["clicks", "Clicks", ({ clicks }) => clicks, count, "click"],
    ["conversions", "Conv.", ({ conversions }) => conversions, count, "money"],
    ["rate", "Rate", rateOf, percent, "click"],
    ["epc", "EPC", epcOf, (value) => amount(value * 10_000, 3), "money"],
  ];
  return (
    <Scroll name="Figures by sub id" class="by-sub-id">
      <table>
        <thead>
          <tr>
            <th scope="col">s1</th>
            {columns.map(([key, name]) => (
              <th key={key} scope="col" class="figure" aria-sort={order === key ? "descending" : undefined}>
                <button type="button" class="plain" onClick={() => onOrder(key)}>
                  {name}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, 14).map(([s1, sum]) => (
            <tr key={s1} class={filter.s1 === s1 ? "chosen" : undefined}>
              <th scope="row">
                <button
                  type="button"
                  class="plain"
                  aria-pressed={filter.s1 === s1}
                  title="Show only this sub id by day"
                  onClick={() => onFilter({ ...filter, s1: filter.s1 === s1 ? undefined : s1 })}
                >
                  {s1 || "none"}
                </button>
              </th>
              {columns.map(([key, , of, write, colour]) => {
                const isThin = (key === "rate" || key === "epc") && sum.clicks < LEAST_CLICKS;
                const share = isThin ? 0 : Math.min(1, of(sum) / most(of));
                return (
                  <td key={key} class={isThin ? "figure soft" : "figure"}>
                    <span class={`bar ${colour}`} style={{ inlineSize: `${share * 100}%` }} />
                    {write(of(sum))}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="hint">Places with fewer than {LEAST_CLICKS} clicks are not ranked by rate or EPC.</p>
    </Scroll>
  );
}

function useBreakdown(ready: Promise<unknown>, version: number): Past | undefined {
  const [breakdown, setBreakdown] = useState<Past>();
  const isFirst = breakdown === undefined;
  useEffect(() => {
    let isOver = false;
    const read = async () => {
      const isReady = await ready.then(
        () => true,
        () => false,
      );
      if (!isReady) return;
      const response = await fetch(new URL("breakdown.json", HOME));
      if (response.ok && !isOver) setBreakdown((await response.json()) as Past);
    };
    const timer = setTimeout(() => void read(), isFirst ? 0 : SETTLE_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [ready, version, isFirst]);
  return breakdown;
}

/** The last `number` days, as indices; 0 means all days. */
function lastDays(number: number, all: number): Filter["days"] {
  return number === 0 ? undefined : [Math.max(0, all - number), all - 1];
}

function periodOf(days: Filter["days"], all: number): "0" | "7" | "14" | "chosen" {
  if (days === undefined) return "0";
  return (["7", "14"] as const).find((number) => String(lastDays(Number(number), all)) === String(days)) ?? "chosen";
}

function isWhose(cell: Cell, { affiliateId }: Filter): boolean {
  return (affiliateId ?? cell.affiliateId) === cell.affiliateId;
}

function add(sum: Sums, { clicks, conversions, earned }: Sums): void {
  sum.clicks += clicks;
  sum.conversions += conversions;
  sum.earned += earned;
}

function rateOf({ clicks, conversions }: Sums): number {
  return clicks === 0 ? 0 : conversions / clicks;
}

/** In whole currency units. */
function epcOf({ clicks, earned }: Sums): number {
  return clicks === 0 ? 0 : earned / clicks / 10_000;
}
