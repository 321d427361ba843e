// Builds everything that a user gets: the wasm of each audience, the package's
// JavaScript and types, and the demo page. Skips what has not changed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

// Std rebuilt for size, and a panic a trap without words. That needs flags which
// stable Rust keeps behind RUSTC_BOOTSTRAP; the compiler is pinned in
// rust-toolchain.toml, so they cannot change under us.
const SMALL = {
  cargo: ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"],
  env: { RUSTC_BOOTSTRAP: "1", RUSTFLAGS: "-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none" },
} as const;

// For the JavaScript fallback: wasm2js knows the first WebAssembly alone.
const OLD = { ...SMALL, env: { ...SMALL.env, RUSTFLAGS: `${SMALL.env.RUSTFLAGS} -Ctarget-cpu=mvp` } } as const;

// LLVM's default copies functions of up to 225 into their callers: 7 kB gzip of
// calls that wait for a network. `opt-level = "s"` would cost links a third of their speed.
// SHA-256 without unrolled rounds: a cookie's signature takes microseconds either way.
const FAST = {
  ...SMALL,
  env: {
    ...SMALL.env,
    RUSTFLAGS:
      `${SMALL.env.RUSTFLAGS} -Cllvm-args=-inline-threshold=100` +
      ' --cfg sha2_backend="soft" --cfg sha2_backend_soft="compact"',
  },
} as const;

/** One wasm build per audience, each its own Cargo feature. */
const AUDIENCES = {
  edge: { profile: "edge", feature: "edge", ...FAST },
  // The edge's profile: std is rebuilt once for both.
  forwarder: { profile: "edge", feature: "forwarder", ...FAST },
  sandbox: { profile: "release", feature: "sandbox", cargo: [], env: {} },
  page: { profile: "page", feature: "page", ...SMALL },
  link: { profile: "page", feature: "link", ...SMALL },
  // The page's cores once more, for where there is no WebAssembly.
  fallback: { profile: "fallback", feature: "page", ...OLD },
  "link-fallback": { profile: "fallback", feature: "link", ...OLD },
} as const;

type Audience = keyof typeof AUDIENCES;

/** A step failed; its output is on the terminal already. */
export class BuildError extends Error {}

/** Builds all, and says what took long. */
export function build(): void {
  for (const audience of Object.keys(AUDIENCES) as Audience[]) buildWasm(audience);
  buildView();
  buildPackage();
  buildPage();
  buildSandboxWorker();
  buildDemo();
}

/** js/wasm/AUDIENCE.js, .d.ts and AUDIENCE_bg.wasm; the page's are finished by scripts/page.ts. */
function buildWasm(audience: Audience): void {
  const { profile, feature, cargo, env } = AUDIENCES[audience];
  const out = `target/wasm/${audience}`;
  const isForPages = feature === "page" || feature === "link";
  once(
    `wasm ${audience}`,
    () => [...sources(audience), "Cargo.*", "rust-toolchain.toml", "scripts/build.ts"],
    isForPages ? `${out}/${audience}_bg.wasm` : `js/wasm/${audience}_bg.wasm`,
    () => {
      run(
        "wasm-pack",
        [
          "build",
          "--mode",
          "no-install",
          "--target",
          "web",
          "--no-pack",
          "--no-opt",
          "--no-gitignore",
          "--profile",
          profile,
          "--out-dir",
          out,
          "--out-name",
          audience,
          ".",
          "--features",
          feature,
          ...cargo,
        ],
        env,
      );
      cpSync(join(root, "target/wasm32-unknown-unknown", profile, "cake_edge.d"), notesOf(audience));
      if (isForPages) return;
      mkdirSync(join(root, "js/wasm"), { recursive: true });
      for (const file of [`${audience}.js`, `${audience}.d.ts`])
        cpSync(join(root, out, file), join(root, "js/wasm", file));
      run("wasm-opt", ["-O3", `${out}/${audience}_bg.wasm`, "-o", `js/wasm/${audience}_bg.wasm`]);
    },
  );
}

/** What the audience's last build was compiled from, as cargo noted it; all of `src` before the first. */
function sources(audience: Audience): string[] {
  const notes = notesOf(audience);
  if (!existsSync(notes)) return ["src/**/*.rs"];
  const [, files = ""] = readFileSync(notes, "utf8").split(": ");
  return files
    .trim()
    .split(/(?<!\\)\s+/)
    .map((file) => relative(root, file.replaceAll("\\ ", " ")));
}

