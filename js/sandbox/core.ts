/** The core of the sandbox; an entry provides its wasm. */
import { createCore } from "../core.js";
import { start } from "../wasm/sandbox.js";

export const core = createCore(start);
