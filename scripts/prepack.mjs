// npm runs this script before it packs, and with `--restore` after. The script adds to the tarball what only the
// registry's page and old resolvers need. It is plain JavaScript, because npm runs it with any Node.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const kept = join(root, "target/prepack");
/** The files that are changed for the tarball where the repository's address is known. */
const CHANGED = ["README.md", "package.json"];

restore();
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const entries = Object.entries(manifest.exports).filter(
  ([path, target]) => path !== "." && target.default?.endsWith(".js") && !path.includes("*"),
);

if (!process.argv.includes("--restore")) {
  // Resolvers that do not read `exports` (Parcel's, TypeScript's "node10") look for a folder with the entry's name.
  for (const [path, { types, default: main }] of entries) {
    const up = "../".repeat(path.split("/").length - 1);
    const folder = join(root, path);
    mkdirSync(folder, { recursive: true });
    const stub = { type: "module", main: up + main.slice(2), types: up + types.slice(2) };
    writeFileSync(join(folder, "package.json"), `${JSON.stringify(stub, null, 2)}\n`);
  }
  const repository = repositoryOf(process.env);
  if (repository !== undefined) {
    mkdirSync(kept, { recursive: true });
    for (const file of CHANGED) writeFileSync(join(kept, file), readFileSync(join(root, file)));
    const { devDependencies: _, scripts: __, allowScripts: ___, ...published } = manifest;
    const named = {
      ...published,
      repository: { type: "git", url: `git+${repository}.git` },
      homepage: `${repository}#readme`,
      bugs: `${repository}/issues`,
    };
    writeFileSync(join(root, "package.json"), `${JSON.stringify(named, null, 2)}\n`);
    // The registry's page is outside the repository: each relative link becomes an absolute one for this version.
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const base = `${repository}/blob/v${manifest.version}/`;
    writeFileSync(join(root, "README.md"), readme.replace(/\]\((?![a-z]+:|#)([^)]+)\)/g, `](${base}$1)`));
  }
}

/** The address of the repository, from the publisher or from the workflow. */
function repositoryOf(env) {
  if (env.CAKE_EDGE_REPOSITORY) return env.CAKE_EDGE_REPOSITORY.replace(/\/$|\.git$/, "");
  if (env.GITHUB_SERVER_URL && env.GITHUB_REPOSITORY) return `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}`;
  return undefined;
}

/** Restores all files, also after an interrupted pack. */
function restore() {
  for (const file of CHANGED) {
    if (existsSync(join(kept, file))) renameSync(join(kept, file), join(root, file));
  }
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const path of Object.keys(exports)) {
    const stub = join(root, path, "package.json");
    if (path === "." || path.includes("*") || !existsSync(stub)) continue;
    rmSync(join(root, path.split("/").slice(0, 2).join("/")), { recursive: true, force: true });
    if (dirname(stub) === root) throw new Error(`${stub} is no stub`);
  }
}
