import { useModule } from "../report/core.js";
import module from "../wasm/report_bg.wasm?module";

useModule(async () => module);

export * from "../report/index.js";
