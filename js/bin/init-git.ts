/** What git takes up of a project: the lines of .gitignore, and whether a file of secrets stays out of a repository. */
import { spawnSync } from "node:child_process";
import { basename } from "node:path";
import { textIn, withLinesAtEnd } from "./init-project.js";

const FOLDERS = ["node_modules", ".wrangler"];
const FILES = [".dev.vars", ".env", ".env.local"];

/** The text of .gitignore with the lines that it lacks. */
export function withIgnored(before = ""): string {
  const missing = [...FOLDERS, ...FILES].filter((name) => !ignores(before, name));
  return missing.length === 0 ? before : withLinesAtEnd(before, missing);
}

/**
 * Does this text name the file or folder in all folders? `/.dev.vars` is the one of .gitignore's own folder alone, and
 * a later line with `!` takes a name back.
 */
function ignores(gitignore: string, name: string): boolean {
  let isIgnored = false;
  for (const line of gitignore.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    const rule = line.replace(/ +$/, "");
    const pattern = rule.replace(/^\*\*\//, "");
    if (pattern === name || (pattern === `${name}/` && FOLDERS.includes(name))) isIgnored = true;
    // A pattern with wildcards may mean any name.
    else if (rule.startsWith("!") && (rule.endsWith(name) || /[*?[\\]/.test(rule))) isIgnored = false;
  }
  return isIgnored;
}

/** Whether git ignores a file, and the rule that says no. */
export interface Ignored {
  readonly isIgnored: boolean;
  readonly rule?: string;
}

/** Asks git; where there is no git or no repository, .gitignore is read. */
export function isIgnored(folder: string, path: string): Ignored {
  const asked = ["check-ignore", "--verbose", "--no-index", path];
  const { status, stdout } = spawnSync("git", asked, { cwd: folder, encoding: "utf8" });
  if (status === 1) return { isIgnored: false };
  if (status !== 0) return { isIgnored: ignores(textIn(folder, ".gitignore") ?? "", basename(path)) };
  // Such as `.gitignore:3:!.dev.vars`, a tab and the path.
  const [, rule = "", pattern = ""] = /^(.*?:\d+:(.*))\t/.exec(stdout) ?? [];
  return pattern.startsWith("!") ? { isIgnored: false, rule } : { isIgnored: true };
}

/** Does git keep the file whatever .gitignore says? */
export function isTracked(folder: string, path: string): boolean {
  return spawnSync("git", ["ls-files", "--error-unmatch", path], { cwd: folder, stdio: "ignore" }).status === 0;
}

/** What to do where a repository would take the file's secrets up. */
export const untilIgnored = (path: string, { rule }: Ignored): string =>
  `git does not ignore it${rule === undefined ? "" : ` (${rule})`}, so its secrets would go where the repository goes. ` +
  `See that git ignores it, by this line in .gitignore, then run this command again\n  | ${basename(path)}`;
