import { initSync } from "../wasm/forwarder.js";
import module from "../wasm/forwarder_bg.wasm";

initSync({ module });

export * from "../forwarder/in-process.js";
