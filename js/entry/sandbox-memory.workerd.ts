import { core } from "../sandbox/core.js";
import module from "../wasm/sandbox_bg.wasm";

core.provide(() => module);

export * from "../sandbox/in-process.js";
