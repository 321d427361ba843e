/** The forwarder under chaos: its clock runs faster than the world's, and it logs nothing. */
import { createForwarder } from "cake-edge/forwarder";

interface Env {
  readonly OUTBOX: DurableObjectNamespace;
  readonly CAKE_BASE_URL: string;
  readonly CAKE_API_KEY: string;
  readonly CAKE_OPERATOR_SECRET: string;
  readonly CAKE_DEDUPLICATES: string;
  readonly CAKE_SEVERAL_PER_CLICK: string;
  readonly CAKE_CLOCK_SPEED: string;
  readonly CAKE_SIGNING_SECRETS: string;
}

const forwarder = createForwarder<Env>((env) => ({
  outbox: env.OUTBOX,
  shards: 4,
  baseUrl: env.CAKE_BASE_URL,
  apiKey: env.CAKE_API_KEY,
  operatorSecret: env.CAKE_OPERATOR_SECRET,
  signingSecrets: [env.CAKE_SIGNING_SECRETS],
  upstreamDedupe: env.CAKE_DEDUPLICATES === "yes",
  // Longer than the slowest answer, and than what a killed forwarder has left on its way.
  timeoutMs: 2_000,
  severalPerClick: env.CAKE_SEVERAL_PER_CLICK === "yes",
  clockSpeed: Number(env.CAKE_CLOCK_SPEED),
  log: () => undefined,
}));

export const CakeOutbox = forwarder.Outbox;
export default { fetch: forwarder.fetch };
