/** A short chaos test; `npm run chaos` is the full one. */
import { expect, test } from "vitest";
import { chaos } from "../chaos/chaos.ts";
import { orders, poison } from "../chaos/poison.ts";

/** Each test starts and kills several processes, which takes time on a busy machine. */
const PATIENCE_MS = 180_000;

const short = {
  clients: 8,
  faultShare: 0.4,
  healAfterMs: 0,
  patienceMs: 40_000,
} as const;

test.concurrent(
  "killed again and again in front of a bad CAKE, every accepted event is recorded, and corrected, exactly once",
  async () => {
    const report = await chaos({ ...short, events: 250, kills: 4, deduplicates: true, correctedShare: 0.2 });
    expect(report).toMatchObject({
      accepted: 250,
      recorded_once: 250,
      recorded_twice: 0,
      lost: 0,
      undelivered: 0,
      corrections: 75,
      corrections_applied_once: 75,
      corrections_twice: 0,
      corrections_lost: 0,
      corrections_out_of_order: 0,
      leaks: [],
    });
    expect(report.kills).toBe(4);
    expect(report.upstream_faults).toBeGreaterThan(50);
  },
  PATIENCE_MS,
);

test.concurrent(
  "where CAKE does not deduplicate, none is recorded twice",
  async () => {
    const report = await chaos({ ...short, events: 100, kills: 2, deduplicates: false });
    expect(report).toMatchObject({ accepted: 100, recorded_twice: 0, lost: 0, leaks: [] });
  },
  PATIENCE_MS,
);

test(
  "in a Node process, killed again and again, every accepted event is recorded, and corrected, exactly once",
  async () => {
    const report = await chaos({
      ...short,
      host: "node",
      events: 150,
      kills: 4,
      deduplicates: true,
      correctedShare: 0.2,
    });
    expect(report).toMatchObject({
      accepted: 150,
      recorded_once: 150,
      recorded_twice: 0,
      lost: 0,
      undelivered: 0,
      corrections: 45,
      corrections_applied_once: 45,
      corrections_twice: 0,
      corrections_lost: 0,
      corrections_out_of_order: 0,
      leaks: [],
    });
    expect(report.kills).toBe(4);
  },
  PATIENCE_MS,
);

test(
  "in a Node process, where CAKE does not deduplicate, none is recorded twice",
  async () => {
    const report = await chaos({ ...short, host: "node", events: 60, kills: 2, deduplicates: false });
    expect(report).toMatchObject({ accepted: 60, recorded_twice: 0, lost: 0, leaks: [] });
  },
  PATIENCE_MS,
);

test.each(["workerd", "node"] as const)(
  "while the number of shards changes from 4 to 6 to 3, and back, in %s, every event is kept once, recorded once and known",
  async (host) => {
    const releases = [
      { shards: 4, formerShards: [] },
      { shards: 6, formerShards: [4] },
      { shards: 3, formerShards: [6, 4] },
      { shards: 6, formerShards: [3, 4] },
    ];
    const report = await chaos({
      ...short,
      host,
      events: 60,
      kills: 5,
      deduplicates: true,
      correctedShare: 0.2,
      releases,
      repeatedShare: 0.3,
    });
    expect(report).toMatchObject({
      accepted: 60,
      recorded_once: 60,
      recorded_twice: 0,
      lost: 0,
      kept_twice: 0,
      forgotten: 0,
      undelivered: 0,
      corrections_applied_once: report.corrections,
      corrections_twice: 0,
      corrections_out_of_order: 0,
      leaks: [],
    });
    expect(report.corrections).toBe(18);
  },
  PATIENCE_MS,
);

test(
  "events that CAKE refuses or fails do not hold up the good ones, among them or behind them",
  async () => {
    for (const inFront of [false, true]) {
      const report = await poison({ good: 200, refused: 10, failing: 100, limited: 50, inFront, clockSpeed: 10 });
      expect(report.delivered).toBe(200);
      // The measured time is far lower; the machine may be busy.
      expect(report.max_s).toBeLessThan(600);
    }
  },
  PATIENCE_MS,
);

test(
  "where CAKE does not deduplicate, several orders of one click are each recorded exactly once",
  async () => {
    const report = await orders({ clicks: 20, ordersPerClick: 3, kills: 2 });
    expect(report).toEqual({ accepted: 60, recorded_once: 60, recorded_twice: 0, lost: 0, undelivered: 0 });
  },
  PATIENCE_MS,
);
