import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { fromText } from "../inline.js";
import { useModule } from "../report/core.js";
import { usePaths } from "../report/source.js";
import { BYTES } from "../wasm/report_inline.js";

useModule(() => WebAssembly.compile(fromText(BYTES)));
usePaths((path) => {
  const file = openSync(path, "r");
  return { size: fstatSync(file).size, read: (view) => readSync(file, view), close: () => closeSync(file) };
});

export * from "../report/index.js";
