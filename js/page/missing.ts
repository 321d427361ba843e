/**
 * Words for a missing click id, such as `undefined`. The rule is `is_missing_word` of src/placeholder.rs, whose words
 * scripts/missing.ts reads: a regular expression takes half of the bytes that the core takes for it.
 */

/** Expressions, separated by spaces: a text with spaces packs better than one with `|`. */
declare const MISSING_WORDS: string;
declare const BESIDE_WORDS: string;

/** `__…__`, or words of these lists and marks alone, unless all words are of the second list. */
const WORDS = `__.*__ (?!([^a-z\\d]*(${BESIDE_WORDS}))+[^a-z\\d]*$)([^a-z\\d] ${MISSING_WORDS} ${BESIDE_WORDS})*`;

/** A program's word in place of a value. With a number beside it, the text may still tell two clicks apart. */
const LOST = "(?=\\D*$)(.*[^a-z])?(undefined null nan)+([^a-z].*)?";

/** Does the text, in the alphabet of click ids, stand for a missing value? */
export const isMissing = (text: string): boolean =>
  RegExp(`^(${WORDS} ${LOST} -1)$`.replace(/ /g, "|"), "i").test(text);
