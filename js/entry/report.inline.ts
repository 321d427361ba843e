import { fromText } from "../inline.js";
import { useModule } from "../report/core.js";
import { BYTES } from "../wasm/report_inline.js";

useModule(() => WebAssembly.compile(fromText(BYTES)));

export * from "../report/index.js";
