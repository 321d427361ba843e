/**
 * The forwarder with the test's own clock. This test needs a file of its own: the fast clock would also drive the
 * waiting forwarders of other tests. One of them retries forever, every few minutes, because its CAKE refuses the key.
 */
import { expect, test, vi } from "vitest";
import { both, event, OPERATOR, SITE } from "./forwarder-in-process.ts";

test("attempts keep to the schedule, after which the event is dead, and a replay delivers", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], shouldAdvanceTime: true });
  try {
    const times: number[] = [];
    let isDown = true;
    const { page, click, operator, lines, sandbox } = both({
      clockSpeed: 1,
      fetch: async (request) => {
        times.push(Date.now());
        return isDown ? new Response("", { status: 503 }) : sandbox.fetch(request);
      },
    });
    const hurried = async <T>(promise: Promise<T>): Promise<T> => {
      await vi.advanceTimersByTimeAsync(50);
      return promise;
    };
    const { id } = (await (await hurried(page(event(await hurried(click())), ""))).json()) as { id: string };
    await vi.advanceTimersByTimeAsync(100 * 3_600_000);
    const waits = times.slice(1).map((time, index) => (time - (times[index] ?? 0)) / 1_000);
    const table = [5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    expect(waits).toHaveLength(table.length);
    waits.forEach((wait, index) => {
      // Jitter of a fifth to either side, and the second that an outage adds.
      expect(wait).toBeGreaterThanOrEqual(0.8 * (table[index] ?? 0));
      expect(wait).toBeLessThanOrEqual(1.2 * (table[index] ?? 0) + 1);
    });
    expect(lines.at(-1)).toMatchObject({ id, state: "dead", code: "http_status", attempt: 12 });
    isDown = false;
    const replayed = await hurried(operator("replay", { method: "POST", body: JSON.stringify({ id }) }));
    expect(await replayed.json()).toEqual({ replayed: 1 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines.at(-1)).toMatchObject({ id, state: "delivered", attempt: 1 });
    const again = await hurried(operator("replay", { method: "POST", body: JSON.stringify({ id }) }));
    expect(await again.json()).toEqual({ replayed: 0 });
  } finally {
    vi.useRealTimers();
  }
});

test.each([3_600_000, 10 * 365 * 86_400_000])("an event of a clock that was %i ms ahead is sent", async (ahead) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], shouldAdvanceTime: true });
  try {
    let isDown = true;
    const { page, click, lines, sandbox } = both({
      clockSpeed: 1,
      fetch: async (request) => (isDown ? new Response("", { status: 503 }) : sandbox.fetch(request)),
    });
    const hurried = async <T>(promise: Promise<T>): Promise<T> => {
      await vi.advanceTimersByTimeAsync(50);
      return promise;
    };
    const clickId = await hurried(click());
    const right = Date.now();
    vi.setSystemTime(right + ahead);
    const { id } = (await (await hurried(page(event(clickId), ""))).json()) as { id: string };
    expect(lines.at(-1)).toMatchObject({ id, state: "pending" });
    isDown = false;
    vi.setSystemTime(right);
    // A later event passes, and wakes the outbox.
    await hurried(page(event(await hurried(click())), ""));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines.findLast((line) => line.id === id)).toMatchObject({ state: "delivered" });
  } finally {
    vi.useRealTimers();
  }
});

test.each([-3_600_000, 3_600_000])("a clock that jumps by %i ms loses no event", async (jump) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], shouldAdvanceTime: true });
  try {
    const { page, click, lines, faults } = both({ clockSpeed: 1 });
    const hurried = async <T>(promise: Promise<T>): Promise<T> => {
      await vi.advanceTimersByTimeAsync(50);
      return promise;
    };
    const [first, second] = [await hurried(click()), await hurried(click())];
    await hurried(faults([{ script: ["rate_limit", "server_error"], retry_after_s: 30 }]));
    await hurried(page(event(first), ""));
    vi.setSystemTime(Date.now() + jump);
    await hurried(page(event(second), ""));
    await vi.advanceTimersByTimeAsync(2 * 3_600_000);
    expect(lines.filter(({ state }) => state === "delivered")).toHaveLength(2);
  } finally {
    vi.useRealTimers();
  }
});

