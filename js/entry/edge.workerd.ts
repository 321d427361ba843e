import { edge } from "../edge/core.js";
import module from "../wasm/edge_bg.wasm?module";

edge.provide(() => module);

export * from "../edge/index.js";
