/** The core of the sandbox; an entry says where its wasm is. */
import { createCore } from "../core.js";
import { start } from "../wasm/sandbox.js";

export const core = createCore(start);
