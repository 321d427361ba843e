/** Waits that no platform's timer can take. */
import { afterEach, expect, test, vi } from "vitest";
import { createSandbox } from "../../dist/entry/sandbox-memory.inline.js";
import { startTimer } from "../../dist/timer.js";

afterEach(() => void vi.useRealTimers());

test.each([
  [5, 5],
  [2 ** 31, 2 ** 31 - 1],
  [60 * 86_400_000, 2 ** 31 - 1],
  [Number.POSITIVE_INFINITY, 2 ** 31 - 1],
])("a wait of %d ms is one of %d", (asked, armed) => {
  vi.useFakeTimers();
  let runs = 0;
  startTimer(() => {
    runs += 1;
  }, asked);
  vi.advanceTimersByTime(armed - 1);
  expect(runs).toBe(0);
  vi.advanceTimersByTime(1);
  expect(runs).toBe(1);
});

test("a sandbox whose clock was ahead sleeps until its postbacks are due", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], shouldAdvanceTime: true });
  const { fetch } = createSandbox();
  const ask = async (path: string) => fetch(new Request(`http://127.0.0.1${path}`));
  const reqid = new URL((await ask("/?a=67890&c=12")).headers.get("location") ?? "").searchParams.get("reqid");
  const right = Date.now();
  vi.setSystemTime(right + 60 * 86_400_000);
  await ask(`/api/2/conversion.json?api_key=sandbox-key&click_id=${reqid}&offer_id=12345&unique_id=A1`);
  vi.setSystemTime(right);
  await vi.advanceTimersByTimeAsync(10_000);
  const armed = vi.spyOn(globalThis, "setTimeout");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(armed.mock.calls.length).toBeLessThan(5);
});
