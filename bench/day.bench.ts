// One day of 470,000 clicks through the client, page by page. The rows come as the older services' XML, as their JSON,
// and as the young API's rows. The memory is read after the first pages and at the end.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createCakeClient } from "../dist/entry/edge.inline.js";

const CLICKS = 470_000;
const PAGE = 10_000;

/** The first pages fill the heap and warm the code up. */
const WARM_PAGES = 8;

interface Recorded {
  readonly name: string;
  readonly body: string;
  readonly json: string;
}

/** Each way reads the day in a process of its own, in turns, so that a slow moment affects all. */
const ROUNDS = 2;

/** One reading of the day. */
interface Day {
  /** The time in the client: pages are made outside of it. */
  readonly ms: number;
  readonly mbAfterFirstPages: number;
  readonly mbAtEnd: number;
}

/** The figures of `npm run bench -- day`. */
export async function measure(): Promise<Record<string, number>> {
  const days = { xml: [] as Day[], older_json: [] as Day[], young_json: [] as Day[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const way of Object.keys(days) as (keyof typeof days)[]) {
      const { stdout, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), way], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
      });
      if (status !== 0) throw new Error(`the reading of ${way} failed`);
      days[way].push(JSON.parse(stdout) as Day);
    }
  }
  const each = (all: readonly Day[]) =>
    Number(((Math.min(...all.map(({ ms }) => ms)) * 1_000) / CLICKS).toPrecision(4));
  const [xml, json, young] = [each(days.xml), each(days.older_json), each(days.young_json)];
  return {
    rows: CLICKS,
    us_per_row_xml: xml,
    us_per_row_older_json: json,
    us_per_row_young_json: young,
    xml_over_older_json: Number((xml / json).toPrecision(3)),
    mb_after_first_pages: Math.max(...days.xml.map((day) => day.mbAfterFirstPages)),
    mb_at_end: Math.max(...days.xml.map((day) => day.mbAtEnd)),
  };
}

async function read(way: string): Promise<Day> {
  const { answers } = JSON.parse(
    readFileSync(new URL("../tests/vectors/older_services.json", import.meta.url), "utf8"),
  ) as { answers: readonly Recorded[] };
  const clicks = answers.find(({ name }) => name === "clicks-v11");
  if (clicks === undefined) throw new Error("the vectors have no clicks");
  const makePage = way === "xml" ? xmlPage(clicks.body) : way === "older_json" ? olderJsonPage(clicks.json) : youngPage;
  let making = 0;
  const cake = createCakeClient({
    baseUrl: "https://yourdomain.cakemarketing.com",
    apiKey: "bench",
    services: way === "young_json" ? "young" : "older",
    fetch: async (request) => {
      const begin = performance.now();
      // A network answers in a turn of its own; without one, the runtime lets go of nothing.
      await new Promise((resolve) => setImmediate(resolve));
      const { searchParams } = new URL(request.url);
      const start = Number(searchParams.get("start_at_row") ?? 0);
      const page = makePage(start, Math.min(Number(searchParams.get("row_limit")), CLICKS - start));
      making += performance.now() - begin;
      return new Response(page);
    },
  });
  const begin = performance.now();
  let rows = 0;
  let mbAfterFirstPages = 0;
  for await (const row of cake.listClicks({ startDate: "2026-06-01", endDate: "2026-06-02", rowLimit: PAGE })) {
    if (row.clickId === undefined) throw new Error("a row has no click id");
    rows += 1;
    if (rows === WARM_PAGES * PAGE) mbAfterFirstPages = residentMb();
  }
  if (rows !== CLICKS) throw new Error(`${rows} rows of ${CLICKS}`);
  return { ms: performance.now() - begin - making, mbAfterFirstPages, mbAtEnd: residentMb() };
}

function residentMb(): number {
  return Math.round(process.memoryUsage.rss() / 1e6);
}

function xmlPage(body: string) {
  const [before = "", row = "", after = ""] = parts(body, "<clicks>", "</clicks>");
  return (start: number, count: number) =>
    encode([before.replace(/<row_count>\d+/, `<row_count>${CLICKS}`), ...numbered(row, start, count), after].join(""));
}

function olderJsonPage(json: string) {
  const [before = "", row = "", after = ""] = parts(JSON.stringify(JSON.parse(json)), '"clicks":[', "]");
  return (start: number, count: number) =>
    encode(
      [before.replace(/"row_count":\d+/, `"row_count":${CLICKS}`), numbered(row, start, count).join(","), after].join(
        "",
      ),
    );
}

/** Cuts the row out of an answer with one row. */
function parts(text: string, open: string, close: string): [string, string, string] {
  const start = text.indexOf(open) + open.length;
  const end = text.indexOf(close, start);
  if (start < open.length || end < 0) throw new Error(`the answer has no ${open}`);
  return [text.slice(0, start), text.slice(start, end), text.slice(end)];
}

/** The row again and again, with a click id of its own. */
function numbered(row: string, start: number, count: number): string[] {
  const [before = "", after = ""] = row.split("1602923077");
  return Array.from({ length: count }, (_, at) => `${before}${1_600_000_000 + start + at}${after}`);
}

function youngPage(start: number, count: number): Uint8Array<ArrayBuffer> {
  const clicks = Array.from({ length: count }, (_, at) => ({
    click_id: `a1b2c3d4-e5f6-7890-abcd-${String(start + at).padStart(12, "0")}`,
    click_date: "2026-06-01 09:14:11",
    offer_id: 12_345,
    affiliate_id: 67_890,
    sub_id_1: "banner_300x250",
    sub_id_2: "Q2xpY2tJZE9mQVBhcnRuZXI",
    ip_address: "203.0.113.42",
    country: "US",
    converted: false,
    conversion_id: null,
  }));
  return encode(JSON.stringify({ request_status: "Success", response: { clicks, total_rows: CLICKS } }));
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

const [, file, way] = process.argv;
if (file === fileURLToPath(import.meta.url) && way !== undefined) console.log(JSON.stringify(await read(way)));
