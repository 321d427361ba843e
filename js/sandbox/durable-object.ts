/** The Durable Object that a network lives in. */
import { DurableObject } from "cloudflare:workers";
import { SandboxServer } from "./server.js";
import { SqlStore } from "./sql-store.js";
import type { SandboxHost } from "./host.js";

/** The bindings of a sandbox's Worker. */
export interface SandboxEnv {
  /** The namespace of {@link CakeNetwork}. */
  readonly NETWORK: DurableObjectNamespace;
  /** The key that the API asks for. */
  readonly CAKE_API_KEY: string;
  /** The fixture as JSON. @default a small network with the article's names */
  readonly CAKE_FIXTURE?: string;
  /** The hosts that postbacks may go to, separated by commas. @default loopback */
  readonly CAKE_ALLOWED_HOSTS?: string;
  /** The token that `/__sandbox/` asks for: a secret of at least 16 characters. */
  readonly CAKE_SANDBOX_TOKEN?: string;
  /** `yes` where the Worker listens on loopback alone: then no token is needed. */
  readonly CAKE_SANDBOX_LOOPBACK?: string;
}

/** While postbacks are sent, an alarm is set this far ahead: a crash loses none. */
const LEASE_MS = 60_000;

/** A CAKE network: clicks, conversions and postbacks in SQLite. */
export class CakeNetwork extends DurableObject<SandboxEnv> {
  readonly #server: SandboxServer;

  constructor(ctx: DurableObjectState, env: SandboxEnv) {
    super(ctx, env);
    this.#server = new SandboxServer({
      fixture: env.CAKE_FIXTURE || undefined,
      apiKey: env.CAKE_API_KEY ?? "",
      allowedHosts: (env.CAKE_ALLOWED_HOSTS ?? "")
        .split(",")
        .map((host) => host.trim())
        .filter((host) => host !== ""),
      store: new SqlStore(ctx.storage),
      host: hostOf(ctx),
      gate: { token: env.CAKE_SANDBOX_TOKEN, isLoopback: env.CAKE_SANDBOX_LOOPBACK === "yes" },
    });
  }

  override fetch(request: Request): Promise<Response> {
    return this.#server.fetch(request);
  }

  override async alarm(): Promise<void> {
    // The lease first: an alarm that fails is dropped after a few repetitions.
    await this.ctx.storage.setAlarm(Date.now() + LEASE_MS);
    try {
      await this.#server.wake();
    } catch {
      // The lease wakes us again.
    }
  }
}

function hostOf(ctx: DurableObjectState): SandboxHost {
  let armed: number | null = null;
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    uuid: () => crypto.randomUUID(),
    send: (url, init) => fetch(url, init as RequestInit<RequestInitCfProperties>),
    keepAlive: (work) => ctx.waitUntil(work),
    wakeAt(atMs) {
      // The same alarm once more would cost a write for each conversion.
      if (armed !== null && atMs !== null && armed > Date.now() && armed <= atMs && atMs - armed < LEASE_MS) return;
      armed = atMs;
      const done = atMs === null ? ctx.storage.deleteAlarm() : ctx.storage.setAlarm(Math.max(atMs, Date.now() + 1));
      ctx.waitUntil(done);
    },
    noAnswer() {
      // workerd closes the connection when a body fails before its first byte.
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      void writable.abort(new Error("sandbox fault: no answer"));
      return new Response(readable);
    },
  };
}
