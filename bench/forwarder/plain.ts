/** The baseline that stores nothing: checks, sends, and passes the answer on. */
interface Env {
  readonly CAKE_BASE_URL: string;
  readonly CAKE_API_KEY: string;
}

const ID = /^[A-Za-z0-9._:-]{1,128}$/;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (request.method !== "POST") return new Response("ok");
    const origin = request.headers.get("origin");
    if (origin !== new URL(request.url).origin) return Response.json({ error: "origin" }, { status: 403 });
    const { clickId, offerId, uniqueId } = (await request.json()) as Record<string, unknown>;
    if (!ID.test(String(clickId)) || !ID.test(String(uniqueId)) || !Number.isSafeInteger(offerId)) {
      return Response.json({ error: "invalid" }, { status: 400 });
    }
    const url = new URL("/api/2/conversion.json", env.CAKE_BASE_URL);
    url.searchParams.set("api_key", env.CAKE_API_KEY);
    url.searchParams.set("click_id", String(clickId));
    url.searchParams.set("offer_id", String(offerId));
    url.searchParams.set("unique_id", String(uniqueId));
    const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(15_000) });
    const answer = (await response.json()) as { conversion?: { conversion_id?: number } };
    return Response.json({ conversionId: answer.conversion?.conversion_id });
  },
};
