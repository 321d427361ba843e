import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { fromText } from "../inline.js";
import { useModule } from "../report/core.js";
import { usePaths } from "../report/source.js";

useModule(async () => WebAssembly.compile(await wasm()));
usePaths((path) => {
  const file = openSync(path, "r");
  return { size: fstatSync(file).size, read: (view) => readSync(file, view), close: () => closeSync(file) };
});

/** The module's file, which is read in a tenth of the time of its text. A bundler may have left the file behind. */
async function wasm(): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return readFileSync(new URL("../wasm/report_bg.wasm", import.meta.url));
  } catch {
    const { BYTES } = await import("../wasm/report_inline.js");
    return fromText(BYTES);
  }
}

export * from "../report/index.js";
