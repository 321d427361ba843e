/** Moves bytes from any kind of source into the core's buffer. */
import { abortedError, CakeError } from "../error.js";
import { refuse } from "../option.js";
import type { Core } from "./core.js";
import type { ReportSource, SourceOptions } from "./options.js";

/** The bytes of one read. */
const CHUNK = 262_144;

/** After this number of bytes, the reader yields to the event loop: an abort is noticed, a progress bar is drawn. */
const TURN = 8_388_608;

/** The longest path of a file system, in characters. */
const MAX_PATH = 4_096;

/** An open file. */
export interface OpenFile {
  /** The size in bytes; 0 if it is unknown. */
  readonly size: number;
  /** Reads into the view; returns the number of bytes, 0 at the end. */
  read(view: Uint8Array): number;
  close(): void;
}

/** Opens a path; only Node's entry sets this function. */
let openPath: ((path: string | URL) => OpenFile) | undefined;

export function usePaths(open: (path: string | URL) => OpenFile): void {
  openPath = open;
}

/** Yields to the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw abortedError({ cause: signal.reason });
  }
}

/** Feeds a core with one source after another. */
export class Feeder {
  readonly #core: Core;
  readonly #options: SourceOptions;
  #done = 0;
  #last = 0;
  /** Why the reading ends early, and how its present wait ends. */
  #error: CakeError | undefined;
  #endWait: ((error: unknown) => void) | undefined;

  constructor(core: Core, options: SourceOptions) {
    this.#core = core;
    this.#options = options;
  }

  /** Reads the whole source, until the signal aborts. */
  async run(source: ReportSource | string | URL): Promise<void> {
    const { signal } = this.#options;
    const abort = () => this.abort(abortedError({ cause: signal?.reason }));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    try {
      await this.#feed(source);
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Ends the reading, also where the source gives nothing more. */
  abort(error: CakeError): void {
    this.#error ??= error;
    this.#endWait?.(error);
  }

  #check(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  /** Waits for a source. (`Promise.race` would keep each of its parts until the reading ends.) */
  #wait<T>(start: () => T | PromiseLike<T>): Promise<Awaited<T>> {
    return new Promise((resolve, reject) => {
      this.#check();
      this.#endWait = reject;
      Promise.resolve(start()).then(resolve, reject);
    });
  }

  /** Lets go of a source. After an abort nobody waits for it, since it may never answer. */
  async #letGo(end: () => unknown): Promise<void> {
    const ended = new Promise((resolve) => resolve(end())).catch(() => {});
    if (this.#error === undefined) await this.#wait(() => ended).catch(() => {});
  }

  #announce(bytes: number): void {
    this.#check();
    this.#core.announce(bytes);
  }

