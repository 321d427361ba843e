// Builds everything that a user gets: the wasm of each audience, the package's
// JavaScript and types, and the demo page. Skips steps whose inputs have not changed.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { asFactory, asFactoryTypes, asInline } from "./glue.ts";

export const root = fileURLToPath(new URL("..", import.meta.url));

// Rebuilds std for size, and makes a panic a trap without a message. This needs flags that stable Rust keeps behind
// RUSTC_BOOTSTRAP. rust-toolchain.toml pins the compiler, so that the flags cannot change. A nightly does not work:
// wasm-pack needs the target's prebuilt std, which rustup does not have for every nightly.
const SMALL = {
  cargo: ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"],
  env: { RUSTC_BOOTSTRAP: "1", RUSTFLAGS: "-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none" },
} as const;

// The page's data lies after a stack of 4 kB, not of a megabyte: short addresses need fewer bytes. No call goes deep
// there. LLVM copies the head of a loop in front of it only where that is short.
const TINY = {
  ...SMALL,
  env: {
    ...SMALL.env,
    RUSTFLAGS: `${SMALL.env.RUSTFLAGS} -Clink-arg=-zstack-size=4096 -Cllvm-args=-rotation-max-header-size=4`,
  },
} as const;

// For the JavaScript fallback: wasm2js only reads the first version of WebAssembly.
const OLD = { ...TINY, env: { ...TINY.env, RUSTFLAGS: `${TINY.env.RUSTFLAGS} -Ctarget-cpu=mvp` } } as const;

// SHA-256 has no unrolled rounds: a cookie's signature takes microseconds either way.
const COMPACT = {
  ...SMALL,
  env: {
    ...SMALL.env,
    RUSTFLAGS: `${SMALL.env.RUSTFLAGS} --cfg sha2_backend="soft" --cfg sha2_backend_soft="compact"`,
  },
} as const;

// LLVM's default inlines functions of up to 225: 5 % more bytes. `opt-level = "s"` would cost links a third of their
// speed.
const FAST = {
  ...SMALL,
  env: { ...SMALL.env, RUSTFLAGS: `${COMPACT.env.RUSTFLAGS} -Cllvm-args=-inline-threshold=100` },
} as const;

// `small_cold` makes the functions small that run once a call.
const SMALL_COLD = {
  ...SMALL,
  env: { ...SMALL.env, RUSTFLAGS: `${SMALL.env.RUSTFLAGS} --cfg small_cold` },
} as const;

// LLVM's default inlines functions of up to 225: 4 % more bytes, which take longer to compile than they save.
const ROWS = {
  ...SMALL_COLD,
  env: { ...SMALL_COLD.env, RUSTFLAGS: `${SMALL_COLD.env.RUSTFLAGS} -Cllvm-args=-inline-threshold=40` },
} as const;

/** Cargo's words for this crate at another level than its profile, which std and the dependencies keep. */
const atLevel = (profile: string, level: string) => [
  "--config",
  `profile.${profile}.package.cake-edge.opt-level="${level}"`,
];

/** One wasm build per audience, each with its own Cargo feature. */
const AUDIENCES = {
  edge: { profile: "edge", feature: "edge", ...FAST },
  // One profile: std is rebuilt once for the three.
  client: { profile: "worker", feature: "client", ...COMPACT },
  checks: { profile: "worker", feature: "checks", ...COMPACT },
  // Its lists take a fifth more time than at level 2, its bytes are a sixth less. `z` would cost lists half of their speed.
  sandbox: { profile: "worker", feature: "sandbox", ...COMPACT, cargo: [...SMALL.cargo, ...atLevel("worker", "s")] },
  // An event is hashed, checked and written by the core: built for bytes, it takes a fifth more CPU, and has a tenth less.
  forwarder: { profile: "edge", feature: "forwarder", ...FAST },
  report: { profile: "rows", feature: "report", ...ROWS },
  page: { profile: "page", feature: "page", ...TINY },
  link: { profile: "page", feature: "link", ...TINY },
  // The page's cores again, for platforms without WebAssembly.
  fallback: { profile: "fallback", feature: "page", ...OLD },
  "link-fallback": { profile: "fallback", feature: "link", ...OLD },
} as const;

