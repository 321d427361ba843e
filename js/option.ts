/** Options and arguments of callers, who may be without types: each is checked, and named where it is wrong. */
import { CakeError } from "./error.js";
import { findNearest } from "./nearest.js";

/** @throws CakeError `invalid_field` */
export function refuse(parameter: string, rule: string): never {
  throw new CakeError({ code: "invalid_field", parameter, rule });
}

/**
 * A misspelt name must not be passed over: `sub1` would lose the sub id, `uniqueID` count a sale twice.
 *
 * @throws CakeError `invalid_field`, which names it and the nearest right one
 */
export function checkNames(what: string, given: unknown, names: readonly string[] | ReadonlySet<string>): void {
  if (given === undefined || given === null) return;
  if (typeof given !== "object" || Array.isArray(given)) refuse(what, "must be an object");
  const known = names instanceof Set ? names : new Set(names);
  for (const name in given) {
    if (!known.has(name) && Object.hasOwn(given, name)) refuseName(what, name, known);
  }
}

function refuseName(what: string, name: string, known: Iterable<string>): never {
  const nearest = findNearest(name, known);
  const meant = nearest === undefined ? `there are ${[...known].join(", ")}` : `did you mean ${nearest}?`;
  return refuse(name.slice(0, 64), `is not one of the ${what}: ${meant}`);
}

/** A whole number within bounds. */
export function integerOption(name: string, value: unknown, least: number, most: number): number | undefined {
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

/**
 * A string on its way to the core, which takes nothing else. An absent one is
 * the empty string, for which the core has a rule.
 *
 * @throws CakeError `invalid_field` where it is anything else
 */
export function stringOption(name: string, value: unknown): string {
  return optionalString(name, value) ?? "";
}

/** The same where it may be absent. */
export function optionalString(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  return refuse(name, "must be text");
}

/** An id that deduplicates: null is no absent one, but a value that got lost on its way. */
export function notNull(name: string, value: unknown): unknown {
  return value === null ? refuse(name, "must be text, and is null: leave it out where there is none") : value;
}

/** A number on its way to the core. Anything else becomes 0, for which the core has a rule. */
export function toInteger(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** A number's digits, where JavaScript has kept them all: ids of shops are often numbers. Anything else stays as it is. */
export function digitsOf(value: unknown): unknown {
  const isWhole = typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value));
  return isWhole && value >= 0 ? String(value) : value;
}
