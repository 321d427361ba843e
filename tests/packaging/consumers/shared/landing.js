/** A landing page's use of the package: it stores the click, builds a link, and reports a conversion. */
import { createTrackingLink } from "cake-edge";
import { createTrackingLink as createPageLink, ready } from "cake-edge/link";
import { createTracker } from "cake-edge/page";
import { openReport } from "cake-edge/report";

const PARTS = { domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 };

/** Without WebAssembly, a call that needs it fails with a message about it. */
async function attempt(run) {
  try {
    return await run();
  } catch (error) {
    return `${error.code}: ${error.message}`;
  }
}

export function land() {
  const tracker = createTracker({ endpoint: "/cake" });
  const converted = tracker.convert({ offerId: 12345, orderId: "ORD-1" });
  Promise.all([
    converted,
    ready().then(() => createPageLink(PARTS)),
    attempt(() => createTrackingLink(PARTS)),
    attempt(async () => (await openReport()).reconcile().then(({ orders }) => `${orders} orders`)),
  ]).then(([{ state }, ...rest]) => {
    document.documentElement.dataset.landed = [tracker.engine, tracker.clickId, state, ...rest].join(" ");
  });
}
