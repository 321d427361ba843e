/** The core of links, capture and the API client; an entry says where its wasm is. */
import { createCore } from "../core.js";
import { start } from "../wasm/edge.js";

export const edge = createCore(start);
