/** The core of the forwarder; an entry says where its wasm is. */
import { createCore } from "../core.js";
import { start } from "../wasm/forwarder.js";

export const core = createCore(start);
