/** What a request is served with: the options, and the shards. */
import { call } from "../error.js";
import { Refusal } from "./answer.js";
import { type KeyedHash, keyedHash } from "./hash.js";
import type { ResolvedOptions } from "./options.js";
import type { Shard } from "./shard.js";
import type { ShardLayout } from "./shard-map.js";

/** What a handler serves with. */
export interface Setup {
  readonly options: ResolvedOptions;
  /** By their numbers; those of former numbers too. */
  readonly shards: readonly Shard[];
  /** Which of them is asked. */
  readonly layout: ShardLayout;
  /** The hash that makes an event's id of its key: whoever knows an order number cannot compute it. */
  readonly ids: () => Promise<KeyedHash>;
  /** May this caller ask now? */
  readonly limit?: ((request: Request) => Promise<boolean>) | undefined;
}

/**
 * Ids by a secret of the outbox's own, which its first shard has made up: no
 * other secret lasts as long as an event must be known again. It is asked for
 * once in the life of a setup.
 */
export function createIds(shards: readonly Shard[]): () => Promise<KeyedHash> {
  let known: Promise<KeyedHash> | undefined;
  return async () => {
    known ??= callShard(async () => keyedHash((await shards[0]?.idSecret()) ?? ""));
    try {
      return await known;
    } catch (thrown) {
      // The next request asks again.
      known = undefined;
      throw thrown;
    }
  };
}

/** So many of an id's first digits say which shard it is in, as `src/delivery/shards.rs` reads them. */
export const SHARD_DIGITS = 8;

/** The shard of an id, or of any other hash. */
export function shardOf(id: string, { shards, layout }: Pick<Setup, "shards" | "layout">): Shard {
  const shard = shards[shards.length === 1 ? 0 : call(() => layout.map().home(id))];
  if (shard === undefined) throw new Refusal("outbox_unavailable", "there is no outbox");
  return shard;
}

/** Lets a caller ask, unless it has asked too often. @throws Refusal `too_many_requests` */
export async function checkLimit(request: Request, { limit }: Setup): Promise<void> {
  if (limit === undefined || (await limit(request))) return;
  throw new Refusal("too_many_requests", "too many requests: wait a minute", { "retry-after": "60" });
}

/** Asks a shard. What it throws is no caller's affair, and nothing was promised. */
export async function callShard<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch {
    throw new Refusal("outbox_unavailable", "the outbox cannot be reached: try again", { "retry-after": "1" });
  }
}
