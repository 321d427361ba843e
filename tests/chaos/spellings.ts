/** How a secret may be written where none may be. */

/** A text unchanged, percent-encoded, and in base64 at each of its three alignments. */
export function spellings(secret: string): string[] {
  const places = ["", "x", "xx"].map((before) => Buffer.from(before + secret).toString("base64"));
  // The text around the secret changes the digits at both ends.
  const cores = places.map((text) => text.slice(4, -4));
  const percent = [...Buffer.from(secret)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  return [secret, encodeURIComponent(secret), percent, percent.toUpperCase(), ...cores];
}
