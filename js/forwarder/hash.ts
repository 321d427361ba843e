/** Hashes of what must not be told or is too long to pass on, by the core (`src/delivery/id.rs`): no turn is waited for. */
import { call } from "../error.js";
import { core } from "./core.js";

/** Of a text's SHA-256: 128 bits in hexadecimal. */
export function hash(text: string): string {
  return call(() => core.api().hash(text));
}

/** A hash that cannot be computed without the key. */
export type KeyedHash = (text: string) => string;

/** By HMAC-SHA256; `key` is any text. */
export function keyedHash(key: string): KeyedHash {
  const made = core.keep(({ IdKey }) => new IdKey(key));
  return (text) => call(() => made().hash(text));
}
