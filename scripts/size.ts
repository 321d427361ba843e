// npm run size: bytes of everything that is shipped. `-- --json` prints the
// figures alone.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build as bundle } from "vite";
import { build, root } from "./build.ts";

interface Size {
  readonly raw: number;
  readonly gzip: number;
  readonly brotli: number;
}

const isJson = process.argv.includes("--json");
build();

const files: Record<string, Size> = {
  "page entry and glue, bundled": sizeOf(await pageBundle()),
  "page_bg.wasm": sizeOf(readFileSync(join(root, "dist/wasm/page_bg.wasm"))),
  "edge_bg.wasm": sizeOf(readFileSync(join(root, "dist/wasm/edge_bg.wasm"))),
  "forwarder_bg.wasm": sizeOf(readFileSync(join(root, "dist/wasm/forwarder_bg.wasm"))),
  "sandbox_bg.wasm": sizeOf(readFileSync(join(root, "dist/wasm/sandbox_bg.wasm"))),
};
const packed = execFileSync("npm", ["pack", "--dry-run", "--json"], {
  cwd: root,
  encoding: "utf8",
  stdio: ["ignore", "pipe", "ignore"],
});
const [tarball] = Object.values(JSON.parse(packed)) as { size: number }[];
const figures = {
  page_first_load_brotli: (files["page entry and glue, bundled"]?.brotli ?? 0) + (files["page_bg.wasm"]?.brotli ?? 0),
  edge_wasm_gzip: files["edge_bg.wasm"]?.gzip,
  tarball_bytes: tarball?.size,
  files,
};

if (isJson) {
  console.log(JSON.stringify(figures));
} else {
  console.table(files);
  console.table({
    page_first_load_brotli: figures.page_first_load_brotli,
    edge_wasm_gzip: figures.edge_wasm_gzip,
    tarball_bytes: figures.tarball_bytes,
  });
}

function sizeOf(bytes: Uint8Array): Size {
  return { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotliCompressSync(bytes).length };
}

/** What a page loads besides the wasm, minified. */
async function pageBundle(): Promise<Uint8Array> {
  const result = await bundle({
    configFile: false,
    root,
    logLevel: "error",
    build: {
      write: false,
      assetsInlineLimit: 0,
      target: "es2022",
      rollupOptions: { input: join(root, "dist/entry/page.js"), preserveEntrySignatures: "strict" },
    },
  });
  const outputs = Array.isArray(result)
    ? result.flatMap(({ output }) => output)
    : "output" in result
      ? result.output
      : [];
  const chunks = outputs.filter((output) => output.type === "chunk").map(({ code }) => code);
  return new TextEncoder().encode(chunks.join(""));
}
