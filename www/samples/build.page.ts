/** Builds a link in a page. The demo's first step runs this file. */
import { type CakeError, createTracker, type TrackingLinkParts, type TrackingLinkRules } from "cake-edge/page";

let problem: CakeError | undefined;
const tracker = createTracker({
  // Nothing is thrown into a page: what is wrong is heard here.
  onError: (error) => {
    problem = error;
  },
});

// https://track.yournetwork.com/?a=67890&c=12&s1=spring_sale
export function trackingLink(parts: TrackingLinkParts & TrackingLinkRules): string {
  const link = tracker.link(parts);
  if (link === undefined) throw problem;
  return link;
}
