/** What a conversion token has of the runtime: chance, and how long it lives. */

/** How long a token is valid: `LIFE_MS` of src/conversion_token.rs. */
export const TOKEN_LIFE_MS = 900_000;

/** 16 hexadecimal digits: no two tokens are alike. */
export function createNonce(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
