/**
 * The WebAssembly that the build puts into a script as text (scripts/page.ts). It is ASCII: it survives every bundler
 * that reprints it, and a page whose encoding is not UTF-8.
 */

declare const WASM_TEXT: string;
declare const WASM_MARK: string;
declare const WASM_KEY: number;

/**
 * Compiles it synchronously: this saves a few milliseconds over a promise.
 *
 * @throws if there is no WebAssembly, if a policy lacks 'wasm-unsafe-eval', and in browsers that compile only small
 * modules synchronously
 * small modules at once
 */
export function instantiate<Core>(): Core {
  const bytes: number[] = [];
  let high = 0;
  for (const character of WASM_TEXT) {
    // After the mark comes a byte above 127, without its highest bit.
    if (character === WASM_MARK) high = 128;
    else {
      bytes.push((character.charCodeAt(0) ^ WASM_KEY) | high);
      high = 0;
    }
  }
  return new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes))).exports as Core;
}
