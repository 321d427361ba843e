/**
 * A consumer's project: a checked-in folder below `consumers/`, or a starter of `examples/` with what `consumers/` lays
 * over it. Its packages are installed outside the clone, once for each lockfile. `npm install` adds the tarball, as a
 * user does.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pack } from "./pack.ts";

const CONSUMERS = fileURLToPath(new URL("consumers/", import.meta.url));
/** The starters, which users copy. */
export const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const ROOT_BIN = fileURLToPath(new URL("../../node_modules/.bin", import.meta.url));
const CACHE =
  process.env["CAKE_EDGE_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "cake-edge");

/** The output of a command, standard output and standard error. */
export interface Printed {
  readonly out: string;
  readonly all: string;
}

/** A project with the package installed. */
export interface Project {
  readonly home: string;
  /** The path of a file in the project. */
  path(...parts: string[]): string;
  /** Runs a command of the project or the machine; rejects with its output unless it exits with 0. */
  run(command: string, args?: readonly string[], options?: RunOptions): Promise<Printed>;
  /** Starts a server, and waits until its output matches `ready`. */
  start(command: string, args: readonly string[], ready: RegExp, options?: RunOptions): Promise<Server>;
}

/** The options of a command. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** @default the project's folder */
  readonly cwd?: string;
  /** @default four minutes */
  readonly timeoutMs?: number;
}

/** A running server. */
export interface Server {
  /** The text that `ready` has matched. */
  readonly match: RegExpExecArray;
  stop(): Promise<void>;
}

const opened = new Map<string, Promise<Project>>();
const held = new Set<string>();
process.on("exit", () => {
  for (const lock of held) rmSync(lock, { force: true });
});

/** Opens a project, once per process. */
export function openProject(name: string): Promise<Project> {
  const known = opened.get(name);
  if (known !== undefined) return known;
  const project = open(name);
  opened.set(name, project);
  return project;
}

async function open(name: string): Promise<Project> {
  const sources = [join(EXAMPLES, name), join(CONSUMERS, name)].filter((folder) => existsSync(folder));
  const lock = readFileSync(join(sources[0] ?? CONSUMERS, "package-lock.json"));
  const hash = createHash("sha256").update(lock).update(process.version).digest("hex").slice(0, 12);
  const home = join(CACHE, "consumers", `${name}-${hash}`);
  mkdirSync(home, { recursive: true });
  await claim(`${home}.pid`);
  // The packages of an older lockfile are no longer useful.
  for (const other of readdirSync(join(CACHE, "consumers"))) {
    if (
      other.startsWith(`${name}-`) &&
      !other.startsWith(`${name}-${hash}`) &&
      !existsSync(join(CACHE, "consumers", `${other}.pid`))
    )
      rmSync(join(CACHE, "consumers", other), { recursive: true, force: true });
  }
  // Files and builds of an earlier run must not replace today's.
  for (const file of readdirSync(home)) {
    if (file !== "node_modules" && file !== ".installed") rmSync(join(home, file), { recursive: true, force: true });
  }
  for (const source of sources) cpSync(source, home, { recursive: true });
  cpSync(join(CONSUMERS, ".npmrc"), join(home, ".npmrc"));
  cpSync(join(CONSUMERS, "shared"), join(home, "shared"), { recursive: true });
  const project = projectIn(home);
  if (!existsSync(join(home, ".installed"))) {
    await project.run("npm", ["ci"], { timeoutMs: 540_000 });
    writeFileSync(join(home, ".installed"), "");
  }
  await project.run("npm", ["install", "--no-save", "--prefer-offline", pack().tarball]);
  return project;
}

/** A temporary folder with only the package. */
export async function openEmpty(): Promise<Project & { remove(): void }> {
  const home = mkdtempSync(join(tmpdir(), "cake-edge-empty-"));
  const project = projectIn(home);
  await project.run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", pack().tarball]);
  return { ...project, remove: () => rmSync(home, { recursive: true, force: true }) };
}

/** Runs one process at a time: two clones share the cache. */
async function claim(file: string): Promise<void> {
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      held.add(file);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    try {
      process.kill(Number(readFileSync(file, "utf8")) || 0x7fffffff, 0);
      await new Promise((resolve) => setTimeout(resolve, 500));
    } catch {
      // The lock's owner no longer runs.
      rmSync(file, { force: true });
    }
  }
}

function projectIn(home: string): Project {
  const environment = (env: RunOptions["env"]) => ({
    ...process.env,
    // The test runner's own variables must not reach the consumer.
    NODE_ENV: undefined,
    VITEST: undefined,
    NODE_OPTIONS: undefined,
    CI: "1",
    NO_COLOR: "1",
    FORCE_COLOR: undefined,
    NEXT_TELEMETRY_DISABLED: "1",
    ASTRO_TELEMETRY_DISABLED: "1",
    NUXT_TELEMETRY_DISABLED: "1",
    WRANGLER_SEND_METRICS: "false",
    PATH: [join(home, "node_modules/.bin"), ROOT_BIN, process.env["PATH"]].join(delimiter),
    ...env,
  });
  const launch = (command: string, args: readonly string[], { env, cwd = home }: RunOptions) =>
    // A process group of its own: a tool's children end with it.
    spawn(command, args, {
      cwd,
      env: environment(env) as NodeJS.ProcessEnv,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
  return {
    home,
    path: (...parts) => join(home, ...parts),
    run: (command, args = [], options = {}) =>
      new Promise((resolve, reject) => {
        const child = launch(command, args, options);
        const printed = { out: "", all: "" };
        collect(child, printed);
        const fail = (why: string) =>
          reject(new Error(`${command} ${args.join(" ")}: ${why}\n${printed.all.slice(-6_000)}`));
        const timer = setTimeout(() => {
          kill(child);
          fail("ran out of time");
        }, options.timeoutMs ?? 240_000);
        child.once("error", (error) => fail(error.message));
        child.once("close", (code) => {
          clearTimeout(timer);
          if (code === 0) resolve(printed);
          else fail(`exit code ${code}`);
        });
      }),
    start: (command, args, ready, options = {}) =>
      new Promise((resolve, reject) => {
        const child = launch(command, args, options);
        const printed = { out: "", all: "" };
        const ended = new Promise<void>((done) => child.once("close", () => done()));
        const timer = setTimeout(() => {
          kill(child);
          reject(new Error(`${command} ${args.join(" ")} was not ready in time\n${printed.all.slice(-6_000)}`));
        }, options.timeoutMs ?? 60_000);
        collect(child, printed, () => {
          const match = ready.exec(printed.all);
          if (match === null) return;
          clearTimeout(timer);
          resolve({
            match,
            async stop() {
              kill(child);
              await ended;
            },
          });
        });
        child.once("error", reject);
        child.once("close", (code) => {
          clearTimeout(timer);
          reject(new Error(`${command} ${args.join(" ")} ended with ${code}\n${printed.all.slice(-6_000)}`));
        });
      }),
  };
}

function collect(child: ChildProcess, printed: { out: string; all: string }, heard?: () => void): void {
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    printed.out += text;
    printed.all += text;
    heard?.();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    printed.all += text;
    heard?.();
  });
}

/** Ends a command with all its children. */
function kill(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // The process has already ended.
  }
}
