/** Writes the files of `npx cake-edge init`: all of them, or none. */
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { makeFolder } from "../folder.js";
import { realPath, upwards } from "./init-project.js";
import { isSecretFile } from "./init-secrets.js";
import { RunError, UsageError } from "./usage.js";

/** A file with its text to be. */
export interface Replacement {
  readonly file: string;
  /** What stood there as the text was made. */
  readonly before: string | undefined;
  readonly after: string;
}

/** A file's new text and its old one, each in a file beside it. No tool reads these names. */
interface Staged {
  readonly place: string;
  readonly fresh: string;
  /** None where nothing stood. */
  readonly old: string | undefined;
  isReplaced: boolean;
}

/**
 * Writes the files of each turn beside themselves, and then renames them: a full disk is met while each still stands.
 * A turn is asked for its files once those before it are written. If it fails, these are taken back, too.
 *
 * @throws RunError where one cannot be written: all files are then as they were
 */
export function replaceAll(turns: readonly (() => readonly Replacement[])[]): void {
  const all: Staged[] = [];
  const folders: string[] = [];
  let at = "";
  try {
    for (const turn of turns) {
      // Two paths may lead to one file: its last text has both changes.
      const staged = new Map<string, Staged>();
      for (const { file, before, after } of turn()) {
        at = file;
        const place = realPath(file);
        if (!staged.has(place)) {
          folders.push(...upwards(dirname(place)).filter((folder) => !existsSync(folder)));
          makeFolder(dirname(place));
          const stood = standingAt(place, before);
          const fresh = `${place}.cake-edge-new~`;
          const old = stood && `${place}.cake-edge-old~`;
          const one = { place, fresh, old, isReplaced: false };
          staged.set(place, one);
          all.push(one);
          if (old !== undefined) writeBeside(old, stood ?? "", place);
        }
        writeBeside(`${place}.cake-edge-new~`, after, place, isSecretFile(file));
      }
      for (const one of staged.values()) {
        at = one.place;
        renameSync(one.fresh, one.place);
        one.isReplaced = true;
      }
    }
  } catch (error) {
    const lost = takeBack(all, folders);
    const said = lost.length === 0 ? "nothing is changed" : lost.join(", ");
    throw error instanceof UsageError
      ? error
      : new RunError(`${at} cannot be written, so ${said}: ${(error as Error).message}`);
  }
  for (const { old } of all) if (old !== undefined) rmSync(old, { force: true });
}

/** The bytes of the file that will be replaced. A rename would pass over its own protection. */
function standingAt(place: string, before: string | undefined): Buffer | undefined {
  const stats = statSync(place, { throwIfNoEntry: false });
  if (stats?.isFile() === false) throw new Error("it is a device or a pipe");
  if (stats !== undefined) accessSync(place, constants.W_OK);
  const bytes = stats === undefined ? undefined : readFileSync(place);
  // The user may have changed it at a question.
  if (bytes?.toString() !== before) throw new Error("it has changed meanwhile, run this command again");
  return bytes;
}

/** Puts each file back as it was; returns what is left to do where that cannot be done. */
function takeBack(all: Staged[], folders: readonly string[]): string[] {
  const lost: string[] = [];
  for (const { place, fresh, old, isReplaced } of all.reverse()) {
    try {
      rmSync(fresh, { force: true });
      if (isReplaced && old !== undefined) renameSync(old, place);
      else if (isReplaced) rmSync(place);
      else if (old !== undefined) rmSync(old, { force: true });
    } catch {
      lost.push(isReplaced && old !== undefined ? `put ${old} back as ${place}` : `remove ${fresh}`);
    }
  }
  for (const folder of folders) {
    try {
      rmdirSync(folder);
    } catch {
      // It was not made, or another program has put a file there.
    }
  }
  return lost;
}

/** Writes a file with the mode and the owner of the one beside it; only its owner may read a secret. */
function writeBeside(file: string, text: string | Buffer, place: string, isSecret = false): void {
  // One of a run that was killed.
  rmSync(file, { force: true });
  const like = statSync(place, { throwIfNoEntry: false });
  const mode = isSecret ? 0o600 : like && like.mode & 0o7777;
  writeFileSync(file, text, { flag: "wx", flush: true, mode: mode === undefined ? 0o666 : 0o600 });
  if (like !== undefined) {
    try {
      chownSync(file, like.uid, like.gid);
    } catch {
      // Only root gives a file away.
    }
  }
  if (mode !== undefined) chmodSync(file, mode);
}
