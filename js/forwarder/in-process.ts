/**
 * `cake-edge/forwarder/memory`: the same forwarder inside one process, with its rows in memory. It is for demos, a
 * page's service worker, and tests without a server.
 */
import type { Host } from "../host.js";
import { checkNoMore, checkRequest, functionOption, limitArguments, refuse } from "../option.js";
import { startTimer } from "../timer.js";
import { failure, Refusal } from "./answer.js";
import { Gate } from "./gate.js";
import { handle } from "./handler.js";
import { MemoryStore, type StoreSnapshot } from "./memory-store.js";
import { type ForwarderOptions, resolveOptions } from "./options.js";
import { Outbox } from "./outbox.js";
import { findRoute } from "./path.js";
import { createIds } from "./setup.js";
import { shardLayout } from "./shard-map.js";

export type { PostbackLine, WebhookLine } from "./incoming.js";
export type { StoreSnapshot } from "./memory-store.js";
export type { ForwarderOptions } from "./options.js";
export type { ConversionLine, ConversionState, LogLine, OperatorLine, Status } from "./shard.js";

/** The options of a forwarder in memory. */
export interface InProcessOptions extends ForwarderOptions {
  /** The snapshot of an earlier forwarder. @default nothing */
  readonly kept?: StoreSnapshot | undefined;
  /**
   * Stores the snapshot beyond the process, in IndexedDB for instance. An answer waits for it, so a 202 is a promise
   * here too; so does each request to CAKE. While it rejects, answers are 503, nothing is sent, and it is called again.
   * @default nothing survives
   */
  readonly keep?: ((snapshot: StoreSnapshot) => Promise<void>) | undefined;
}

/** The delay before a failed `keep` is tried again, in milliseconds. */
const KEEP_AGAIN_MS = 1_000;

/** A forwarder in memory. */
export interface InProcessForwarder {
  /** Answers a request, such as a POST to `https://any.example/cake/conversions`. */
  fetch(request: Request): Promise<Response>;
  /** Delivers every due event, and waits until no attempt is under way. */
  settle(): Promise<void>;
}

/**
 * Makes a forwarder in this process.
 *
 * @throws CakeError `missing_api_key`, `weak_secret`, `placeholder_text`,
 * `invalid_base_url`, `invalid_domain`, `invalid_field`
 * @example
 * const forwarder = createForwarderInProcess({
 *   baseUrl: "http://127.0.0.1", apiKey: "sandbox-key", fetch: sandbox.fetch,
 *   operatorSecret: crypto.randomUUID(),
 * });
 */
export function createForwarderInProcess(options: InProcessOptions): InProcessForwarder;
export function createForwarderInProcess(options: InProcessOptions, ...more: unknown[]): InProcessForwarder {
  checkNoMore("createForwarderInProcess", 1, more);
  const resolved = resolveOptions(options, ["kept", "keep"]);
  const keep = functionOption("keep", options.keep);
  const { kept } = options;
  if (kept !== undefined && !Array.isArray(kept?.rows)) refuse("kept", "must be a snapshot that `keep` received");
  const store = new MemoryStore(kept);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let keepTimer: ReturnType<typeof setTimeout> | undefined;
  const now = () => Math.floor(Date.now() * resolved.clockSpeed);
  const host: Host = {
    now,
    keepAlive: (work) => void work.then(saveLater, saveLater),
    wakeAt(atMs) {
      if (timer !== undefined) clearTimeout(timer);
      if (atMs === null) return;
      timer = startTimer(() => void outbox.wake(), Math.max(1, Math.ceil((atMs - now()) / resolved.clockSpeed)));
      // A waiting event does not keep the process alive.
      (timer as { unref?: () => void }).unref?.();
    },
    ...(keep === undefined ? {} : { persist: save }),
  };
  const outbox = new Outbox({ options: resolved, store, host });
  /** The store's changes that are kept. */
  let keptChanges = 0;
  let keeping: Promise<void> | undefined;
  let keepingNext: Promise<void> | undefined;
  /** Saves run one after another: of two at once, the older snapshot might be written last. */
  function save(): Promise<void> {
    if (keeping !== undefined) {
      keepingNext ??= keeping.then(saveNext, saveNext);
      return keepingNext;
    }
    const isKept = keepNow();
    keeping = isKept;
    const end = () => {
      keeping = undefined;
    };
    isKept.then(end, end);
    return isKept;
  }
  function saveNext(): Promise<void> {
    keepingNext = undefined;
    return save();
  }
  async function keepNow(): Promise<void> {
    const { changes } = store;
    if (changes === keptChanges) return;
    await keep?.(store.snapshot());
    keptChanges = changes;
  }
  /** After a failed save, saves everything again soon. */
  function saveLater(): void {
    save().catch(() => {
      if (keepTimer !== undefined) return;
      keepTimer = setTimeout(() => {
        keepTimer = undefined;
        saveLater();
      }, KEEP_AGAIN_MS);
      (keepTimer as { unref?: () => void }).unref?.();
    });
  }
  // Events of an earlier forwarder are sent without waiting for a request.
  host.wakeAt(store.nextDue(host.now()));
  const layout = shardLayout({ shards: 1 });
  const shards: Gate[] = [new Gate({ outbox, layout, own: undefined, peer: () => shards[0] as Gate })];
  const setup = { options: resolved, shards, layout, ids: createIds(shards, resolved) };
  const forwarder: InProcessForwarder = {
    // A runtime adds its environment behind the request.
    async fetch(request) {
      checkRequest(request);
      const answer = await handle(request, () => setup);
      // A network's postback is a GET, and its answer is a promise too.
      const route = findRoute(request.method, new URL(request.url).pathname)?.name;
      if (request.method !== "POST" && route !== "postback") return answer;
      try {
        await save();
        return answer;
      } catch {
        saveLater();
        // An answer promises nothing that is not stored.
        return failure(
          new Refusal("outbox_unavailable", "the outbox cannot be stored: try again", { "retry-after": "1" }),
        );
      }
    },
    async settle() {
      await outbox.settle();
    },
  };
  return limitArguments(forwarder, { settle: 0 }, "async");
}
