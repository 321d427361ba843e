/** An address in the form that the core reads. */
import type { Visit } from "./engine.js";
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

/** The first addresses of the page, and all that had a new id. Each is read again by a later tracker, and at a yes. */
export const addresses: Record<string, number> = {};

/**
 * When each id was first read in this page, in ms since 1970. All trackers share it: a visit has the time at which its ids
 * came, however often they are read. 0 is an order's own id, which is no click.
 */
export const firstRead = { __proto__: null } as unknown as Record<string, number>;

/**
 * The decoded pairs of an address that is read at `at`, in two readings, and the time of the visit. Under the given names,
 * in small letters, a word for a missing value is left out, and so is an order's own id. Marks around an id are left out,
 * too: `"ID"`, `{ID}`, `ID/`. The first reads the query as it is; the second reads the whole address as networks mangle it,
 * with another separator for `&`. Where a longer address is cut, the last text gets a mark in it, so that half an id is
 * none. The form and the separators are those of `push_pairs` in src/url.rs, and the values those of `push_address` in
 * src/click_id.rs.
 */
export function pairsOf(address: string, names: readonly string[], at: number): Visit {
  const read = address.slice(0, MAX_READ) + (address[MAX_READ] ? "~cut" : "");
  const times: number[] = [];
  const pairs = [read.replace(/^[^?]*\??/, ""), read.replace(/%(25)*(3[bf]|26)|[#?;]/gi, "&")]
    .map((reading) =>
      // Not by `Array.from`, which old libraries replace.
      [...(urlOf(`http://c/?${reading.replace(/#/g, "%23")}`) as URL).searchParams]
        .map(([given, text]) => {
          let value = clean(text);
          // Without the rest of an `&amp;`.
          const name = clean(given.replace(/^(amp;)+/, ""));
          const rank = names.indexOf(name.toLowerCase());
          if (~rank) {
            value = withoutMarks(value);
            // biome-ignore lint/suspicious/noAssignInExpressions: a statement would be shipped.
            if (isMissing(value) || !(firstRead[value] ??= addresses[address] = at)) value = "";
            else times[rank] ??= firstRead[value] as number;
          }
          return `${name}\x01${value}\x02`;
        })
        .join(""),
    )
    .join("\x03");
  return [pairs, Math.min(at, times.flat()[0] || at)];
}
