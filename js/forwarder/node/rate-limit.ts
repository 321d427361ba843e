/** The limit of requests for each caller, counted in this process. */
import { checkNames, integerOption, refuse } from "../../option.js";
import { callerOf } from "../network.js";

/** A limit for each caller: an IPv4 address, or the /64 of an IPv6 address. */
export interface RateLimitOptions {
  /** The most requests of a caller in a period. */
  readonly limit: number;
  /** The length of a period, in seconds. @default 60 */
  readonly period?: number | undefined;
}

/** The most callers that are counted; the oldest is forgotten for a further one. */
const MAX_CALLERS = 100_000;

/** A function that tells whether a request is within its caller's limit. @throws CakeError `invalid_field` */
export function createLimit(given: RateLimitOptions): (request: Request) => Promise<boolean> {
  checkNames("rateLimit", given, ["limit", "period"]);
  const limit = integerOption("rateLimit.limit", given.limit, 1, 1_000_000_000);
  if (limit === undefined) return refuse("rateLimit.limit", "must be a whole number, 1 or more");
  const periodMs = 1_000 * (integerOption("rateLimit.period", given.period, 1, 86_400) ?? 60);
  const callers = new Map<string, { count: number; readonly endMs: number }>();
  return async (request) => {
    const caller = callerOf(request);
    const nowMs = Date.now();
    const known = callers.get(caller);
    if (known !== undefined && known.endMs > nowMs && known.endMs <= nowMs + periodMs) {
      known.count += 1;
      return known.count <= limit;
    }
    // A Map keeps its order: the newest period comes last.
    callers.delete(caller);
    callers.set(caller, { count: 1, endMs: nowMs + periodMs });
    const [first] = callers.keys();
    if (callers.size > MAX_CALLERS && first !== undefined) callers.delete(first);
    return true;
  };
}
