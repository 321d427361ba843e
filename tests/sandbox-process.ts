/** `cake-edge sandbox` as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The built command. */
export const CLI = fileURLToPath(new URL("../dist/bin/cake-edge.js", import.meta.url));

/** A sandbox that runs. */
export interface SandboxProcess {
  readonly origin: string;
  readonly child: ChildProcess;
  /** What it has printed. */
  readonly output: () => string;
  /** Ends it by a signal and waits until it is gone. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts `cake-edge sandbox` on a free port and waits until it says that it runs. */
export async function startSandbox(
  args: readonly string[] = [],
  { cli = CLI, node = process.execPath, cwd = process.cwd() } = {},
): Promise<SandboxProcess> {
  const child = spawn(node, [cli, "sandbox", "--port", "0", ...args], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const ended = once(child, "exit");
  const origin = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const found = /^CAKE sandbox on (\S+)\n[\s\S]*Ctrl-C/m.exec(output);
        if (found?.[1]) resolve(found[1]);
      });
    }
    child.once("exit", (code) => reject(new Error(`the sandbox ended with ${code}: ${output}`)));
  });
  return {
    origin,
    child,
    output: () => output,
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
}
