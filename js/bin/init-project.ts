/** What `npx cake-edge init` finds in a folder: its package.json, its framework, its Worker, and what installs in it. */
import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "./usage.js";
import { readWranglerConfig } from "./wrangler-config.js";

/** The parts that a project may get. */
export const PARTS = ["page", "capture", "forwarder", "sandbox"] as const;
export type Part = (typeof PARTS)[number];

/** What to write, and where. */
export interface Plan {
  readonly folder: string;
  readonly parts: ReadonlySet<Part>;
  readonly framework: Framework;
  readonly isAgreed: boolean;
  readonly installs: boolean;
  /** This package's version. */
  readonly version: string;
  readonly manager: Manager;
}

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
  ["@qwik.dev/router", "Qwik"],
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
  const text = textIn(folder, "package.json");
  const manifest: Manifest = text === undefined ? {} : readManifest(text);
  for (const name of ["dependencies", "devDependencies", "scripts"] as const) {
    const table: unknown = manifest[name] ?? {};
    const isTable = typeof table === "object" && !Array.isArray(table);
    if (!isTable || Object.values(table as object).some((each) => typeof each !== "string")) {
      throw new UsageError(`package.json: ${name} must be an object of texts: mend it first`);
    }
  }
  return manifest;
}

/** Is it a folder? `undefined` where nothing stands, or a link that leads to nothing. */
export function isFolder(path: string): boolean | undefined {
  try {
    return statSync(path).isDirectory();
  } catch {
    return undefined;
  }
}

/** Is there a file of that name? A folder of the same name is none. */
export const isStanding = (folder: string, path: string): boolean => isFolder(join(folder, path)) === false;

/** Is it a link, also one that leads nowhere? */
export function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/** Where a path leads over all links; what is not there yet is taken by its name. */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(realPath(dirname(path)), basename(path));
  }
}

