/** The Worker that runs beside the tests: a sandbox network, and a forwarder's outbox in front of it. */
import { createForwarder, type WorkerOptions } from "cake-edge/forwarder";

import { CakeNetwork, type SandboxEnv, sandbox } from "cake-edge/sandbox";

export { CakeNetwork, sandbox as default };

/** Networks with a careless deployment's mistakes. */
export class KeylessNetwork extends CakeNetwork {
  constructor(ctx: DurableObjectState, env: SandboxEnv) {
    super(ctx, { ...env, CAKE_API_KEY: "" });
  }
}
export class OddNetwork extends CakeNetwork {
  constructor(ctx: DurableObjectState, env: SandboxEnv) {
    super(ctx, { ...env, CAKE_FIXTURE: "{" });
  }
}

interface Env {
  readonly OUTBOX: DurableObjectNamespace;
  readonly NETWORK: DurableObjectNamespace;
  readonly WISHED: DurableObjectNamespace;
  readonly CAKE_API_KEY: string;
}

/** The forwarder's options, without those that a test sets. */
export const settings = {
  baseUrl: "http://127.0.0.1:8787",
  operatorSecret: "an operator's secret of 32 characters or more",
  signingSecrets: ["whsec_c2VjcmV0IG9mIGEgYmFja2VuZCwgMzIgYnl0ZXMgbG9uZw=="],
  cookieSecrets: ["a cookie's secret of 32 characters or more"],
  tokenSecrets: ["a token's secret of 32 characters or more"],
  origins: ["https://shop.example"],
  timeZone: "America/New_York",
};

/** Faster than real time: the schedule's 5 s are 5 ms. */
export const forwarder = createForwarder<Env>((env) => ({
  ...settings,
  outbox: env.OUTBOX,
  apiKey: env.CAKE_API_KEY,
  shards: 2,
  clockSpeed: 1_000,
  log: () => undefined,
  rateLimit: { limit: async ({ key }: { key: string }) => ({ success: key !== "203.0.113.99" }) },
  fetch: (request) => env.NETWORK.getByName("network").fetch(request),
}));

export const CakeOutbox = forwarder.Outbox;

/** The options that a test sets for the forwarder below. An outbox reads them when it starts. */
export const wishes: { now: Partial<WorkerOptions> } = { now: {} };

/** A forwarder with a test's options, with one shard. */
export const wished = createForwarder<Env>((env) => ({
  ...settings,
  apiKey: env.CAKE_API_KEY,
  shards: 1,
  outbox: env.WISHED,
  ...wishes.now,
}));

export const WishedOutbox = wished.Outbox;
