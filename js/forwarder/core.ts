/** The core of the forwarder; an entry provides its wasm. */
import { createCore } from "../core.js";
import { start } from "../wasm/forwarder.js";

export const core = createCore(start);
