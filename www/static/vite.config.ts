import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

// One classic script: older browsers know no modules in a service worker, and none a top-level await there.
export default defineConfig({
  plugins: [compiledWasm()],
  resolve: {
    // The package as a Worker gets it: its wasm comes as a module, and is started at once.
    alias: [
      { find: "cake-edge/forwarder/memory", replacement: path("../../dist/entry/forwarder-memory.workerd.js") },
      { find: "cake-edge/sandbox/memory", replacement: path("../../dist/entry/sandbox-memory.workerd.js") },
      { find: /^cake-edge$/, replacement: path("../../dist/entry/edge.workerd.js") },
    ],
  },
  build: {
    outDir: path("../../target/demo-static"),
    emptyOutDir: false,
    copyPublicDir: false,
    target: "es2022",
    lib: { entry: path("worker.ts"), formats: ["iife"], name: "demo", fileName: () => "sw.js" },
  },
});

/** `import module from "x.wasm"` as in a Worker; the bytes are in the script. */
function compiledWasm(): Plugin {
  return {
    name: "compiled-wasm",
    enforce: "pre",
    resolveId(id, importer) {
      return id.endsWith(".wasm") && importer !== undefined
        ? `\0${fileURLToPath(new URL(id, `file://${importer}`))}.module`
        : null;
    },
    load(id) {
      if (!id.endsWith(".wasm.module")) return null;
      const bytes = readFileSync(id.slice(1, -".module".length)).toString("base64");
      return `export default new WebAssembly.Module(Uint8Array.from(atob("${bytes}"), (byte) => byte.charCodeAt(0)));`;
    },
    transform(code, id) {
      // The glue's own way to the wasm, which would come along a second time.
      const own = `new URL('${basename(id, ".js")}_bg.wasm', import.meta.url)`;
      return code.includes(own) ? code.replaceAll(own, "undefined") : null;
    },
  };
}