type Audience = keyof typeof AUDIENCES;

/** Inlining into an only caller makes the module pack 3 % worse. */
const FOR_BYTES = ["-Oz", "--one-caller-inline-max-function-size=1"];

const OPTIMISE: Partial<Record<Audience, readonly string[]>> = {
  client: FOR_BYTES,
  checks: FOR_BYTES,
  sandbox: FOR_BYTES,
  // Here, too, a large function takes longer to compile than to run.
  report: ["-O3", "--one-caller-inline-max-function-size=50"],
};

/** A step failed; its output is on the terminal already. */
export class BuildError extends Error {}

/**
 * Builds everything, and prints what took long. Two at a time: the compiler's last, single-threaded phase takes
 * longest.
 */
export async function build(): Promise<void> {
  await buildServers();
  await buildPages();
}

async function buildAllWasm(): Promise<void> {
  await buildServerWasm();
  await buildPageWasm();
}

function buildServerWasm(): Promise<void> {
  return all(
    // One profile has one of cargo's locks.
    buildWasm("client")
      .then(() => buildWasm("checks"))
      .then(() => buildWasm("sandbox")),
    buildWasm("edge")
      .then(() => buildWasm("forwarder"))
      .then(() => buildWasm("report")),
  );
}

function buildPageWasm(): Promise<void> {
  return all(
    buildWasm("page").then(() => buildWasm("link")),
    buildWasm("fallback").then(() => buildWasm("link-fallback")),
  );
}

/**
 * Builds the server's part: the package without its pages, and the Workers. The transcript of `npm start` needs no
 * more.
 */
export async function buildServers(): Promise<void> {
  await all(buildServerWasm(), buildView(), buildFixture());
  await buildPackage();
  await buildSandboxWorker();
}

/** Builds the browser's part: the package's page, and the demo. */
export async function buildPages(): Promise<void> {
  await buildPageWasm();
  await buildPage();
  await buildDemo();
}

/** js/wasm/AUDIENCE.js, .d.ts and AUDIENCE_bg.wasm; scripts/page.ts finishes those of the page. */
function buildWasm(audience: Audience): Promise<void> {
  const { profile, feature, cargo, env } = AUDIENCES[audience];
  const out = `target/wasm/${audience}`;
  const isForPages = feature === "page" || feature === "link";
  return once(
    `wasm ${audience}`,
    () => [...sources(audience), "Cargo.*", "rust-toolchain.toml", "scripts/{build,glue}.ts", "js/inline.ts"],
    isForPages ? `${out}/${audience}_bg.wasm` : `js/wasm/${audience}_bg.wasm`,
    async () => {
      await run(
        "wasm-pack",
        [
          ...["build", "--mode", "no-install", "--target", "web", "--no-pack", "--no-opt", "--no-gitignore"],
          ...["--profile", profile, "--out-dir", out, "--out-name", audience, ".", "--features", feature],
          ...cargo,
        ],
        env,
      );
      cpSync(join(root, "target/wasm32-unknown-unknown", profile, "cake_edge.d"), notesOf(audience));
      if (isForPages) return;
      mkdirSync(join(root, "js/wasm"), { recursive: true });
      await run("wasm-opt", [
        ...(OPTIMISE[audience] ?? ["-O3"]),
        `${out}/${audience}_bg.wasm`,
        "-o",
        `js/wasm/${audience}_bg.wasm`,
        // Sections that only wasm-bindgen and wasm-opt need.
        "--strip-producers",
        "--strip-target-features",
      ]);
      writeGlue(audience, join(root, out));
    },
  );
}

/** The glue of an audience's wasm that JavaScript imports; see scripts/glue.ts. */
function writeGlue(audience: string, out: string): void {
  const made = (name: string) => join(root, "js/wasm", audience + name);
  const read = (name: string) => readFileSync(join(out, audience + name), "utf8");
  writeFileSync(made(".js"), asFactory(read(".js")));
  writeFileSync(made(".d.ts"), asFactoryTypes(read(".d.ts"), `${audience[0]?.toUpperCase()}${audience.slice(1)}Api`));
  writeFileSync(made("_inline.js"), asInline(readFileSync(made("_bg.wasm"))));
  writeFileSync(
    made("_inline.d.ts"),
    "/** The bytes of the wasm, as text: see inline.js. */\nexport declare const BYTES: string;\n",
  );
  writeFileSync(
    made("_bg.wasm.d.ts"),
    "/** The compiled module, for `init`. */\ndeclare const module: object;\nexport default module;\n",
  );
}

