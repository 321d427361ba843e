import { edge } from "../edge/core.js";
import module from "../wasm/edge_bg.wasm";

edge.provide(() => module);

export * from "../edge/index.js";
