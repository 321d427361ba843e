/**
 * A shop as its visitors' scripts see it: pages, Shopify's cart and the package's files. A real forwarder in memory is
 * in front of a sandbox network.
 *
 * It does not emulate products, more than one cart for a visitor, a cart's `note`, or sections of a theme. Nor does it
 * emulate limits of the AJAX API, checkout's own pages and their content policy, or the consent banner.
 */
import { createHmac, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { createForwarderInProcess } from "../../dist/entry/forwarder-memory.inline.js";
import { createSandbox } from "../../dist/entry/sandbox-memory.inline.js";

const FILES = fileURLToPath(new URL("../../dist/page/", import.meta.url));
const KEY = "key-of-a-shop";
const OPERATOR = "an operator's secret of 32 characters or more";
export const TOKEN_SECRET = "a token's secret of 32 characters or more";
const SHOPIFY = "a shopify secret of 32 characters or more";

/** A row of the sandbox network. */
export interface Recorded {
  readonly unique_id: string;
  readonly request_session_id?: string;
  readonly [field: string]: unknown;
}

export class Shop {
  /** By path. */
  readonly pages = new Map<string, string>();
  /** The requests to the cart, to the forwarder's tokens and to its conversions. */
  readonly requests: {
    readonly method: string;
    readonly path: string;
    readonly body: string;
    readonly origin?: string;
  }[] = [];
  /** The carts' attributes, by the cart's token. */
  readonly carts = new Map<string, Record<string, string>>();
  /** The status with which the cart answers, or the forwarder. */
  cartStatus = 200;
  forwarderStatus = 200;
  /** Does a cart's answer end? If not, the page never hears what its request has done. */
  doesCartAnswer = true;
  port = 0;
  readonly #sandbox = createSandbox({ apiKey: KEY });
  #forwarder: ReturnType<typeof createForwarderInProcess> | undefined;
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  /** Starts on a free port of 127.0.0.1. */
  static async start(): Promise<Shop> {
    const shop = new Shop();
    await new Promise<void>((resolve) => shop.#server.listen(0, "127.0.0.1", resolve));
    shop.port = (shop.#server.address() as AddressInfo).port;
    shop.#forwarder = createForwarderInProcess({
      baseUrl: "http://127.0.0.1",
      apiKey: KEY,
      operatorSecret: OPERATOR,
      fetch: shop.#sandbox.fetch,
      tokenSecrets: [TOKEN_SECRET],
      tokenRoute: true,
      shops: { shopify: { secrets: SHOPIFY, offerId: 12_345, currency: "USD" } },
      log() {},
    });
    return shop;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The requests to a path so far. */
  asked(path: string): { readonly method: string; readonly body: string; readonly origin?: string }[] {
    return this.requests.filter((request) => request.path === path);
  }

  /** Adds a page that defines the globals `tracker` and `errors`, and runs `script` with them. */
  addPage(path: string, script: string, options = "{}", body = ""): void {
    const html = `<!doctype html><title>${path}</title><body>${body}<script type="module">
      import { createTracker } from "/page/page.js";
      window.errors = [];
      window.tracker = createTracker({ debug: true, onError: (error) => errors.push(error), ...${options} });
      ${script}</script>`;
    this.pages.set(path, html);
  }

  /** Makes a click that CAKE logs. */
  async click(): Promise<string> {
    const answer = await this.#sandbox.fetch(new Request("http://127.0.0.1/?a=67890&c=12"));
    return new URL(answer.headers.get("location") ?? "").searchParams.get("reqid") ?? "";
  }

  /** Sends the order's webhook, signed by the platform, with the cart's attributes. */
  async sendOrder(id: string, attributes: Record<string, string>): Promise<{ readonly outcome: string }> {
    const order = {
      id: Number(id),
      currency: "USD",
      financial_status: "paid",
      total_price: "18.00",
      total_price_set: {
        shop_money: { amount: "18.00", currency_code: "USD" },
        presentment_money: { amount: "16.50", currency_code: "EUR" },
      },
      note_attributes: Object.entries(attributes).map(([name, value]) => ({ name, value })),
    };
    const body = JSON.stringify(order);
    const answer = await this.#forward("POST", "/cake/webhooks/shopify", body, {
      "x-shopify-topic": "orders/paid",
      "x-shopify-hmac-sha256": createHmac("sha256", SHOPIFY).update(body).digest("base64"),
    });
    return (await answer.json()) as { outcome: string };
  }

  /** The forwarder's events, the newest first, from its operator's list. */
  async events(): Promise<{ readonly state: string; readonly conversion: Record<string, unknown> }[]> {
    const answer = await this.#forward("GET", "/cake/operator/conversions", undefined, {
      authorization: `Bearer ${OPERATOR}`,
    });
    return ((await answer.json()) as { rows: { state: string; conversion: Record<string, unknown> }[] }).rows;
  }

  /** The conversions that the network has recorded. */
  async recorded(): Promise<Recorded[]> {
    const state = await this.#sandbox.fetch(new Request("http://127.0.0.1/__sandbox/state?limit=1000"));
    return ((await state.json()) as { conversions: Recorded[] }).conversions;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #forward(method: string, path: string, body: string | undefined, headers: Record<string, string>): Promise<Response> {
    const forwarder = this.#forwarder;
    if (forwarder === undefined) throw new Error("the shop has not started");
    const init = body === undefined || method === "GET" ? {} : { body };
    return forwarder.fetch(new Request(this.origin + path, { method, headers, ...init }));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search } = new URL(request.url ?? "/", "http://shop");
    const method = request.method ?? "";
    const page = this.pages.get(pathname);
    if (page !== undefined) {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
      return;
    }
    if (pathname.startsWith("/page/")) {
      response.writeHead(200, { "content-type": "text/javascript" }).end(readFileSync(FILES + pathname.slice(6)));
      return;
    }
    let body = "";
    for await (const chunk of request) body += chunk;
    const { origin } = request.headers;
    if (/cart|cake/.test(pathname)) {
      this.requests.push({ method, path: pathname, body, ...(origin === undefined ? {} : { origin }) });
    }
    if (/^(\/de)?\/cart\/update\.js$/.test(pathname) && method === "POST") this.#update(request, body, response);
    else if (pathname.startsWith("/cake/")) {
      if (this.forwarderStatus !== 200) return void response.writeHead(this.forwarderStatus).end();
      const headers = Object.fromEntries(
        Object.entries(request.headers).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
      );
      const answer = await this.#forward(method, pathname + search, body, headers);
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
    } else response.writeHead(404).end();
  }

  /** Like Shopify's AJAX API: given attributes are merged, and `null` removes one. */
  #update(request: IncomingMessage, body: string, response: ServerResponse): void {
    if (this.cartStatus !== 200) return void response.writeHead(this.cartStatus).end("{}");
    const known = /(?:^|; )cart=([^;?]+)/.exec(request.headers.cookie ?? "")?.[1];
    const token = known !== undefined && this.carts.has(known) ? known : randomUUID();
    const { attributes = {} } = JSON.parse(body) as { attributes?: Record<string, string | null> };
    const merged = Object.entries({ ...this.carts.get(token), ...attributes });
    const now = Object.fromEntries(merged.flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
    this.carts.set(token, now);
    const cookie = `cart=${token}%3Fkey%3D1; Path=/`.replace("%3F", "?");
    response.writeHead(200, { "content-type": "application/json", "set-cookie": cookie });
    if (this.doesCartAnswer) response.end(JSON.stringify({ token, attributes: now, items: [] }));
    else response.flushHeaders();
  }
}
