/**
 * The service worker of the static build. It answers as the sandbox and as the forwarder, so that the demo runs on any
 * static host. A browser stops an idle worker after half a minute: `rows.ts` keeps its data.
 */
import { type CakeClient, createCakeClient } from "cake-edge";
import { createForwarderInProcess, type InProcessForwarder, type StoreSnapshot } from "cake-edge/forwarder/memory";
import { createSandbox, type Sandbox, type StoreSnapshot as SandboxSnapshot } from "cake-edge/sandbox/memory";
import { answererOf, DAYS, isStrict, STRICT_POLICY } from "../front.js";
import { readPast } from "../past.js";
import { isPlanted, reconcile, writeOrders } from "../week.js";
import { openShelf } from "./rows.js";

declare const self: ServiceWorkerGlobalScope;

/** The origin that the sandbox sees. */
const SANDBOX = "http://127.0.0.1";

/** Nobody else can send a request: the key protects nothing. */
const KEY = "static-demo-key";

const CLICKS = 8_000;

/** The delay between the last change and the write to disk. */
const SAVE_MS = 400;

const home = new URL("./", self.location.href);

const shelf = openShelf<SandboxSnapshot>("sandbox", Date.now());
const sandbox = openSandbox();
const forwarder = openForwarder();
const cake: Promise<CakeClient> = sandbox.then(({ fetch }) =>
  createCakeClient({ baseUrl: SANDBOX, apiKey: KEY, fetch }),
);

self.addEventListener("install", () => void self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
// A page asks for control after a reload that bypasses the worker.
self.addEventListener("message", ({ data }) => {
  if (data === "claim") void self.clients.claim();
});
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== home.origin) return;
  // Pages send requests to the demo's folder; a tracker sends them to /cake, in any folder.
  const pathname = url.pathname.startsWith(home.pathname) ? url.pathname.slice(home.pathname.length - 1) : url.pathname;
  switch (answererOf(pathname, url.searchParams)) {
    case "sandbox":
      event.respondWith(asSandbox(event, pathname + url.search));
      break;
    case "forwarder":
      event.respondWith(asForwarder(event));
      break;
    case "breakdown":
      event.respondWith(cake.then((client) => readPast(client, Date.now(), DAYS)).then((sums) => Response.json(sums)));
      break;
    case "orders":
      event.respondWith(
        cake
          .then((client) => writeOrders(client, Date.now(), isPlanted(url.searchParams)))
          .then((orders) => new Response(orders)),
      );
      break;
    case "reconcile":
      event.respondWith(
        Promise.all([cake, event.request.text()])
          .then(([client, orders]) => reconcile(client, Date.now(), orders))
          .then((comparison) => Response.json(comparison)),
      );
      break;
    case "affiliate":
      event.respondWith(new Response("OK"));
      break;
    case "files":
      if (isStrict(url.searchParams)) event.respondWith(strictly(event.request));
  }
});

async function openSandbox(): Promise<Sandbox> {
  const { rows, save } = await shelf;
  const opened = createSandbox({ apiKey: KEY, fetch: async () => new Response("OK"), kept: rows });
  if (rows === undefined) {
    const past = JSON.stringify({ days: DAYS, clicks: CLICKS });
    await (await opened.fetch(new Request(`${SANDBOX}/__sandbox/history`, { method: "POST", body: past }))).text();
    await save(opened.snapshot());
  }
  return opened;
}

async function openForwarder(): Promise<InProcessForwarder> {
  const network = await sandbox;
  const { rows, save } = await openShelf<StoreSnapshot>("forwarder", Date.now());
  return createForwarderInProcess({
    baseUrl: SANDBOX,
    apiKey: KEY,
    fetch: async (request) => {
      const answer = await network.fetch(request);
      void saveSoon();
      return answer;
    },
    operatorSecret: crypto.randomUUID(),
    kept: rows,
    keep: save,
    log: () => undefined,
    // Fast, so that a person can watch the retries.
    clockSpeed: 10,
  });
}

async function asForwarder(event: FetchEvent): Promise<Response> {
  const { method, url } = event.request;
  const body = method === "POST" ? await event.request.text() : null;
  const request = new Request(url, { method, body });
  // A worker does not receive the origin of the requesting page; it can only be this origin.
  const headers = new Headers({ origin: home.origin, "content-type": "text/plain" });
  Object.defineProperties(request, {
    headers: { value: headers },
    // Some browsers do not have a request's body as a stream.
    body: { value: body === null ? null : new Response(body).body },
  });
  const opened = await forwarder;
  const answer = await opened.fetch(request);
  event.waitUntil(opened.settle());
  return answer;
}

async function asSandbox(event: FetchEvent, path: string): Promise<Response> {
  const { method } = event.request;
  const body = method === "GET" || method === "HEAD" ? null : await event.request.text();
  const answer = await (await sandbox).fetch(new Request(SANDBOX + path, { method, body }));
  if (!path.startsWith("/__sandbox/state")) event.waitUntil(saveSoon());
  const location = answer.headers.get("location");
  // The sandbox redirects to its own pages; they are in the demo's folder.
  return location === null
    ? answer
    : Response.redirect(new URL(`.${location.replace(SANDBOX, "")}`, home).href, answer.status);
}

let saving: Promise<void> | undefined;

/** Writes the rows after a short delay. */
function saveSoon(): Promise<void> {
  saving ??= new Promise((resolve) => setTimeout(resolve, SAVE_MS)).then(async () => {
    saving = undefined;
    await (await shelf).save((await sandbox).snapshot());
  });
  return saving;
}

async function strictly(request: Request): Promise<Response> {
  const page = await fetch(request);
  const headers = new Headers(page.headers);
  headers.set("content-security-policy", STRICT_POLICY);
  return new Response(page.body, { status: page.status, headers });
}
