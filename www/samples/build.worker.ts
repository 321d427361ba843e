/** Tags the links of an affiliate's site while its pages pass through a Worker. */
import { createTrackingLink } from "cake-edge";

const domain = "track.yournetwork.com";
const link = createTrackingLink({ domain, affiliateId: 67890, creativeId: 12, s1: "review_page" });

export default {
  async fetch(request: Request): Promise<Response> {
    const page = await fetch(request);
    return new HTMLRewriter()
      .on("a[data-offer]", { element: (anchor) => void anchor.setAttribute("href", link) })
      .transform(page);
  },
};
