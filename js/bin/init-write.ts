/** Prepares all files of `npx cake-edge init` before the first is written, and writes one. */
import { chmodSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { makeFolder } from "../folder.js";
import type { FileToWrite } from "./init-files.js";
import { isStanding, textIn } from "./init-project.js";
import { isSecretFile } from "./init-secrets.js";
import { RunError, UsageError } from "./usage.js";

/** A file as it is and as it will be. */
export interface Prepared {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string;
  /** The project's own file that stands for one that is written once. */
  readonly standing: string | undefined;
}

/** @throws UsageError where the file cannot be written: nothing is written then */
export function prepare(folder: string, [path, make, namesakes = []]: FileToWrite): Prepared {
  // A file of the same name under another ending is the project's: of two, each tool would take its own.
  const standing = [path, ...namesakes].find((each) => make.isOnce && isStanding(folder, each));
  if (standing !== undefined) return { path, before: textIn(folder, standing), after: make(undefined), standing };
  const before = textIn(folder, path);
  const after = make(before);
  if (after !== before) checkPlace(folder, path);
  return { path, before, after, standing };
}

function checkPlace(folder: string, path: string): void {
  const isFolder = (at: string) => {
    try {
      return statSync(at).isDirectory();
    } catch {
      return undefined;
    }
  };
  const file = join(folder, path);
  const mended = "move it away, or choose another folder with --dir";
  if (isFolder(file)) throw new UsageError(`${path} is a folder, and must be a file: ${mended}`);
  let above = dirname(file);
  while (isFolder(above) === undefined && dirname(above) !== above) above = dirname(above);
  if (isFolder(above)) return;
  const name = relative(folder, above);
  const said = name === "" || name.startsWith("..") ? `--dir ${folder}: ${above}` : name;
  throw new UsageError(`${said} is a file, and must be a folder: ${mended}`);
}

/** Writes one file; only its owner may read secrets, also where the file stood before. */
export function write(file: string, text: string): void {
  try {
    makeFolder(dirname(file));
    const isSecret = isSecretFile(file);
    writeFileSync(file, text, isSecret ? { mode: 0o600 } : {});
    if (isSecret) chmodSync(file, 0o600);
  } catch (error) {
    throw new RunError(`${file} cannot be written: ${(error as Error).message}`);
  }
}
