// npm run size: the bytes of every shipped file, beside the peers' files, with a failure where a budget is exceeded.
// `-- --json` prints only the figures.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build, root } from "./build.ts";

interface Size {
  readonly raw: number;
  readonly gzip: number;
  readonly brotli: number;
}

/** The size budgets; a page's bytes cost its visitors time. */
const BUDGETS = {
  page_first_load_brotli: 5_500,
  page_convert_path_brotli: 4_000,
  page_link_brotli: 5_100,
  page_fallback_brotli: 3_500,
  page_attach_brotli: 3_000,
  frame_brotli: 6_000,
  edge_wasm_gzip: 100_000,
  report_wasm_gzip: 45_000,
  edge_inline_gzip: 130_000,
  forwarder_inline_gzip: 80_000,
  sandbox_inline_gzip: 290_000,
  tarball_bytes: 1_200_000,
};

const isJson = process.argv.includes("--json");
await build();

const files = {
  // Both contain the wasm; a page loads one or the other.
  "page/page.js": sizeOf("dist/page/page.js"),
  "page/cake-edge.js": sizeOf("dist/page/cake-edge.js"),
  "page/outbox.js": sizeOf("dist/page/outbox.js"),
  "page/decorate.js": sizeOf("dist/page/decorate.js"),
  "page/attach.js": sizeOf("dist/page/attach.js"),
  // Both are whole by themselves: a module and a classic script.
  "page/frame.js": sizeOf("dist/page/frame.js"),
  "page/cake-edge-frame.js": sizeOf("dist/page/cake-edge-frame.js"),
  "page/fallback.js": sizeOf("dist/page/fallback.js"),
  "page/link.js": sizeOf("dist/page/link.js"),
  "page/link-fallback.js": sizeOf("dist/page/link-fallback.js"),
  "wasm/edge_bg.wasm": sizeOf("dist/wasm/edge_bg.wasm"),
  "wasm/client_bg.wasm": sizeOf("dist/wasm/client_bg.wasm"),
  "wasm/checks_bg.wasm": sizeOf("dist/wasm/checks_bg.wasm"),
  "wasm/forwarder_bg.wasm": sizeOf("dist/wasm/forwarder_bg.wasm"),
  "wasm/report_bg.wasm": sizeOf("dist/wasm/report_bg.wasm"),
  "wasm/sandbox_bg.wasm": sizeOf("dist/wasm/sandbox_bg.wasm"),
  // The wasm as text, for runtimes that compile from bytes.
  "wasm/edge_inline.js": sizeOf("dist/wasm/edge_inline.js"),
  "wasm/client_inline.js": sizeOf("dist/wasm/client_inline.js"),
  "wasm/checks_inline.js": sizeOf("dist/wasm/checks_inline.js"),
  "wasm/forwarder_inline.js": sizeOf("dist/wasm/forwarder_inline.js"),
  "wasm/sandbox_inline.js": sizeOf("dist/wasm/sandbox_inline.js"),
} satisfies Record<string, Size>;

/** The files that a page loads from a peer, minified as published. */
const peers = {
  Snowplow: sizeOf("bench/node_modules/@snowplow/browser-tracker/dist/index.umd.min.js"),
  Segment: sizeOf("bench/node_modules/@segment/analytics-next/dist/umd/standalone.js"),
};

const packed = execFileSync("npm", ["pack", "--dry-run", "--json"], {
  cwd: root,
  encoding: "utf8",
  stdio: ["ignore", "pipe", "ignore"],
});
const [tarball] = Object.values(JSON.parse(packed)) as { size: number }[];
const figures = {
  // Module and tag are two ways to load the same code: the larger one counts.
  page_first_load_brotli: Math.max(files["page/page.js"].brotli, files["page/cake-edge.js"].brotli),
  page_convert_path_brotli: files["page/outbox.js"].brotli,
  page_link_brotli: files["page/link.js"].brotli,
  page_fallback_brotli: files["page/fallback.js"].brotli,
  page_attach_brotli: files["page/attach.js"].brotli,
  frame_brotli: Math.max(files["page/frame.js"].brotli, files["page/cake-edge-frame.js"].brotli),
  edge_wasm_gzip: files["wasm/edge_bg.wasm"].gzip,
  client_wasm_gzip: files["wasm/client_bg.wasm"].gzip,
  checks_wasm_gzip: files["wasm/checks_bg.wasm"].gzip,
  report_wasm_gzip: files["wasm/report_bg.wasm"].gzip,
  edge_inline_gzip: files["wasm/edge_inline.js"].gzip,
  // All that the entry `cake-edge` holds as text: links and capture, the API client, the checks.
  edge_entry_inline_gzip: ["edge", "client", "checks"]
    .map((audience) => files[`wasm/${audience}_inline.js` as keyof typeof files].gzip)
    .reduce((sum, bytes) => sum + bytes),
  forwarder_inline_gzip: files["wasm/forwarder_inline.js"].gzip,
  sandbox_inline_gzip: files["wasm/sandbox_inline.js"].gzip,
  tarball_bytes: tarball?.size ?? Number.NaN,
};

if (isJson) {
  console.log(JSON.stringify({ ...figures, files, peers }));
} else {
  console.table(files);
  console.log("others, first load:");
  console.table({ ...peers, "Everflow, as shipped": { brotli: 8_307 } });
  console.table(figures);
}
for (const [name, most] of Object.entries(BUDGETS)) {
  const bytes = figures[name as keyof typeof BUDGETS];
  if (bytes <= most) continue;
  console.error(`size: ${name} is ${bytes}, ${bytes - most} above its budget of ${most}`);
  process.exitCode = 1;
}

function sizeOf(file: string): Size {
  const bytes = readFileSync(join(root, file));
  return { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotliCompressSync(bytes).length };
}
