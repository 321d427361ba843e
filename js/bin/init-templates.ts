/** The files that `npx cake-edge init` writes, each once. */

const COMPATIBILITY_DATE = "2026-10-01";

export const FORWARDER = `import { createForwarder } from "cake-edge/forwarder";

const list = (text = "") => text.split(/[\\s,]+/).filter((part) => part !== "");

/**
 * The forwarder's options, from the Worker's bindings.
 * @param {any} env
 */
export const options = (env) => ({
  outbox: env.OUTBOX,
  rateLimit: env.RATE_LIMIT,
  baseUrl: env.CAKE_BASE_URL,
  apiKey: env.CAKE_API_KEY,
  operatorSecret: env.CAKE_OPERATOR_SECRET,
  signingSecrets: list(env.CAKE_SIGNING_SECRETS),
  // The capture's one secret, or several, the newest first.
  cookieSecrets: list(env.CAKE_COOKIE_SECRETS || env.CAKE_COOKIE_SECRET),
  tokenSecrets: list(env.CAKE_TOKEN_SECRETS),
  ...(env.CAKE_TIME_ZONE ? { timeZone: env.CAKE_TIME_ZONE } : {}),
  origins: list(env.CAKE_ORIGINS),
});

const forwarder = createForwarder(options);
export const CakeOutbox = forwarder.Outbox;
export default { fetch: forwarder.fetch, scheduled: forwarder.scheduled };
`;

export const FORWARDER_DEV = `// The forwarder on this machine: what it delivers goes into a CAKE network of its own, in the same Worker.
import { createForwarder } from "cake-edge/forwarder";
import { sandbox } from "cake-edge/sandbox";
// Without an ending: it may become worker.ts.
import { options } from "./worker";

export { CakeNetwork } from "cake-edge/sandbox";

/** @param {any} env */
const inSandbox = (env) => ({
  ...options(env),
  baseUrl: "http://127.0.0.1",
  /** @param {Request} request */
  fetch: (request) => sandbox.fetch(request, env),
});

const forwarder = createForwarder(inSandbox);
export const CakeOutbox = forwarder.Outbox;
export default {
  /** @param {any} request @param {any} env */
  fetch: (request, env) =>
    new URL(request.url).pathname.startsWith("/cake/") ? forwarder.fetch(request, env) : sandbox.fetch(request, env),
  scheduled: forwarder.scheduled,
};
`;

/** `worker` is the name of the Worker's file, `exec` runs a package's program. */
export const forwarderConfig = (
  worker: string,
  exec: string,
) => `// Written by \`npx cake-edge init\`; documentation: node_modules/cake-edge/docs/forwarder.md
{
  "$schema": "../node_modules/wrangler/config-schema.json",
  "name": "cake-forwarder",
  "main": "${worker}",
  "compatibility_date": "${COMPATIBILITY_DATE}",
  // Traces record whole outbound URLs, and CAKE's hold the API key.
  "observability": { "enabled": true, "traces": { "enabled": false } },
  "durable_objects": { "bindings": [{ "name": "OUTBOX", "class_name": "CakeOutbox" }] },
  "migrations": [{ "tag": "v1", "new_sqlite_classes": ["CakeOutbox"] }],
  "triggers": { "crons": ["*/5 * * * *"] },
  // Requests a minute and address.
  "ratelimits": [{ "name": "RATE_LIMIT", "namespace_id": "1001", "simple": { "limit": 600, "period": 60 } }],
  // On the site's own zone, so that its pages reach /cake and the click's cookie comes with them:
  // "routes": [{ "pattern": "shop.example/cake/*", "zone_name": "shop.example" }],
  "vars": {
    // Your CAKE domain, such as https://yourdomain.cakemarketing.com.
    "CAKE_BASE_URL": "",
    // The account's, such as America/New_York. Without it CAKE dates a conversion when it arrives, and a retry moves it.
    "CAKE_TIME_ZONE": "",
    // Other origins whose pages report conversions; the Worker's own always may.
    "CAKE_ORIGINS": ""
  }
  // Secrets, each by \`${exec} wrangler secret put NAME --config forwarder/wrangler.jsonc\`: CAKE_API_KEY,
  // CAKE_OPERATOR_SECRET, CAKE_SIGNING_SECRETS, CAKE_COOKIE_SECRET, which the site's capture has too, and
  // CAKE_TOKEN_SECRETS for sandboxed frames. On this machine they are in .dev.vars.
}
`;

export const forwarderDevConfig = (
  worker: string,
) => `// Written by \`npx cake-edge init\`: the forwarder on this machine, beside a sandbox.
{
  "$schema": "../node_modules/wrangler/config-schema.json",
  "name": "cake-forwarder-dev",
  "main": "${worker}",
  "compatibility_date": "${COMPATIBILITY_DATE}",
  "durable_objects": {
    "bindings": [
      { "name": "OUTBOX", "class_name": "CakeOutbox" },
      { "name": "NETWORK", "class_name": "CakeNetwork" }
    ]
  },
  "migrations": [{ "tag": "v1", "new_sqlite_classes": ["CakeOutbox", "CakeNetwork"] }],
  "vars": { "CAKE_SANDBOX_LOOPBACK": "yes" }
}
`;

