/**
 * `cake-edge/forwarder`: a Worker in front of a site. It keeps the API key, stores every conversion that it receives,
 * and delivers it to CAKE.
 */
import { checkNoMore, refuse } from "../option.js";
import { byBinding } from "./binding.js";
import { type OutboxClass, outboxClass, shardsOf, WORKER_NAMES, type WorkerOptions } from "./durable-object.js";
import { handle } from "./handler.js";
import { callerOf } from "./network.js";
import { resolveOptions } from "./options.js";
import { createIds, type Setup } from "./setup.js";
import { shardLayout } from "./shard-map.js";
import { sweepAll } from "./sweep.js";

export { CakeError, type CakeErrorCode, isCakeError } from "../error.js";
export type { ForwarderCode, ForwarderError } from "./answer.js";
export type { OutboxClass, WorkerOptions } from "./durable-object.js";
export type { IncomingOutcome, PostbackLine, WebhookLine } from "./incoming.js";
export type { ForwarderOptions } from "./options.js";
export type { PostbackMap, PostbackOptions } from "./postbacks.js";
export type {
  ConversionLine,
  ConversionState,
  Hold,
  LogLine,
  OperatorLine,
  Shard,
  ShardReport,
  Status,
} from "./shard.js";
export type {
  ShopifyOptions,
  ShopOptions,
  Shops,
  StripeOptions,
  WebhookConversion,
  WebhookMap,
  WooCommerceOptions,
} from "./shops.js";
export type { EventKind, Row, StoredState } from "./store.js";

/** A module Worker's handlers, and the class of its Durable Objects. */
export interface Forwarder<Env> {
  /** Answers a request: the default export's `fetch`. */
  fetch(request: Request, env: Env): Promise<Response>;
  /** Sweeps the shards, for a cron trigger: an event with a lost wake-up is sent after all. */
  scheduled(controller: ScheduledController, env: Env): Promise<void>;
  /** The Durable Object's class: export it under the name in wrangler.jsonc. */
  readonly Outbox: OutboxClass<Env>;
}

/**
 * Creates a forwarder. `configure` reads the options from the Worker's bindings.
 *
 * @example
 * const forwarder = createForwarder<Env>((env) => ({
 *   outbox: env.OUTBOX,
 *   baseUrl: env.CAKE_BASE_URL,
 *   apiKey: env.CAKE_API_KEY,
 *   operatorSecret: env.CAKE_OPERATOR_SECRET,
 * }));
 * export const CakeOutbox = forwarder.Outbox;
 * export default { fetch: forwarder.fetch, scheduled: forwarder.scheduled };
 */
export function createForwarder<Env extends object>(configure: (env: Env) => WorkerOptions): Forwarder<Env>;
export function createForwarder<Env extends object>(
  configure: (env: Env) => WorkerOptions,
  ...more: unknown[]
): Forwarder<Env> {
  checkNoMore("createForwarder", 1, more);
  if (typeof configure !== "function") refuse("configure", "must be a function of the Worker's environment");
  // The bindings object stays the same for the life of an isolate.
  const setups = new WeakMap<Env, Setup>();
  function setupOf(env: Env): Setup {
    let setup = setups.get(env);
    if (setup === undefined) {
      setup = byBinding(env, configure, setUp);
      setups.set(env, setup);
    }
    return setup;
  }
  return {
    fetch: (request, env) => handle(request, () => setupOf(env)),
    async scheduled(_, env) {
      await sweepAll(setupOf(env).shards);
    },
    Outbox: outboxClass(configure),
  };
}

function setUp(options: WorkerOptions): Setup {
  const resolved = resolveOptions(options, WORKER_NAMES);
  const { rateLimit } = options;
  const layout = shardLayout(options);
  const shards = shardsOf(options.outbox, layout.size);
  const limit =
    rateLimit === undefined
      ? undefined
      : async (request: Request) => (await rateLimit.limit({ key: callerOf(request) })).success;
  return { options: resolved, shards, layout, ids: createIds(shards, resolved), limit };
}
