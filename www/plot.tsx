/** Plots by day, one above the other, with a common cursor; dragging selects days. */
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface PlotSeries {
  readonly name: string;
  readonly form: "bars" | "line";
  /** The name of a CSS property. */
  readonly colour: string;
  readonly values: readonly number[];
  readonly write: (value: number) => string;
  /** Writes a label of the axis. */
  readonly tick: (value: number) => string;
}

interface PlotsProps {
  readonly days: readonly string[];
  readonly series: readonly PlotSeries[];
  /** The total of each series over the selected days. */
  readonly totals: readonly string[];
  readonly range: readonly [number, number] | undefined;
  readonly onRange: (range: readonly [number, number] | undefined) => void;
}

const HEIGHT = 104;
const SYNC = "days";

export function Plots({ days, series, totals, range, onRange }: PlotsProps) {
  const [day, setDay] = useState<number>();
  return (
    <div class="plots">
      <p class="day" aria-hidden="true">
        {day === undefined ? (range === undefined ? "30 days" : "chosen days") : days[day]}
        <small> drag over days to choose them</small>
      </p>
      {series.map((one, index) => (
        <figure key={one.name}>
          <figcaption>
            <span>{one.name}</span>
            <b style={{ color: `var(${one.colour})` }}>
              {day === undefined ? totals[index] : one.write(one.values[day] ?? 0)}
            </b>
          </figcaption>
          <Plot
            days={days}
            series={one}
            hasDays={index === series.length - 1}
            range={range}
            onRange={onRange}
            onDay={setDay}
            label={`${one.name} by day, ${totals[index]} in all`}
          />
        </figure>
      ))}
    </div>
  );
}

interface PlotProps {
  readonly days: readonly string[];
  readonly series: PlotSeries;
  readonly hasDays: boolean;
  readonly range: readonly [number, number] | undefined;
  readonly onRange: PlotsProps["onRange"];
  readonly onDay: (day: number | undefined) => void;
  readonly label: string;
}

function Plot({ days, series, hasDays, range, onRange, onDay, label }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  // The plot outlives renders: it calls the current functions.
  const current = useRef({ onRange, onDay, tick: series.tick, days });
  current.current = { onRange, onDay, tick: series.tick, days };
  const scheme = useScheme();
  const { form, colour } = series;

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const style = getComputedStyle(element);
    const of = (name: string) => style.getPropertyValue(name).trim();
    const bars = uPlot.paths.bars?.({ size: [0.72, 40] });
    const font = `11px ${style.fontFamily}`;
    const made = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT + (hasDays ? 24 : 0),
        legend: { show: false },
        padding: [6, 8, hasDays ? 0 : 4, 0],
        cursor: {
          sync: { key: SYNC, setSeries: false },
          y: false,
          points: { show: form === "line" },
          drag: { x: true, y: false, setScale: false },
        },
        scales: {
          x: { time: false, range: [-0.6, days.length - 0.4] },
          y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] },
        },
        axes: [
          {
            show: hasDays,
            size: 24,
            font,
            stroke: of("--soft"),
            grid: { show: false },
            ticks: { show: false },
            incrs: [1, 2, 5, 7, 14],
            space: 56,
            values: (_, ticks) => ticks.map((tick) => dayAndMonth(current.current.days[tick])),
          },
          {
            size: 52,
            font,
            stroke: of("--soft"),
            grid: { stroke: of("--line"), width: 1 },
            ticks: { show: false },
            space: 28,
            values: (_, ticks) => ticks.map((tick) => current.current.tick(tick)),
          },
        ],
        series: [
          {},
          form === "bars"
            ? {
                stroke: of(colour),
                fill: of(colour),
                width: 0,
                ...(bars === undefined ? {} : { paths: bars }),
                points: { show: false },
              }
            : { stroke: of(colour), width: 1.75, points: { show: false } },
        ],
        hooks: {
          setCursor: [({ cursor: { idx } }) => current.current.onDay(idx ?? undefined)],
          setSelect: [
            (self) => {
              const { left, width } = self.select;
              if (width < 4) return;
              const at = (pixel: number) =>
                Math.min(days.length - 1, Math.max(0, Math.round(self.posToVal(pixel, "x"))));
              current.current.onRange([at(left), at(left + width)]);
              self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            },
          ],
        },
      },
      [[], []],
      element,
    );
    plot.current = made;
    const watcher = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: HEIGHT + (hasDays ? 24 : 0) }),
    );
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      made.destroy();
    };
  }, [scheme, form, colour, hasDays, days.length]);

  useEffect(() => {
    const [first, last] = range ?? [0, days.length - 1];
    const values = series.values.map((value, index) => (index < first || index > last ? null : value));
    plot.current?.setData([days.map((_, index) => index), values]);
  }, [series.values, range, scheme, days]);

  return <div class="plot" ref={place} role="img" aria-label={label} />;
}

/** The colour scheme; a canvas does not follow it by itself. */
function useScheme(): boolean {
  const [isDark, setDark] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const list = matchMedia("(prefers-color-scheme: dark)");
    const look = () => setDark(list.matches);
    list.addEventListener("change", look);
    return () => list.removeEventListener("change", look);
  }, []);
  return isDark;
}

function dayAndMonth(day: string | undefined): string {
  if (day === undefined) return "";
  return new Date(`${day}T00:00:00Z`).toLocaleDateString("en", { day: "numeric", month: "short", timeZone: "UTC" });
}
