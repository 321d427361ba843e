/** Times of an outbox's clock, which tests may run faster than real time. */
import type { ResolvedOptions } from "./options.js";

/** A time of the outbox's clock as ISO 8601 in UTC. */
export function instant(ms: number, { clockSpeed }: Pick<ResolvedOptions, "clockSpeed">): string {
  return new Date(Math.floor(ms / clockSpeed)).toISOString();
}