function notesOf(audience: Audience): string {
  return join(root, "target/wasm", `${audience}.d`);
}

/** js/generated/view.ts: the sandbox's live view, as one page. */
function buildView(): void {
  once("view", ["js/view/*", "js/sandbox/rows.ts", "scripts/view.ts", "package.json"], "js/generated/view.ts", () => {
    run(process.execPath, ["scripts/view.ts"]);
  });
}

/** dist/: what npm publishes. */
function buildPackage(): void {
  once("package", ["js/**/*.{ts,json}", "js/wasm/*", "tsconfig.json"], "dist/entry/edge.node.js", () => {
    for (const project of ["page", "worker", "node"]) run("tsc", ["-p", `js/tsconfig.${project}.json`]);
    cpSync(join(root, "js/wasm"), join(root, "dist/wasm"), { recursive: true });
    cpSync(join(root, "js/sandbox/fixture.schema.json"), join(root, "dist/sandbox/fixture.schema.json"));
  });
}

/** dist/page/: what a page loads, bundled and minified, the wasm inside. */
function buildPage(): void {
  const inputs = [
    "js/{error,link,option}.ts",
    "js/{page,entry}/*",
    "target/wasm/{page,link,fallback,link-fallback}/*.wasm",
    "scripts/page.ts",
  ];
  once("page", inputs, "dist/page/page.js", () => run(process.execPath, ["scripts/page.ts"]));
}

/** dist/bin/worker/sandbox.js: the sandbox's Worker in one file, for `npx cake-edge sandbox`. */
function buildSandboxWorker(): void {
  once(
    "sandbox-worker",
    ["js/**/*.{ts,tsx,json}", "js/wasm/*", "scripts/bundle.ts"],
    "dist/bin/worker/sandbox.js",
    () => {
      run(process.execPath, ["scripts/bundle.ts", "sandbox", "workers/sandbox/index.ts", "dist/bin/worker"]);
    },
  );
}

/** target/demo/: the demo page. */
function buildDemo(): void {
  once("demo", ["www/**/*", "js/**/*", "package.json"], "target/demo/index.html", () => {
    run("vite", ["build", "www", "--logLevel", "warn"]);
  });
}

/** target/demo-static/: the demo with its network in a service worker, for any static host. */
export function buildStaticDemo(): void {
  once("demo-static", ["www/**/*", "js/**/*", "package.json"], "target/demo-static/sw.js", () => {
    run("vite", ["build", "www", "--mode", "static", "--outDir", "../target/demo-static", "--logLevel", "warn"]);
    run("vite", ["build", "www/static", "--config", "www/static/vite.config.ts", "--logLevel", "warn"]);
  });
}

/** Runs `make` unless `output` was made of exactly these inputs, which `make` itself may find out. */
function once(name: string, inputs: string[] | (() => string[]), output: string, make: () => void): void {
  const digest = () => digestOf(typeof inputs === "function" ? inputs() : inputs);
  const stamp = join(root, "target", `${name.replace(" ", "-")}.stamp`);
  const isFresh = existsSync(join(root, output)) && existsSync(stamp) && readFileSync(stamp, "utf8") === digest();
  if (isFresh) return;
  console.error(`build: ${name} …`);
  const start = Date.now();
  make();
  mkdirSync(join(root, "target"), { recursive: true });
  writeFileSync(stamp, digest());
  console.error(`build: ${name}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

function digestOf(patterns: string[]): string {
  const hash = createHash("sha256");
  for (const pattern of patterns) {
    for (const file of globSync(pattern, { cwd: root }).sort()) {
      try {
        hash.update(file).update(readFileSync(join(root, file)));
      } catch {
        // A folder.
      }
    }
  }
  return hash.digest("hex");
}

function run(command: string, args: string[], env: Record<string, string> = {}): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
  if (status === 0) return;
  console.error(stdout, stderr);
  throw new BuildError(error ? `${command} could not be started: ${error.message}` : `${command} ${args[0]} failed`);
}

if (import.meta.main) {
  try {
    build();
    if (process.argv[2] === "demo") {
      buildStaticDemo();
      console.error("build: target/demo-static/ is ready for any static host");
    }
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(`build: ${error.message}`);
    process.exitCode = 1;
  }
}
