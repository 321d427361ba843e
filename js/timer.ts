/** Waits by a timer, and time that is measured without the clock, which somebody may put right meanwhile. */

/** The longest wait of a timer: platforms make 1 ms of a longer one. */
const LONGEST_MS = 2 ** 31 - 1;

/** Runs the work after a wait: 24 days at most, so it must look at the time itself. */
export function startTimer(run: () => void, ms: number): ReturnType<typeof setTimeout> {
  return setTimeout(run, Math.min(LONGEST_MS, Math.max(0, ms)));
}

/** Milliseconds since some moment, which no change of the clock moves. */
export function elapsed(): number {
  return performance.now();
}
