// Requests that start close together share a deadline, which comes no later than any of theirs.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Deadlines } from "../../dist/forwarder/deadlines.js";

const TIMEOUT_MS = 10_000;
const SHARED_MS = 200;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("requests within a fiftieth of the timeout share one timer, later ones have another", () => {
  const deadlines = new Deadlines(TIMEOUT_MS);
  const first = deadlines.start();
  vi.advanceTimersByTime(SHARED_MS - 1);
  expect(deadlines.start()).toBe(first);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(1);
  expect(deadlines.start()).not.toBe(first);
  expect(vi.getTimerCount()).toBe(2);
});

test("a deadline is reached no later than the timeout of its first request, and not before the others' by more than that", () => {
  const deadlines = new Deadlines(TIMEOUT_MS);
  const deadline = deadlines.start();
  vi.advanceTimersByTime(SHARED_MS - 1);
  deadlines.start();
  vi.advanceTimersByTime(TIMEOUT_MS - SHARED_MS);
  expect(deadline.isReached).toBe(false);
  vi.advanceTimersByTime(1);
  expect(deadline.isReached).toBe(true);
});

test("the last request to end clears the timer, and the next one gets its whole time", () => {
  const deadlines = new Deadlines(TIMEOUT_MS);
  const [first, second] = [deadlines.start(), deadlines.start()];
  deadlines.end(first);
  expect(vi.getTimerCount()).toBe(1);
  deadlines.end(second);
  expect(vi.getTimerCount()).toBe(0);
  expect(deadlines.start()).not.toBe(first);
});

test("a clock that was put back or ahead starts another deadline", () => {
  const deadlines = new Deadlines(TIMEOUT_MS);
  const first = deadlines.start();
  vi.setSystemTime(Date.now() - 60_000);
  const second = deadlines.start();
  expect(second).not.toBe(first);
  vi.setSystemTime(Date.now() + 60_000);
  expect(deadlines.start()).not.toBe(second);
});

test("work that heeds no signal is left at the deadline; work that ends in time is not disturbed", async () => {
  const deadlines = new Deadlines(TIMEOUT_MS);
  const deadline = deadlines.start();
  await expect(deadline.race(Promise.resolve("in time"))).resolves.toBe("in time");
  await expect(deadline.race(Promise.reject(new Error("its own")))).rejects.toThrow("its own");
  const late = deadline.race(new Promise(() => undefined));
  const refused = expect(late).rejects.toThrow();
  vi.advanceTimersByTime(TIMEOUT_MS);
  await refused;
});
