/** The Durable Object that a shard's outbox lives in. */
import { DurableObject } from "cloudflare:workers";
import { Alarm } from "../alarm.js";
import type { Host } from "../host.js";
import { Gate } from "./gate.js";
import { type ForwarderOptions, type ResolvedOptions, resolveOptions } from "./options.js";
import { Outbox } from "./outbox.js";
import type { Shard } from "./shard.js";
import { MAX_SHARDS, type ShardLayout, shardLayout } from "./shard-map.js";
import { SqlStore } from "./sql-store.js";

/** A forwarder's options, where the outbox is in Durable Objects. */
export interface WorkerOptions extends ForwarderOptions {
  /** The namespace of the outbox's Durable Object. */
  readonly outbox: DurableObjectNamespace;
  /**
   * The number of Durable Objects that share the work, from 1 to 64. An event is looked for in the shard of its key. With
   * another number the key falls into another shard, so {@link formerShards} must name the number before.
   * @default 4
   */
  readonly shards?: number;
  /**
   * The numbers of {@link shards} before today's, the latest first, at most four. An event, a click's claim or a webhook's
   * id is looked for by these numbers too, and their shards deliver the events that they hold. `docs/scale.md` says how
   * the number is changed, how a release is rolled back, and when a number may be left out.
   * @default [] (the number was never changed)
   */
  readonly formerShards?: readonly number[];
  /** A rate-limit binding, asked once a request by the caller's address. @default none */
  readonly rateLimit?: RateLimit;
}

/** The options that a shard has no use for. */
export const WORKER_NAMES = ["outbox", "shards", "formerShards", "rateLimit"];

/** The class of a forwarder's Durable Objects, for the Worker to export. */
export type OutboxClass<Env> = new (ctx: DurableObjectState, env: Env) => DurableObject<Env> & Shard;

/** Makes the class; `configure` reads the options from the Worker's bindings. */
export function outboxClass<Env>(configure: (env: Env) => WorkerOptions): OutboxClass<Env> {
  return class CakeOutbox extends DurableObject<Env> implements Shard {
    #outbox: Outbox | undefined;
    #gate: Gate | undefined;
    readonly #alarm: Alarm;

    constructor(ctx: DurableObjectState, env: Env) {
      super(ctx, env);
      this.#alarm = new Alarm(ctx);
      let given: WorkerOptions;
      let options: ResolvedOptions;
      let layout: ShardLayout;
      try {
        given = configure(env);
        options = resolveOptions(given, WORKER_NAMES);
        layout = shardLayout(given);
      } catch {
        // A bad deployment: the Worker says what is wrong; the events wait.
        return;
      }
      const host = hostOf(ctx, this.#alarm, options.clockSpeed);
      const own = numberOf(given.outbox, ctx.id);
      const peer = (number: number) => shardAt(given.outbox, number);
      const peers = () => shardsOf(given.outbox, layout.size).filter((_, number) => number !== own);
      this.#outbox = new Outbox({ options, store: new SqlStore(ctx.storage, options.retentionMs), host, peers });
      this.#gate = new Gate({ outbox: this.#outbox, layout, own, peer });
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
    unclaim(...args: Parameters<Shard["unclaim"]>) {
      return this.#shard.unclaim(...args);
    }
    holds(...args: Parameters<Shard["holds"]>) {
      return this.#shard.holds(...args);
    }
    seek(...args: Parameters<Shard["seek"]>) {
      return this.#shard.seek(...args);
    }
    siblings(...args: Parameters<Shard["siblings"]>) {
      return this.#shard.siblings(...args);
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
    cancel(...args: Parameters<Shard["cancel"]>) {
      return this.#shard.cancel(...args);
    }
    webhook(...args: Parameters<Shard["webhook"]>) {
      return this.#shard.webhook(...args);
    }
    idSecret() {
      return this.#shard.idSecret();
    }
    signIn(...args: Parameters<Shard["signIn"]>) {
      return this.#shard.signIn(...args);
    }
    endSession(...args: Parameters<Shard["endSession"]>) {
      return this.#shard.endSession(...args);
    }
    isSessionEnded(...args: Parameters<Shard["isSessionEnded"]>) {
      return this.#shard.isSessionEnded(...args);
    }
    tally(...args: Parameters<Shard["tally"]>) {
      return this.#shard.tally(...args);
    }
    sweep() {
      return this.#shard.sweep();
    }

    get #shard(): Gate {
      if (this.#gate === undefined) throw new Error("the configuration is not fit for use");
      return this.#gate;
    }
  };
}

/** So many shards of a forwarder, each by its own name. */
export function shardsOf(outbox: DurableObjectNamespace, size: number): Shard[] {
  return Array.from({ length: size }, (_, number) => shardAt(outbox, number));
}

/** The number of the shard that has this id. */
function numberOf(outbox: DurableObjectNamespace, id: DurableObjectId): number | undefined {
  const numbers = Array.from({ length: MAX_SHARDS }, (_, number) => number);
  return numbers.find((number) => outbox.idFromName(nameOf(number)).equals(id));
}

function nameOf(number: number): string {
  return `shard ${number}`;
}

function shardAt(outbox: DurableObjectNamespace, number: number): Shard {
  const id = outbox.idFromName(nameOf(number));
  // A stub is good for one request at a time only where it fails: a fresh one costs nothing.
  const shard = () => outbox.get(id) as unknown as Shard;
  return {
    accept: (...args) => shard().accept(...args),
    claim: (...args) => shard().claim(...args),
    unclaim: (...args) => shard().unclaim(...args),
    holds: (...args) => shard().holds(...args),
    async seek(search) {
      try {
        return await shard().seek(search);
      } catch (thrown) {
        // An object of a release without this method promises nothing: it keeps the key itself.
        if (/does not implement/.test(String(thrown))) return search.keys.map(() => "unpromised" as const);
        throw thrown;
      }
    },
    siblings: (...args) => shard().siblings(...args),
    wait: (...args) => shard().wait(...args),
    report: () => shard().report(),
    list: (...args) => shard().list(...args),
    replay: (...args) => shard().replay(...args),
    cancel: (...args) => shard().cancel(...args),
    webhook: (...args) => shard().webhook(...args),
    idSecret: () => shard().idSecret(),
    signIn: (...args) => shard().signIn(...args),
    endSession: (...args) => shard().endSession(...args),
    isSessionEnded: (...args) => shard().isSessionEnded(...args),
    tally: (...args) => shard().tally(...args),
    sweep: () => shard().sweep(),
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
