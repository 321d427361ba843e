/** The host that manuals write in place of the reader's own: no account is there. */
import { CakeError } from "./error.js";

/** Only as a whole label: `yourdomains.example` is somebody's. */
const PLACEHOLDER = /(^|[/.])your[-_]?domain\./i;

/** Is this base URL or domain the manual's? */
export const isPlaceholderHost = (text: string): boolean => PLACEHOLDER.test(text);

/**
 * Refuses the manual's host where nobody but us would notice it: a forwarder would take conversions that reach nobody.
 * A client's caller is told at the first call, and an example runs against a stub.
 *
 * @throws CakeError `placeholder_text`
 */
export function refusePlaceholderHost(parameter: string, text: string): void {
  if (!isPlaceholderHost(text)) return;
  throw new CakeError({ code: "placeholder_text", parameter, rule: "is a manual's placeholder: set your own domain" });
}
