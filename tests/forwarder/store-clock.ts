/** The contract of a forwarder's store where a clock was wrong. */
import { expect, test } from "vitest";
import type { NewEvent } from "../../dist/forwarder/store.js";
import type { OpenStore } from "./store.ts";

const RETENTION_MS = 1_000_000;

export function clockTests(open: OpenStore, newEvent: (index: number) => NewEvent): void {
  test("mends the times of what waits where the clock was ahead, and of nothing else", async () => {
    await open(RETENTION_MS, ({ store, restart }) => {
      const [nowMs, day] = [100_000_000, 86_400_000];
      const [old] = store.insert([newEvent(0)], nowMs - 50);
      const ahead = store.insert([newEvent(1), newEvent(2), newEvent(3), newEvent(4)], nowMs + 3_650 * day);
      const [fresh, tried, doubtful, over] = ahead;
      if (!old || !fresh || !tried || !doubtful || !over) throw new Error("not kept");
      const later = { attempts: 1, code: "http_status", next_ms: nowMs + 3_650 * day + 5_000 };
      store.settle([
        { ...old, attempts: 1, next_ms: nowMs + day, changed_ms: nowMs - 50 },
        { ...tried, ...later },
        { ...doubtful, ...later, is_in_doubt: 1 },
        { ...over, state: "delivered", next_ms: null },
      ]);
      expect(store.latest()).toEqual({ acceptedMs: over.accepted_ms, dueMs: later.next_ms });
      // What was never tried is due whatever its clock was.
      expect(store.due(nowMs, 9).map(({ id }) => id)).toEqual([fresh.id]);
      expect(store.nextDue(nowMs)).toBe(nowMs);
      store.mendTimes({ nowMs, setFromMs: 1_000, longestWaitMs: day * 1.2, wasUnset: false });
      for (const each of [store, restart()]) {
        const times = [old, fresh, tried, doubtful, over].map(({ id }) => {
          const { accepted_ms, accepted_at, next_ms, changed_ms } = each.find(id) ?? old;
          return [accepted_ms - nowMs, accepted_at === "", next_ms && next_ms - nowMs, changed_ms - nowMs];
        });
        expect(times).toEqual([
          [-50, false, day, -50],
          [0, true, 0, 0],
          [0, true, 1, 0],
          // The date of a request that may be recorded is needed to find it.
          [3_650 * day, false, 1, 0],
          [3_650 * day, false, null, 3_650 * day],
        ]);
        expect(each.due(nowMs + 1, 9)).toHaveLength(3);
      }
    });
  });

  test("mends the times that a clock had told before it was set, waiting or over, and is not told wrong by one", async () => {
    await open(RETENTION_MS, ({ store, restart }) => {
      const [unsetMs, setFromMs, nowMs, longestWaitMs] = [5_000, 1_000_000, 100_000_000, 10_000];
      const [right] = store.insert([newEvent(0)], nowMs - 50);
      const [fresh, over, doubtful] = store.insert([newEvent(1), newEvent(2), newEvent(3)], unsetMs);
      if (!right || !fresh || !over || !doubtful) throw new Error("not kept");
      store.settle([
        { ...right, attempts: 1, next_ms: nowMs, changed_ms: nowMs - 50 },
        { ...over, state: "refused", next_ms: null, changed_ms: unsetMs },
        { ...doubtful, attempts: 1, next_ms: unsetMs + 1, is_in_doubt: 1 },
      ]);
      store.claim([{ claim: "click", id: over.id }], unsetMs);
      const timesOf = (each: typeof store) =>
        [right, fresh, over, doubtful].map(({ id }) => {
          const { accepted_ms, next_ms, changed_ms } = each.find(id) ?? right;
          return [accepted_ms, next_ms, changed_ms];
        });
      store.mendTimes({ nowMs: unsetMs, setFromMs, longestWaitMs, wasUnset: false });
      expect(timesOf(store)[0]).toEqual([nowMs - 50, unsetMs + 1, nowMs - 50]);
      store.mendTimes({ nowMs, setFromMs, longestWaitMs, wasUnset: true });
      for (const each of [store, restart()]) {
        expect(timesOf(each)).toEqual([
          [nowMs - 50, unsetMs + 1, nowMs - 50],
          [nowMs, nowMs, nowMs],
          [nowMs, null, nowMs],
          // The day of a request that may be recorded is needed to find it.
          [unsetMs, unsetMs + 1, nowMs],
        ]);
        expect(each.findClaim("click")?.atMs).toBe(nowMs);
      }
    });
  });
}
