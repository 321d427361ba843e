/** Chaos in short: `npm run chaos` is the whole of it. */
import { expect, test } from "vitest";
import { chaos } from "../chaos/chaos.ts";

const short = {
  clients: 8,
  faultShare: 0.4,
  killEveryMs: [300, 900],
  healAfterMs: 0,
  patienceMs: 40_000,
} as const;

test.concurrent("killed again and again in front of a bad CAKE, every accepted event is recorded exactly once", async () => {
  const report = await chaos({ ...short, events: 250, kills: 4, deduplicates: true });
  expect(report).toMatchObject({
    accepted: 250,
    recorded_once: 250,
    recorded_twice: 0,
    lost: 0,
    undelivered: 0,
    leaks: [],
  });
  expect(report.kills).toBeGreaterThanOrEqual(4);
  expect(report.upstream_faults).toBeGreaterThan(50);
});

test.concurrent("where CAKE does not deduplicate, none is recorded twice", async () => {
  const report = await chaos({ ...short, events: 100, kills: 2, deduplicates: false });
  expect(report).toMatchObject({ accepted: 100, recorded_twice: 0, lost: 0, leaks: [] });
});
