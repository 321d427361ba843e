import { checksCore, clientCore, edge } from "../edge/core.js";
import checksModule from "../wasm/checks_bg.wasm?module";
import clientModule from "../wasm/client_bg.wasm?module";
import edgeModule from "../wasm/edge_bg.wasm?module";

edge.provide(() => edgeModule);
clientCore.provide(() => clientModule);
checksCore.provide(() => checksModule);

export * from "../edge/index.js";
