import { fromText } from "../inline.js";
import { core } from "../sandbox/core.js";
import { BYTES } from "../wasm/sandbox_inline.js";

core.provide(() => fromText(BYTES));

export * from "../sandbox/in-process.js";
