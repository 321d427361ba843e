/** An address as the core reads it. */

/** Without white space around it. No such text holds what separates texts. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what separates.
const clean = (text: string) => text.trim().replace(/[\0-\x04]/g, "\x7f");

/**
 * The pairs of an address, decoded, in two readings: its query as it stands, and all of it as networks mangle it, with
 * another separator for `&`. The form is that of `push_pairs` in src/url.rs, and so are the separators.
 */
export function pairsOf(address: string): string {
  return [address.replace(/^[^?]*\?/, ""), address.replace(/[?;]|%(25)*(3[bf]|26)/gi, "&")]
    .map((reading) =>
      // Not by `Array.from`, which old libraries replace.
      [...new URLSearchParams(reading)]
        // Without what is left of an `&amp;`.
        .map(([name, value]) => `${clean(name).replace(/^(amp;)+/, "")}\x01${clean(value)}\x02`)
        .join(""),
    )
    .join("\x03");
}
