// The entry of every npm script: sets up the tools that the script needs, then runs scripts/NAME.ts with a recent
// enough Node. It is plain JavaScript without packages, because on a fresh clone nothing else runs yet.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { SetupError, setup } from "./setup.mjs";

const NEEDS = {
  start: ["rust"],
  test: ["rust", "chromium", "firefox", "php"],
  build: ["rust"],
  check: ["rust", "deny"],
  deny: ["rust", "deny"],
  bench: ["rust", "chromium", "peers"],
  size: ["rust", "peers"],
  fuzz: ["rust", "fuzz"],
  reproduce: ["rust"],
  site: ["rust", "site"],
  chaos: ["rust"],
};

const [name, ...args] = process.argv.slice(2);
if (!(name in NEEDS)) {
  console.error(`run.mjs: say one of ${Object.keys(NEEDS).join(", ")}`);
  process.exit(2);
}

try {
  const { node, env } = await setup(NEEDS[name]);
  const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const child = spawn(node, [script, ...args], { stdio: "inherit", env });
  // The terminal sends Ctrl-C to the whole process group; a signal to this process alone is passed on.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\nsetup: ${error.message}`);
  process.exit(1);
}
