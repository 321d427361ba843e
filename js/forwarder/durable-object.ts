/** The Durable Object that a shard's outbox lives in. */
import { DurableObject } from "cloudflare:workers";
import { Alarm } from "../alarm.js";
import type { Host } from "../host.js";
import { type ForwarderOptions, type ResolvedOptions, resolveOptions } from "./options.js";
import { Outbox } from "./outbox.js";
import type { Shard } from "./shard.js";
import { SqlStore } from "./sql-store.js";

/** A forwarder's options, where the outbox is in Durable Objects. */
export interface WorkerOptions extends ForwarderOptions {
  /** The namespace of the outbox's Durable Object. */
  readonly outbox: DurableObjectNamespace;
  /**
   * How many Durable Objects share the work. Choose once: an event is looked for
   * in the shard that its key falls into.
   * @default 4
   */
  readonly shards?: number;
  /** A rate-limit binding, asked once a request by the caller's address. @default none */
  readonly rateLimit?: RateLimit;
}

/** The options that a shard has no use for. */
export const WORKER_NAMES = ["outbox", "shards", "rateLimit"];

/** The class of a forwarder's Durable Objects, for the Worker to export. */
export type OutboxClass<Env> = new (ctx: DurableObjectState, env: Env) => DurableObject<Env> & Shard;

/** Makes the class; `configure` reads the options from the Worker's bindings. */
export function outboxClass<Env>(configure: (env: Env) => WorkerOptions): OutboxClass<Env> {
  return class CakeOutbox extends DurableObject<Env> implements Shard {
    #outbox: Outbox | undefined;
    readonly #alarm: Alarm;

    constructor(ctx: DurableObjectState, env: Env) {
      super(ctx, env);
      this.#alarm = new Alarm(ctx);
      let options: ResolvedOptions;
      try {
        options = resolveOptions(configure(env), WORKER_NAMES);
      } catch {
        // A bad deployment: the Worker says what is wrong; the events wait.
        return;
      }
      const host = hostOf(ctx, this.#alarm, options.clockSpeed);
      this.#outbox = new Outbox({ options, store: new SqlStore(ctx.storage), host });
    }

    override alarm(info?: AlarmInvocationInfo): Promise<void> {
      return this.#alarm.fired(info, async () => this.#outbox?.wake());
    }

    accept(...args: Parameters<Shard["accept"]>) {
      return this.#shard.accept(...args);
    }
    claim(...args: Parameters<Shard["claim"]>) {
      return this.#shard.claim(...args);
    }
    wait(...args: Parameters<Shard["wait"]>) {
      return this.#shard.wait(...args);
    }
    report() {
      return this.#shard.report();
    }
    list(...args: Parameters<Shard["list"]>) {
      return this.#shard.list(...args);
    }
    replay(...args: Parameters<Shard["replay"]>) {
      return this.#shard.replay(...args);
    }
    sweep() {
      return this.#shard.sweep();
    }

    get #shard(): Outbox {
      if (this.#outbox === undefined) throw new Error("the configuration is not fit for use");
      return this.#outbox;
    }
  };
}

/** The place of a Durable Object: its clock, which tests let run faster, and its one alarm. */
function hostOf(ctx: DurableObjectState, alarm: Alarm, speed: number): Host {
  return {
    now: () => Math.floor(Date.now() * speed),
    keepAlive: (work) => ctx.waitUntil(work),
    wakeAt: (atMs) => alarm.wakeAt(atMs === null ? null : atMs / speed),
  };
}
