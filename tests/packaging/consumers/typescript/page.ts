/** The code of a page in TypeScript. */
import { createTrackingLink, ready } from "cake-edge/link";
import { type ConvertResult, createTracker, type Tracker } from "cake-edge/page";

const tracker: Tracker = createTracker({ endpoint: "/cake" });

export async function buy(): Promise<string> {
  const result: ConvertResult = await tracker.convert({ offerId: 12345, orderId: "ORD-1" });
  tracker.setConsent("granted");
  await ready();
  const sync: string = createTrackingLink({ domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 });
  const link: string | undefined = await tracker.link({
    domain: "track.yournetwork.com",
    affiliateId: 1,
    creativeId: 2,
  });
  return result.state + (link ?? sync);
}
