import { createTrackingLink, readClickCookie } from "cake-edge";

export function onRequest({ request }) {
  const link = createTrackingLink({
    domain: "track.yournetwork.com",
    affiliateId: 1,
    creativeId: 2,
    s1: "spring sale",
  });
  const kept = readClickCookie(request, { secrets: ["5f0c4bd2a9e6417380cd1e2fa7b49638"] });
  return new Response(kept ?? link, { headers: { "content-type": "text/html" } });
}
