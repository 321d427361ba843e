/** What `npx cake-edge init` finds in a folder: its package.json, its framework, and what installs in it. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { UsageError } from "./usage.js";

export const FRAMEWORKS = ["wrangler", "next", "sveltekit", "vite"] as const;
export type Framework = (typeof FRAMEWORKS)[number];

/** The frameworks that have a starter under `examples/`, by their packages, and their documents. */
export const STARTERS = [
  ["nuxt", "Nuxt", "nuxt.md"],
  ["astro", "Astro", "astro.md"],
  ["@react-router/dev", "React Router", "react-router.md"],
  ["hono", "Hono", "hono.md"],
] as const;

/** The frameworks with a server of their own, for which nothing is written. */
export const SERVERS = [
  ["@remix-run/dev", "Remix"],
  ["@angular/core", "Angular"],
  ["@builder.io/qwik-city", "Qwik"],
  ["@solidjs/start", "SolidStart"],
  ["@tanstack/react-start", "TanStack Start"],
] as const;

/** The framework of the project. */
export function guess(folder: string): Framework {
  const all = dependenciesIn(folder);
  if ("next" in all) return "next";
  if ("@sveltejs/kit" in all) return "sveltekit";
  return "vite" in all ? "vite" : "wrangler";
}

export function dependenciesIn(folder: string): Record<string, string> {
  const { dependencies, devDependencies } = manifestIn(folder);
  return { ...dependencies, ...devDependencies };
}

export function scriptsIn(folder: string): Record<string, string> {
  return manifestIn(folder).scripts ?? {};
}

function manifestIn(folder: string): Manifest {
  const file = join(folder, "package.json");
  return existsSync(file) ? readManifest(readFileSync(file, "utf8")) : {};
}

/** Where this package is installed, as seen from the folder: a workspace has it in a folder around this one. */
export function packageIn(folder: string): string {
  const at = upwards(folder).find((each) => existsSync(join(each, "node_modules/cake-edge/dist/page")));
  return `${relative(folder, at ?? folder) || "."}/node_modules/cake-edge`.replace(/^\.\//, "");
}

export interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  scripts?: Record<string, string>;
  [name: string]: unknown;
}

export function readManifest(json: string): Manifest {
  let manifest: unknown;
  try {
    // Some editors begin a file with a byte order mark, which npm passes over.
    manifest = JSON.parse(json.replace(/^\uFEFF/, ""));
  } catch {
    throw new UsageError("package.json is not JSON: mend it first");
  }
  if (typeof manifest !== "object" || manifest === null || Array.isArray(manifest)) {
    throw new UsageError("package.json is no object: mend it first");
  }
  return manifest as Manifest;
}

/** The manifest as text, with the indentation and the line ends of the file that stands. */
export function manifestText(manifest: Manifest, before = ""): string {
  const [, indentation = "  "] = /\n([ \t]+)\S/.exec(before) ?? [];
  const text = `${JSON.stringify(manifest, null, indentation)}\n`;
  return `${before.startsWith("\uFEFF") ? "\uFEFF" : ""}${before.includes("\r\n") ? text.replaceAll("\n", "\r\n") : text}`;
}

export const INSTALL = {
  npm: ["install", "--no-audit", "--no-fund"],
  pnpm: ["install"],
  yarn: ["install"],
  bun: ["install"],
} as const;
export type Manager = keyof typeof INSTALL;

const LOCKS: readonly [string, Manager][] = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
  ["package-lock.json", "npm"],
];

/** What installs here: by the lock file or package.json of the folder, or of the workspace around it. */
export function managerOf(folder: string): Manager {
  for (const at of upwards(folder)) {
    const [, locked] = LOCKS.find(([lock]) => existsSync(join(at, lock))) ?? [];
    if (locked !== undefined) return locked;
    const file = join(at, "package.json");
    const named = existsSync(file) ? namedManager(readManifest(readFileSync(file, "utf8"))) : "";
    if (Object.hasOwn(INSTALL, named)) return named as Manager;
  }
  return "npm";
}

/** The one that package.json names, in either of its two fields. */
function namedManager({ packageManager, devEngines }: Manifest): string {
  const wanted = (devEngines as { packageManager?: unknown } | undefined)?.packageManager;
  const [engine] = [wanted].flat() as ({ name?: unknown } | undefined)[];
  const [name = ""] = String(packageManager ?? engine?.name ?? "").split("@");
  return name;
}

/** The test of the sandbox: its file, which no other runner of the project collects, and where its `test` is from. */
export function sandboxTest(dependencies: Record<string, string>): [path: string, runner: string] {
  if ("vitest" in dependencies) return ["test/cake-edge.test.mjs", "vitest"];
  return ["jest" in dependencies ? "test/cake-edge.mjs" : "test/cake-edge.test.mjs", "node:test"];
}

/** The command of a `test` script that runs it. */
export const testCommand = (dependencies: Record<string, string>) =>
  "vitest" in dependencies ? "vitest run" : "node --test";

/** The folder and all around it, the nearest first. */
export function upwards(folder: string): string[] {
  const outer = dirname(folder);
  return outer === folder ? [folder] : [folder, ...upwards(outer)];
}
