/** Requests to CAKE that hang, on every host: each attempt ends by its own deadline, and no other event waits for it. */
import { describe, expect, test } from "vitest";
import type { Reply } from "../fake-cake/reply.ts";
import { bothIn, event, type Kit } from "./kit.ts";

/** What CAKE, or a proxy in front of it, does so that no answer comes, or half of one. */
const WIRES: readonly (readonly [name: string, reply: Reply])[] = [
  ["silence", { wire: "silent" }],
  ["a head alone", { wire: "stalls" }],
  ["a body without an end", { wire: "endless" }],
  ["half a body, and a reset", { wire: "truncated" }],
  ["a reset", { wire: "reset" }],
  ["another protocol", { wire: "switches" }],
  ["another protocol, and no more", { wire: "switches and closes" }],
  ["bytes that are no HTTP", { wire: "garbage" }],
];

const never = () => new Promise<never>(() => undefined);
const late = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const streamOf = (source: UnderlyingSource<Uint8Array>) => new Response(new ReadableStream(source));

const TIMEOUT_MS = 600;

/** A `fetch` of the user's, or of a platform, that is no help. */
const FETCHES: readonly (readonly [name: string, fetch: (request: Request) => Promise<Response>])[] = [
  ["never settles", never],
  [
    "throws at once",
    () => {
      throw new Error("no promise at all");
    },
  ],
  ["resolves with nothing", async () => undefined as never],
  ["resolves after its time", (request) => late(2 * TIMEOUT_MS).then(() => fetch(request.url))],
  ["rejects after its time", () => late(2 * TIMEOUT_MS).then(() => Promise.reject(new Error("late")))],
  ["has a body that never begins", async () => streamOf({ pull: never })],
  ["has a body that fails", async () => streamOf({ pull: (controller) => controller.error(new Error("broken")) })],
  [
    "has a body that trickles",
    async () => streamOf({ pull: (controller) => late(20).then(() => controller.enqueue(new Uint8Array(1))) }),
  ],
  ["has a body that cannot be cancelled", async () => streamOf({ pull: never, cancel: never })],
];

export function waitTests(kit: Kit, takesFunctions: boolean): void {
  const both = bothIn(kit);

  describe("an attempt ends by its own deadline", () => {
    test.each(WIRES)(
      "five requests at once meet %s for ever: others are delivered, and a cancel is answered",
      async (_, reply) => {
        const { cake, accept, over, told, operator } = await both({ timeoutMs: TIMEOUT_MS, clockSpeed: 5 });
        const bad = Array.from({ length: 5 }, () => event());
        await cake.answer({ uniqueIds: bad.map(({ uniqueId }) => uniqueId), replies: [reply], forever: true });
        const ids: string[] = [];
        for (const each of bad) ids.push(await accept(each));
        const good = await Promise.all([event(), event()].map(accept));
        for (const id of good)
          expect(await over(id, 10 * TIMEOUT_MS)).toMatchObject({ state: "delivered", attempts: 1 });
        for (const id of ids) {
          await expect.poll(async () => (await told(id)).attempts, { timeout: 10 * TIMEOUT_MS }).toBeGreaterThan(0);
        }
        const headers = { "content-type": "application/json" };
        const body = JSON.stringify({ id: ids[0], reason: "it hangs" });
        await expect
          .poll(async () => (await operator("cancel", { method: "POST", headers, body })).status, { timeout: 5_000 })
          .toBe(200);
      },
    );

    test.runIf(takesFunctions).each(FETCHES)("a fetch that %s", async (_, odd) => {
      const bad = event();
      let tried = 0;
      const { cake, accept, over, told } = await both({
        timeoutMs: TIMEOUT_MS,
        clockSpeed: 5,
        fetch: (request) => (request.url.includes(bad.uniqueId) && ++tried < 2 ? odd(request) : fetch(request)),
      });
      const id = await accept(bad);
      expect(await over(await accept(event()), TIMEOUT_MS)).toMatchObject({ state: "delivered", attempts: 1 });
      await expect.poll(async () => (await told(id)).attempts, { timeout: 10 * TIMEOUT_MS }).toBeGreaterThan(0);
      expect(await over(id)).toMatchObject({ state: "delivered", attempts: 2 });
      expect(await cake.recorded(bad.uniqueId)).toHaveLength(1);
    });
  });

  describe("a retry is made at its time while requests of other events hang", () => {
    /** The schedule's five seconds are a half. */
    const CLOCK = { timeoutMs: 10_000, clockSpeed: 10 };
    const SOON_MS = 2_500;

    test.each([
      ["one", 1, { status: 500 }],
      ["four", 4, { status: 500 }],
      ["two, of an event whose answer was no HTTP", 2, { wire: "garbage" }],
    ] as const)("%s", async (_, count, reply) => {
      const { cake, accept, over, told } = await both(CLOCK);
      const hanging = Array.from({ length: count }, () => event());
      const flaky = event();
      const uniqueIds = hanging.map(({ uniqueId }) => uniqueId);
      await cake.answer({ uniqueIds, replies: [{ wire: "silent" }], forever: true });
      await cake.answer({ uniqueIds: [flaky.uniqueId], replies: [reply] });
      const ids = await Promise.all(hanging.map(accept));
      await expect.poll(async () => (await cake.seen("record")).length).toBe(count);
      expect(await over(await accept(flaky), SOON_MS)).toMatchObject({ state: "delivered", attempts: 2 });
      for (const id of ids) expect(await told(id)).toMatchObject({ state: "pending", attempts: 0 });
    });

    test("while a retry itself hangs, too", async () => {
      const { cake, accept, over, told } = await both(CLOCK);
      const [hanging, flaky] = [event(), event()];
      const replies = [{ status: 500 }, { wire: "silent" }] as const;
      await cake.answer({ uniqueIds: [hanging.uniqueId], replies, forever: true });
      await cake.answer({ uniqueIds: [flaky.uniqueId], replies: [{ status: 500 }] });
      const id = await accept(hanging);
      await expect.poll(async () => (await cake.seen("record")).length, { timeout: 5_000 }).toBe(2);
      expect(await over(await accept(flaky), SOON_MS)).toMatchObject({ state: "delivered", attempts: 2 });
      expect(await told(id)).toMatchObject({ state: "pending", attempts: 1 });
    });

    test("after a restart, too: what was waiting before is due while the first request hangs", async () => {
      const { cake, accept, over, told, forwarder } = await both(CLOCK);
      const [hanging, flaky] = [event(), event()];
      await cake.answer({ uniqueIds: [hanging.uniqueId], replies: [{ wire: "silent" }], forever: true });
      await cake.answer({ uniqueIds: [flaky.uniqueId], replies: [{ status: 500 }, { status: 500 }] });
      const [id, other] = [await accept(hanging), await accept(flaky)];
      await expect.poll(async () => (await told(other)).attempts, { interval: 5 }).toBe(1);
      await forwarder.restart();
      // The second answer is the third attempt's reason; its wait is three seconds.
      expect(await over(other, 3 * SOON_MS)).toMatchObject({ state: "delivered", attempts: 3 });
      expect(await told(id)).toMatchObject({ state: "pending", attempts: 0 });
    });
  });
}
