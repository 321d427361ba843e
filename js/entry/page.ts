import init from "../wasm/page.js";

await init({ module_or_path: new URL("../wasm/page_bg.wasm", import.meta.url) });

export * from "../page/index.js";
