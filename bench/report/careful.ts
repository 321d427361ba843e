// The code of a careful programmer: JSON.parse a page, split a line, objects in a Map.
import { openSync, readSync } from "node:fs";
import { argv } from "node:process";
import { StringDecoder } from "node:string_decoder";

interface Order {
  readonly id: string;
  readonly date: string;
  readonly cents: number;
  readonly status: string;
  duplicates: number;
}

const [, , ask = "", folder = ""] = argv;

function* linesOf(file: string): Generator<string> {
  const handle = openSync(file, "r");
  const buffer = Buffer.allocUnsafe(262_144);
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for (;;) {
    const count = readSync(handle, buffer);
    if (count === 0) break;
    const lines = (rest + decoder.write(buffer.subarray(0, count))).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

const cents = (text: string | number) => Math.round(Number(text) * 100);

function reconcile(): Record<string, number> {
  const orders = new Map<string, Order>();
  const counts: Record<string, number> = {};
  const count = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  let isHeader = true;
  for (const line of linesOf(`${folder}/orders.csv`)) {
    if (isHeader) {
      isHeader = false;
      continue;
    }
    const [id = "", date = "", total = "", , status = ""] = line.split(",");
    const known = orders.get(id);
    if (known === undefined) orders.set(id, { id, date, cents: cents(total), status, duplicates: 0 });
    else known.duplicates += 1;
  }
  const conversions = new Map<string, { rows: { cents: number; date: string; status: string; id: number }[] }>();
  for (const line of linesOf(`${folder}/conversions.json`)) {
    for (const row of JSON.parse(line).response.data.conversions) {
      const made = {
        cents: cents(row.revenue),
        date: row.conversion_date,
        status: row.conversion_status,
        id: row.conversion_id,
      };
      const known = conversions.get(row.unique_id);
      if (known === undefined) conversions.set(row.unique_id, { rows: [made] });
      else known.rows.push(made);
    }
  }
  for (const order of orders.values()) {
    const found = conversions.get(order.id);
    for (let index = 0; index < order.duplicates; index += 1) count("duplicate_order");
    if (found === undefined) {
      count("missing_at_cake");
      continue;
    }
    const [first, ...others] = found.rows.sort((one, other) => one.date.localeCompare(other.date) || one.id - other.id);
    for (const _ of others) count("duplicate_conversion");
    if (first === undefined) continue;
    if (first.cents !== order.cents) count("revenue_differs");
    else if (first.status !== order.status) count("status_differs");
    else count("matched");
  }
  for (const id of conversions.keys()) if (!orders.has(id)) count("unknown_to_advertiser");
  return counts;
}

function breakDown(): Record<string, number> {
  const payouts = new Map<number, { cents: number; status: string; date: string }>();
  for (const line of linesOf(`${folder}/sales.json`)) {
    for (const row of JSON.parse(line).response.data.conversions) {
      payouts.set(row.conversion_id, {
        cents: cents(row.payout),
        status: row.conversion_status,
        date: row.conversion_date,
      });
    }
  }
  const rows: { affiliate: number; sub: string; address: string; conversion: number | null }[] = [];
  for (const line of linesOf(`${folder}/clicks.json`)) {
    for (const row of JSON.parse(line).response.clicks) {
      rows.push({
        affiliate: row.affiliate_id,
        sub: row.sub_id_1,
        address: row.ip_address,
        conversion: row.conversion_id,
      });
    }
  }
  const groups = new Map<string, { clicks: number; unique: Set<string>; conversions: number; cents: number }>();
  for (const { affiliate, sub, address, conversion } of rows) {
    const key = `${affiliate} ${sub}`;
    let group = groups.get(key);
    if (group === undefined) {
      group = { clicks: 0, unique: new Set(), conversions: 0, cents: 0 };
      groups.set(key, group);
    }
    group.clicks += 1;
    group.unique.add(address);
    if (conversion === null) continue;
    group.conversions += 1;
    const sale = payouts.get(conversion);
    if (sale?.status === "approved") group.cents += sale.cents;
  }
  const sum = { groups: groups.size, clicks: 0, unique: 0, conversions: 0, cents: 0 };
  for (const group of groups.values()) {
    sum.clicks += group.clicks;
    sum.unique += group.unique.size;
    sum.conversions += group.conversions;
    sum.cents += group.cents;
  }
  return sum;
}

const answer = ask === "reconcile" ? reconcile() : breakDown();
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ answer, cpuMs: (user + system) / 1_000, peakMb: process.resourceUsage().maxRSS / 1_024 }));
