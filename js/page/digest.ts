/**
 * SHA-256, synchronous: `crypto.subtle` is missing on http pages, and its promise is too late when a page is being
 * left.
 */

/** The first 32 bits of a number's fractional part. */
const fraction = (number: number) => ((number % 1) * 2 ** 32) | 0;

const rotate = (word: number, by: number) => (word >>> by) | (word << (32 - by));

/** The first 128 bits of the SHA-256 of a text's UTF-8, in hex. The text has no lone surrogate. */
export function digest(text: string): string {
  const rounds: number[] = [];
  const hash: number[] = [];
  // The constants are square and cube roots of the first primes.
  for (let number = 2; rounds.length < 64; number += 1) {
    let divisor = 2;
    while (number % divisor) divisor += 1;
    if (divisor < number) continue;
    if (hash.length < 8) hash.push(fraction(number ** 0.5));
    rounds.push(fraction(number ** (1 / 3)));
  }
  const bytes = [...unescape(encodeURIComponent(text))].map((character) => character.charCodeAt(0));
  const bits = bytes.length * 8;
  bytes.push(128);
  while (bytes.length % 64 !== 56) bytes.push(0);
  bytes.push(0, 0, 0, 0, bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255);
  const byte = (at: number) => bytes[at] as number;
  const words: number[] = [];
  const word = (at: number) => words[at] as number;
  for (let block = 0; block < bytes.length; block += 64) {
    let state = [...hash];
    for (let index = 0; index < 64; index += 1) {
      const at = block + index * 4;
      const [early, late] = [word(index - 15), word(index - 2)];
      words[index] =
        index < 16
          ? (byte(at) << 24) | (byte(at + 1) << 16) | (byte(at + 2) << 8) | byte(at + 3)
          : (word(index - 16) +
              word(index - 7) +
              (rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3)) +
              (rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10))) |
            0;
      const [a, b, c, d, e, f, g, h] = state as [number, number, number, number, number, number, number, number];
      const choice = (e & f) ^ (~e & g);
      const majority = (a & b) ^ (a & c) ^ (b & c);
      const mixed =
        h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + (rounds[index] as number) + word(index);
      const first = (mixed + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority) | 0;
      state = [first, a, b, c, (d + mixed) | 0, e, f, g];
    }
    state.forEach((value, index) => {
      hash[index] = ((hash[index] as number) + value) | 0;
    });
  }
  const hex = (value: number) => (value >>> 0).toString(16).padStart(8, "0");
  return hash.slice(0, 4).map(hex).join("");
}
