/** `cake-edge/sandbox` in runtimes without Durable Objects: it throws, and names the right entry. */
import { CakeError } from "../error.js";

function refuse(): never {
  throw new CakeError({
    code: "wrong_runtime",
    rule: "cake-edge/sandbox runs in Cloudflare Workers: elsewhere import createSandbox from cake-edge/sandbox/memory, or run npx cake-edge sandbox",
  });
}

/** @throws CakeError `wrong_runtime` */
export class CakeNetwork {
  constructor() {
    refuse();
  }
}

/** Each of its functions throws CakeError `wrong_runtime`. */
export const sandbox = { fetch: refuse };
