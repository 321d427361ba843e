/** The cores as a page sees them: the exports of their WebAssembly, and of the fallback in plain JavaScript. */

/** The core of clicks. See src/bindings/page.rs. */
export interface Core {
  /** Sets a byte of the input, in the order of the places. */
  put(byte: number, at: number): void;
  /** A byte of the answer; 0 past its end. */
  reply(at: number): number;
  /** Decides what a visit leaves in the browser. Returns the cookie's age in seconds; 0 if there is no text. Times are seconds since 1970. */
  decide(
    isFirstTouch: number,
    windowDays: number,
    journey: number,
    cookieDays: number,
    came: number,
    now: number,
  ): number;
}

/** The core's decision about a visit. */
export type Decision = readonly [
  /** The cookie's age in seconds; 0 if there is no text. */
  age: number,
  /** The text that each store is to have. */
  text: string,
  /** The click id that counts; empty if there is none. */
  clickId: string,
];

/** The core of tracking links. See src/bindings/page_link.rs. */
export interface LinkCore {
  /** Appends a character to the input. */
  push(character: number): void;
  /** A byte of the answer; 0 past its end. */
  byte(at: number): number;
  /** Builds a link; returns 1 on success. */
  build(): number;
}

/** Reads an answer, which is ASCII, byte by byte. */
export function answerOf(byteAt: (at: number) => number): string {
  let answer = "";
  while (byteAt(answer.length)) answer += String.fromCharCode(byteAt(answer.length));
  return answer;
}