export const SITE = `import { withClickCapture } from "cake-edge";

// Your site: here the Worker serves its files. In front of a site elsewhere it is (request) => fetch(request).
/** @param {Request} request @param {any} env */
const site = (request, env) => env.ASSETS.fetch(request);

export default { fetch: withClickCapture(site, (env) => ({ secrets: [env.CAKE_COOKIE_SECRET] })) };
`;

export const PAGES_MIDDLEWARE = `import { pagesClickCapture } from "cake-edge";

/** Keeps the click id of a landing page's address in a signed cookie. Whatever goes wrong in it, the site answers. */
export const onRequest = pagesClickCapture((env) => ({ secrets: [env.CAKE_COOKIE_SECRET] }));
`;

/** The configuration of a site whose files are in `folder`. */
export const siteConfig = (
  folder: string,
  worker: string,
  exec: string,
) => `// Written by \`npx cake-edge init\`; documentation: node_modules/cake-edge/docs/capture.md
{
  "$schema": "../node_modules/wrangler/config-schema.json",
  "name": "cake-site",
  "main": "${worker}",
  "compatibility_date": "${COMPATIBILITY_DATE}",
  "assets": { "directory": "../${folder}", "binding": "ASSETS", "run_worker_first": true }
  // The secret, by \`${exec} wrangler secret put CAKE_COOKIE_SECRET --config site/wrangler.jsonc\`; here it is in .dev.vars.
}
`;

/** The endings of files that are no pages. */
const ASSETS =
  "css|js|mjs|map|json|txt|xml|ico|png|jpe?g|gif|svg|webp|avif|woff2?|ttf|otf|mp4|webm|mp3|pdf|wasm|webmanifest";

/** `name` is the file's: Next calls no `proxy` in a `middleware`. */
export const nextProxy = (name: "proxy" | "middleware") => `import { withClickCapture } from "cake-edge";
import { NextResponse } from "next/server";

/** Keeps the click id of a landing page's address in a signed cookie. Whatever goes wrong in it, the site answers. */
export const ${name} = withClickCapture(
  () => NextResponse.next(),
  () => ({ secrets: [process.env.CAKE_COOKIE_SECRET ?? ""] }),
);

// Every page; none of the files, by their endings: a page's address may have a dot.
export const config = { matcher: "/((?!_next/|api/|cake/|.*\\\\.(?:${ASSETS})$).*)" };
`;

/** SvelteKit 3 has its type of a hook elsewhere than 2. */
export const SVELTE_HOOKS = `import { withClickCapture } from "cake-edge";

/** @type {any} */
const { process } = globalThis;

// Vite reads .env for the page alone.
try {
  process?.loadEnvFile?.();
} catch {
  // Where the site runs, the secret is a variable of its own.
}

/**
 * Keeps the click id of a landing page's address in a signed cookie. Whatever goes wrong in it, the site answers.
 * @param {{ event: import("@sveltejs/kit").RequestEvent, resolve: (event: any) => Response | Promise<Response> }} visit
 */
export function handle({ event, resolve }) {
  /** @type {any} */
  const platform = event.platform;
  const env = { ...process?.env, ...platform?.env };
  const answer = withClickCapture(
    () => resolve(event),
    () => ({ secrets: [env.CAKE_COOKIE_SECRET] }),
  );
  return answer(event.request, env);
}
`;

export const PAGE = `import { createTracker } from "cake-edge/page";

/** Keeps the click id of this page's address. Where an order is complete: tracker.convert({ offerId, orderId }). */
export const tracker = createTracker({ endpoint: "/cake" });
`;

const nextPage = (tracker: string) => `"use client";
import { createTracker } from "cake-edge/page";
import { useEffect } from "react";

${tracker}

/** The page's one tracker. Where an order is complete: getTracker().convert({ offerId, orderId }). */
export function getTracker() {
  tracker ??= createTracker({ endpoint: "/cake" });
  return tracker;
}

/** Keeps the click id of the landing page's address: render it in the layout. */
export function CakeEdge() {
  useEffect(() => {
    getTracker();
  }, []);
  return null;
}
`;

export const NEXT_PAGE = {
  jsx: nextPage("let tracker;"),
  tsx: nextPage("let tracker: ReturnType<typeof createTracker> | undefined;"),
};

export const WELCOME = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Your site</title>
  </head>
  <body>
    <p>Welcome</p>
  </body>
</html>
`;

export const TAG = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Landing page</title>
    <!-- cake-edge keeps the click id. In /js/ are the files of node_modules/cake-edge/dist/page/. -->
    <script async src="/js/cake-edge.js" data-endpoint="/cake"></script>
  </head>
  <body>
    <p>Welcome</p>
  </body>
</html>
`;

export const SANDBOX_TEST = `import assert from "node:assert/strict";
import { test } from "node:test";
import { createCakeClient, findClick } from "cake-edge";
import { createSandbox } from "cake-edge/sandbox/memory";

test("a click becomes a conversion", async () => {
  const sandbox = createSandbox();
  const cake = createCakeClient({ baseUrl: "http://127.0.0.1", apiKey: "sandbox-key", fetch: sandbox.fetch });
  const redirect = await sandbox.fetch(new Request("http://127.0.0.1/?a=67890&c=12"));
  const clickId = findClick(redirect.headers.get("location") ?? "")?.clickId ?? "";
  await cake.recordConversion({ clickId, offerId: 12345, uniqueId: "ORD-1" });
  assert.equal((await cake.getClick(clickId))?.converted, true);
});
`;
