/** The forwarder's state machine as a picture, with the number of conversions in each state. */
import type { Place } from "./purchase.js";

const PLACES: readonly { readonly place: Place; readonly x: number; readonly y: number }[] = [
  { place: "accepted", x: 1, y: 14 },
  { place: "retrying", x: 117, y: 86 },
  { place: "delivered", x: 233, y: 14 },
  { place: "refused", x: 233, y: 86 },
  { place: "dead", x: 233, y: 158 },
  { place: "paused", x: 1, y: 158 },
];

const ARROWS = [
  "M107 37H229",
  "M54 60C54 96 80 109 113 109",
  "M196 86C208 70 218 62 229 56",
  "M223 109H229",
  "M196 132C206 150 216 164 229 172",
  "M140 132C132 156 122 166 112 174",
];

const WORDS: Record<Place, string> = {
  accepted: "stored, not sent yet",
  retrying: "sent, to be sent again",
  delivered: "recorded by CAKE",
  refused: "CAKE said no; kept",
  dead: "schedule used up; kept",
  paused: "key trouble; kept",
};

export function Machine({ counts }: { readonly counts: ReadonlyMap<Place, number> }) {
  const summary = PLACES.map(({ place }) => `${place} ${counts.get(place) ?? 0}`).join(", ");
  return (
    <svg class="machine" viewBox="0 0 340 212" role="img" aria-label={`The forwarder: ${summary}`}>
      <defs>
        <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
          <path d="M0 0L8 4L0 8z" />
        </marker>
      </defs>
      {ARROWS.map((arrow) => (
        <path key={arrow} class="arrow" d={arrow} marker-end="url(#tip)" />
      ))}
      {PLACES.map(({ place, x, y }) => {
        const number = counts.get(place) ?? 0;
        return (
          <g key={place} class={`place ${place} ${number > 0 ? "busy" : ""}`}>
            <title>{WORDS[place]}</title>
            <rect x={x} y={y} width={106} height={46} rx={6} />
            <text x={x + 10} y={y + 28}>
              {place}
            </text>
            <text class="number" x={x + 96} y={y + 28} text-anchor="end">
              {number}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
