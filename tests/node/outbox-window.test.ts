/** The requests and results of one window: stored together, and each with its own outcome. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import "../../dist/entry/forwarder-memory.inline.js";
import { MemoryStore } from "../../dist/forwarder/memory-store.js";
import { resolveOptions } from "../../dist/forwarder/options.js";
import { Outbox } from "../../dist/forwarder/outbox.js";
import type { AcceptRequest } from "../../dist/forwarder/shard.js";
import type { NewEvent } from "../../dist/forwarder/store.js";

/** A store that writes at most so many rows at once, and counts its writes. */
class Store extends MemoryStore {
  atOnce = Number.POSITIVE_INFINITY;
  readonly inserted: number[] = [];
  readonly settled: number[] = [];

  override insert(events: readonly NewEvent[], nowMs: number) {
    if (events.length > this.atOnce) throw new Error("too many rows");
    this.inserted.push(events.length);
    return super.insert(events, nowMs);
  }

  override settle(rows: Parameters<MemoryStore["settle"]>[0]) {
    if (rows.length > this.atOnce) throw new Error("too many rows");
    this.settled.push(rows.length);
    super.settle(rows);
  }
}

function opened(send: (request: Request) => Promise<Response>, capacity = 1_000) {
  const store = new Store();
  const options = resolveOptions({
    baseUrl: "http://127.0.0.1:1",
    apiKey: "a-key-for-a-test",
    operatorSecret: "correct-horse-battery-staple-2026-06",
    fetch: send,
    log: () => undefined,
    capacity,
  });
  const host = { now: () => Date.now(), keepAlive: () => undefined, wakeAt: () => undefined };
  return { store, outbox: new Outbox({ options, store, host }) };
}

const never = () => new Promise<Response>(() => undefined);

function event(uniqueId: string, clickId: string, more: object = {}): NewEvent {
  const id = createHash("sha256").update(uniqueId).digest("hex").slice(0, 32);
  const text = JSON.stringify({ clickId, offerId: 12_345, ...more, uniqueId });
  return { id, offerId: 12_345, text, acceptedAt: "", claim: `account|12345/${clickId}`, isSigned: false };
}

/** Numbers that are the same in each run. */
function randomly(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

test("requests at once are answered as one after another", async () => {
  let accepted = 0;
  for (let seed = 1; seed <= 25; seed += 1) {
    const next = randomly(seed);
    const requests: AcceptRequest[] = Array.from({ length: 8 }, () => {
      const events = Array.from({ length: next(5) === 0 ? 2 : 1 }, () => {
        const [order, click] = [next(9), next(9)];
        const made = event(`order-7${order}`, `click-7${next(3) === 0 ? click : order}`);
        return next(4) === 0 ? { ...made, claim: undefined, isSigned: true } : made;
      });
      const id = `webhook-${next(6)}`;
      return next(5) === 0 ? { events, webhook: { id, digest: `${next(2)}` } } : { events };
    });
    const [atOnce, inTurn] = [opened(never), opened(never)];
    // Nothing is sent, so that no answer waits for an outcome. Some events are known before.
    for (const { outbox } of [atOnce, inTurn]) {
      outbox.stop();
      await outbox.accept({ events: [event("order-70", "click-70")] });
    }
    const answers = await Promise.all(requests.map((request) => atOnce.outbox.accept(request)));
    for (const [index, request] of requests.entries()) {
      const alone = await inTurn.outbox.accept(request);
      expect(answers[index], `seed ${seed}, request ${index}`).toEqual(alone);
      accepted += alone.filter((answer) => "state" in answer && !answer.duplicate).length;
    }
    const kept = ({ store }: typeof atOnce) => {
      const { rows, claims } = store.snapshot();
      return {
        rows: rows.map(({ id, text }) => `${id} ${text}`).sort(),
        claims: claims.map(([claim, id]) => `${claim} ${id}`).sort(),
      };
    };
    expect(kept(atOnce)).toEqual(kept(inTurn));
  }
  expect(accepted).toBeGreaterThan(25);
});

test("new events of a window are one write; beyond the capacity, each is asked for alone", async () => {
  const events = Array.from({ length: 6 }, (_, index) => event(`order-7${index}`, `click-7${index}`));
  const roomy = opened(never);
  await Promise.all(events.map((each) => roomy.outbox.accept({ events: [each] })));
  expect(roomy.store.inserted).toEqual([6]);
  const full = opened(never, 4);
  const answers = await Promise.all(events.map((each) => full.outbox.accept({ events: [each] })));
  expect(answers.flat().filter((answer) => "refusal" in answer)).toEqual([
    { refusal: "outbox_full" },
    { refusal: "outbox_full" },
  ]);
  expect(full.store.inserted).toEqual([1, 1, 1, 1]);
});

test("what cannot be written together is written alone, and nothing is sent twice", async () => {
  const sent: string[] = [];
  const { store, outbox } = opened(async (request) => {
    sent.push(new URL(request.url).searchParams.get("unique_id") ?? "");
    return Response.json({ request_status: "Success", conversion: { conversion_id: sent.length } });
  });
  store.atOnce = 1;
  const events = Array.from({ length: 20 }, (_, index) => event(`order-7${index}`, `click-7${index}`));
  const answers = await Promise.all(events.map((each) => outbox.accept({ events: [each] })));
  expect(answers.flat().every((answer) => "state" in answer && !answer.duplicate)).toBe(true);
  await outbox.wait(
    events.map(({ id }) => id),
    5_000,
  );
  await outbox.wake();
  expect((await outbox.report()).counts).toMatchObject({ pending: 0, delivered: 20 });
  expect(new Set(sent).size).toBe(20);
  expect(sent).toHaveLength(20);
  expect(store.inserted).toHaveLength(20);
});

test("in a backlog, many results are one write; the result that a caller waits for is not kept back", async () => {
  const { store, outbox } = opened(async () =>
    Response.json({ request_status: "Success", conversion: { conversion_id: 7 } }),
  );
  const events = Array.from({ length: 60 }, (_, index) => event(`order-7${index}`, `click-7${index}`));
  await Promise.all(events.map((each) => outbox.accept({ events: [each] })));
  await outbox.wake();
  expect((await outbox.report()).counts).toMatchObject({ pending: 0, delivered: 60 });
  expect(store.settled.reduce((sum, rows) => sum + rows, 0)).toBe(60);
  expect(store.settled.length).toBeLessThan(15);
});