/** The text of a file, if it stands. In other encodings than UTF-8 it has characters in place of bytes. */
export function textIn(folder: string, path: string): string | undefined {
  if (!isStanding(folder, path)) return undefined;
  try {
    return readFileSync(join(folder, path), "utf8");
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

/** The text with more lines, which end as its own do. */
export function withLinesAtEnd(text: string, lines: readonly string[]): string {
  const end = text.includes("\r\n") ? "\r\n" : "\n";
  const open = text === "" || text.endsWith("\n") ? "" : end;
  return text + open + lines.map((line) => line + end).join("");
}

/** Where this package is installed, as seen from the folder: a workspace has it in a folder around this one. */
export function packageIn(folder: string): string {
  const at = upwards(folder).find((each) => existsSync(join(each, "node_modules/cake-edge/dist/page")));
  // Plug'n'Play has no node_modules, and this package in a folder of its own.
  if (at === undefined && hasPlugAndPlay(folder))
    return relative(folder, fileURLToPath(new URL("../..", import.meta.url)));
  return `${relative(folder, at ?? folder) || "."}/node_modules/cake-edge`.replace(/^\.\//, "");
}

/** Does Yarn's Plug'n'Play serve the packages of this folder? */
export const hasPlugAndPlay = (folder: string): boolean =>
  upwards(folder).some((at) => existsSync(join(at, ".pnp.cjs")));

/**
 * The major version of a package: the one that package.json fixes, else the installed one. A catalog's, `workspace:*`,
 * `latest` and a range over several say nothing by themselves. `undefined` where nothing tells.
 */
export function majorOf(folder: string, name: string): number | undefined {
  const declared = dependenciesIn(folder)[name] ?? "";
  const [, fixed] = /^(?:npm:[^@]+@)?[~^=v\s]*(\d+)(?:\.[\dx*]+)*(?:-[\w.]+)?$/.exec(declared) ?? [];
  const version = fixed ?? installedVersion(folder, name);
  return version === undefined ? undefined : Number.parseInt(version, 10);
}

/** The version that the project's own resolution finds: also a workspace's around it, and Plug'n'Play's. */
function installedVersion(folder: string, name: string): string | undefined {
  try {
    const file = createRequire(join(folder, "package.json")).resolve(`${name}/package.json`);
    return String(readManifest(readFileSync(file, "utf8"))["version"]);
  } catch {
    return undefined;
  }
}

/** Does TypeScript check the project? It then knows no module that is written without types. */
export const isTypeScript = (folder: string): boolean => existsSync(join(folder, "tsconfig.json"));

/** A file's endings that mean the same to the tool that reads it. */
const ENDINGS = [
  ["js", "ts", "jsx", "tsx", "mjs", "mts", "cjs", "cts"],
  ["jsonc", "json", "toml"],
];

/** The names of those files under each ending that would do. */
export const namesOf = (...files: string[]): string[] =>
  files.flatMap((file) => {
    const [, stem = file, ending = ""] = /^(.*)\.(\w+)$/.exec(file) ?? [];
    return (ENDINGS.find((endings) => endings.includes(ending)) ?? [ending]).map((each) => `${stem}.${each}`);
  });

/** The file that stands under this name, or under another ending; else the name itself. */
export const standing = (folder: string, file: string): string =>
  [file, ...namesOf(file)].find((each) => isStanding(folder, each)) ?? file;

/** Next reads no file beside a `src` with the pages in it. */
export function nextRoot(folder: string): string {
  const has = (path: string) => existsSync(join(folder, path));
  return !has("app") && !has("pages") && (has("src/app") || has("src/pages")) ? "src/" : "";
}

/** Is it a Next without `proxy`, which came with 16? */
export const isBeforeProxy = (folder: string): boolean => (majorOf(folder, "next") ?? 16) < 16;

/** The name of the file, and of its export, that Next runs before a page: Next 16 still reads a `middleware` of before. */
export function nextProxyName(folder: string): "proxy" | "middleware" {
  const stands = (name: string) => existsSync(join(folder, standing(folder, `${nextRoot(folder)}${name}.js`)));
  return isBeforeProxy(folder) || (stands("middleware") && !stands("proxy")) ? "middleware" : "proxy";
}

/** The Worker that keeps the clicks of a site without a framework of its own. */
export interface SiteWorker {
  /**
   * Whose it is: a new one in `site/`, the Worker of the project's root, the same where a build makes its file, or Pages
   * Functions.
   */
  readonly kind: "site" | "own" | "built" | "pages";
  readonly file: string;
  readonly config: string;
  readonly secrets: string;
  /** What to know of it. */
  readonly warning?: string;
}

/** The site's Worker: the one that the project has, else one in `site/`. */
export function siteWorkerIn(folder: string): SiteWorker {
  const site: SiteWorker = {
    kind: "site",
    file: standing(folder, "site/worker.js"),
    config: standing(folder, "site/wrangler.jsonc"),
    secrets: "site/.dev.vars",
  };
  if (isStanding(folder, site.config)) return site;
  // Of several, wrangler takes the one that ends with .json.
  const config = standing(folder, "wrangler.json");
  const text = textIn(folder, config);
  const said = text === undefined ? undefined : readWranglerConfig(config, text);
  const middleware = standing(folder, "functions/_middleware.js");
  if (isStanding(folder, middleware) || said?.isPages) {
    return { kind: "pages", file: middleware, config, secrets: ".dev.vars" };
  }
  if (said?.main !== undefined) {
    // Its path begins at the configuration.
    const file = normalize(said.main);
    return { kind: isStanding(folder, file) ? "own" : "built", file, config, secrets: ".dev.vars" };
  }
  if (text === undefined) return site;
  return {
    ...site,
    warning: said
      ? `${config} has a Worker of its own: site/ is another one, deployed beside it`
      : `${config} cannot be read, so its Worker is not known: site/ is another one, deployed beside it`,
  };
}

export interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  scripts?: Record<string, string>;
  [name: string]: unknown;
}

export function readManifest(json: string, file = "package.json"): Manifest {
  let manifest: unknown;
  try {
    // Some editors begin a file with a byte order mark, which npm passes over.
    manifest = JSON.parse(json.replace(/^\uFEFF/, ""));
  } catch {
    throw new UsageError(`${file} is not JSON in UTF-8: mend it first`);
  }
  if (typeof manifest !== "object" || manifest === null || Array.isArray(manifest)) {
    throw new UsageError(`${file} is no object: mend it first`);
  }
  return manifest as Manifest;
}

/** The manifest as text, with the indentation and the line ends of the file that stands. */
export function manifestText(manifest: Manifest, before = ""): string {
  const [, indentation = "  "] = /\n([ \t]+)\S/.exec(before) ?? [];
  const text = `${JSON.stringify(manifest, null, indentation)}\n`;
  return `${before.startsWith("\uFEFF") ? "\uFEFF" : ""}${before.includes("\r\n") ? text.replaceAll("\n", "\r\n") : text}`;
}

/** How a package manager installs, adds a package for development, and runs a package's program. */
interface Ways {
  readonly install: readonly string[];
  readonly add: string;
  readonly exec: string;
}

export const MANAGERS = {
  npm: { install: ["install", "--no-audit", "--no-fund"], add: "npm install --save-dev", exec: "npx" },
  pnpm: {
    // In CI it would refuse the changed package.json. From 11 on it ends with 1 while a package's script waits for
    // approval, though all is installed.
    install: ["install", "--no-frozen-lockfile", "--config.strict-dep-builds=false"],
    add: "pnpm add --save-dev",
    exec: "pnpm exec",
  },
  yarn: { install: ["install"], add: "yarn add --dev", exec: "yarn" },
  bun: { install: ["install"], add: "bun add --dev", exec: "bunx" },
} as const satisfies Record<string, Ways>;
export type Manager = keyof typeof MANAGERS;

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
    const text = textIn(at, "package.json");
    const named = text === undefined ? "" : namedManager(readManifest(text, join(at, "package.json")));
    if (Object.hasOwn(MANAGERS, named)) return named as Manager;
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
