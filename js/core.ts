/**
 * The running core: one instance of an audience's wasm. It starts on first use, so that importing the package cannot
 * fail. A trap ends the instance, and the next call starts a fresh one.
 */
import { CakeError, toCakeError } from "./error.js";

/** The used part of WebAssembly: workers' types have no compilation. */
declare const WebAssembly: { readonly Module: new (bytes: object) => object };

/** The module for `init`: a compiled `WebAssembly.Module`, or its bytes as an `ArrayBuffer` or a view of one. */
export type WasmModule = object;

/** One audience's core. */
export interface Core<Api> {
  /** The API of the running instance. Do not keep it: the next call may reach another instance. */
  api(): Api;
  /** A core's object that callers keep; made again if its instance has died. */
  keep<T>(make: (api: Api) => T): () => T;
  /** Waits for `send`; rejects with `internal` if the instance dies meanwhile. */
  wait<T>(send: () => Promise<T>): Promise<T>;
  /** Sets where an entry gets the module on first use. */
  provide(source: () => WasmModule): void;
  /** Takes the module from the caller; has no effect once the core runs. */
  init(module: WasmModule): void;
}

/** A core that is started by `start`, the audience's glue. */
export function createCore<Api>(start: (module: object, died: (error: unknown) => void) => Api): Core<Api> {
  let source: () => WasmModule = nowhere;
  let running: Api | undefined;
  /** Compiled once: a new instance costs no compilation. */
  let compiled: object | undefined;
  let waiting = new Set<(error: CakeError) => void>();

  function died(error: unknown): void {
    running = undefined;
    const failed = waiting;
    waiting = new Set();
    for (const fail of failed) fail(toCakeError(error));
  }

  function api(): Api {
    if (running === undefined) {
      compiled ??= compile(source());
      if (typeof TextDecoder === "undefined") throw unavailable("this runtime has no TextDecoder (jsdom's has none)");
      running = start(compiled, died);
    }
    return running;
  }

  return {
    api,
    keep(make) {
      let home: Api | undefined;
      let kept: ReturnType<typeof make>;
      return () => {
        const now = api();
        if (now !== home) {
          kept = make(now);
          home = now;
        }
        return kept;
      };
    },
    wait: (send) =>
      new Promise((resolve, reject) => {
        const mine = waiting;
        mine.add(reject);
        const end = () => void mine.delete(reject);
        send().then(resolve, reject).then(end);
      }),
    provide(from) {
      source = from;
    },
    init(module) {
      if (running === undefined) compiled = compile(module);
    },
  };
}

/** The module, compiled if bytes are given. */
function compile(module: WasmModule): object {
  try {
    // Not `instanceof`: a module or bytes of another realm are valid too.
    return isBytes(module) ? new WebAssembly.Module(module) : module;
  } catch (error) {
    throw notCompiled(
      error,
      "; cake-edge/page needs neither",
      ": import cake-edge/edge.wasm as a module and hand it to init()",
    );
  }
}

function isBytes(module: WasmModule): boolean {
  return ArrayBuffer.isView(module) || Object.prototype.toString.call(module).endsWith("ArrayBuffer]");
}

function nowhere(): never {
  throw unavailable("this entry has no wasm of its own: call init(module, { client, checks }) first");
}

/** The error if no WebAssembly is compiled, with advice for pages and for other places. */
export function notCompiled(cause: unknown, inPage: string, elsewhere: string): CakeError {
  const rule =
    "document" in globalThis
      ? `the page's policy allows no WebAssembly (wasm-unsafe-eval), or the browser has none${inPage}`
      : `this runtime compiles no WebAssembly from bytes${elsewhere}`;
  return unavailable(rule, cause);
}

function unavailable(rule: string, cause?: unknown): CakeError {
  return new CakeError({ code: "wasm_unavailable", rule }, cause === undefined ? undefined : { cause });
}
