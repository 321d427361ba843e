/**
 * Drives an installed Chromium, Chrome or Edge by the DevTools protocol over a pipe. It finds the browser, starts it
 * with a profile of its own, and at the end removes the profile. A browser whose pipe closes ends by itself, so none is
 * left if this process is killed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { makeTemporaryFolder, RunError, UsageError } from "./usage.js";

/** An event of the browser, or of the page behind `sessionId`. */
export interface ChromeEvent {
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: the protocol's own objects, read where they arrive.
  readonly params: any;
  readonly sessionId?: string;
}

/** A running browser. */
export interface Chrome {
  /** Its name and version, such as `Chrome/140.0.7339.16`. */
  readonly version: string;
  /** Sends a command. Rejects if the browser refuses it, is gone, or does not answer in time. */
  // biome-ignore lint/suspicious/noExplicitAny: the protocol's own objects, read where they arrive.
  send(method: string, params?: object, sessionId?: string, limitMs?: number): Promise<any>;
  /** Calls the listener with each event. Returns the function that ends this. */
  listen(listener: (event: ChromeEvent) => void): () => void;
  /** Ends the browser, and removes its profile. */
  close(): Promise<void>;
}

const START_MS = 20_000;
const COMMAND_MS = 10_000;
/** The time limit for the browser to end by itself, in milliseconds. */
const END_MS = 2_000;

const NAMES = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "chrome",
  "microsoft-edge",
  "microsoft-edge-stable",
  "msedge",
  "brave-browser",
];

const MAC = ["Google Chrome", "Chromium", "Microsoft Edge", "Brave Browser"].flatMap((name) =>
  ["/Applications", join(homedir(), "Applications")].map((folder) => `${folder}/${name}.app/Contents/MacOS/${name}`),
);

const WINDOWS = ["PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"].flatMap((variable) =>
  ["Google/Chrome", "Chromium", "Microsoft/Edge"].map((product) => {
    const program = product.endsWith("Edge") ? "msedge.exe" : "chrome.exe";
    return join(process.env[variable] ?? "C:/", product, "Application", program);
  }),
);

/**
 * The path of the browser's program: the given one, `CHROME_PATH`, or the first in the system's usual places.
 *
 * @throws UsageError if there is none
 */
export function findChrome(given?: string): string {
  for (const [source, path] of [
    ["--chromium", given],
    ["CHROME_PATH", process.env["CHROME_PATH"]],
  ]) {
    if (!path) continue;
    if (isProgram(path)) return path;
    throw new UsageError(`${source} ${path} is not a program that can be run`);
  }
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const named = NAMES.flatMap((name) => folders.filter((folder) => folder !== "").map((folder) => join(folder, name)));
  const places =
    process.platform === "win32"
      ? WINDOWS
      : process.platform === "darwin"
        ? [...MAC, ...named]
        : [...named, "/snap/bin/chromium"];
  const found = places.find(isProgram);
  if (found !== undefined) return found;
  throw new UsageError(
    "no Chromium, Chrome or Edge was found: install one, or say where it is with --chromium PATH or CHROME_PATH",
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Starts a browser without a window. `preferences` are the profile's, in Chromium's form.
 *
 * @throws RunError if it does not start
 */
export async function startChrome(program: string, preferences: object = {}): Promise<Chrome> {
  const profile = makeTemporaryFolder("cake-edge-browser-");
  mkdirSync(join(profile, "Default"));
  writeFileSync(join(profile, "Default/Preferences"), JSON.stringify(preferences));
  const child = spawn(
    program,
    [
      "--headless=new",
      "--remote-debugging-pipe",
      `--user-data-dir=${profile}`,
      "--no-first-run",
      "--no-default-browser-check",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-default-apps",
      "--disable-dev-shm-usage",
      "--disable-extensions",
      "--disable-gpu",
      "--disable-sync",
      "--mute-audio",
      "--password-store=basic",
      "--use-mock-keychain",
      // Keeps frames of other sites in the page's process, where the doctor can click a consent banner in them.
      "--disable-site-isolation-trials",
      // Chromium's own sandbox refuses to run as root.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "about:blank",
    ],
    // A process group of its own: the children end with the browser, and Ctrl-C reaches only this process.
    { stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"], detached: process.platform !== "win32" },
  );
  let complaint = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-2_000);
  });
  const ended = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
  const removeNow = () => {
    kill(child);
    removeForGood(profile);
  };
  // The last resort, whenever this process ends.
  process.on("exit", removeNow);
  const pipe = connect(child.stdio[3] as Writable, child.stdio[4] as Readable);
  void ended.then(pipe.end);
  const close = async () => {
    await Promise.race([
      pipe.send("Browser.close", {}, undefined, END_MS).then(
        () => ended,
        () => undefined,
      ),
      new Promise((resolve) => setTimeout(resolve, END_MS).unref()),
    ]);
    kill(child);
    await ended;
    pipe.end();
    removeNow();
    process.off("exit", removeNow);
  };
  try {
    const { product } = await pipe.send("Browser.getVersion", {}, undefined, START_MS);
    return { version: String(product), send: pipe.send, listen: pipe.listen, close };
  } catch {
    await close();
    const reason = complaint.trim().split("\n").at(-1)?.slice(0, 300) || "it said nothing";
    throw new RunError(`${program} does not start: ${reason}. Another one can be given with --chromium PATH`);
  }
}

/** Removes a folder, even if a dying child of the browser writes into it once more. */
function removeForGood(folder: string): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; tries < 20 && (tries === 0 || existsSync(folder)); tries += 1) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // A file was written meanwhile: try again.
    }
    Atomics.wait(clock, 0, 0, 50);
  }
}

/** Ends the browser with all its children. */
function kill(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has already ended.
  }
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Sends commands and reads events as JSON, each ended by a NUL. */
function connect(into: Writable, out: Readable) {
  const waiting = new Map<number, Waiting>();
  const listeners = new Set<(event: ChromeEvent) => void>();
  let isOpen = true;
  let last = 0;
  let rest = "";
  const end = () => {
    isOpen = false;
    for (const { reject } of waiting.values()) reject(new Error("the browser has ended"));
    waiting.clear();
    into.destroy();
    out.destroy();
  };
  for (const stream of [into, out]) stream.on("error", end);
  out.setEncoding("utf8").on("data", (chunk: string) => {
    const messages = (rest + chunk).split("\0");
    rest = messages.pop() ?? "";
    for (const message of messages) {
      const { id, result, error, ...event } = JSON.parse(message);
      if (id === undefined) {
        for (const listener of listeners) listener(event as ChromeEvent);
        continue;
      }
      const { resolve, reject } = waiting.get(id) ?? {};
      waiting.delete(id);
      if (error) reject?.(new Error(String(error.message)));
      else resolve?.(result);
    }
  });
  return {
    end,
    // biome-ignore lint/suspicious/noExplicitAny: the protocol's own objects, read where they arrive.
    send(method: string, params: object = {}, sessionId?: string, limitMs = COMMAND_MS): Promise<any> {
      return new Promise((resolve, reject) => {
        if (!isOpen) return reject(new Error("the browser has ended"));
        last += 1;
        const id = last;
        const timer = setTimeout(() => {
          waiting.delete(id);
          reject(new Error(`${method} was not answered in time`));
        }, limitMs);
        const settle =
          <T>(act: (value: T) => void) =>
          (value: T) => {
            clearTimeout(timer);
            act(value);
          };
        waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
        into.write(`${JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) })}\0`);
      });
    },
    listen(listener: (event: ChromeEvent) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
