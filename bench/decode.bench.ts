// A page of 10,000 clicks, 2.4 MB of JSON, from the Response to validated objects: the package's client against
// JSON.parse and zod. Both read the same body. A round times one after the other, so that a slow moment affects both.
import { z } from "zod";
import { createCakeClient } from "../dist/entry/edge.inline.js";

const ROUNDS = 41;
const CLICKS = 10_000;

const row = z.object({
  click_id: z.string().min(1),
  click_date: z.string().nullish(),
  offer_id: z.number().int(),
  affiliate_id: z.number().int(),
  sub_id_1: z.string().nullish(),
  sub_id_2: z.string().nullish(),
  sub_id_3: z.string().nullish(),
  sub_id_4: z.string().nullish(),
  sub_id_5: z.string().nullish(),
  ip_address: z.string().nullish(),
  country: z.string().nullish(),
  converted: z.boolean(),
  conversion_id: z.number().int().nullish(),
});
const schema = z.object({
  request_status: z.literal("Success"),
  response: z.object({ clicks: z.array(row), total_rows: z.number().int() }),
});

/** The figures of `npm run bench -- decode`. */
export async function measure(): Promise<Record<string, number>> {
  const body = new TextEncoder().encode(page());
  const cake = createCakeClient({
    baseUrl: "https://yourdomain.cakemarketing.com",
    apiKey: "bench",
    fetch: async () => new Response(body),
  });
  const ways = {
    ours: async () => (await cake.listClicks({ rowLimit: CLICKS }).page()).rows.length,
    zod: async () => schema.parse(JSON.parse(await new Response(body).text())).response.clicks.length,
  };
  const times: Record<keyof typeof ways, number[]> = { ours: [], zod: [] };
  for (let round = -8; round < ROUNDS; round += 1) {
    for (const [way, decode] of Object.entries(ways) as [keyof typeof ways, () => Promise<number>][]) {
      const start = performance.now();
      if ((await decode()) !== CLICKS) throw new Error(`${way} lost rows`);
      // The first rounds are a warm-up.
      if (round >= 0) times[way].push(performance.now() - start);
    }
  }
  return {
    time_over_json_parse_plus_zod: median(times.ours.map((time, round) => time / (times.zod[round] ?? 1))),
    ms_10000_clicks: median(times.ours),
  };
}

function page(): string {
  const clicks = Array.from({ length: CLICKS }, (_, i) => ({
    click_id: `a1b2c3d4-e5f6-7890-abcd-${String(i).padStart(12, "0")}`,
    click_date: `2026-01-15 09:${String(i % 60).padStart(2, "0")}:11`,
    offer_id: 12_345,
    affiliate_id: 67_890 + (i % 50),
    sub_id_1: "banner_300x250",
    sub_id_2: `partner-${i}`,
    sub_id_3: null,
    ip_address: `203.0.113.${i % 250}`,
    country: "US",
    converted: i % 20 === 0,
    conversion_id: i % 20 === 0 ? 998_877 + i : null,
  }));
  return JSON.stringify({ request_status: "Success", response: { clicks, total_rows: CLICKS } });
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Number((sorted[Math.floor(sorted.length / 2)] ?? 0).toPrecision(4));
}
