/**
 * The core of a report. Each report has its own instance of the module, so that disposing of the report frees its
 * memory.
 */
import { notCompiled } from "../core.js";
import { CakeError, type CakeErrorCode } from "../error.js";
import { refuse } from "../option.js";

/** The exports of the module; see src/bindings/report.rs. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  place(bytes: number): number;
  answer(): number;
  answer_length(): number;
  room(bytes: number): number;
  read(bytes: number): number;
  run(command: number): number;
}

/** The commands of the core, by number. */
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
  announce: 14,
} as const;

// Some projects' types lack WebAssembly: outside this file, a module is an object.
let loading: Promise<object> | undefined;
let load: (() => Promise<object>) | undefined;

/** Sets the function that finds the module; each entry calls it once. */
export function useModule(find: () => Promise<object>): void {
  load = find;
}

/** The core of one report. */
export class Core {
  readonly #wasm: Exports;

  constructor(compiled: object) {
    const module = compiled as WebAssembly.Module;
    // The wasm-bindgen imports convert values that this module never passes.
    const nothing = new Proxy({}, { get: () => () => {} });
    const imports: Record<string, WebAssembly.ModuleImports> = {};
    for (const { module: from } of WebAssembly.Module.imports(module)) {
      imports[from] = nothing as WebAssembly.ModuleImports;
    }
    this.#wasm = new WebAssembly.Instance(module, imports).exports as unknown as Exports;
  }

  /** Starts the core of one report. */
  static async start(): Promise<Core> {
    if (load === undefined) throw new CakeError({ code: "internal", rule: "the module of the report is not known" });
    try {
      loading ??= load();
      return new Core(await loading);
    } catch (error) {
      loading = undefined;
      throw notCompiled(error, "", "let the bundler take the condition workerd, whose entry brings the module");
    }
  }

  /** Runs a command with `name=value` lines; returns its number. */
  run(command: number, lines: readonly string[] = []): number {
    const bytes = new TextEncoder().encode(lines.join("\n"));
    const at = this.#call(() => this.#wasm.place(bytes.length));
    new Uint8Array(this.#wasm.memory.buffer, at, bytes.length).set(bytes);
    const number = this.#call(() => this.#wasm.run(command));
    if (number < 0) this.#fail();
    return number;
  }

  /** Runs a command; returns the answer, parsed. */
  ask<T>(command: number, lines: readonly string[] = []): T {
    this.run(command, lines);
    return JSON.parse(this.#answer()) as T;
  }

  /** Announces the size of a file, so that the memory grows once for all its rows. */
  announce(bytes: number): void {
    this.run(Command.announce, [String(bytes)]);
  }

  /** A view of the file's buffer with that many bytes. The next call of the core invalidates the view. */
  room(bytes: number): Uint8Array {
    const at = this.#call(() => this.#wasm.room(bytes));
    if (at === 0) this.#fail();
    return new Uint8Array(this.#wasm.memory.buffer as ArrayBuffer, at >>> 0, bytes);
  }

  /** Reads the bytes that the caller has put into the buffer. */
  read(bytes: number): void {
    if (this.#call(() => this.#wasm.read(bytes)) < 0) this.#fail();
  }

  /** The memory of the core, in bytes. */
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

  /** A trap of the core is a bug in cake-edge. */
  #call<T>(run: () => T): T {
    try {
      return run();
    } catch (cause) {
      throw new CakeError({ code: "internal", rule: "a bug in cake-edge" }, { cause });
    }
  }
}

/** The memory that WebAssembly can address, less the part for other data than rows. */
export const MAX_MEMORY = 3_900_000_000;

/** `"1 GB"`, `"500 MB"`, or a number of bytes. */
export function bytesOf(memory: string | number): number {
  const [, count = "", unit = "B"] = /^(\d+(?:\.\d+)?)\s*(B|kB|MB|GB)?$/i.exec(String(memory).trim()) ?? [];
  const size = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9 }[unit.toLowerCase()];
  if (count === "" || size === undefined) refuse("memory", 'must be such as "500 MB" or "1 GB"');
  return Math.min(MAX_MEMORY, Math.floor(Number(count) * size));
}
