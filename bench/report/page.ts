// The candidates in a page: each gets its files as Blobs, and the time includes the start of its library.

interface Files {
  readonly orders: Blob;
  readonly conversions: Blob;
}

/** The package's report. */
async function ours({ orders, conversions }: Files): Promise<Record<string, number>> {
  const entry = "/dist/entry/report.inline.js";
  const { openReport } = (await import(entry)) as typeof import("../../dist/entry/report.inline.js");
  using report = await openReport({ keys: ["uniqueId"] });
  await report.addOrders(orders, { decimal: "." });
  await report.addConversions(conversions);
  const { counts } = await report.reconcile();
  const answer: Record<string, number> = {};
  for (const [name, sides] of Object.entries(counts)) {
    const count = name.endsWith("conversion") || name === "unknown_to_advertiser" ? sides.conversions : sides.orders;
    if (count > 0) answer[name] = count;
  }
  return answer;
}

/** The lines of a Blob, read as sparingly as the package reads it. */
async function* linesOf(blob: Blob): AsyncGenerator<string[]> {
  const reader = blob.stream().getReader({ mode: "byob" });
  const decoder = new TextDecoder();
  let buffer = new ArrayBuffer(262_144);
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (done || value === undefined) break;
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    buffer = value.buffer as ArrayBuffer;
    rest = lines.pop() ?? "";
    yield lines;
  }
  if (rest !== "") yield [rest];
}

const cents = (text: string | number) => Math.round(Number(text) * 100);

/** The code of a careful programmer: JSON.parse a page, split a line, objects in a Map. */
async function careful({ orders, conversions }: Files): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const count = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  const known = new Map<string, { date: string; cents: number; status: string; duplicates: number }>();
  let isHeader = true;
  for await (const lines of linesOf(orders)) {
    for (const line of lines) {
      if (isHeader) {
        isHeader = false;
        continue;
      }
      const [id = "", date = "", total = "", , status = ""] = line.split(",");
      const before = known.get(id);
      if (before === undefined) known.set(id, { date, cents: cents(total), status, duplicates: 0 });
      else before.duplicates += 1;
    }
  }
  const rows = new Map<string, { cents: number; date: string; status: string; id: number }[]>();
  for await (const lines of linesOf(conversions)) {
    for (const line of lines) {
      for (const row of JSON.parse(line).response.data.conversions) {
        const { conversion_date: date, conversion_status: status, conversion_id: id } = row;
        const made = { cents: cents(row.revenue), date, status, id };
        const before = rows.get(row.unique_id);
        if (before === undefined) rows.set(row.unique_id, [made]);
        else before.push(made);
      }
    }
  }
  for (const [id, order] of known) {
    for (let index = 0; index < order.duplicates; index += 1) count("duplicate_order");
    const found = rows.get(id);
    if (found === undefined) {
      count("missing_at_cake");
      continue;
    }
    const [first, ...others] = found.sort((one, other) => one.date.localeCompare(other.date) || one.id - other.id);
    for (const _ of others) count("duplicate_conversion");
    if (first === undefined) continue;
    if (first.cents !== order.cents) count("revenue_differs");
    else if (first.status !== order.status) count("status_differs");
    else count("matched");
  }
  for (const id of rows.keys()) if (!known.has(id)) count("unknown_to_advertiser");
  return counts;
}

/** What the bench uses of DuckDB-wasm: its types are only there where the peers are installed. */
interface Duckdb {
  readonly AsyncDuckDB: new (
    logger: object,
    worker: Worker,
  ) => {
    instantiate(module: string): Promise<unknown>;
    connect(): Promise<{
      insertJSONFromPath(path: string, options: { name: string }): Promise<void>;
      query(sql: string): Promise<{ get(row: number): { toJSON(): object } | null }>;
    }>;
    registerFileHandle(name: string, file: Blob, protocol: number, isDirect: boolean): Promise<void>;
    registerFileText(name: string, text: string): Promise<void>;
  };
  readonly DuckDBDataProtocol: { readonly BROWSER_FILEREADER: number };
  readonly VoidLogger: new () => object;
}

/** DuckDB-wasm. Its JSON extension comes from a network, so the platform parses the pages. */
async function duckdb({ orders, conversions }: Files): Promise<Record<string, number>> {
  const library = "/duckdb.js";
  const { AsyncDuckDB, DuckDBDataProtocol, VoidLogger } = (await import(library)) as Duckdb;
  const worker = new Worker("/duckdb-browser-eh.worker.js");
  const db = new AsyncDuckDB(new VoidLogger(), worker);
  await db.instantiate("/duckdb-eh.wasm");
  const connection = await db.connect();
  await db.registerFileHandle("orders.csv", orders, DuckDBDataProtocol.BROWSER_FILEREADER, true);
  const rows: object[] = [];
  for await (const lines of linesOf(conversions)) {
    for (const line of lines) {
      for (const row of JSON.parse(line).response.data.conversions) {
        rows.push({ id: row.unique_id, revenue: row.revenue, status: row.conversion_status });
      }
    }
  }
  await db.registerFileText("conversions.json", JSON.stringify(rows));
  await connection.insertJSONFromPath("conversions.json", { name: "rows" });
  const table = await connection.query(`
    WITH orders AS (
      SELECT order_id AS id, first(total) AS total, first(status) AS status, count(*) AS n
      FROM read_csv('orders.csv', header = true, columns = {
        'order_id': 'VARCHAR', 'date': 'TIMESTAMP', 'total': 'DOUBLE', 'currency': 'VARCHAR', 'status': 'VARCHAR'
      })
      GROUP BY 1
    ), conversions AS (
      SELECT id, first(revenue) AS revenue, first(status) AS status, count(*) AS n FROM rows GROUP BY 1
    )
    SELECT
      count(*) FILTER (orders.id = conversions.id AND total = revenue AND orders.status = conversions.status) AS matched,
      count(*) FILTER (orders.id = conversions.id AND total <> revenue) AS revenue_differs,
      count(*) FILTER (orders.id = conversions.id AND total = revenue AND orders.status <> conversions.status)
        AS status_differs,
      count(*) FILTER (conversions.id IS NULL) AS missing_at_cake,
      count(*) FILTER (orders.id IS NULL) AS unknown_to_advertiser,
      sum(orders.n - 1)::INTEGER AS duplicate_order,
      sum(conversions.n - 1)::INTEGER AS duplicate_conversion
    FROM orders FULL JOIN conversions ON orders.id = conversions.id
  `);
  const found = Object.entries(table.get(0)?.toJSON() ?? {}).map(([name, count]) => [name, Number(count)] as const);
  worker.terminate();
  return Object.fromEntries(found.filter(([, count]) => count > 0));
}

/** Runs one candidate in a page of its own. */
export async function race(candidate: "ours" | "careful" | "duckdb"): Promise<{ answer: object; ms: number }> {
  const [orders, conversions] = await Promise.all(
    ["/orders.csv", "/conversions.json"].map(async (path) => (await fetch(path)).blob()),
  );
  if (orders === undefined || conversions === undefined) throw new Error("the files are missing");
  const start = performance.now();
  const answer = await { ours, careful, duckdb }[candidate]({ orders, conversions });
  return { answer, ms: performance.now() - start };
}