  async #feed(source: ReportSource | string | URL): Promise<void> {
    if (typeof source === "string" || source instanceof URL) return this.#feedPath(source);
    if (source instanceof Uint8Array) {
      this.#announce(source.length);
      return this.#feedBytes(source);
    }
    if (typeof source === "object" && source !== null) {
      if (typeof Blob === "function" && source instanceof Blob) {
        this.#announce(source.size);
        return this.#feedStream(source.stream());
      }
      if ("getReader" in source) return this.#feedStream(source as ReadableStream<Uint8Array>);
      if (Symbol.asyncIterator in source || Symbol.iterator in source) {
        return this.#feedParts(source as AsyncIterable<ReportSource> | Iterable<ReportSource>);
      }
    }
    refuse("source", KINDS);
  }

  /** Tells the number of bytes once all are read. */
  finish(): void {
    if (this.#done > this.#last) this.#options.onProgress?.({ done: this.#done });
  }

  async #feedPath(path: string | URL): Promise<void> {
    if (openPath === undefined) refuse("source", "must be bytes: only in Node is a path read");
    this.#check();
    const file = asFile(path, () => openPath?.(path)) as OpenFile;
    try {
      this.#announce(file.size);
      for (;;) {
        // A report that is full is no file that cannot be read.
        const room = this.#core.room(CHUNK);
        const count = asFile(path, () => file.read(room));
        if (count === 0) return;
        this.#core.read(count);
        await this.#count(count);
      }
    } finally {
      file.close();
    }
  }

  async #feedBytes(bytes: Uint8Array): Promise<void> {
    // Also of another realm.
    if (bytes?.[Symbol.toStringTag] !== "Uint8Array") refuse("source", KINDS);
    for (let at = 0; at < bytes.length; at += CHUNK) {
      const part = bytes.subarray(at, at + CHUNK);
      this.#core.room(part.length).set(part);
      this.#core.read(part.length);
      await this.#count(part.length);
    }
  }

  async #feedParts(parts: AsyncIterable<ReportSource> | Iterable<ReportSource>): Promise<void> {
    const iterator = Symbol.asyncIterator in parts ? parts[Symbol.asyncIterator]() : parts[Symbol.iterator]();
    let isGiven = true;
    try {
      for (;;) {
        isGiven = false;
        const { done, value } = await this.#wait(() => iterator.next());
        isGiven = true;
        if (done) return;
        await this.#feed(refuseText(await this.#wait(() => value)));
      }
    } catch (error) {
      // As `for await` does: a source that has failed by itself has ended.
      if (isGiven || this.#error !== undefined) await this.#letGo(() => iterator.return?.());
      // The iterator of a Node stream returns only after its next part.
      if (this.#error !== undefined && "destroy" in parts) await this.#letGo(() => (parts as Destroyable).destroy());
      throw error;
    }
  }

  async #feedStream(stream: ReadableStream<Uint8Array>): Promise<void> {
    // One buffer for the whole source, where the stream can fill one: this takes a third of the memory.
    const reader = byteReader(stream);
    if (reader === undefined) {
      const plain = plainReader(stream);
      try {
        for (;;) {
          const { done, value } = await this.#wait(() => plain.read());
          if (done) return;
          await this.#feedBytes(refuseText(value));
        }
      } finally {
        await this.#letGo(() => plain.cancel(this.#error));
      }
    }
    let buffer = new ArrayBuffer(CHUNK);
    try {
      for (;;) {
        const { done, value } = await this.#wait(() => reader.read(new Uint8Array(buffer)));
        if (value !== undefined) {
          buffer = value.buffer as ArrayBuffer;
          if (value.length > 0) {
            this.#core.room(value.length).set(value);
            this.#core.read(value.length);
            await this.#count(value.length);
          }
        }
        if (done) return;
      }
    } finally {
      await this.#letGo(() => reader.cancel(this.#error));
    }
  }

  async #count(bytes: number): Promise<void> {
    this.#done += bytes;
    this.#check();
    if (this.#done - this.#last < TURN) return;
    this.#last = this.#done;
    this.#options.onProgress?.({ done: this.#done });
    await turn();
    this.#check();
  }
}

/** A text that is no path, but a file's content. */
const CONTENT = /[\r\n\t]|^\s*["[{]|[,;].*[,;]/;

/**
 * Opens or reads the file of a path. The error has the path; a content that was given for a path, with its customers'
 * data, is in none.
 */
function asFile<T>(path: string | URL, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    const name = `${path}`;
    const { code } = cause as { readonly code?: unknown };
    // Told by the file system or by the reading of an address.
    if (typeof code !== "string") throw cause;
    if (CONTENT.test(name) || name.length > MAX_PATH) {
      refuse("source", "is no path of a file: for a text pass its bytes, new TextEncoder().encode(text)");
    }
    const why = code === "ENOENT" ? "there is no such file" : code;
    const rule = `is a path that cannot be read: ${JSON.stringify(name)} (${why})`;
    throw new CakeError({ code: "unreadable_file", parameter: "source", rule }, { cause });
  }
}

function plainReader(stream: ReadableStream<Uint8Array>): ReadableStreamDefaultReader<Uint8Array> {
  try {
    return stream.getReader();
  } catch (cause) {
    const rule = "is a stream that something else reads";
    throw new CakeError({ code: "invalid_field", parameter: "source", rule }, { cause });
  }
}

interface Destroyable {
  destroy(): unknown;
}

const KINDS = "must be a Blob, a stream of bytes, bytes, or an iterable of these; in Node also a path";

/** A part of a source, which is neither text nor a path: only bytes keep every character. */
function refuseText<Part>(part: Part): Part {
  if (typeof part === "string") {
    refuse("source", "must give bytes, and gives text: leave out its encoding or its TextDecoderStream");
  }
  return part;
}

function byteReader(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return stream.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}
