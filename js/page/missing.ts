/**
 * Words for a missing click id, such as `undefined`. The rule is `is_missing_word` of src/placeholder.rs, whose words
 * scripts/page.ts puts here, joined by `|`: a regular expression is a third of the bytes that the core takes for it.
 */

declare const MISSING_WORDS: string;
declare const BESIDE_WORDS: string;

/** Does the text consist of these words and of marks alone? */
const hasOnly = (words: string, text: string) => RegExp(`^(?:${words}|[^a-z\\d])*$`, "i").test(text);

/** Does the text, in the alphabet of click ids, stand for a missing value? */
export const isMissing = (text: string): boolean =>
  /^__.*__$/.test(text) ||
  // A program's word in place of a value. With a number beside it, the text may still tell two clicks apart.
  (/^\D*$/.test(text) && /(^|[^a-z])(undefined|null|nan)+([^a-z]|$)/i.test(text)) ||
  (hasOnly(`${MISSING_WORDS}|${BESIDE_WORDS}`, text) && !(hasOnly(BESIDE_WORDS, text) && /[a-z]/i.test(text)));
