/** The cores of `cake-edge`. Each starts on first use; an entry names the place of their wasm. */
import { createCore } from "../core.js";
import { start as startChecks } from "../wasm/checks.js";
import { start as startClient } from "../wasm/client.js";
import { start } from "../wasm/edge.js";

/** Links, capture and pixels: the tasks of a Worker at every visit. */
export const edge = createCore(start, { file: "edge.wasm", place: "module" });

/** Calls of CAKE's API. */
export const clientCore = createCore(startClient, { file: "client.wasm", place: "module, { client }" });

/** Checks for probable mistakes in a link or in a postback's URL. */
export const checksCore = createCore(startChecks, { file: "checks.wasm", place: "module, { checks }" });
