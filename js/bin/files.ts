/** The files that an option names: those that are read, one or a pattern for several, and where one is written. */
import { existsSync, fstatSync, lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { UsageError } from "./usage.js";

/** The files of a pattern; a shell may have expanded it already. */
export function filesOf(given: readonly string[] | undefined): string[] {
  return (given ?? []).flatMap((pattern) => {
    // The note beside kept pages is no page, even if the shell expanded the pattern.
    const found = statSync(pattern, { throwIfNoEntry: false });
    if (found?.isDirectory()) {
      throw new UsageError(
        `${JSON.stringify(pattern)} is a folder: name files in it, such as ${join(pattern, "*.json")}`,
      );
    }
    if (found !== undefined) return pattern.endsWith(".complete.json") ? [] : [pattern];
    const isPage = (file: string) => !file.endsWith(".complete.json");
    const files = /[*?[]/.test(pattern) ? expand(pattern).filter(isPage).sort() : [];
    if (files.length === 0) throw new UsageError(`there is no file ${JSON.stringify(pattern)}`);
    return files;
  });
}

/**
 * The files of a pattern: `*` and `?` stand for characters of a name, `[…]` for one of them, `**` for folders. Like in
 * shells, a wildcard does not match names that begin with a dot. Node has this from 22 on.
 */
function expand(pattern: string): string[] {
  const parts = pattern.split(process.platform === "win32" ? /[\\/]/ : "/");
  const isAbsolute = parts[0] === "" || parts[0]?.endsWith(":") === true;
  let folders = [isAbsolute ? `${parts.shift() as string}/` : ""];
  parts.forEach((part, index) => {
    const isLast = index === parts.length - 1;
    if (part === "**") {
      folders = folders.flatMap(withFolders);
    } else if (/[*?[]/.test(part)) {
      const name = patternOf(part);
      // A name may have such signs itself: `[2026]`.
      folders = folders.flatMap((folder) =>
        namesIn(folder)
          .filter((entry) => (entry.name === part || name.test(entry.name)) && entry.isFolder !== isLast)
          .map((entry) => join(folder, entry.name)),
      );
    } else {
      folders = folders.map((folder) => join(folder, part)).filter((path) => existsSync(path));
    }
  });
  return [...new Set(folders)];
}

/** One name of a path as a regular expression. */
function patternOf(part: string): RegExp {
  const source = part.replace(/\*+|\?|\[[!^]?[^\]]+\]|[\s\S]/g, (sign) => {
    if (sign.startsWith("*")) return "[^/]*";
    if (sign === "?") return "[^/]";
    if (sign.length > 1) return `[${sign.slice(1, -1).replace(/^!/, "^").replace(/[\\[]/g, "\\$&")}]`;
    return sign.replace(/[\\^$.|+(){}[\]]/g, "\\$&");
  });
  return new RegExp(`^${part.startsWith(".") ? "" : "(?!\\.)"}${source}$`, "u");
}

function namesIn(folder: string): { name: string; isFolder: boolean }[] {
  if (folder !== "" && statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(folder || ".").map((name) => {
    // A link to a file counts as a file.
    const found = statSync(join(folder, name), { throwIfNoEntry: false });
    return { name, isFolder: found?.isDirectory() === true };
  });
}

/** A folder and all folders below it. */
function withFolders(folder: string): string[] {
  const below = namesIn(folder).filter(({ name, isFolder }) => isFolder && !name.startsWith("."));
  return [folder, ...below.flatMap(({ name }) => withFolders(join(folder, name)))];
}

/** Links that lead to links are followed as far as systems do. */
const MAX_LINKS = 40;

/**
 * Where a file is written: at the end of its links, which are never replaced by a file. `/dev/stdout` and its like, led
 * into a file or a socket, are the open descriptor.
 */
export function placeOf(file: string): string | number {
  let place = file;
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const [, process_, descriptor] = /^\/(?:dev|proc\/(\w+))\/fd\/(\d+)$/.exec(resolve(place)) ?? [];
    if (descriptor !== undefined && [undefined, "self", String(process.pid)].includes(process_)) {
      return isWritten(Number(descriptor)) ? Number(descriptor) : file;
    }
    if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() !== true) break;
    // The link's target may not exist yet.
    place = resolve(realpathSync(dirname(place)), readlinkSync(place));
  }
  return place;
}

function isWritten(descriptor: number): boolean {
  try {
    const found = fstatSync(descriptor);
    // A socket has no name either that could be opened.
    return found.isFile() || found.isSocket();
  } catch {
    return false;
  }
}

/**
 * Refuses what is no file, such as a journal that a device would have to keep. A folder is refused by its reader.
 *
 * @throws UsageError
 */
export function refuseSpecial(what: string, file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.isFile() || found.isDirectory()) return;
  throw new UsageError(`${what} ${file} is a device or a pipe: name a file`);
}

/**
 * Refuses a device, which may have no end. A pipe has one.
 *
 * @throws UsageError
 */
export function refuseDevice(what: string, file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isCharacterDevice() || found?.isBlockDevice()) {
    throw new UsageError(`${what} ${file} is a device, which may have no end: name a file`);
  }
}
