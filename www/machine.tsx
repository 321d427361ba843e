/** The forwarder's state machine as a picture, with how many conversions are where. */
import type { Place } from "./convert.js";

const PLACES: readonly { readonly place: Place; readonly x: number; readonly y: number }[] = [
  { place: "accepted", x: 4, y: 14 },
  { place: "retrying", x: 120, y: 86 },
  { place: "delivered", x: 236, y: 14 },
  { place: "refused", x: 236, y: 86 },
  { place: "dead", x: 236, y: 158 },
  { place: "paused", x: 4, y: 158 },
];

const ARROWS = [
  "M104 37H230",
  "M54 60C54 96 80 109 114 109",
  "M196 86C210 70 222 62 232 56",
  "M220 109H230",
  "M196 132C206 150 216 164 230 172",
  "M134 132C124 156 112 170 110 176",
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
            <rect x={x} y={y} width={100} height={46} rx={6} />
            <text x={x + 10} y={y + 28}>
              {place}
            </text>
            <text class="number" x={x + 90} y={y + 28} text-anchor="end">
              {number}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
