/** The forwarder's reading of CAKE's answers, mostly odd ones; Node and workerd both run this file. */
import { describe, expect, test } from "vitest";
import { DUPLICATE, KEY, LATER, LOST, NO, PIXEL, UNCLEAR, YES } from "../fake-cake/answers.ts";
import type { Reply } from "../fake-cake/reply.ts";
import { bothIn, event, type Kit } from "./kit.ts";

/** CAKE records the conversion, or does not, before its answer is lost. */
const BEFORE_AND_AFTER = [
  ["recorded", true],
  ["not recorded", false],
] as const;

/** A network that counts a repetition twice, and a forwarder that is configured for it. */
const COUNTS_TWICE = [{ upstreamDedupe: false }, { deduplicates: false }] as const;

export function answerTests(kit: Kit): void {
  const both = bothIn(kit);

  describe("a yes", () => {
    test.each(YES)("%s: delivered with CAKE's id, after one request", async (_, reply) => {
      const { cake, accept, over, sentOf } = await both();
      await cake.answer({ replies: [reply] });
      const mine = event();
      const told = await over(await accept(mine));
      const [recorded] = await cake.recorded(mine.uniqueId);
      expect(told).toMatchObject({ state: "delivered", conversionId: recorded?.conversionId, attempts: 1 });
      expect(told.isInDoubt ?? false).toBe(false);
      expect(await sentOf(mine.uniqueId)).toBe(1);
    });
  });

  describe.each([
    ["neither yes nor no", UNCLEAR, true],
    ["no whole answer", LOST, false],
  ] as const)("%s", (_, answers, isAlarming) => {
    describe.each(BEFORE_AND_AFTER)("%s", (_, records) => {
      test.each(answers)("%s: sent again, and counted once by CAKE's own deduplication", async (_, reply) => {
        const { cake, accept, over, isAlert, sentOf } = await both();
        await cake.answer({ replies: [{ ...reply, records }] });
        const mine = event();
        const id = await accept(mine);
        const told = await over(id);
        const recorded = await cake.recorded(mine.uniqueId);
        expect(recorded).toHaveLength(1);
        expect(told).toMatchObject({ state: "delivered", conversionId: recorded[0]?.conversionId });
        expect(await sentOf(mine.uniqueId)).toBe(2);
        if (isAlarming) expect(isAlert(id)).toBe(true);
      });

      test.each(answers)("%s: looked up before it is sent again to a CAKE that counts twice", async (_, reply) => {
        const { cake, accept, over, sentOf } = await both(...COUNTS_TWICE);
        await cake.answer({ replies: [{ ...reply, records }] });
        const mine = event();
        const told = await over(await accept(mine));
        const recorded = await cake.recorded(mine.uniqueId);
        expect(recorded).toHaveLength(1);
        expect(told).toMatchObject({ state: "delivered", conversionId: recorded[0]?.conversionId });
        expect(await sentOf(mine.uniqueId)).toBe(records ? 1 : 2);
      });
    });

    test("an unclear answer, then a no: refused, and said to be in doubt", async () => {
      for (const [, reply] of answers.slice(0, 4)) {
        const { cake, accept, over } = await both();
        await cake.answer({
          replies: [{ ...reply, records: true }, { body: '{"success":false,"message":"Offer is closed"}' }],
        });
        expect(await over(await accept(event()))).toMatchObject({ state: "refused", isInDoubt: true });
      }
    });
  });

  test.each(LATER)("%s: not recorded, so sent again without a look-up", async (_, reply) => {
    const { cake, accept, over, sentOf } = await both(...COUNTS_TWICE);
    await cake.answer({ replies: [reply] });
    const mine = event();
    expect(await over(await accept(mine))).toMatchObject({ state: "delivered", attempts: 2 });
    expect(await sentOf(mine.uniqueId)).toBe(2);
    expect(await cake.seen("click")).toHaveLength(0);
    expect(await cake.recorded(mine.uniqueId)).toHaveLength(1);
  });

  describe("a no about this conversion", () => {
    test.each(NO)("%s: refused at once, without a doubt, and the next event passes", async (_, reply) => {
      const { cake, accept, over, isAlert, sentOf } = await both();
      const [bad, good] = [event(), event()];
      await cake.answer({ uniqueIds: [bad.uniqueId], replies: [reply], forever: true });
      const id = await accept(bad);
      const told = await over(id);
      expect(told).toMatchObject({ state: "refused", attempts: 1 });
      expect(told.isInDoubt ?? false).toBe(false);
      expect(isAlert(id)).toBe(false);
      expect(await over(await accept(good), 1_000)).toMatchObject({ state: "delivered", attempts: 1 });
      expect(await sentOf(bad.uniqueId)).toBe(1);
    });

    test.each(NO)("recorded, the answer lost, then %s: refused, and said to be in doubt", async (_, reply) => {
      const { cake, accept, over } = await both();
      const mine = event();
      await cake.answer({
        uniqueIds: [mine.uniqueId],
        replies: [{ wire: "reset", records: true }, reply],
        forever: true,
      });
      const told = await over(await accept(mine));
      expect(told).toMatchObject({ state: "refused", isInDoubt: true });
      expect(told).not.toHaveProperty("conversionId");
    });
  });

  describe("a duplicate", () => {
    const says = (message: string): Reply => ({ body: JSON.stringify({ success: false, message }) });
    test.each(DUPLICATE)('"%s" after a doubt: this very transaction is recorded', async (message) => {
      const { cake, accept, over } = await both({}, { duplicateWords: message });
      await cake.answer({ replies: [{ wire: "reset", records: true }] });
      const mine = event();
      const told = await over(await accept(mine));
      expect(told).toMatchObject({ state: "delivered" });
      expect(told.conversionId).not.toBe(0);
      expect(await cake.recorded(mine.uniqueId)).toHaveLength(1);
    });

    test.each(DUPLICATE)('"%s" to the first attempt: refused', async (message) => {
      const { cake, accept, over } = await both();
      await cake.answer({ replies: [says(message)], forever: true });
      expect(await over(await accept(event()))).toMatchObject({ state: "refused", attempts: 1 });
    });
  });

  describe("the pixel's words", () => {
    test.each(PIXEL)("%j is %s", async (body, means, more) => {
      const { cake, accept, told, forwarder } = await both({ byPixel: true });
      await cake.answer({ asked: "pixel", replies: [{ body, type: "text/plain", ...more }], forever: true });
      const id = await accept(event());
      const tried = () =>
        forwarder.lines.some((line) => line.id === id && (line.attempt > 0 || line.state !== "pending"));
      await expect.poll(tried, { timeout: 5_000, interval: 10 }).toBe(true);
      const { state } = await told(id);
      if (means === "not delivered") expect(state).toMatch(/^(pending|refused)$/);
      else expect(state).toBe(means);
    });

    test.each([200, 404, 500, 503])("SUCCESS in a page of status %i is believed at 200 alone", async (status) => {
      const { cake, accept, told, forwarder } = await both({ byPixel: true });
      await cake.answer({ asked: "pixel", replies: [{ status, body: "SUCCESS" }], forever: true });
      const id = await accept(event());
      await expect
        .poll(() => forwarder.lines.some((line) => line.id === id && line.attempt > 0), { interval: 10 })
        .toBe(true);
      expect((await told(id)).state === "delivered").toBe(status === 200);
    });
  });

  describe("Get Click after a lost answer", () => {
    test.each([0, null, "", "0"] as const)(
      ".NET's none is none: converted false and conversion_id %j",
      async (none) => {
        const { cake, accept, over, sentOf } = await both({ upstreamDedupe: false }, { deduplicates: false, none });
        await cake.answer({ replies: [{ wire: "reset" }] });
        const mine = event();
        const told = await over(await accept(mine));
        const [recorded] = await cake.recorded(mine.uniqueId);
        expect(told).toMatchObject({ state: "delivered", conversionId: recorded?.conversionId });
        expect(recorded?.conversionId).toBeGreaterThan(0);
        expect(await sentOf(mine.uniqueId)).toBe(2);
      },
    );

    test.each([
      ["a page", { body: "<html>", type: "text/html" }],
      ["nothing", { body: "" }],
      ["ASP.NET's d", { body: '{"d":null}' }],
      ["a no", { body: '{"success":false,"message":"Conversion Not Found"}' }],
      ["404", { status: 404 }],
      ["500", { status: 500 }],
      ["a reset", { wire: "reset" }],
      ["no rows and no count", { body: '{"request_status":"Success","response":{}}' }],
    ] as const)("answered by %s settles nothing: asked again before anything is sent", async (_, reply) => {
      const { cake, accept, over, sentOf } = await both(...COUNTS_TWICE);
      await cake.answer({ replies: [{ wire: "reset", records: true }] });
      await cake.answer({ asked: "click", replies: [reply as Reply] });
      const mine = event();
      const told = await over(await accept(mine));
      const recorded = await cake.recorded(mine.uniqueId);
      expect(recorded).toHaveLength(1);
      expect(told).toMatchObject({ state: "delivered", conversionId: recorded[0]?.conversionId });
      expect(await sentOf(mine.uniqueId)).toBe(1);
    });

    test("that tells of another offer's conversion tells nothing of this one", async () => {
      const { cake, accept, over, sentOf } = await both(
        { upstreamDedupe: false },
        { deduplicates: false, clickOffer: 777 },
      );
      const clickId = crypto.randomUUID();
      const other = event({ clickId, offerId: 777 });
      expect(await over(await accept(other))).toMatchObject({ state: "delivered" });
      const mine = event({ clickId });
      await cake.answer({ uniqueIds: [mine.uniqueId], replies: [{ wire: "reset" }] });
      const told = await over(await accept(mine), 15_000);
      const recorded = await cake.recorded(mine.uniqueId);
      expect(recorded).toHaveLength(1);
      expect(told.conversionId ?? recorded[0]?.conversionId).toBe(recorded[0]?.conversionId);
      expect(await sentOf(mine.uniqueId)).toBe(2);
    });
  });

  describe("a click with several orders, and a CAKE that counts twice", () => {
    /** The outcome of the second order's first attempt. */
    const TROUBLES: readonly (readonly [string, Reply, boolean])[] = [
      ["was answered 429", { status: 429 }, false],
      ["was answered 503", { status: 503 }, false],
      ["was lost on the way there", { wire: "reset" }, false],
      ["was lost on the way back", { wire: "reset", records: true }, true],
      ["was recorded and answered by a page", { body: "<html>", type: "text/html", records: true }, true],
    ];

    for (const restarts of [false, true]) {
      const then = restarts ? ", then a restart" : "";
      test.each(TROUBLES)(
        `the first is recorded, the second %s${then}: each has its own id, once`,
        async (_, reply) => {
          const { cake, accept, over, told, forwarder, sentOf } = await both(...COUNTS_TWICE);
          const clickId = crypto.randomUUID();
          const [first, second] = [event({ clickId }), event({ clickId })];
          const one = await over(await accept(first));
          await cake.answer({ uniqueIds: [second.uniqueId], replies: [reply] });
          const id = await accept(second);
          if (restarts) {
            await expect.poll(() => sentOf(second.uniqueId), { interval: 5 }).toBeGreaterThan(0);
            await forwarder.restart();
            await told(id);
          }
          const two = await over(id, 15_000);
          const recorded = await cake.recorded();
          expect(recorded.map(({ uniqueId }) => uniqueId)).toEqual([first.uniqueId, second.uniqueId]);
          expect(one.conversionId).toBe(recorded[0]?.conversionId);
          expect(two.state).toBe("delivered");
          // A report, or Get Click without this conversion, may give no id; it never gives another conversion's id.
          expect(two.conversionId ?? recorded[1]?.conversionId).toBe(recorded[1]?.conversionId);
        },
      );
    }

    test("nobody can say what became of the second: it is not sent again, not delivered, and a person is told", async () => {
      const { cake, accept, over, told, isAlert, sentOf } = await both(...COUNTS_TWICE);
      const clickId = crypto.randomUUID();
      const [first, second] = [event({ clickId }), event({ clickId })];
      await over(await accept(first));
      await cake.answer({ asked: "report", replies: [{ status: 404 }], forever: true });
      await cake.answer({ uniqueIds: [second.uniqueId], replies: [{ wire: "reset", records: true }] });
      const id = await accept(second);
      await expect.poll(() => isAlert(id), { timeout: 8_000 }).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(await told(id)).toMatchObject({ isInDoubt: true });
      expect((await told(id)).state).not.toBe("delivered");
      expect(await sentOf(second.uniqueId)).toBe(1);
    });

    test.each(BEFORE_AND_AFTER)(
      "others have reported an earlier order of the click, and this one is lost, %s: it counts once",
      async (_, records) => {
        const { cake, accept, over } = await both(...COUNTS_TWICE);
        const mine = event();
        const theirs = `offer_id=${mine.offerId}&click_id=${mine.clickId}&unique_id=PIXEL-1`;
        const [daysAgo] = new Date(Date.now() - 30 * 86_400_000).toISOString().split("T");
        await fetch(`${cake.origin}/api/2/conversion.json?${theirs}&conversion_date=${daysAgo}%2010:00:00`);
        await cake.answer({ uniqueIds: [mine.uniqueId], replies: [{ wire: "reset", records }] });
        const told = await over(await accept(mine), 15_000);
        const recorded = await cake.recorded(mine.uniqueId);
        expect(recorded).toHaveLength(1);
        expect(told).toMatchObject({ state: "delivered", conversionId: recorded[0]?.conversionId });
      },
    );

    test.each([
      ["A&B-17", "A&amp;B-17", true],
      ["A B-17", "A%20B-17", true],
      ["A'B-17", "A&#39;B-17", true],
      ["0017", 17, false],
      ["\u00d6-17", "O\u0308-17", false],
      ["заказ-17", "?????-17", false],
      ["A+B-17", "A B-17", false],
      ["A’B-17", "A'B-17", false],
      [`order-${"1234567890".repeat(6)}`, `order-${"1234567890".repeat(6)}`.slice(0, 50), false],
    ] as const)(
      "the report has %j as %j: it is recognised or in doubt, and never sent again",
      async (uniqueId, unique_id, isSame) => {
        const { cake, accept, over, told, isAlert, sentOf } = await both(...COUNTS_TWICE);
        const mine = event({ uniqueId });
        const conversion = { conversion_id: 998_877, offer_id: mine.offerId, unique_id };
        const response = { data: { conversions: [conversion] }, total_rows: 1 };
        const body = JSON.stringify({ request_status: "Success", response });
        await cake.answer({ asked: "report", replies: [{ body }], forever: true });
        await cake.answer({ uniqueIds: [uniqueId], replies: [{ wire: "reset", records: true }] });
        const id = await accept(mine);
        if (isSame) {
          expect(await over(id, 15_000)).toMatchObject({ state: "delivered", conversionId: 998_877 });
        } else {
          await expect.poll(() => isAlert(id), { timeout: 8_000 }).toBe(true);
          await new Promise((resolve) => setTimeout(resolve, 300));
          expect(await told(id)).toMatchObject({ isInDoubt: true });
        }
        expect(await sentOf(uniqueId)).toBe(1);
      },
    );

    test("both are lost, one recorded and one not: each counts once", async () => {
      const { cake, accept, over } = await both(...COUNTS_TWICE);
      const clickId = crypto.randomUUID();
      const [first, second] = [event({ clickId }), event({ clickId })];
      await cake.answer({ uniqueIds: [first.uniqueId], replies: [{ wire: "reset", records: true }] });
      await cake.answer({ uniqueIds: [second.uniqueId], replies: [{ wire: "reset" }] });
      const ids = await Promise.all([accept(first), accept(second)]);
      for (const id of ids) expect((await over(id, 15_000)).state).toBe("delivered");
      expect((await cake.recorded()).map(({ uniqueId }) => uniqueId).sort()).toEqual(
        [first.uniqueId, second.uniqueId].sort(),
      );
    });
  });

  describe("one event's trouble is its own", () => {
    test.each([...KEY, ["404", { status: 404 }] as const])(
      "%s to one event while others pass: they are delivered, and it uses its own attempts",
      async (_, reply) => {
        const { cake, accept, over, told } = await both();
        const bad = event();
        await cake.answer({ uniqueIds: [bad.uniqueId], replies: [reply], forever: true });
        expect(await over(await accept(event()))).toMatchObject({ state: "delivered" });
        const id = await accept(bad);
        for (let round = 0; round < 5; round += 1) {
          const good = await accept(event());
          // A minute of the outbox's clock is 60 ms here, and a pause of a busy machine is longer.
          expect(await over(good, 2_000)).toMatchObject({ state: "delivered", attempts: 1 });
        }
        expect((await told(id)).state).not.toBe("delivered");
        await expect.poll(async () => (await told(id)).attempts, { timeout: 5_000 }).toBeGreaterThan(0);
      },
    );

    test.each(KEY)(
      "%s to every event: they wait without using attempts up, and the key's return delivers all",
      async (_, reply) => {
        const { cake, accept, over, told, forwarder } = await both();
        await cake.answer({ replies: [reply], forever: true });
        const ids = await Promise.all(Array.from({ length: 12 }, () => accept(event())));
        // Half an hour of the outbox's clock.
        await new Promise((resolve) => setTimeout(resolve, 1_800));
        for (const id of ids) {
          const { state, attempts } = await told(id);
          expect(state).toMatch(/^(paused|pending)$/);
          expect(attempts).toBeLessThanOrEqual(1);
        }
        expect((await told(ids[0] ?? "")).state).toBe("paused");
        expect((await cake.seen("record")).length).toBeLessThanOrEqual(12 + 12);
        expect(forwarder.lines.some((line) => line.alert)).toBe(true);
        await cake.heal();
        for (const id of ids) expect(await over(id)).toMatchObject({ state: "delivered" });
      },
    );

    test.each([404, 405, 410, 451])(
      "%i to every event is a wrong address: an alert and not so many refusals, and all are delivered in the end",
      async (status) => {
        const { cake, accept, over, told, forwarder } = await both();
        await cake.answer({ replies: [{ status }], forever: true });
        const ids = await Promise.all(Array.from({ length: 40 }, () => accept(event())));
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        const states = await Promise.all(ids.map(async (id) => (await told(id)).state));
        expect(states.filter((state) => state === "refused" || state === "dead").length).toBeLessThanOrEqual(2);
        expect(forwarder.lines.some((line) => line.alert)).toBe(true);
        await cake.heal();
        const waiting = ids.filter((_, index) => states[index] === "pending" || states[index] === "paused");
        for (const id of waiting) expect(await over(id, 15_000)).toMatchObject({ state: "delivered" });
      },
    );

    test("20 events answered 403 and 40 answered 500 do not hold up the good ones", async () => {
      const { cake, accept, over } = await both({ clockSpeed: 100 });
      const refused = Array.from({ length: 20 }, () => event());
      const failing = Array.from({ length: 40 }, () => event());
      await cake.answer({
        uniqueIds: refused.map(({ uniqueId }) => uniqueId),
        replies: [{ status: 403 }],
        forever: true,
      });
      await cake.answer({
        uniqueIds: failing.map(({ uniqueId }) => uniqueId),
        replies: [{ status: 500 }],
        forever: true,
      });
      await Promise.all([...refused, ...failing].map(accept));
      // 600 s of the outbox's clock are 6 s.
      const good = await Promise.all(Array.from({ length: 40 }, () => accept(event())));
      for (const id of good) expect(await over(id, 6_000)).toMatchObject({ state: "delivered" });
    });
  });
}
