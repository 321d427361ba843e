/** The state changes of a shard's events: counts and logs each, and stores whether CAKE refuses the key. */
import type { Host } from "../host.js";
import type { Corrections } from "./corrections.js";
import { Counts } from "./counts.js";
import type { ResolvedOptions } from "./options.js";
import type { ConversionLine, ConversionState } from "./shard.js";
import type { OutboxStore, Row, StoredState } from "./store.js";

/** The dependencies of a state log. */
export interface StateLogDeps {
  readonly options: ResolvedOptions;
  readonly store: OutboxStore;
  readonly host: Host;
  readonly corrections: Corrections;
}

const HOUR_MS = 3_600_000;

const PAUSED = "paused";

/** The state log of one shard. */
export class StateLog {
  readonly counts: Counts;
  /** Was a key or an address refused that is another one now? */
  readonly isAccessNew: boolean;
  readonly #deps: StateLogDeps;
  #isPaused: boolean;

  constructor(deps: StateLogDeps) {
    this.#deps = deps;
    this.counts = new Counts(deps.store);
    const [code = "", access] = deps.store.getMeta(PAUSED)?.split(" ") ?? [];
    this.#isPaused = code !== "";
    this.isAccessNew = this.#isPaused && access !== deps.options.access;
    if (this.isAccessNew) this.#notePause(code);
  }

  /** Does CAKE refuse the key? */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Stores whether CAKE refuses the key, and by which error's code. */
  setPaused(isPaused: boolean, code: string): void {
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#notePause(code);
    else this.#deps.store.setMeta(PAUSED, null);
  }

  #notePause(code: string): void {
    this.#deps.store.setMeta(PAUSED, `${code} ${this.#deps.options.access}`);
  }

  settle(before: Row, after: Row): void {
    this.#deps.store.settle([after]);
    this.move(before, after.state);
  }

  /** Counts the move of an event to another state. */
  move({ state: from, kind }: Row, to: StoredState): void {
    if (from === to) return;
    this.counts.add(from, -1);
    this.counts.add(to, 1);
    if (kind === "correction") this.#deps.corrections.moved(from, to);
  }

  /** Adds one to a word's count in this hour. */
  tally(word: string): void {
    this.counts.addInHour(this.hour(this.#deps.host.now()), word);
  }

  /** The hour of real time since 1970. */
  hour(now: number): number {
    return Math.floor(now / this.#deps.options.clockSpeed / HOUR_MS);
  }

  log(
    { id, kind, upstream_message }: Pick<Row, "id" | "kind" | "upstream_message">,
    state: ConversionState,
    code: string,
    attempt: number,
    isAlert: boolean,
    isInDoubt: boolean,
  ): void {
    const line: ConversionLine = { event: kind, id, state, code, attempt };
    this.#deps.options.log({
      ...line,
      ...(isInDoubt ? { isInDoubt: true } : {}),
      ...(isAlert ? { alert: true } : {}),
      // The platform's words, not CAKE's.
      ...(isAlert && code === "network" && upstream_message !== "" ? { cause: upstream_message } : {}),
    });
  }
}
