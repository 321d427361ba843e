/** Moves bytes from any kind of source into the core's buffer. */
import { abortedError } from "../error.js";
import { refuse } from "../option.js";
import type { Core } from "./core.js";
import type { ReportSource, SourceOptions } from "./options.js";

/** The bytes of one read. */
const CHUNK = 262_144;

/** After this number of bytes, the reader yields to the event loop: an abort is noticed, a progress bar is drawn. */
const TURN = 8_388_608;

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

  constructor(core: Core, options: SourceOptions) {
    this.#core = core;
    this.#options = options;
  }

  /** Reads the whole source. */
  async feed(source: ReportSource | string | URL): Promise<void> {
    if (typeof source === "string" || source instanceof URL) return this.#feedPath(source);
    if (source instanceof Uint8Array) {
      this.#core.announce(source.length);
      return this.#feedBytes(source);
    }
    if (typeof source === "object" && source !== null) {
      if (typeof Blob === "function" && source instanceof Blob) {
        this.#core.announce(source.size);
        return this.#feedStream(source.stream());
      }
      if ("getReader" in source) return this.#feedStream(source as ReadableStream<Uint8Array>);
      if (Symbol.asyncIterator in source || Symbol.iterator in source) {
        for await (const part of source as AsyncIterable<ReportSource>) await this.feed(refuseText(part));
        return;
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
    const file = openPath(path);
    try {
      this.#core.announce(file.size);
      for (;;) {
        const count = file.read(this.#core.room(CHUNK));
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

  async #feedStream(stream: ReadableStream<Uint8Array>): Promise<void> {
    // One buffer for the whole source, where the stream can fill one: this takes a third of the memory.
    const reader = byteReader(stream);
    if (reader === undefined) {
      const plain = stream.getReader();
      try {
        for (;;) {
          const { done, value } = await plain.read();
          if (done) return;
          await this.#feedBytes(refuseText(value));
        }
      } finally {
        await plain.cancel().catch(() => {});
      }
    }
    let buffer = new ArrayBuffer(CHUNK);
    try {
      for (;;) {
        const { done, value } = await reader.read(new Uint8Array(buffer));
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
      await reader.cancel().catch(() => {});
    }
  }

  async #count(bytes: number): Promise<void> {
    this.#done += bytes;
    checkSignal(this.#options.signal);
    if (this.#done - this.#last < TURN) return;
    this.#last = this.#done;
    this.#options.onProgress?.({ done: this.#done });
    await turn();
    checkSignal(this.#options.signal);
  }
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
