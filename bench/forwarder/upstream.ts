/** A CAKE that answers at once and counts its requests. */
let conversions = 0;
const seen = new Set<string>();

export default {
  fetch(request: Request): Response {
    const url = new URL(request.url);
    if (url.pathname === "/count") return Response.json({ conversions, unique: seen.size });
    if (url.pathname === "/reset") {
      conversions = 0;
      seen.clear();
      return new Response("ok");
    }
    conversions += 1;
    seen.add(url.searchParams.get("unique_id") ?? "");
    return new Response(
      `{"request_status":"Success","conversion":{"conversion_id":${conversions},"offer_id":${url.searchParams.get("offer_id") ?? 1},"affiliate_id":2,"payout":18.00}}`,
      { headers: { "content-type": "application/json" } },
    );
  },
};
