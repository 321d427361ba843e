import { start } from "../page/engine.js";

// At once where there is WebAssembly.
await start();

export * from "../page/index.js";
