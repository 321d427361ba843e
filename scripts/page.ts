// Makes dist/page/: the files that a page loads. The module and the tag contain the wasm, so that no bundler has to
// find it and no second request is needed. Rarely needed parts are separate files.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { brotliCompressSync } from "node:zlib";
import binaryen from "binaryen";
import { minify } from "terser";
import { build, type InlineConfig, type Plugin } from "vite";
import { root } from "./build.ts";
import { BESIDE_WORDS, MISSING_WORDS } from "./missing.ts";

/** The exports of the cores; see js/page/core.ts. Those of clicks have short names in what a page loads. */
const EXPORTS = { put: "n", reply: "z", decide: "m" };
const LINK_EXPORTS = { push: "push", byte: "byte", build: "build" };

/**
 * Short names for properties that only the page's own files share: js/page/tracker.ts, outbox.ts, attach.ts and load.ts. The
 * letters are those with which the first files pack best.
 */
const OWN_NAMES = {
  said: "t",
  note: "o",
  report: "n",
  conclude: "x",
  resend: "p",
  missing: "m",
  conversions: "e",
  complete: "y",
  rewrite: "u",
  sent: "d",
  isEdge: "q",
  findClick: "w",
  firstRead: "h",
  url: "s",
  isMissing: "f",
  loadCore: "k",
  isDisposed: "j",
  withFile: "a",
  look: "b",
};

/** Short names for what those files export to each other. */
const OWN_EXPORTS = { openOutbox: "e", noteDecision: "f", checkNames: "n", findLink: "g", refuse: "t" };

/** The letters of local names, in the order in which the first files pack best. */
const LETTERS = "esfnUtDpjlrmgdaLzc$YMiRNAKuJykPobwWGXTQvhOHFVxEIBqSZC_";

/** The local name of this number. */
const localName = (number: number): string =>
  number < LETTERS.length
    ? LETTERS.charAt(number)
    : localName(number % LETTERS.length) + localName(Math.floor(number / LETTERS.length) - 1);

/** The words for a missing value, as literals. */
const WORDS = { MISSING_WORDS: JSON.stringify(MISSING_WORDS), BESIDE_WORDS: JSON.stringify(BESIDE_WORDS) };

/** Separate files, loaded when they are first needed. */
const LAZY = ["outbox", "rare", "decorate", "attach", "link", "fallback", "link-fallback"];

const out = join(root, "dist/page");

/** Removes the wasm-bindgen exports for values that never cross here, then optimises for size. */
function shrink(audience: string, exports: Readonly<Record<string, string>>): Uint8Array {
  const module = binaryen.readBinary(readFileSync(join(root, `target/wasm/${audience}/${audience}_bg.wasm`)));
  for (let index = module.getNumExports() - 1; index >= 0; index -= 1) {
    const { name, value } = binaryen.getExportInfo(module.getExportByIndex(index));
    module.removeExport(name);
    const short = exports[name];
    if (short !== undefined) module.addFunctionExport(value, short);
  }
  binaryen.setOptimizeLevel(2);
  binaryen.setShrinkLevel(2);
  // Larger functions pack better where they are.
  if (audience === "link") binaryen.setOneCallerInlineMaxSize(200);
  // The stack is at low addresses: no data has an address below 1,024.
  binaryen.setLowMemoryUnused(true);
  // The second round finds more after the removals of the first.
  module.optimize();
  module.optimize();
  // No runtime reads these sections.
  module.runPasses(["strip-debug", "strip-producers", "strip-target-features"]);
  return withoutUnusedData(module);
}

/**
 * The module, and without its data where no address in the code is one of that data: wasm-bindgen's own is for the
 * removed exports.
 */
function withoutUnusedData(module: binaryen.Module): Uint8Array {
  const text = module.emitText();
  const data = [...text.matchAll(/\(data \S+ \(i32\.const (\d+)\) "(.*)"\)/g)].map(([, at, bytes = ""]) => ({
    start: Number(at),
    // A byte is written with one to three characters.
    end: Number(at) + bytes.length,
  }));
  const code = text.slice(text.indexOf("\n (func "));
  const isUsed = [...code.matchAll(/(?:const |offset=)(\d+)/g)].some(([, at]) =>
    data.some(({ start, end }) => Number(at) >= start && Number(at) < end),
  );
  const wasm = module.emitBinary();
  return isUsed ? wasm : withoutSection(DATA, withoutSection(DATA_COUNT, wasm));
}

const DATA = 11;
const DATA_COUNT = 12;

