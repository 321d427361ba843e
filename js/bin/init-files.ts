/** Which files `npx cake-edge init` writes into a project, and what it adds to package.json. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { withIgnored } from "./init-git.js";
import {
  dependenciesIn,
  isBeforeProxy,
  isLink,
  isTypeScript,
  MANAGERS,
  type Manifest,
  majorOf,
  manifestText,
  namesOf,
  nextProxyName,
  nextRoot,
  type Plan,
  readManifest,
  sandboxTest,
  siteWorkerIn,
  standing,
  testCommand,
  textIn,
} from "./init-project.js";
import { COOKIE_SECRET, cookieSecretIn, forwarderSecrets } from "./init-secrets.js";
import {
  FORWARDER,
  FORWARDER_DEV,
  forwarderConfig,
  forwarderDevConfig,
  NEXT_PAGE,
  nextProxy,
  PAGE,
  PAGES_MIDDLEWARE,
  SANDBOX_TEST,
  SITE,
  SVELTE_HOOKS,
  siteConfig,
  TAG,
  WELCOME,
} from "./init-templates.js";
import { neverRuns } from "./init-unrun.js";
import { findValue, withValue } from "./init-variables.js";

const WRANGLER = "^4.151.0";

/** Makes a file's new text from its present text. */
export type Make = ((before: string | undefined) => string) & { readonly isOnce?: boolean };

/** Written once; later the file belongs to the user. */
const once = (text: string): Make => Object.assign((before: string | undefined) => before ?? text, { isOnce: true });

/** A file to write, and the other files that would stand for it. */
export type FileToWrite = [path: string, make: Make, namesakes?: readonly string[]];

/** A file that is written once, unless one stands for it. */
const file = (path: string, text: string, ...others: string[]): FileToWrite => [
  path,
  once(text),
  namesOf(path, ...others),
];

/** Has the plan a Worker in `site/`, or whichever the project has? */
export const keepsClicksInWorker = ({ parts, framework }: Plan): boolean =>
  parts.has("capture") && (framework === "wrangler" || framework === "vite");

/** The module of the page's tracker. */
export function pageModule({ folder, framework }: Plan): string {
  const [js, jsx] = isTypeScript(folder) ? ["ts", "tsx"] : ["js", "jsx"];
  const { next, sveltekit, vite } = {
    next: `${nextRoot(folder)}components/cake-edge.${jsx}`,
    sveltekit: `src/lib/cake-edge.${js}`,
    vite: `src/cake-edge.${js}`,
  };
  return standing(folder, framework === "next" ? next : framework === "sveltekit" ? sveltekit : vite);
}

/** All files of a plan, and what to know of them. */
export function filesOf(plan: Plan): { files: FileToWrite[]; warnings: string[] } {
  const { folder, parts, framework, manager } = plan;
  const files: FileToWrite[] = [["package.json", manifestWith(plan)]];
  const warnings: string[] = [];
  // Before the files of secrets, which it names.
  if (parts.has("forwarder") || parts.has("capture")) {
    if (isLink(join(folder, ".gitignore")))
      warnings.push(".gitignore is a link, which git does not read: make it a file");
    else files.push([".gitignore", withIgnored]);
  }
  const { exec } = MANAGERS[manager];
  const has = (path: string) => existsSync(join(folder, path));
  const wrangler = majorOf(folder, "wrangler") ?? 4;
  if ((parts.has("forwarder") || keepsClicksInWorker(plan)) && wrangler < 4) {
    warnings.push(
      `the project has wrangler ${wrangler}: the Workers here are written for 4, whose configuration has more`,
    );
  }
  const unrun = parts.has("capture") ? neverRuns(plan) : undefined;
  if (unrun !== undefined) warnings.push(unrun);
  // The forwarder reads the cookie that the capture signs.
  const cookieSecret = cookieSecretIn(folder);
  if (parts.has("forwarder")) {
    const named = (path: string) => basename(standing(folder, path));
    files.push(file("forwarder/worker.js", FORWARDER), file("forwarder/dev.js", FORWARDER_DEV));
    files.push(file("forwarder/wrangler.jsonc", forwarderConfig(named("forwarder/worker.js"), exec)));
    files.push(file("forwarder/wrangler.dev.jsonc", forwarderDevConfig(named("forwarder/dev.js"))));
    files.push(["forwarder/.dev.vars", (before = "") => forwarderSecrets(before, cookieSecret)]);
  }
  const withCookieSecret = (before = "") => withValue(before, COOKIE_SECRET, cookieSecret);
  if (parts.has("capture") && framework === "next") {
    const major = majorOf(folder, "next");
    if (major === undefined) {
      warnings.push("Next's version is not known here: proxy is for 16 and later, before it the file is middleware");
    }
    const [root, ending] = [nextRoot(folder), isTypeScript(folder) ? "ts" : "js"];
    const name = nextProxyName(folder);
    // Next 16 takes none of both names at once; before it, a proxy is any file.
    const namesakes = isBeforeProxy(folder) ? [] : ["proxy", "middleware"];
    files.push(
      file(`${root}${name}.${ending}`, nextProxy(name), ...namesakes.map((each) => `${root}${each}.${ending}`)),
    );
    // What .env.local has would go before it.
    files.push([findValue(textIn(folder, ".env") ?? "", COOKIE_SECRET) ? ".env" : ".env.local", withCookieSecret]);
  } else if (parts.has("capture") && framework === "sveltekit") {
    files.push(file("src/hooks.server.js", SVELTE_HOOKS, "src/hooks.server/index.js"));
    files.push([".env", withCookieSecret]);
  } else if (parts.has("capture")) {
    const worker = siteWorkerIn(folder);
    if (worker.warning !== undefined) warnings.push(worker.warning);
    const served = framework === "vite" ? "dist" : "public";
    if (worker.kind === "built") {
      warnings.push(
        `${worker.config} has the Worker ${worker.file}, which is not there: add what its source lacks\n${indented(SITE)}`,
      );
    } else {
      files.push(file(worker.file, worker.kind === "pages" ? PAGES_MIDDLEWARE : SITE));
    }
    if (worker.kind === "site") {
      files.push(file(worker.config, siteConfig(served, basename(worker.file), exec)));
      if (served === "public" && !has("public") && !parts.has("page")) files.push(file("public/index.html", WELCOME));
    }
    files.push([worker.secrets, withCookieSecret]);
  }
  if (parts.has("page")) {
    if (framework === "wrangler") files.push(file("public/landing.html", TAG));
    else
      files.push(file(pageModule(plan), framework === "next" ? NEXT_PAGE[isTypeScript(folder) ? "tsx" : "jsx"] : PAGE));
  }
  if (parts.has("sandbox")) {
    const [path, runner] = sandboxTest(dependenciesIn(folder));
    files.push(file(path, SANDBOX_TEST.replace("node:test", runner)));
  }
  return { files, warnings };
}

