/** An address in the form that the core reads. */
import { isMissing } from "./missing.js";
import { urlOf } from "./store.js";

/** The text without white space around it, and without the separators between texts. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what separates.
const clean = (text: string) => text.trim().replace(/[\0-\x04]/g, "\x7f");

/**
 * The value without the marks around it, if it is an id with a number: a name in marks is a placeholder. An escape's mark
 * right before the id stays. See `without_marks` in src/click_id.rs.
 */
export const withoutMarks = (value: string) =>
  /(\D*\d){3}/.test(value) ? value.replace(/^([^\w-]*[^\w%\\\ufffd-]|%(?=[^%]+%$))|[^\w-]+$/g, "") : value;

/** Put in place of a fragment's mark: the query goes on there, or begins. */
export const FRAGMENT = "&?&";

/** The characters of an address that are read: more than servers take, and few enough for the core's input. */
const MAX_READ = 30_000;

/**
 * The decoded pairs of an address, in two readings. Under the given names, in small letters, a word for a missing value
 * is left out, and so is one of `seen`: an id that was read before is no new click, whatever else the address has by now.
 * The ids of this address are added to `seen`, also those that the core does not take: two readings of it find one click.
 * Marks around an id are left out too: `"ID"`, `{ID}`, `ID/`. The first
 * reads the query as it is; the second reads the whole address as networks mangle it, with another separator for `&`.
 * Where a longer address is cut, the last text gets a mark in it, so that half an id is none. The form and the separators are those of `push_pairs`
 * in src/url.rs, and the values those of `push_address` in src/click_id.rs.
 */
export function pairsOf(address: string, names: readonly string[], seen: unknown[]): string {
  const before = [...seen];
  const read = address.slice(0, MAX_READ) + (address[MAX_READ] ? "~cut" : "");
  return [read.replace(/^[^?]*\??/, ""), read.replace(/[?;]|%(25)*(3[bf]|26)/gi, "&")]
    .map((reading) =>
      // Not by `Array.from`, which old libraries replace.
      [...(urlOf(`http://c/?${reading.replace(/#/g, "%23")}`) as URL).searchParams]
        .map(([given, text]) => {
          // Without the rest of an `&amp;`.
          const name = clean(given.replace(/^(amp;)+/, ""));
          let value = clean(text);
          if (names.includes(name.toLowerCase())) {
            value = withoutMarks(value);
            if (isMissing(value) || before.includes(value) || !seen.push(value)) value = "";
          }
          return `${name}\x01${value}\x02`;
        })
        .join(""),
    )
    .join("\x03");
}
