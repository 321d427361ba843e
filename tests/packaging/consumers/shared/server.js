/**
 * A server's use of the package: a link, a click, a conversion through forwarder and network, and the report on it, in
 * one process.
 */
import { createCakeClient, createTrackingLink, findClick } from "cake-edge";
import { createForwarderInProcess } from "cake-edge/forwarder/memory";
import { createTrackingLink as createPageLink, ready } from "cake-edge/link";
import { createTracker } from "cake-edge/page";
import { openReport } from "cake-edge/report";
import { createSandbox } from "cake-edge/sandbox/memory";

export const EXPECTED = "https://track.yournetwork.com/?a=1&c=2&s1=spring%20sale delivered approved matched no_page";

/** A row in the form of CAKE's report. */
const CONVERSION = {
  conversion_id: 1,
  conversion_date: "2026-06-01 10:00:01",
  offer_id: 12345,
  affiliate_id: 67890,
  conversion_status: "approved",
  unique_id: "ORD-1",
};

export async function walk() {
  const parts = { domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2, s1: "spring sale" };
  const link = createTrackingLink(parts);
  // The entry for pages, in a server that renders them.
  await ready();
  if (createPageLink(parts) !== link) throw new Error("two entries build two links");
  const { code } = await createTracker().convert({ offerId: 12345, orderId: "ORD-1" });
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
  const report = await openReport();
  const orders = "unique_id,click_id,date,status\nORD-1,c1,2026-06-01 10:00:00,approved\n";
  await report.addOrders(new TextEncoder().encode(orders));
  await report.addConversions(new TextEncoder().encode(JSON.stringify({ conversions: [CONVERSION] })));
  const { counts } = await report.reconcile();
  report.dispose();
  return [
    link,
    state,
    conversionId === undefined ? "lost" : "approved",
    Object.keys(counts).find((name) => counts[name].orders > 0),
    code,
  ].join(" ");
}
