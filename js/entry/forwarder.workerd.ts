import { core } from "../forwarder/core.js";
import module from "../wasm/forwarder_bg.wasm?module";

core.provide(() => module);

export * from "../forwarder/index.js";
