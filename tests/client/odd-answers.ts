/** The client's reading of CAKE's odd answers to a conversion; Node and workerd both run this file. */
import { describe, expect, inject, test } from "vitest";
import { LOST, NO, UNCLEAR, YES } from "../fake-cake/answers.ts";
import { type AccountSettings, FakeCake, type Reply } from "../fake-cake/reply.ts";

type Edge = typeof import("../../dist/edge/index.js");

export function oddAnswerTests({ createCakeClient, isCakeError }: Edge): void {
  const both = async (reply: Reply, account: AccountSettings = {}) => {
    const cake = await FakeCake.open(inject("fakeCakes"), { deduplicates: false, ...account });
    await cake.answer({ replies: [reply] });
    const client = createCakeClient({ baseUrl: cake.origin, apiKey: "CANARY-key-4c1d9e", timeoutMs: 1_500 });
    const convert = (more: object = {}) =>
      client.recordConversion({ clickId: crypto.randomUUID(), offerId: 12_345, ...more }).then(
        (conversion) => ({ conversion, error: undefined }),
        (error: unknown) => ({ conversion: undefined, error }),
      );
    return { cake, convert };
  };
  const sent = async (cake: FakeCake) => (await cake.seen("record")).length;

  describe.concurrent.each([
    ["neither yes nor no", UNCLEAR],
    ["no whole answer", LOST],
  ] as const)("%s to a conversion", (_, answers) => {
    // Without a unique id of ours, a record's own contradicts nothing.
    test.each(answers.filter(([name]) => name !== "a record beside another unique id"))(
      "%s: without a unique id nothing is sent again, and the outcome is unknown",
      async (_, reply) => {
        const { cake, convert } = await both({ ...reply, records: true });
        const { error } = await convert();
        expect(isCakeError(error) && error.code).toBe("outcome_unknown");
        expect(await sent(cake)).toBe(1);
      },
    );

    test.each(answers)("%s: recorded, so found by Get Click and not sent again", async (_, reply) => {
      const { cake, convert } = await both({ ...reply, records: true });
      const { conversion } = await convert({ uniqueId: "ORD-1" });
      const recorded = await cake.recorded();
      expect(recorded).toHaveLength(1);
      expect(conversion).toMatchObject({ conversionId: recorded[0]?.conversionId, isRecovered: true });
      expect(await sent(cake)).toBe(1);
    });

    test.each(answers)("%s: not recorded, as Get Click says, so sent again", async (_, reply) => {
      const { cake, convert } = await both({ ...reply, records: false });
      const { conversion } = await convert({ uniqueId: "ORD-1" });
      const recorded = await cake.recorded();
      expect(recorded).toHaveLength(1);
      expect(conversion).toMatchObject({ conversionId: recorded[0]?.conversionId, isRecovered: false });
      expect(await sent(cake)).toBe(2);
    });
  });

  describe.concurrent("an answer that says what became of a conversion", () => {
    test.each(YES)("%s: CAKE's id", async (_, reply) => {
      const { cake, convert } = await both(reply);
      const { conversion } = await convert({ uniqueId: "ORD-1" });
      expect(conversion).toMatchObject({ conversionId: (await cake.recorded())[0]?.conversionId, isRecovered: false });
    });

    test.each(NO)("%s: a certain no, sent once", async (_, reply) => {
      const { cake, convert } = await both(reply);
      const { error } = await convert({ uniqueId: "ORD-1" });
      expect(isCakeError(error) && error.code).toMatch(/^(refused|http_status)$/);
      expect(await sent(cake)).toBe(1);
    });

    test.each([0, null, "", "0"] as const)("Get Click's %j is no conversion id", async (none) => {
      const { cake, convert } = await both({ wire: "reset" }, { none });
      const { conversion } = await convert({ uniqueId: "ORD-1" });
      const recorded = await cake.recorded();
      expect(recorded).toHaveLength(1);
      expect(conversion).toMatchObject({ conversionId: recorded[0]?.conversionId, isRecovered: false });
    });
  });
}
