/** Installs what `npx cake-edge init` has named, starts the forwarder, and sends the doctor to it. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { doctor } from "./doctor.js";
import { hasPlugAndPlay, MANAGERS, type Manager, type Plan, standing, upwards } from "./init-project.js";
import { RunError } from "./usage.js";
import { freePort } from "./workerd.js";

/** Installs what package.json names. */
export function run(manager: Manager, cwd: string): Promise<void> {
  const { install } = MANAGERS[manager];
  return new Promise((resolve, reject) => {
    const child = spawn(manager, install, {
      cwd,
      // In CI Yarn would refuse the changed package.json.
      env: { ...process.env, YARN_ENABLE_IMMUTABLE_INSTALLS: "false" },
      stdio: ["ignore", "inherit", "inherit"],
      shell: process.platform === "win32",
    });
    child.on("error", () => reject(new RunError(`${manager} could not be started`)));
    child.on("close", (code) =>
      code === 0
        ? resolve()
        : reject(
            new RunError(
              `${manager} install ended with exit code ${code}: mend what it names, then run this command again`,
            ),
          ),
    );
  });
}

/** Starts the forwarder as the user will, and runs the doctor. */
export async function examine({ folder, manager }: Plan): Promise<number> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  // A workspace has it in a folder around this one.
  const tools = upwards(folder).map((at) => join(at, "node_modules/wrangler/bin/wrangler.js"));
  const wrangler = tools.find((tool) => existsSync(tool));
  if (wrangler === undefined) {
    if (hasPlugAndPlay(folder)) {
      console.log("\nwithout node_modules the doctor was not run: start the forwarder, then yarn cake-edge doctor");
      return 0;
    }
    throw new RunError(`wrangler is not in node_modules, so the forwarder was not started: ${manager} install`);
  }
  const options = [
    "--config",
    standing(folder, "forwarder/wrangler.dev.jsonc"),
    "--port",
    String(port),
    "--ip",
    "127.0.0.1",
    "--inspector-port",
    "0",
  ];
  const child = spawn(process.execPath, [wrangler, "dev", ...options], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" },
  });
  // Who ends this command ends what it has started, too: Ctrl-C reaches both by itself.
  const end = (signal: NodeJS.Signals) => {
    child.once("exit", () => process.exit(128 + constants.signals[signal]));
    child.kill("SIGTERM");
  };
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.once(signal, end);
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed = (printed + text).slice(-4_000);
    });
  }
  try {
    await answers(`${origin}/cake/health`, child, () => printed);
    console.log("\nThe doctor on the forwarder, as it runs here:");
    return await doctor(["--forwarder", `${origin}/cake`, "--origin", origin]);
  } finally {
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.off(signal, end);
    child.kill("SIGTERM");
    await new Promise((resolve) => (child.exitCode === null ? child.once("exit", resolve) : resolve(undefined)));
  }
}

async function answers(url: string, child: ChildProcess, printed: () => string): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (child.exitCode !== null) throw new RunError(`the forwarder did not start:\n${printed()}`);
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // It does not answer yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new RunError(`the forwarder did not answer within a minute:\n${printed()}`);
}
