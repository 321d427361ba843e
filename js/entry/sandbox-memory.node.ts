import { readFileSync } from "node:fs";
import { initSync } from "../wasm/sandbox.js";

initSync({ module: readFileSync(new URL("../wasm/sandbox_bg.wasm", import.meta.url)) });

export * from "../sandbox/in-process.js";
