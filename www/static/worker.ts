/**
 * The service worker of the static build: answers as the sandbox and as the
 * forwarder, so that the demo runs on any static host. Rows outlive it in
 * IndexedDB: a browser ends an idle worker after half a minute.
 */
import { type CakeClient, createCakeClient } from "cake-edge";
import { createSandbox, type LedgerSnapshot, type Sandbox } from "cake-edge/sandbox/memory";
import { get, set } from "idb-keyval";
import { breakDown } from "../breakdown.js";
import { answererOf, DAYS, isStrict, STRICT_POLICY } from "../front.js";

declare const self: ServiceWorkerGlobalScope;

/** Where the sandbox believes itself to be. */
const SANDBOX = "http://127.0.0.1";

/** Nobody else can ask: the key keeps nothing. */
const KEY = "static-demo-key";

const CLICKS = 8_000;

/** Rows are written to disk so long after the last change. */
const SAVE_MS = 400;

const home = new URL("./", self.location.href);

const sandbox = openSandbox();
const cake: Promise<CakeClient> = sandbox.then(({ fetch }) =>
  createCakeClient({ baseUrl: SANDBOX, apiKey: KEY, fetch }),
);

self.addEventListener("install", () => void self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
// A page that was reloaded past the worker asks for it.
self.addEventListener("message", ({ data }) => {
  if (data === "claim") void self.clients.claim();
});
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== home.origin) return;
  // Pages ask from the demo's folder; a tracker asks for /cake, wherever it is.
  const pathname = url.pathname.startsWith(home.pathname) ? url.pathname.slice(home.pathname.length - 1) : url.pathname;
  switch (answererOf(pathname, url.searchParams)) {
    case "sandbox":
      event.respondWith(asSandbox(event, pathname + url.search));
      break;
    case "forwarder":
      event.respondWith(Promise.resolve(new Response(null, { status: 503 })));
      break;
    case "breakdown":
      event.respondWith(cake.then((client) => breakDown(client, Date.now(), DAYS)).then((sums) => Response.json(sums)));
      break;
    case "affiliate":
      event.respondWith(new Response("OK"));
      break;
    case "files":
      if (isStrict(url.searchParams)) event.respondWith(strictly(event.request));
  }
});

async function openSandbox(): Promise<Sandbox> {
  const snapshot = await get<LedgerSnapshot>("sandbox");
  const opened = createSandbox({
    apiKey: KEY,
    fetch: async () => new Response("OK"),
    ...(snapshot === undefined ? {} : { snapshot }),
  });
  if (snapshot === undefined) {
    const past = JSON.stringify({ days: DAYS, clicks: CLICKS });
    await (await opened.fetch(new Request(`${SANDBOX}/__sandbox/history`, { method: "POST", body: past }))).text();
    await set("sandbox", opened.snapshot());
  }
  return opened;
}

async function asSandbox(event: FetchEvent, path: string): Promise<Response> {
  const { method } = event.request;
  const body = method === "GET" || method === "HEAD" ? null : await event.request.text();
  const answer = await (await sandbox).fetch(new Request(SANDBOX + path, { method, body }));
  if (!path.startsWith("/__sandbox/state")) save(event);
  const location = answer.headers.get("location");
  // The sandbox names its own pages; they are in the demo's folder.
  return location === null
    ? answer
    : Response.redirect(new URL(`.${location.replace(SANDBOX, "")}`, home).href, answer.status);
}

let saving: Promise<void> | undefined;

/** Writes the rows soon; the event is not over before that. */
function save(event: FetchEvent): void {
  saving ??= new Promise((resolve) => setTimeout(resolve, SAVE_MS)).then(async () => {
    saving = undefined;
    await set("sandbox", (await sandbox).snapshot());
  });
  event.waitUntil(saving);
}

async function strictly(request: Request): Promise<Response> {
  const page = await fetch(request);
  const headers = new Headers(page.headers);
  headers.set("content-security-policy", STRICT_POLICY);
  return new Response(page.body, { status: page.status, headers });
}
