// The words for a missing value, for the page's regular expression (js/page/missing.ts). The core's lists are the only
// ones.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * As expressions: `xxx` has three letters or more, in `notx` the core finds the longest word, `not`, and in `nano` it
 * finds `nan`. One expression may stand for several words; the others are then empty.
 */
const EXPRESSIONS: Record<string, string> = {
  xxx: "xxx+(?!x)",
  no: "no(?!t)",
  na: "na(?!n)",
  "n/a": "n[^a-z\\d]a",
  "n.a": "",
  "n-a": "",
  n_a: "",
  undefined: "undef(ined)?",
  undef: "",
  nul: "nul(?!l)",
  aid: "[acoprstu]id",
  ...Object.fromEntries(["cid", "oid", "pid", "rid", "sid", "tid", "uid"].map((word) => [word, ""])),
};

/** A list of src/placeholder.rs. */
export function wordsOf(list: string): string[] {
  const rust = readFileSync(join(fileURLToPath(new URL("..", import.meta.url)), "src/placeholder.rs"), "utf8");
  const [, words] = new RegExp(`^const ${list}: &\\[u8\\] = b"([^"]*)"`, "m").exec(rust) ?? [];
  if (words === undefined) throw new Error(`src/placeholder.rs has no list ${list}`);
  return words.split(/[\s\\]+/);
}

/** The words as expressions, separated by spaces. */
function expressionOf(list: string): string {
  const expressions = wordsOf(list).map((word) => EXPRESSIONS[word] ?? word);
  return expressions.filter((each) => each !== "").join(" ");
}

export const MISSING_WORDS = expressionOf("MISSING");
export const BESIDE_WORDS = expressionOf("BESIDE");
