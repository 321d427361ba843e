/** `cake-edge forwarder` as a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CLI } from "./sandbox-process.ts";

/** A forwarder that runs. */
export interface NodeForwarderProcess {
  readonly origin: string;
  readonly pid: number;
  /** What it has printed, on both ways out. */
  readonly output: () => string;
  /** The exit status; null where a signal has ended it. */
  readonly ended: Promise<number | null>;
  /** Ends it by a signal, SIGKILL by default, and waits until it is gone. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** How it is started. */
export interface NodeForwarderSettings {
  /** Where its configuration is written, and its rows are, in `rows`. */
  readonly home: string;
  /** Its options but for the folder. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly cli?: string;
  readonly node?: string;
  readonly args?: readonly string[];
}

/** Starts it, and waits until it listens. Rejects with what it has printed where it ends before. */
export async function startNodeForwarder(settings: NodeForwarderSettings): Promise<NodeForwarderProcess> {
  const { home, options, environment = {}, cli = CLI, node = process.execPath, args = [] } = settings;
  const config = join(home, "forwarder.json");
  writeFileSync(config, JSON.stringify({ folder: "rows", port: 0, ...options }), { mode: 0o600 });
  const child = spawn(node, [cli, "forwarder", "--config", config, ...args], {
    cwd: home,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  let output = "";
  const ended = once(child, "exit").then(([code]) => code as number | null);
  const origin = await new Promise<string>((resolve, reject) => {
    let isListening = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (isListening) return;
        const found = /"event":"listening","origin":"([^"]+)"/.exec(output)?.[1];
        if (found === undefined) return;
        isListening = true;
        resolve(found);
      });
    }
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`the forwarder ended with ${code}: ${output}`)));
  });
  return {
    origin,
    pid: child.pid ?? 0,
    output: () => output,
    ended,
    stop(signal = "SIGKILL") {
      child.kill(signal);
      return ended;
    },
  };
}
