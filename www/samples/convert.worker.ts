/** The demo's forwarder, which `npm start` runs; `workers/forwarder` is the one to deploy. */
import { createForwarder } from "cake-edge/forwarder";

interface Env {
  readonly OUTBOX: DurableObjectNamespace;
  readonly CAKE_BASE_URL: string;
  readonly CAKE_API_KEY: string;
  readonly CAKE_OPERATOR_SECRET: string;
}

const forwarder = createForwarder<Env>((env) => ({
  outbox: env.OUTBOX,
  baseUrl: env.CAKE_BASE_URL,
  apiKey: env.CAKE_API_KEY,
  operatorSecret: env.CAKE_OPERATOR_SECRET,
  // Only for the demo: ten times as fast, so that a person can watch the retries.
  clockSpeed: 10,
}));

export const CakeOutbox = forwarder.Outbox;
export default { fetch: forwarder.fetch, scheduled: forwarder.scheduled };
