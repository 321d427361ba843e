/** Builds a link in a page. The demo's first step runs this file. */
import { type CakeError, createTrackingLink, isCakeError, ready } from "cake-edge/link";

void ready(); // For pages whose policy refuses WebAssembly.

export function trackingLink(parts: Parameters<typeof createTrackingLink>[0]): { link?: string; problem?: CakeError } {
  try {
    return { link: createTrackingLink(parts) };
  } catch (thrown) {
    if (isCakeError(thrown)) return { problem: thrown }; // Which part breaks which rule.
    throw thrown;
  }
}
