// Sets up the machine: npm packages, Rust's wasm target, the wasm tools, a Node new enough for wrangler, Chromium. The
// setup is idempotent; tools that exist are only checked. Tools go into a cache outside the clone (CAKE_EDGE_CACHE, by
// default ~/.cache/cake-edge), so that a second clone does not build them again.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";

/** Pinned tools. The version of wasm-bindgen must be exactly the one in Cargo.toml. */
const WASM_BINDGEN = "0.2.130";
const WASM_PACK = "0.15.1";
const CARGO_FUZZ = "0.13.2";
const CARGO_DENY = "0.20.2";
const NODE = "24.21.0";
// wrangler needs 22.12; `node:sqlite` needs no flag from 22.13 on.
const NODE_AT_LEAST = [22, 13];

const root = fileURLToPath(new URL("..", import.meta.url));
const cache = process.env.CAKE_EDGE_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "cake-edge");

/** An error whose message says what to do. */
export class SetupError extends Error {}

/**
 * Sets up and returns the Node to use and the environment for it.
 * @param {readonly ("rust" | "chromium" | "firefox" | "php" | "peers" | "fuzz" | "deny" | "site")[]} needs
 */
export async function setup(needs) {
  const start = Date.now();
  const paths = [join(root, "node_modules", ".bin")];
  const env = { ...process.env };
  const steps = [];

  const rust = async () => {
    await ensureRust();
    for (const [crate, version] of [
      ["wasm-bindgen-cli", WASM_BINDGEN],
      ["wasm-pack", WASM_PACK],
      ...(needs.includes("fuzz") ? [["cargo-fuzz", CARGO_FUZZ]] : []),
      ...(needs.includes("deny") ? [["cargo-deny", CARGO_DENY]] : []),
    ]) {
      paths.push(await ensureCargoTool(crate, version));
    }
    rmSync(join(cache, "target"), { recursive: true, force: true });
  };
  const npm = async () => {
    await ensureNpmPackages(root);
    if (needs.includes("peers")) await ensureNpmPackages(join(root, "bench"));
    if (needs.includes("site")) await ensureNpmPackages(join(root, "site"));
    const node = await ensureNode();
    paths.unshift(node.replace(/[/\\][^/\\]+$/, ""));
    return node;
  };
  // The compiler needs the processors, npm needs the network: both run at once.
  const node = npm();
  steps.push(node);
  if (needs.includes("rust")) steps.push(rust());
  await settle(steps);
  // apt runs after the compilers: it may need the processors too, and asks for root.
  if (needs.includes("chromium")) Object.assign(env, await ensureChromium());
  if (needs.includes("firefox")) Object.assign(env, await ensureFirefox());
  if (needs.includes("php")) await ensurePhp();

  env.PATH = [...paths, process.env.PATH].join(delimiter);
  const seconds = (Date.now() - start) / 1000;
  if (seconds > 2) say(`ready after ${seconds.toFixed(0)} s`);
  return { node: await node, env };
}

/** Waits for all steps, so that no compiler keeps running after the message of a failure. */
async function settle(steps) {
  const failed = (await Promise.allSettled(steps)).find(({ status }) => status === "rejected");
  if (failed) throw failed.reason;
}

function say(line) {
  // Progress goes to standard error: standard output belongs to --json.
  console.error(`setup: ${line}`);
}

async function ensureNpmPackages(folder) {
  const lock = readFileSync(join(folder, "package-lock.json"));
  const hash = createHash("sha256").update(lock).digest("hex");
  const stamp = join(folder, "node_modules", ".cake-edge-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  const title = `npm packages${folder === root ? "" : ` of ${folder.slice(root.length)}/`}`;
  await step(title, "npm", ["ci", "--prefix", folder, "--no-audit", "--no-fund"], {
    hint: "check that the npm registry is reachable, then run the command again",
  });
  writeFileSync(stamp, hash);
}

async function ensureNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > NODE_AT_LEAST[0] || (major === NODE_AT_LEAST[0] && minor >= NODE_AT_LEAST[1])) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const home = join(cache, `node-${NODE}`);
  const node = join(home, "node_modules", name, "bin", "node");
  if (existsSync(node)) return node;
  if (process.platform !== "linux") {
    throw new SetupError(
      `Node ${process.versions.node} is too old for wrangler and node:sqlite: install Node ${NODE_AT_LEAST.join(".")} or newer.`,
    );
  }
  mkdirSync(home, { recursive: true });
  await step(
    `Node ${NODE} (wrangler and node:sqlite need ${NODE_AT_LEAST.join(".")})`,
    "npm",
    ["install", "--prefix", home, "--no-save", "--no-audit", "--no-fund", `${name}@${NODE}`],
    {
      hint: `install Node ${NODE_AT_LEAST.join(".")} or newer yourself`,
    },
  );
  return node;
}

