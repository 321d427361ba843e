import { initSync } from "../wasm/edge.js";
import module from "../wasm/edge_bg.wasm";

initSync({ module });

export * from "../edge/index.js";
