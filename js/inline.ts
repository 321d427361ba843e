/**
 * The text form of the wasm's bytes in an entry. Each of the more frequent bytes is one character, each of the others
 * two. Unlike base64 it keeps the bytes' bounds, so that it compresses equally well.
 */

/** The text's characters: those that need no escape in a JavaScript string, or in a page's script. */
export const CHARACTERS = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))
  .filter((character) => !'"\\<'.includes(character))
  .join("");

/** The number of bytes with one character. Each later character begins a pair. */
export const SINGLES = CHARACTERS.length - 2;

/** Decodes a text of scripts/glue.ts: first all byte values in hex, the frequent ones first; then the wasm. */
export function fromText(text: string): Uint8Array<ArrayBuffer> {
  const ranks = new Uint8Array(128);
  for (let rank = 0; rank < CHARACTERS.length; rank += 1) ranks[CHARACTERS.charCodeAt(rank)] = rank;
  const order = new Uint8Array(256);
  for (let rank = 0; rank < 256; rank += 1) order[rank] = Number.parseInt(text.slice(2 * rank, 2 * rank + 2), 16);
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let at = 512; at < text.length; at += 1) {
    let rank = ranks[text.charCodeAt(at)] ?? 0;
    if (rank >= SINGLES) {
      at += 1;
      rank = SINGLES + (rank - SINGLES) * CHARACTERS.length + (ranks[text.charCodeAt(at)] ?? 0);
    }
    bytes[length] = order[rank] ?? 0;
    length += 1;
  }
  return bytes.slice(0, length);
}
