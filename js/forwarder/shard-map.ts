/** The options `shards` and `formerShards`. The core decides which shard keeps what (`src/delivery/shards.rs`). */
import { call } from "../error.js";
import { integerOption, refuse } from "../option.js";
import type { ShardMap } from "../wasm/forwarder.js";
import { core } from "./core.js";

/** The maximum number of shards. */
export const MAX_SHARDS = 64;

/** The numbers of shards, as given in the options. */
export interface ShardNumbers {
  readonly shards?: number | undefined;
  readonly formerShards?: readonly number[] | undefined;
}

/** The numbers of shards, checked and resolved. */
export interface ShardLayout {
  readonly shards: number;
  /** The latest first. */
  readonly former: readonly number[];
  /** The total number of shards, including those of the former numbers. */
  readonly size: number;
  /** The map; created again after a trap of the core. */
  readonly map: () => ShardMap;
}

/** Checks the numbers. @throws CakeError `invalid_field` */
export function shardLayout({ shards: given, formerShards: former = [] }: ShardNumbers): ShardLayout {
  const shards = integerOption("shards", given, 1, MAX_SHARDS) ?? 4;
  const isList = Array.isArray(former) && former.every((number) => Number.isInteger(number) && number >= 0);
  if (!isList) refuse("formerShards", `must be a list of whole numbers from 1 to ${MAX_SHARDS}`);
  const map = core.keep(
    ({ ShardMap }) => new ShardMap(shards, new Uint32Array(former.map((n) => Math.min(n, 2 ** 31)))),
  );
  return { shards, former, size: call(map).size(), map };
}
