/** Callers that wait for the outcome of their events. */

/** The waiting callers by event. */
export class Waiters {
  readonly #byEvent = new Map<string, Set<() => void>>();

  /** Waits until all of the events are finished, for at most `ms` milliseconds. */
  wait(ids: readonly string[], ms: number): Promise<void> {
    const left = new Set(ids);
    if (left.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const own = new Map<string, () => void>();
      const end = () => {
        clearTimeout(timer);
        for (const [id, notify] of own) {
          const waiting = this.#byEvent.get(id);
          waiting?.delete(notify);
          if (waiting?.size === 0) this.#byEvent.delete(id);
        }
        resolve();
      };
      const timer = setTimeout(end, ms);
      for (const id of left) {
        const notify = () => {
          left.delete(id);
          if (left.size === 0) end();
        };
        own.set(id, notify);
        const waiting = this.#byEvent.get(id);
        if (waiting) waiting.add(notify);
        else this.#byEvent.set(id, new Set([notify]));
      }
    });
  }

  /** Does a caller wait for the event? */
  has(id: string): boolean {
    return this.#byEvent.has(id);
  }

  /** Notes that an event is finished: callers that wait for no other event continue. */
  finish(id: string): void {
    for (const notify of [...(this.#byEvent.get(id) ?? [])]) notify();
    this.#byEvent.delete(id);
  }
}
