/** `cake-edge` with its API client, which the page itself does not need: the same as edge.ts. */
import { init } from "../dist/edge/index.js";
import client from "../dist/wasm/client_bg.wasm?url";
import edge from "../dist/wasm/edge_bg.wasm?url";
import { compiled } from "./compiled.js";

const [module, clientModule] = await Promise.all([compiled(edge), compiled(client)]);
init(module, { client: clientModule });

export * from "../dist/edge/index.js";
