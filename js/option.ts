/** Options and arguments of callers, who may have no types: each is checked, and named if it is wrong. */
import { CakeError, isCakeError } from "./error.js";
import { findNearest } from "./nearest.js";

/** @throws CakeError `invalid_field` */
export function refuse(parameter: string, rule: string): never {
  throw new CakeError({ code: "invalid_field", parameter, rule });
}

/**
 * Refuses unknown names. A misspelt name must not be ignored: `sub1` would lose the sub id, `uniqueID` count a sale
 * twice. Fields that the object does not hold itself are refused too: those of a `Map`, of a promise that was not
 * awaited, of a prototype.
 *
 * @throws CakeError `invalid_field`, which names it and the nearest right one
 */
export function checkNames(what: string, given: unknown, names: readonly string[] | ReadonlySet<string>): void {
  if (given === undefined || given === null) return;
  checkRecord(what, given);
  const known = names instanceof Set ? names : new Set(names);
  for (const name in given) {
    if (!known.has(name) && Object.hasOwn(given, name)) refuseName(what, name, known);
  }
}

/** The names of an interface's options. The compiler refuses a list that lacks one, or has another. */
export function namesOf<Name extends string>(names: Readonly<Record<Name, true>>): readonly string[] {
  return Object.keys(names);
}

/**
 * Checks for an object that holds its fields itself, all of them readable.
 *
 * @throws CakeError `invalid_field`; a getter's own error is its `cause`
 */
export function checkRecord(what: string, given: unknown): asserts given is Record<string, unknown> {
  if (typeof given !== "object" || given === null || Array.isArray(given)) refuse(what, "must be an object");
  let reading = what;
  try {
    const prototype: unknown = Object.getPrototypeOf(given);
    if (prototype !== Object.prototype && prototype !== null) checkInstance(what, given);
    for (const name in given) {
      reading = name;
      void (given as Record<string, unknown>)[name];
    }
  } catch (thrown) {
    if (isCakeError(thrown)) throw thrown;
    const rule = "cannot be read: a getter of it threw";
    throw new CakeError({ code: "invalid_field", parameter: reading, rule }, { cause: thrown });
  }
}

/** Checks an object of another realm or class: inherited fields would be lost in a copy or in JSON. */
function checkInstance(what: string, given: object): void {
  const kind = Object.prototype.toString.call(given).slice(8, -1);
  if (kind !== "Object") {
    const awaited = kind === "Promise" ? ": await it" : "";
    refuse(what, `must be a plain object, and not a ${kind}${awaited}`);
  }
  let prototype: object | null = Object.getPrototypeOf(given);
  while (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    for (const [name, { get, value, enumerable }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      const isField = get !== undefined || (enumerable && typeof value !== "function");
      if (isField && name !== "__proto__" && !Object.hasOwn(given, name)) {
        refuse(name, `is no field of the ${what} itself, but of a prototype: give a plain object`);
      }
    }
    prototype = Object.getPrototypeOf(prototype);
  }
}

/**
 * An extra argument must not be ignored, such as rules beside the parts, or options after the options. A list's own
 * `map` adds a place and the list after the first argument; these are accepted.
 *
 * @throws CakeError `invalid_field`
 */
export function checkNoMore(call: string, takes: number, more: readonly unknown[]): void {
  const [place, list] = more;
  const isOfMap = takes === 1 && typeof place === "number" && (list === undefined || Array.isArray(list));
  if (more.length === 0 || isOfMap || more.every((each) => each === undefined)) return;
  refuse("arguments", `are more than ${call} takes: ${takes === 0 ? "none" : takes}`);
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

/**
 * Makes the methods of an object, or of a class by its prototype, refuse extra arguments. An `async` method's promise
 * is rejected; nothing is thrown at its caller.
 */
export function limitArguments<T extends object>(
  holder: T,
  takes: { readonly [name in keyof T]?: number },
  kind?: "async",
): T {
  for (const [name, most] of Object.entries(takes) as [keyof T & string, number][]) {
    const method = holder[name] as (...given: readonly unknown[]) => unknown;
    const limited = function (this: unknown, ...given: readonly unknown[]): unknown {
      try {
        if (given.length > most) checkNoMore(name, most, given.slice(most));
      } catch (refused) {
        if (kind === "async") return Promise.reject(refused);
        throw refused;
      }
      return method.apply(this, given as unknown[]);
    };
    Object.defineProperty(holder, name, { value: limited, configurable: true, writable: true });
  }
  return holder;
}

/**
 * Checks for a request, also of another realm or library: the fields that are read must exist. A URL and its `init` are
 * no request.
 *
 * @throws CakeError `invalid_field`
 */
export function checkRequest(request: unknown): void {
  const { url, headers } = (request ?? {}) as { readonly url?: unknown; readonly headers?: { readonly get?: unknown } };
  if (typeof url === "string" && typeof headers?.get === "function") return;
  refuse("request", "must be a Request: new Request(url, init)");
}

/**
 * Null is refused: it is a value that got lost on its way, and an option that is silently absent counts other sales.
 *
 * @throws CakeError `invalid_field`
 */
export function checkNoNull(place: string, given: object): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === null) refuse(`${place}.${name}`, "must not be null: leave it out where there is none");
  }
}

