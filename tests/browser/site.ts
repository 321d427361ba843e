/** A site for a test: pages, the package's files, and a forwarder in memory that keeps the contract. */
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const FILES = fileURLToPath(new URL("../../dist/page/", import.meta.url));

/** The parts of a page. */
export interface SitePage {
  readonly html: string;
  readonly headers?: Record<string, string>;
}

/** A conversion as the forwarder received it. */
export interface Received {
  readonly offerId: number;
  readonly uniqueId: string;
  readonly clickId?: string;
  readonly orderId?: string;
  readonly [field: string]: unknown;
}

/** A fault of the forwarder. */
export interface Trouble {
  /** Answer with this instead; a text is sent unchanged, any other value as JSON. */
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Send the head of the answer, but never its end. */
  readonly endless?: boolean;
  /** Close the connection instead of an answer. */
  readonly reset?: boolean;
  /** Accept the request, but never answer. */
  readonly silent?: boolean;
  /** Answer after this delay, in milliseconds. */
  readonly lateMs?: number;
}

export class Site {
  /** By path. */
  readonly pages = new Map<string, SitePage>();
  /** Every received conversion, repetitions included. */
  readonly received: Received[] = [];
  /** The recorded conversions: one for each offer and unique id. */
  readonly recorded = new Map<string, Received>();
  /** The method, path and type of each request. */
  readonly requests: { method: string; path: string; type: string | undefined }[] = [];
  /** The fault of every conversion, or of the one with this number, from 0 on. */
  trouble: Trouble | ((number: number, fields: Received) => Trouble | undefined) | undefined;
  /** Files of the package that this site lacks, answers with its home page, or never answers. */
  readonly fileTrouble = new Map<string, "missing" | "home page" | "silent">();
  /** May pages of other sites read the package's files? */
  isOpen = false;
  /** The number of received conversions, whatever their outcome. */
  attempts = 0;
  port = 0;
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  /** Starts on a free port of 127.0.0.1. */
  static async start(): Promise<Site> {
    const site = new Site();
    await new Promise<void>((resolve) => site.#server.listen(0, "127.0.0.1", resolve));
    site.port = (site.#server.address() as AddressInfo).port;
    return site;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Adds a page that defines the globals `tracker` and `errors` from the module. */
  addTrackerPage(path: string, options = "{}", rest: { before?: string; headers?: Record<string, string> } = {}): void {
    const script = `import { createTracker } from "/page/page.js";
      window.errors = [];
      window.tracker = createTracker({ debug: true, onError: (error) => errors.push(error), ...${options} });`;
    this.pages.set(path, {
      html: `<!doctype html><title>${path}</title><body>${rest.before ?? ""}<script type="module">${script}</script>`,
      ...(rest.headers === undefined ? {} : { headers: rest.headers }),
    });
  }

  /** Adds a page that defines the globals `pageModule` and `linkModule`, the exports of the two modules. */
  addModulesPage(path: string): void {
    const script = `import * as pageModule from "/page/page.js";
      import * as linkModule from "/page/link.js";
      Object.assign(window, { pageModule, linkModule, tracker: undefined });`;
    this.pages.set(path, { html: `<!doctype html><title>${path}</title><script type="module">${script}</script>` });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", "http://site");
    const method = request.method ?? "";
    this.requests.push({ method, path: pathname, type: request.headers["content-type"] });
    const page = this.pages.get(pathname);
    if (page !== undefined) {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...page.headers }).end(page.html);
    } else if (/^\/(page|assets)\//.test(pathname)) {
      this.#file(pathname.slice(pathname.lastIndexOf("/") + 1), response);
    } else if (pathname === "/cake/conversions" && method === "POST") {
      await this.#convert(request, response);
    } else if (pathname === "/cake/conversions") {
      const error = { code: "method_not_allowed", rule: "only POST converts", retryable: false };
      response.writeHead(405, { "content-type": "application/json" }).end(JSON.stringify({ error }));
    } else {
      response.writeHead(404).end();
    }
  }

  #file(name: string, response: ServerResponse): void {
    const trouble = this.fileTrouble.get(name);
    if (trouble === "silent") return;
    if (trouble === "home page") {
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><h1>Home</h1>");
    } else if (trouble === "missing") {
      response.writeHead(404, { "content-type": "text/html" }).end("<h1>Not found</h1>");
    } else {
      const cors = this.isOpen ? { "access-control-allow-origin": "*" } : {};
      response.writeHead(200, { "content-type": "text/javascript", ...cors }).end(readFileSync(FILES + name));
    }
  }

  async #convert(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += chunk;
    const fields = JSON.parse(body) as Received;
    const number = this.attempts++;
    const trouble = typeof this.trouble === "function" ? this.trouble(number, fields) : this.trouble;
    const json = (status: number, value: unknown, headers = {}) =>
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
    if (trouble?.reset) return void response.destroy();
    if (trouble?.endless) return void response.writeHead(202, { "content-type": "application/json" }).write("{");
    if (trouble?.status !== undefined && typeof trouble.body === "string") {
      return void response
        .writeHead(trouble.status, { "content-type": "text/html", ...trouble.headers })
        .end(trouble.body);
    }
    if (trouble?.status !== undefined) return void json(trouble.status, trouble.body ?? {}, trouble.headers);
    this.received.push(fields);
    const key = `${fields.offerId} ${fields.uniqueId}`;
    const duplicate = this.recorded.has(key);
    if (!duplicate) this.recorded.set(key, fields);
    if (trouble?.silent) return;
    if (trouble?.lateMs !== undefined) await sleep(trouble.lateMs);
    json(202, { id: `id-${fields.uniqueId}`, state: "pending", duplicate });
  }
}
