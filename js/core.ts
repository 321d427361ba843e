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

/** A core's own module, for those who bring it. */
interface Brought {
  /** The export of the package that has it, such as `edge.wasm`. */
  readonly file: string;
  /** Where it stands in a call of `init`. */
  readonly place: string;
}

/**
 * A core that is started by `start`, the audience's glue. Without `brought`, `init` takes no module for it.
 */
export function createCore<Api>(
  start: (module: object, died: (error: unknown) => void) => Api,
  brought?: Brought,
): Core<Api> {
  const { file, place } = brought ?? { place: "module" };
  const elsewhere = file
    ? `import cake-edge/${file} as a module and hand it to init(${place})`
    : "let the bundler take the condition workerd or edge-light, whose entry brings the module";
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
      compiled ??= compile(source(), elsewhere);
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
      if (isBytes(module) && "WebAssembly" in globalThis && WebAssembly.validate?.(module) === false)
        refuse(name, "is no whole module: it is cut off, or was changed on its way");
      compiled = compile(module, elsewhere);
      given = name;
    },
  };
}

/** The module, compiled if bytes are given. */
function compile(module: WasmModule, elsewhere: string): object {
  try {
    // Not `instanceof`: a module or bytes of another realm are valid too.
    return isBytes(module) ? new WebAssembly.Module(module) : module;
  } catch (error) {
    throw notCompiled(error, "; cake-edge/page needs neither", elsewhere);
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

/**
 * The error if no WebAssembly is compiled. Its advice is for the place where it was thrown: pages (`inPage` ends that
 * sentence), workers of a browser, runtimes without WebAssembly, and `elsewhere`, which compile no bytes.
 */
export function notCompiled(cause: unknown, inPage: string, elsewhere: string): CakeError {
  const scope = globalThis;
  if ("document" in scope) {
    const rule = "the page's policy allows no WebAssembly (wasm-unsafe-eval), or the browser has none";
    return unavailable(rule + inPage, cause);
  }
  if (!("WebAssembly" in scope)) {
    return unavailable("this runtime has no WebAssembly: Node has it without --jitless", cause);
  }
  // All workers of browsers have it, and no other runtime that refuses bytes.
  if ("importScripts" in scope) {
    const where = "the policy that the worker's script is served with, or an extension's manifest has";
    return unavailable(`this worker's policy allows no WebAssembly: add 'wasm-unsafe-eval' to ${where}`, cause);
  }
  return unavailable(`this runtime compiles no WebAssembly from bytes: ${elsewhere}`, cause);
}

function unavailable(rule: string, cause?: unknown): CakeError {
  return new CakeError({ code: "wasm_unavailable", rule }, cause === undefined ? undefined : { cause });
}
