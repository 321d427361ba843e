/** An address's query as the core reads it. */

/** Without white space around it. No such text holds what separates texts. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what separates.
const clean = (text: string) => text.trim().replace(/[\0-\x04]/g, "\x7f");

/**
 * The pairs of a query, decoded, in two readings: as it stands, and as networks mangle it, with `?` for `&`. The form is
 * that of `push_pairs` in src/url.rs.
 */
export function pairsOf(query: string): string {
  return [query, query.replace(/\?/g, "&")]
    .map((reading) =>
      Array.from(
        new URLSearchParams(reading),
        // Without what is left of an `&amp;`.
        ([name, value]) => `${clean(name).replace(/^(amp;)+/, "")}\x01${clean(value)}\x02`,
      ).join(""),
    )
    .join("\x03");
}
