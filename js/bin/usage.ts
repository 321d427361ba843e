/** The parts that all commands share: usage errors, and the end by a signal. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { isCakeError } from "../error.js";
import { findNearest } from "../nearest.js";
import { isPlaceholderHost } from "../placeholder-host.js";

/** A mistake of the caller, in one sentence. */
export class UsageError extends Error {
  readonly status: number = 2;
}

/** A failure that is not the caller's mistake: a program that did not start, or ended early. */
export class RunError extends UsageError {
  override readonly status = 1;
}

/** A refusal because another process holds the folder, or because the state must not be guessed. */
export class HeldError extends UsageError {
  override readonly status = 3;
}

/** The exit statuses of every command. docs/commands.md has the same table, and a test compares them. */
export const EXIT_STATUSES: readonly (readonly [status: number, meaning: string])[] = [
  [0, "done, and all is well"],
  [1, "not all is well: a check failed, rows differ or are refused, a program ended early"],
  [2, "a mistake in the command, in a file or in a setting; one sentence says which"],
  [
    3,
    "look before you run it again: an outcome is unknown, a file is ambiguous, or another process has the folder or the journal",
  ],
  [4, "the account or the network"],
];

/** A command's help: its own lines, and the exit statuses of all commands. */
export function helpOf(usage: string): string {
  const lines = EXIT_STATUSES.map(([status, meaning]) => `  ${status}  ${meaning}`);
  return [usage, "", "Exit status, of every command:", ...lines].join("\n");
}

/** The option or variable behind a parameter of the code. */
const SOURCES: { readonly [parameter: string]: string } = {
  baseUrl: "--base-url",
  clickId: "--click",
  first: "--from",
  last: "--to",
  from: "--from",
  to: "--to",
  timeZone: "--time-zone",
};

/** An error's sentence, with the option or variable at fault. */
export function sentenceOf(error: Error & { readonly parameter?: string | undefined }): string {
  const { message, parameter = "" } = error;
  if (parameter === "apiKey") return `${message}. Set CAKE_API_KEY`;
  const source = Object.hasOwn(SOURCES, parameter) ? SOURCES[parameter] : undefined;
  return source !== undefined && message.startsWith(parameter) ? source + message.slice(parameter.length) : message;
}

/** The errors of the account and the network; all others of a call are mistakes of the caller. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  "network",
  "timeout",
  "aborted",
  "http_status",
  "rate_limited",
  "unauthorized",
  "refused",
  "unexpected_answer",
  "list_changed",
  "redirected",
  "answer_too_large",
]);

/** A command's end by an error. */
export interface Ending {
  /** What is wrong, in one line. */
  readonly sentence: string;
  readonly status: number;
}

/** The end of a command by this error; `undefined` for a bug, whose stack is needed. */
export function endingOf(error: unknown): Ending | undefined {
  if (error instanceof UsageError) return { sentence: error.message, status: error.status };
  if (isCakeError(error)) {
    if (error.code === "internal") return undefined;
    const status = error.code === "outcome_unknown" ? 3 : ELSEWHERE.has(error.code) ? 4 : 2;
    return { sentence: sentenceOf(error), status };
  }
  // A file that cannot be read or written, by the system's own words.
  if (error instanceof Error && "syscall" in error) return { sentence: error.message, status: 2 };
  return undefined;
}

/** Makes a folder for temporary files. @throws UsageError where the system's place for them cannot be written */
export function makeTemporaryFolder(prefix: string): string {
  try {
    return mkdtempSync(join(tmpdir(), prefix));
  } catch (error) {
    const variable = process.platform === "win32" ? "TEMP" : "TMPDIR";
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `the folder for temporary files, ${tmpdir()}, cannot be written (${code}): set ${variable} to another`,
    );
  }
}

/** Is there a process with this id? */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** An option, as `parseArgs` takes it. */
export interface OptionType {
  readonly type: "string" | "boolean";
  readonly multiple?: boolean;
}

/** The values of options, by name. */
export type OptionValues = { readonly [name: string]: string | boolean | string[] | undefined };

/**
 * Reads a command's options. `help` is the command that lists them.
 *
 * @throws UsageError in four cases: an unknown option (with the nearest known one), a single option given twice, an API
 * key among the arguments, or a manual's host as the base URL. With `isSecret` no value or argument is printed, because it may be a key.
 */
