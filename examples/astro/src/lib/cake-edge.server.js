/** The server's part of cake-edge: the click of a landing goes into a signed cookie, and conversions are delivered. */
import { withClickCapture } from "cake-edge";
import { openForwarder } from "cake-edge/forwarder/node";

const { env } = process;

/** The request by the site's public address: behind a proxy the server sees another one. */
function publicly(request, body) {
  const { pathname, search } = new URL(request.url);
  const { method, headers } = request;
  return new Request(new URL(pathname + search, env.SITE_ORIGIN), { method, headers, body, duplex: "half" });
}

/** Answers by `next`, and keeps the click id of the address in a signed cookie. */
export function keepClick(request, next) {
  return withClickCapture(() => next(), { secrets: [env.CAKE_COOKIE_SECRET] })(publicly(request));
}

/** Answers what is below `/cake/`. */
export async function answerCake(request) {
  const asked = publicly(request, request.body);
  // A host without a disk of its own: the forwarder is a Worker elsewhere.
  if (env.CAKE_EDGE_ENDPOINT) return passOn(asked, env.CAKE_EDGE_ENDPOINT);
  // One for the process: hot reload loads this file again.
  globalThis.cakeForwarder ??= openForwarder({
    folder: env.CAKE_OUTBOX ?? "outbox",
    baseUrl: env.CAKE_BASE_URL,
    apiKey: env.CAKE_API_KEY,
    operatorSecret: env.CAKE_OPERATOR_SECRET,
    cookieSecrets: [env.CAKE_COOKIE_SECRET],
  });
  return globalThis.cakeForwarder.fetch(asked);
}

/** The cookie travels with the request; the forwarder has this site among its `origins`. */
async function passOn(request, endpoint) {
  const { pathname, search } = new URL(request.url);
  const headers = new Headers();
  for (const name of ["content-type", "cookie", "origin"]) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const { method, body } = request;
  return fetch(endpoint + pathname.replace(/^\/cake/, "") + search, { method, headers, body, duplex: "half" });
}
