// Serves the sandbox, the forwarder and the demo page in one bare workerd: its
// start takes 50 ms, wrangler's takes seconds.
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build as bundle } from "vite";
import { BuildError, root } from "./build.ts";

// CommonJS that says `default` itself: import would wrap it twice.
const { default: workerd } = createRequire(import.meta.url)("workerd") as { default: string };

const COMPATIBILITY_DATE = "2026-10-01";

/** What runs. */
export interface Served {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** The sandbox's API key, made for this run. */
  readonly apiKey: string;
  /** Ends when workerd does, with its exit code. */
  readonly ended: Promise<number>;
  /** Stops workerd and removes its files. */
  stop(): Promise<void>;
}

/** Starts everything on 127.0.0.1; port 0 takes a free one. */
export async function serve(port: number): Promise<Served> {
  const listenOn = port === 0 ? await freePort() : port;
  if (!(await isFree(listenOn))) {
    throw new BuildError(
      `port ${listenOn} is in use: stop what listens there, or choose another, such as PORT=${listenOn + 1} npm start`,
    );
  }
  const home = mkdtempSync(join(tmpdir(), "cake-edge-"));
  const remove = () => rmSync(home, { recursive: true, force: true });
  try {
    for (const [name, entry] of Object.entries(WORKERS)) await bundleWorker(name, entry, home);
    // workerd embeds files only from below its configuration.
    for (const wasm of ["edge_bg.wasm", "sandbox_bg.wasm"]) cpSync(join(root, "dist/wasm", wasm), join(home, wasm));
    mkdirSync(join(home, "rows"));
    const origin = `http://127.0.0.1:${listenOn}`;
    writeFileSync(join(home, "config.capnp"), config(listenOn));
    const apiKey = randomUUID();
    const child = spawn(workerd, ["serve", "config.capnp", "--control-fd=3"], {
      cwd: home,
      // The key reaches workerd by its environment, never by a file.
      env: { CAKE_API_KEY: apiKey, CAKE_BASE_URL: origin },
      stdio: ["ignore", "inherit", "inherit", "pipe"],
    });
    const ended = new Promise<number>((resolve) => child.on("exit", (code) => resolve(code ?? 1)));
    await listening(child);
    return {
      origin,
      apiKey,
      ended,
      async stop() {
        child.kill();
        await ended;
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

const WORKERS = {
  demo: "www/worker.ts",
  forwarder: "workers/forwarder/index.ts",
  sandbox: "workers/sandbox/index.ts",
};

/** One JavaScript file per worker, its wasm beside it. */
async function bundleWorker(name: string, entry: string, home: string): Promise<void> {
  await bundle({
    configFile: false,
    root,
    logLevel: "error",
    resolve: {
      alias: {
        "cake-edge/forwarder": join(root, "dist/entry/forwarder.workerd.js"),
        "cake-edge/sandbox": join(root, "dist/entry/sandbox.workerd.js"),
      },
    },
    plugins: [
      {
        name: "wasm-module",
        enforce: "pre",
        resolveId: (id) => (id.endsWith(".wasm") ? { id: id.replace(/^.*\//, "./"), external: true } : null),
      },
    ],
    build: {
      outDir: home,
      emptyOutDir: false,
      target: "es2022",
      minify: false,
      lib: { entry: join(root, entry), formats: ["es"], fileName: () => `${name}.js` },
      rollupOptions: { external: [/^cloudflare:/] },
    },
  });
}

function config(port: number): string {
  const worker = (name: string, wasm: string | undefined, more: string) => `
const ${name} :Workerd.Worker = (
  compatibilityDate = "${COMPATIBILITY_DATE}",
  globalOutbound = "internet",
  modules = [
    ( name = "${name}.js", esModule = embed "${name}.js" ),
    ${wasm === undefined ? "" : `( name = "${wasm}_bg.wasm", wasm = embed "${wasm}_bg.wasm" ),`}
  ],${more}
);`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ( name = "demo", worker = .demo ),
    ( name = "forwarder", worker = .forwarder ),
    ( name = "sandbox", worker = .sandbox ),
    ( name = "files", disk = ${JSON.stringify(join(root, "target/demo"))} ),
    ( name = "rows", disk = ( path = "rows", writable = true ) ),
    # The private range is allowed because all of this lives on loopback.
    ( name = "internet", network = ( allow = ["public", "private"], tlsOptions = ( trustBrowserCas = true ) ) ),
  ],
  sockets = [ ( name = "http", address = "127.0.0.1:${port}", http = (), service = "demo" ) ]
);
${worker(
  "demo",
  undefined,
  `
  bindings = [
    ( name = "SANDBOX", service = "sandbox" ),
    ( name = "FORWARDER", service = "forwarder" ),
    ( name = "FILES", service = "files" ),
  ]`,
)}
${worker(
  "forwarder",
  "edge",
  `
  bindings = [
    ( name = "CAKE_API_KEY", fromEnvironment = "CAKE_API_KEY" ),
    ( name = "CAKE_BASE_URL", fromEnvironment = "CAKE_BASE_URL" ),
  ]`,
)}
${worker(
  "sandbox",
  "sandbox",
  `
  bindings = [
    ( name = "CAKE_API_KEY", fromEnvironment = "CAKE_API_KEY" ),
    ( name = "NETWORK", durableObjectNamespace = "CakeNetwork" ),
  ],
  durableObjectNamespaces = [ ( className = "CakeNetwork", uniqueKey = "cake-network", enableSql = true ) ],
  durableObjectStorage = ( localDisk = "rows" )`,
)}
`;
}

/** Waits until workerd says on its control pipe that it listens. */
function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdio[3]?.once("data", () => resolve());
    child.once("error", reject);
    child.once("exit", (code) => reject(new BuildError(`workerd ended with exit code ${code} before it listened`)));
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once("error", () => resolve(false))
      .listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