export function readArgs(
  args: readonly string[],
  options: { readonly [name: string]: OptionType },
  help: string,
  isSecret = false,
): OptionValues {
  if (!("key" in options) && args.some((arg) => /^--(api-)?key(=|$)/.test(arg))) {
    const pipe = "key-stdin" in options ? ", or pipe it in with --key-stdin" : "";
    throw new UsageError(
      `the API key is no argument, because process lists and shell histories show arguments: set CAKE_API_KEY${pipe}`,
    );
  }
  try {
    const { values, tokens } = parseArgs({ args: withJoinedNumbers(args, options), options, tokens: true });
    const given = new Set<string>();
    for (const token of tokens) {
      if (token.kind !== "option" || token.value === undefined || options[token.name]?.multiple) continue;
      if (given.has(token.name)) throw new UsageError(`--${token.name} is given twice: it counts once`);
      given.add(token.name);
    }
    const { "base-url": baseUrl } = values as OptionValues;
    if (typeof baseUrl === "string" && isPlaceholderHost(baseUrl)) {
      throw new UsageError("--base-url is a manual's placeholder: give your CAKE domain");
    }
    return values as OptionValues;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const isArgument = (error as NodeJS.ErrnoException).code === "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL";
    let what = isArgument && isSecret ? "it takes options alone" : problemOf(error, Object.keys(options));
    const flag = isArgument && !isSecret ? flagBefore(args, options, what) : undefined;
    if (flag !== undefined) {
      what += `: --${flag} takes no value`;
      if (flag === "csv" || flag === "json") what += ", it writes to standard output; for a file add > FILE";
    }
    throw new UsageError(`${what}; \`${help}\` lists the options`);
  }
}

/** `--tolerance=-0.05` for `--tolerance -0.05`: no option begins with a digit, so the value is meant. */
function withJoinedNumbers(
  args: readonly string[],
  options: { readonly [name: string]: OptionType },
): readonly string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const before = joined.at(-1) ?? "";
    const isValue = before.startsWith("--") && options[before.slice(2)]?.type === "string" && /^-[.,]?\d/.test(arg);
    if (isValue) joined.splice(-1, 1, `${before}=${arg}`);
    else joined.push(arg);
  }
  return joined;
}

/** The option without a value that stands right before the argument that nobody expects. */
function flagBefore(
  args: readonly string[],
  options: { readonly [name: string]: OptionType },
  problem: string,
): string | undefined {
  const flags = Object.keys(options).filter((name) => options[name]?.type === "boolean");
  return flags.find((flag) => args.some((arg, at) => args[at - 1] === `--${flag}` && problem.includes(`'${arg}'`)));
}

/** The whole number that an option has. @throws UsageError */
export function integerIn(name: string, text: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  const range = max === Number.MAX_SAFE_INTEGER ? `, ${min} or more` : ` from ${min} to ${max}`;
  throw new UsageError(`--${name} must be a whole number${range}, not ${JSON.stringify(text)}`);
}

/** Node's message, and the option that was probably meant. */
function problemOf(error: unknown, known: readonly string[]): string {
  const [problem = ""] = (error as Error).message.split(/\. |\n/);
  const empty = /^Option '(--[^'\s]+)' argument is ambiguous/.exec(problem)?.[1];
  if (empty !== undefined) return `${empty} has no value; one that begins with a dash is written ${empty}=VALUE`;
  const given = /^Unknown option '-{1,2}([^'=\s]+)/.exec(problem)?.[1];
  const nearest = given === undefined ? undefined : findNearest(given, known);
  return nearest === undefined ? problem : `${problem}: did you mean --${nearest}?`;
}

/** Calls `stop` when this process is asked to end, perhaps more than once. */
export function whenAskedToStop(stop: () => void): void {
  // Not `once`: npm and the terminal may both send the signal, and the second must not kill this process while it
  // stops.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  // A killed npx sends no signal: its children notice that the parent is gone.
  const parent = process.ppid;
  const watch = setInterval(() => process.ppid !== parent && stop(), 500);
  if (process.env["npm_command"] === undefined) clearInterval(watch);
  watch.unref();
}
