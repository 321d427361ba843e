/** An outbox in workerd whose account gets another address: Workers and objects of both settings at once. */
import { abortAllDurableObjects, env } from "cloudflare:test";
import { createForwarder, type WorkerOptions } from "cake-edge/forwarder";
import { expect, test } from "vitest";
import { signConversion } from "../../dist/webhook-signature.js";
import { settings, wishes } from "./worker.ts";

const { WISHED } = env as unknown as { WISHED: DurableObjectNamespace };
const [SECRET = ""] = settings.signingSecrets;
const [SITE = ""] = settings.origins;

type Way = Pick<WorkerOptions, "baseUrl" | "pixelDomain" | "shards">;
const OLD: Way = { baseUrl: "https://amce.cakemarketing.com", shards: 2 };

let tests = 0;

test.each<readonly [string, Way]>([
  ["a mended name", { baseUrl: "https://acme.cakemarketing.com", shards: 2 }],
  ["the network's own domain, and a port", { baseUrl: "https://login.yournetwork.com:8443", shards: 2 }],
  ["p.ashx", { pixelDomain: "track.yournetwork.com", shards: 2 }],
])("%s: events and clicks stay known, with Workers and objects of both settings", async (_, now) => {
  tests += 1;
  const prefix = `address ${tests}`;
  const outbox = {
    idFromName: (name: string) => WISHED.idFromName(`${prefix} ${name}`),
    get: (id: DurableObjectId) => WISHED.get(id),
  } as unknown as DurableObjectNamespace;
  const options = (way: Way): WorkerOptions => ({
    ...{ ...settings, baseUrl: undefined },
    ...{ apiKey: "CANARY-KEY", outbox, log: () => undefined, ...way },
    fetch: async () => new Response(null, { status: 503 }),
  });
  const shard = () => outbox.get(outbox.idFromName("shard 0")) as unknown as { idSecret(): Promise<string> };
  const worker = (way: Way) => {
    const forwarder = createForwarder(() => options(way));
    const own = {};
    const post = async (event: object, isSigned: boolean) => {
      const body = JSON.stringify(event);
      const sign: object = isSigned ? await signConversion(body, SECRET) : { origin: SITE };
      const headers = { "content-type": "application/json", ...sign };
      const request = new Request(`${SITE}/cake/conversions`, { method: "POST", headers, body });
      const answer = await forwarder.fetch(request, own);
      return { status: answer.status, ...((await answer.json()) as object) };
    };
    return { backend: (event: object) => post(event, true), page: (event: object) => post(event, false) };
  };
  const fresh = () => ({ clickId: crypto.randomUUID(), offerId: 12_345, uniqueId: crypto.randomUUID() });
  const events = Array.from({ length: 8 }, fresh);
  // Objects with one setting, then with the other, and Workers of both.
  for (const [round, way] of [OLD, now, OLD].entries()) {
    await abortAllDurableObjects();
    wishes.now = options(way);
    for (const { backend, page } of round === 0 ? [worker(OLD)] : [worker(OLD), worker(now)]) {
      const duplicate = round > 0;
      for (const [index, event] of events.entries()) {
        expect(await (index % 2 === 0 ? backend : page)(event)).toMatchObject({ status: 202, duplicate });
        if (!duplicate || index % 2 === 0) continue;
        expect(await page({ ...event, uniqueId: crypto.randomUUID() })).toMatchObject({ status: 409 });
      }
    }
  }
  // As an older Worker asks.
  expect(await shard().idSecret()).toMatch(/^[0-9a-f.]+$/);
});
