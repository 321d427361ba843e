/** An offer for which CAKE takes long, and the others beside it: over rows in memory, and over SQLite. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { signConversion } from "../../dist/entry/edge.inline.js";
import { createForwarderInProcess } from "../../dist/entry/forwarder-memory.inline.js";
import { openForwarder } from "../../dist/entry/forwarder-node.node.js";
import { KEY, OPERATOR, SECRET, SITE } from "./forwarder-in-process.ts";
import { newFolder } from "./node-place.ts";

const TIMEOUT_MS = 1_000;
const [SLOW, GOOD] = [777, 12_345];

const late = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What CAKE does with a request of the slow offer. */
const ANSWERS: readonly (readonly [name: string, answer: () => Promise<Response>])[] = [
  ["hang", () => new Promise<never>(() => undefined)],
  [
    "drip",
    async () =>
      new Response(
        new ReadableStream({
          pull: (controller) => late(20).then(() => controller.enqueue(new Uint8Array(1).fill(32))),
        }),
      ),
  ],
  ["fail late", () => late(0.9 * TIMEOUT_MS).then(() => new Response("", { status: 500 }))],
  ["are cut late", () => late(0.9 * TIMEOUT_MS).then(() => Promise.reject(new Error("reset")))],
];

interface Listed {
  readonly waitsFor: string;
  readonly nextAt: string;
  readonly conversion: { readonly offerId: number };
}

describe.each(["memory", "SQLite"])("rows in %s", (place) => {
  test.each(ANSWERS)(
    "an offer whose requests %s keeps no other waiting, however many of its events stand in front, and that is told",
    async (_, answer) => {
      const alerts: string[] = [];
      const sent = new Map<number, number>();
      const options = {
        baseUrl: "http://127.0.0.1:1",
        apiKey: KEY,
        operatorSecret: OPERATOR,
        signingSecrets: [SECRET],
        timeoutMs: TIMEOUT_MS,
        fetch: async (request: Request) => {
          const offer = Number(new URL(request.url).searchParams.get("offer_id"));
          sent.set(offer, (sent.get(offer) ?? 0) + 1);
          return offer === SLOW ? answer() : Response.json({ conversion: { conversion_id: 1_000 + sent.size } });
        },
        log: (line: object) => {
          const { alert, code } = line as { alert?: true; code?: string };
          if (alert) alerts.push(code ?? "");
        },
      };
      const forwarder =
        place === "memory"
          ? createForwarderInProcess(options)
          : openForwarder({ ...options, folder: join(newFolder(), "rows"), shards: 1 });
      const accept = async (offerId: number, count: number) => {
        const conversions = Array.from({ length: count }, () => {
          return { offerId, uniqueId: `ORD-${randomUUID()}`, clickId: randomUUID() };
        });
        const body = JSON.stringify({ conversions });
        const headers = { "content-type": "application/json", ...(await signConversion(body, SECRET)) };
        const request = new Request(`${SITE}/cake/conversions`, { method: "POST", headers, body });
        expect((await forwarder.fetch(request)).status).toBe(202);
      };
      const operator = async (path: string) => {
        const headers = { authorization: `Bearer ${OPERATOR}` };
        const answered = await forwarder.fetch(new Request(`${SITE}/cake/operator/${path}`, { headers }));
        return (await answered.json()) as { holds: object[]; counts: { delivered: number }; rows: Listed[] };
      };
      await accept(GOOD, 3);
      await expect.poll(() => sent.get(GOOD)).toBe(3);
      for (let batch = 0; batch < 7; batch += 1) await accept(SLOW, 100);
      const begun = Date.now();
      await accept(GOOD, 100);
      await expect.poll(async () => (await operator("counts")).counts.delivered, { timeout: 5 * TIMEOUT_MS }).toBe(103);
      expect(Date.now() - begun).toBeLessThan(4 * TIMEOUT_MS);
      expect((await operator("counts")).holds).toEqual([{ reason: "slow", until: null, offers: [SLOW] }]);
      // What has been due for longer than a request may take waits for its share, and says so.
      const overdue = async () => {
        const { rows } = await operator("conversions?state=pending&limit=500");
        return new Set(
          rows.filter(({ nextAt }) => Date.parse(nextAt) < Date.now() - TIMEOUT_MS).map(({ waitsFor }) => waitsFor),
        );
      };
      await expect.poll(overdue, { timeout: 3 * TIMEOUT_MS }).toEqual(new Set(["slow"]));
      expect(alerts).toHaveLength(1);
      // It still gets its share.
      const before = sent.get(SLOW) ?? 0;
      await expect.poll(() => sent.get(SLOW), { timeout: 3 * TIMEOUT_MS }).toBeGreaterThan(before + 1);
      if ("close" in forwarder) await forwarder.close();
    },
  );
});
