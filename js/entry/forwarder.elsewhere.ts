/** `cake-edge/forwarder` where there are no Durable Objects: it says what is meant instead. */
import { CakeError } from "../error.js";

export { CakeError, isCakeError } from "../error.js";

/** @throws CakeError `wrong_runtime` */
export function createForwarder(): never {
  throw new CakeError({
    code: "wrong_runtime",
    rule: "cake-edge/forwarder runs in Cloudflare Workers: elsewhere import createForwarderInProcess from cake-edge/forwarder/memory",
  });
}
