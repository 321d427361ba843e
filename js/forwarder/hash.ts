/**
 * Hashes of values that are secret or too long to pass on, computed synchronously by the core (`src/delivery/id.rs`).
 */
import { call } from "../error.js";
import { core } from "./core.js";

/** The first 128 bits of a text's SHA-256, in hexadecimal. */
export function hash(text: string): string {
  return call(() => core.api().hash(text));
}

/** A hash that cannot be computed without the key. */
export type KeyedHash = (text: string) => string;

/** The hash by HMAC-SHA256; `key` is any text. */
export function keyedHash(key: string): KeyedHash {
  const made = core.keep(({ IdKey }) => new IdKey(key));
  return (text) => call(() => made().hash(text));
}
