import { createForwarder } from "cake-edge/forwarder";

interface Env {
  readonly CAKE_BASE_URL: string;
  readonly CAKE_API_KEY: string;
}

export default createForwarder<Env>((env) => ({
  baseUrl: env.CAKE_BASE_URL,
  apiKey: env.CAKE_API_KEY,
}));
