/** The cores of `cake-edge`, each started when it is first needed; an entry says where their wasm is. */
import { createCore } from "../core.js";
import { start as startChecks } from "../wasm/checks.js";
import { start as startClient } from "../wasm/client.js";
import { start } from "../wasm/edge.js";

/** Links, capture and pixels: what a Worker does for every visit. */
export const edge = createCore(start);

/** Calls of CAKE's API. */
export const clientCore = createCore(startClient);

/** What is odd in a link or in a postback's URL. */
export const checksCore = createCore(startChecks);
