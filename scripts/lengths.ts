// npm run check, the lengths: a file of source or of tests has one idea, and at most 500 lines. Generated files are not
// in git; vectors are data; a template of Google Tag Manager is one file by its format.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./build.ts";

const MAX_LINES = 500;
const SOURCE = /\.(rs|[cm]?[jt]sx?|php|css|html|svelte|vue|astro|sh)$/;

/** The violations among these files, a sentence each. */
export function lengthProblems(sources: ReadonlyMap<string, string>): string[] {
  return [...sources].flatMap(([file, text]) => {
    const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
    if (!SOURCE.test(file) || lines <= MAX_LINES) return [];
    return [`${file} has ${lines} lines, at most ${MAX_LINES}: split it into files of one idea each`];
  });
}

if (import.meta.main) {
  const list = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root });
  const files = list.toString().split("\0");
  const present = files.filter((file) => SOURCE.test(file) && existsSync(join(root, file)));
  const problems = lengthProblems(new Map(present.map((file) => [file, readFileSync(join(root, file), "utf8")])));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
