/** The core as a page sees it: what its WebAssembly exports, and what the fallback of plain JavaScript does. */
export interface Core {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Where the one buffer of characters starts in the memory. */
  buffer(): number;
  /** Decides about the first `length` characters; see src/bindings/page.rs. */
  decide(length: number): number;
}
