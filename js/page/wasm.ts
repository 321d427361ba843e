/**
 * The WebAssembly that the build puts into a script as text (scripts/page.ts). It is ASCII: it survives every bundler
 * that reprints it, and a page whose encoding is not UTF-8.
 */

declare const WASM_TEXT: string;
declare const WASM_KEY: number;

/**
 * Compiles it synchronously: this saves a few milliseconds over a promise.
 *
 * @throws if there is no WebAssembly, if a policy lacks 'wasm-unsafe-eval', and in browsers that compile only small
 * modules synchronously
 */
export function instantiate<Core>(): Core {
  // After the mark, which the build puts in place of its name, comes a byte above 127, without its highest bit.
  const bytes = Uint8Array.from(
    WASM_TEXT.match(/WASM_MARK?./gs) as string[],
    (byte) => ((byte[1] ?? byte).charCodeAt(0) ^ WASM_KEY) | (byte[1] ? 128 : 0),
  );
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Core;
}
