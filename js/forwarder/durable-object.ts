/** The Durable Object that a shard's outbox lives in. */
import { DurableObject } from "cloudflare:workers";
import { type CheckedRules, checkRules, type ForwarderRules } from "./options.js";
import { LEASE_MS, Outbox, type Shard, type Surroundings } from "./outbox.js";
import { SqlStore } from "./sql-store.js";

/** A forwarder's options, where the outbox is in Durable Objects. */
export interface ForwarderOptions extends ForwarderRules {
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
export function outboxClass<Env>(configure: (env: Env) => ForwarderOptions): OutboxClass<Env> {
  return class CakeOutbox extends DurableObject<Env> implements Shard {
    #outbox: Outbox | undefined;
    #surroundings: DurableSurroundings | undefined;

    constructor(ctx: DurableObjectState, env: Env) {
      super(ctx, env);
      void ctx.blockConcurrencyWhile(async () => {
        let rules: CheckedRules;
        try {
          rules = checkRules(configure(env), WORKER_NAMES);
        } catch {
          // A bad deployment: the Worker says what is wrong; the events wait.
          return;
        }
        this.#surroundings = new DurableSurroundings(ctx, await ctx.storage.getAlarm(), rules.clockSpeed);
        this.#outbox = new Outbox({ rules, store: new SqlStore(ctx.storage), surroundings: this.#surroundings });
      });
    }

    override async alarm(info?: AlarmInvocationInfo): Promise<void> {
      const firing = info?.scheduledTime ?? 0;
      // The lease first: an alarm that fails is dropped after a few repetitions.
      await this.ctx.storage.setAlarm(Math.max(Date.now(), firing) + LEASE_MS);
      if (this.#outbox === undefined || this.#surroundings === undefined) return;
      try {
        this.#surroundings.fired(firing);
        await this.#outbox.wake();
        // Nothing waits: no lease either, or an idle object would be woken for ever.
        if (this.#outbox.next() === null) this.#surroundings.rest();
      } catch {
        // The lease wakes us again.
      }
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

/** The place of a Durable Object: its clock and its one alarm. */
class DurableSurroundings implements Surroundings {
  readonly #ctx: DurableObjectState;
  readonly #speed: number;
  /** When the alarm is set for, in the world's time. */
  #armed: number | null;
  /** The time of the alarm that is firing, or fired last. */
  #fired = 0;

  constructor(ctx: DurableObjectState, armed: number | null, speed: number) {
    this.#ctx = ctx;
    this.#armed = armed;
    this.#speed = speed;
  }

  now(): number {
    return Math.floor(Date.now() * this.#speed);
  }

  keepAlive(work: Promise<unknown>): void {
    this.#ctx.waitUntil(work);
  }

  wakeAt(atMs: number): void {
    const now = Date.now();
    // Whole milliseconds, and never the one that is firing: such an alarm is lost for good.
    const at = Math.max(Math.ceil(atMs / this.#speed), now, this.#fired) + 1;
    // An alarm that comes sooner will set the next. Each costs a write.
    if (this.#armed !== null && this.#armed > now && this.#armed <= at) return;
    this.#armed = at;
    this.#ctx.waitUntil(this.#ctx.storage.setAlarm(at));
  }

  /** Nothing waits: the next event sets an alarm. */
  rest(): void {
    this.#armed = null;
    this.#ctx.waitUntil(this.#ctx.storage.deleteAlarm());
  }

  /** An alarm has fired, and a lease is set in its place. */
  fired(atMs: number): void {
    this.#fired = atMs;
    this.#armed = Math.max(Date.now(), atMs) + LEASE_MS;
  }
}
