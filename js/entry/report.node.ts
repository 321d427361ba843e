import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { useModule } from "../report/core.js";
import { usePaths } from "../report/source.js";

useModule(() => WebAssembly.compile(readFileSync(new URL("../wasm/report_bg.wasm", import.meta.url))));
usePaths((path) => {
  const file = openSync(path, "r");
  return { read: (view) => readSync(file, view), close: () => closeSync(file) };
});

export * from "../report/index.js";
