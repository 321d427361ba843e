/** The list of final codes, which pages use, matches the forwarder's answers. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import vector from "../vectors/final_codes.json" with { type: "json" };
import { both, event } from "./forwarder-in-process.ts";

const kit = both({ fetch: async () => Response.json({ conversion: { conversion_id: 7 } }) });

/** The codes that need more than a single body. */
const MADE: Readonly<Record<string, () => Promise<Response>>> = {
  // Only a backend may send amounts and times.
  invalid_money: () => kit.backend(event(randomUUID(), { payout: "a lot" })),
  invalid_time: () => kit.backend(event(randomUUID(), { conversionDate: "yesterday" })),
  async conversion_conflict() {
    const mine = event(randomUUID());
    await kit.page(mine);
    return kit.page({ ...mine, adv1: "another" });
  },
  async click_converted() {
    const mine = event(randomUUID());
    await kit.page(mine);
    return kit.page({ ...mine, uniqueId: randomUUID() });
  },
  body_too_large: () => kit.page(event(randomUUID(), { adv1: "a".repeat(20_000) })),
};

test.each(vector.final)("$code is answered $status, and is not to be tried again", async ({ code, status, given }) => {
  const make = given === null ? MADE[code] : () => kit.page({ ...event(randomUUID()), ...given });
  const answer = await make?.();
  expect(answer?.status).toBe(status);
  expect(await answer?.json()).toMatchObject({ error: { code, retryable: false, rule: expect.any(String) } });
});