/** One of a few values. */
export function choice<T>(name: string, value: unknown, choices: readonly T[]): T | undefined {
  if (value === undefined || value === null) return undefined;
  if (choices.includes(value as T)) return value as T;
  return refuse(name, `must be one of ${choices.join(", ")}`);
}

/** A boolean; `"false"` would be taken for yes, and `"true"` for no. */
export function flagOption(name: string, value: unknown): boolean {
  return choice(name, value, [true, false]) ?? false;
}

/** A list of texts, for the core. A single text would be split into its letters. */
export function textsOption(name: string, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) refuse(name, "must be a list");
  return value.map((each) => stringOption(name, each));
}

/** The names of the click id's parameter: the rule of js/page/settings.ts for each. */
export function parametersOption(value: unknown): string[] {
  const names = textsOption("parameters", value).map((name) => name.trim());
  const odd = names.find((name) => !/^\w[^\s,;|"]*$/.test(name));
  return odd === undefined ? names : refuse("parameters", `must be names such as reqid, each alone: "${odd}" is none`);
}

/** A function. */
export function functionOption<T>(name: string, value: T | undefined): T | undefined {
  if (value === undefined || value === null || typeof value === "function") return value ?? undefined;
  return refuse(name, "must be a function");
}

/**
 * A hook: a function that is only told something. Its errors, thrown or of a promise, harm nothing. Other functions are
 * a {@link functionOption}.
 */
export function hookOption<Told extends readonly unknown[]>(
  name: string,
  value: ((...told: Told) => unknown) | undefined,
): ((...told: Told) => void) | undefined {
  const hook = functionOption(name, value);
  if (hook === undefined) return undefined;
  return (...told) => {
    try {
      const answer = hook(...told);
      if (answer !== undefined) Promise.resolve(answer).catch(() => undefined);
    } catch {
      // There is nowhere to tell it.
    }
  };
}

/** An `AbortSignal`, also of another realm or library. Its controller is none. */
export function signalOption(value: unknown): AbortSignal | undefined {
  if (value === undefined || value === null) return undefined;
  const { aborted, addEventListener, removeEventListener } = value as Partial<AbortSignal>;
  const isSignal = typeof aborted === "boolean" && typeof addEventListener === "function";
  if (isSignal && typeof removeEventListener === "function") return value as AbortSignal;
  return refuse("signal", "must be an AbortSignal, such as the signal of an AbortController");
}

/** Is this a Date, also one of another realm, such as a test runner's? */
export function isDate(value: unknown): value is Date {
  try {
    Date.prototype.getTime.call(value as Date);
    return true;
  } catch {
    return false;
  }
}

/**
 * A copy of a caller's object that is used later: what its owner writes into it meanwhile changes nothing. Lists and
 * dates in it are copied too. What cannot be copied stays as it is, for the checks to refuse it.
 */
export function copyOf<T>(given: T): T {
  if (Array.isArray(given)) return [...given] as T;
  if (isDate(given)) return new Date(given) as T;
  if (typeof given !== "object" || given === null || Object.prototype.toString.call(given) !== "[object Object]") {
    return given;
  }
  try {
    const copy: object = Object.create(Object.getPrototypeOf(given));
    for (const [name, value] of Object.entries(given)) {
      const isHeld = Array.isArray(value) || isDate(value);
      const own = { value: isHeld ? copyOf(value) : value, enumerable: true, configurable: true, writable: true };
      Object.defineProperty(copy, name, own);
    }
    return copy as T;
  } catch {
    return given;
  }
}

/**
 * A string for the core, which takes nothing else. An absent one is the empty string, for which the core has a rule.
 *
 * @throws CakeError `invalid_field` if it is anything else
 */
export function stringOption(name: string, value: unknown): string {
  return optionalString(name, value) ?? "";
}

/** The same for an optional string. */
export function optionalString(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  return refuse(name, "must be text");
}

/** An id that deduplicates. null is refused: it is a value that got lost on its way. */
export function notNull(name: string, value: unknown): unknown {
  return value === null ? refuse(name, "must be text, and is null: leave it out where there is none") : value;
}

/** A number on its way to the core. Anything else becomes 0, for which the core has a rule. */
export function toInteger(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** A number's digits, if JavaScript has kept them all: shops' ids are often numbers. Other values stay as they are. */
export function digitsOf(value: unknown): unknown {
  const isWhole = typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value));
  return isWhole && value >= 0 ? String(value) : value;
}
