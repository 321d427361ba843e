/** Two copies in one page: both store the same click, and the order is one. */
import { createTracker } from "cake-edge/page";
import { createTracker as createOther } from "cake-edge-copy/page";

const trackers = [createTracker(), createOther()];
Promise.all(trackers.map((tracker) => tracker.convert({ offerId: 12345, orderId: "ORD-1" }))).then((results) => {
  document.documentElement.dataset.landed = results
    .map(({ state }, index) => `${trackers[index].clickId} ${state}`)
    .join(" ");
});
