/** What git takes up of a project: the lines of .gitignore, and whether a file of secrets stays out of a repository. */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { isLink, realPath, textIn, upwards, withLinesAtEnd } from "./init-project.js";

const FOLDERS = ["node_modules", ".wrangler"];
const FILES = [".dev.vars", ".env", ".env.local"];

/** The text of .gitignore with the lines that it lacks. */
export function withIgnored(before = ""): string {
  const missing = [...FOLDERS, ...FILES].filter((name) => !ignores(before, name));
  return missing.length === 0 ? before : withLinesAtEnd(before, missing);
}

/**
 * Does this text name the file or folder in all folders? `/.dev.vars` is the one of .gitignore's own folder alone, and
 * a later line with `!` takes a name back. `isIgnored` is what the outer folders' texts say.
 */
export function ignores(gitignore: string, name: string, isIgnored = false): boolean {
  let said = isIgnored;
  for (const line of gitignore.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    const rule = line.replace(/ +$/, "");
    const pattern = rule.replace(/^\*\*\//, "");
    if (pattern === name || (pattern === `${name}/` && FOLDERS.includes(name))) said = true;
    // A pattern with wildcards may mean any name.
    else if (rule.startsWith("!") && (rule.endsWith(name) || /[*?[\\]/.test(rule))) said = false;
  }
  return said;
}

/** Where the secrets of a file would go. */
export interface Taken {
  /** Why no secret may be written into the file. One that git tracks has none. */
  readonly refusal?: string;
  /** What to know of the secrets that it has. */
  readonly warning?: string;
}

/**
 * Asks git in the file's own folder, at the end of all links: that may be another repository than the project's. Where
 * there is no git or no repository, each .gitignore is read. `undefined` where the file is ignored.
 */
export function takenByGit(folder: string, path: string): Taken | undefined {
  const [base, file] = [realPath(folder), realPath(join(folder, path))];
  const tracked = git(file, "--literal-pathspecs", "ls-files", "--error-unmatch");
  if (tracked.status === 0) {
    const at = relative(base, dirname(file));
    const command = `git ${at === "" ? "" : `-C ${at} `}rm --cached ${basename(file)}`;
    return { warning: `git tracks ${path}, so its secrets go where the repository goes: ${command}` };
  }
  const said = ignoredByGit(file) ?? ignoredByText(file, base, tracked);
  if (said.isIgnored) return undefined;
  const refusal = said.doubt ?? untilIgnored(file, base, path, said.rule);
  // Outside of a repository nothing takes up what is there already.
  return isInRepository(file) ? { refusal, warning: `${path}: ${refusal}` } : { refusal };
}

interface Ignored {
  readonly isIgnored: boolean;
  /** The rule, or the file of the rule, that says no. */
  readonly rule?: string | undefined;
  /** Why it is not known. */
  readonly doubt?: string;
}

function git(file: string, ...args: string[]): SpawnSyncReturns<string> {
  // Who sets GIT_DIR means the folder that the command runs in.
  const isNamed = process.env["GIT_DIR"] !== undefined;
  const cwd = isNamed ? process.cwd() : upwards(dirname(file)).find((at) => existsSync(at));
  return spawnSync("git", [...args, "--", file], { cwd, encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
}

function ignoredByGit(file: string): Ignored | undefined {
  const { status, stdout } = git(file, "check-ignore", "--verbose", "--no-index");
  if (status === 1) return { isIgnored: false };
  if (status !== 0) return undefined;
  // Such as `.gitignore:3:!.dev.vars`, a tab and the path.
  const [, rule = "", pattern = ""] = /^(.*?:\d+:(.*))\t/.exec(stdout) ?? [];
  return pattern.startsWith("!") ? { isIgnored: false, rule } : { isIgnored: true };
}

/** What each .gitignore says, from the outermost on: unless it is git that does not tell of its own repository. */
function ignoredByText(file: string, base: string, { error, stderr }: SpawnSyncReturns<string>): Ignored {
  if (error === undefined && isInRepository(file)) {
    const words = stderr.trim().replace(/\n+/g, "\n").replace(/^/gm, "  | ");
    return {
      isIgnored: false,
      doubt: `git does not tell whether it takes it up. Mend what git says, then run this command again\n${words}`,
    };
  }
  const top = topOf(file, base);
  let isIgnored = false;
  let rule: string | undefined;
  for (const at of upwards(dirname(file)).reverse()) {
    const gitignore = join(at, ".gitignore");
    if (!`${at}${sep}`.startsWith(top + sep) || isLink(gitignore)) continue;
    const said = ignores(textIn(at, ".gitignore") ?? "", basename(file), isIgnored);
    if (isIgnored && !said) rule = relative(base, gitignore);
    isIgnored = said;
  }
  return { isIgnored, rule };
}

/** What to do where a repository would take the file's secrets up: the line, and the .gitignore of that repository. */
function untilIgnored(file: string, base: string, path: string, rule: string | undefined): string {
  const top = topOf(file, base);
  const isOwn = file === join(base, path) && top === topOf(join(base, ".gitignore"), base);
  const gitignore = isOwn ? ".gitignore" : relative(base, join(top, ".gitignore"));
  const line = isOwn ? basename(file) : `/${relative(top, file)}`;
  return (
    `git does not ignore it${rule === undefined ? "" : ` (${rule})`}, so its secrets would go where the repository goes. ` +
    `See that git ignores it, by this line in ${gitignore}, then run this command again\n  | ${line}`
  );
}

/** The innermost folder around a file that is a repository, or a submodule. */
const repositoryOf = (file: string) => upwards(dirname(file)).find((at) => existsSync(join(at, ".git")));

const isInRepository = (file: string) => repositoryOf(file) !== undefined || process.env["GIT_DIR"] !== undefined;

/** The outermost folder whose .gitignore counts for a file. */
const topOf = (file: string, base: string) =>
  repositoryOf(file) ?? (file.startsWith(base + sep) ? base : dirname(file));
