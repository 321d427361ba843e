/** Sends due postbacks; the core decides the schedule and the retries. */
import type { SandboxNetwork } from "../wasm/sandbox.js";
import type { SandboxHost } from "./host.js";
import type { FiredPostback } from "./rows.js";
import type { Store, Write } from "./store.js";

/** Workers may hold six connections at once; one stays free for other requests. */
const AT_ONCE = 5;

/** The timeout of an affiliate's answer. */
const PATIENCE_MS = 10_000;

/** The dependencies of a sender. */
export interface PostbackSenderDeps {
  readonly rules: () => SandboxNetwork;
  readonly store: Store;
  readonly host: SandboxHost;
  /** The network's time. */
  readonly now: () => number;
  /** The milliseconds until the network's clock reaches a time; null where the clock is frozen. */
  readonly wait: (atMs: number) => number | null;
  /** Runs a job in the next commit. */
  readonly commit: (job: () => void) => Promise<void>;
  readonly apply: (writes: readonly Write[]) => void;
}

/** The postbacks that are being sent. */
export class PostbackSender {
  readonly #deps: PostbackSenderDeps;
  readonly #sending = new Map<number, Promise<void>>();

  constructor(deps: PostbackSenderDeps) {
    this.#deps = deps;
  }

  /** Sends due postbacks up to the limit of connections; the rest follows automatically. */
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

  /** Sends due postbacks, and waits until none is being sent. */
  async settle(): Promise<void> {
    this.send();
    while (this.#sending.size > 0) await Promise.all(this.#sending.values());
  }

  async #sendOne(row: FiredPostback): Promise<void> {
    const { rules, store, host, now, commit, apply } = this.#deps;
    const status = await host
      .send(row.url, {
        // A redirect could lead off the allow-list: it counts as an answer and is not followed.
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
      // A reset in the meantime has removed the conversion, and this row.
      if (store.findConversion(row.conversion_id) === null) return;
      const after = JSON.parse(rules().attempted(JSON.stringify(row), status, now())) as FiredPostback;
      apply([{ write: "fired", row: after }]);
    });
  }

  #schedule(): void {
    const next = this.#deps.store.nextDue();
    const wait = next === null ? null : this.#deps.wait(next);
    if (wait === null) this.#deps.host.wakeAt(null);
    // A row that is already due is being sent, or waits for a free connection; the alarm is its safety net.
    else this.#deps.host.wakeAt(Math.ceil(this.#deps.host.now() + (wait > 0 ? wait : 2 * PATIENCE_MS)));
  }
}
