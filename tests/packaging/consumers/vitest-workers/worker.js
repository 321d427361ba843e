import { createTrackingLink } from "cake-edge";

const worker = {
  fetch: () =>
    new Response(
      createTrackingLink({ domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2, s1: "spring sale" }),
    ),
};
export default worker;
