/** The contract of a forwarder's store, the same for each: random sequences run beside a model of plain lists. */
import { describe, expect, test } from "vitest";
import type { EventFilter, OutboxStore, Row, StoredState } from "../../dist/forwarder/store.js";
import { expectPages } from "./due-pages.ts";
import { clockTests } from "./store-clock.ts";

/** A store on its rows. */
export interface Opened {
  readonly store: OutboxStore;
  /** Ends the process, and opens the same rows in another one. */
  restart(): OutboxStore;
}

/** Opens a store with this retention for finished events, and runs the work where the store runs. */
export type OpenStore = (retentionMs: number, work: (opened: Opened) => void) => Promise<void>;

const RETENTION_MS = 1_000_000;
const OFFERS = [12_345, 777];
const CODES = ["", "network", "http_status"];

/** Pseudorandom numbers, the same in each run of one seed (mulberry32). */
function randomOf(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** The expected answers of a store, found by scanning lists. */
class Model {
  rows: Row[] = [];
  claims = new Map<string, { id: string; atMs: number }>();
  webhooks = new Map<string, { digest: string; atMs: number }>();
  meta = new Map<string, string>();

  copy(): Model {
    const copy = new Model();
    copy.rows = [...this.rows];
    copy.claims = new Map(this.claims);
    copy.webhooks = new Map(this.webhooks);
    copy.meta = new Map(this.meta);
    return copy;
  }

  due(nowMs: number): Row[] {
    return this.rows
      .filter(({ next_ms }) => next_ms !== null && next_ms <= nowMs)
      .sort((a, b) => Number(a.next_ms) - Number(b.next_ms) || a.number - b.number);
  }

  count(state: StoredState): number {
    return this.rows.filter((row) => row.state === state).length;
  }
}

export function storeTests(open: OpenStore): void {
  describe("a store", () => {
    test.each(Array.from({ length: 12 }, (_, seed) => seed))(
      "answers as its model does, whatever comes (seed %i)",
      async (seed) => {
        await open(RETENTION_MS, (opened) => run(opened, randomOf(seed), 400));
      },
    );

    test("undoes the whole of a transaction that throws", async () => {
      await open(RETENTION_MS, ({ store, restart }) => {
        store.transaction(() => {
          store.insert([newEvent(1)], 1_000);
          store.claim([{ claim: "a", id: "1" }], 1_000);
          store.setMeta("kept", "before");
        });
        const [row] = store.list({ limit: 1 });
        if (row === undefined) throw new Error("nothing is kept");
        const failing = () =>
          store.transaction(() => {
            store.insert([newEvent(2)], 2_000);
            store.settle([{ ...row, state: "delivered", next_ms: null }]);
            store.setText(row.id, "another");
            store.claim([{ claim: "b", id: "2" }], 2_000);
            store.unclaim("a");
            store.setClaim("a", "3", 2_000);
            store.webhook("hook", "digest", 2_000);
            store.setMeta("kept", "after");
            store.setMeta("new", "text");
            throw new Error("disk full");
          });
        expect(failing).toThrow("disk full");
        for (const each of [store, restart()]) {
          expect(each.list({ limit: 9 })).toEqual([row]);
          expect(each.find(newEvent(2).id)).toBeUndefined();
          expect([each.findClaim("a"), each.findClaim("b")]).toEqual([{ id: "1", atMs: 1_000 }, undefined]);
          expect([each.getMeta("kept"), each.getMeta("new")]).toEqual(["before", null]);
          expect(each.due(2_000, 9)).toEqual([row]);
          expect(Object.fromEntries(each.stateCounts())["pending"]).toBe(1);
        }
        const again = restart();
        expect(again.webhook("hook", "other", 3_000)).toBe("other");
        again.insert([newEvent(2)], 3_000);
        expect(again.list({ limit: 9 }).map(({ number }) => number)).toEqual([row.number + 1, row.number]);
      });
    });

    test("finds by CAKE's id the conversions of offers without deduplication, and no correction", async () => {
      await open(RETENTION_MS, ({ store, restart }) => {
        const orders = ["order", "order", "", "other"];
        const kinds = [undefined, "correction", undefined, undefined] as const;
        const rows = store.insert(
          orders.map((order, index) => ({ ...newEvent(index), order, kind: kinds[index] })),
          1_000,
        );
        const ids = [7, 8, 9, 7];
        store.settle(
          rows.map((row, index) => ({ ...row, state: "delivered", next_ms: null, conversion_id: ids[index] ?? null })),
        );
        for (const each of [store, restart()]) {
          expect(each.withConversion(7).map(({ id }) => id)).toEqual(["id-0", "id-3"]);
          expect(each.withConversion(8)).toEqual([]);
          expect(each.highestConversion()).toBe(7);
        }
      });
    });

    clockTests(open, newEvent);

    test("forgets in the end what is over, and never what waits", async () => {
      await open(RETENTION_MS, ({ store, restart }) => {
        let nowMs = 10_000_000;
        for (let index = 0; index < 3_000; index += 1) {
          store.insert([newEvent(index)], nowMs);
          store.claim([{ claim: `claim ${index}`, id: newEvent(index).id }], nowMs);
          nowMs += 500;
          if (index % 100 === 0) continue;
          const row = store.find(newEvent(index).id);
          if (row !== undefined) store.settle([{ ...row, state: "delivered", next_ms: null, changed_ms: nowMs }]);
        }
        const waiting = store.due(nowMs, 100).map(({ id }) => id);
        expect(waiting).toHaveLength(30);
        nowMs += 3 * RETENTION_MS;
        const opened = restart();
        purge(opened, nowMs);
        expect(opened.list({ limit: 9_999 }).map(({ id }) => id)).toEqual([...waiting].reverse());
        expect(Object.fromEntries(opened.stateCounts())).toMatchObject({ pending: 30 });
        for (const id of waiting) {
          const row = opened.find(id);
          if (row !== undefined) opened.settle([{ ...row, state: "dead", next_ms: null, changed_ms: nowMs }]);
        }
        nowMs += 3 * RETENTION_MS;
        purge(opened, nowMs);
        purge(opened, nowMs + 2 * RETENTION_MS);
        expect(opened.list({ limit: 9 })).toEqual([]);
        expect([...opened.stateCounts().values()].every((count) => count === 0)).toBe(true);
        expect(opened.findClaim("claim 7")).toBeUndefined();
        // A number is never reused.
        opened.insert([newEvent(9_999)], nowMs + 2 * RETENTION_MS);
        expect(opened.list({ limit: 1 })[0]?.number).toBeGreaterThan(3_000);
      });
    });

    test("looks up what any stretch of time has kept", async () => {
      await open(RETENTION_MS, ({ store, restart }) => {
        const indices = Array.from({ length: 40 }, (_, index) => index);
        for (const index of indices) {
          const nowMs = 10_000_000 + index * RETENTION_MS;
          store.insert([newEvent(index)], nowMs);
          store.claim([{ claim: `claim ${index}`, id: newEvent(index).id }], nowMs);
        }
        for (const each of [store, restart()]) {
          for (const index of indices) {
            const { id } = newEvent(index);
            expect(each.lookUp([{ id, claim: `claim ${39 - index}` }])).toEqual([
              { isKnown: true, holder: newEvent(39 - index).id },
            ]);
            expect(each.lookUp([{ id: "nobody", claim: `claim ${index}` }])).toEqual([{ isKnown: false, holder: id }]);
          }
          expect(each.lookUp([{ id: "nobody", claim: "nobody's" }])).toEqual([{ isKnown: false, holder: undefined }]);
        }
      });
    });

    test("finds what is due among thousands that are over, from both ends", async () => {
      await open(RETENTION_MS, ({ store, restart }) => {
        const nowMs = 5_000;
        for (let index = 0; index < 3_500; index += 1) store.insert([newEvent(index)], nowMs);
        const isKept = (index: number) => index === 0 || index === 1_499 || index === 2_100 || index === 3_400;
        for (let index = 0; index < 3_500; index += 1) {
          const row = store.find(newEvent(index).id);
          if (row !== undefined && !isKept(index)) store.settle([{ ...row, state: "delivered", next_ms: null }]);
        }
        const ids = [0, 1_499, 2_100, 3_400].map((index) => newEvent(index).id);
        for (const each of [store, restart()]) {
          for (let round = 0; round < 3; round += 1) {
            expect(each.due(nowMs, 9).map(({ id }) => id)).toEqual(ids);
            expect(each.dueUnfailed(nowMs, 9, "newest").map(({ id }) => id)).toEqual([...ids].reverse());
            expect(each.dueUnfailed(nowMs, 2, 0).map(({ id }) => id)).toEqual(ids.slice(0, 2));
            // From about the middle on, and then from the start.
            const middle = each.dueUnfailed(nowMs, 9, 0.5).map(({ id }) => id);
            expect(middle.toSorted()).toEqual(ids.toSorted());
            expect(middle[0]).not.toBe(ids[0]);
            expect(each.nextDue(nowMs)).toBe(nowMs);
          }
          expect(Object.fromEntries(each.stateCounts())).toMatchObject({ pending: 4, delivered: 3_496 });
        }
      });
    });
  });
}

/** Purges as much as possible; returns the number of deleted events. */
function purge(store: OutboxStore, nowMs: number): Map<StoredState, number> {
  const all = new Map<StoredState, number>();
  for (;;) {
    const { gone, isDone } = store.purge(nowMs - RETENTION_MS, nowMs - 900_000);
    for (const [state, count] of gone) all.set(state, (all.get(state) ?? 0) + count);
    if (isDone) return all;
  }
}

function newEvent(index: number) {
  return {
    id: `id-${index}`,
    offerId: OFFERS[index % 2] ?? 1,
    text: `text ${index}`,
    acceptedAt: "2026-01-15 14:30:00",
    kind: index % 5 === 0 ? ("correction" as const) : undefined,
    order: index % 3 === 0 ? `order ${index % 7}` : "",
  };
}

function run(opened: Opened, random: (below: number) => number, steps: number): void {
  let { store } = opened;
  let model = new Model();
  let nowMs = 50_000_000;
  let events = 0;
  let number = 0;
  const any = <Each>(list: readonly Each[]) => list[random(list.length)] as Each;

  const insert = () => {
    const event = newEvent(events++);
    expect(store.insert([event], nowMs)).toEqual([store.find(event.id)]);
    number += 1;
    model.rows.push({
      number,
      id: event.id,
      offer_id: event.offerId,
      text: event.text,
      accepted_at: event.acceptedAt,
      accepted_ms: nowMs,
      state: "pending",
      attempts: 0,
      is_in_doubt: 0,
      next_ms: nowMs,
      code: "",
      upstream_message: "",
      conversion_id: null,
      changed_ms: nowMs,
      order_key: event.order,
      kind: event.kind ?? "conversion",
    });
    if (random(2) === 0) {
      const claim = `${event.offerId}/${event.id}`;
      store.claim([{ claim, id: event.id }], nowMs);
      model.claims.set(claim, { id: event.id, atMs: nowMs });
    }
    // The text of a ledger, which may be in a table of long ago.
    if (random(8) > 0) return;
    const ledger = `ledger ${random(4)}`;
    store.setClaim(ledger, event.text, nowMs);
    model.claims.set(ledger, { id: event.text, atMs: nowMs });
  };
  const change = (row: Row, more: Partial<Row>) => {
    const after = { ...row, ...more };
    store.settle([after]);
    const next_ms = after.next_ms === after.accepted_ms ? after.accepted_ms + 1 : after.next_ms;
    model.rows = model.rows.map((each) => (each.number === row.number ? { ...after, next_ms } : each));
  };
  const attempt = () => {
    const [row] = store.due(nowMs, 5);
    if (row === undefined) return;
    const base = { attempts: row.attempts + 1, changed_ms: nowMs, code: any(CODES), is_in_doubt: random(2) };
    const states: readonly Partial<Row>[] = [
      { state: "delivered", next_ms: null, conversion_id: 1 + random(999), code: "", is_in_doubt: 0 },
      { state: "refused", next_ms: null, upstream_message: "CAKE said: no" },
      { state: "dead", next_ms: null },
      { state: "pending", next_ms: nowMs + random(90_000) },
      // Postponed without an attempt.
      { state: "pending", next_ms: nowMs + 1 + random(9), attempts: row.attempts, code: row.code },
    ];
    change(row, { ...base, ...any(states) });
  };
  const byHand = () => {
    const over = store.list({ limit: 50 }).filter(({ state }) => state !== "delivered");
    if (over.length === 0) return;
    const row = any(over);
    if (row.state === "pending")
      change(row, { state: "cancelled", next_ms: null, code: "cancelled", changed_ms: nowMs });
    else change(row, { state: "pending", attempts: 0, next_ms: nowMs, changed_ms: nowMs });
  };
  const fail = () => {
    const before = model.copy();
    const [beforeEvents, beforeNumber] = [events, number];
    expect(() =>
      store.transaction(() => {
        for (let count = random(4); count >= 0; count -= 1) any([insert, attempt, byHand])();
        throw new Error("undone");
      }),
    ).toThrow("undone");
    model = before;
    [events, number] = [beforeEvents, beforeNumber];
  };
  const forget = () => {
    const before = model.copy();
    purge(store, nowMs);
    const limit = nowMs - RETENTION_MS;
    const left = new Set(store.list({ limit: 99_999 }).map(({ id }) => id));
    for (const row of before.rows) {
      const isPast = row.next_ms === null && row.changed_ms < limit && row.accepted_ms < limit;
      if (!isPast) expect(left.has(row.id)).toBe(true);
      // Kept for a quarter of the retention longer, and for another quarter if another event is in the way.
      if (isPast && row.accepted_ms < nowMs - 2 * RETENTION_MS && row.changed_ms < nowMs - 2 * RETENTION_MS)
        expect(left.has(row.id)).toBe(false);
    }
    model.rows = model.rows.filter(({ id }) => left.has(id));
    for (const [claim, { atMs }] of before.claims) {
      const found = store.findClaim(claim);
      if (atMs >= limit) expect(found).toBeDefined();
      if (found === undefined) model.claims.delete(claim);
    }
    for (const [id, { atMs }] of before.webhooks) if (atMs < nowMs - 900_000) model.webhooks.delete(id);
  };
  const check = () => {
    const due = model.due(nowMs);
    expectPages(store, nowMs, 1 + random(5), due);
    const limit = 1 + random(8);
    // Either of two events due at one time may be first.
    expect(store.due(nowMs, limit).map(({ next_ms }) => next_ms)).toEqual(
      due.slice(0, limit).map(({ next_ms }) => next_ms),
    );
    const unfailed = due.filter(({ attempts, code }) => attempts === 0 && code === "");
    expect(store.dueUnfailed(nowMs, limit, 0)).toEqual(unfailed.slice(0, limit));
    expect(store.dueUnfailed(nowMs, limit, "newest")).toEqual([...unfailed].reverse().slice(0, limit));
    const anywhere = store.dueUnfailed(nowMs, limit, random(100) / 100).map(({ id }) => id);
    expect(new Set(anywhere).size).toBe(Math.min(limit, unfailed.length));
    expect(unfailed.map(({ id }) => id)).toEqual(expect.arrayContaining(anywhere));
    const waiting = model.rows.filter(({ next_ms }) => next_ms !== null);
    const least = (times: readonly number[]) => (times.length === 0 ? null : Math.min(...times));
    expect(store.nextDue(nowMs)).toBe(least(waiting.map(({ next_ms }) => Number(next_ms))));
    const later = waiting.filter(({ next_ms, accepted_ms }) => next_ms !== accepted_ms && Number(next_ms) > nowMs);
    expect(store.dueAfter(nowMs)).toBe(least(later.map(({ next_ms }) => Number(next_ms))));
    expect(store.oldestPending()).toBe(least(waiting.map(({ accepted_ms }) => accepted_ms)));
    const filter: EventFilter = any<EventFilter>([
      {},
      { state: any(["failed", "pending", "delivered", "refused", "dead", "cancelled"] as const) },
      { offerId: any(OFFERS) },
      { kind: any(["conversion", "correction"] as const) },
      { code: any(CODES) },
      { isInDoubt: random(2) === 1, sinceMs: nowMs - 100_000, untilMs: nowMs - 1_000 },
    ]);
    const before = random(2) === 0 ? undefined : 1 + random(number + 2);
    const matching = model.rows
      .filter(
        (row) =>
          (filter.state === undefined ||
            (filter.state === "failed" ? /refused|dead/.test(row.state) : row.state === filter.state)) &&
          (filter.kind ?? row.kind) === row.kind &&
          (filter.offerId ?? row.offer_id) === row.offer_id &&
          (filter.code ?? row.code) === row.code &&
          (filter.isInDoubt === undefined || filter.isInDoubt === (row.is_in_doubt === 1)) &&
          (filter.sinceMs === undefined || row.accepted_ms >= filter.sinceMs) &&
          (filter.untilMs === undefined || row.accepted_ms < filter.untilMs) &&
          (before === undefined || row.number < before),
      )
      .reverse();
    expect(store.list({ ...filter, before, limit })).toEqual(matching.slice(0, limit));
    const order = `order ${random(7)}`;
    expect([...store.siblings(order)].sort((a, b) => a.number - b.number)).toEqual(
      model.rows.filter(({ order_key }) => order_key === order),
    );
    for (const row of model.rows.slice(-3)) expect(store.find(row.id)).toEqual(row);
    expect(store.find("nobody")).toBeUndefined();
    for (const [claim, made] of [...model.claims].slice(-3)) expect(store.findClaim(claim)).toEqual(made);
    const [aClaim, held] = any([...model.claims, ["nobody's claim", undefined] as const]);
    const aRow = any([...model.rows, undefined]);
    expect(store.lookUp([{ id: aRow?.id ?? "nobody", claim: aClaim }])).toEqual([
      { isKnown: aRow !== undefined, holder: held?.id },
    ]);
    expect(store.lookUp([{ id: aRow?.id ?? "nobody", claim: undefined }])).toEqual([
      { isKnown: aRow !== undefined, holder: undefined },
    ]);
    expect(store.inDoubt()).toBe(
      model.rows.filter(({ is_in_doubt, next_ms }) => is_in_doubt === 1 && next_ms === null).length,
    );
    const states = ["pending", "delivered", "refused", "dead", "cancelled"] as const;
    const corrections = store.correctionCounts();
    expect(states.map((state) => [state, corrections.get(state) ?? 0])).toEqual(
      states.map((state) => [
        state,
        model.rows.filter((row) => row.state === state && row.kind === "correction").length,
      ]),
    );
    const counts = store.stateCounts();
    expect(states.map((state) => [state, counts.get(state) ?? 0])).toEqual(
      states.map((state) => [state, model.count(state)]),
    );
  };

  for (let step = 0; step < steps; step += 1) {
    // Sometimes minutes, so that stored events grow old.
    nowMs += random(8) === 0 ? random(120_000) : random(300);
    switch (random(14)) {
      case 0:
        store = opened.restart();
        break;
      case 1:
        fail();
        break;
      case 2:
        byHand();
        break;
      case 3:
        forget();
        break;
      case 4: {
        const id = `hook ${random(9)}`;
        const digest = `digest ${step}`;
        const known = model.webhooks.get(id);
        const said = store.webhook(id, digest, nowMs);
        if (known !== undefined) expect(said).toBe(known.digest);
        // An old webhook's id may still be known.
        if (said === digest) model.webhooks.set(id, { digest, atMs: nowMs });
        break;
      }
      case 5: {
        const [claim] = any([...model.claims, ["none", undefined] as const]);
        store.unclaim(claim);
        model.claims.delete(claim);
        break;
      }
      case 6: {
        const name = `name ${random(4)}`;
        const text = random(3) === 0 ? null : `text ${random(99)}`;
        store.setMeta(name, text);
        if (text === null) model.meta.delete(name);
        else model.meta.set(name, text);
        expect(store.getMeta(name)).toBe(text);
        break;
      }
      case 7: {
        const row = model.rows.at(-1 - random(5));
        if (row === undefined) break;
        store.setText(row.id, `money ${step}`);
        model.rows = model.rows.map((each) => (each.id === row.id ? { ...each, text: `money ${step}` } : each));
        break;
      }
      case 8:
      case 9:
      case 10:
        store.transaction(() => {
          for (let count = random(6); count >= 0; count -= 1) insert();
        });
        break;
      default:
        attempt();
    }
    check();
  }
}
