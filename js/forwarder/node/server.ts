/** The HTTP server of a forwarder: converts Node's requests and answers, and reads the headers of proxies. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CakeError, isCakeError } from "../../error.js";
import { isLoopback } from "../../host.js";
import { checkNames, checkNoMore, integerOption, refuse, stringOption } from "../../option.js";
import { failure } from "../answer.js";
import { ADDRESS_HEADER } from "../network.js";
import { OPTION_NAMES } from "../options.js";
import { Connections } from "./connections.js";
import { NODE_NAMES, type NodeForwarder, type NodeOptions, openForwarder } from "./forwarder.js";

/** The options of a forwarder and its server. */
export interface ServerOptions extends NodeOptions {
  /** The address to listen on. @default "127.0.0.1" */
  readonly host?: string | undefined;
  /** The port; 0 takes a free one. @default 8788 */
  readonly port?: number | undefined;
  /**
   * The number of proxies in front. Each appends the address of its peer to `X-Forwarded-For`, and the outermost sets
   * `X-Forwarded-Proto`. Neither header is read with 0.
   * @default 1 where `host` is a loopback address, which only a proxy on this machine reaches; else 0
   */
  readonly proxies?: number | undefined;
}

/** A running server. */
export interface ForwarderServer {
  /** Such as `http://127.0.0.1:8788`. */
  readonly origin: string;
  /**
   * Resolves when the server has ended: with `undefined` after {@link stop}, with `outbox_failed` when the disk has
   * failed, or held what an attempt brought. End the process then.
   */
  readonly ended: Promise<CakeError | undefined>;
  /** Stops listening, and resolves when all requests and attempts under way have ended; {@link ended} says whether they are stored. */
  stop(): Promise<void>;
}

/** The most bytes of a body that is read as a whole before the request is handed on: one conversion. */
const MAX_SMALL_BYTES = 8_192;

/** The time that a caller has to send a whole request. */
const REQUEST_MS = 30_000;

/** Longer than proxies keep an idle connection; otherwise the server may close it just as its next request comes. */
const KEEP_ALIVE_MS = 75_000;

/** The time that callers have at a stop to send the rest of a request. */
const REST_MS = 1_000;

/** The time that answers have to leave, at a stop or after the disk has failed. */
const FAREWELL_MS = 2_000;

/**
 * Opens a forwarder and serves it over HTTP, for a proxy in front that speaks TLS.
 *
 * @throws CakeError the codes of `openForwarder`; `invalid_field` where it cannot listen
 * @example
 * const server = await serveForwarder({ folder: "/var/lib/cake-edge", port: 8788, baseUrl, apiKey, operatorSecret });
 * process.on("SIGTERM", () => void server.stop());
 * process.exit((await server.ended) === undefined ? 0 : 1);
 */
export async function serveForwarder(options: ServerOptions): Promise<ForwarderServer>;
export async function serveForwarder(options: ServerOptions, ...more: unknown[]): Promise<ForwarderServer> {
  checkNoMore("serveForwarder", 1, more);
  if (typeof options !== "object" || options === null) refuse("options", "must be an object");
  checkNames("options", options, [...OPTION_NAMES, ...NODE_NAMES, "host", "port", "proxies"]);
  const { host: givenHost, port: givenPort, proxies: givenProxies, ...rest } = options;
  // An IPv6 address may have the brackets of a URL.
  const host = (stringOption("host", givenHost) || "127.0.0.1").replace(/^\[(.*)\]$/, "$1");
  const proxies = integerOption("proxies", givenProxies, 0, 10) ?? (isLoopback(host) ? 1 : 0);
  const wishedPort = integerOption("port", givenPort, 0, 65_535) ?? 8_788;
  const forwarder = openForwarder(rest);
  const server = createServer({ requestTimeout: REQUEST_MS, keepAliveTimeout: KEEP_ALIVE_MS });
  const connections = new Connections(server);
  let isStopping = false;
  server.on("request", (incoming, outgoing) => {
    void respond(incoming, outgoing, forwarder, proxies, () => isStopping);
  });
  try {
    await listen(server, wishedPort, host);
  } catch (thrown) {
    await forwarder.close();
    throw thrown;
  }
  const { port } = server.address() as AddressInfo;
  /** Accepts no new connection. Idle connections end now, and the others with their answer. */
  const hush = () => {
    isStopping = true;
    server.keepAliveTimeout = 1;
    const isQuiet = new Promise<void>((resolve) => server.close(() => resolve()));
    connections.endUnused();
    return isQuiet;
  };
  let stopped: Promise<CakeError | undefined> | undefined;
  const stop = () => {
    stopped ??= (async () => {
      const isQuiet = hush();
      const patience = setTimeout(() => connections.endIncomplete(), REST_MS);
      let failure: CakeError | undefined;
      await forwarder.close().catch((thrown) => {
        failure = thrown as CakeError;
      });
      server.closeIdleConnections();
      const farewell = setTimeout(() => server.closeAllConnections(), FAREWELL_MS);
      await isQuiet;
      clearTimeout(patience);
      clearTimeout(farewell);
      return failure;
    })();
    return stopped;
  };
  let end: (error: CakeError | undefined) => void;
  const ended = new Promise<CakeError | undefined>((resolve) => {
    end = resolve;
  });
  void forwarder.failed.then(async (error) => {
    const farewell = setTimeout(() => server.closeAllConnections(), FAREWELL_MS);
    await hush();
    clearTimeout(farewell);
    end(error);
  });
  return {
    origin: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    ended,
    async stop() {
      end(await stop());
    },
  };
}

