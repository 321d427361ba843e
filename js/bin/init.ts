/**
 * `npx cake-edge init`: writes the few files that a project needs, makes its secrets, installs, and runs the doctor.
 */
import { join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { findNearest } from "../nearest.js";
import { examine, run } from "./init-doctor.js";
import { filesOf, indented, lackingPackages, lackingScripts } from "./init-files.js";
import { takenByGit } from "./init-git.js";
import {
  dependenciesIn,
  FRAMEWORKS,
  type Framework,
  guess,
  managerOf,
  PARTS,
  type Part,
  type Plan,
  SERVERS,
  STARTERS,
  scriptsIn,
} from "./init-project.js";
import { publishedByWrangler } from "./init-published.js";
import { replaceAll } from "./init-replace.js";
import { filesWithSecrets, isSecretFile } from "./init-secrets.js";
import { nextSteps } from "./init-steps.js";
import { type Prepared, prepare } from "./init-write.js";
import { RunError, readArgs, UsageError } from "./usage.js";

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

/** Writes, installs, examines; returns the exit status. */
export async function init(args: string[], version: string): Promise<number> {
  const plan = await readPlan(args, version);
  const { files, warnings } = filesOf(plan);
  for (const warning of warnings) console.log(`warning   ${warning}`);
  // All of them first: what cannot be written is told before anything has changed.
  const texts = new Map<string, string>();
  const prepared = files.map((file) => prepare(plan.folder, file, texts));
  const agreed: Prepared[] = [];
  const left: string[] = [];
  for (const each of prepared) {
    const { path, before, after, standing } = each;
    if (standing !== undefined) {
      const lacks = `left      ${standing} is yours: add what it lacks\n${indented(after)}`;
      console.log(before?.includes("cake-edge") ? `as it is  ${standing}` : lacks);
    } else if (after === before) {
      console.log(`as it is  ${path}`);
    } else {
      if (before !== undefined) console.log(`changed   ${path}\n${difference(before, after)}`);
      if (before === undefined || plan.isAgreed || (await agrees(`Change ${path}?`))) {
        agreed.push(each);
      } else {
        console.log(`left      ${path}`);
        left.push(path);
      }
    }
  }
  if (left.length > 0 && !process.stdin.isTTY) {
    console.log(
      `left      ${left.join(", ")}: without a terminal nobody can agree, so give --yes to change what stands`,
    );
  }
  /** Files of secrets of which it is told already where they would go. */
  const told = writeAll(plan.folder, agreed);
  // Also those that had their secrets before.
  for (const path of filesWithSecrets(plan.folder).filter((each) => !told.has(each))) {
    for (const { warning } of takersOf(plan.folder, path)) {
      if (warning !== undefined) console.log(`warning   ${warning}`);
    }
  }
  const lacking = lackingScripts(plan, scriptsIn(plan.folder));
  if (lacking.length > 0) {
    const lines = indented(lacking.join("\n"));
    console.log(`left      package.json has scripts of these names: add what it lacks under others\n${lines}`);
  }
  const canInstall = lackingPackages(plan).length === 0;
  if (plan.installs && canInstall && agreed.length > told.size) await run(plan.manager, plan.folder);
  // Without its secrets the forwarder does not start.
  const isComplete = canInstall && told.size === 0 && !left.some(isSecretFile);
  const status = plan.installs && plan.parts.has("forwarder") && isComplete ? await examine(plan) : 0;
  for (const line of nextSteps(plan)) console.log(line);
  return isComplete && (left.length === 0 || process.stdin.isTTY) ? status : 1;
}

/** Writes all files or none; returns those whose secrets may not be written where they are. */
function writeAll(folder: string, agreed: readonly Prepared[]): Set<string> {
  const refusals = new Map<string, string>();
  const replacements = (those: readonly Prepared[]) =>
    those
      .filter(({ path }) => !refusals.has(path))
      .map(({ path, before, after }) => ({ file: join(folder, path), before, after }));
  const secrets = agreed.filter(({ path }) => isSecretFile(path));
  const others = agreed.filter(({ path }) => !isSecretFile(path));
  const checkedSecrets = () => {
    // Git is asked once it can read the new .gitignore.
    for (const { path } of secrets) {
      const refusal = takersOf(folder, path).find((taken) => taken.refusal)?.refusal;
      if (refusal !== undefined) refusals.set(path, refusal);
    }
    return replacements(secrets);
  };
  replaceAll([() => replacements(others), checkedSecrets]);
  for (const { path, before } of agreed) {
    const refusal = refusals.get(path);
    if (refusal !== undefined) console.log(`left      ${path}: ${refusal}`);
    else if (before === undefined) console.log(`written   ${path}`);
  }
  return new Set(refusals.keys());
}

/** Who would take up a file of secrets. */
const takersOf = (folder: string, path: string) =>
  [takenByGit(folder, path), publishedByWrangler(folder, path)].filter((taken) => taken !== undefined);

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

/** The removed and added lines; secrets are hidden. */
function difference(before: string, after: string): string {
  const old = before.split(/\r?\n/);
  const fresh = after.split(/\r?\n/);
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
    throw new RunError("stopped at this question: nothing is written");
  });
  asking.close();
  return /^y(es)?$/i.test(answer.trim());
}
