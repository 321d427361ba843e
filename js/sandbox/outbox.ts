/** Sends the postbacks that are due; when, and when again, is the rules' affair. */
import type { SandboxNetwork } from "../wasm/sandbox.js";
import type { Ledger, Write } from "./ledger.js";
import type { FiredPostback } from "./rows.js";
import type { Surroundings } from "./surroundings.js";

/** Workers may hold six connections at once; one is left for others. */
const AT_ONCE = 5;

/** How long an affiliate has for its answer. */
const PATIENCE_MS = 10_000;

/** What an outbox works with. */
export interface OutboxParts {
  readonly rules: () => SandboxNetwork;
  readonly ledger: Ledger;
  readonly surroundings: Surroundings;
  /** The network's time. */
  readonly now: () => number;
  /** In how many milliseconds the network's clock will show a time; null where it stands still. */
  readonly wait: (atMs: number) => number | null;
  /** Does a job in the next turn. */
  readonly turn: (job: () => void) => Promise<void>;
  readonly store: (writes: readonly Write[]) => void;
}

/** The postbacks on their way. */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #sending = new Map<number, Promise<void>>();

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** Sends what is due now, as far as there is room; the rest follows by itself. */
  send(): void {
    const { ledger, surroundings, now } = this.#parts;
    const room = AT_ONCE - this.#sending.size;
    if (room <= 0) return;
    const due = ledger.due(now(), AT_ONCE + room).filter(({ fired_id }) => !this.#sending.has(fired_id));
    for (const row of due.slice(0, room)) {
      const work = this.#sendOne(row).finally(() => {
        this.#sending.delete(row.fired_id);
        this.send();
      });
      this.#sending.set(row.fired_id, work);
      surroundings.keepAlive(work);
    }
    this.#schedule();
  }

  /** Sends what is due, and waits until nothing is under way. */
  async settle(): Promise<void> {
    this.send();
    while (this.#sending.size > 0) await Promise.all(this.#sending.values());
  }

  async #sendOne(row: FiredPostback): Promise<void> {
    const { rules, ledger, surroundings, now, turn, store } = this.#parts;
    const status = await surroundings
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
    await turn(() => {
      // A reset meanwhile has taken the conversion away, and the row with it.
      if (ledger.findConversion(row.conversion_id) === null) return;
      const after = JSON.parse(rules().attempted(JSON.stringify(row), status, now())) as FiredPostback;
      store([{ write: "fired", row: after }]);
    });
  }

  #schedule(): void {
    const next = this.#parts.ledger.nextDue();
    const wait = next === null ? null : this.#parts.wait(next);
    if (wait === null) this.#parts.surroundings.wakeAt(null);
    // What is due already is under way, or waits for room; the alarm is its safety net.
    else
      this.#parts.surroundings.wakeAt(Math.ceil(this.#parts.surroundings.now() + (wait > 0 ? wait : 2 * PATIENCE_MS)));
  }
}
