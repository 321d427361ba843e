/** The parts that all commands share: usage errors, and the end by a signal. */
import { findNearest } from "../nearest.js";

/** A mistake of the caller's: one sentence. */
export class UsageError extends Error {}

/** Is there a process of this id? */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Node's own words for it, and the option that was probably meant; of an option's value nothing is shown. */
export function optionProblem(error: unknown, known: readonly string[]): string {
  const [problem = ""] = (error as Error).message.split(/[.\n]/);
  const given = /^Unknown option '-{1,2}([^'=\s]+)/.exec(problem)?.[1];
  const nearest = given === undefined ? undefined : findNearest(given, known);
  return nearest === undefined ? problem : `${problem}: did you mean --${nearest}?`;
}

/** Calls `stop` when this process is told to end; perhaps more than once. */
export function whenAskedToStop(stop: () => void): void {
  // Not `once`: npm and the terminal may both pass it on, and the second must not kill us in mid-stop.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  // A killed npx tells nobody: what it has started sees that it is gone.
  const parent = process.ppid;
  const watch = setInterval(() => process.ppid !== parent && stop(), 500);
  if (process.env["npm_command"] === undefined) clearInterval(watch);
  watch.unref();
}
