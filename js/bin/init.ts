/**
 * `npx cake-edge init`: writes the few files that a project needs, makes its secrets, installs, and runs the doctor.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { findNearest } from "../nearest.js";
import { doctor } from "./doctor.js";
import {
  dependenciesIn,
  FRAMEWORKS,
  type Framework,
  guess,
  INSTALL,
  type Manager,
  type Manifest,
  managerOf,
  manifestText,
  packageIn,
  readManifest,
  SERVERS,
  STARTERS,
  sandboxTest,
  scriptsIn,
  testCommand,
  upwards,
} from "./init-project.js";
import {
  COOKIE_SECRET,
  cookieSecretIn,
  forwarderSecrets,
  isTracked,
  SECRET_FILES,
  secretOf,
  withSecret,
} from "./init-secrets.js";
import {
  FORWARDER,
  FORWARDER_CONFIG,
  FORWARDER_DEV,
  FORWARDER_DEV_CONFIG,
  NEXT_PAGE,
  nextProxy,
  PAGE,
  SANDBOX_TEST,
  SITE,
  SVELTE_HOOKS,
  siteConfig,
  TAG,
  WELCOME,
} from "./init-templates.js";
import { RunError, readArgs, UsageError } from "./usage.js";
import { freePort } from "./workerd.js";

export const INIT_USAGE = `Usage: cake-edge init [options]

Writes the files that a project needs into this folder. It shows the difference before it changes a file. Without options
it asks.

  --page              a landing page's tracker
  --capture           clicks into a signed cookie, by the site's Worker or framework
  --forwarder         a Worker that keeps the API key and delivers conversions; locally into a sandbox
  --sandbox           a CAKE network in a test
  --framework NAME    wrangler, next, sveltekit or vite (by what package.json has, else wrangler)
  --yes               answer every question with yes, changes of existing files included
  --no-install        write only: nothing is installed, no doctor
  --dir DIR           another folder
  -h, --help

Documentation: node_modules/cake-edge/docs/init.md`;

const PARTS = ["page", "capture", "forwarder", "sandbox"] as const;
type Part = (typeof PARTS)[number];
const WRANGLER = "^4.151.0";

interface Plan {
  readonly folder: string;
  readonly parts: ReadonlySet<Part>;
  readonly framework: Framework;
  readonly isOldNext: boolean;
  readonly isAgreed: boolean;
  readonly installs: boolean;
  /** This package's version. */
  readonly version: string;
  readonly manager: Manager;
}

/** Writes, installs, examines; returns the exit status. */
export async function init(args: string[], version: string): Promise<number> {
  const plan = await readPlan(args, version);
  const files = filesOf(plan);
  let changed = 0;
  for (const [path, make, namesakes = []] of files) {
    // A file of the same name under another ending is the project's: of two, each tool would take its own.
    const standing = [path, ...namesakes].find((each) => make.isOnce && existsSync(join(plan.folder, each)));
    if (standing !== undefined) {
      const isOwn = !readFileSync(join(plan.folder, standing), "utf8").includes("cake-edge");
      const told = `left      ${standing} is yours: add what it lacks\n${indented(make(undefined))}`;
      console.log(isOwn ? told : `as it is  ${standing}`);
      continue;
    }
    const file = join(plan.folder, path);
    const before = existsSync(file) ? readFileSync(file, "utf8") : undefined;
    const after = make(before);
    if (after === before) {
      console.log(`as it is  ${path}`);
      continue;
    }
    if (before !== undefined) {
      console.log(`changed   ${path}\n${difference(before, after)}`);
      if (!plan.isAgreed && !(await agrees(`Change ${path}?`))) {
        console.log(`left      ${path}`);
        continue;
      }
    }
    if (SECRET_FILES.includes(path) && isTracked(plan.folder, path)) {
      console.log(`warning   git tracks ${path}, so its secrets go where the repository goes: git rm --cached ${path}`);
    }
    write(file, after);
    if (before === undefined) console.log(`written   ${path}`);
    changed += 1;
  }
  if (!plan.installs) return 0;
  if (changed > 0) await run(plan.manager, [...INSTALL[plan.manager]], plan.folder);
  const status = plan.parts.has("forwarder") ? await examine(plan.folder) : 0;
  for (const line of nextSteps(plan)) console.log(line);
  return status;
}

function write(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    // Only the owner may read secrets, also where the file stood before.
    const isSecret = SECRET_FILES.some((path) => file.endsWith(path));
    writeFileSync(file, text, isSecret ? { mode: 0o600 } : {});
    if (isSecret) chmodSync(file, 0o600);
  } catch (error) {
    throw new RunError(`${file} cannot be written: ${(error as Error).message}`);
  }
}

