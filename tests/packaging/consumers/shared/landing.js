/** What a landing page does with the package: it keeps the click, builds a link, and reports a conversion. */
import { createTrackingLink } from "cake-edge";
import { createTracker } from "cake-edge/page";

export function land() {
  const tracker = createTracker({ endpoint: "/cake" });
  let link;
  try {
    link = createTrackingLink({ domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 });
  } catch (error) {
    link = `${error.code}: ${error.message}`;
  }
  tracker.convert({ offerId: 12345, orderId: "ORD-1" }).then(({ state }) => {
    document.documentElement.dataset.landed = [tracker.engine, tracker.clickId, state, link].join(" ");
  });
}
