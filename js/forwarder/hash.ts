/** Hashes of what must not be told or is too long to pass on: 128 bits in hexadecimal. */
const encoder = new TextEncoder();

/** Of a text's SHA-256. */
export async function hash(text: string): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

/** A hash that cannot be computed without the key. */
export type KeyedHash = (text: string) => Promise<string>;

/** By HMAC-SHA256; `key` is any text. */
export async function keyedHash(key: string): Promise<KeyedHash> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", encoder.encode(key), algorithm, false, ["sign"]);
  return async (text) => hex(await crypto.subtle.sign("HMAC", imported, encoder.encode(text)));
}

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes, 0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
