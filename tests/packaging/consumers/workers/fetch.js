/** A site's Worker: captures the click, builds links, and has forwarder and network in Durable Objects. */
import { createTrackingLink, readClickCookie, withClickCapture } from "cake-edge";
import { createForwarder } from "cake-edge/forwarder";
import { sandbox } from "cake-edge/sandbox";

export { CakeNetwork } from "cake-edge/sandbox";

const secrets = ["5f0c4bd2a9e6417380cd1e2fa7b49638"];
const forwarder = createForwarder((env) => ({
  outbox: env.OUTBOX,
  baseUrl: "http://127.0.0.1",
  apiKey: env.CAKE_API_KEY,
  operatorSecret: secrets[0],
  fetch: (request) => sandbox.fetch(request, env),
  log() {},
}));
export const CakeOutbox = forwarder.Outbox;

const site = {
  async fetch(request, env) {
    const { pathname, origin } = new URL(request.url);
    if (pathname.startsWith("/cake/")) return forwarder.fetch(request, env);
    if (pathname !== "/walk") {
      const kept = readClickCookie(request, { secrets });
      const link = createTrackingLink({
        domain: "track.yournetwork.com",
        affiliateId: 1,
        creativeId: 2,
        s1: "spring sale",
      });
      return new Response(kept ?? link, { headers: { "content-type": "text/html" } });
    }
    const click = await sandbox.fetch(new Request("http://127.0.0.1/?a=67890&c=12", { redirect: "manual" }), env);
    const clickId = new URL(click.headers.get("location")).searchParams.get("reqid");
    return forwarder.fetch(
      new Request(`${origin}/cake/conversions?wait=1`, {
        method: "POST",
        headers: { origin },
        body: JSON.stringify({ clickId, offerId: 12345, uniqueId: crypto.randomUUID() }),
      }),
      env,
    );
  },
};

const worker = { fetch: withClickCapture(site.fetch, () => ({ secrets })), scheduled: forwarder.scheduled };
export default worker;
