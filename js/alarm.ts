/**
 * The one alarm of a Durable Object, or the one timer of a process, and the alarm's traps (all measured):
 *
 * - An alarm for the same millisecond that is firing is lost for good, and so is a fractional one. So times are whole,
 *   and later than the one that fires.
 * - An alarm handler that throws is repeated six times, then dropped. So a lease is set first, and the handler never
 *   throws.
 * - Each alarm is a billed write. So an alarm that comes sooner is left: it sets the next one.
 */

import { LEASE_MS } from "./host.js";

/** The part of a Durable Object that an alarm needs. */
export interface AlarmState {
  waitUntil(work: Promise<unknown>): void;
  readonly storage: {
    setAlarm(atMs: number): Promise<void>;
    deleteAlarm(): Promise<void>;
  };
}

/** The alarm of one Durable Object, or the timer of one process. Times are in milliseconds since 1970. */
export class Alarm {
  readonly #ctx: AlarmState;
  /** The time it is set for; `undefined` if an earlier object may have set it. */
  #armed: number | null | undefined;
  /** The time of the alarm that is firing, or fired last. */
  #firing = 0;

  /** `armed` is the result of `getAlarm`; without it, the time is not known. */
  constructor(ctx: AlarmState, armed?: number | null) {
    this.#ctx = ctx;
    this.#armed = armed;
  }

  /** Sets the alarm, unless it is set for sooner; null removes it. */
  wakeAt(atMs: number | null): void {
    if (atMs === null) {
      if (this.#armed === null) return;
      this.#armed = null;
      this.#ctx.waitUntil(this.#ctx.storage.deleteAlarm());
      return;
    }
    const now = Date.now();
    const at = Math.max(Math.ceil(atMs), now, this.#firing) + 1;
    const armed = this.#armed ?? 0;
    if (armed > now && armed <= at) return;
    this.#armed = at;
    this.#ctx.waitUntil(this.#ctx.storage.setAlarm(at));
  }

  /** Does the alarm's work. If `work` throws, the lease repeats it. */
  async fired(info: { readonly scheduledTime: number } | undefined, work: () => Promise<void>): Promise<void> {
    this.#firing = info?.scheduledTime ?? 0;
    this.#armed = Math.max(Date.now(), this.#firing) + LEASE_MS;
    await this.#ctx.storage.setAlarm(this.#armed);
    try {
      await work();
    } catch {
      // The lease wakes the object again.
    }
  }
}
