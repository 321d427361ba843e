/** Builds a link in a page. The demo's first step runs this file. */
import { createTracker, type Tracker } from "cake-edge/page";

const tracker = createTracker();

// https://track.yournetwork.com/?a=67890&c=12&s1=spring_sale
export const trackingLink: Tracker["link"] = (parts) => tracker.link(parts);
