/** The sandbox's router: decides which part answers a path. */
import { AdminRoutes } from "./admin-routes.js";
import { Faults } from "./faults.js";
import { Network, type NetworkInit } from "./network.js";
import { placeholderPage } from "./placeholder-pages.js";
import { respond } from "./response.js";

/** A network that answers requests. */
export class SandboxServer {
  readonly #network: Network;
  readonly #faults: Faults;
  readonly #admin: AdminRoutes;

  constructor(init: NetworkInit) {
    this.#network = new Network(init);
    this.#faults = new Faults(this.#network);
    this.#admin = new AdminRoutes(this.#network, this.#faults);
  }

  /** Answers any request to the sandbox. */
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const placeholder = placeholderPage(request, pathname);
    if (placeholder) return placeholder;
    if (pathname.startsWith("/__sandbox/") || pathname === "/__sandbox") return this.#admin.fetch(request, pathname);
    return this.#faults.answer(request, pathname) ?? respond(await this.#network.answer(request), request);
  }

  /** Sends due postbacks, and waits for them. */
  wake(): Promise<void> {
    return this.#network.wake();
  }
}
