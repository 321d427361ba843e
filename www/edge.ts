/** `cake-edge` as a browser best has it: its wasm a file of its own, and not a text in a script. */
import { init } from "../dist/edge/index.js";
import url from "../dist/wasm/edge_bg.wasm?url";

// Not as it streams: a static host may have no type for such a file.
init(await WebAssembly.compile(await (await fetch(url)).arrayBuffer()));

export * from "../dist/edge/index.js";
