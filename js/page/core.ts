/** The core as a page sees it: what its WebAssembly exports, and what its fallback in plain JavaScript does. See src/bindings/page.rs. */
export interface Core {
  /** Appends a byte to the input. */
  put(byte: number): void;
  /** A byte of the answer; 0 past its end. */
  get(at: number): number;
  /** Decides what a visit leaves behind: the cookie's age in seconds, 0 where nothing is to be written. */
  decide(isFirstTouch: number, windowDays: number, journey: number, cookieDays: number, seconds: number): number;
}

/** The core of tracking links. See src/bindings/page_link.rs. */
export interface LinkCore {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Where the one buffer of characters starts in the memory. */
  buffer(): number;
  /** Builds a link from the first `length` characters. */
  build(length: number): number;
}
