/** The live event stream: sends changes to the viewers, a few times a second. */

import type { ClickRow, FiredPostback, Totals } from "./rows.js";
import type { Store, Write } from "./store.js";

/** The interval between events. */
const EVERY_MS = 300;

/** The maximum number of clicks in one event; the totals count all of them. */
const MAX_CLICKS = 100;

/** The interval of a comment line, which reveals a disconnected viewer. */
const HEARTBEAT_MS = 15_000;

/** The viewers, and the changes that they have not received yet. */
export class EventStream {
  readonly #store: Store;
  readonly #totals: () => Totals;
  readonly #viewers = new Set<WritableStreamDefaultWriter<Uint8Array>>();
  #clicks: ClickRow[] = [];
  #conversions = new Set<number>();
  #postbacks = new Map<number, FiredPostback>();
  #isDue = false;
  #heartbeat: ReturnType<typeof setInterval> | undefined;

  constructor(store: Store, totals: () => Totals) {
    this.#store = store;
    this.#totals = totals;
  }

  /** The event stream of one more viewer. */
  open(): Response {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    this.#viewers.add(writer);
    writer.closed.catch(() => undefined).finally(() => this.#leave(writer));
    this.#heartbeat ??= setInterval(() => this.#say(": still here\n\n"), HEARTBEAT_MS);
    this.#sayTo(writer, ": welcome\n\n");
    return new Response(readable, {
      headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" },
    });
  }

  /** Records the rows that were stored. */
  note(writes: readonly Write[]): void {
    if (this.#viewers.size === 0 || writes.length === 0) return;
    for (const { write, row } of writes) {
      if (write === "click" && this.#clicks.length < MAX_CLICKS) this.#clicks.push(row);
      if (write === "conversion" || write === "changed") this.#conversions.add(row.conversion_id);
      if (write === "fired") this.#postbacks.set(row.fired_id, row);
    }
    this.#soon();
  }

  /** Tells the viewers to reload everything. */
  startOver(): void {
    this.#forget();
    this.#say("event: reload\ndata: {}\n\n");
  }

  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      const conversions = [...this.#conversions]
        .map((id) => this.#store.findConversion(id))
        .filter((row) => row !== null);
      const event = {
        clicks: this.#clicks,
        conversions,
        postbacks: [...this.#postbacks.values()],
        totals: this.#totals(),
      };
      this.#forget();
      this.#say(`data: ${JSON.stringify(event)}\n\n`);
    }, EVERY_MS);
  }

  #forget(): void {
    this.#clicks = [];
    this.#conversions = new Set();
    this.#postbacks = new Map();
  }

  #say(text: string): void {
    for (const viewer of this.#viewers) this.#sayTo(viewer, text);
  }

  #sayTo(viewer: WritableStreamDefaultWriter<Uint8Array>, text: string): void {
    viewer.write(new TextEncoder().encode(text)).catch(() => this.#leave(viewer));
  }

  #leave(viewer: WritableStreamDefaultWriter<Uint8Array>): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size > 0) return;
    if (this.#heartbeat !== undefined) clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
  }
}
