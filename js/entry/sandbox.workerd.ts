import module from "../wasm/sandbox_bg.wasm";
import { initSync } from "../wasm/sandbox.js";

initSync({ module });

export * from "../sandbox/index.js";
