/** The Durable Object that holds a shard's outbox. */
import { DurableObject } from "cloudflare:workers";
import { Alarm } from "../alarm.js";
import type { Host } from "../host.js";
import { namesOf } from "../option.js";
import { Gate } from "./gate.js";
import { type ForwarderOptions, type ResolvedOptions, resolveOptions } from "./options.js";
import { Outbox } from "./outbox.js";
import type { Shard } from "./shard.js";
import { MAX_SHARDS, type ShardLayout, shardLayout } from "./shard-map.js";
import { SqlStore } from "./sql-store.js";

/** The options of a forwarder with its outbox in Durable Objects. */
export interface WorkerOptions extends ForwarderOptions {
  /** The namespace of the outbox's Durable Object. */
  readonly outbox: DurableObjectNamespace;
  /**
   * The number of Durable Objects that share the work, from 1 to 64. The key of an event decides its shard. Another
   * number moves the key to another shard, so {@link formerShards} must name the previous number.
   * @default 4
   */
  readonly shards?: number | undefined;
  /**
   * The previous numbers of {@link shards}, the latest first, at most four. Events, claims and webhook ids are looked
   * up by these numbers too, and the shards of these numbers deliver the events that they hold. `docs/scale.md` says
   * how to change the number, how to roll a release back, and when a number may be left out.
   * @default [] (the number was never changed)
   */
  readonly formerShards?: readonly number[] | undefined;
  /** A rate-limit binding, called once for each request with the caller's address. @default none */
  readonly rateLimit?: RateLimit | undefined;
}

/** The options that a shard does not use. */
export const WORKER_NAMES = namesOf<Exclude<keyof WorkerOptions, keyof ForwarderOptions>>({
  outbox: true,
  shards: true,
  formerShards: true,
  rateLimit: true,
});

/** The class of a forwarder's Durable Objects, exported by the Worker. */
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
        // The deployment is misconfigured: the Worker reports the error, and the events wait.
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
    findClaim(...args: Parameters<Shard["findClaim"]>) {
      return this.#shard.findClaim(...args);
    }
    holds(...args: Parameters<Shard["holds"]>) {
      return this.#shard.holds(...args);
    }
    release(...args: Parameters<Shard["release"]>) {
      return this.#shard.release(...args);
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
    idSecret(...args: Parameters<Shard["idSecret"]>) {
      return this.#shard.idSecret(...args);
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

/** The shards of a forwarder, `size` of them, each by its own name. */
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
  // A stub may be broken after a failed request; a new stub costs nothing.
  const shard = () => outbox.get(id) as unknown as Shard;
  return {
    accept: (...args) => shard().accept(...args),
    claim: (...args) => shard().claim(...args),
    unclaim: (...args) => shard().unclaim(...args),
    findClaim: (...args) => shard().findClaim(...args),
    holds: (...args) => shard().holds(...args),
    release: (...args) => shard().release(...args),
    async seek(search) {
      try {
        return await shard().seek(search);
      } catch (thrown) {
        // An object of a release without this method cannot promise anything: it keeps the key itself.
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
    idSecret: (...args) => shard().idSecret(...args),
    signIn: (...args) => shard().signIn(...args),
    endSession: (...args) => shard().endSession(...args),
    isSessionEnded: (...args) => shard().isSessionEnded(...args),
    tally: (...args) => shard().tally(...args),
    sweep: () => shard().sweep(),
  };
}

/** The platform of a Durable Object: its clock, which tests may speed up, and its one alarm. */
function hostOf(ctx: DurableObjectState, alarm: Alarm, speed: number): Host {
  return {
    now: () => Math.floor(Date.now() * speed),
    keepAlive: keeper(ctx),
    wakeAt: (atMs) => alarm.wakeAt(atMs === null ? null : atMs / speed),
  };
}

/** Keeps the object alive by one promise until all work is done, since each promise costs the platform work. */
function keeper(ctx: DurableObjectState): Host["keepAlive"] {
  let underWay = 0;
  let rest: () => void = () => undefined;
  const end = () => {
    underWay -= 1;
    if (underWay === 0) rest();
  };
  return (work) => {
    if (underWay === 0) ctx.waitUntil(new Promise<void>((resolve) => (rest = resolve)));
    underWay += 1;
    work.then(end, end);
  };
}
