import { fromBase64 } from "../inline.js";
import { useModule } from "../report/core.js";
import { BYTES } from "../wasm/report_inline.js";

useModule(() => WebAssembly.compile(fromBase64(BYTES)));

export * from "../report/index.js";
