/**
 * Placeholders among ids of any alphabet: `is_missing_value` of src/placeholder.rs for frames, which have no core. Where
 * a text is unclear, it counts as an id: the forwarder has the core's rule.
 */
import { isMissing } from "./missing.js";
import { attempt } from "./store.js";

/** A name in a template's marks as the whole text, or the marks anywhere in it. A number in marks is an id. */
const TEMPLATE =
  /^(?=.*[a-z]|..\}?$)(?!(\D*\d){3})(\{.{0,33}\}|#..+#|%.|%.+%|<.*>|\$.+\$|\*.+\*|@.+@|__.*__)$|^(?![^a-z]*(\d[^a-z]*){3}$).*(\{\{|\{%|[$#%@]\{|<[%?]|%%|\[\[)|^\D*[{}[\]<>]\D*$/is;

/** A variable; a number in it may tell two orders apart. */
const VARIABLE = /^(\$[a-z_][a-z_.>[\]()'"-]*|@[a-z_]*\.[a-z_.]*)$/i;

/** What spreadsheets, databases and languages write for no value, for an object or a function. */
const WRITTEN =
  /^(#(N\/[AD]|NV|\u041d\/\u0414|DIV\/0!|GETTING_DATA|\D+[!?])|\\N|(javascript:)?void[ (]0\)?|-?1\.#(QNAN|IND|INF)|class .*\{.*)$|\[object |\[(async|generator)?function|\[class |\[circular|\[native code\]|function ?\(|=>|symbol\(|promise \{|<(nil|null|none|undefined)>/is;

/** Characters without width. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\u2800\ufff9-\ufffd]/gu;

/** Does the text stand for a missing value, as written or percent-encoded up to three times? */
export function isPlaceholder(text: string, depth = 0): boolean {
  const seen = text.replace(INVISIBLE, "").trim();
  const plain = seen.replace(/^[\u2013\u2014\u2026]$/, "-");
  const decoded = depth < 3 ? attempt(() => decodeURIComponent(seen)) : undefined;
  return (
    TEMPLATE.test(seen) ||
    VARIABLE.test(seen) ||
    WRITTEN.test(seen) ||
    (isMissing(plain) && /^(?!__(\D*\d){3}|.*==$|-1$)[!-~\s]*$/.test(plain)) ||
    (seen[0] === "@" && isMissing(`id${seen}`)) ||
    (decoded !== undefined && decoded !== seen && isPlaceholder(decoded, depth + 1))
  );
}
