import module from "../wasm/edge_bg.wasm";
import { initSync } from "../wasm/edge.js";

initSync({ module });

export * from "../edge/index.js";
