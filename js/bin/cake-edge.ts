#!/usr/bin/env node
/** `npx cake-edge`: a CAKE network on this machine, and the doctor of a deployment. */
import { randomUUID } from "node:crypto";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { allowedHost } from "../allowed-host.js";
import { checkFixture } from "../entry/sandbox-memory.inline.js";
import { toCakeError } from "../error.js";
import { makeFolder } from "../folder.js";
import { isLoopback } from "../host.js";
import { findNearest } from "../nearest.js";
import { MANAGERS, managerOf } from "./init-project.js";
import {
  endingOf,
  HeldError,
  helpOf,
  integerIn,
  isRunning,
  makeTemporaryFolder,
  RunError,
  readArgs,
  UsageError,
  whenAskedToStop,
} from "./usage.js";
import { freePort, startWorkerd, WorkerdError, whyNotFree } from "./workerd.js";

/** The version of workerd that the package is tested with. */
const WORKERD = "1.20261023.1";

const USAGE = `Usage: cake-edge sandbox [options]
       cake-edge init|forwarder|doctor|report|clicks|conversions|postbacks|corrections --help

A CAKE network on this machine: tracking links, the API, pixels, postbacks, a live view.

  --port PORT         listen there; 0 takes a free port (8787)
  --host ADDRESS      listen on that address (127.0.0.1); any other than loopback asks for the token
  --persist DIR       store the rows in that folder
  --seed FILE         the network's offers, affiliates, creatives …, as JSON
  --history DAYS      generate the past of that number of days, such as 30d
  --clicks N          the number of clicks in that past (10000)
  --history-seed N    another seed generates another past (1)
  --key KEY           the sandbox's own API key (sandbox-key)
  --token TOKEN       the token that /__sandbox/ asks for, 16 characters or more
  --allow HOST        a host that postbacks may go to, besides loopback; may be repeated
  -h, --help; -v, --version

Documentation: node_modules/cake-edge/docs/sandbox.md`;

/** A fixture that was read and checked. */
interface Fixture {
  readonly json: string;
  readonly warnings: readonly string[];
  /** The query of a tracking link that the fixture knows. */
  readonly sampleQuery: string | undefined;
}

interface Options {
  readonly port: number;
  readonly host: string;
  readonly persist: string | undefined;
  readonly fixture: Fixture | undefined;
  readonly history: { readonly days: number; readonly clicks: number; readonly seed: number } | undefined;
  readonly key: string;
  readonly token: string | undefined;
  readonly allow: readonly string[];
}

/** A command; its file is loaded only for it. */
interface Command {
  readonly usage: string;
  run(args: string[]): Promise<number>;
}

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => {
    const { INIT_USAGE, init } = await import("./init.js");
    return { usage: INIT_USAGE, run: (args) => init(args, versionOf()) };
  },
  sandbox: async () => ({ usage: USAGE, run: (args) => serve(readOptions(args)) }),
  forwarder: async () => {
    const { FORWARDER_USAGE, forwarder } = await import("./forwarder.js");
    return { usage: FORWARDER_USAGE, run: (args) => forwarder(args, versionOf()) };
  },
  doctor: async () => {
    const { DOCTOR_USAGE, doctor } = await import("./doctor.js");
    return { usage: DOCTOR_USAGE, run: doctor };
  },
  report: async () => {
    const { REPORT_USAGE, report } = await import("./report.js");
    return { usage: REPORT_USAGE, run: report };
  },
  postbacks: async () => {
    const { POSTBACKS_USAGE, postbacks } = await import("./postbacks.js");
    return { usage: POSTBACKS_USAGE, run: postbacks };
  },
  corrections: async () => {
    const { CORRECTIONS_USAGE, corrections } = await import("./corrections.js");
    return { usage: CORRECTIONS_USAGE, run: corrections };
  },
  clicks: () => pagesOf("clicks"),
  conversions: () => pagesOf("conversions"),
};

async function pagesOf(kind: "clicks" | "conversions"): Promise<Command> {
  const { PAGES_USAGE, pages } = await import("./pages.js");
  return { usage: PAGES_USAGE, run: (args) => pages(kind, args) };
}

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args[0] === "help" ? [...args.slice(1), "--help"] : args;
  const isVersion = (argument: string | undefined) => argument === "--version" || argument === "-v";
  if (name === "version" || isVersion(name) || (rest.length === 1 && isVersion(rest[0]))) {
    console.log(versionOf());
    return 0;
  }
  if (name === undefined || name === "--help" || name === "-h") {
    console.log(helpOf(USAGE));
    return name === undefined ? 2 : 0;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) {
    const nearest = findNearest(name, Object.keys(COMMANDS));
    const meant = nearest === undefined ? "" : `: did you mean ${nearest}?`;
    const known = Object.keys(COMMANDS).join(", ");
    throw new UsageError(`there is no command ${JSON.stringify(name)}${meant || `; there are ${known}`}`);
  }
  const command = await load();
  if (!rest.some((argument) => argument === "--help" || argument === "-h")) return command.run(rest);
  console.log(helpOf(command.usage));
  return 0;
}

