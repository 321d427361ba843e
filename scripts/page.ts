// Makes dist/page/: the files that a page loads. The module and the tag hold
// the wasm inside of them, so that no bundler has to find it and no second
// request has to be waited for; what is needed only now and then lies beside.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import binaryen from "binaryen";
import { build, type InlineConfig, type Plugin } from "vite";
import { root } from "./build.ts";

/** What the core exports; see js/page/core.ts. */
const EXPORTS = ["memory", "buffer", "decide"];

/** Files of their own: loaded when they are first needed. */
const LAZY = ["outbox", "decorate", "fallback"];

const out = join(root, "dist/page");

/** Removes what wasm-bindgen adds for values that never cross here, then optimises for size. */
function shrink(audience: string): Uint8Array {
  const module = binaryen.readBinary(readFileSync(join(root, `target/wasm/${audience}/${audience}_bg.wasm`)));
  for (let index = module.getNumExports() - 1; index >= 0; index -= 1) {
    const { name } = binaryen.getExportInfo(module.getExportByIndex(index));
    if (!EXPORTS.includes(name)) module.removeExport(name);
  }
  binaryen.setOptimizeLevel(2);
  binaryen.setShrinkLevel(2);
  // The stack is down there; nothing has an address below 1,024 but for its end.
  binaryen.setLowMemoryUnused(true);
  // What the first round removes lets the second one see more.
  module.optimize();
  module.optimize();
  return module.emitBinary();
}

/** The core as a JavaScript module. */
function asJavaScript(wasm: Uint8Array): string {
  const file = join(root, "target/wasm/fallback/small.wasm");
  writeFileSync(file, wasm);
  try {
    return execFileSync(join(root, "node_modules/.bin/wasm2js"), [file, "-Oz"], { encoding: "utf8" });
  } finally {
    rmSync(file);
  }
}

/**
 * The wasm as a text in double quotes, each byte a character: 180 bytes more of brotli than the bytes
 * themselves, where base64 is 1,600 more. The offset is the one that packs best.
 */
function asText(wasm: Uint8Array, offset: number): string {
  const escapes: Record<string, string> = { "\0": "\\0", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\" };
  const text = Array.from(wasm, (byte) => String.fromCharCode((byte + offset) & 255)).join("");
  // A digit after \0 would make it an octal escape.
  return `"${text.replace(/\0(?=\d)/g, "\\x00").replace(/[\0\n\r"\\]/g, (character) => escapes[character] ?? character)}"`;
}

/** One bundled, minified file from `entry`; the lazy ones beside it stay imports. */
async function bundle(entry: string, name: string, format: "es" | "iife"): Promise<string> {
  const config: InlineConfig = {
    configFile: false,
    root,
    logLevel: "error",
    define: { WASM_OFFSET: String(OFFSET) },
    plugins: [lazy],
    build: {
      write: false,
      target: "es2022",
      minify: true,
      rolldownOptions: { output: { minify: true } },
      lib: { entry: join(root, entry), formats: [format], name: "cakeEdgeTag", fileName: name },
    },
  };
  const [result] = [await build(config)].flat();
  const code = result && "output" in result ? result.output[0].code : undefined;
  if (code === undefined) throw new Error(`${entry} made no code`);
  return code;
}

/** Leaves the imports of lazy files as they are: `import("./outbox.js")` finds the file beside the importing one. */
const lazy: Plugin = {
  name: "lazy",
  enforce: "pre",
  resolveId: (id, importer) =>
    importer !== undefined && LAZY.some((name) => id === `./${name}.js`) ? { id, external: "relative" } : null,
};

const OFFSET = 35;

const wasm = asText(shrink("page"), OFFSET);
// A function: in a replacement text `$` would mean something.
const withWasm = (code: string) => code.replace(/\bWASM_TEXT\b/, () => wasm);

mkdirSync(out, { recursive: true });
writeFileSync(join(out, "page.js"), withWasm(await bundle("js/entry/page.ts", "page", "es")));
// The byte order mark makes it UTF-8 whatever the page or the server says.
writeFileSync(join(out, "cake-edge.js"), `\uFEFF${withWasm(await bundle("js/entry/tag.ts", "cake-edge", "iife"))}`);
for (const name of ["outbox", "decorate"]) {
  writeFileSync(join(out, `${name}.js`), await bundle(`js/page/${name}.ts`, name, "es"));
}
const fallback = join(root, "target/wasm/fallback/fallback.js");
writeFileSync(fallback, asJavaScript(shrink("fallback")));
writeFileSync(join(out, "fallback.js"), await bundle("target/wasm/fallback/fallback.js", "fallback", "es"));
