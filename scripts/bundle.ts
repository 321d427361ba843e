// Bundles each Worker into one JavaScript file with its wasm beside it, as workerd loads them.
import { join } from "node:path";
import { build, type InlineConfig } from "vite";
import { root } from "./build.ts";

/** Bundles the Worker at `entry` into `outDir/NAME.js`; what is published is minified. */
export async function bundleWorker(name: string, entry: string, outDir: string, isMinified = false): Promise<void> {
  const config: InlineConfig = {
    configFile: false,
    root,
    logLevel: "error",
    resolve: {
      alias: {
        "cake-edge/forwarder": join(root, "dist/entry/forwarder.workerd.js"),
        "cake-edge/report": join(root, "dist/entry/report.workerd.js"),
        "cake-edge/sandbox": join(root, "dist/entry/sandbox.workerd.js"),
        "cake-edge": join(root, "dist/entry/edge.workerd.js"),
      },
    },
    plugins: [
      {
        name: "wasm-module",
        enforce: "pre",
        resolveId: (id) =>
          id.endsWith(".wasm?module")
            ? { id: id.replace(/^.*\/|\?module$/g, "").replace(/^/, "./"), external: true }
            : null,
      },
    ],
    build: {
      outDir,
      emptyOutDir: false,
      target: "es2022",
      minify: isMinified,
      lib: { entry: join(root, entry), formats: ["es"], fileName: () => `${name}.js` },
      rollupOptions: { external: [/^cloudflare:/] },
    },
  };
  await build(config);
}

if (import.meta.main) {
  const [name = "", entry = "", outDir = ""] = process.argv.slice(2);
  await bundleWorker(name, entry, join(root, outDir), true);
}
