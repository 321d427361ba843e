/** `npx cake-edge forwarder`: the forwarder as its own process, for a machine with a fixed address. */
import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  type ForwarderServer,
  isCakeError,
  parseOptions,
  type ServerOptions,
  serveForwarder,
} from "../entry/forwarder-node.node.js";
import { integerIn, readArgs, UsageError, whenAskedToStop } from "./usage.js";

export const FORWARDER_USAGE = `Usage: cake-edge forwarder --config FILE [options]

Takes conversions over HTTP, keeps them in SQLite on this machine's disk, and delivers them to CAKE: the Worker's routes
and promise in one Node process, for accounts that take conversions from whitelisted addresses alone.

  --config FILE    the options as JSON; folder, the rows' place, is read from where that file is
  --host ADDRESS   listen on that address (127.0.0.1); a proxy in front speaks TLS
  --port PORT      listen there; 0 takes a free port (8788)
  -h, --help

Secrets come from the environment, or from the files that it names with _FILE behind the variable's name:
  CAKE_API_KEY, CAKE_OPERATOR_SECRET, CAKE_SIGNING_SECRETS, CAKE_COOKIE_SECRETS, CAKE_TOKEN_SECRETS

SIGTERM ends it: no new request, what is under way ends and is stored.

Documentation: node_modules/cake-edge/docs/forwarder-node.md`;

const OPTION_TYPES = {
  config: { type: "string" },
  host: { type: "string" },
  port: { type: "string" },
} as const;

/** The options that are secrets, and their variables; then those that are lists. */
const SECRETS = { apiKey: "CAKE_API_KEY", operatorSecret: "CAKE_OPERATOR_SECRET" } as const;
const SECRET_LISTS = {
  signingSecrets: "CAKE_SIGNING_SECRETS",
  cookieSecrets: "CAKE_COOKIE_SECRETS",
  tokenSecrets: "CAKE_TOKEN_SECRETS",
} as const;
const VARIABLES: Readonly<Record<string, string>> = { ...SECRETS, ...SECRET_LISTS };

/** The time until the process exits by force, once all is over. */
const EXIT_MS = 500;

/** Serves until a signal stops it or the disk fails; returns the exit status. */
export async function forwarder(args: string[], version: string): Promise<number> {
  const emitWarning = process.emitWarning;
  // Some versions of Node warn that `node:sqlite` is experimental. This command is tested with it.
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).startsWith("SQLite is an experimental")) {
      (emitWarning as (...all: unknown[]) => void).call(process, warning, ...rest);
    }
  };
  // Only the owner may read the rows, even in a folder that is open to others.
  process.umask(0o077);
  let server: ForwarderServer;
  let options: ServerOptions;
  try {
    options = readOptions(args);
    server = await serveForwarder(options);
  } catch (thrown) {
    return complain(thrown);
  }
  // A log without a reader must not stop the deliveries.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  whenAskedToStop(() => void server.stop());
  const { origin } = server;
  console.log(JSON.stringify({ event: "listening", origin, folder: options.folder, version }));
  const failure = await server.ended;
  const status = failure === undefined ? 0 : complain(failure);
  if (failure === undefined) console.log(JSON.stringify({ event: "stopped" }));
  else console.log(JSON.stringify({ event: "failed", code: failure.code, alert: true }));
  // An attempt whose result cannot be stored would keep the process alive.
  setTimeout(() => process.exit(status), EXIT_MS).unref();
  return status;
}

/** Prints the error in one line; returns the exit status. */
function complain(thrown: unknown): number {
  if (!(thrown instanceof UsageError || isCakeError(thrown))) throw thrown;
  if (thrown instanceof UsageError) {
    console.error(`cake-edge forwarder: ${thrown.message}`);
    return thrown.status;
  }
  const variable = VARIABLES[thrown.parameter ?? ""];
  const where = variable === undefined ? "" : ` (the variable ${variable})`;
  console.error(`cake-edge forwarder: ${thrown.code}: ${thrown.message}${where}`);
  if (thrown.code === "outbox_failed") return 1;
  return thrown.code === "outbox_in_use" ? 3 : 2;
}

function readOptions(args: string[]): ServerOptions {
  const values = readArgs(args, OPTION_TYPES, "cake-edge forwarder --help", true) as {
    readonly [name: string]: string | undefined;
  };
  const { config, host, port } = values;
  if (config === undefined) throw new UsageError("--config is missing: a file of options, as JSON");
  const portNumber = port === undefined ? undefined : integerIn("port", port, 0, 65_535);
  const given = readConfig(config);
  const secrets = readSecrets();
  for (const name of Object.keys(secrets)) {
    if (given[name] === undefined || JSON.stringify(given[name]) === JSON.stringify(secrets[name])) continue;
    console.error(
      `cake-edge forwarder: warning: ${config} and ${VARIABLES[name]} give different values of ${name}: the variable's counts`,
    );
  }
  const options: Record<string, unknown> = { ...given, ...secrets };
  if (typeof given["folder"] === "string" && given["folder"] !== "") {
    options["folder"] = resolve(dirname(config), given["folder"]);
  }
  if (host !== undefined) options["host"] = host;
  if (portNumber !== undefined) options["port"] = portNumber;
  // `serveForwarder` checks the name and the type of each option.
  return options as unknown as ServerOptions;
}

function readConfig(file: string): Record<string, unknown> {
  let config: Record<string, unknown>;
  try {
    config = parseOptions(read("--config", file));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (isCakeError(error)) throw new UsageError(`--config ${file}: ${error.message.replace(/^json /, "")}`);
    // The message contains a piece of the file, perhaps a secret, so it is not printed.
    const [, position] = /position (\d+)/.exec((error as Error).message) ?? [];
    const at = position === undefined ? "" : ` at character ${position}`;
    throw new UsageError(`--config ${file}: is not JSON${at}`);
  }
  const secret = secretIn(config);
  if (secret !== undefined && process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0) {
    const or = VARIABLES[secret] === undefined ? "" : `, or set ${VARIABLES[secret]}`;
    console.error(
      `cake-edge forwarder: warning: ${file} holds ${secret} and others may read it: \`chmod 600\` it${or}`,
    );
  }
  return config;
}

/** The name of a secret in the configuration, at any depth: shops' secrets are nested. */
function secretIn(config: object): string | undefined {
  for (const [name, value] of Object.entries(config)) {
    if (name === "apiKey" || /secret/i.test(name)) return name;
    const within = typeof value === "object" && value !== null ? secretIn(value) : undefined;
    if (within !== undefined) return within;
  }
  return undefined;
}

/** The secrets of the environment. They take precedence over those of the file. */
function readSecrets(): Record<string, unknown> {
  const list = (text: string) => text.split(/[\s,]+/).filter((part) => part !== "");
  const found: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries(SECRETS)) {
    const text = secretOf(variable);
    if (text !== undefined) found[name] = text;
  }
  for (const [name, variable] of Object.entries(SECRET_LISTS)) {
    const text = secretOf(variable);
    if (text !== undefined) found[name] = list(text);
  }
  return found;
}

function secretOf(variable: string): string | undefined {
  const file = process.env[`${variable}_FILE`];
  if (file === undefined || file === "") return process.env[variable];
  if (process.env[variable] !== undefined)
    throw new UsageError(`${variable} and ${variable}_FILE are both set: unset one`);
  return read(`${variable}_FILE`, file);
}

function read(what: string, file: string): string {
  try {
    return readFileSync(file, "utf8").replace(/^\ufeff/, "");
  } catch (error) {
    throw new UsageError(`${what} ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}
