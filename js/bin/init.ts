/**
 * `npx cake-edge init`: writes the few files that a project needs, makes its secrets, installs, and runs the doctor.
 */
import { join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { findNearest } from "../nearest.js";
import { examine, run } from "./init-doctor.js";
import { filesOf, indented, lackingScripts } from "./init-files.js";
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
import { filesWithSecrets, isSecretFile } from "./init-secrets.js";
import { nextSteps } from "./init-steps.js";
import { prepare, write } from "./init-write.js";
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
  const prepared = files.map((file) => prepare(plan.folder, file));
  let changed = 0;
  let isComplete = true;
  /** Files of secrets of which it is told already where they would go. */
  const told = new Set<string>();
  for (const { path, before, after, standing } of prepared) {
    if (standing !== undefined) {
      const lacks = `left      ${standing} is yours: add what it lacks\n${indented(after)}`;
      console.log(before?.includes("cake-edge") ? `as it is  ${standing}` : lacks);
      continue;
    }
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
    const refusal = isSecretFile(path)
      ? takersOf(plan.folder, path).find((taken) => taken.refusal)?.refusal
      : undefined;
    if (refusal !== undefined) {
      console.log(`left      ${path}: ${refusal}`);
      isComplete = false;
      told.add(path);
      continue;
    }
    write(join(plan.folder, path), after);
    if (before === undefined) console.log(`written   ${path}`);
    changed += 1;
  }
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
  if (plan.installs && changed > 0) await run(plan.manager, plan.folder);
  // Without its secrets the forwarder does not start.
  const status = plan.installs && plan.parts.has("forwarder") && isComplete ? await examine(plan) : 0;
  for (const line of nextSteps(plan)) console.log(line);
  return isComplete ? status : 1;
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
    throw new RunError("stopped at this question: only what is named above was written");
  });
  asking.close();
  return /^y(es)?$/i.test(answer.trim());
}
