/**
 * The core in a page: starts the wasm, or its fallback in plain JavaScript if there is no WebAssembly, and calls it.
 * See src/bindings/page.rs.
 */
import { answerOf, type Core, type Decision } from "./core.js";
import { now } from "./store.js";
import { instantiate } from "./wasm.js";

/** The kind of core that runs. */
export type Engine = "wasm" | "js";

/** A visit. */
export type Visit = readonly [
  /** The address's pairs, as `pairsOf` writes them. */
  pairs: string,
  /** When it came, in ms since 1970. */
  at: number,
];

/** How touches are kept, in the order of the core's `decide`. */
export type Policy = readonly [isFirstTouch: number, windowDays: number, journey: number, cookieDays: number];

let core: Core | undefined;
let engine: Engine = "wasm";

/** Starts the core unless it runs, and returns which kind runs. */
export function runningEngine(): Engine {
  try {
    if (engine === "wasm") core ??= instantiate<Core>();
  } catch {
    engine = "js";
  }
  return engine;
}

/** Is the core running? If not, the fallback must be loaded, and given here. */
export function isRunning(fallback?: Core): unknown {
  core ??= fallback;
  runningEngine();
  return core;
}

/**
 * Asks the core what a visit leaves in the browser. `fields` are the names of the click id's parameter, separated by
 * U+0001, the visit's pairs, the cookie's copies, separated by U+0003, and storage's text.
 *
 * @throws if there is no core
 */
export function decideVisit(fields: readonly string[], policy: Policy, seconds: number): Decision {
  // Without a core this throws.
  const { put, reply, decide } = core as Core;
  // A stored text may be anybody's, and not even valid UTF-16.
  const input = [...fields, ""].join("\x04").replace(/[\ud800-\udfff]/gu, "?");
  // As UTF-8, by functions that every browser has.
  [...unescape(encodeURIComponent(input))].forEach((byte, at) => {
    put(byte.charCodeAt(0), at);
  });
  const age = decide(...policy, seconds, now() / 1_000);
  return [age, ...(answerOf(reply).split("\n") as [string, string])];
}
