// The package's report, called as a user calls it.
import { argv } from "node:process";
import { openReport } from "../../dist/entry/report.node.js";

const [, , ask = "", folder = ""] = argv;
using report = await openReport({ keys: ["uniqueId"] });
let answer: Record<string, number> = {};
if (ask === "reconcile") {
  await report.addOrders(`${folder}/orders.csv`, { decimal: "." });
  await report.addConversions(`${folder}/conversions.json`);
  const { counts } = await report.reconcile();
  for (const [name, { orders, conversions }] of Object.entries(counts)) {
    const count = name.endsWith("conversion") || name === "unknown_to_advertiser" ? conversions : orders;
    if (count > 0) answer[name] = count;
  }
} else if (ask === "breakdown") {
  await report.addConversions(`${folder}/sales.json`);
  await report.addClicks(`${folder}/clicks.json`);
  const { total, groupsInAll } = report.breakDown({ by: ["affiliate", "subId1"] });
  answer = {
    groups: groupsInAll,
    clicks: total.clicks,
    unique: total.uniqueClicks,
    conversions: total.conversions,
    cents: Math.round(Number(total.payout) * 100),
  };
}
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({
    answer,
    cpuMs: (user + system) / 1_000,
    peakMb: process.resourceUsage().maxRSS / 1_024,
    wasmMb: report.memoryBytes / 1_048_576,
  }),
);