const OPTION_TYPES = {
  page: { type: "boolean" },
  capture: { type: "boolean" },
  forwarder: { type: "boolean" },
  sandbox: { type: "boolean" },
  framework: { type: "string" },
  yes: { type: "boolean" },
  "no-install": { type: "boolean" },
  dir: { type: "string" },
} as const;

async function readPlan(args: string[], version: string): Promise<Plan> {
  const values = readArgs(args, OPTION_TYPES, "cake-edge init --help");
  const folder = resolve((values["dir"] as string | undefined) ?? ".");
  const parts = new Set(PARTS.filter((part) => values[part] === true));
  if (parts.size === 0) {
    if (!process.stdin.isTTY) {
      throw new UsageError(`say what you want: ${PARTS.map((part) => `--${part}`).join(", ")}`);
    }
    for (const part of PARTS) if (await agrees(`${QUESTIONS[part]}?`)) parts.add(part);
    if (parts.size === 0) throw new UsageError("no part was chosen, so nothing is written");
  }
  const named = values["framework"] as Framework | undefined;
  if (named !== undefined && !FRAMEWORKS.includes(named)) {
    const nearest = findNearest(named, FRAMEWORKS);
    const meant = nearest === undefined ? "" : `: did you mean ${nearest}?`;
    throw new UsageError(`--framework must be one of ${FRAMEWORKS.join(", ")}, not ${JSON.stringify(named)}${meant}`);
  }
  const starter = STARTERS.find(([name]) => name in dependenciesIn(folder));
  if (starter !== undefined && named === undefined && (parts.has("page") || parts.has("capture"))) {
    throw new UsageError(
      `--page and --capture know no ${starter[1]}, which has a starter of its own: node_modules/cake-edge/docs/${starter[2]}`,
    );
  }
  const server = SERVERS.find(([name]) => name in dependenciesIn(folder));
  if (server !== undefined && named === undefined && parts.has("capture")) {
    throw new UsageError(
      `--capture knows no ${server[1]}, whose own server has to keep the click: node_modules/cake-edge/docs/capture.md`,
    );
  }
  if (values["no-install"] !== true && parts.has("forwarder") && isOlderThan(22, 12)) {
    throw new RunError(
      `wrangler serves the forwarder on this machine and needs Node 22.12; this is ${process.versions.node}: take --no-install, or a newer Node`,
    );
  }
  return {
    folder,
    parts,
    framework: named ?? guess(folder),
    isOldNext: /^\D*1[0-5]\b/.test(dependenciesIn(folder)["next"] ?? ""),
    manager: managerOf(folder),
    isAgreed: values["yes"] === true,
    installs: values["no-install"] !== true,
    version,
  };
}

const QUESTIONS: Record<Part, string> = {
  page: "A landing page that keeps its click and reports conversions",
  capture: "Clicks kept by the server in a signed cookie",
  forwarder: "A Worker that delivers conversions to CAKE",
  sandbox: "A CAKE network for tests",
};

function isOlderThan(major: number, minor: number): boolean {
  const [ours = 0, next = 0] = process.versions.node.split(".").map(Number);
  return ours < major || (ours === major && next < minor);
}

/** Makes a file's new text from its present text. */
type Make = ((before: string | undefined) => string) & { readonly isOnce?: boolean };

/** Written once; later the file belongs to the user. */
const once = (text: string): Make => Object.assign((before: string | undefined) => before ?? text, { isOnce: true });

const indented = (text: string) => text.trimEnd().replace(/^/gm, "  | ").replace(/ +$/gm, "");

/** A file's endings that mean the same to the tool that reads it. */
const ENDINGS = [
  ["js", "ts", "jsx", "tsx", "mjs", "mts", "cjs", "cts"],
  ["jsonc", "json", "toml"],
];

/** The names of those files under each ending that would do. */
const namesOf = (...files: string[]) =>
  files.flatMap((file) => {
    const [, stem = file, ending = ""] = /^(.*)\.(\w+)$/.exec(file) ?? [];
    return (ENDINGS.find((endings) => endings.includes(ending)) ?? [ending]).map((each) => `${stem}.${each}`);
  });

/** A file to write, and the other files that would stand for it. */
type FileToWrite = [path: string, make: Make, namesakes?: readonly string[]];

/** A file that is written once, unless one stands for it. */
const file = (path: string, text: string, ...others: string[]): FileToWrite => [
  path,
  once(text),
  namesOf(path, ...others),
];

