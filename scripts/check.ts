// npm run check: formatting, lints and types, of Rust and of TypeScript.
// `-- --fix` formats, and fixes the lints that can be fixed.
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { BuildError, build, root } from "./build.ts";

const { values } = parseArgs({ options: { fix: { type: "boolean", default: false } } });
const warnings = ["--", "-D", "warnings"];
const wasm = ["--target", "wasm32-unknown-unknown"];

const CHECKS: readonly [name: string, command: string, ...args: string[]][] = [
  ["rustfmt", "cargo", "fmt", ...(values.fix ? [] : ["--check"])],
  [
    "clippy, host",
    "cargo",
    "clippy",
    "--quiet",
    "--all-targets",
    "--features",
    "page,link,edge,client,checks,forwarder,report,sandbox",
    ...warnings,
  ],
  // All audiences with their bindings: only this build can tell which code is dead.
  [
    "clippy, all audiences",
    "cargo",
    "clippy",
    "--quiet",
    ...wasm,
    "--features",
    "page,link,edge,client,checks,forwarder,report,sandbox",
    ...warnings,
  ],
  // Each audience in its own build, then the wasm tests.
  ["clippy, page", "cargo", "clippy", "--quiet", ...wasm, "--features", "page", ...warnings],
  ["clippy, link", "cargo", "clippy", "--quiet", ...wasm, "--features", "link", ...warnings],
  ["clippy, edge", "cargo", "clippy", "--quiet", ...wasm, "--features", "edge", ...warnings],
  ["clippy, checks", "cargo", "clippy", "--quiet", ...wasm, "--features", "checks", ...warnings],
  ["clippy, client", "cargo", "clippy", "--quiet", ...wasm, "--features", "client", ...warnings],
  ["clippy, forwarder", "cargo", "clippy", "--quiet", ...wasm, "--features", "forwarder", ...warnings],
  ["clippy, report", "cargo", "clippy", "--quiet", ...wasm, "--features", "report", ...warnings],
  ["clippy, sandbox", "cargo", "clippy", "--quiet", ...wasm, "--features", "sandbox", ...warnings],
  [
    "clippy, wasm tests",
    "cargo",
    "clippy",
    "--quiet",
    ...wasm,
    "--features",
    "page,link,edge,client,checks,forwarder",
    "--test",
    "wasm_node",
    "--test",
    "wasm_browser",
    ...warnings,
  ],
  [
    "rustdoc",
    "cargo",
    "doc",
    "--quiet",
    "--no-deps",
    "--document-private-items",
    "--features",
    "page,link,edge,client,checks,forwarder,report,sandbox",
  ],
  ["arrows", process.execPath, "scripts/arrows.ts"],
  ["lengths", process.execPath, "scripts/lengths.ts"],
  ["paths", process.execPath, "scripts/paths.ts"],
  ["plain words", process.execPath, "scripts/words.ts"],
  ["Biome", "biome", "check", "--error-on-warnings", ...(values.fix ? ["--write"] : []), "."],
  ["licences and sources", "cargo", "deny", "--log-level", "error", "check", "bans", "licenses", "sources"],
  ["public types", process.execPath, "scripts/api.ts", ...(values.fix ? ["--fix"] : [])],
  ["the tarball", process.execPath, "scripts/package-lint.ts"],
  ["tsc, page", "tsc", "-p", "js/tsconfig.page.json", "--noEmit"],
  ["tsc, worker", "tsc", "-p", "js/tsconfig.worker.json", "--noEmit"],
  ["tsc, node", "tsc", "-p", "js/tsconfig.node.json", "--noEmit"],
  ["tsc, live view", "tsc", "-p", "js/tsconfig.view.json"],
  ["tsc, worker tests", "tsc", "-p", "tests/worker/tsconfig.json"],
  ["tsc, demo", "tsc", "-p", "www/tsconfig.json"],
  ["tsc, static demo", "tsc", "-p", "www/static/tsconfig.json"],
  ["tsc, examples", "tsc", "-p", "examples/shopify/tsconfig.json"],
  ["tsc, scripts and tests", "tsc", "-p", "tsconfig.json"],
];

let failed = 0;
try {
  await build(); // The check covers the types of the generated glue.
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`check: ${error.message}`);
  process.exit(1);
}
for (const [name, command, ...args] of CHECKS) {
  const start = Date.now();
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, RUSTDOCFLAGS: "-D warnings" },
  });
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name}, ${((Date.now() - start) / 1000).toFixed(1)} s`);
  if (status !== 0) failed += 1;
}
console.log(
  failed === 0
    ? "check: all well"
    : `check: ${failed} of ${CHECKS.length} failed; \`npm run check -- --fix\` mends formatting`,
);
process.exitCode = failed === 0 ? 0 : 1;
