/**
 * Sends the requests to CAKE by Node's own HTTP client. A `fetch` of Node's takes four times its CPU: streams, header
 * lists and signals for each request.
 */
import { Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps, Agent as TlsAgent } from "node:https";
import { pipeline, Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { Answered, Send } from "../attempts.js";

/** Shorter than servers keep an idle connection; otherwise a server may close it just as a request leaves. */
const IDLE_MS = 4_000;

/** The platform's `fetch` sends these too. No answer may come from a cache, and each is short: none need be packed. */
const HEADERS = {
  accept: "*/*",
  "accept-encoding": "identity",
  "cache-control": "no-cache",
  pragma: "no-cache",
  "user-agent": "node",
};

const UNPACK = { gzip: createGunzip, "x-gzip": createGunzip, deflate: createInflate, br: createBrotliDecompress };

/** A sender with connections of its own. Redirects are not followed: their target would see the key. */
export function createSender(): Send {
  const settings = { keepAlive: true, timeout: IDLE_MS, ...(usesProxy() ? { proxyEnv: process.env } : {}) };
  const agents = { "http:": new Agent(settings), "https:": new TlsAgent(settings) };
  const underWay = new WeakMap<AbortSignal, Set<ClientRequest>>();
  /** One listener for all requests of a signal. */
  const requestsOf = (signal: AbortSignal) => {
    let requests = underWay.get(signal);
    if (requests === undefined) {
      const made = new Set<ClientRequest>();
      requests = made;
      underWay.set(signal, made);
      signal.addEventListener("abort", () => {
        for (const each of made) each.destroy(new Error("the request took too long"));
      });
    }
    return requests;
  };
  return (url, signal, limit) =>
    new Promise((resolve, reject) => {
      const isTls = url.startsWith("https:");
      const agent = agents[isTls ? "https:" : "http:"];
      const sent = (isTls ? requestHttps : requestHttp)({ ...placeOf(url), agent, headers: HEADERS });
      const requests = requestsOf(signal);
      requests.add(sent);
      let isAnswered = false;
      /** 101 is no answer, and nothing else can come over that connection. */
      const switched = () => sent.destroy(new Error("the answer is 101 Switching Protocols"));
      sent.once("error", reject);
      sent.once("response", (incoming) => {
        if (incoming.statusCode === 101) return void switched();
        isAnswered = true;
        return answer(incoming, limit, resolve, reject);
      });
      // Without a listener, Node closes the connection and tells nobody.
      sent.once("upgrade", (_, socket) => {
        socket.destroy();
        switched();
      });
      sent.once("close", () => {
        requests.delete(sent);
        // Whatever else Node makes of an answer, a request that is over without one has failed.
        if (!isAnswered) reject(new Error("the connection closed without an answer"));
      });
      sent.end();
    });
}

/** Does Node's `fetch` use a proxy that the environment names? */
function usesProxy(): boolean {
  return process.env["NODE_USE_ENV_PROXY"] === "1" || process.execArgv.includes("--use-env-proxy");
}

const places = new Map<string, { readonly hostname: string; readonly port: string }>();

/** Where a URL leads. All URLs of a forwarder have the same few origins. */
function placeOf(url: string) {
  const end = url.indexOf("/", url.indexOf("//") + 2);
  const origin = url.slice(0, end);
  let place = places.get(origin);
  if (place === undefined) {
    const { hostname, port } = new URL(origin);
    // An IPv6 address has the brackets of a URL.
    place = { hostname: hostname.replace(/^\[(.*)\]$/, "$1"), port };
    places.set(origin, place);
  }
  return { ...place, path: url.slice(end) };
}

/** Reads an answer of known, short length as a whole, and hands on any other. */
function answer(
  incoming: IncomingMessage,
  limit: number,
  resolve: (answered: Answered) => void,
  reject: (thrown: unknown) => void,
): void {
  const { statusCode: status = 0, headers } = incoming;
  const encoding = headers["content-encoding"];
  const isPlain = encoding === undefined && headers["retry-after"] === undefined;
  if (status === 200 && isPlain && Number(headers["content-length"] ?? Number.NaN) <= limit) {
    const parts: Uint8Array[] = [];
    incoming.on("data", (part: Uint8Array) => parts.push(part));
    incoming.once("end", () => resolve({ status, body: Buffer.concat(parts) }));
    incoming.once("error", reject);
    return;
  }
  const unpack = UNPACK[encoding?.trim().toLowerCase() as keyof typeof UNPACK];
  // A failure of either stream is one of the last stream, which is read.
  const body = unpack === undefined ? incoming : pipeline(incoming, unpack(), () => undefined);
  resolve({
    response: {
      status,
      headers: { get: (name: string) => [headers[name.toLowerCase()] ?? null].flat().join(", ") || null },
      body: Readable.toWeb(body),
    },
  });
}
