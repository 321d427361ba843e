/** The router of the demo's origin: which part answers a path. A server and a service worker use it alike. */

export type Answerer = "sandbox" | "forwarder" | "affiliate" | "breakdown" | "orders" | "reconcile" | "files";

/** The paths that read the network beside the API key. */
const READERS: Record<string, Answerer> = {
  "/breakdown.json": "breakdown",
  "/orders.csv": "orders",
  "/reconcile.json": "reconcile",
};

/** The part that answers a path, relative to the demo's own folder. */
export function answererOf(pathname: string, query: URLSearchParams): Answerer {
  const isTrackingLink = pathname === "/" && query.has("a") && query.has("c");
  if (isTrackingLink || /^\/((api|__sandbox)\/|__sandbox$|p\.ashx$)/.test(pathname)) return "sandbox";
  if (pathname.startsWith("/cake/")) return "forwarder";
  // The affiliate's tracker: it answers every postback with thanks.
  if (pathname === "/affiliate/postback") return "affiliate";
  return READERS[pathname] ?? "files";
}

/** The number of days in the demo's history. */
export const DAYS = 30;

/** Without `wasm-unsafe-eval` a browser compiles no WebAssembly. */
export const STRICT_POLICY = "default-src 'self'; img-src 'self' data:";

/** With `?csp=strict` a page gets the policy; a real site would always send it. */
export function isStrict(query: URLSearchParams): boolean {
  return query.get("csp") === "strict";
}
