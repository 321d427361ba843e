// Builds a tracking link with four parameters, against the platform's ways. Each round times all of them in sequence,
// so that a slow moment affects all. The figures are medians of the rounds' ratios.
import { createTrackingLink } from "../dist/entry/edge.inline.js";

const ROUNDS = 31;
const LINKS = 20_000;

type Build = (s1: string, s2: string) => string;

const WAYS: Record<"ours" | "url" | "urlsearchparams" | "concatenation", Build> = {
  ours: (s1, s2) =>
    createTrackingLink({ domain: "track.yournetwork.com", affiliateId: 67_890, creativeId: 12, s1, s2 }),
  url: (s1, s2) => {
    const url = new URL("https://track.yournetwork.com/");
    url.searchParams.set("a", "67890");
    url.searchParams.set("c", "12");
    url.searchParams.set("s1", s1);
    url.searchParams.set("s2", s2);
    return url.href;
  },
  urlsearchparams: (s1, s2) => `https://track.yournetwork.com/?${new URLSearchParams({ a: "67890", c: "12", s1, s2 })}`,
  concatenation: (s1, s2) =>
    `https://track.yournetwork.com/?a=67890&c=12&s1=${encodeURIComponent(s1)}&s2=${encodeURIComponent(s2)}`,
};

/** The figures of `npm run bench -- link`. */
export async function measure(): Promise<Record<string, number>> {
  const times: Record<string, number[]> = {};
  for (let round = -3; round < ROUNDS; round += 1) {
    for (const [way, build] of Object.entries(WAYS)) {
      const start = performance.now();
      let length = 0;
      for (let i = 0; i < LINKS; i += 1) length += build("spring_sale", `partner click ${i}`).length;
      const time = performance.now() - start;
      if (length === 0) throw new Error("nothing was built");
      // The first rounds are a warm-up.
      if (round >= 0) {
        times[way] ??= [];
        times[way].push(time);
      }
    }
  }
  const ours = times["ours"] ?? [];
  const ratio = (way: keyof typeof WAYS) => median((times[way] ?? []).map((time, round) => time / (ours[round] ?? 1)));
  return {
    vs_url: ratio("url"),
    vs_urlsearchparams: ratio("urlsearchparams"),
    vs_concatenation: ratio("concatenation"),
    links_per_s: Math.round(LINKS / (median(ours) / 1_000)),
  };
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Number((sorted[Math.floor(sorted.length / 2)] ?? 0).toPrecision(4));
}
