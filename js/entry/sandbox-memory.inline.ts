import { fromBase64 } from "../inline.js";
import { core } from "../sandbox/core.js";
import { BYTES } from "../wasm/sandbox_inline.js";

core.provide(() => fromBase64(BYTES));

export * from "../sandbox/in-process.js";