async function respond(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  forwarder: NodeForwarder,
  proxies: number,
  isStopping: () => boolean,
): Promise<void> {
  let answer: Response;
  try {
    const address = addressOf(incoming, proxies);
    answer = await forwarder.fetch(await requestOf(incoming, proxies, address), address);
  } catch (thrown) {
    answer = failure(thrown);
  }
  try {
    await write(answer, incoming, outgoing, isStopping());
  } catch {
    // The caller is gone.
    outgoing.destroy();
  }
}

/** The request with the URL that the caller used. @throws CakeError `invalid_field` where it cannot be made */
async function requestOf(incoming: IncomingMessage, proxies: number, address: string): Promise<Request> {
  const { method = "GET", url: target = "/", headers: given } = incoming;
  const said = proxies > 0 ? nthLast(given["x-forwarded-proto"], proxies)?.toLowerCase() : undefined;
  const origin = `${said === "https" ? "https" : "http"}://${given.host ?? "localhost"}`;
  // A request's target may be a whole URL; `//evil.example` is a path.
  const url = target.startsWith("/") ? origin + target : target;
  const headers: [string, string][] = [[ADDRESS_HEADER, address]];
  for (const [name, value] of Object.entries(given)) {
    if (name === ADDRESS_HEADER) continue;
    for (const each of Array.isArray(value) ? value : [value ?? ""]) headers.push([name, each]);
  }
  const hasBody = method !== "GET" && method !== "HEAD";
  const isSmall = Number(given["content-length"] ?? Number.NaN) <= MAX_SMALL_BYTES;
  const body = hasBody ? { body: isSmall ? await bytesOf(incoming) : streamOf(incoming), duplex: "half" } : {};
  try {
    return new Request(url, { method, headers, ...body } as RequestInit);
  } catch {
    // The platform takes no TRACE, and no URL with a password.
    throw new CakeError({
      code: "invalid_field",
      parameter: "request",
      rule: "must have a URL and a method of HTTP's",
    });
  }
}

/** The caller's address: the peer of the outermost proxy, or of the connection. */
function addressOf(incoming: IncomingMessage, proxies: number): string {
  const said = proxies > 0 ? nthLast(incoming.headers["x-forwarded-for"], proxies) : undefined;
  // Some proxies append the port.
  const address = said?.replace(/^\[(.*)\](:\d+)?$/, "$1").replace(/^([\d.]+):\d+$/, "$1");
  return address || (incoming.socket.remoteAddress ?? "");
}

/** The entry of the n-th proxy from here, in a list to which each proxy appends. */
function nthLast(list: string | string[] | undefined, n: number): string | undefined {
  if (list === undefined) return undefined;
  const parts = [list].flat().join().split(",");
  return parts[Math.max(0, parts.length - n)]?.trim();
}

/** The whole body, by its events: an iterator over a stream costs several promises. */
function bytesOf(incoming: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = [];
    incoming.on("data", (part: Uint8Array) => parts.push(part));
    incoming.once("end", () => resolve(new Uint8Array(Buffer.concat(parts))));
    incoming.once("error", reject);
    // A caller that hangs up in the middle is not always an error. After the end, this changes nothing.
    incoming.once("close", () => reject(new Error("the request ended before its body")));
  });
}

/** The body as a stream. A reader that cancels it does not end the connection, so that the caller gets its answer. */
function streamOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      incoming.on("data", (part: Uint8Array) => {
        controller.enqueue(new Uint8Array(part));
        if ((controller.desiredSize ?? 0) <= 0) incoming.pause();
      });
      incoming.once("end", () => controller.close());
      incoming.once("error", (error) => controller.error(error));
    },
    pull: () => void incoming.resume(),
    cancel() {
      incoming.removeAllListeners("data").removeAllListeners("end").removeAllListeners("error");
      incoming.on("error", () => undefined).resume();
    },
  });
}

async function write(
  answer: Response,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  isLast: boolean,
): Promise<void> {
  for (const [name, value] of answer.headers) {
    if (name !== "set-cookie") outgoing.setHeader(name, value);
  }
  const cookies = answer.headers.getSetCookie();
  if (cookies.length > 0) outgoing.setHeader("set-cookie", cookies);
  // The rest of a refused body is not read.
  if (isLast || !incoming.complete) outgoing.setHeader("connection", "close");
  outgoing.statusCode = answer.status;
  if (answer.body === null) {
    outgoing.end();
  } else if (answer.headers.get("content-type")?.startsWith("text/csv") === true) {
    // An export of a day's outage does not fit into memory.
    await pipeline(Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]), outgoing);
  } else {
    const bytes = new Uint8Array(await answer.arrayBuffer());
    outgoing.setHeader("content-length", bytes.byteLength);
    outgoing.end(bytes);
  }
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } catch (thrown) {
    if (isCakeError(thrown)) throw thrown;
    const { code = "" } = thrown as NodeJS.ErrnoException;
    const [parameter, rule] = ["EADDRINUSE", "EACCES"].includes(code)
      ? ["port", `${port} cannot be listened on (${code}): choose another, or stop what listens there`]
      : ["host", `${host} is not an address of this machine (${code})`];
    throw new CakeError({ code: "invalid_field", parameter, rule }, { cause: thrown });
  }
}
