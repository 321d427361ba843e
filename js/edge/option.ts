/** The options of a client and of its calls, checked before anything is sent. */
import { CakeError } from "../error.js";

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

export function refuse(parameter: string, rule: string): never {
  throw new CakeError({ code: "invalid_field", parameter, rule });
}

/** A misspelt name must not be passed over. */
export function checkNames(what: string, given: unknown, names: readonly string[]): void {
  if (given === undefined || given === null) return;
  if (typeof given !== "object") refuse(what, "must be an object");
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) refuse(name, `is not one of the ${what}: ${names.join(", ")}`);
  }
}

/** A whole number within bounds. */
export function wholeOption(name: string, value: unknown, least: number, most: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most) return value;
  return refuse(name, `must be a whole number from ${least} to ${most}`);
}

/** One of a few values. */
export function choice<T>(name: string, value: unknown, choices: readonly T[]): T | undefined {
  if (value === undefined || value === null) return undefined;
  if (choices.includes(value as T)) return value as T;
  return refuse(name, `must be one of ${choices.join(", ")}`);
}

/** A function. */
export function functionOption<T>(name: string, value: T | undefined): T | undefined {
  if (value === undefined || value === null || typeof value === "function") return value ?? undefined;
  return refuse(name, "must be a function");
}

/** A caller's parameters as JSON, for the core to check. Nothing is dropped on the way. */
export function toJson(params: unknown): string {
  if (typeof params !== "object" || params === null || Array.isArray(params)) refuse("params", "must be an object");
  for (const [name, value] of Object.entries(params)) {
    const kind = typeof value;
    if (kind === "function" || kind === "symbol" || kind === "bigint") refuse(name, "must be text or a number");
  }
  try {
    // Not a number is no amount and no id: JSON would make it null, and null is absent.
    return JSON.stringify(params, (_, value) =>
      Number.isNaN(value) || Math.abs(value) === Infinity ? `${value}` : value,
    );
  } catch {
    return refuse("params", "must be an object of texts and numbers");
  }
}
