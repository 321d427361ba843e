// npm run fuzz: runs every fuzz target (libFuzzer, by cargo-fuzz).
// `-- --runs 1000000` sets the number of inputs for each target; `-- link` selects one target. `-- --seed 1` makes the
// same inputs at each run, from empty corpora: what CI finds is then the change's own.
import { spawnSync } from "node:child_process";
import { globSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./build.ts";

const { values, positionals } = parseArgs({
  options: { runs: { type: "string", default: "20000" }, seed: { type: "string", default: "0" } },
  allowPositionals: true,
});
const targets = globSync("fuzz/fuzz_targets/*.rs", { cwd: root })
  .map((file) => basename(file, ".rs"))
  .sort();
const unknown = positionals.find((name) => !targets.includes(name));
if (unknown !== undefined || !/^\d+ \d+$/.test(`${values.runs} ${values.seed}`)) {
  console.error(`fuzz: usage: npm run fuzz -- [--runs N] [--seed N] [${targets.join(" | ")}]`);
  process.exit(2);
}

for (const target of positionals.length > 0 ? positionals : targets) {
  const start = Date.now();
  mkdirSync(join(root, "fuzz/corpus", target), { recursive: true });
  const { status, stderr } = spawnSync(
    "cargo",
    // In safe Rust the possible failure is a panic, not a memory error: a sanitizer would only cost time.
    [
      "fuzz",
      "run",
      "--sanitizer",
      "none",
      target,
      `fuzz/corpus/${target}`,
      `fuzz/seeds/${target}`,
      "--",
      `-runs=${values.runs}`,
      `-seed=${values.seed}`,
      "-max_len=2048",
      "-verbosity=0",
      "-print_final_stats=0",
    ],
    // libFuzzer's hooks need unstable flags on the pinned compiler.
    {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, RUSTC_BOOTSTRAP: "1" },
      stdio: ["ignore", "inherit", "pipe"],
      maxBuffer: 2 ** 28,
    },
  );
  if (status !== 0) {
    console.error(stderr.slice(-4_000));
    console.error(`fuzz: ${target} did not build, or failed: then the input is in fuzz/artifacts/${target}/`);
    process.exit(1);
  }
  console.log(`fuzz: ${target}: ${values.runs} inputs clean, ${((Date.now() - start) / 1000).toFixed(1)} s`);
}
