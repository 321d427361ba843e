import { checksCore, clientCore, edge } from "../edge/core.js";
import { fromText } from "../inline.js";
import { BYTES as CHECKS } from "../wasm/checks_inline.js";
import { BYTES as CLIENT } from "../wasm/client_inline.js";
import { BYTES as EDGE } from "../wasm/edge_inline.js";

edge.provide(() => fromText(EDGE));
clientCore.provide(() => fromText(CLIENT));
checksCore.provide(() => fromText(CHECKS));

export * from "../edge/index.js";
