/** `cake-edge/forwarder` in runtimes without Durable Objects: it throws, and names the right entry. */
import { CakeError } from "../error.js";

export { CakeError, isCakeError } from "../error.js";

/** @throws CakeError `wrong_runtime` */
export function createForwarder(): never {
  throw new CakeError({
    code: "wrong_runtime",
    rule: "cake-edge/forwarder runs in Cloudflare Workers: elsewhere import createForwarderInProcess from cake-edge/forwarder/memory",
  });
}
