// npm run chaos: 10,000 events, a CAKE that fails in 40 % of the calls, and a forwarder that is killed at 40 random
// moments. The forwarder runs in workerd, or with `-- --host node` in a Node process. In the first run CAKE deduplicates:
// each event must be recorded exactly once, and each correction of a tenth of the events too. In the second run, of a
// fifth of the events, CAKE does not deduplicate, and no event may be recorded twice. `-- --reshard` meanwhile changes the
// number of shards from 4 to 16, reverts that halfway, and changes it again. `-- --events 1000` sets the number of events;
// `--json` as the last argument prints only the figures. Retries follow the clock, so a machine may be too slow for the
// number of events: the run says so then.
import { parseArgs } from "node:util";
import { chaos, isTooSlow } from "../tests/chaos/chaos.ts";
import { orders, poison } from "../tests/chaos/poison.ts";
import { BuildError, build } from "./build.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "10000" },
    host: { type: "string", default: "workerd" },
    reshard: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const events = Number(values.events);
// The last release is listed twice: the kills continue after the change is complete.
const RELEASES = [
  { shards: 4, formerShards: [] },
  { shards: 16, formerShards: [4] },
  { shards: 4, formerShards: [16] },
  { shards: 16, formerShards: [4] },
  { shards: 16, formerShards: [4] },
];
const kills = Math.max(4, Math.round((events / 10_000) * 40));

try {
  if (!(events > 0)) throw new BuildError("--events must be a number");
  const { host } = values;
  if (host !== "workerd" && host !== "node") throw new BuildError("--host must be workerd or node");
  await build();
  const run = (deduplicates: boolean, share: number, onRecovery: () => void = () => undefined) =>
    chaos({
      host,
      events: Math.ceil(events * share),
      clients: 8,
      faultShare: 0.4,
      kills,
      deduplicates,
      correctedShare: 0.1,
      ...(values.reshard ? { releases: RELEASES, repeatedShare: 0.2 } : {}),
      healAfterMs: 15_000,
      // Each doubt about a correction reads CAKE's list of changes, which has thousands of rows here.
      patienceMs: 900_000,
      onRecovery,
      tell: (line) => console.error(`chaos${deduplicates ? "" : ", without dedupe"}: ${line}`),
    });
  // The second run begins while the first one waits for its last events.
  const recovery = Promise.withResolvers<void>();
  const first = run(true, 1, recovery.resolve);
  const second = Promise.race([recovery.promise, first]).then(() => run(false, 0.2));
  const [exact, careful] = await Promise.all([first, second]);
  // 20 events get a 403, 400 events a 500 and 200 events a 429: in one case among the 1,000 good events, in the other before them.
  const poisoned = (inFront: boolean) =>
    poison({
      host,
      good: 1_000,
      refused: 20,
      failing: 400,
      limited: 200,
      inFront,
      clockSpeed: 10,
      tell: (line) => console.error(line),
    });
  const among = await poisoned(false);
  const inFront = await poisoned(true);
  const several = await orders({
    host,
    clicks: Math.ceil(events / 100),
    ordersPerClick: 3,
    kills: Math.max(2, Math.ceil(kills / 6)),
    tell: (line) => console.error(`chaos: ${line}`),
  });
  const figures = {
    host,
    ...exact,
    ...prefixed("without_dedupe_", careful),
    poison_p95_s: among.p95_s,
    poison_max_s: among.max_s,
    ...prefixed("poison_in_front_", inFront),
    ...prefixed("several_orders_", several),
  };
  if (values.json) console.log(JSON.stringify(figures));
  else console.table(figures);
  for (const { dead, faulty_s } of [exact, careful].filter(isTooSlow)) {
    console.error(
      `chaos: the machine is too slow for this run. CAKE was faulty for ${faulty_s} s, which is longer than an event's ` +
        `attempts last. ${dead} events used them up. Run it again with fewer --events, or while nothing else runs.`,
    );
  }
  const areCorrected = [exact, careful].every(
    (run) =>
      run.corrections > 0 &&
      run.corrections_applied_once === run.corrections &&
      run.corrections_twice + run.corrections_lost + run.corrections_out_of_order === 0,
  );
  const isExact = exact.lost === 0 && exact.recorded_twice === 0 && exact.undelivered === 0;
  const isCareful = careful.lost === 0 && careful.recorded_twice === 0;
  const areKeptOnce = [exact, careful].every((run) => run.kept_twice === 0 && run.forgotten === 0);
  const isApart = among.p95_s <= 60 && among.max_s <= 600 && inFront.max_s <= 600;
  const isSettled = several.lost === 0 && several.recorded_twice === 0 && several.undelivered === 0;
  if (
    !isExact ||
    !isCareful ||
    !isApart ||
    !isSettled ||
    !areCorrected ||
    !areKeptOnce ||
    exact.leaks.length + careful.leaks.length > 0
  )
    process.exitCode = 1;
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`chaos: ${error.message}`);
  process.exitCode = 1;
}

function prefixed(prefix: string, report: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(report).map(([name, value]) => [prefix + name, value]));
}
