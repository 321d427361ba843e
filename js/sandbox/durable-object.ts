/** The Durable Object of a network. */
import { DurableObject } from "cloudflare:workers";
import { Alarm } from "../alarm.js";
import { isCakeError } from "../error.js";
import type { SandboxHost } from "./host.js";
import { SandboxServer } from "./server.js";
import { SqlStore } from "./sql-store.js";

/** The bindings of a sandbox's Worker. */
export interface SandboxEnv {
  /** The namespace of {@link CakeNetwork}. */
  readonly NETWORK: DurableObjectNamespace;
  /** The API key of the network. */
  readonly CAKE_API_KEY: string;
  /** The fixture as JSON. @default a small network with the article's names */
  readonly CAKE_FIXTURE?: string | undefined;
  /** The allow-list of hosts for postbacks, separated by commas. @default loopback */
  readonly CAKE_ALLOWED_HOSTS?: string | undefined;
  /** The token for `/__sandbox/`: a secret of at least 16 characters. */
  readonly CAKE_SANDBOX_TOKEN?: string | undefined;
  /** `yes` where the Worker listens on loopback only: then no token is needed. */
  readonly CAKE_SANDBOX_LOOPBACK?: string | undefined;
}

/** A CAKE network: clicks, conversions and postbacks in SQLite. */
export class CakeNetwork extends DurableObject<SandboxEnv> {
  readonly #server: SandboxServer | Response;
  readonly #alarm: Alarm;

  constructor(ctx: DurableObjectState, env: SandboxEnv) {
    super(ctx, env);
    this.#alarm = new Alarm(ctx);
    try {
      this.#server = new SandboxServer({
        fixture: env.CAKE_FIXTURE || undefined,
        apiKey: env.CAKE_API_KEY ?? "",
        allowedHosts: (env.CAKE_ALLOWED_HOSTS ?? "")
          .split(",")
          .map((host) => host.trim())
          .filter((host) => host !== ""),
        store: new SqlStore(ctx.storage),
        host: hostOf(ctx, this.#alarm),
        gate: { token: env.CAKE_SANDBOX_TOKEN?.trim(), isLoopback: env.CAKE_SANDBOX_LOOPBACK === "yes" },
      });
    } catch (thrown) {
      this.#server = misconfigured(thrown);
    }
  }

  override async fetch(request: Request): Promise<Response> {
    return this.#server instanceof Response ? this.#server.clone() : this.#server.fetch(request);
  }

  override alarm(info?: AlarmInvocationInfo): Promise<void> {
    return this.#alarm.fired(info, async () => {
      // The deployment is misconfigured: due postbacks wait for a correct one.
      if (!(this.#server instanceof Response)) await this.#server.wake();
    });
  }
}

/** An operator of a deployment knows only the bindings' names. */
const BINDINGS: Readonly<Record<string, string>> = { missing_api_key: "CAKE_API_KEY", invalid_fixture: "CAKE_FIXTURE" };

/** The answer where the Worker's bindings are invalid. @throws any other error */
export function misconfigured(thrown: unknown): Response {
  if (!isCakeError(thrown) || thrown.code === "internal") throw thrown;
  const { code, message, parameter } = thrown;
  const rule = parameter === undefined ? message : message.slice(parameter.length + 1);
  return Response.json({ error: { code, rule, parameter: BINDINGS[code] ?? parameter } }, { status: 500 });
}

function hostOf(ctx: DurableObjectState, alarm: Alarm): SandboxHost {
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    uuid: () => crypto.randomUUID(),
    send: (url, init) => fetch(url, init as RequestInit<RequestInitCfProperties>),
    keepAlive: (work) => ctx.waitUntil(work),
    wakeAt: (atMs) => alarm.wakeAt(atMs),
    noAnswer() {
      // workerd closes the connection when a body fails before its first byte.
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      void writable.abort(new Error("sandbox fault: no answer"));
      return new Response(readable);
    },
  };
}
