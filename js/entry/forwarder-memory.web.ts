import init from "../wasm/forwarder.js";

await init({ module_or_path: new URL("../wasm/forwarder_bg.wasm", import.meta.url) });

export * from "../forwarder/in-process.js";
