/** Sends the postbacks that are due; when, and when again, is the rules' affair. */
import type { SandboxNetwork } from "../wasm/sandbox.js";
import type { SandboxHost } from "./host.js";
import type { FiredPostback } from "./rows.js";
import type { Store, Write } from "./store.js";

/** Workers may hold six connections at once; one is left for others. */
const AT_ONCE = 5;

/** How long an affiliate has for its answer. */
const PATIENCE_MS = 10_000;

/** What a sender works with. */
export interface PostbackSenderDeps {
  readonly rules: () => SandboxNetwork;
  readonly store: Store;
  readonly host: SandboxHost;
  /** The network's time. */
  readonly now: () => number;
  /** In how many milliseconds the network's clock will show a time; null where it stands still. */
  readonly wait: (atMs: number) => number | null;
  /** Does a job in the next commit. */
  readonly commit: (job: () => void) => Promise<void>;
  readonly apply: (writes: readonly Write[]) => void;
}

/** The postbacks on their way. */
export class PostbackSender {
  readonly #deps: PostbackSenderDeps;
  readonly #sending = new Map<number, Promise<void>>();

  constructor(deps: PostbackSenderDeps) {
    this.#deps = deps;
  }

  /** Sends what is due now, as far as there is room; the rest follows by itself. */
  send(): void {
    const { store, host, now } = this.#deps;
    const room = AT_ONCE - this.#sending.size;
    if (room <= 0) return;
    const due = store.due(now(), AT_ONCE + room).filter(({ fired_id }) => !this.#sending.has(fired_id));
    for (const row of due.slice(0, room)) {
      const work = this.#sendOne(row).finally(() => {
        this.#sending.delete(row.fired_id);
        this.send();
      });
      this.#sending.set(row.fired_id, work);
      host.keepAlive(work);
    }
    this.#schedule();
  }

  /** Sends what is due, and waits until nothing is under way. */
  async settle(): Promise<void> {
    this.send();
    while (this.#sending.size > 0) await Promise.all(this.#sending.values());
  }

  async #sendOne(row: FiredPostback): Promise<void> {
    const { rules, store, host, now, commit, apply } = this.#deps;
    const status = await host
      .send(row.url, {
        // A redirect could lead off the allow-list: it is an answer like any other.
        redirect: "manual",
        headers: { "user-agent": "cake-edge-sandbox" },
        signal: AbortSignal.timeout(PATIENCE_MS),
      })
      .then(
        async (response) => {
          await response.body?.cancel();
          return response.status;
        },
        () => 0,
      )
      .catch(() => 0);
    await commit(() => {
      // A reset meanwhile has taken the conversion away, and the row with it.
      if (store.findConversion(row.conversion_id) === null) return;
      const after = JSON.parse(rules().attempted(JSON.stringify(row), status, now())) as FiredPostback;
      apply([{ write: "fired", row: after }]);
    });
  }

  #schedule(): void {
    const next = this.#deps.store.nextDue();
    const wait = next === null ? null : this.#deps.wait(next);
    if (wait === null) this.#deps.host.wakeAt(null);
    // What is due already is under way, or waits for room; the alarm is its safety net.
    else this.#deps.host.wakeAt(Math.ceil(this.#deps.host.now() + (wait > 0 ? wait : 2 * PATIENCE_MS)));
  }
}
