// JavaScript that avoids the cost of objects: the platform parses the rows, and typed columns hold them.
import { openSync, readSync } from "node:fs";
import { argv } from "node:process";
import { StringDecoder } from "node:string_decoder";

const [, , ask = "", folder = ""] = argv;

function* linesOf(file: string): Generator<string> {
  const handle = openSync(file, "r");
  const buffer = Buffer.allocUnsafe(262_144);
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for (;;) {
    const count = readSync(handle, buffer);
    if (count === 0) break;
    const text = rest + decoder.write(buffer.subarray(0, count));
    let from = 0;
    for (;;) {
      const end = text.indexOf("\n", from);
      if (end < 0) break;
      yield text.slice(from, end);
      from = end + 1;
    }
    rest = text.slice(from);
  }
  if (rest !== "") yield rest;
}

/** A column of numbers that grows. */
class Column {
  values = new Float64Array(65_536);
  length = 0;
  push(value: number): void {
    if (this.length === this.values.length) {
      const values = new Float64Array(this.length * 2);
      values.set(this.values);
      this.values = values;
    }
    this.values[this.length] = value;
    this.length += 1;
  }
}

const cents = (text: string | number) => Math.round(Number(text) * 100);
const codes = new Map<string, number>();
function codeOf(word: string): number {
  let code = codes.get(word);
  if (code === undefined) {
    code = codes.size + 1;
    codes.set(word, code);
  }
  return code;
}

function reconcile(): Record<string, number> {
  const rows = new Map<string, number>();
  const totals = new Column();
  const statuses = new Column();
  const taken = new Column();
  const counts: Record<string, number> = {};
  const count = (name: string, by = 1) => {
    counts[name] = (counts[name] ?? 0) + by;
  };
  let isHeader = true;
  for (const line of linesOf(`${folder}/orders.csv`)) {
    if (isHeader) {
      isHeader = false;
      continue;
    }
    const idEnd = line.indexOf(",");
    const dateEnd = line.indexOf(",", idEnd + 1);
    const totalEnd = line.indexOf(",", dateEnd + 1);
    const currencyEnd = line.indexOf(",", totalEnd + 1);
    const id = line.slice(0, idEnd);
    if (rows.has(id)) {
      count("duplicate_order");
      continue;
    }
    rows.set(id, totals.length);
    totals.push(cents(line.slice(dateEnd + 1, totalEnd)));
    statuses.push(codeOf(line.slice(currencyEnd + 1)));
    taken.push(0);
  }
  const strangers = new Set<string>();
  for (const line of linesOf(`${folder}/conversions.json`)) {
    for (const row of JSON.parse(line).response.data.conversions) {
      const at = rows.get(row.unique_id);
      if (at === undefined) {
        if (strangers.has(row.unique_id)) count("duplicate_conversion");
        strangers.add(row.unique_id);
        continue;
      }
      if (taken.values[at] === 1) {
        count("duplicate_conversion");
        continue;
      }
      taken.values[at] = 1;
      if (totals.values[at] !== cents(row.revenue)) count("revenue_differs");
      else if (statuses.values[at] !== codeOf(row.conversion_status)) count("status_differs");
      else count("matched");
    }
  }
  count("unknown_to_advertiser", strangers.size);
  let missing = 0;
  for (let index = 0; index < taken.length; index += 1) missing += 1 - (taken.values[index] ?? 0);
  count("missing_at_cake", missing);
  return counts;
}

function breakDown(): Record<string, number> {
  const payouts = new Map<number, number>();
  for (const line of linesOf(`${folder}/sales.json`)) {
    for (const row of JSON.parse(line).response.data.conversions) {
      payouts.set(row.conversion_id, row.conversion_status === "approved" ? cents(row.payout) : 0);
    }
  }
  const affiliates = new Column();
  const subs = new Column();
  const addresses = new Column();
  const sales = new Column();
  for (const line of linesOf(`${folder}/clicks.json`)) {
    for (const row of JSON.parse(line).response.clicks) {
      affiliates.push(row.affiliate_id);
      subs.push(codeOf(row.sub_id_1));
      addresses.push(codeOf(row.ip_address));
      sales.push(row.conversion_id ?? 0);
    }
  }
  const groups = new Map<number, number>();
  const seen = new Set<number>();
  const sum = { groups: 0, clicks: affiliates.length, unique: 0, conversions: 0, cents: 0 };
  const clicks = new Column();
  for (let row = 0; row < affiliates.length; row += 1) {
    const key = (affiliates.values[row] ?? 0) * 1_048_576 + (subs.values[row] ?? 0);
    let group = groups.get(key);
    if (group === undefined) {
      group = groups.size;
      groups.set(key, group);
      clicks.push(0);
    }
    clicks.values[group] = (clicks.values[group] ?? 0) + 1;
    seen.add(group * 4_194_304 + (addresses.values[row] ?? 0));
    const sale = sales.values[row] ?? 0;
    if (sale === 0) continue;
    sum.conversions += 1;
    sum.cents += payouts.get(sale) ?? 0;
  }
  sum.groups = groups.size;
  sum.unique = seen.size;
  return sum;
}

const answer = ask === "reconcile" ? reconcile() : breakDown();
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ answer, cpuMs: (user + system) / 1_000, peakMb: process.resourceUsage().maxRSS / 1_024 }));
