/**
 * Runs Workers in a bare workerd: writes its configuration, starts and ends it. Imports nothing of the package, so that
 * it runs both as source and as built.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

export const COMPATIBILITY_DATE = "2026-10-01";

/** An error that a person can fix, as a sentence. */
export class WorkerdError extends Error {}

/** One Worker. */
export interface WorkerdWorker {
  readonly name: string;
  /** Files of the home folder, the main module first. */
  readonly modules: readonly string[];
  /** Bindings whose values come from the environment. */
  readonly variables?: readonly string[];
  /** Bindings whose value is the text of a file in the home folder. */
  readonly texts?: Readonly<Record<string, string>>;
  /** Bindings to other services. */
  readonly services?: Readonly<Record<string, string>>;
  /** Its Durable Object, with rows in the folder `rows`. */
  readonly durableObject?: { readonly binding: string; readonly className: string; readonly uniqueKey: string };
}

/** The Workers to run, and how. */
export interface WorkerdOptions {
  /** The path of workerd. */
  readonly program: string;
  /** A folder of our own that contains the Workers' modules. */
  readonly home: string;
  /** The folder for the rows of Durable Objects. */
  readonly rows: string;
  readonly host: string;
  /** A port that is free. */
  readonly port: number;
  readonly workers: readonly WorkerdWorker[];
  /** Print the Workers' logs to standard error? Standard output is the caller's own. */
  readonly logs: boolean;
  /** The Worker that answers the port. */
  readonly front: string;
  /** Folders that a Worker may read. */
  readonly disks?: Readonly<Record<string, string>>;
  /** The whole environment: secrets reach workerd only by it, never by a file. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A running workerd. */
export interface Workerd {
  /** Resolves when workerd ends, with its exit code; 0 after {@link stop}. */
  readonly ended: Promise<number>;
  stop(): Promise<void>;
}

/** Starts workerd and waits until it listens. */
export async function startWorkerd(options: WorkerdOptions): Promise<Workerd> {
  writeFileSync(join(options.home, "config.capnp"), configuration(options));
  const child = spawnGuarded(options);
  let isStopping = false;
  const ended = new Promise<number>((resolve) => child.on("exit", (code) => resolve(isStopping ? 0 : (code ?? 1))));
  child.stderr?.setEncoding("utf8").on("data", withoutFaults());
  await listening(child);
  return {
    ended,
    async stop() {
      isStopping = true;
      if (child.stdin) child.stdin.end();
      else child.kill();
      await ended;
    },
  };
}

/** Is the port free on that address? */
export async function isFree(port: number, host: string): Promise<boolean> {
  return (await whyNotFree(port, host)) === undefined;
}

/** Why the port cannot be used, as Node's code, such as `EADDRINUSE`; `undefined` if it can. */
export function whyNotFree(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
      .once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown"))
      .listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

/** Finds a free port. */
export function freePort(host = "127.0.0.1"): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
      .once("error", reject)
      .listen(0, host, () => {
        const address = server.address();
        server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
      });
  });
}

/**
 * workerd would outlive a killed parent, and go on writing to its rows. So a shell watches our end of a pipe: when it
 * closes, for any reason, workerd is killed. A soft end would wait for every live view to close. Everything that
 * workerd has answered is on disk.
 */
function spawnGuarded({ program, home, environment, logs }: WorkerdOptions): ChildProcess {
  const log = logs ? 2 : "ignore";
  const args = ["serve", "config.capnp", "--control-fd=3"];
  const settings = { cwd: home, env: { ...environment } };
  if (process.platform === "win32") {
    return spawn(program, args, { ...settings, stdio: ["ignore", log, "pipe", "pipe"] });
  }
  const guard = `exec 9<&0
"$0" "$@" </dev/null 9<&- &
workerd=$!
(read -r _ <&9; kill -9 $workerd) 3<&- 2>/dev/null &
watcher=$!
{ wait $workerd; } 2>/dev/null
code=$?
kill $watcher 2>/dev/null
exit $code`;
  return spawn("/bin/sh", ["-c", guard, program, ...args], { ...settings, stdio: ["pipe", log, "pipe", "pipe"] });
}

/** A sandbox's intended faults are no errors: this drops workerd's log lines about them. */
function withoutFaults(): (text: string) => void {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (!line.includes("sandbox fault: ")) process.stderr.write(`${line}\n`);
  };
}

function configuration({ rows, host, port, workers, front, disks = {} }: WorkerdOptions): string {
  const entry = (name: string, what: string) => `    ( name = ${quote(name)}, ${what} ),`;
  const services = [
    ...workers.map(({ name }) => entry(name, `worker = .${name}`)),
    ...Object.entries(disks).map(([name, path]) => entry(name, `disk = ${quote(path)}`)),
    entry("rows", `disk = ( path = ${quote(rows)}, writable = true )`),
    "    # The private range is allowed because all of this lives on loopback.",
    entry("internet", `network = ( allow = ["public", "private"], tlsOptions = ( trustBrowserCas = true ) )`),
  ];
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
${services.join("\n")}
  ],
  sockets = [ ( name = "http", address = ${quote(address)}, http = (), service = ${quote(front)} ) ]
);
${workers.map(worker).join("")}`;
}

function worker({ name, modules, variables = [], texts = {}, services = {}, durableObject }: WorkerdWorker): string {
  const bindings = [
    ...variables.map((variable) => `( name = ${quote(variable)}, fromEnvironment = ${quote(variable)} )`),
    ...Object.entries(texts).map(([binding, file]) => `( name = ${quote(binding)}, text = embed ${quote(file)} )`),
    ...Object.entries(services).map(
      ([binding, service]) => `( name = ${quote(binding)}, service = ${quote(service)} )`,
    ),
    ...(durableObject
      ? [`( name = ${quote(durableObject.binding)}, durableObjectNamespace = ${quote(durableObject.className)} )`]
      : []),
  ];
  const storage = durableObject
    ? `,
  durableObjectNamespaces = [ ( className = ${quote(durableObject.className)}, uniqueKey = ${quote(durableObject.uniqueKey)}, enableSql = true ) ],
  durableObjectStorage = ( localDisk = "rows" )`
    : "";
  const kind = (file: string) => (file.endsWith(".wasm") ? "wasm" : "esModule");
  return `
const ${name} :Workerd.Worker = (
  compatibilityDate = "${COMPATIBILITY_DATE}",
  globalOutbound = "internet",
  modules = [
${modules.map((file) => `    ( name = ${quote(file)}, ${kind(file)} = embed ${quote(file)} )`).join(",\n")}
  ],
  bindings = [
${bindings.map((binding) => `    ${binding}`).join(",\n")}
  ]${storage}
);
`;
}

/** A text of capnp, which escapes like JSON. */
function quote(text: string): string {
  return JSON.stringify(text);
}

/** Waits until workerd reports on its control pipe that it listens. */
function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdio[3]?.once("data", () => resolve());
    child.once("error", (error) => reject(new WorkerdError(`workerd could not be started: ${error.message}`)));
    child.once("exit", (code) => reject(new WorkerdError(`workerd ended with exit code ${code} before it listened`)));
  });
}
