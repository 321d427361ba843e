/** The front door of the demo's origin: who answers which path. The same behind a server and in a service worker. */

export type Answerer = "sandbox" | "forwarder" | "affiliate" | "breakdown" | "files";

/** Who answers a path, as seen from the demo's own folder. */
export function answererOf(pathname: string, query: URLSearchParams): Answerer {
  const isTrackingLink = pathname === "/" && query.has("a") && query.has("c");
  if (isTrackingLink || /^\/((api|__sandbox)\/|__sandbox$|p\.ashx$)/.test(pathname)) return "sandbox";
  if (pathname.startsWith("/cake/")) return "forwarder";
  // The affiliate's own tracker: it says thank you to every postback.
  if (pathname === "/affiliate/postback") return "affiliate";
  return pathname === "/breakdown.json" ? "breakdown" : "files";
}

/** How many days of the past the demo shows. */
export const DAYS = 30;

/** Without `wasm-unsafe-eval` a browser compiles no WebAssembly. */
export const STRICT_POLICY = "default-src 'self'; img-src 'self' data:";

/** A page asked for with `?csp=strict` comes with the policy; a real site sends it always. */
export function isStrict(query: URLSearchParams): boolean {
  return query.get("csp") === "strict";
}
