import { core } from "../sandbox/core.js";
import module from "../wasm/sandbox_bg.wasm?module";

core.provide(() => module);

export * from "../sandbox/index.js";
