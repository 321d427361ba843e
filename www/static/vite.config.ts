import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

// One classic script: older browsers do not support modules in a service worker.
export default defineConfig({
  resolve: {
    alias: [
      { find: "cake-edge/forwarder/memory", replacement: path("../../dist/entry/forwarder-memory.inline.js") },
      { find: "cake-edge/report", replacement: path("../../dist/entry/report.inline.js") },
      { find: "cake-edge/sandbox/memory", replacement: path("../../dist/entry/sandbox-memory.inline.js") },
      { find: /^cake-edge$/, replacement: path("../../dist/entry/edge.inline.js") },
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
