// npm test: runs every suite in sequence, and prints one plain line at the end.
// `npm test -- NAME …` runs only the named suites; `--all` runs every consumer of the package, not the quick dozen.
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BuildError, build, root } from "./build.ts";

interface Counts {
  passed: number;
  failed: number;
}

interface Suite {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
  /** Reads the counts from the suite's output or its result file. */
  readonly count: (output: string) => Counts;
}

const WASM = ["test", "--target", "wasm32-unknown-unknown"];
const RUNNER = { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: "wasm-bindgen-test-runner" };
const VITEST_JSON = join(root, "target/vitest.json");

const VITEST = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${VITEST_JSON}`];

const SUITES: Record<string, Suite> = {
  core: {
    command: "cargo",
    args: ["test", "--features", "page,link,edge,client,checks,forwarder,report,sandbox"],
    // The same cases in every run: a red run is about the change. Another number, or none, looks further.
    env: { PROPTEST_RNG_SEED: process.env["PROPTEST_RNG_SEED"] ?? "1" },
    count: cargoCounts,
  },
  "wasm-node": {
    command: "cargo",
    args: [...WASM, "--features", "edge,client,checks,forwarder", "--test", "wasm_node"],
    env: RUNNER,
    count: cargoCounts,
  },
  "wasm-browser": {
    command: "cargo",
    args: [...WASM, "--features", "page,link", "--test", "wasm_browser"],
    env: RUNNER,
    count: cargoCounts,
  },
  // Node, workerd, the packed package and the demo page in Chromium.
  js: {
    command: "vitest",
    args: [...VITEST, "--project=node", "--project=browser", "--project=worker"],
    count: vitestCounts,
  },
  // The packed tarball in the consumer projects.
  consumers: {
    command: "vitest",
    args: [...VITEST, "--project=consumers"],
    env: process.argv.includes("--all") ? { CAKE_EDGE_CONSUMERS: "all" } : {},
    count: vitestCounts,
  },
};

const chosen = process.argv.slice(2).filter((argument) => argument !== "--all");
const unknown = chosen.find((name) => !(name in SUITES));
if (unknown !== undefined) {
  console.error(`test: there is no suite ${JSON.stringify(unknown)}; there are ${Object.keys(SUITES).join(", ")}`);
  process.exit(2);
}

const started = Date.now();
const total: Counts = { passed: 0, failed: 0 };
try {
  await build();
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`test: ${error.message}`);
  total.failed += 1;
}
if (total.failed === 0) {
  for (const [name, suite] of Object.entries(SUITES)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    const start = Date.now();
    console.log(`\n── ${name} ──`);
    const { passed, failed } = await run(suite);
    total.passed += passed;
    total.failed += failed;
    console.log(`── ${name}: ${passed} passed, ${failed} failed, ${seconds(start)}`);
  }
}
console.log(`\nall suites: ${seconds(started)}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

function run({ command, args, env, count }: Suite): Promise<Counts> {
  rmSync(VITEST_JSON, { force: true });
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      process.stdout.write(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => process.stderr.write(text));
    child.on("error", (error) => {
      console.error(`test: ${command} could not be started: ${error.message}`);
      resolve({ passed: 0, failed: 1 });
    });
    child.on("close", (code) => {
      const counts = count(output);
      // A suite that crashed or ran no test has failed, whatever the count.
      const isLost = counts.failed === 0 && (code !== 0 || counts.passed === 0);
      resolve(isLost ? { passed: counts.passed, failed: 1 } : counts);
    });
  });
}

function cargoCounts(output: string): Counts {
  const counts = { passed: 0, failed: 0 };
  for (const [, passed, failed] of output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed/gm)) {
    counts.passed += Number(passed);
    counts.failed += Number(failed);
  }
  return counts;
}

function vitestCounts(): Counts {
  try {
    const report = JSON.parse(readFileSync(VITEST_JSON, "utf8"));
    return { passed: report.numPassedTests, failed: report.numFailedTests };
  } catch {
    return { passed: 0, failed: 1 };
  }
}
