/** Options and arguments of callers, who may be without types: each is checked, and named where it is wrong. */
import { CakeError } from "./error.js";

/** @throws CakeError `invalid_field` */
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

/** A number on its way to the core. Anything else becomes 0, for which the core has a rule. */
export function toInteger(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
