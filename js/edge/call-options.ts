/** How one call of the client is made, and what its hooks are told. */
import { checkRecord, refuse } from "../option.js";

/** How to make one call. */
export interface CallOptions {
  /** Ends the call: `aborted`, or `outcome_unknown` where a write was on its way. */
  readonly signal?: AbortSignal;
  /** For this call instead of the client's. */
  readonly timeoutMs?: number;
  /** For this call instead of the client's. */
  readonly retries?: number;
}

/** What a hook is told of a request. The API key is in none of it. */
export interface SentRequest {
  readonly method: "GET" | "POST";
  /** Such as `/api/2/click.json`. */
  readonly path: string;
  /** The query without the API key, such as `click_id=…`. Empty for a POST. */
  readonly query: string;
  /** Counts the requests of one call, from 1. */
  readonly attempt: number;
}

/** What a hook is told of what came of a request. */
export interface ReceivedResponse extends SentRequest {
  /** How long it took, its body included, in milliseconds. */
  readonly ms: number;
  /** The HTTP status, where an answer came. */
  readonly status?: number;
  /** The code of what went wrong, where none came. */
  readonly error?: string;
}

/** A caller's parameters as JSON, for the core to check. Nothing is dropped on the way. */
export function toJson(params: unknown): string {
  checkRecord("params", params);
  for (const [name, value] of Object.entries(params)) {
    const kind = typeof value;
    const isId = name === "uniqueId" || name === "orderId";
    // A Date would become a text of JSON's: nobody's id, and no time of CAKE's.
    const isOdd = kind === "object" && typeof (value as { readonly toJSON?: unknown } | null)?.toJSON === "function";
    if (isOdd || kind === "function" || kind === "symbol" || (kind === "bigint" && !isId)) {
      refuse(name, "must be text or a number");
    }
  }
  try {
    // Not a number is no amount and no id: JSON would make it null, and null is absent.
    return JSON.stringify(params, (_, value) =>
      typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value)) ? `${value}` : value,
    );
  } catch {
    return refuse("params", "must be an object of texts and numbers");
  }
}
