// DuckDB in Node with one thread, from the same files.
import { argv } from "node:process";
import { DuckDBInstance } from "@duckdb/node-api";

const [, , , folder = ""] = argv;
const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
const connection = await instance.connect();
const reader = await connection.runAndReadAll(`
  WITH orders AS (
    SELECT order_id AS id, arg_min(total, date) AS total, arg_min(status, date) AS status, count(*) AS n
    FROM read_csv('${folder}/orders.csv', header = true, columns = {
      order_id: 'VARCHAR', date: 'TIMESTAMP', total: 'DECIMAL(12,2)', currency: 'VARCHAR', status: 'VARCHAR'
    })
    GROUP BY 1
  ), pages AS (
    SELECT unnest(response.data.conversions) AS row
    FROM read_json('${folder}/conversions.json', format = 'newline_delimited', columns = {
      response: 'STRUCT(data STRUCT(conversions STRUCT(conversion_id BIGINT, conversion_date TIMESTAMP,
        revenue DECIMAL(12,2), conversion_status VARCHAR, unique_id VARCHAR)[]))'
    })
  ), conversions AS (
    SELECT row.unique_id AS id, arg_min(row.revenue, row.conversion_date) AS revenue,
      arg_min(row.conversion_status, row.conversion_date) AS status, count(*) AS n
    FROM pages GROUP BY 1
  )
  SELECT
    count(*) FILTER (orders.id = conversions.id AND total = revenue AND orders.status = conversions.status) AS matched,
    count(*) FILTER (orders.id = conversions.id AND total <> revenue) AS revenue_differs,
    count(*) FILTER (orders.id = conversions.id AND total = revenue AND orders.status <> conversions.status)
      AS status_differs,
    count(*) FILTER (conversions.id IS NULL) AS missing_at_cake,
    count(*) FILTER (orders.id IS NULL) AS unknown_to_advertiser,
    coalesce(sum(orders.n - 1), 0) AS duplicate_order,
    coalesce(sum(conversions.n - 1), 0) AS duplicate_conversion
  FROM orders FULL JOIN conversions ON orders.id = conversions.id
`);
const [row = {}] = reader.getRowObjectsJson();
const counts = Object.entries(row).map(([name, count]) => [name, Number(count)] as const);
const answer = Object.fromEntries(counts.filter(([, count]) => count > 0));
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ answer, cpuMs: (user + system) / 1_000, peakMb: process.resourceUsage().maxRSS / 1_024 }));
