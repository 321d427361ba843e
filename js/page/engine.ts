/**
 * The core in a page: starts the wasm, or its fallback in plain JavaScript
 * where there is no WebAssembly, and asks it. See src/bindings/page.rs.
 */
import { CakeError, type CakeErrorCode } from "../error.js";
import type { Core } from "./core.js";

/** What runs the core. */
export type Engine = "wasm" | "js";

/** The build puts the wasm here, each byte a character (scripts/page.ts). */
declare const WASM_TEXT: string;
declare const WASM_OFFSET: number;

/** How many characters the core's buffer has. */
const MAX_CHARACTERS = 16_384;

/** The core's errors by number, as `parts_of` counts them, with their subject where it is always the same. */
const ERRORS =
  "invalid_domain:domain invalid_id sub_id_too_long invalid_text link_too_long invalid_price_format:priceFormat invalid_deep_link:deepLink deep_link_host:deepLink reserved_parameter repeated_parameter invalid_setting internal".split(
    " ",
  );

let core: Core | undefined;

let engine: Engine = "wasm";

/** What runs the core, or will. */
export function runningEngine(): Engine {
  return engine;
}

try {
  const bytes = Uint8Array.from(WASM_TEXT, (character) => character.charCodeAt(0) - WASM_OFFSET);
  // Compiled at once: a few milliseconds less than waiting for a promise, and
  // the page's own code finds the tracker ready. Browsers that do this only for
  // small modules throw, as does a policy without 'wasm-unsafe-eval'.
  core = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Core;
} catch {
  engine = "js";
}

/** Loads the plain JavaScript where there is no WebAssembly. */
export async function start(): Promise<void> {
  core ??= await import("./fallback.js").catch(() => undefined);
}

/**
 * Hands the parts to the core and returns its answer.
 *
 * @throws CakeError what the core says
 */
export function decide(...parts: string[]): string {
  if (core === undefined)
    throw new CakeError({ code: "internal", rule: "neither WebAssembly nor its fallback could be loaded" });
  // A line feed ends a part. Inside of one it becomes the other control
  // character that ends lines, which the core refuses in the part's own name.
  const text = parts.map((part) => `${part.replace(/\n/g, "\r")}\n`).join("");
  const characters = Uint32Array.from(text, (character) => character.codePointAt(0) as number);
  if (characters.length > MAX_CHARACTERS) throw new CakeError({ code: "link_too_long", rule: "is too long" });
  // Anew each time: the buffer is another one once the memory has grown.
  const view = () => new Uint32Array((core as Core).memory.buffer, (core as Core).buffer(), MAX_CHARACTERS);
  view().set(characters);
  const length = core.decide(characters.length);
  const answer = String.fromCharCode(...view().subarray(0, Math.abs(length)));
  if (length >= 0) return answer;
  const [code = "", subject] = ERRORS[Number.parseInt(answer[0] ?? "", 36)]?.split(":") ?? [];
  const parameter = decodeURIComponent(answer.slice(1)) || subject;
  throw new CakeError({
    code: code as CakeErrorCode,
    rule: `breaks the rule ${code}`,
    ...(parameter === undefined ? {} : { parameter }),
  });
}
