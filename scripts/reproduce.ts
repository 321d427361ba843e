// npm run reproduce: builds the wasm again in another folder, and compares the bytes.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BuildError, build, root } from "./build.ts";

const WASM = ["edge", "client", "checks", "forwarder", "sandbox", "report"].map(
  (audience) => `js/wasm/${audience}_bg.wasm`,
);
const PAGE = ["page", "link", "fallback", "link-fallback"].map(
  (audience) => `target/wasm/${audience}/${audience}_bg.wasm`,
);

const elsewhere = mkdtempSync(join(tmpdir(), "cake-edge another folder-"));
try {
  await build();
  // The files of the work tree, not of the last commit: the comparison is between folders.
  const copied = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root });
  const packed = spawnSync("tar", ["--null", "-T", "-", "-cf", "-"], {
    cwd: root,
    input: Buffer.from(
      copied.stdout
        .toString()
        .split("\0")
        .filter((file) => existsSync(join(root, file)))
        .join("\0"),
    ),
    maxBuffer: 2 ** 30,
  });
  if (spawnSync("tar", ["-xf", "-"], { cwd: elsewhere, input: packed.stdout }).status !== 0) {
    throw new BuildError("the copy could not be unpacked");
  }
  symlinkSync(join(root, "node_modules"), join(elsewhere, "node_modules"));
  const { status } = spawnSync(process.execPath, [join(elsewhere, "scripts/build.ts"), "wasm"], {
    cwd: elsewhere,
    stdio: "inherit",
  });
  if (status !== 0) throw new BuildError("the second build failed");
  for (const file of [...WASM, ...PAGE]) {
    const [here, there] = [root, elsewhere].map((folder) =>
      createHash("sha256")
        .update(readFileSync(join(folder, file)))
        .digest("hex"),
    );
    console.log(`${here === there ? "same  " : "DIFFER"} ${here} ${file}`);
    if (here !== there) process.exitCode = 1;
  }
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`reproduce: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(elsewhere, { recursive: true, force: true });
}