/** A wasm without the section of this number. */
function withoutSection(number: number, wasm: Uint8Array): Uint8Array {
  for (let start = 8, end = start; start < wasm.length; start = end) {
    // The section's size, seven bits in each byte.
    let size = 0;
    let at = start + 1;
    for (let bits = 0; at === start + 1 || (wasm[at - 1] ?? 0) > 127; bits += 7)
      size |= ((wasm[at++] ?? 0) & 127) << bits;
    end = at + size;
    if (wasm[start] === number) return Buffer.concat([wasm.subarray(0, start), wasm.subarray(end)]);
  }
  return wasm;
}

/** The core as a JavaScript module. */
function asJavaScript(wasm: Uint8Array): string {
  const file = join(root, "target/wasm/small.wasm");
  writeFileSync(file, wasm);
  try {
    return withoutWrapping(execFileSync(join(root, "node_modules/.bin/wasm2js"), [file, "-Oz"], { encoding: "utf8" }));
  } finally {
    rmSync(file);
  }
}

/**
 * Removes the parts of wasm2js for other kinds of modules: base64 data, which is text here, and unused views of the
 * memory.
 */
function withoutWrapping(code: string): string {
  const plain = code
    .replace(/ *var base64ReverseLookup[\s\S]*?(?=function initActiveSegments)/, () => SET_DATA)
    .replace(/base64DecodeToExistingUint8Array\((\w+), (\d+), "([^"]*)"\)/g, (_, view, offset, base64) => {
      return `setData(${view}, ${offset}, ${JSON.stringify(Buffer.from(base64, "base64").toString("latin1"))})`;
    });
  const isUnused = (name: string) => new RegExp(`\\b${name}\\[`).exec(plain) === null;
  return plain.replace(/^ *(?:var )?(HEAP\w+) = new \w+\(\w+\);\n/gm, (line, name) => (isUnused(name) ? "" : line));
}

const SET_DATA = `function setData(view, offset, text) {
  for (var at = 0; at < text.length; at++) view[offset + at] = text.charCodeAt(at);
}
`;

/** A wasm as ASCII text, with the values to decode it. */
interface WasmText {
  /** The character before each byte above 127. */
  readonly mark: string;
  /** The mask of each character, chosen to need few escapes. */
  readonly key: number;
  /** A string literal. */
  readonly literal: string;
}

