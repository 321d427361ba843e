/**
 * The demo's Worker, the only entry of `npm start`. It routes requests to the sandbox, the forwarder, the affiliate,
 * the history's reader or the page's files.
 */
import { type CakeClient, createCakeClient } from "cake-edge";
import { answererOf, DAYS, isStrict, STRICT_POLICY } from "./front.js";
import { readPast } from "./past.js";
import { isPlanted, reconcile, writeOrders } from "./week.js";

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
    switch (answererOf(pathname, searchParams)) {
      case "sandbox":
        return env.SANDBOX.fetch(request);
      case "forwarder":
        return env.FORWARDER.fetch(request);
      case "affiliate":
        return new Response("OK");
      case "breakdown":
        return Response.json(await readPast(clientOf(env), Date.now(), DAYS));
      case "orders":
        return new Response(await writeOrders(clientOf(env), Date.now(), isPlanted(searchParams)));
      case "reconcile":
        return Response.json(await reconcile(clientOf(env), Date.now(), await request.text()));
      case "files": {
        const answer = await file(request, pathname, env);
        if (isStrict(searchParams)) answer.headers.set("content-security-policy", STRICT_POLICY);
        return answer;
      }
    }
  },
};

function clientOf({ CAKE_BASE_URL: baseUrl, CAKE_API_KEY: apiKey, SANDBOX }: Env): CakeClient {
  // Through the binding, so that the Worker need not call itself over the network.
  return createCakeClient({ baseUrl, apiKey, fetch: (request) => SANDBOX.fetch(request) });
}

/** Serves a file. workerd's disk service has no media types and no index files. */
async function file(request: Request, pathname: string, env: Env): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") return new Response(null, { status: 405 });
  const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
  const found = await env.FILES.fetch(`http://files${path}`, { method: request.method });
  const type = TYPES[path.slice(path.lastIndexOf(".") + 1)];
  if (!found.ok || type === undefined) return new Response("Not found", { status: 404 });
  return new Response(found.body, { headers: { "content-type": type, "cache-control": "no-cache" } });
}
