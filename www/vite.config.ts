import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { highlight } from "sugar-high";
import { defineConfig, type Plugin } from "vite";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig(({ mode }) => ({
  // The static build contains its own network.
  define: { __STATIC__: JSON.stringify(mode === "static") },
  plugins: [samples()],
  // Relative, so that the demo can be in any folder of any host.
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  resolve: {
    // The demo uses the package in its published form.
    alias: [
      { find: "cake-edge/page", replacement: path("../dist/page/page.js") },
      { find: "cake-edge/link", replacement: path("../dist/page/link.js") },
      { find: /^cake-edge$/, replacement: path("edge.ts") },
    ],
  },
  worker: { format: "es" },
  build: {
    outDir: path("../target/demo"),
    emptyOutDir: true,
    target: "es2022",
    rollupOptions: {
      output: {
        // Named after the chunk that loads them: the tests know by it what comes when the page stands.
        assetFileNames: ({ names: [name = ""] }) =>
          `assets/${name.startsWith("checks_") ? "edge_" : ""}[name]-[hash][extname]`,
        chunkFileNames: ({ name }) => `assets/${name === "tracking" ? "edge-" : ""}[name]-[hash].js`,
      },
      input: {
        demo: path("index.html"),
        shop: path("shop/index.html"),
        thanks: path("shop/thanks/index.html"),
        inspector: path("inspector/index.html"),
      },
    },
  },
}));

/** `import * as sample from "./x.ts?sample"`: the file's text, and the text as HTML, coloured at build time. */
function samples(): Plugin {
  return {
    name: "samples",
    enforce: "pre",
    load(id) {
      if (!id.endsWith("?sample")) return null;
      const file = id.slice(0, -"?sample".length);
      this.addWatchFile(file);
      // The comment at the top is only for readers of the repository.
      const text = readFileSync(file, "utf8")
        .replace(/^\/\*\*[\s\S]*?\*\/\n+/, "")
        .trimEnd();
      return `export const text = ${JSON.stringify(text)};\nexport const html = ${JSON.stringify(coloured(text))};`;
    },
  };
}

/** The tokens that get a colour; the others would only add bytes. */
const COLOURED = ["keyword", "string", "comment", "class"];

function coloured(text: string): string {
  return highlight(text)
    .replace(/<span class="sh__token--(\w+)" style="[^"]*">(.*?)<\/span>/g, (_, kind: string, code: string) =>
      COLOURED.includes(kind) && code !== "" ? `<i class="${kind}">${code}</i>` : code,
    )
    .replace(/<\/?span[^>]*>/g, "")
    .replace(/<\/i><i class="string">/g, (seam, place: number, all: string) =>
      all.lastIndexOf('<i class="string">', place) === all.lastIndexOf("<i ", place) ? "" : seam,
    );
}
