import { createForwarder } from "cake-edge/forwarder";

interface Env {
  readonly OUTBOX: DurableObjectNamespace;
  readonly RATE_LIMIT?: RateLimit;
  readonly CAKE_BASE_URL: string;
  readonly CAKE_API_KEY: string;
  readonly CAKE_OPERATOR_SECRET: string;
  readonly CAKE_SIGNING_SECRETS?: string;
  readonly CAKE_COOKIE_SECRETS?: string;
  readonly CAKE_TOKEN_SECRETS?: string;
  readonly CAKE_TIME_ZONE?: string;
  readonly CAKE_ORIGINS?: string;
}

const list = (text = "") => text.split(/[\s,]+/).filter((part) => part !== "");

const forwarder = createForwarder<Env>((env) => ({
  outbox: env.OUTBOX,
  ...(env.RATE_LIMIT ? { rateLimit: env.RATE_LIMIT } : {}),
  baseUrl: env.CAKE_BASE_URL,
  apiKey: env.CAKE_API_KEY,
  operatorSecret: env.CAKE_OPERATOR_SECRET,
  signingSecrets: list(env.CAKE_SIGNING_SECRETS),
  cookieSecrets: list(env.CAKE_COOKIE_SECRETS),
  tokenSecrets: list(env.CAKE_TOKEN_SECRETS),
  ...(env.CAKE_TIME_ZONE ? { timeZone: env.CAKE_TIME_ZONE } : {}),
  origins: list(env.CAKE_ORIGINS),
}));

export const CakeOutbox = forwarder.Outbox;
export default { fetch: forwarder.fetch, scheduled: forwarder.scheduled };
