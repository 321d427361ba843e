/** The core of a report: one instance of the module each, so that disposing of it frees its memory. */
import { notCompiled } from "../core.js";
import { CakeError, type CakeErrorCode } from "../error.js";

/** What the module exports; see src/bindings/report.rs. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  place(bytes: number): number;
  answer(): number;
  answer_length(): number;
  room(bytes: number): number;
  read(bytes: number): number;
  run(command: number): number;
}

/** What the core can be told, by number. */
export const Command = {
  open: 0,
  begin: 1,
  end: 2,
  cancel: 3,
  step: 4,
  stop: 5,
  understood: 6,
  result: 7,
  byPair: 8,
  rows: 9,
  corrections: 10,
  values: 11,
  breakDown: 12,
  attribute: 13,
} as const;

// Not every project's types know WebAssembly: outside of this file a module is an object.
let loading: Promise<object> | undefined;
let load: (() => Promise<object>) | undefined;

/** Says how the module is found; each entry does it once. */
export function useModule(find: () => Promise<object>): void {
  load = find;
}

/** The core of one report. */
export class Core {
  readonly #wasm: Exports;

  constructor(compiled: object) {
    const module = compiled as WebAssembly.Module;
    // What wasm-bindgen imports is for values that never cross here.
    const nothing = new Proxy({}, { get: () => () => {} });
    const imports: Record<string, WebAssembly.ModuleImports> = {};
    for (const { module: from } of WebAssembly.Module.imports(module)) {
      imports[from] = nothing as WebAssembly.ModuleImports;
    }
    this.#wasm = new WebAssembly.Instance(module, imports).exports as unknown as Exports;
  }

  /** Starts one. */
  static async start(): Promise<Core> {
    if (load === undefined) throw new CakeError({ code: "internal", rule: "the module of the report is not known" });
    try {
      loading ??= load();
      return new Core(await loading);
    } catch (error) {
      loading = undefined;
      throw notCompiled(error, "", "");
    }
  }

  /** Tells the core something, by `name=value` lines; returns its number. */
  run(command: number, lines: readonly string[] = []): number {
    const bytes = new TextEncoder().encode(lines.join("\n"));
    const at = this.#call(() => this.#wasm.place(bytes.length));
    new Uint8Array(this.#wasm.memory.buffer, at, bytes.length).set(bytes);
    const number = this.#call(() => this.#wasm.run(command));
    if (number < 0) this.#fail();
    return number;
  }

  /** Asks the core something; what it answers. */
  ask<T>(command: number, lines: readonly string[] = []): T {
    this.run(command, lines);
    return JSON.parse(this.#answer()) as T;
  }

  /** A view of the file's buffer with so much room. It is lost when the core is called the next time. */
  room(bytes: number): Uint8Array {
    const at = this.#call(() => this.#wasm.room(bytes));
    if (at === 0) this.#fail();
    return new Uint8Array(this.#wasm.memory.buffer as ArrayBuffer, at >>> 0, bytes);
  }

  /** Takes what was put there. */
  read(bytes: number): void {
    if (this.#call(() => this.#wasm.read(bytes)) < 0) this.#fail();
  }

  /** How much memory it takes, in bytes. */
  get bytes(): number {
    return this.#wasm.memory.buffer.byteLength;
  }

  #answer(): string {
    const { memory, answer, answer_length } = this.#wasm;
    return new TextDecoder().decode(new Uint8Array(memory.buffer, answer() >>> 0, answer_length() >>> 0));
  }

  #fail(): never {
    const parts = JSON.parse(this.#answer()) as { code: CakeErrorCode; rule: string; parameter?: string };
    throw new CakeError(parts);
  }

  /** A trap of the core is a bug of ours. */
  #call<T>(run: () => T): T {
    try {
      return run();
    } catch (cause) {
      throw new CakeError({ code: "internal", rule: "a bug in cake-edge" }, { cause });
    }
  }
}
