/** Prepares all files of `npx cake-edge init` before the first is written. */
import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { FileToWrite } from "./init-files.js";
import { isFolder, isLink, isStanding, realPath, textIn } from "./init-project.js";
import { UsageError } from "./usage.js";

/** A file as it is and as it will be. */
export interface Prepared {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string;
  /** The project's own file that stands for one that is written once. */
  readonly standing: string | undefined;
}

/**
 * `texts` has what is prepared already, by its place: a link may lead two of the files to one.
 *
 * @throws UsageError where the file cannot be written: nothing is written then
 */
export function prepare(
  folder: string,
  [path, make, namesakes = []]: FileToWrite,
  texts: Map<string, string>,
): Prepared {
  // A file of the same name under another ending is the project's: of two, each tool would take its own.
  const standing = [path, ...namesakes].find((each) => make.isOnce && isStanding(folder, each));
  if (standing !== undefined) return { path, before: textIn(folder, standing), after: make(undefined), standing };
  const place = realPath(join(folder, path));
  const stood = textIn(folder, path);
  const before = texts.get(place) ?? stood;
  const after = make(before);
  if (after !== before) {
    checkPlace(folder, path);
    if (stood !== undefined) checkText(folder, path);
    texts.set(place, after);
  }
  return { path, before, after, standing };
}

const MENDED = "move it away, or choose another folder with --dir";

function checkPlace(folder: string, path: string): void {
  let at = join(folder, path);
  if (isFolder(at)) throw new UsageError(`${path} is a folder, and must be a file: ${MENDED}`);
  if (isFolder(at) === false) return;
  // Up to what stands, or to a link that leads to nothing.
  while (isFolder(at) === undefined && !isLink(at) && dirname(at) !== at) at = dirname(at);
  if (isFolder(at)) return;
  const name = relative(folder, at);
  const said = name === "" || name.startsWith("..") ? `--dir ${folder}: ${at}` : name;
  const what = isFolder(at) === undefined ? "a link that leads to nothing" : "a file, and must be a folder";
  throw new UsageError(`${said} is ${what}: ${MENDED}`);
}

/** What is no UTF-8 would come back as other bytes. PowerShell's `>` writes UTF-16. */
function checkText(folder: string, path: string): void {
  const bytes = readFileSync(join(folder, path));
  if (isUtf8(bytes) && !bytes.includes(0)) return;
  const encoding = bytes.includes(0) ? "is UTF-16" : "is not UTF-8";
  throw new UsageError(`${path} ${encoding}, so it cannot be changed without a loss: save it as UTF-8 first`);
}
