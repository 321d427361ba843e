/**
 * The running core: one instance of an audience's wasm. It starts when something is first asked of it, so that
 * importing the package cannot fail; a trap ends it, and the next call starts a fresh one.
 */
import { CakeError, toCakeError } from "./error.js";

/** As much of WebAssembly as is used: the types of workers know no compiling. */
declare const WebAssembly: { readonly Module: new (bytes: object) => object };

/** What `init` takes: a compiled `WebAssembly.Module`, or the bytes of one as an `ArrayBuffer` or a view of it. */
export type WasmModule = object;

/** One audience's core. */
export interface Core<Api> {
  /** What the running instance offers. Not to be kept: the next call may reach another instance. */
  api(): Api;
  /** A thing of the core's that callers keep; made again where the instance that it was made in has died. */
  keep<T>(make: (api: Api) => T): () => T;
  /** What `send` promises; rejects with `internal` where the instance dies meanwhile. */
  wait<T>(send: () => Promise<T>): Promise<T>;
  /** Says where an entry has the module, for when it is first needed. */
  provide(source: () => WasmModule): void;
  /** Takes the module from the caller; without effect once the core runs. */
  init(module: WasmModule): void;
}

/** A core that `start` of the audience's glue starts. */
export function createCore<Api>(start: (module: object, died: (error: unknown) => void) => Api): Core<Api> {
  let source: () => WasmModule = nowhere;
  let running: Api | undefined;
  /** Compiled once: an instance that takes the place of another costs no compilation. */
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

/** The module, where bytes are given compiled from them. */
function compile(module: WasmModule): object {
  try {
    // Not `instanceof`: another realm's module is one as well, and so are its bytes.
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

/** The error where no WebAssembly is compiled, with what to do in a page, and elsewhere. */
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
