/**
 * The core in a page: starts the wasm, or its fallback in plain JavaScript
 * where there is no WebAssembly, and asks it. See src/bindings/page.rs.
 */
import { CakeError } from "../error.js";
import type { Core } from "./core.js";
import { load } from "./load.js";
import { pairsOf } from "./query.js";
import { instantiate } from "./wasm.js";

/** What runs the core. */
export type Engine = "wasm" | "js";

/** What a visit comes with, for the core. */
export interface Visit {
  /** The address's query as it stands. */
  readonly query: string;
  /** The time in seconds since 1970. */
  readonly seconds: number;
}

/** How touches are kept. */
export interface Settings {
  readonly isFirstTouch: boolean;
  readonly windowDays: number;
  readonly journey: number;
  readonly cookieDays: number;
  /** The names of the click id's parameter, separated by `&`. */
  readonly names: string;
}

/** What is to be kept of it. */
export interface Decision {
  /** The cookie's age in seconds; 0 where nothing is to be written. */
  readonly age: number;
  /** The text to be stored, or that is. */
  readonly text: string;
  /** The click id that counts. */
  readonly clickId: string | undefined;
}

let core: Core | undefined;
let engine: Engine = "wasm";

/** Starts the core where it has not been started, and says what runs it. */
export function runningEngine(): Engine {
  try {
    if (engine === "wasm") core ??= instantiate<Core>();
  } catch {
    engine = "js";
  }
  return engine;
}

/** Is the core there? If it is not, {@link loadFallback} brings it. */
export function isRunning(): boolean {
  return runningEngine() === "wasm" || core !== undefined;
}

let loading: Promise<void> | undefined;

/** Loads the plain JavaScript. Resolves in any case. */
export function loadFallback(): Promise<void> {
  loading ??= load("fallback").then(
    (fallback) => {
      core = fallback;
    },
    () => {
      loading = undefined;
    },
  );
  return loading;
}

/**
 * Asks the core what a visit leaves behind. `cookies` are the cookie's copies, separated by semicolons.
 *
 * @throws CakeError `invalid_setting`; `internal` where there is no core
 */
export function decide(visit: Visit, settings: Settings, cookies: string, storage: string): Decision {
  if (!isRunning() || !core) {
    throw new CakeError({ code: "internal", rule: "neither WebAssembly nor its fallback could be loaded" });
  }
  const { query, seconds } = visit;
  // A stored text is ASCII; what else stands there is nobody's of ours, and may be no UTF-16 either.
  const stored = [cookies, storage].map((text) => text.replace(/[^!-~]/g, ""));
  // As UTF-8, by what every browser has.
  const bytes = unescape(encodeURIComponent([settings.names, ...stored, pairsOf(query)].join("\x04")));
  for (const byte of bytes) core.put(byte.charCodeAt(0));
  const age = core.decide(
    settings.isFirstTouch ? 1 : 0,
    // What is no whole number is 0, for which the core has a rule.
    ...([settings.windowDays, settings.journey, settings.cookieDays].map((days) =>
      days === (days | 0) ? days : 0,
    ) as [number, number, number]),
    seconds,
  );
  if (age < 0) {
    const parameter = ["windowDays", "journey", "cookieDays"][-1 - age] as string;
    throw new CakeError({ code: "invalid_setting", parameter, rule: "is out of range" });
  }
  let answer = "";
  for (let at = 0, byte = core.get(0); byte; byte = core.get(++at)) answer += String.fromCharCode(byte);
  const [text = "", clickId] = answer.split("\n");
  return { age, text, clickId };
}
