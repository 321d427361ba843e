/** What `npx cake-edge init` finds in a folder: its package.json, its framework, and what installs in it. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
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

/** The framework of the project. */
export function guess(folder: string): Framework {
  const all = dependenciesIn(folder);
  if ("next" in all) return "next";
  if ("@sveltejs/kit" in all) return "sveltekit";
  return "vite" in all ? "vite" : "wrangler";
}

export function dependenciesIn(folder: string): Record<string, string> {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return {};
  const { dependencies, devDependencies } = readManifest(readFileSync(file, "utf8"));
  return { ...dependencies, ...devDependencies };
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
    const named = existsSync(file) ? String(readManifest(readFileSync(file, "utf8"))["packageManager"] ?? "") : "";
    const [name = ""] = named.split("@");
    if (Object.hasOwn(INSTALL, name)) return name as Manager;
  }
  return "npm";
}

/** The folder and all around it, the nearest first. */
export function upwards(folder: string): string[] {
  const outer = dirname(folder);
  return outer === folder ? [folder] : [folder, ...upwards(outer)];
}
