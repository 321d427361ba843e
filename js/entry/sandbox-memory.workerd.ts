import { initSync } from "../wasm/sandbox.js";
import module from "../wasm/sandbox_bg.wasm";

initSync({ module });

export * from "../sandbox/in-process.js";
