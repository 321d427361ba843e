import { fromText } from "../inline.js";
import { useModule } from "../report/core.js";
import { usePaths } from "../report/source.js";
import { BYTES } from "../wasm/report_inline.js";

useModule(() => WebAssembly.compile(fromText(BYTES)));
usePaths((path) => {
  // An import would also load what node:fs has for streams: 3 ms, more than the rest of this package.
  const { closeSync, fstatSync, openSync, readSync } = process.getBuiltinModule("node:fs");
  const file = openSync(path, "r");
  return { size: fstatSync(file).size, read: (view) => readSync(file, view), close: () => closeSync(file) };
});

export * from "../report/index.js";
