/** The journey of one click, as a line through the participants: down to the shop as a click, back up as money. */
import { useEffect, useState } from "preact/hooks";

const LANES = ["Affiliate", "CAKE", "Forwarder", "Shop"] as const;
type Lane = (typeof LANES)[number];

export type Progress = "waiting" | "under way" | "done" | "trouble";

/** A stop of the journey. */
export interface Station {
  readonly lane: Lane;
  readonly title: string;
  readonly detail: string;
  readonly progress: Progress;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly places: readonly Place[];
  readonly texts: readonly Place[];
  /** The line to each station from the one before. */
  readonly paths: readonly string[];
  readonly lanes: readonly { readonly from: Place; readonly to: Place; readonly name: Place }[];
}

/** From this station on, money travels. */
const MONEY_FROM = 4;

const ROUND = 10;

/** The drawing for a wide page: time runs to the right. */
function drawWide(lanes: readonly Lane[]): Drawing {
  const columns = [130, 270, 430, 610, 760, 890, 1010];
  const rows: Record<Lane, number> = { Affiliate: 30, CAKE: 92, Forwarder: 154, Shop: 216 };
  const places = lanes.map((lane, index) => ({ x: columns[index] ?? 0, y: rows[lane] }));
  const paths = places.map(({ x, y }, index) => {
    const before = places[index - 1];
    if (before === undefined) return "";
    if (before.y === y) return `M${before.x} ${y}H${x}`;
    const turn = y > before.y ? ROUND : -ROUND;
    return `M${before.x} ${before.y}V${y - turn}Q${before.x} ${y} ${before.x + ROUND} ${y}H${x}`;
  });
  return {
    width: 1200,
    height: 272,
    places,
    paths,
    // Beside the station, or below it where the line continues along the lane.
    texts: places.map(({ x, y }, index) =>
      lanes[index] === "Shop" ? { x: x - 6, y: y + 30 } : { x: x + 18, y: y - 3 },
    ),
    lanes: LANES.map((lane) => ({
      from: { x: 110, y: rows[lane] },
      to: { x: 1190, y: rows[lane] },
      name: { x: 0, y: rows[lane] + 5 },
    })),
  };
}

/** The drawing for a narrow page: time runs downwards. */
function drawNarrow(lanes: readonly Lane[]): Drawing {
  const columns: Record<Lane, number> = { Affiliate: 12, CAKE: 38, Forwarder: 64, Shop: 90 };
  const places = lanes.map((lane, index) => ({ x: columns[lane], y: 44 + index * 54 }));
  const paths = places.map(({ x, y }, index) => {
    const before = places[index - 1];
    if (before === undefined) return "";
    if (before.x === x) return `M${x} ${before.y}V${y}`;
    const turn = x > before.x ? ROUND : -ROUND;
    return `M${before.x} ${before.y}V${y - 27 - ROUND}Q${before.x} ${y - 27} ${before.x + turn} ${y - 27}H${x - turn}Q${x} ${y - 27} ${x} ${y - 27 + ROUND}V${y}`;
  });
  const bottom = 44 + (lanes.length - 1) * 54 + 16;
  return {
    width: 340,
    height: bottom + 4,
    places,
    paths,
    texts: places.map(({ y }) => ({ x: 116, y: y - 3 })),
    lanes: LANES.map((lane) => ({
      from: { x: columns[lane], y: 24 },
      to: { x: columns[lane], y: bottom },
      name: { x: columns[lane], y: 14 },
    })),
  };
}

export function Journey({ stations }: { readonly stations: readonly Station[] }) {
  const isWide = useMedia("(min-width: 62rem)");
  const lanes = stations.map(({ lane }) => lane);
  const { width, height, places, texts, paths, lanes: lines } = isWide ? drawWide(lanes) : drawNarrow(lanes);
  return (
    <section class="journey" aria-labelledby="journey-title">
      <h2 id="journey-title" class="hidden">
        The journey of this click
      </h2>
      <svg viewBox={`0 0 ${width} ${height}`} class={isWide ? "wide" : "narrow"} aria-hidden="true">
        {lines.map(({ from, to, name }, index) => (
          <g key={LANES[index]}>
            <line class="lane" x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
            <text class="lane-name" x={name.x} y={name.y} text-anchor={isWide ? "start" : "middle"}>
              {isWide ? LANES[index] : LANES[index]?.[0]}
            </text>
          </g>
        ))}
        {paths.map((path, index) => (
          <path
            key={path}
            d={path}
            pathLength={1}
            class={`leg ${index >= MONEY_FROM ? "money" : "click"} ${(stations[index]?.progress ?? "waiting").replace(" ", "-")}`}
          />
        ))}
        {stations.map(({ title, detail, progress, lane }, index) => {
          const [place, text] = [places[index], texts[index]];
          if (place === undefined || text === undefined) return null;
          return (
            <g key={title} class={`station ${index >= MONEY_FROM ? "money" : "click"} ${progress.replace(" ", "-")}`}>
              <circle cx={place.x} cy={place.y} r={7} />
              <text class="title" x={text.x} y={text.y}>
                {isWide ? title : `${title} · ${lane}`}
              </text>
              <text class="detail" x={text.x} y={text.y + 17}>
                {detail}
              </text>
            </g>
          );
        })}
      </svg>
      <ol class="hidden" aria-live="polite">
        {stations.map(({ title, detail, progress, lane }, index) => (
          // The link changes with every letter: a screen reader must not announce each change.
          <li
            key={title}
            aria-live={index === 0 ? "off" : undefined}
          >{`${title}, ${lane}: ${progress === "waiting" ? "not yet" : `${progress}, ${detail}`}`}</li>
        ))}
      </ol>
    </section>
  );
}

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const look = () => setMatches(list.matches);
    list.addEventListener("change", look);
    return () => list.removeEventListener("change", look);
  }, [query]);
  return matches;
}
