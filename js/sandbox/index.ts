/** `cake-edge/sandbox`: a CAKE network in a Worker, for development, demos and CI. */
import type { SandboxEnv } from "./durable-object.js";

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

/** The Worker's default export: every request goes to the one network. */
export const sandbox = {
  fetch(request: Request, env: SandboxEnv): Promise<Response> {
    return env.NETWORK.get(env.NETWORK.idFromName("network")).fetch(request);
  },
};
