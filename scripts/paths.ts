// npm run check, the paths: a file of the repository that a comment or a document names is there.
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./build.ts";

const FILES = [
  "{ARCHITECTURE,CONTRIBUTING,README,RELEASING,SECURITY}.md",
  "docs/*.md",
  "{bench,js,scripts,tests,workers,www}/**/*.{ts,tsx}",
  "{fuzz,src,tests}/**/*.rs",
];
const NAMED =
  /(?<![\w./@:$-])(?:bench|docs|examples|fuzz|js|scripts|src|tests|workers|www)\/[\w./-]+\.(?:json|md|mjs|php|rs|tsx?)\b/g;
const COMMENT = /^\s*(?:\/\/|\/?\*).*|(?<=\s)\/\/.*/;
/** A name that stands for others (`scripts/NAME.ts`), and files that the build makes. */
const NO_FILE = /\/[A-Z]+\.|^js\/(?:generated|wasm)\//;

/** The named paths that do not exist, as `line: path`. */
export function lostPaths(file: string, text: string, exists: (path: string) => boolean): string[] {
  return text.split("\n").flatMap((line, index) => {
    const prose = file.endsWith(".md") ? line : (COMMENT.exec(line)?.[0] ?? "");
    const lost = (prose.match(NAMED) ?? []).filter((path) => !NO_FILE.test(path) && !exists(path));
    return lost.map((path) => `${index + 1}: ${path}`);
  });
}

if (import.meta.main) {
  const exists = (path: string) => existsSync(join(root, path));
  for (const file of globSync(FILES, { cwd: root, exclude: (name) => /(^|\/)(node_modules|target)$/.test(name) })) {
    for (const lost of lostPaths(file, readFileSync(join(root, file), "utf8"), exists)) {
      console.error(`${file}:${lost} is not there`);
      process.exitCode = 1;
    }
  }
}
