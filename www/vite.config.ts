import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  resolve: {
    // The demo uses the package as it is published.
    alias: { "cake-edge/page": path("../dist/page/page.js") },
  },
  build: {
    outDir: path("../target/demo"),
    emptyOutDir: true,
    target: "es2022",
    rollupOptions: { input: { demo: path("index.html"), shop: path("shop/index.html") } },
  },
});
