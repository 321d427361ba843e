/** Sandbox and forwarder in memory, in a Worker, as the demo's service worker runs them. */
import { expect, test } from "vitest";
import { createForwarderInProcess } from "../../dist/entry/forwarder-memory.workerd.js";
import { createSandbox } from "../../dist/entry/sandbox-memory.workerd.js";

const ORIGIN = "http://127.0.0.1";

test("a conversion goes from a click to a delivery without a server", async () => {
  const sandbox = createSandbox({ fetch: async () => new Response("OK") });
  const forwarder = createForwarderInProcess({
    baseUrl: ORIGIN,
    apiKey: "sandbox-key",
    operatorSecret: crypto.randomUUID(),
    fetch: sandbox.fetch,
    log: () => undefined,
  });
  const landing = await sandbox.fetch(new Request(`${ORIGIN}/?a=67890&c=12`));
  const clickId = new URL(landing.headers.get("location") ?? "").searchParams.get("reqid");
  const answer = await forwarder.fetch(
    new Request(`${ORIGIN}/cake/conversions?wait=1`, {
      method: "POST",
      headers: { origin: ORIGIN, "content-type": "text/plain" },
      body: JSON.stringify({ clickId, offerId: 12_345, uniqueId: "ORD-1" }),
    }),
  );
  expect(await answer.json()).toMatchObject({ state: "delivered", conversionId: 998_877 });
});
