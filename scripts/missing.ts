// The words for a missing value, for the page's regular expression (js/page/missing.ts). The core's lists are the only
// ones.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** As expressions: `xxx` has three letters or more, and in `notx` the core finds the longest word, `not`. */
const EXPRESSIONS: Record<string, string> = { xxx: "xxx+(?!x)", no: "no(?!t)" };

/** A list of src/placeholder.rs, joined by `|`. */
function wordsOf(list: string): string {
  const rust = readFileSync(join(fileURLToPath(new URL("..", import.meta.url)), "src/placeholder.rs"), "utf8");
  const [, words] = new RegExp(`^const ${list}: &\\[u8\\] = b"([^"]*)"`, "m").exec(rust) ?? [];
  if (words === undefined) throw new Error(`src/placeholder.rs has no list ${list}`);
  return words
    .split(/[\s\\]+/)
    .map((word) => EXPRESSIONS[word] ?? word)
    .join("|");
}

export const MISSING_WORDS = wordsOf("MISSING");
export const BESIDE_WORDS = wordsOf("BESIDE");
