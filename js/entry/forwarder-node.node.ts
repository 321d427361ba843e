import { core } from "../forwarder/core.js";
import { fromBase64 } from "../inline.js";
import { BYTES } from "../wasm/forwarder_inline.js";

core.provide(() => fromBase64(BYTES));

export * from "../forwarder/node/index.js";