test.each([60 * 86_400_000, 10 * 365 * 86_400_000])(
  "wrong secrets of a clock that was %i ms ahead lock nobody out, and its sessions end with it",
  async (ahead) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], shouldAdvanceTime: true });
    try {
      const { ask, operator } = both({ clockSpeed: 1 });
      const wrong = () => operator("counts", { headers: { authorization: `Bearer ${"x".repeat(40)}` } });
      const form = { headers: { origin: SITE, "content-type": "application/x-www-form-urlencoded" }, method: "POST" };
      const right = Date.now();
      vi.setSystemTime(right + ahead);
      const signedIn = await ask("operator/login", { ...form, body: `secret=${OPERATOR}` });
      const [cookie = ""] = (signedIn.headers.get("set-cookie") ?? "").split(";");
      const counts = async () => (await ask("operator/counts", { headers: { cookie } })).status;
      expect(await counts()).toBe(200);
      for (let index = 0; index < 11; index += 1) await wrong();
      expect((await operator("counts")).status).toBe(429);
      vi.setSystemTime(right);
      expect((await operator("counts")).status).toBe(200);
      expect(await counts()).toBe(401);
    } finally {
      vi.useRealTimers();
    }
  },
);

test("a session that was ended stays ended when a clock that was ahead is put right", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], shouldAdvanceTime: true });
  try {
    const { ask } = both({ clockSpeed: 1 });
    const headers = { origin: SITE, "content-type": "application/x-www-form-urlencoded" };
    const signIn = async () => {
      const answer = await ask("operator/login", { method: "POST", headers, body: `secret=${OPERATOR}` });
      return (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    };
    const end = (cookie: string) => ask("operator/logout", { method: "POST", headers: { cookie, origin: SITE } });
    const right = Date.now();
    const mine = await signIn();
    await end(mine);
    vi.setSystemTime(right + 86_400_000);
    await end(await signIn());
    vi.setSystemTime(right + 1_000);
    expect((await ask("operator/counts", { headers: { cookie: mine } })).status).toBe(401);
  } finally {
    vi.useRealTimers();
  }
});

test("no sale is dated by a clock that was not set yet, nor sent with such a date later", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], shouldAdvanceTime: true });
  try {
    const dates: (string | null)[] = [];
    let answer: (() => Response) | undefined = () => Response.json({ success: false, message: "Offer is closed" });
    const { page, click, operator, sandbox, lines } = both({
      clockSpeed: 1,
      timeZone: "America/New_York",
      fetch: async (request) => {
        const { pathname, searchParams } = new URL(request.url);
        if (pathname.endsWith("/conversion.json")) dates.push(searchParams.get("conversion_date"));
        return answer?.() ?? sandbox.fetch(request);
      },
    });
    const hurried = async <T>(promise: Promise<T>): Promise<T> => {
      await vi.advanceTimersByTimeAsync(50);
      return promise;
    };
    const right = Date.now();
    const mine = event(await hurried(click()));
    vi.setSystemTime(600_000);
    await hurried(page(mine, ""));
    expect(lines.at(-1)).toMatchObject({ state: "refused" });
    vi.setSystemTime(right);
    answer = undefined;
    expect(await (await hurried(page(mine, ""))).json()).toMatchObject({ duplicate: true });
    await hurried(operator("replay", { method: "POST", body: JSON.stringify({ state: "refused" }) }));
    expect(lines.at(-1)).toMatchObject({ state: "delivered" });
    expect(dates).toEqual([null, null]);
  } finally {
    vi.useRealTimers();
  }
});

test("what is counted by the hour is forgotten after a day", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], shouldAdvanceTime: true });
  try {
    const { page, click, operator } = both({ clockSpeed: 1 });
    const hours = async () => ((await (await operator("counts")).json()) as { hours: object[] }).hours;
    await page(event(await click()));
    expect(await hours()).toMatchObject([{ counts: { delivered: 1 } }]);
    vi.setSystemTime(Date.now() + 25 * 3_600_000);
    expect(await hours()).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});
