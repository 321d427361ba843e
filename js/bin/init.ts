/**
 * `npx cake-edge init`: writes the few files that a project needs, makes its secrets, installs, and runs the doctor.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { findNearest } from "../nearest.js";
import { doctor } from "./doctor.js";
import {
  FORWARDER,
  FORWARDER_CONFIG,
  FORWARDER_DEV,
  FORWARDER_DEV_CONFIG,
  NEXT_PAGE,
  NEXT_PROXY,
  PAGE,
  SANDBOX_TEST,
  SITE,
  SITE_CONFIG,
  SVELTE_HOOKS,
  TAG,
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
  --no-install        write only: no npm install, no doctor
  --dir DIR           another folder
  -h, --help

Documentation: node_modules/cake-edge/docs/init.md`;

const PARTS = ["page", "capture", "forwarder", "sandbox"] as const;
type Part = (typeof PARTS)[number];
const FRAMEWORKS = ["wrangler", "next", "sveltekit", "vite"] as const;
type Framework = (typeof FRAMEWORKS)[number];

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
}

/** Writes, installs, examines; returns the exit status. */
export async function init(args: string[], version: string): Promise<number> {
  const plan = await readPlan(args, version);
  const files = filesOf(plan);
  let changed = 0;
  for (const [path, make] of files) {
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
    } else {
      console.log(`written   ${path}`);
    }
    mkdirSync(dirname(file), { recursive: true });
    // Only the owner may read secrets.
    writeFileSync(file, after, path.endsWith(".dev.vars") ? { mode: 0o600 } : {});
    changed += 1;
  }
  if (!plan.installs) return 0;
  if (changed > 0) await run("npm", ["install", "--no-audit", "--no-fund"], plan.folder);
  const status = plan.parts.has("forwarder") ? await examine(plan.folder) : 0;
  for (const line of nextSteps(plan)) console.log(line);
  return status;
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
  return {
    folder,
    parts,
    framework: named ?? guess(folder),
    isOldNext: /^\D*1[0-5]\b/.test(dependenciesIn(folder)["next"] ?? ""),
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

/** The framework of the project. */
function guess(folder: string): Framework {
  const all = dependenciesIn(folder);
  if ("next" in all) return "next";
  if ("@sveltejs/kit" in all) return "sveltekit";
  return "vite" in all ? "vite" : "wrangler";
}

function dependenciesIn(folder: string): Record<string, string> {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return {};
  const { dependencies, devDependencies } = readManifest(readFileSync(file, "utf8"));
  return { ...dependencies, ...devDependencies };
}

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  scripts?: Record<string, string>;
  [name: string]: unknown;
}

function readManifest(json: string): Manifest {
  try {
    return JSON.parse(json) as Manifest;
  } catch {
    throw new UsageError("package.json is not JSON: mend it first");
  }
}

/** Makes a file's new text from its present text. */
type Make = (before: string | undefined) => string;

/** Written once; later the file belongs to the user. */
const once =
  (text: string): Make =>
  (before) =>
    before ?? text;

function filesOf({ parts, framework, version, isOldNext }: Plan): [string, Make][] {
  const files: [string, Make][] = [["package.json", manifestWith(parts, framework, version)]];
  const hasWorker = parts.has("forwarder") || (parts.has("capture") && framework === "wrangler");
  if (parts.has("forwarder")) {
    files.push(["forwarder/worker.js", once(FORWARDER)], ["forwarder/dev.js", once(FORWARDER_DEV)]);
    files.push(["forwarder/wrangler.jsonc", once(FORWARDER_CONFIG)]);
    files.push(["forwarder/wrangler.dev.jsonc", once(FORWARDER_DEV_CONFIG)]);
    files.push(["forwarder/.dev.vars", forwarderSecrets]);
  }
  if (parts.has("capture")) {
    if (framework === "next") {
      // The same file under its name before Next 16.
      files.push(
        isOldNext
          ? ["middleware.js", once(NEXT_PROXY.replace("function proxy", "function middleware"))]
          : ["proxy.js", once(NEXT_PROXY)],
      );
    } else if (framework === "sveltekit") files.push(["src/hooks.server.js", once(SVELTE_HOOKS)]);
    else {
      files.push(["site/worker.js", once(SITE)], ["site/wrangler.jsonc", once(SITE_CONFIG)]);
      files.push(["site/.dev.vars", (before) => withSecret(before, "CAKE_COOKIE_SECRET")]);
    }
    if (framework === "next" || framework === "sveltekit") {
      files.push([framework === "next" ? ".env.local" : ".env", (before) => withSecret(before, "CAKE_COOKIE_SECRET")]);
    }
  }
  if (parts.has("page")) {
    if (framework === "next") files.push(["app/cake-edge.jsx", once(NEXT_PAGE)]);
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
    const after = `${JSON.stringify(wanted, null, 2)}\n`;
    return before !== undefined && JSON.stringify(JSON.parse(before)) === JSON.stringify(wanted) ? before : after;
  };
}

function withLines(before: string, lines: readonly string[]): string {
  const there = new Set(before.split("\n").map((line) => line.trim().replace(/^\/|\/$/g, "")));
  const missing = lines.filter((line) => !there.has(line));
  if (missing.length === 0) return before;
  return `${before === "" || before.endsWith("\n") ? before : `${before}\n`}${missing.join("\n")}\n`;
}

/** Makes a secret once: a second run keeps it. */
function withSecret(before = "", ...names: string[]): string {
  const missing = names.filter((name) => !new RegExp(`^${name}=`, "m").test(before));
  const made = missing.map((name) => `${name}=${randomBytes(32).toString("hex")}\n`).join("");
  return `${before === "" || before.endsWith("\n") ? before : `${before}\n`}${made}`;
}

function forwarderSecrets(before = ""): string {
  let after = withSecret(before, "CAKE_API_KEY", "CAKE_OPERATOR_SECRET");
  if (!/^CAKE_SIGNING_SECRETS=/m.test(after)) {
    after += `CAKE_SIGNING_SECRETS=whsec_${randomBytes(32).toString("base64")}\n`;
  }
  return after;
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
  const answer = await asking.question(`${question} [y/N] `);
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
  const wrangler = join(folder, "node_modules/wrangler/bin/wrangler.js");
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

function nextSteps({ parts, framework }: Plan): string[] {
  const steps = ["", "Next:"];
  if (parts.has("forwarder")) {
    steps.push("  npm run forwarder          the forwarder on http://localhost:8787/cake, delivering into a sandbox");
    steps.push("  forwarder/wrangler.jsonc   name your CAKE domain; then npx wrangler secret put each secret");
  }
  if (parts.has("page")) {
    const where = {
      next: "render <CakeEdge /> of app/cake-edge.jsx in your layout",
      sveltekit: "import src/lib/cake-edge.js in your layout",
      vite: "import src/cake-edge.js in your main module",
      wrangler: "copy node_modules/cake-edge/dist/page/*.js beside public/landing.html",
    }[framework];
    steps.push(`  ${where}`);
  }
  if (parts.has("capture") && (framework === "wrangler" || framework === "vite")) {
    steps.push("  npx wrangler dev --config site/wrangler.jsonc");
  }
  if (parts.has("sandbox")) steps.push("  npm test");
  return steps;
}
