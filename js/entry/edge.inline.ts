import { edge } from "../edge/core.js";
import { fromBase64 } from "../inline.js";
import { BYTES } from "../wasm/edge_inline.js";

edge.provide(() => fromBase64(BYTES));

export * from "../edge/index.js";
