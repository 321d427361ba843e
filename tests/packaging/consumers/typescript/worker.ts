/** The code of a Worker in TypeScript. */

import module from "cake-edge/edge.wasm";
import { createForwarder } from "cake-edge/forwarder";
import { type SandboxEnv, sandbox } from "cake-edge/sandbox";
import { init } from "cake-edge/slim";

interface Env extends SandboxEnv {
  readonly OUTBOX: DurableObjectNamespace;
  readonly CAKE_OPERATOR_SECRET: string;
}

init(module);
const forwarder = createForwarder<Env>((env) => ({
  outbox: env.OUTBOX,
  baseUrl: "https://acme.cakemarketing.com",
  apiKey: env.CAKE_API_KEY,
  operatorSecret: env.CAKE_OPERATOR_SECRET,
}));

export { CakeNetwork } from "cake-edge/sandbox";
export const CakeOutbox = forwarder.Outbox;
const worker: ExportedHandler<Env> = {
  fetch: (request, env) =>
    request.url.endsWith("/sandbox") ? sandbox.fetch(request, env) : forwarder.fetch(request, env),
  scheduled: (controller, env) => forwarder.scheduled(controller, env),
};
export default worker;