/** Lines to add by hand, as they are printed. */
export const indented = (text: string): string => text.trimEnd().replace(/^/gm, "  | ").replace(/ +$/gm, "");

/** The commands that the forwarder's scripts run. */
export function forwarderScripts(folder: string): Readonly<Record<"forwarder" | "forwarder:deploy", string>> {
  return {
    forwarder: `wrangler dev --config ${standing(folder, "forwarder/wrangler.dev.jsonc")}`,
    "forwarder:deploy": `wrangler deploy --config ${standing(folder, "forwarder/wrangler.jsonc")}`,
  };
}

/** The forwarder's scripts whose names the project has for other commands, as lines of package.json. */
export function lackingScripts({ folder, parts }: Plan, scripts: Readonly<Record<string, string>>): string[] {
  if (!parts.has("forwarder")) return [];
  return Object.entries(forwarderScripts(folder))
    .filter(([name, command]) => scripts[name]?.includes(command) === false)
    .map(([name, command]) => `${JSON.stringify(name)}: ${JSON.stringify(command)}`);
}

/** The packages that the plan needs, and package.json does not name. */
export const lackingPackages = (plan: Plan, dependencies = dependenciesIn(plan.folder)): string[] =>
  ["cake-edge", ...(plan.parts.has("forwarder") || keepsClicksInWorker(plan) ? ["wrangler"] : [])].filter(
    (name) => !(name in dependencies),
  );

function manifestWith(plan: Plan): Make {
  const { folder, parts, version } = plan;
  return (before) => {
    const manifest: Manifest = before === undefined ? { private: true, type: "module" } : readManifest(before);
    const all = { ...manifest.dependencies, ...manifest.devDependencies };
    const lacking = lackingPackages(plan, all);
    const wanted: Manifest = { ...manifest };
    if (lacking.includes("cake-edge")) wanted.dependencies = { ...manifest.dependencies, "cake-edge": `^${version}` };
    if (lacking.includes("wrangler")) wanted.devDependencies = { ...manifest.devDependencies, wrangler: WRANGLER };
    const scripts: Record<string, string> = parts.has("forwarder") ? forwarderScripts(folder) : {};
    const test = testCommand(all);
    // A script of the user's keeps its name; the one that `npm init` writes is none.
    const { test: own, ...others } = manifest.scripts ?? {};
    const isFree = parts.has("sandbox") && own?.includes("no test specified");
    const merged = { ...scripts, ...(parts.has("sandbox") ? { test } : {}), ...(isFree ? others : manifest.scripts) };
    if (Object.keys(merged).length > 0) wanted.scripts = merged;
    const isSame = before !== undefined && JSON.stringify(manifest) === JSON.stringify(wanted);
    return isSame ? before : manifestText(wanted, before);
  };
}