async function ensureRust() {
  const sysroot = capture("rustc", ["--print", "sysroot"]);
  if (sysroot === undefined) {
    throw new SetupError(
      `Rust is missing or its toolchain could not be installed: install rustup (rustup.rs), then "rustup toolchain install" in this folder.`,
    );
  }
  const library = join(sysroot, "lib", "rustlib");
  const has = (path) => existsSync(join(library, path));
  if (has("wasm32-unknown-unknown/lib") && has("src/rust/library")) return;
  await step("Rust's wasm target and sources", "rustup", ["target", "add", "wasm32-unknown-unknown"], {
    hint: "run `rustup toolchain install` in this folder",
  });
  await step("Rust's components", "rustup", ["component", "add", "rust-src", "rustfmt", "clippy"], {
    hint: "run `rustup toolchain install` in this folder",
  });
}

async function ensureCargoTool(crate, version) {
  const home = join(cache, `${crate}-${version}`);
  const bin = join(home, "bin");
  if (existsSync(join(home, ".crates.toml"))) return bin;
  // One folder for all tools: what two of them depend on is compiled once.
  const target = join(cache, "target");
  mkdirSync(target, { recursive: true });
  // Tools, not products: compiled in a third of the time of a release build.
  const env = {
    ...process.env,
    CARGO_TARGET_DIR: target,
    CARGO_PROFILE_RELEASE_OPT_LEVEL: "0",
    CARGO_PROFILE_RELEASE_LTO: "off",
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
  };
  // The bindings' tool speaks to a web driver on this machine: it needs no TLS.
  const features = crate === "wasm-bindgen-cli" ? ["--no-default-features"] : [];
  const args = ["install", crate, "--version", version, ...features, "--root", home, "--quiet"];
  const hint =
    "check that the crate registry is reachable and that a C compiler is installed, then run the command again";
  await step(`${crate} ${version} (compiled once)`, "cargo", args, { env, hint });
  return bin;
}

async function ensureChromium() {
  const find = () => ({
    CHROMIUM: process.env.CHROMIUM ?? which("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    CHROMEDRIVER: process.env.CHROMEDRIVER ?? which("chromedriver"),
  });
  return ensureProgram("Chromium", find, ["chromium", "chromium-driver"]);
}

async function ensureFirefox() {
  return ensureProgram("Firefox", () => ({ FIREFOX: process.env.FIREFOX ?? which("firefox-esr", "firefox") }), [
    "firefox-esr",
  ]);
}

/** PHP, for the plugin for WordPress. Its tests are skipped where it is missing, but never in CI. */
async function ensurePhp() {
  try {
    await ensureProgram("PHP", () => ({ PATH: which("php") }), ["php-cli"]);
  } catch (error) {
    if (process.env.CI || !(error instanceof SetupError)) throw error;
    say(`the tests of the plugin for WordPress are skipped: ${error.message}`);
  }
}

/** The paths from `find`, by their environment variables. Debian's packages supply a missing one. */
async function ensureProgram(name, find, packages) {
  const found = find();
  if (Object.values(found).every(Boolean)) return found;
  const isRoot = process.getuid?.() === 0;
  if (!(isRoot && which("apt-get"))) {
    throw new SetupError(
      `${name} is missing: install it (Debian: \`sudo apt-get install ${packages.join(" ")}\`), or set ${Object.keys(found).join(" and ")}.`,
    );
  }
  const hint = `run \`apt-get update && apt-get install ${packages.join(" ")}\` yourself`;
  if (!(await agrees(`${name} is missing. Install ${packages.join(" and ")} by apt-get?`))) {
    throw new SetupError(
      `${name} is missing, and was not to be installed: ${hint}, or set ${Object.keys(found).join(" and ")}.`,
    );
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  // On a new cloud machine another apt holds the lock for the first minutes.
  const patience = ["-o", "DPkg::Lock::Timeout=600"];
  await step("package lists", "apt-get", [...patience, "update"], { env, hint });
  await step(name, "apt-get", [...patience, "install", "-y", "--no-install-recommends", ...packages], { env, hint });
  return find();
}

/** Asks the person at the terminal. Without a terminal, as in CI, the answer is yes. */
async function agrees(question) {
  if (!(process.stdin.isTTY && process.stderr.isTTY) || process.env.CI) return true;
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await asking.question(`setup: ${question} [Y/n] `);
  asking.close();
  return /^(y(es)?)?$/i.test(answer.trim());
}

function which(...names) {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not in this folder: try the next one.
      }
    }
  }
  return undefined;
}

function capture(command, args) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/** Runs one long step. Prints a line before and a line with the time after; prints the output only on failure. */
function step(title, command, args, { env = process.env, hint }) {
  say(`${title} …`);
  const start = Date.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output = (output + text).slice(-4000);
      });
    }
    const fail = (reason) => reject(new SetupError(`${title}: ${reason}. What to do: ${hint}.`));
    child.on("error", () => fail(`\`${command}\` is not on this machine`));
    child.on("close", (code) => {
      if (code === 0) {
        say(`${title}: ${((Date.now() - start) / 1000).toFixed(0)} s`);
        resolve(undefined);
      } else {
        console.error(output);
        fail(`\`${command} ${args[0]}\` failed`);
      }
    });
  });
}
