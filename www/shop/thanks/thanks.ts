/** The thank-you page's script: all the code that an advertiser writes. */
import { createTracker } from "cake-edge/page";
import { consent } from "../consent.js";

export const tracker = createTracker({ endpoint: "/cake", consent });

// The shop writes its order's number and offer into the page.
const { orderId = "", offerId } = document.body.dataset;
export const conversion = tracker.convert({
  offerId: Number(offerId),
  uniqueId: orderId,
  orderId,
});
