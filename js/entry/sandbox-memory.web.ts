import init from "../wasm/sandbox.js";

await init({ module_or_path: new URL("../wasm/sandbox_bg.wasm", import.meta.url) });

export * from "../sandbox/in-process.js";
