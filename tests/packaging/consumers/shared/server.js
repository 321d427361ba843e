/** What a server does with the package: a link, a click, a conversion through forwarder and network, in one process. */
import { createCakeClient, createTrackingLink, findClick } from "cake-edge";
import { createForwarderInProcess } from "cake-edge/forwarder/memory";
import { createSandbox } from "cake-edge/sandbox/memory";

export const EXPECTED = "https://track.yournetwork.com/?a=1&c=2&s1=spring%20sale delivered approved";

export async function walk() {
  const link = createTrackingLink({
    domain: "track.yournetwork.com",
    affiliateId: 1,
    creativeId: 2,
    s1: "spring sale",
  });
  const apiKey = "key-of-a-test";
  const sandbox = createSandbox({ apiKey });
  const forwarder = createForwarderInProcess({
    baseUrl: "http://127.0.0.1",
    apiKey,
    fetch: sandbox.fetch,
    log() {},
    operatorSecret: "5f0c4bd2a9e6417380cd1e2fa7b49638",
  });
  const click = await sandbox.fetch(new Request("http://127.0.0.1/?a=67890&c=12"));
  const { clickId } = findClick(click.headers.get("location"));
  const answer = await forwarder.fetch(
    new Request("https://shop.example/cake/conversions?wait=1", {
      method: "POST",
      headers: { origin: "https://shop.example", "content-type": "application/json" },
      body: JSON.stringify({ clickId, offerId: 12345, uniqueId: "ORD-1" }),
    }),
  );
  const { state } = await answer.json();
  const cake = createCakeClient({ baseUrl: "http://127.0.0.1", apiKey, fetch: sandbox.fetch });
  const { conversionId } = await cake.getClick(clickId);
  return [link, state, conversionId === undefined ? "lost" : "approved"].join(" ");
}
