/**
 * `npx cake-edge init`: writes the few files that a project needs, makes its secrets, installs, and runs the doctor.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
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
  readManifest,
  STARTERS,
  upwards,
} from "./init-project.js";
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
    const own = [path, ...namesakes].find((each) => isOwn(join(plan.folder, each), make));
    if (own !== undefined) {
      console.log(`left      ${own} is yours: add what it lacks\n${indented(make(undefined))}`);
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

/** Is there a file of the user's own, without a word of this package? */
function isOwn(file: string, { isOnce }: Make): boolean {
  return isOnce === true && existsSync(file) && !readFileSync(file, "utf8").includes("cake-edge");
}

const indented = (text: string) => text.trimEnd().replace(/^/gm, "  | ").replace(/ +$/gm, "");

/** The file's names that mean the same to its framework, TypeScript's among them. */
const namesOf = (...stems: string[]) =>
  stems.flatMap((stem) => ["js", "ts", "mjs", "mts"].map((end) => `${stem}.${end}`));

/** A file to write, and the other files that would stand for it. */
type FileToWrite = [path: string, make: Make, namesakes?: readonly string[]];

function filesOf({ folder, parts, framework, version, isOldNext }: Plan): FileToWrite[] {
  const files: FileToWrite[] = [["package.json", manifestWith(parts, framework, version)]];
  const has = (path: string) => existsSync(join(folder, path));
  // Next reads no file beside a `src` with the pages in it.
  const isBelow = !has("app") && !has("pages") && (has("src/app") || has("src/pages"));
  const next = framework === "next" && isBelow ? "src/" : "";
  // The forwarder reads the cookie that the capture signs.
  const cookieSecret = secretIn(folder, "CAKE_COOKIE_SECRET");
  const hasWorker = parts.has("forwarder") || (parts.has("capture") && framework === "wrangler");
  if (parts.has("forwarder")) {
    files.push(["forwarder/worker.js", once(FORWARDER)], ["forwarder/dev.js", once(FORWARDER_DEV)]);
    files.push(["forwarder/wrangler.jsonc", once(FORWARDER_CONFIG)]);
    files.push(["forwarder/wrangler.dev.jsonc", once(FORWARDER_DEV_CONFIG)]);
    files.push(["forwarder/.dev.vars", (before) => forwarderSecrets(before, cookieSecret)]);
  }
  if (parts.has("capture")) {
    if (framework === "next") {
      const name = isOldNext ? "middleware" : "proxy";
      // Of both names at once Next takes none.
      const namesakes = namesOf(`${next}proxy`, `${next}middleware`);
      files.push([`${next}${name}.js`, once(nextProxy(name)), namesakes]);
    } else if (framework === "sveltekit") {
      const namesakes = namesOf("src/hooks.server", "src/hooks.server/index");
      files.push(["src/hooks.server.js", once(SVELTE_HOOKS), namesakes]);
    } else {
      const served = framework === "vite" ? "dist" : "public";
      files.push(["site/worker.js", once(SITE)], ["site/wrangler.jsonc", once(siteConfig(served))]);
      files.push(["site/.dev.vars", (before) => withSecret(before, "CAKE_COOKIE_SECRET", cookieSecret)]);
      if (served === "public" && !has("public") && !parts.has("page")) files.push(["public/index.html", once(WELCOME)]);
    }
    if (framework === "next" || framework === "sveltekit") {
      const file = framework === "next" ? ".env.local" : ".env";
      files.push([file, (before) => withSecret(before, "CAKE_COOKIE_SECRET", cookieSecret)]);
    }
  }
  if (parts.has("page")) {
    if (framework === "next") files.push([`${next}components/cake-edge.jsx`, once(NEXT_PAGE)]);
    else if (framework === "sveltekit") files.push(["src/lib/cake-edge.js", once(PAGE)]);
    else if (framework === "vite") files.push(["src/cake-edge.js", once(PAGE)]);
    else files.push(["public/landing.html", once(TAG)]);
  }
  if (parts.has("sandbox")) files.push(["test/cake-edge.test.mjs", once(SANDBOX_TEST)]);
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
    if (parts.has("sandbox")) scripts["test"] = "node --test";
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

const newSecret = () => randomBytes(32).toString("hex");

/** The files that may hold a secret of this project. */
const SECRET_FILES = ["forwarder/.dev.vars", "site/.dev.vars", ".env", ".env.local"];

/** The secret that stands in one of the project's files, else a new one. */
function secretIn(folder: string, name: string): string {
  for (const path of SECRET_FILES) {
    const file = join(folder, path);
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    const [, standing] = new RegExp(`^${name}=(.+)$`, "m").exec(text) ?? [];
    if (standing !== undefined) return standing.trim();
  }
  return newSecret();
}

/** Adds a secret once: a second run keeps it. */
function withSecret(before: string | undefined, name: string, secret: string): string {
  const text = before ?? "";
  if (new RegExp(`^${name}=`, "m").test(text)) return text;
  return `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${name}=${secret}\n`;
}

function forwarderSecrets(before: string | undefined, cookieSecret: string): string {
  let after = withSecret(before, "CAKE_API_KEY", newSecret());
  after = withSecret(after, "CAKE_OPERATOR_SECRET", newSecret());
  after = withSecret(after, "CAKE_SIGNING_SECRETS", `whsec_${randomBytes(32).toString("base64")}`);
  return withSecret(after, "CAKE_COOKIE_SECRET", cookieSecret);
}

/** The removed and added lines; secrets are hidden. */
function difference(before: string, after: string): string {
  const old = before.split("\n");
  const fresh = after.split("\n");
  const gone = old.filter((line) => !fresh.includes(line)).map((line) => `  - ${line}`);
  const come = fresh
    .filter((line) => !old.includes(line))
    .map((line) => `  + ${line.replace(/^(CAKE_\w+=).*/, "$1…")}`);
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
  if (wrangler === undefined) throw new RunError("wrangler is not in node_modules, so the forwarder was not started");
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
    steps.push("    name your CAKE domain there; then npx wrangler secret put each secret");
  }
  if (parts.has("page")) {
    const component = existsSync(join(folder, "src/components/cake-edge.jsx")) ? "src/components" : "components";
    const where = {
      next: `render <CakeEdge /> of ${component}/cake-edge.jsx in your layout`,
      sveltekit: "import src/lib/cake-edge.js in your layout",
      vite: "import src/cake-edge.js in your main module",
      wrangler: "mkdir -p public/js && cp node_modules/cake-edge/dist/page/*.js public/js/",
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
  if (parts.has("sandbox")) steps.push(`  ${manager} test`);
  return steps;
}
