/** A host that postbacks may go to. */
import { refuse } from "./option.js";

/**
 * An entry of the allow-list in the form that is compared letter by letter with a URL's own host, with or without its
 * port.
 *
 * @throws CakeError `invalid_field` for a value that cannot be a URL's host: a whole URL, a path, a wildcard
 */
export function allowedHost(given: string): string {
  const hostOf = (url: string) => (URL.canParse(url) ? new URL(url).hostname : "");
  if (/^[^/@?#,*\\\s]+$/.test(given) && hostOf(`http://${given}`) !== "") return given.toLowerCase();
  const inner = hostOf(given);
  const meant = inner === "" ? "" : `: did you mean ${inner}?`;
  return refuse("allowedHosts", `must be hosts alone, such as tracking.partner.com, without scheme and path${meant}`);
}
