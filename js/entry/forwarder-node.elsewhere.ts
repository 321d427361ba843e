/** `cake-edge/forwarder/node` in runtimes without Node: its functions throw, and name the right entry. */
import { CakeError } from "../error.js";

export { CakeError, isCakeError } from "../error.js";

/** @throws CakeError `wrong_runtime` */
export function openForwarder(): never {
  throw new CakeError({
    code: "wrong_runtime",
    rule: "cake-edge/forwarder/node runs in Node: in Cloudflare Workers import createForwarder from cake-edge/forwarder, for tests createForwarderInProcess from cake-edge/forwarder/memory",
  });
}

/** @throws CakeError `wrong_runtime` */
export const serveForwarder: () => Promise<never> = async () => openForwarder();
