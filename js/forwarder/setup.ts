/** What a request is served with: the options, and the shards. */
import { Refusal } from "./answer.js";
import type { ResolvedOptions } from "./options.js";
import type { Shard } from "./shard.js";

/** What a handler serves with. */
export interface Setup {
  readonly options: ResolvedOptions;
  readonly shards: readonly Shard[];
  /** May this caller ask now? */
  readonly limit?: ((request: Request) => Promise<boolean>) | undefined;
}

/** The shard of a key's hash. */
export function shardOf(id: string, shards: readonly Shard[]): Shard {
  const shard = shards[Number.parseInt(id.slice(0, 8), 16) % shards.length];
  if (shard === undefined) throw new Refusal("outbox_unavailable", "there is no outbox");
  return shard;
}

/** Asks a shard. What it throws is no caller's affair, and nothing was promised. */
export async function callShard<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch {
    throw new Refusal("outbox_unavailable", "the outbox cannot be reached: try again", { "retry-after": "1" });
  }
}
