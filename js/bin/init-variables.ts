/** The variables of a `.env` or `.dev.vars` file: read as dotenv reads them, set without a change to other lines. */
import { withLinesAtEnd } from "./init-project.js";

/** A line, or several, that set a variable. */
interface Setting {
  readonly name: string;
  /** What the program gets: without quotes, blanks around it and a comment. */
  readonly value: string;
  /** Where the text has the value, with its quotes. */
  readonly from: number;
  readonly to: number;
}

/** The pattern of dotenv, which wrangler, Next and Vite have in them: a quoted value may have several lines. */
const SETTING =
  /^(\s*(?:export\s+)?)([\w.-]+)(\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$/gm;

function settingsOf(text: string): Setting[] {
  return [...text.matchAll(SETTING)].map((found) => {
    const [, before = "", name = "", sign = "", raw = ""] = found;
    const from = found.index + before.length + name.length + sign.length + (/^\s*/.exec(raw)?.[0].length ?? 0);
    const written = raw.trim();
    const bare = written.replace(/^(['"`])([\s\S]*)\1$/, "$2");
    const value = written.startsWith('"') ? bare.replaceAll("\\n", "\n").replaceAll("\\r", "\r") : bare;
    return { name, value, from, to: from + written.length };
  });
}

const lastOf = (text: string, name: string) => settingsOf(text).findLast((setting) => setting.name === name);

/** The value that counts, which is the last; `undefined` where the file has none, or an empty one. */
export const findValue = (text: string, name: string): string | undefined =>
  lastOf(text, name)?.value.trim() || undefined;

/** Sets a variable that has no value: in its own line, else in a new one at the end. */
export function withValue(text: string, name: string, value: string): string {
  if (findValue(text, name) !== undefined) return text;
  const written = quoted(value);
  const setting = lastOf(text, name);
  if (setting === undefined) return withLinesAtEnd(text, [`${name}=${written}`]);
  const rest = text.slice(setting.to);
  return text.slice(0, setting.from) + written + (rest.startsWith("#") ? " " : "") + rest;
}

/** The value as each reader takes it: in quotes where it has a blank, a `#` or a quote of its own. */
function quoted(value: string): string {
  if (/^[^\s#'"`]+$/.test(value)) return value;
  const quote = ["'", '"', "`"].find((each) => !value.includes(each)) ?? "";
  return quote + value + quote;
}
