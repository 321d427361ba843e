/** The code of a server or Worker in TypeScript. */
import {
  type CakeClient,
  CakeError,
  type CakeErrorCode,
  type Click,
  createCakeClient,
  createPixel,
  createTrackingLink,
  dayRange,
  findClick,
  init,
  isCakeError,
  parseTrackingLink,
  withClickCapture,
} from "cake-edge";
import { createForwarderInProcess } from "cake-edge/forwarder/memory";
import { type ForwarderServer, type NodeForwarder, openForwarder, serveForwarder } from "cake-edge/forwarder/node";
import { openReport, type Report, type ReportRow } from "cake-edge/report";
import { createSandbox } from "cake-edge/sandbox/memory";
import { init as initSlim } from "cake-edge/slim";

const cake: CakeClient = createCakeClient({ baseUrl: "https://yourdomain.cakemarketing.com", apiKey: "key-of-a-test" });

export async function use(request: Request): Promise<Click | undefined> {
  const link: string = createTrackingLink({ domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2, s1: "x" });
  parseTrackingLink(link);
  createPixel({ domain: "track.yournetwork.com", offerId: 1 });
  const found = findClick(request.url);
  for await (const click of cake.listClicks(dayRange("2026-01-01", "2026-01-31"))) void click.clickId;
  for await (const conversion of cake.listConversions(dayRange("last7Days", { timeZone: "UTC" }))) void conversion;
  try {
    return await cake.getClick(found?.clickId ?? "");
  } catch (error) {
    if (!isCakeError(error)) throw error;
    const code: CakeErrorCode = error.code;
    throw new CakeError({ code, rule: "again" });
  }
}

export async function close(orders: Uint8Array, pages: Blob): Promise<readonly ReportRow[]> {
  const report: Report = await openReport({ from: "2026-06-01", to: "2026-06-30" });
  await report.addOrders(orders, { dialect: "shopify" });
  await report.addConversions(pages);
  const rows = [...(await report.reconcile()).rows({ classes: ["missing_at_cake"] })];
  report.dispose();
  return rows;
}

export const sandbox = createSandbox();
export const forwarder = createForwarderInProcess({
  baseUrl: "http://127.0.0.1",
  apiKey: "key-of-a-test",
  operatorSecret: "5f0c4bd2a9e6417380cd1e2fa7b49638",
  fetch: (request) => sandbox.fetch(request),
});
/** On a machine with an address of its own. */
export function keep(folder: string): NodeForwarder {
  return openForwarder({ folder, shards: 2, baseUrl: "http://127.0.0.1", apiKey: "key-of-a-test", operatorSecret: "" });
}
export async function serve(folder: string): Promise<ForwarderServer> {
  return serveForwarder({ folder, port: 0, proxies: 1, rateLimit: { limit: 600 }, operatorSecret: "" });
}
init(new Uint8Array(8));
initSlim(new ArrayBuffer(8));

export { withClickCapture };