/** The inputs of the audience's last build, as cargo recorded them; all of `src` before the first build. */
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
function buildView(): Promise<void> {
  return once(
    "view",
    ["js/view/*", "js/sandbox/rows.ts", "scripts/view.ts", "package.json"],
    "js/generated/view.ts",
    () => run(process.execPath, ["scripts/view.ts"]),
  );
}

/** js/generated/fixture.ts: some bundlers cannot import JSON. */
function buildFixture(): Promise<void> {
  return once("fixture", ["js/sandbox/fixture.json", "scripts/build.ts"], "js/generated/fixture.ts", async () => {
    const json = JSON.stringify(JSON.parse(readFileSync(join(root, "js/sandbox/fixture.json"), "utf8")));
    mkdirSync(join(root, "js/generated"), { recursive: true });
    writeFileSync(
      join(root, "js/generated/fixture.ts"),
      `/** The default fixture, from js/sandbox/fixture.json. */\nexport const FIXTURE = ${JSON.stringify(json)};\n`,
    );
  });
}

/** dist/: the files that npm publishes. */
function buildPackage(): Promise<void> {
  return once(
    "package",
    ["js/**/*.ts", "js/**/*.json", "js/wasm/*", "tsconfig.json", "package.json", "scripts/build.ts"],
    "dist/entry/edge.inline.js",
    async () => {
      // Removes the output of source files that no longer exist: npm would publish it.
      for (const file of globSync("dist/**/*.*", { cwd: root })) {
        if (!/^dist\/(page\/[^/]+\.js|bin\/worker\/.*)$/.test(file.replaceAll("\\", "/"))) rmSync(join(root, file));
      }
      // The JavaScript goes without its comments: the types beside it have them.
      for (const project of ["worker", "node"])
        await run("tsc", ["-p", `js/tsconfig.${project}.json`, "--removeComments"]);
      for (const project of ["page", "worker", "node"]) {
        await run("tsc", ["-p", `js/tsconfig.${project}.json`, "--emitDeclarationOnly"]);
      }
      cpSync(join(root, "js/wasm"), join(root, "dist/wasm"), { recursive: true });
      await minifyGlue();
      await bundleReport();
      await bundleToml();
      cpSync(join(root, "js/sandbox/fixture.schema.json"), join(root, "dist/sandbox/fixture.schema.json"));
    },
  );
}

/** The glue of wasm-bindgen in dist/wasm/, which nobody reads. */
async function minifyGlue(): Promise<void> {
  const { transform } = await import("esbuild");
  for (const audience of ["edge", "client", "checks", "forwarder", "report", "sandbox"]) {
    const file = join(root, `dist/wasm/${audience}.js`);
    const { code } = await transform(readFileSync(file, "utf8"), { target: "es2023", charset: "utf8", minify: true });
    writeFileSync(file, code);
  }
}

/**
 * dist/entry/report.{node,inline}.js in one file each: of their eighteen modules, each takes Node half a millisecond and
 * a quarter of a megabyte, and a page a request. Errors stay the package's own: a class in two copies would be two
 * classes.
 */
async function bundleReport(): Promise<void> {
  const { build: bundle } = await import("esbuild");
  const entries = ["node", "inline"].map((runtime) => join(root, `dist/entry/report.${runtime}.js`));
  await bundle({
    entryPoints: entries,
    outdir: join(root, "dist/entry"),
    allowOverwrite: true,
    bundle: true,
    external: ["error.js", "wasm/report_inline.js"].map((name) => join(root, "dist", name)),
    format: "esm",
    platform: "node",
    target: "es2023",
    charset: "utf8",
    logLevel: "error",
  });
}

