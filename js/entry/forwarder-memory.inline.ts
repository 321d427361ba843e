import { core } from "../forwarder/core.js";
import { fromText } from "../inline.js";
import { BYTES } from "../wasm/forwarder_inline.js";

core.provide(() => fromText(BYTES));

export * from "../forwarder/in-process.js";
