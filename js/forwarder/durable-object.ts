/** The Durable Object that a shard's outbox lives in. */
import { DurableObject } from "cloudflare:workers";
import { Alarm } from "../alarm.js";
import type { Host } from "../host.js";
import { integerOption } from "../option.js";
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
      let given: WorkerOptions;
      let options: ResolvedOptions;
      try {
        given = configure(env);
        options = resolveOptions(given, WORKER_NAMES);
      } catch {
        // A bad deployment: the Worker says what is wrong; the events wait.
        return;
      }
      const host = hostOf(ctx, this.#alarm, options.clockSpeed);
      const peers = () => shardsOf(given, ctx.id);
      this.#outbox = new Outbox({ options, store: new SqlStore(ctx.storage, options.retentionMs), host, peers });
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

    get #shard(): Outbox {
      if (this.#outbox === undefined) throw new Error("the configuration is not fit for use");
      return this.#outbox;
    }
  };
}

/** The shards of a forwarder, each by its own name; but for the one of that id. */
export function shardsOf({ outbox, shards }: WorkerOptions, except?: DurableObjectId): Shard[] {
  const count = integerOption("shards", shards, 1, 64) ?? 4;
  const ids = Array.from({ length: count }, (_, index) => outbox.idFromName(`shard ${index}`));
  return ids
    .filter((id) => except === undefined || !id.equals(except))
    .map((id) => {
      // A stub is good for one request at a time only where it fails: a fresh one costs nothing.
      const shard = () => outbox.get(id) as unknown as Shard;
      return {
        accept: (request) => shard().accept(request),
        claim: (claim, eventId) => shard().claim(claim, eventId),
        unclaim: (claim, eventId, leastAgeMs) => shard().unclaim(claim, eventId, leastAgeMs),
        holds: (eventId, claim) => shard().holds(eventId, claim),
        siblings: (order) => shard().siblings(order),
        wait: (eventIds, ms) => shard().wait(eventIds, ms),
        report: () => shard().report(),
        list: (filter) => shard().list(filter),
        replay: (what) => shard().replay(what),
        cancel: (eventId, reason) => shard().cancel(eventId, reason),
        webhook: (webhookId, digest) => shard().webhook(webhookId, digest),
        idSecret: () => shard().idSecret(),
        signIn: (caller, isRight) => shard().signIn(caller, isRight),
        endSession: (session, expiresMs) => shard().endSession(session, expiresMs),
        isSessionEnded: (session) => shard().isSessionEnded(session),
        tally: (word) => shard().tally(word),
        sweep: () => shard().sweep(),
      } satisfies Shard;
    });
}

/** The place of a Durable Object: its clock, which tests let run faster, and its one alarm. */
function hostOf(ctx: DurableObjectState, alarm: Alarm, speed: number): Host {
  return {
    now: () => Math.floor(Date.now() * speed),
    keepAlive: (work) => ctx.waitUntil(work),
    wakeAt: (atMs) => alarm.wakeAt(atMs === null ? null : atMs / speed),
  };
}
