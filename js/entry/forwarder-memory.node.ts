import { readFileSync } from "node:fs";
import { initSync } from "../wasm/forwarder.js";

initSync({ module: readFileSync(new URL("../wasm/forwarder_bg.wasm", import.meta.url)) });

export * from "../forwarder/in-process.js";
