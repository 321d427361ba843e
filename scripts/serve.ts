// Serves the sandbox, the forwarder and the demo page in one bare workerd, which starts in 50 ms; wrangler needs
// seconds.
import { randomUUID } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, isFree, startWorkerd, WorkerdError } from "../js/bin/workerd.ts";
import { BuildError, root } from "./build.ts";
import { bundleWorker } from "./bundle.ts";

// The CommonJS module has a `default` of its own: `import` would wrap it twice.
const { default: program } = createRequire(import.meta.url)("workerd") as { default: string };

const HOST = "127.0.0.1";

/** The running server. */
export interface Served {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** The sandbox's API key, made for this run. */
  readonly apiKey: string;
  /** The secret of the forwarder's operator, made for this run. */
  readonly operatorSecret: string;
  /** Resolves with workerd's exit code when workerd ends. */
  readonly ended: Promise<number>;
  /** Stops workerd and removes its files. */
  stop(): Promise<void>;
}

const WORKERS = {
  demo: "www/worker.ts",
  forwarder: "www/samples/convert.worker.ts",
  sandbox: "workers/sandbox/index.ts",
};

/** Starts everything on 127.0.0.1; port 0 takes a free one. */
export async function serve(port: number): Promise<Served> {
  const listenOn = port === 0 ? await freePort() : port;
  if (!(await isFree(listenOn, HOST))) {
    throw new BuildError(
      `port ${listenOn} is in use: stop what listens there, or choose another, such as PORT=${listenOn + 1} npm start`,
    );
  }
  const home = mkdtempSync(join(tmpdir(), "cake-edge-"));
  const remove = () => rmSync(home, { recursive: true, force: true });
  try {
    for (const [name, entry] of Object.entries(WORKERS)) await bundleWorker(name, entry, home);
    // workerd embeds only files below the folder of its configuration.
    for (const wasm of [
      "checks_bg.wasm",
      "client_bg.wasm",
      "edge_bg.wasm",
      "forwarder_bg.wasm",
      "report_bg.wasm",
      "sandbox_bg.wasm",
    ])
      cpSync(join(root, "dist/wasm", wasm), join(home, wasm));
    const rows = join(home, "rows");
    mkdirSync(rows);
    // A demo that is built later is served too.
    mkdirSync(join(root, "target/demo"), { recursive: true });
    const origin = `http://${HOST}:${listenOn}`;
    const apiKey = randomUUID();
    const operatorSecret = randomUUID();
    const workerd = await startWorkerd({
      program,
      home,
      rows,
      host: HOST,
      port: listenOn,
      front: "demo",
      // The forwarder logs every change of state.
      logs: false,
      environment: {
        CAKE_API_KEY: apiKey,
        CAKE_BASE_URL: origin,
        CAKE_OPERATOR_SECRET: operatorSecret,
        CAKE_SANDBOX_LOOPBACK: "yes",
      },
      disks: { files: join(root, "target/demo") },
      workers: [
        {
          name: "demo",
          modules: ["demo.js", "checks_bg.wasm", "client_bg.wasm", "edge_bg.wasm", "report_bg.wasm"],
          variables: ["CAKE_API_KEY", "CAKE_BASE_URL"],
          services: { SANDBOX: "sandbox", FORWARDER: "forwarder", FILES: "files" },
        },
        {
          name: "forwarder",
          modules: ["forwarder.js", "forwarder_bg.wasm"],
          variables: ["CAKE_API_KEY", "CAKE_BASE_URL", "CAKE_OPERATOR_SECRET"],
          durableObject: { binding: "OUTBOX", className: "CakeOutbox", uniqueKey: "cake-outbox" },
        },
        {
          name: "sandbox",
          modules: ["sandbox.js", "sandbox_bg.wasm"],
          variables: ["CAKE_API_KEY", "CAKE_SANDBOX_LOOPBACK"],
          durableObject: { binding: "NETWORK", className: "CakeNetwork", uniqueKey: "cake-network" },
        },
      ],
    });
    return {
      origin,
      apiKey,
      operatorSecret,
      ended: workerd.ended,
      async stop() {
        await workerd.stop();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error instanceof WorkerdError ? new BuildError(error.message) : error;
  }
}
