/** The variables of a `.env` or `.dev.vars` file: read as Node reads them, set without a change to other lines. */
import { parseEnv } from "node:util";
import { withLinesAtEnd } from "./init-project.js";

/** The value that counts, which is the last; `undefined` where the file has none, or an empty one. */
export function findValue(text: string, name: string): string | undefined {
  // wrangler, Next and Vite take `NAME: value` too, and Node 20 takes a tab for a part of the name.
  const plain = text
    .replace(/^\uFEFF/, "")
    .replace(/^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*(?:=|:(?=[ \t]))[ \t]*/gm, "$1=");
  return parseEnv(plain)[name]?.trim() || undefined;
}

/** Sets a variable that has no value: in its own line, else in a new one at the end. */
export function withValue(text: string, name: string, value: string): string {
  if (findValue(text, name) !== undefined) return text;
  const written = quoted(value);
  const empty = new RegExp(
    `^(\\uFEFF?[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*[=:][ \\t]*)((["'\`])\\s*\\3)?(?=[ \\t]*(#|\\r?$))`,
    "gm",
  );
  const line = [...text.matchAll(empty)].at(-1);
  if (line !== undefined) {
    const [found, before] = line;
    const rest = text.slice(line.index + found.length);
    const changed = text.slice(0, line.index) + before + written + (rest.startsWith("#") ? " " : "") + rest;
    // Within another variable's quotes it would be a part of that value.
    if (findValue(changed, name) === value) return changed;
  }
  return withLinesAtEnd(text, [`${name}=${written}`]);
}

/** The value as each reader takes it: in quotes where it has a blank, a `#` or a quote of its own. */
function quoted(value: string): string {
  if (/^[^\s#'"`]+$/.test(value)) return value;
  const quote = ["'", '"', "`"].find((each) => !value.includes(each)) ?? "";
  return quote + value + quote;
}
