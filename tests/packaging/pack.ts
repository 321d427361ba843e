/**
 * The package as npm would publish it: packed once for each state of `dist/`, and installed into a folder for each
 * test.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The packed package. */
export interface Packed {
  /** The tarball's absolute path. */
  readonly tarball: string;
  /** The paths inside of the tarball, such as `dist/entry/edge.inline.js`. */
  readonly files: readonly string[];
}

/** Packs the package, or finds the tarball that an earlier test has packed from the same files. */
export function pack(): Packed {
  const folder = join(root, "target/packed", digest());
  if (!existsSync(folder)) {
    // Tarballs of older files are no longer useful.
    rmSync(join(root, "target/packed"), { recursive: true, force: true });
    mkdirSync(join(root, "target/packed"), { recursive: true });
    const fresh = mkdtempSync(join(root, "target/packed/fresh-"));
    try {
      const printed = execFileSync("npm", ["pack", "--json", "--pack-destination", fresh], {
        cwd: root,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
      const [packed] = Object.values(JSON.parse(printed)) as { filename: string; files: { path: string }[] }[];
      if (packed === undefined) throw new Error("npm pack has packed nothing");
      renameSync(join(fresh, packed.filename), join(fresh, "package.tgz"));
      writeFileSync(join(fresh, "files.json"), JSON.stringify(packed.files.map(({ path }) => path)));
      renameSync(fresh, folder);
    } finally {
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  return {
    tarball: join(folder, "package.tgz"),
    files: JSON.parse(readFileSync(join(folder, "files.json"), "utf8")) as string[],
  };
}

/** Unpacks the package into `home/node_modules/cake-edge`, as `npm install` would; returns that folder. */
export function install(home: string): string {
  const folder = join(home, "node_modules/cake-edge");
  mkdirSync(folder, { recursive: true });
  execFileSync("tar", ["-xzf", pack().tarball, "--strip-components=1", "-C", folder]);
  return folder;
}

/** A hash of all that npm may put into the tarball. */
function digest(): string {
  const hash = createHash("sha256");
  for (const file of globSync(
    ["dist/**", "docs/**", "workers/**", "examples/**", "package.json", "*.md", "LICENSE-*"],
    {
      cwd: root,
    },
  ).sort()) {
    try {
      hash.update(file).update(readFileSync(join(root, file)));
    } catch (error) {
      // The pattern also matches folders.
      if ((error as NodeJS.ErrnoException).code !== "EISDIR") throw error;
    }
  }
  return hash.digest("hex").slice(0, 16);
}
