// Landings in a Chromium that nobody inspects. An attached inspector collects the script's stack at each read of
// `document.cookie`: some milliseconds that no visitor has.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** The maximum wait for a landing. */
const MAX_LANDING_MS = 30_000;

/** A publisher's page, whose link is followed when the machine is ready: its `to` is the landing. */
const LINK = `<!doctype html><title>Publisher</title><h1>Quotes compared</h1><script>
  addEventListener("load", async () => {
    await fetch("/ready");
    location.href = new URL(location.href).searchParams.get("to");
  });
</script>`;

/** The pages of a site, by path, and what the page of a landing reports to `/landing`. */
export class LandingSite {
  readonly pages = new Map<string, { readonly body: string; readonly type: string }>();
  port = 0;
  /** What a publisher's page waits for before its link is followed. */
  ready: () => Promise<void> = async () => {};
  #heard: ((report: string) => void) | undefined;
  readonly #server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://site");
    if (pathname === "/landing") {
      this.#heard?.(await bodyOf(request));
      return response.writeHead(204).end();
    }
    if (pathname === "/ready") {
      await this.ready();
      return response.writeHead(204).end();
    }
    if (pathname === "/link") return response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(LINK);
    const page = this.pages.get(pathname);
    return page ? response.writeHead(200, { "content-type": page.type }).end(page.body) : response.writeHead(404).end();
  });

  /** Starts on a free port of 127.0.0.1. */
  static async start(): Promise<LandingSite> {
    const site = new LandingSite();
    await new Promise<void>((resolve) => site.#server.listen(0, "127.0.0.1", resolve));
    site.port = (site.#server.address() as AddressInfo).port;
    return site;
  }

  /** The next report. Rejects if none comes. */
  report(): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(reject, MAX_LANDING_MS, new Error("bench: the landing reported nothing"));
      this.#heard = (report) => {
        clearTimeout(timer);
        resolve(report);
      };
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}

/** Chromium, whose tabs are opened by the browser's own endpoint: none of them has an inspector. */
export class Tabs {
  readonly #process: ChildProcess;
  readonly #socket: WebSocket;
  readonly #profile: string;
  readonly #waiting = new Map<number, (result: Record<string, string>) => void>();

  private constructor(process: ChildProcess, socket: WebSocket, profile: string) {
    this.#process = process;
    this.#socket = socket;
    this.#profile = profile;
    socket.addEventListener("message", ({ data }) => {
      const { id, result } = JSON.parse(String(data));
      this.#waiting.get(id)?.(result ?? {});
      this.#waiting.delete(id);
    });
  }

  static async start(args: readonly string[]): Promise<Tabs> {
    const profile = mkdtempSync(join(tmpdir(), "cake-edge-bench-"));
    const quiet = ["gpu", "quic", "background-networking", "component-update", "sync"].map(
      (name) => `--disable-${name}`,
    );
    const browser = spawn(
      process.env["CHROMIUM"] ?? "chromium",
      ["--headless=new", "--no-sandbox", "--remote-debugging-port=0", `--user-data-dir=${profile}`, ...quiet, ...args],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    for await (const line of createInterface({ input: browser.stderr })) {
      const [, address] = /listening on (ws:\S+)/.exec(line) ?? [];
      if (address === undefined) continue;
      // Nobody reads the rest, which must not fill the pipe.
      browser.stderr.resume();
      const socket = new WebSocket(address);
      await new Promise((resolve, reject) => {
        socket.addEventListener("open", resolve);
        socket.addEventListener("error", reject);
      });
      return new Tabs(browser, socket, profile);
    }
    throw new Error("bench: Chromium did not start");
  }

  /** Opens the address in a new profile with an empty cache, until `use` has ended. */
  async open<T>(url: string, use: () => Promise<T>): Promise<T> {
    const { browserContextId } = await this.#call("Target.createBrowserContext", {});
    try {
      const used = use();
      await this.#call("Target.createTarget", { url, browserContextId });
      return await used;
    } finally {
      await this.#call("Target.disposeBrowserContext", { browserContextId });
    }
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#socket.close();
    this.#process.kill();
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #call(method: string, params: object): Promise<Record<string, string>> {
    const id = this.#waiting.size + Math.floor(performance.now() * 1_000);
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }
}
