/** The package's forwarder with one shard, without a log on the terminal. */
import { createForwarder } from "../../dist/entry/forwarder.workerd.js";

interface Env {
  readonly OUTBOX: DurableObjectNamespace;
  readonly CAKE_BASE_URL: string;
  readonly CAKE_API_KEY: string;
  readonly CAKE_OPERATOR_SECRET: string;
  readonly CAKE_SIGNING_SECRET: string;
}

export const forwarder = createForwarder<Env>((env) => ({
  outbox: env.OUTBOX,
  shards: 1,
  baseUrl: env.CAKE_BASE_URL,
  apiKey: env.CAKE_API_KEY,
  operatorSecret: env.CAKE_OPERATOR_SECRET,
  signingSecrets: [env.CAKE_SIGNING_SECRET],
  log: () => undefined,
}));

export const CakeOutbox = forwarder.Outbox;
export default { fetch: forwarder.fetch };
