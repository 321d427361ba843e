/** The package's forwarder with a route that sweeps its shard, as the cron trigger does, and says what is left. */
import { forwarder } from "./ours.ts";

interface Env {
  readonly OUTBOX: DurableObjectNamespace;
}

export class CakeOutbox extends forwarder.Outbox {
  override async fetch(): Promise<Response> {
    const { counts, bytes } = await this.sweep();
    return Response.json({ delivered: counts.delivered, bytes });
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (!new URL(request.url).pathname.endsWith("/sweep")) return forwarder.fetch(request, env as never);
    return env.OUTBOX.getByName("shard 0").fetch(request);
  },
};