const OPTION_TYPES = {
  port: { type: "string" },
  host: { type: "string" },
  persist: { type: "string" },
  seed: { type: "string" },
  history: { type: "string" },
  clicks: { type: "string" },
  "history-seed": { type: "string" },
  key: { type: "string" },
  token: { type: "string" },
  allow: { type: "string", multiple: true },
} as const;

function versionOf(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

function readOptions(args: string[]): Options {
  const values = readArgs(args, OPTION_TYPES, "cake-edge --help");
  const one = (name: string) => values[name] as string | undefined;
  // A user who has set the variable does not look for an option.
  const sourceOf = (name: string, variable: string) => (one(name) === undefined ? variable : `--${name}`);
  // In brackets as in a URL, or without.
  const host = (one("host") || "127.0.0.1").replace(/^\[(.*)\]$/, "$1");
  const token = one("token") ?? process.env["CAKE_SANDBOX_TOKEN"];
  if (token !== undefined && token.length < 16) {
    throw new UsageError(`${sourceOf("token", "CAKE_SANDBOX_TOKEN")} must have at least 16 characters`);
  }
  const days = one("history");
  if (days === undefined && (one("clicks") ?? one("history-seed")) !== undefined) {
    throw new UsageError("--clicks and --history-seed go with --history, such as --history 30d");
  }
  const key = one("key") ?? process.env["CAKE_API_KEY"] ?? "sandbox-key";
  if (key.trim() === "") throw new UsageError(`${sourceOf("key", "CAKE_API_KEY")} must not be empty`);
  return {
    port: integerIn("port", one("port") ?? "8787", 0, 65_535),
    host,
    persist: one("persist"),
    fixture: one("seed") === undefined ? undefined : readFixture(one("seed") as string),
    history:
      days === undefined
        ? undefined
        : {
            days: integerIn("history", days.replace(/d$/, ""), 1, 3_650),
            clicks: integerIn("clicks", one("clicks") ?? "10000", 1, 10_000_000),
            seed: integerIn("history-seed", one("history-seed") ?? "1", 0, Number.MAX_SAFE_INTEGER),
          },
    key,
    token: token ?? (isLoopback(host) ? undefined : randomUUID()),
    allow: ((values["allow"] as string[] | undefined) ?? []).map(readHost),
  };
}

function readHost(given: string): string {
  try {
    return allowedHost(given);
  } catch (thrown) {
    throw new UsageError(toCakeError(thrown).message.replace("allowedHosts", "--allow"));
  }
}

/** The fixture's text, checked by the core before anything starts. */
function readFixture(file: string): Fixture {
  let json: string;
  try {
    json = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`--seed ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  try {
    return { json, ...checkFixture(json) };
  } catch (thrown) {
    throw new UsageError(`--seed ${file}: ${toCakeError(thrown).message}`);
  }
}

async function serve(options: Options): Promise<number> {
  const { host, key, token, history } = options;
  const program = findWorkerd();
  const trouble = await whyNotFree(options.port, host);
  if (trouble !== undefined) throw new UsageError(cannotListen(trouble, options.port, host));
  const port = options.port === 0 ? await freePort(host) : options.port;
  const home = makeTemporaryFolder("cake-edge-");
  const release = options.persist === undefined ? undefined : claim(options.persist);
  const clean = () => {
    release?.();
    rmSync(home, { recursive: true, force: true });
  };
  const rows = options.persist === undefined ? join(home, "rows") : resolve(options.persist, "rows");
  try {
    makeFolder(rows);
    const here = fileURLToPath(new URL(".", import.meta.url));
    cpSync(join(here, "worker/sandbox.js"), join(home, "sandbox.js"));
    cpSync(join(here, "../wasm/sandbox_bg.wasm"), join(home, "sandbox_bg.wasm"));
    writeFileSync(join(home, "fixture.json"), options.fixture?.json ?? "");
    const environment: Record<string, string> = {
      CAKE_API_KEY: key,
      CAKE_ALLOWED_HOSTS:
        options.allow.length === 0 ? "" : ["127.0.0.1", "localhost", "[::1]", ...options.allow].join(),
      CAKE_SANDBOX_LOOPBACK: isLoopback(host) ? "yes" : "no",
      CAKE_SANDBOX_TOKEN: token ?? "",
    };
    const workerd = await startWorkerd({
      program,
      home,
      rows,
      host,
      port,
      front: "sandbox",
      logs: true,
      environment,
      workers: [
        {
          name: "sandbox",
          modules: ["sandbox.js", "sandbox_bg.wasm"],
          variables: Object.keys(environment),
          texts: { CAKE_FIXTURE: "fixture.json" },
          durableObject: { binding: "NETWORK", className: "CakeNetwork", uniqueKey: "cake-network" },
        },
      ],
    });
    whenAskedToStop(() => void workerd.stop());
    const origin = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
    try {
      if (history) await makeHistory(origin, token, history);
    } catch (error) {
      await workerd.stop();
      throw error;
    }
    for (const warning of options.fixture?.warnings ?? []) console.error(`cake-edge: --seed: ${warning}`);
    greet(origin, key, token, options.fixture);
    const code = await workerd.ended;
    if (code !== 0) throw new RunError(`workerd ended with exit code ${code}`);
    return 0;
  } finally {
    clean();
  }
}

function cannotListen(code: string, port: number, host: string): string {
  if (code === "EADDRINUSE") {
    return `port ${port} is in use: stop what listens there, or choose another, such as --port ${port === 65_535 ? port - 1 : port + 1}`;
  }
  if (code === "EACCES") return `port ${port} needs rights of the system: choose one from 1024 on`;
  return `--host ${host} is not an address of this machine (${code}): leave it out for 127.0.0.1, or give 0.0.0.0 for all`;
}

/** The workerd of the user's project, or the one beside this package. */
function findWorkerd(): string {
  for (const from of [join(process.cwd(), "package.json"), fileURLToPath(import.meta.url)]) {
    try {
      const found = createRequire(from)("workerd") as { default: string };
      if (existsSync(found.default)) return found.default;
    } catch {
      // Not there: try the next place.
    }
  }
  const { add } = MANAGERS[managerOf(process.cwd())];
  throw new UsageError(
    `workerd, which the sandbox runs in, is not installed: run \`${add} workerd@${WORKERD}\`, then this command again; or without a project \`npx -p cake-edge -p workerd@${WORKERD} cake-edge sandbox\``,
  );
}

/** Two sandboxes in one folder would damage each other's rows. */
function claim(folder: string): () => void {
  const file = join(folder, "sandbox.pid");
  try {
    makeFolder(folder);
    const owner = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
    if (owner > 0 && owner !== process.pid && isRunning(owner)) {
      throw new HeldError(
        `--persist ${folder} is in use by another sandbox, process ${owner}: stop it, or choose another folder`,
      );
    }
    writeFileSync(file, String(process.pid));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--persist ${folder} cannot be written: ${(error as NodeJS.ErrnoException).code}`);
  }
  return () => rmSync(file, { force: true });
}

async function makeHistory(origin: string, token: string | undefined, history: NonNullable<Options["history"]>) {
  const start = Date.now();
  const response = await fetch(`${origin}/__sandbox/history`, {
    method: "POST",
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    body: JSON.stringify(history),
  });
  if (!response.ok || response.body === null) {
    throw new RunError(`the history could not be made: ${(await response.text()).slice(0, 300)}`);
  }
  const grouped = (count: number) => count.toLocaleString("en");
  let rest = "";
  let last: { clicks: number; conversions: number; bots: number; duplicates: number; is_last: boolean } | undefined;
  let said = 0;
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) last = JSON.parse(line);
    if (last && Date.now() - said > 500) {
      said = Date.now();
      console.error(`history: ${grouped(last.clicks)} of ${grouped(history.clicks)} clicks …`);
    }
  }
  if (!last?.is_last) throw new RunError("the history broke off before its end: run the command again");
  const seconds = ((Date.now() - start) / 1_000).toFixed(1);
  console.error(
    `history: ${grouped(last.clicks)} clicks (${grouped(last.bots)} of bots), ${grouped(last.conversions)} conversions, ${grouped(last.duplicates)} duplicates refused, in ${seconds} s`,
  );
}

function greet(origin: string, key: string, token: string | undefined, fixture: Fixture | undefined): void {
  const query = token === undefined ? "" : `?token=${encodeURIComponent(token)}`;
  const sample = fixture === undefined ? "a=67890&c=12" : fixture.sampleQuery;
  const link = sample === undefined ? "none: no active affiliate, creative and offer" : `${origin}/?${sample}&s1=test`;
  console.log(`CAKE sandbox on ${origin}
  live view      ${origin}/__sandbox/${query}
  tracking link  ${link}
  API            ${origin}/api/2/, key ${key}
Ctrl-C stops it.`);
}

// A reader such as `head` may close the pipe early: what is left is unwanted, and the command goes on to its end.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED") return;
    // A full disk, such as behind `> report.txt`: what was asked for is not there.
    if (stream === process.stdout) console.error(`cake-edge: standard output cannot be written: ${error.message}`);
    process.exit(2);
  });
}

// Last: the definitions above must exist before the first command runs.
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const ending = error instanceof WorkerdError ? { sentence: error.message, status: 1 } : endingOf(error);
  if (ending === undefined) throw error;
  console.error(`cake-edge: ${ending.sentence}`);
  process.exitCode = ending.status;
}
