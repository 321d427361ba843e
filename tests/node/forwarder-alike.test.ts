/** A no that every event meets: the forwarder pauses with an alert, and after the mend it sends all that waited. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { both } from "./forwarder-in-process.ts";

/** Of these the first one may be refused: until the second one it may be that event's own. */
const EVENTS = 8;

interface Counts {
  readonly delivered: number;
  readonly refused: number;
  readonly pending: number;
}

const page = (text: string, status: number) => () =>
  new Response(`<html><body><h2>${text}</h2></body></html>`, { status, headers: { "content-type": "text/html" } });
const json =
  (body: object, status = 200) =>
  () =>
    Response.json(body, { status });
const no = (message: string) => json({ success: false, message });
/** Another id each time. */
const varied = (answer: (id: string) => Response) => () => answer(randomUUID());
const soap = (message: string) => () =>
  new Response(
    `<?xml version="1.0"?><soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body>
    <UpdateConversionEventsResponse xmlns="http://cakemarketing.com/api/6/"><UpdateConversionEventsResult>
    <success>false</success><message>${message}</message>
    </UpdateConversionEventsResult></UpdateConversionEventsResponse></soap:Body></soap:Envelope>`,
    { headers: { "content-type": "text/xml" } },
  );

/** A forwarder before a CAKE that answers so on some paths, as long as it is down. */
function before(answer: () => Response, isOf: (path: string) => boolean) {
  const sandbox: { fetch?: (request: Request) => Promise<Response> } = {};
  const state = { isDown: true, alerts: 0 };
  const site = both({
    fetch: async (request) => {
      if (state.isDown && isOf(new URL(request.url).pathname)) return answer();
      return (sandbox.fetch as NonNullable<typeof sandbox.fetch>)(request);
    },
    log: (line) => {
      if ("alert" in line && line.alert) state.alerts += 1;
    },
  });
  sandbox.fetch = (request) => site.sandbox.fetch(request);
  const counts = async () => (await (await site.operator("counts")).json()) as { counts: Counts; corrections: Counts };
  return { ...site, state, counts };
}

test.each<[name: string, answer: () => Response, refused: number]>([
  // Words of an outage, whatever they stand beside: none is refused.
  ["offline", no("CAKE is offline. Conversion not recorded."), 0],
  ["conversions that are not available", no("Conversions are not available at this time"), 0],
  ["a failure of the server's", no("Conversion failed: Internal Server Error"), 0],
  ["a code of the body's", json({ success: false, code: 503, message: "Error" }), 0],
  // A no that names nothing of its event.
  ["one word", no("Error"), 1],
  ["no word", json({ success: false }), 1],
  ["words of no meaning, with 400", json({ success: false, message: "Something Broken" }, 400), 1],
  ["a page of a host that CAKE is not at", page("Bad Request - Invalid Hostname", 400), 1],
  ["a firewall's page", page("Request blocked", 418), 1],
  [
    "a page of a firewall with words of events",
    varied((id) => page(`Enable cookies and click here. Order ${id}`, 400)()),
    1,
  ],
  ["a firewall's id in JSON", varied((id) => no(`Request rejected. Your support ID is ${id}`)()), 1],
  ["a no that is true of every conversion", no("Conversion rejected"), 1],
  // It says that nothing was saved, and not why.
  ["no reason", no("Conversion could not be saved."), 0],
  ["423 without a body", () => new Response(null, { status: 423 }), 1],
])("%s for every conversion: it pauses, and sends them later", async (_, answer, refused) => {
  const { page: report, click, state, counts } = before(answer, (path) => path.endsWith("conversion.json"));
  for (let event = 0; event < EVENTS; event += 1) {
    await report({ offerId: 12_345, clickId: await click(), uniqueId: `ORD-${event}` }, "");
  }
  await expect.poll(() => state.alerts).toBeGreaterThan(0);
  expect((await counts()).counts.refused).toBeLessThanOrEqual(refused);
  state.isDown = false;
  await expect
    .poll(async () => (await counts()).counts, { timeout: 10_000 })
    .toMatchObject({ delivered: EVENTS - refused, refused, pending: 0 });
});

test.each<[name: string, answer: () => Response, refused: number]>([
  ["offline", soap("CAKE is offline. Conversion not changed"), 0],
  ["words of no meaning", soap("Something Broken"), 1],
  ["a page of a host that CAKE is not at", page("Bad Request - Invalid Hostname", 400), 1],
])("%s for every correction: it pauses, and sends them later", async (_, answer, refused) => {
  const { backend, correct, click, state, counts } = before(answer, (path) => path.includes("UpdateConversionEvents"));
  for (let event = 0; event < EVENTS; event += 1) {
    const sale = { clickId: await click(), offerId: 12_345, uniqueId: `ORD-${event}`, payout: "18.00" };
    expect(await (await backend(sale)).json()).toMatchObject({ state: "delivered" });
    const fields = { correctionId: `refund-${event}`, offerId: 12_345, uniqueId: `ORD-${event}`, payout: "5" };
    await correct(fields, "");
  }
  await expect.poll(() => state.alerts).toBeGreaterThan(0);
  expect((await counts()).corrections.refused).toBeLessThanOrEqual(refused);
  state.isDown = false;
  await expect
    .poll(async () => (await counts()).corrections, { timeout: 10_000 })
    .toMatchObject({ delivered: EVENTS - refused, refused, pending: 0 });
});
