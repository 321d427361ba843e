// npm run check, the arrows: which folder may import which, in TypeScript and in Rust, and that no files import each
// other in a circle. The tables below are the rule.
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { root } from "./build.ts";

/**
 * A room (a folder), and the rooms that its files may import besides itself. `js` is the floor: the files directly in
 * `js/`.
 */
const TYPESCRIPT: Readonly<Record<string, readonly string[]>> = {
  js: ["js/wasm"],
  "js/wasm": [],
  "js/types": [],
  "js/generated": [],
  "js/page": ["js"],
  "js/edge": ["js", "js/wasm"],
  "js/forwarder": ["js", "js/wasm"],
  "js/forwarder/node": ["js", "js/forwarder"],
  "js/sandbox": ["js", "js/wasm", "js/generated"],
  "js/report": ["js", "js/wasm"],
  "js/view": ["js/sandbox"],
  "js/bin": ["js", "js/wasm", "js/entry"],
  "js/entry": ["js", "js/wasm", "js/page", "js/edge", "js/forwarder", "js/forwarder/node", "js/report", "js/sandbox"],
  www: ["www/samples", "www/shop", "www/static"],
  "www/inspector": ["www"],
  "www/samples": [],
  "www/shop": ["www"],
  "www/static": ["www"],
  workers: [],
};

/** The same for Rust. `src` is the floor: the files directly in `src/`. */
const RUST: Readonly<Record<string, readonly string[]>> = {
  src: [],
  "src/api": ["src"],
  "src/delivery": ["src", "src/api"],
  "src/report": ["src"],
  "src/sandbox": ["src"],
  "src/bindings": ["src", "src/api", "src/delivery", "src/report", "src/sandbox"],
};

interface Arrow {
  readonly from: string;
  readonly to: string;
}

/** The texts of files, by their paths from the repository's root. */
export type Sources = ReadonlyMap<string, string>;

/** The violations among these files, a sentence each. */
export function arrowProblems(sources: Sources): string[] {
  const isModule = (folder: string) => sources.has(`${folder}.rs`);
  return [
    ...problemsOf(TYPESCRIPT, typescriptArrows(sources), isModule),
    ...problemsOf(RUST, rustArrows(sources), isModule),
  ];
}

if (import.meta.main) {
  const files = globSync(["js/**/*.{ts,tsx}", "www/**/*.{ts,tsx}", "workers/**/*.ts", "src/**/*.rs"], { cwd: root });
  const problems = arrowProblems(new Map(files.sort().map((file) => [file, readFileSync(join(root, file), "utf8")])));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

function problemsOf(
  rooms: Readonly<Record<string, readonly string[]>>,
  arrows: readonly Arrow[],
  isModule: (folder: string) => boolean,
): string[] {
  const forbidden = arrows.flatMap(({ from, to }) => {
    const [room, used] = [roomOf(rooms, from, isModule), roomOf(rooms, to, isModule)];
    if (room === undefined) return [`${from}: its room is not in scripts/arrows.ts: add it there`];
    if (room === used || used === undefined || rooms[room]?.includes(used)) return [];
    return [`${from} uses ${to}: ${room} may use ${rooms[room]?.join(", ") || "nothing else"}; see scripts/arrows.ts`];
  });
  return [...forbidden, ...circles(arrows).map((circle) => `a circle: ${circle.join(" -> ")}`)];
}

/**
 * The room of a file: its folder or the nearest folder above. A floor only has the files directly in it, and the
 * folders that belong to one of these: `src/touch/` is a part of `src/touch.rs`.
 */
function roomOf(
  rooms: Readonly<Record<string, unknown>>,
  file: string,
  isModule: (folder: string) => boolean,
): string | undefined {
  let own = dirname(file);
  while (!(own in rooms) && isModule(own)) own = dirname(own);
  const isFloor = (folder: string) => Object.keys(rooms).some((room) => room.startsWith(`${folder}/`));
  for (let folder = own; folder !== "."; folder = dirname(folder)) {
    if (folder in rooms) return folder === own || !isFloor(folder) ? folder : undefined;
  }
  return undefined;
}

/** Reports every circle once, from its first file. */
function circles(arrows: readonly Arrow[]): string[][] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of arrows) targets.set(from, [...(targets.get(from) ?? []), to]);
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) found.push([...path.slice(start), file]);
    if (start >= 0 || done.has(file)) return;
    for (const target of targets.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  return found;
}

