/** An affiliate's short link: https://affiliate.example/go/review_page */
import { createTrackingLink } from "cake-edge";

const domain = "track.yournetwork.com";

export default {
  fetch(request: Request): Response {
    const s1 = new URL(request.url).pathname.split("/").at(-1) ?? "";
    return Response.redirect(createTrackingLink({ domain, affiliateId: 67890, creativeId: 12, s1 }), 302);
  },
};
