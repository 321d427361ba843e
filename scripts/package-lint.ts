// Runs publint and arethetypeswrong on the tarball. The package has ES modules only. CommonJS loads them by `require`
// of an ES module, which Node has from 20.19 and TypeScript from 5.8. That one finding is expected.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { pack } from "../tests/packaging/pack.ts";
import { root } from "./build.ts";

const { tarball } = pack();
const bytes = readFileSync(tarball);
const { messages, pkg } = await publint({
  pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer },
  strict: true,
});
for (const message of messages) console.error(`publint: ${formatMessage(message, pkg)}`);

let isWrong = false;
try {
  execFileSync(
    join(root, "node_modules/.bin/attw"),
    // Entries without JavaScript have no types to check.
    [
      tarball,
      "--profile",
      "esm-only",
      "--exclude-entrypoints",
      "./fixture.schema.json",
      "./package.json",
      "./checks.wasm",
      "./client.wasm",
      "./edge.wasm",
      "./forwarder.wasm",
      "./report.wasm",
      "./sandbox.wasm",
      "--format",
      "table-flipped",
      "--no-emoji",
    ],
    { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
  );
} catch (error) {
  isWrong = true;
  console.error((error as { stdout: string; stderr: string }).stdout, (error as { stderr: string }).stderr);
}
process.exitCode = messages.length > 0 || isWrong ? 1 : 0;
