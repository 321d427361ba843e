import { useModule } from "../report/core.js";

useModule(() => WebAssembly.compileStreaming(fetch(new URL("../wasm/report_bg.wasm", import.meta.url))));

export * from "../report/index.js";
