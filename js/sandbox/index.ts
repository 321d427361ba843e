/** `cake-edge/sandbox`: a CAKE network in a Worker, for development, demos and CI. */
import { CakeError } from "../error.js";
import { misconfigured, type SandboxEnv } from "./durable-object.js";

export { CakeNetwork, type SandboxEnv } from "./durable-object.js";
export type {
  Balance,
  ClickRow,
  Clock,
  ConversionRow,
  FaultKind,
  FaultRule,
  FiredPostback,
  SandboxAction,
  SandboxState,
  Totals,
} from "./rows.js";

/** The Worker's default export: sends every request to the one network. */
export const sandbox = {
  async fetch(request: Request, env: SandboxEnv): Promise<Response> {
    if (env.NETWORK === undefined) {
      const rule = "must be bound to the Durable Object's class CakeNetwork: see workers/sandbox/wrangler.jsonc";
      return misconfigured(new CakeError({ code: "invalid_field", parameter: "NETWORK", rule }));
    }
    return env.NETWORK.get(env.NETWORK.idFromName("network")).fetch(request);
  },
};
