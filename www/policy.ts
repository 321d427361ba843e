/** A shop page under a strict Content-Security-Policy: scripts of its own host, and no WebAssembly. */

/** Without `wasm-unsafe-eval` a browser compiles no WebAssembly. */
export const STRICT_POLICY = "default-src 'self'; img-src 'self' data:";

/** The demo asks for the policy by `?csp=strict`; a real site sends it always. */
export function isStrict(query: URLSearchParams): boolean {
  return query.get("csp") === "strict";
}
