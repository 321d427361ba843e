/** One shard in this process: an outbox on a database of its own, woken by a timer. */
import { Alarm } from "../../alarm.js";
import { type ForwarderOptions, resolveOptions } from "../options.js";
import { Outbox } from "../outbox.js";
import type { Shard } from "../shard.js";
import { SqlStore } from "../sql-store.js";
import { NodeDatabase } from "./sqlite.js";

/** The longest that a timer of JavaScript's waits; a longer one would go off at once. */
const MAX_WAIT_MS = 2 ** 31 - 1;

/** What a shard works with. */
export interface NodeShardDeps {
  readonly file: string;
  readonly options: ForwarderOptions;
  /** The options that a shard has no use for. */
  readonly moreNames: readonly string[];
  /** The other shards. */
  readonly peers: () => readonly Shard[];
  /** Is told once that a window could not be stored. */
  readonly onFailure: (thrown: unknown) => void;
}

/** A shard, its rows and its timer. */
export class NodeShard {
  readonly outbox: Outbox;
  readonly #database: NodeDatabase;
  readonly #timer: Timer;
  readonly #alarm: Alarm;

  constructor({ file, options, moreNames, peers, onFailure }: NodeShardDeps) {
    // Each its own: what one shard learns of CAKE by its own requests opens and closes its own connections.
    const resolved = resolveOptions(options, moreNames);
    const { clockSpeed } = resolved;
    this.#database = new NodeDatabase(file, onFailure);
    try {
      const store = new SqlStore(this.#database, resolved.retentionMs);
      // A disk that stores nothing must say so before anything is sent, not after it.
      this.#database.turn(() => store.setMeta("opened", new Date().toISOString()));
      this.#timer = new Timer();
      this.#alarm = new Alarm({ waitUntil: settle, storage: this.#timer }, null);
      this.outbox = new Outbox({
        options: resolved,
        store,
        peers,
        turn: (work) => this.#database.turn(work),
        host: {
          now: () => Math.floor(Date.now() * clockSpeed),
          keepAlive: settle,
          wakeAt: (atMs) => this.#alarm.wakeAt(atMs === null ? null : atMs / clockSpeed),
        },
      });
      this.#timer.onTime = () => this.wake();
    } catch (thrown) {
      this.#database.close();
      throw thrown;
    }
  }

  /** Sends what is due. */
  wake(): void {
    settle(this.#alarm.fired(undefined, () => this.outbox.wake()));
  }

  /** Ends the timer and the database. What is under way is not waited for. */
  release(): void {
    void this.#timer.deleteAlarm();
    this.#database.close();
  }
}

/** What fails is in the rows still, and tried again. */
function settle(work: Promise<unknown>): void {
  work.catch(() => undefined);
}

/** One timer in the place of a Durable Object's alarm. It keeps no process alive. */
class Timer {
  onTime: () => void = () => undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  async setAlarm(atMs: number): Promise<void> {
    clearTimeout(this.#timer);
    const waitMs = Math.min(MAX_WAIT_MS, Math.max(1, atMs - Date.now()));
    this.#timer = setTimeout(() => this.onTime(), waitMs);
    this.#timer.unref();
  }

  async deleteAlarm(): Promise<void> {
    clearTimeout(this.#timer);
  }
}