const ESCAPES: Record<string, string> = { "\0": "\\0", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\" };

/**
 * The wasm as a text in double quotes. Each byte is a character below 128, with a mark before it where the byte's
 * highest bit is set. One character for each byte would be larger, because those above 127 take two bytes in UTF-8.
 * This text has a third of base64's excess. The list is empty where the key leaves no character for a mark.
 */
function asTexts(wasm: Uint8Array, key: number): WasmText[] {
  const codes = Array.from(wasm, (byte) => (byte & 127) ^ key);
  const used = new Set(codes);
  const marks = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).filter(
    // The mark is part of a regular expression.
    (mark) => !used.has(mark.charCodeAt(0)) && ESCAPES[mark] === undefined && !/[$()*+./?[\]^{|}]/.test(mark),
  );
  return marks.map((mark) => {
    const text = codes.map((code, at) => ((wasm[at] ?? 0) > 127 ? mark : "") + String.fromCharCode(code)).join("");
    // All escapes in one pass, so that none is escaped again. A digit after \0 would make an octal escape.
    const literal = text.replace(/[\0\n\r"\\]/g, (character, at: number) =>
      character === "\0" && /\d/.test(text[at + 1] ?? "") ? "\\x00" : (ESCAPES[character] ?? character),
    );
    return { mark, key, literal: `"${literal}"` };
  });
}

/** The wasm put into a script, by the key and the mark with which the script packs best. */
function withWasm(code: string, wasm: Uint8Array): string {
  const scripts = (texts: readonly WasmText[]) =>
    texts
      .map((text) => {
        // The replacements are functions: in a replacement text, `$` has a meaning.
        const script = code
          .replace("WASM_MARK", () => text.mark)
          .replace(/\bWASM_KEY\b/, () => String(text.key))
          .replace(/\bWASM_TEXT\b/, () => text.literal);
        return { text, script, size: brotliCompressSync(script).length };
      })
      .sort((one, other) => one.size - other.size);
  const keys = Array.from({ length: 128 }, (_, key) => key);
  const byKey = scripts(keys.flatMap((key) => asTexts(wasm, key).filter((_, at, all) => at === 0 || !all[at + 1])));
  const likely = [...new Set(byKey.map(({ text }) => text.key))].slice(0, 8);
  const [best] = scripts(likely.flatMap((key) => asTexts(wasm, key)));
  if (!WebAssembly.validate(Uint8Array.from(wasm))) throw new Error("the wasm is not valid");
  if (best === undefined) throw new Error("the wasm uses every byte: there is none for a mark");
  check(best.text, wasm);
  return best.script;
}

/** @throws where a text does not read back as its bytes */
function check({ literal, mark, key }: WasmText, wasm: Uint8Array): void {
  const read: number[] = [];
  let high = 0;
  for (const character of String(runInNewContext(literal))) {
    if (character === mark) high = 128;
    else {
      read.push((character.charCodeAt(0) ^ key) | high);
      high = 0;
    }
  }
  if (Buffer.compare(Uint8Array.from(read), wasm) !== 0)
    throw new Error("the wasm's text does not read back as its bytes");
}

/** One bundled, minified file from `entry`; the imports of lazy files stay imports. */
async function bundle(
  entry: string,
  name: string,
  format: "es" | "iife",
  short: Readonly<Record<string, string>> = {},
  wasm?: Uint8Array,
  head = "",
): Promise<string> {
  const config: InlineConfig = {
    configFile: false,
    root,
    logLevel: "error",
    // The mark is a text already: a minifier puts texts where they pack best.
    define: { IS_TAG: String(format === "iife"), ...WORDS },
    plugins: [lazy],
    build: {
      write: false,
      target: "es2022",
      minify: true,
      rolldownOptions: { output: { minify: { compress: true, mangle: false } } },
      lib: {
        entry: join(root, entry),
        formats: [format],
        name: name === "cake-edge" ? "cakeEdgeTag" : name,
        fileName: name,
      },
    },
  };
  const [result] = [await build(config)].flat();
  const code = result && "output" in result ? result.output[0].code : undefined;
  if (code === undefined) throw new Error(`${entry} made no code`);
  // A second minifier makes rolldown's output smaller; it shortens the names, and copies only simple functions into
  // their callers.
  const { code: plain } = await minify(code, {
    ecma: 2020,
    module: format === "es",
    compress: {
      passes: 6,
      inline: format === "iife" ? 2 : 1,
      lhs_constants: false,
      unsafe_arrows: true,
      unsafe_methods: true,
    },
    mangle: {
      ...(head ? { nth_identifier: { get: localName } } : {}),
      properties: { regex: new RegExp(`^(${Object.keys(short).join("|")})$`), builtins: true },
    },
    nameCache: { props: { props: Object.fromEntries(Object.entries(short).map(([own, name]) => [`$${own}`, name])) } },
    format: { comments: false },
  });
  if (plain === undefined) throw new Error(`terser made nothing of ${entry}`);
  const exported = plain.replace(/\bas (\w+)/g, (given, own: string) => (short[own] ? `as ${short[own]}` : given));
  return wasm ? withWasm(head + exported, wasm) : head + exported;
}

/** Keeps the lazy imports of files: `import("./outbox.js")` finds the file beside the importing one. */
const lazy: Plugin = {
  name: "lazy",
  enforce: "pre",
  resolveId: (id, importer, { kind }: { kind?: string }) =>
    importer !== undefined && kind === "dynamic-import" && LAZY.some((name) => id === `./${name}.js`)
      ? { id, external: "relative" }
      : null,
};

function write(name: string, code: string): void {
  // An ASCII script is the same in a page of any encoding.
  if (/[^\0-\x7f]/.test(code)) throw new Error(`${name}.js is not ASCII`);
  writeFileSync(join(out, `${name}.js`), code);
}
/** With this comment, V8 compiles all functions together with the script, rather than each at its first call. */
const EAGER = "//# allFunctionsCalledOnLoad\n";

mkdirSync(out, { recursive: true });
const wasm = shrink("page", EXPORTS);
const first = { ...OWN_NAMES, ...OWN_EXPORTS, ...EXPORTS };
write("page", await bundle("js/entry/page.ts", "page", "es", first, wasm, EAGER));
write("cake-edge", await bundle("js/entry/tag.ts", "cake-edge", "iife", first, wasm, EAGER));
write("link", await bundle("js/page/link.ts", "link", "es", OWN_EXPORTS, shrink("link", LINK_EXPORTS)));
for (const name of ["outbox", "rare", "decorate", "attach"]) {
  write(name, await bundle(`js/page/${name}.ts`, name, "es", { ...OWN_NAMES, ...OWN_EXPORTS }));
}
// For frames and workers: a module for bundlers, and one classic script that makes the global `cakeEdgeFrame`.
write("frame", await bundle("js/entry/frame.ts", "frame", "es"));
write("cake-edge-frame", await bundle("js/entry/frame.ts", "cakeEdgeFrame", "iife"));
for (const [name, exports] of [
  ["fallback", EXPORTS],
  ["link-fallback", LINK_EXPORTS],
] as const) {
  const file = `target/wasm/${name}/${name}.js`;
  writeFileSync(join(root, file), asJavaScript(shrink(name, exports)));
  write(name, await bundle(file, name, "es"));
}
