/**
 * The running core: one instance of an audience's wasm. It starts on first use, so that importing the package cannot
 * fail. A trap ends the instance, and the next call starts a fresh one.
 */
import { CakeError, isCakeError, toCakeError } from "./error.js";
import { refuse } from "./option.js";

/** The used part of WebAssembly: workers' types have no compilation. */
declare const WebAssembly: { readonly Module: new (bytes: object) => object; validate?(bytes: object): boolean };

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
  /** Takes the caller's module, under the name that the caller gave it; has no effect once the core runs. */
  init(module: WasmModule, name: string): void;
}

/**
 * A core that is started by `start`, the audience's glue. `place` is where its module stands in a call of `init` at an
 * entry that has none of its own.
 */
export function createCore<Api>(
  start: (module: object, died: (error: unknown) => void) => Api,
  place = "module",
): Core<Api> {
  let source = (): WasmModule => {
    throw unavailable(`this entry has no wasm of its own: call init(${place}) first`);
  };
  let running: Api | undefined;
  /** Compiled once: a new instance costs no compilation. */
  let compiled: object | undefined;
  /** The caller's name of the module, until it has started once. */
  let given: string | undefined;
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
      running = begin(compiled);
    }
    return running;
  }

  function begin(module: object): Api {
    try {
      const begun = start(module, died);
      given = undefined;
      return begun;
    } catch (error) {
      if (given === undefined || isCakeError(error)) throw error;
      // It stays so until another one is given.
      return refuse(
        given,
        "is the module of another core: edge.wasm, client.wasm and checks.wasm each have their place",
      );
    }
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
    init(module, name) {
      if (!isModule(module) && !isWasm(module)) refuse(name, "must be a WebAssembly.Module, or its bytes");
      if (running !== undefined) return;
      // Before it is compiled: where a policy forbids that, the error is the same.
      if (isBytes(module) && WebAssembly.validate?.(module) === false)
        refuse(name, "is no whole module: it is cut off, or was changed on its way");
      compiled = compile(module);
      given = name;
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

const tagOf = (value: unknown) => Object.prototype.toString.call(value);
const isModule = (value: unknown) => tagOf(value) === "[object WebAssembly.Module]";

function isBytes(module: unknown): module is ArrayBuffer | ArrayBufferView {
  return ArrayBuffer.isView(module) || tagOf(module).endsWith("ArrayBuffer]");
}

/** Bytes that begin as every module does: no page of a server that has no such file. */
function isWasm(bytes: unknown): boolean {
  if (!isBytes(bytes)) return false;
  const { buffer, byteOffset } = ArrayBuffer.isView(bytes) ? bytes : { buffer: bytes, byteOffset: 0 };
  const [first, ...rest] = new Uint8Array(buffer, byteOffset, Math.min(4, bytes.byteLength));
  return first === 0 && String.fromCharCode(...rest) === "asm";
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