/** dist/bin/wrangler-config.js with the reader of TOML in it: whoever installs the package installs no other. */
async function bundleToml(): Promise<void> {
  const { build: bundle } = await import("esbuild");
  const file = join(root, "dist/bin/wrangler-config.js");
  await bundle({
    entryPoints: [file],
    outfile: file,
    allowOverwrite: true,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2023",
    charset: "utf8",
    // The library's licence stays.
    legalComments: "inline",
    logLevel: "error",
  });
}

/** dist/page/: the files that a page loads, bundled and minified, with the wasm inside. */
function buildPage(): Promise<void> {
  const inputs = [
    "js/{error,link,option}.ts",
    "js/{page,entry}/*",
    "target/wasm/{page,link,fallback,link-fallback}/*.wasm",
    "scripts/{page,missing}.ts",
    "src/placeholder.rs",
  ];
  return once("page", inputs, "dist/page/page.js", () => run(process.execPath, ["scripts/page.ts"]));
}

/** dist/bin/worker/sandbox.js: the sandbox's Worker in one file, for `npx cake-edge sandbox`. */
function buildSandboxWorker(): Promise<void> {
  return once(
    "sandbox-worker",
    ["js/**/*.{ts,tsx,json}", "js/wasm/*", "scripts/bundle.ts"],
    "dist/bin/worker/sandbox.js",
    () => run(process.execPath, ["scripts/bundle.ts", "sandbox", "workers/sandbox/index.ts", "dist/bin/worker"]),
  );
}

/** target/demo/: the demo page. */
function buildDemo(): Promise<void> {
  return once("demo", ["www/**/*", "js/**/*", "package.json"], "target/demo/index.html", () =>
    run("vite", ["build", "www", "--logLevel", "warn"]),
  );
}

/** target/demo-static/: the demo with its network in a service worker, for any static host. */
export function buildStaticDemo(): Promise<void> {
  return once("demo-static", ["www/**/*", "js/**/*", "package.json"], "target/demo-static/sw.js", async () => {
    await run("vite", ["build", "www", "--mode", "static", "--outDir", "../target/demo-static", "--logLevel", "warn"]);
    await run("vite", ["build", "www/static", "--config", "www/static/vite.config.ts", "--logLevel", "warn"]);
  });
}

/** Runs `make` unless `output` was made from exactly these inputs; `make` itself may find new inputs. */
async function once(
  name: string,
  inputs: string[] | (() => string[]),
  output: string,
  make: () => Promise<void>,
): Promise<void> {
  const digest = () => digestOf(typeof inputs === "function" ? inputs() : inputs);
  const stamp = join(root, "target", `${name.replace(" ", "-")}.stamp`);
  const isFresh = existsSync(join(root, output)) && existsSync(stamp) && readFileSync(stamp, "utf8") === digest();
  if (isFresh) return;
  console.error(`build: ${name} …`);
  const start = Date.now();
  await make();
  mkdirSync(join(root, "target"), { recursive: true });
  writeFileSync(stamp, digest());
  console.error(`build: ${name}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

/** Waits for all steps, so that no compiler keeps running after the message of a failure. */
async function all(...steps: Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(steps)).find((step) => step.status === "rejected");
  if (failed) throw failed.reason;
}

function digestOf(patterns: string[]): string {
  const hash = createHash("sha256");
  for (const pattern of patterns) {
    for (const file of globSync(pattern, { cwd: root }).sort()) {
      try {
        hash.update(file).update(readFileSync(join(root, file)));
      } catch {
        // The pattern matched a folder.
      }
    }
  }
  return hash.digest("hex");
}

function run(command: string, args: string[], env: Record<string, string> = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    child.on("error", (error) => reject(new BuildError(`${command} could not be started: ${error.message}`)));
    child.on("close", (code) => {
      if (code === 0) {
        resolve();
        return;
      }
      console.error(output);
      reject(new BuildError(`${command} ${args[0]} failed`));
    });
  });
}

if (import.meta.main) {
  try {
    // For a comparison of two folders: only the compiler's part.
    if (process.argv[2] === "wasm") await buildAllWasm();
    else await build();
    if (process.argv[2] === "demo") {
      await buildStaticDemo();
      console.error("build: target/demo-static/ is ready for any static host");
    }
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(`build: ${error.message}`);
    process.exitCode = 1;
  }
}