function filesOf({ folder, parts, framework, version, isOldNext }: Plan): FileToWrite[] {
  const files: FileToWrite[] = [["package.json", manifestWith(parts, framework, version)]];
  const has = (path: string) => existsSync(join(folder, path));
  const read = (path: string) => (has(path) ? readFileSync(join(folder, path), "utf8") : "");
  // Next reads no file beside a `src` with the pages in it.
  const isBelow = !has("app") && !has("pages") && (has("src/app") || has("src/pages"));
  const next = framework === "next" && isBelow ? "src/" : "";
  // The forwarder reads the cookie that the capture signs.
  const cookieSecret = cookieSecretIn(folder);
  const hasWorker = parts.has("forwarder") || (parts.has("capture") && framework === "wrangler");
  if (parts.has("forwarder")) {
    files.push(file("forwarder/worker.js", FORWARDER), file("forwarder/dev.js", FORWARDER_DEV));
    files.push(file("forwarder/wrangler.jsonc", FORWARDER_CONFIG));
    files.push(file("forwarder/wrangler.dev.jsonc", FORWARDER_DEV_CONFIG));
    files.push(["forwarder/.dev.vars", (before) => forwarderSecrets(before, cookieSecret)]);
  }
  const withCookieSecret = (before: string | undefined) => withSecret(before, COOKIE_SECRET, cookieSecret);
  if (parts.has("capture")) {
    if (framework === "next") {
      const name = isOldNext ? "middleware" : "proxy";
      // Of both names at once Next takes none.
      files.push(file(`${next}${name}.js`, nextProxy(name), `${next}proxy.js`, `${next}middleware.js`));
      // What .env.local has would go before it.
      files.push([secretOf(read(".env"), COOKIE_SECRET) ? ".env" : ".env.local", withCookieSecret]);
    } else if (framework === "sveltekit") {
      files.push(file("src/hooks.server.js", SVELTE_HOOKS, "src/hooks.server/index.js"));
      files.push([".env", withCookieSecret]);
    } else {
      const served = framework === "vite" ? "dist" : "public";
      files.push(file("site/worker.js", SITE), file("site/wrangler.jsonc", siteConfig(served)));
      files.push(["site/.dev.vars", withCookieSecret]);
      if (served === "public" && !has("public") && !parts.has("page")) files.push(file("public/index.html", WELCOME));
    }
  }
  if (parts.has("page")) {
    if (framework === "next") files.push(file(`${next}components/cake-edge.jsx`, NEXT_PAGE));
    else if (framework === "sveltekit") files.push(file("src/lib/cake-edge.js", PAGE));
    else if (framework === "vite") files.push(file("src/cake-edge.js", PAGE));
    else files.push(file("public/landing.html", TAG));
  }
  if (parts.has("sandbox")) {
    const [path, runner] = sandboxTest(dependenciesIn(folder));
    files.push(file(path, SANDBOX_TEST.replace("node:test", runner)));
  }
  if (hasWorker || parts.has("capture")) {
    files.push([
      ".gitignore",
      (before = "") => withLines(before, ["node_modules", ".wrangler", ".dev.vars", ".env", ".env.local"]),
    ]);
  }
  return files;
}

function manifestWith(parts: ReadonlySet<Part>, framework: Framework, version: string): Make {
  return (before) => {
    const manifest: Manifest = before === undefined ? { private: true, type: "module" } : readManifest(before);
    const has = (name: string) => name in { ...manifest.dependencies, ...manifest.devDependencies };
    const wanted: Manifest = { ...manifest };
    if (!has("cake-edge")) wanted.dependencies = { ...manifest.dependencies, "cake-edge": `^${version}` };
    if ((parts.has("forwarder") || (parts.has("capture") && framework === "wrangler")) && !has("wrangler")) {
      wanted.devDependencies = { ...manifest.devDependencies, wrangler: WRANGLER };
    }
    const scripts: Record<string, string> = {};
    if (parts.has("forwarder")) {
      scripts["forwarder"] = "wrangler dev --config forwarder/wrangler.dev.jsonc";
      scripts["forwarder:deploy"] = "wrangler deploy --config forwarder/wrangler.jsonc";
    }
    if (parts.has("sandbox")) scripts["test"] = testCommand({ ...manifest.dependencies, ...manifest.devDependencies });
    // A script of the user's keeps its name; the one that `npm init` writes is none.
    const { test: own, ...others } = manifest.scripts ?? {};
    const isFree = parts.has("sandbox") && own?.includes("no test specified");
    const merged = { ...scripts, ...(isFree ? others : manifest.scripts) };
    if (Object.keys(merged).length > 0) wanted.scripts = merged;
    const isSame = before !== undefined && JSON.stringify(manifest) === JSON.stringify(wanted);
    return isSame ? before : manifestText(wanted, before);
  };
}

function withLines(before: string, lines: readonly string[]): string {
  const there = new Set(before.split("\n").map((line) => line.trim().replace(/^\/|\/$/g, "")));
  const missing = lines.filter((line) => !there.has(line));
  if (missing.length === 0) return before;
  return `${before === "" || before.endsWith("\n") ? before : `${before}\n`}${missing.join("\n")}\n`;
}

