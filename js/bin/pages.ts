/** `npx cake-edge clicks` and `conversions`: CAKE's lists as pages on disk, so that a rerun needs no network. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { csvCell } from "../csv.js";
import { type CakeClient, createCakeClient, type Day, dayRange, isCakeError } from "../entry/edge.inline.js";
import { UsageError } from "./usage.js";

type Kind = "clicks" | "conversions";

export const PAGES_USAGE = `Usage: cake-edge clicks|conversions --from DAY --to DAY --base-url URL [options]

Reads a list of CAKE's. The API key comes from the environment, CAKE_API_KEY.

  --from DAY --to DAY   the days, both included, such as 2026-06-01
  --base-url URL        your CAKE domain, such as https://yourdomain.cakemarketing.com
  --pages DIR           keep the pages there as they came; a rerun reads them and needs no network
  --csv                 rows as CSV on standard output
  --json                rows as JSON, one a line

Exit status: 0 done, 2 usage, 4 account or network.

Examples:
  CAKE_API_KEY=… cake-edge clicks --from 2026-06-01 --to 2026-06-30 --pages pages --base-url https://yourdomain.cakemarketing.com
  CAKE_API_KEY=… cake-edge conversions --from 2026-06-01 --to 2026-06-30 --csv --base-url https://yourdomain.cakemarketing.com > june.csv

Documentation: docs/report.md`;

interface LiveOptions {
  readonly baseUrl: string;
  readonly from: string;
  readonly to: string;
  readonly folder: string;
  readonly onPage?: (rows: number) => void;
}

/** Writes what was asked for, and returns the exit status. */
export async function pages(kind: Kind, args: string[]): Promise<number> {
  let values: { from?: string; to?: string; "base-url"?: string; pages?: string; csv?: boolean; json?: boolean };
  try {
    const text = { type: "string" } as const;
    const flag = { type: "boolean" } as const;
    ({ values } = parseArgs({
      args,
      options: { from: text, to: text, "base-url": text, pages: text, csv: flag, json: flag },
    }));
  } catch (error) {
    const message = (error as Error).message.split(/[.\n]/)[0];
    console.error(`cake-edge ${kind}: ${message}; \`cake-edge ${kind} --help\` lists the options`);
    return 2;
  }
  const { from, to, "base-url": baseUrl, pages: folder } = values;
  if (from === undefined || to === undefined || baseUrl === undefined || !(folder || values.csv || values.json)) {
    console.error(`cake-edge ${kind}: --from, --to, --base-url, and one of --pages, --csv and --json are needed`);
    return 2;
  }
  try {
    if (folder !== undefined) {
      const files = await readPages(kind, {
        baseUrl,
        from,
        to,
        folder,
        onPage: (rows) => say(`${kind}: ${rows} rows`),
      });
      say("");
      console.error(`${kind}: ${files.length} pages in ${folder}`);
    }
    if (values.csv || values.json) await print(kind, { baseUrl, from, to, folder: "" }, values.csv === true);
    return 0;
  } catch (error) {
    if (!isCakeError(error) && !(error instanceof UsageError)) throw error;
    console.error(`cake-edge ${kind}: ${error.message}`);
    return error instanceof UsageError || /^invalid_/.test((error as { code?: string }).code ?? "") ? 2 : 4;
  }
}

function say(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function open(baseUrl: string, onBody?: (body: Uint8Array) => void): CakeClient {
  return createCakeClient({
    baseUrl,
    apiKey: process.env["CAKE_API_KEY"] ?? "",
    readOnly: true,
    ...(onBody && {
      fetch: async (input: RequestInfo | URL, init?: RequestInit) => {
        const response = await fetch(input, init);
        const body = new Uint8Array(await response.arrayBuffer());
        if (response.ok) onBody(body);
        return new Response(body, { status: response.status, headers: response.headers });
      },
    }),
  });
}

function listOf(cake: CakeClient, kind: Kind, { from, to }: LiveOptions, onPage?: (rows: number) => void) {
  const range = dayRange(from as Day, to as Day);
  const options = onPage === undefined ? {} : { onPage: ({ rows }: { readonly rows: number }) => onPage(rows) };
  return kind === "clicks"
    ? cake.listClicks({ ...range, rowLimit: 10_000 }, options)
    : cake.listConversions(range, options);
}

/** The pages' files: those on disk where they are complete, else read through the API first. */
export async function readPages(kind: Kind, live: LiveOptions): Promise<string[]> {
  const name = `${kind}-${live.from}-${live.to}`;
  const done = join(live.folder, `${name}.complete.json`);
  if (existsSync(done)) {
    const { pages: names } = JSON.parse(readFileSync(done, "utf8")) as { pages: string[] };
    return names.map((file) => join(live.folder, file));
  }
  mkdirSync(live.folder, { recursive: true });
  const files: string[] = [];
  let last: Uint8Array | undefined;
  const cake = open(live.baseUrl, (body) => {
    last = body;
  });
  // A page is written when the client has understood it; what was retried is not.
  const keep = (rows: number) => {
    const file = `${name}-${String(files.length + 1).padStart(5, "0")}.json`;
    writeFileSync(join(live.folder, file), last ?? "");
    files.push(file);
    live.onPage?.(rows);
  };
  for await (const _ of listOf(cake, kind, live, keep));
  // Written beside and renamed: half a list is never taken for all of it.
  writeFileSync(`${done}.part`, JSON.stringify({ pages: files }));
  renameSync(`${done}.part`, done);
  return files.map((file) => join(live.folder, file));
}

async function print(kind: Kind, live: LiveOptions, isCsv: boolean): Promise<void> {
  const rows = listOf(open(live.baseUrl), kind, live) as AsyncIterable<object>;
  let names: string[] | undefined;
  for await (const row of rows) {
    if (!isCsv) {
      process.stdout.write(`${JSON.stringify(row)}\n`);
      continue;
    }
    const cells = row as Record<string, string | number | undefined>;
    if (names === undefined) {
      names = COLUMNS[kind];
      process.stdout.write(`${names.join()}\r\n`);
    }
    process.stdout.write(`${names.map((name) => csvCell(cells[name], true)).join()}\r\n`);
  }
}

const COLUMNS: Record<Kind, string[]> = {
  clicks: [
    "clickId",
    "clickDate",
    "offerId",
    "affiliateId",
    "subId1",
    "subId2",
    "subId3",
    "subId4",
    "subId5",
    "ipAddress",
    "country",
    "converted",
    "conversionId",
  ],
  conversions: [
    "conversionId",
    "conversionDate",
    "conversionStatus",
    "offerId",
    "affiliateId",
    "payoutText",
    "revenueText",
    "uniqueId",
    "orderId",
    "clickId",
  ],
};
