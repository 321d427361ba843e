/** Claims that are kept in another shard than their events, and what became of them. */
import { callShard, type Setup, shardOf } from "./setup.js";
import type { Claim, Shard } from "./shard.js";

/**
 * The age from which a claim without its event gives way, in milliseconds. Before that, its event may be on its way.
 */
const CLAIM_MS = 60_000;

/** A claim in another shard than its event's. */
export interface ClaimElsewhere {
  readonly shard: Shard;
  readonly claim: string;
  readonly hash: string;
  isNew: boolean;
}

/**
 * Makes a claim in another shard. An older claim gives way if its event was never kept, because a process ended in
 * between. `isKept` is false where that is not settled yet.
 */
export async function makeClaim(
  claims: ClaimElsewhere,
  id: string,
  setup: Setup,
): Promise<Claim & { isKept: boolean }> {
  const { shard, claim, hash: hashed } = claims;
  const made = await callShard(() => shard.claim(claim, id, hashed));
  const fate = made.id === id ? "kept" : await fateOf(shard, claim, made.id, setup);
  if (fate !== "freed") return { ...made, isKept: fate === "kept" };
  return { ...(await callShard(() => shard.claim(claim, id, hashed))), isKept: false };
}

/**
 * What becomes of another event's claim: `freed` where it was taken back, since no event holds it, or one that has ended
 * and is certainly not recorded; `unsettled` where its event may be on its way.
 */
export async function fateOf(
  shard: Shard,
  claim: string,
  holder: string,
  setup: Setup,
): Promise<"freed" | "kept" | "unsettled"> {
  const keeper = shardOf(holder, setup);
  if (!(await callShard(() => keeper.holds(holder, claim))))
    return (await callShard(() => shard.unclaim(claim, holder, CLAIM_MS))) ? "freed" : "unsettled";
  if (!(await callShard(() => keeper.release(holder, claim)))) return "kept";
  return (await callShard(() => shard.unclaim(claim, holder, 0))) ? "freed" : "kept";
}

/** Takes back a claim of this request, unless its event holds the claim. */
export async function releaseClaim({ shard, claim }: ClaimElsewhere, id: string, setup: Setup): Promise<void> {
  if (await callShard(() => shardOf(id, setup).holds(id, claim))) return;
  await callShard(() => shard.unclaim(claim, id, 0));
}