/** The removed and added lines; secrets are hidden. */
function difference(before: string, after: string): string {
  const old = before.split("\n");
  const fresh = after.split("\n");
  const gone = old.filter((line) => !fresh.includes(line)).map((line) => `  - ${line}`);
  const come = fresh
    .filter((line) => !old.includes(line))
    .map((line) => `  + ${line.replace(/(CAKE_\w+\s*[=:]).*/, "$1…")}`);
  return [...gone, ...come].join("\n");
}

async function agrees(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await asking.question(`${question} [y/N] `).catch(() => {
    throw new RunError("stopped at this question: only what is named above was written");
  });
  asking.close();
  return /^y(es)?$/i.test(answer.trim());
}

function run(command: string, args: string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ["ignore", "inherit", "inherit"],
      shell: process.platform === "win32",
    });
    child.on("error", () => reject(new RunError(`${command} could not be started`)));
    child.on("close", (code) =>
      code === 0 ? resolve() : reject(new RunError(`${command} ${args[0]} ended with exit code ${code}`)),
    );
  });
}

/** Starts the forwarder as the user will, and runs the doctor. */
async function examine(folder: string): Promise<number> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  // A workspace has it in a folder around this one.
  const tools = upwards(folder).map((at) => join(at, "node_modules/wrangler/bin/wrangler.js"));
  const wrangler = tools.find((tool) => existsSync(tool));
  if (wrangler === undefined) {
    // Yarn's Plug'n'Play has no node_modules.
    if (upwards(folder).some((at) => existsSync(join(at, ".pnp.cjs")))) {
      console.log("\nwithout node_modules the doctor was not run: start the forwarder, then cake-edge doctor");
      return 0;
    }
    throw new RunError("wrangler is not in node_modules, so the forwarder was not started");
  }
  const options = [
    "--config",
    "forwarder/wrangler.dev.jsonc",
    "--port",
    String(port),
    "--ip",
    "127.0.0.1",
    "--inspector-port",
    "0",
  ];
  const child = spawn(process.execPath, [wrangler, "dev", ...options], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" },
  });
  // Who ends this command ends what it has started, too: Ctrl-C reaches both by itself.
  const end = (signal: NodeJS.Signals) => {
    child.once("exit", () => process.exit(128 + constants.signals[signal]));
    child.kill("SIGTERM");
  };
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.once(signal, end);
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed = (printed + text).slice(-4_000);
    });
  }
  try {
    await answers(`${origin}/cake/health`, child, () => printed);
    console.log("\nThe doctor on the forwarder, as it runs here:");
    return await doctor(["--forwarder", `${origin}/cake`, "--origin", origin]);
  } finally {
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.off(signal, end);
    child.kill("SIGTERM");
    await new Promise((resolve) => (child.exitCode === null ? child.once("exit", resolve) : resolve(undefined)));
  }
}

async function answers(url: string, child: ChildProcess, printed: () => string): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (child.exitCode !== null) throw new RunError(`the forwarder did not start:\n${printed()}`);
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // It does not answer yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new RunError(`the forwarder did not answer within a minute:\n${printed()}`);
}

function nextSteps({ folder, parts, framework, manager }: Plan): string[] {
  const steps = ["", "Next:"];
  if (parts.has("forwarder")) {
    steps.push(
      `  ${manager} run forwarder`,
      "    the forwarder on http://localhost:8787/cake, delivering into a sandbox",
    );
    steps.push("  forwarder/wrangler.jsonc");
    steps.push(
      "    name your CAKE domain, its time zone and your site's route there; then npx wrangler secret put each secret",
    );
  }
  if (parts.has("page")) {
    const component = existsSync(join(folder, "src/components/cake-edge.jsx")) ? "src/components" : "components";
    const where = {
      next: `render <CakeEdge /> of ${component}/cake-edge.jsx in your layout`,
      sveltekit: "import src/lib/cake-edge.js in your layout",
      vite: "import src/cake-edge.js in your main module",
      wrangler: `mkdir -p public/js && cp ${packageIn(folder)}/dist/page/*.js public/js/`,
    }[framework];
    steps.push(`  ${where}`);
  }
  if (parts.has("capture") && framework === "next") {
    steps.push(`  export const dynamic = "force-dynamic" in the pages that clicks land on`);
    steps.push("    else a cache may share a prerendered page with its cookie");
  }
  if (parts.has("capture") && (framework === "wrangler" || framework === "vite")) {
    const built = framework === "vite" ? "npx vite build && " : "";
    steps.push(`  ${built}npx wrangler dev --config site/wrangler.jsonc`);
  }
  if (parts.has("sandbox")) {
    const all = dependenciesIn(folder);
    const [path, runner] = sandboxTest(all);
    const byHand = runner === "vitest" ? `npx vitest run ${path}` : `node --test ${path}`;
    steps.push(`  ${scriptsIn(folder)["test"] === testCommand(all) ? `${manager} run test` : byHand}`);
  }
  return steps;
}
