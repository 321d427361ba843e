/** The lint of `cake-edge` and nothing else: a page that shows a link needs no other wasm for it. */
import { checksCore } from "../dist/edge/core.js";
import checks from "../dist/wasm/checks_bg.wasm?url";
import { compiled } from "./compiled.js";

const module = await compiled(checks);
checksCore.provide(() => module);

export { lintTrackingLink } from "../dist/edge/tracking.js";
