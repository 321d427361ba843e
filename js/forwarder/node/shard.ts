/** One shard in this process: an outbox, its database and its timer. */
import { statSync } from "node:fs";
import { Alarm } from "../../alarm.js";
import { startTimer } from "../../timer.js";
import { COPIED_BELOW } from "../delivery.js";
import { Gate } from "../gate.js";
import { findHeld, findIdParts, type IdParts, keepIdParts } from "../id-secret.js";
import type { Held, Sender } from "../key-settings.js";
import { type ForwarderOptions, resolveOptions } from "../options.js";
import { Outbox } from "../outbox.js";
import type { Shard } from "../shard.js";
import type { ShardLayout } from "../shard-map.js";
import { SqlStore } from "../sql-store.js";
import { type Folder, type FolderNote, NOTE } from "./folder.js";
import { createSender } from "./sender.js";
import { NodeDatabase } from "./sqlite.js";

/** The name under which a file notes its {@link placeOf}. */
const PLACE = "file";

/** The dependencies of a shard. */
export interface NodeShardDeps {
  readonly file: string;
  readonly options: ForwarderOptions;
  /** The names of the host's own options, which a shard does not use. */
  readonly moreNames: readonly string[];
  /** The number of this shard, and the numbers of shards. */
  readonly own: number;
  readonly layout: ShardLayout;
  /** What the file is to keep of the folder. */
  readonly note: Folder["note"];
  /** All shards by their numbers, this one too. */
  readonly shards: () => readonly Shard[];
  /** Called once, when a window could not be stored. */
  readonly onFailure: (thrown: unknown) => void;
}

/** A shard, its rows and its timer. */
export class NodeShard {
  readonly outbox: Outbox;
  /** The outbox as requests and other shards reach it. */
  readonly gate: Gate;
  readonly #database: NodeDatabase;
  readonly #store: SqlStore;
  readonly #account: string;
  readonly #now: () => number;
  readonly #retentionMs: number;
  readonly #timer: Timer;
  readonly #alarm: Alarm;

  constructor({ file, options, moreNames, own, layout, note, shards, onFailure }: NodeShardDeps) {
    // Each shard has options of its own, and with them its own circuit breaker towards CAKE.
    const resolved = resolveOptions(options, moreNames);
    const { clockSpeed } = resolved;
    this.#now = () => Math.floor(Date.now() * clockSpeed);
    this.#retentionMs = resolved.retentionMs;
    this.#database = new NodeDatabase(file, onFailure);
    try {
      const store = new SqlStore(this.#database, resolved.retentionMs);
      const place = placeOf(file);
      const isCopy = this.#database.isUnopened || store.getMeta(PLACE) !== place;
      const [newest] = isCopy ? store.list({ limit: 1 }) : [];
      // A full disk must fail here, before any event is sent.
      this.#database.transactionSync(() => {
        if (newest !== undefined) store.setMeta(COPIED_BELOW, String(newest.number + 1));
        store.setMeta(PLACE, place);
        store.setMeta("opened", new Date().toISOString());
        store.setMeta(NOTE, JSON.stringify({ own, ...note } satisfies FolderNote));
      });
      this.#store = store;
      this.#account = resolved.account;
      this.#timer = new Timer();
      this.#alarm = new Alarm({ waitUntil: settle, storage: this.#timer }, null);
      this.outbox = new Outbox({
        options: resolved,
        store,
        peers: () => shards().filter((_, number) => number !== own),
        turn: (work) => this.#database.turn(work),
        send: createSender(),
        host: {
          now: this.#now,
          keepAlive: settle,
          wakeAt: (atMs) => this.#alarm.wakeAt(atMs === null ? null : atMs / clockSpeed),
        },
      });
      const peer = (number: number) => {
        const found = shards()[number];
        if (found === undefined) throw new Error("the shard is not open");
        return found;
      };
      this.gate = new Gate({ outbox: this.outbox, layout, own, peer });
      this.#timer.onTime = () => this.wake();
    } catch (thrown) {
      this.#database.close();
      throw thrown;
    }
  }

  /** What the file has for the ids. */
  get idParts(): IdParts {
    return findIdParts(this.#store, this.#account);
  }

  /**
   * Ends the opening. Each file keeps the secret and the account of the ids, `others` where it has none: without them,
   * repetitions of the events in all other files would not be known. Returns what the file has.
   */
  opened(others: IdParts): IdParts {
    this.#database.transactionSync(() => keepIdParts(this.#store, this.#account, others));
    this.#database.opened();
    return this.idParts;
  }

  /** What senders beside each of these had before. */
  findHeld(senders: readonly Sender[]): readonly (readonly Held[])[] {
    return findHeld(this.#store, senders, this.#now(), this.#retentionMs);
  }

  /** Sends what is due. */
  wake(): void {
    settle(this.#alarm.fired(undefined, () => this.outbox.wake()));
  }

  /** Stops the timer and closes the database at once. */
  release(): void {
    void this.#timer.deleteAlarm();
    this.#database.close();
  }
}

/** What a copy of a file has not in common with it: its number in the file system, and when that was made. */
function placeOf(file: string): string {
  const { ino, birthtimeNs } = statSync(file, { bigint: true });
  return `${ino} ${birthtimeNs}`;
}

/** Ignores a failure: the event is still in its row, and is tried again. */
function settle(work: Promise<unknown>): void {
  work.catch(() => undefined);
}

/** One timer, in the role of a Durable Object's alarm. It does not keep the process alive. */
class Timer {
  onTime: () => void = () => undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  async setAlarm(atMs: number): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = startTimer(() => this.onTime(), Math.max(1, atMs - Date.now()));
    this.#timer.unref();
  }

  async deleteAlarm(): Promise<void> {
    clearTimeout(this.#timer);
  }
}
