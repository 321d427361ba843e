/** The runtime's part in a conversion token: random digits, and the time of life. */

/** How long a token is valid, in milliseconds: `LIFE_MS` of src/conversion_token.rs. */
export const TOKEN_LIFE_MS = 900_000;

/** 16 random hexadecimal digits, so that no two tokens are alike. */
export function createNonce(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
