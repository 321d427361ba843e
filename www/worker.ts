/**
 * The demo's Worker, the one front door of `npm start`: decides who answers, the
 * sandbox, the forwarder, the affiliate, the reader of the past or the page's files.
 */
import { createCakeClient } from "cake-edge";
import { breakDown } from "./breakdown.js";
import { isStrict, STRICT_POLICY } from "./policy.js";

interface Env {
  readonly CAKE_API_KEY: string;
  readonly CAKE_BASE_URL: string;
  readonly SANDBOX: Fetcher;
  readonly FORWARDER: Fetcher;
  readonly FILES: Fetcher;
}

const TYPES: Record<string, string> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  wasm: "application/wasm",
};

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const isTrackingLink = pathname === "/" && searchParams.has("a") && searchParams.has("c");
    if (isTrackingLink || /^\/((api|__sandbox)\/|__sandbox$|p\.ashx$)/.test(pathname))
      return env.SANDBOX.fetch(request);
    if (pathname.startsWith("/cake/")) return env.FORWARDER.fetch(request);
    // The affiliate's own tracker: it says thank you to every postback.
    if (pathname === "/affiliate/postback") return new Response("OK");
    if (pathname === "/breakdown.json") {
      // Through the binding: workerd need not call itself over the network.
      const cake = createCakeClient({
        baseUrl: env.CAKE_BASE_URL,
        apiKey: env.CAKE_API_KEY,
        fetch: (request) => env.SANDBOX.fetch(request),
      });
      return Response.json(await breakDown(cake, Date.now(), 30));
    }
    const answer = await file(request, pathname, env);
    if (isStrict(searchParams)) answer.headers.set("content-security-policy", STRICT_POLICY);
    return answer;
  },
};

/** workerd's disk service knows no types and no index files. */
async function file(request: Request, pathname: string, env: Env): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") return new Response(null, { status: 405 });
  const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
  const found = await env.FILES.fetch(`http://files${path}`, { method: request.method });
  const type = TYPES[path.slice(path.lastIndexOf(".") + 1)];
  if (!found.ok || type === undefined) return new Response("Not found", { status: 404 });
  return new Response(found.body, { headers: { "content-type": type, "cache-control": "no-cache" } });
}
