/** `cake-edge` in the best form for a browser: the wasm is a separate file, not a text in a script. */
import { init } from "../dist/edge/index.js";
import url from "../dist/wasm/edge_bg.wasm?url";

// Not compiled while it streams: a static host may lack the media type for such a file.
init(await WebAssembly.compile(await (await fetch(url)).arrayBuffer()));

export * from "../dist/edge/index.js";
