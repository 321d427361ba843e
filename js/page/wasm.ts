/** The WebAssembly that the build puts into a script as text, each byte a character (scripts/page.ts). */

declare const WASM_TEXT: string;
declare const WASM_OFFSET: number;

/**
 * Compiles it, at once: a few milliseconds less than waiting for a promise.
 *
 * @throws where there is no WebAssembly, where a policy lacks 'wasm-unsafe-eval', and in browsers that compile only
 * small modules at once
 */
export function instantiate<Core>(): Core {
  const bytes = Uint8Array.from(WASM_TEXT, (character) => character.charCodeAt(0) - WASM_OFFSET);
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Core;
}
