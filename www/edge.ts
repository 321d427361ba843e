/** `cake-edge` in the best form for a browser: the wasm in files of its own, not a text in a script. */
import { init } from "../dist/edge/index.js";
import checks from "../dist/wasm/checks_bg.wasm?url";
import edge from "../dist/wasm/edge_bg.wasm?url";
import { compiled } from "./compiled.js";

const [module, checksModule] = await Promise.all([compiled(edge), compiled(checks)]);
init(module, { checks: checksModule });

export * from "../dist/edge/index.js";
