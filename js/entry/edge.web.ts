import init from "../wasm/edge.js";

await init({ module_or_path: new URL("../wasm/edge_bg.wasm", import.meta.url) });

export * from "../edge/index.js";