/** Every import of one of our files, including type imports. */
function typescriptArrows(sources: Sources): Arrow[] {
  const files = [...sources.keys()].filter((file) => /\.tsx?$/.test(file));
  return files.flatMap((from) => {
    const text = (sources.get(from) ?? "").replace(/^\s*(\/?\*|\/\/).*$/gm, "");
    const imported = [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"?]+)/g)].map(([, path = ""]) => path);
    return [...new Set(imported)].flatMap((path) => {
      const to = normalize(join(dirname(from), path));
      const source = [to, to.replace(/\.js$/, ".ts"), to.replace(/\.js$/, ".tsx")].find((name) => files.includes(name));
      return source === undefined ? (to.startsWith("js/wasm") ? [{ from, to }] : []) : [{ from, to: source }];
    });
  });
}

/** Every path to one of our modules, without tests. A folder's mod.rs is shared by its files, and makes no circle. */
function rustArrows(sources: Sources): Arrow[] {
  const files = [...sources.keys()].filter(
    (file) => file.endsWith(".rs") && !/\/tests(\/|\.rs$)|_tests\.rs$/.test(file),
  );
  const fileOf = (module: readonly string[]) =>
    [`src/${module.join("/")}.rs`, `src/${module.join("/")}/mod.rs`].find((file) => files.includes(file));
  return files.flatMap((from) => {
    const own = from.replace(/^src\/|(\/mod)?\.rs$/g, "").split("/");
    const text = (sources.get(from) ?? "").replace(/\n#\[cfg\((all\()?test[\s\S]*$/, "").replace(/^\s*\/\/.*$/gm, "");
    const found = new Set<string>();
    for (const [, start = "", rest = ""] of text.matchAll(/\b(crate|(?:super::)*super|self)::(\{[^;]*\}|[\w:]+)/g)) {
      const levels = start === "self" ? 0 : start.split("::").length;
      const isModule = from.endsWith("/mod.rs");
      const base = start === "crate" ? [] : own.slice(0, own.length - (isModule ? levels - 1 : levels));
      for (const path of namesIn(rest)) {
        // The longest prefix of the path that is a file.
        for (let end = path.length; end > 0; end -= 1) {
          const to = fileOf([...base, ...path.slice(0, end)]);
          if (to !== undefined) {
            found.add(to);
            break;
          }
        }
      }
    }
    const isParent = (to: string) => to.endsWith("/mod.rs") && from.startsWith(to.slice(0, -"mod.rs".length));
    const isChild = (to: string) => from.endsWith("/mod.rs") && to.startsWith(from.slice(0, -"mod.rs".length));
    return [...found].filter((to) => to !== from && !isParent(to) && !isChild(to)).map((to) => ({ from, to }));
  });
}

/** The paths in `a::b` or in `{a, b::{c, d}}`, split at the outer braces. */
function namesIn(text: string): string[][] {
  if (!text.startsWith("{")) return [text.split("::")];
  const names: string[] = [];
  let depth = 0;
  let name = "";
  for (const character of text) {
    if (character === "{") depth += 1;
    if (character === "}") depth -= 1;
    if (depth === 1 && character !== "{" && character !== ",") name += character;
    if ((depth === 1 && character === ",") || depth === 0) {
      names.push(name.replace(/\}/g, ""));
      name = "";
    }
  }
  return names.map((each) =>
    each
      .trim()
      .split("::")
      .filter((part) => /^\w+$/.test(part)),
  );
}
