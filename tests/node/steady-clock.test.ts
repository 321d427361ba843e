/** What a forwarder remembers is not forgotten by a clock that is far ahead for a moment, or was not set. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openForwarder } from "../../dist/entry/forwarder-node.node.js";
import { noteSenders } from "../../dist/forwarder/key-settings.js";
import { CLOCK, forgetsFrom, SteadyClock } from "../../dist/forwarder/steady-clock.js";
import { KEY, newEvent, newFolder, OPERATOR, SITE } from "./node-place.ts";
import { sign, TOPIC } from "./shop-webhook.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 5, 19);
const SECRET = "woo-secret-4c1d9e7b2a6f80354c1d9e7b2a6f8035";

describe("the clock of a store", () => {
  /** Looks at these times, and says each time whether anything may be forgotten. */
  const looks = (times: readonly number[], { isNew = false, note = null as string | null } = {}) => {
    let kept = note;
    let now = 0;
    const store = {
      getMeta: () => kept,
      setMeta: (name: string, text: string | null) => {
        expect(name).toBe(CLOCK);
        kept = text;
      },
      latest: () => ({ acceptedMs: isNew ? 0 : NOW, dueMs: 0 }),
    };
    // Each look is that of another object.
    return times.map((time) => {
      now = time;
      return new SteadyClock(store, () => now).mayForget();
    });
  };

  test.each<[string, readonly number[], readonly boolean[], object]>([
    ["a new store", [NOW, NOW + DAY], [true, true], { isNew: true }],
    ["a store of an earlier release", [NOW, NOW + HOUR, NOW + 23 * HOUR, NOW + DAY], [false, false, false, true], {}],
    ["one look a day", [NOW, NOW + DAY + HOUR, NOW + 2 * DAY], [false, true, true], {}],
    ["a jump ahead", [NOW + 100 * DAY, NOW + 100 * DAY + HOUR], [false, false], { note: `0 ${NOW}` }],
    ["a jump that is true", [NOW + 100 * DAY, NOW + 101 * DAY], [false, true], { note: `0 ${NOW}` }],
    ["a jump back", [NOW, NOW + HOUR, NOW + DAY], [false, false, true], { note: `0 ${NOW + 100 * DAY}` }],
    ["a clock that was not set", [600_000, NOW, NOW + DAY], [false, false, true], { isNew: true }],
    ["a correction of it", [NOW + 2 * HOUR, NOW + HOUR, NOW + 3 * HOUR], [true, true, true], { note: `0 ${NOW}` }],
  ])("%s", (_, times, expected, more) => {
    expect(looks(times, more)).toEqual(expected);
  });

  test("the latest of several notes counts, and none says nothing", () => {
    expect(forgetsFrom([undefined, undefined], NOW)).toBe(0);
    expect(forgetsFrom([`0 ${NOW - HOUR}`, undefined], NOW)).toBeLessThanOrEqual(NOW);
    expect(forgetsFrom([`0 ${NOW - HOUR}`, `0 ${NOW - 9 * DAY}`], NOW)).toBe(NOW + DAY);
  });
});

describe("a forwarder in a folder", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
    vi.setSystemTime(NOW);
    // Each sweep prints a line.
    vi.spyOn(console, "log").mockImplementation(() => undefined);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  /** A folder, and its forwarders one after the other. */
  const begun = (more: object = {}) => {
    const folder = join(newFolder(), "rows");
    let sent = 0;
    const options = {
      ...{ baseUrl: "https://acme.example", apiKey: KEY, operatorSecret: OPERATOR, origins: [SITE], folder },
      ...{ log: () => undefined, shards: 1, ...more },
      fetch: async ({ url }: Request) => {
        if (url.includes("/conversion.json")) sent += 1;
        const conversion = { conversion_id: sent, offer_id: 12_345 };
        return Response.json({ success: true, conversion, clicks: [], total_rows: 0 });
      },
    };
    const headers = { origin: SITE, "content-type": "application/json" };
    const open = (other: object = {}) => {
      const forwarder = openForwarder({ ...options, ...other });
      const ask = async (path: string, init?: RequestInit) => {
        const answer = await forwarder.fetch(new Request(`${SITE}/cake/${path}`, init));
        return (await answer.json()) as { duplicate?: boolean; state?: string; outcome?: string };
      };
      return {
        post: (event: object) => ask("conversions?wait=1", { method: "POST", headers, body: JSON.stringify(event) }),
        tell: (order: object) => {
          const body = JSON.stringify(order);
          const signed = { "x-wc-webhook-signature": sign("woocommerce", body, SECRET) };
          const init = { headers: { ...signed, [TOPIC.woocommerce]: "order.updated" }, method: "POST", body };
          return ask("webhooks/woocommerce", init);
        },
        sweep: async () => {
          vi.advanceTimersByTime(300_000);
          await new Promise((resolve) => setTimeout(resolve, 200));
        },
        close: () => forwarder.close(),
      };
    };
    return { open, folder, sent: () => sent };
  };

  test.each([100 * DAY, 10 * 365 * DAY])("a sweep while the clock is %i ms ahead forgets no event", async (ahead) => {
    const { open, sent } = begun({ upstreamDedupe: false });
    const event = newEvent();
    const first = open();
    expect(await first.post(event)).toMatchObject({ state: "delivered", duplicate: false });
    await first.close();
    vi.setSystemTime(NOW + ahead);
    const early = open();
    await early.sweep();
    await early.sweep();
    await early.close();
    vi.setSystemTime(NOW + HOUR);
    const again = open();
    expect(await again.post(event)).toMatchObject({ state: "delivered", duplicate: true });
    await again.close();
    expect(sent()).toBe(1);
  });

  test("a forwarder that stood still for 100 days forgets a day later", async () => {
    const { open, folder } = begun();
    const first = open();
    await first.post(newEvent());
    await first.close();
    const rows = () => {
      const database = new DatabaseSync(join(folder, "shard-0.sqlite"));
      const count = database.prepare("SELECT count(*) AS it FROM events").get()?.["it"];
      database.close();
      return count;
    };
    const seen: unknown[] = [];
    for (const hours of [0, 12, 23, 25]) {
      vi.setSystemTime(NOW + 100 * DAY + hours * HOUR);
      const later = open();
      await later.sweep();
      await later.close();
      seen.push(rows());
    }
    expect(seen).toEqual([1, 1, 1, 0]);
  });

  test("a start while the clock is ahead forgets no settings of before", async () => {
    const { open, sent } = begun();
    const shops = (idPrefix?: string) => ({
      shops: { woocommerce: { secrets: SECRET, offerId: 12_345, currency: "USD", idPrefix } },
    });
    const order = (id: number, atMs = Date.now()) => ({
      ...{
        id,
        number: String(id),
        status: "processing",
        currency: "USD",
        total: "100.00",
        line_items: [],
        refunds: [],
      },
      ...{
        date_created_gmt: new Date(atMs).toISOString().slice(0, 19),
        meta_data: [{ key: "reqid", value: CLICKS[id] }],
      },
      date_paid_gmt: new Date(atMs).toISOString().slice(0, 19),
    });
    const CLICKS = [0, 1, 2].map(() => crypto.randomUUID());
    const told = order(1);
    const first = open(shops());
    expect(await first.tell(told)).toMatchObject({ outcome: "accepted" });
    await first.close();
    vi.setSystemTime(NOW + HOUR);
    const second = open(shops("b-"));
    expect(await second.tell(told)).toMatchObject({ outcome: "changed" });
    await second.close();
    vi.setSystemTime(NOW + 70 * DAY);
    const ahead = open(shops("b-"));
    expect(await ahead.tell(order(2))).toMatchObject({ outcome: "accepted" });
    await ahead.close();
    vi.setSystemTime(NOW + 2 * HOUR);
    const right = open(shops("b-"));
    expect(await right.tell({ ...told, status: "completed" })).toMatchObject({ outcome: "changed" });
    await right.close();
    expect(sent()).toBe(2);
  });

  test("a start while the clock is ahead forgets no former number of shards", async () => {
    const { open } = begun();
    const first = open({ shards: 2 });
    for (let count = 0; count < 8; count += 1) await first.post(newEvent());
    await first.close();
    await open({ shards: 3, formerShards: [2] }).close();
    vi.setSystemTime(NOW + 100 * DAY);
    const ahead = open({ shards: 3, formerShards: [2] });
    await ahead.sweep();
    await ahead.close();
    vi.setSystemTime(NOW + HOUR);
    expect(() => open({ shards: 3 })).toThrow(/formerShards must name 2 until 2026-0[78]/);
    // Where the time is truly over, a day is waited for.
    for (const [hours, isNeeded] of [
      [0, true],
      [13, true],
      [26, false],
    ] as const) {
      vi.setSystemTime(NOW + 100 * DAY + hours * HOUR);
      if (isNeeded) expect(() => open({ shards: 3 })).toThrow(/formerShards must name 2 until 2026-09-2/);
      const later = open({ shards: 3, ...(isNeeded ? { formerShards: [2] } : {}) });
      await later.sweep();
      await later.close();
    }
  });

  test("a former number that was noted by a clock that was not set is needed from its setting on", async () => {
    const { open } = begun();
    vi.setSystemTime(600_000);
    await open({ shards: 2 }).close();
    await open({ shards: 3, formerShards: [2] }).close();
    vi.setSystemTime(NOW);
    expect(() => open({ shards: 3 })).toThrow(/formerShards must name 2 until 2026-08/);
  });
});

test("settings of before that a clock was not set for count as of now", () => {
  const shop = (keys: string) => [{ name: "shopify", digests: ["s"], keys, isSole: false }];
  const setFrom = Date.UTC(2025, 0, 1);
  const note = (text: string, keys: string, nowMs: number) => noteSenders(text, shop(keys), nowMs, 60 * DAY, setFrom);
  const { text } = note(note("", "A", 600_000).text, "B", 900_000);
  const set = note(text, "B", NOW);
  expect(set.former).toEqual([["A"]]);
  expect(note(set.text, "B", NOW + 50 * DAY).former).toEqual([["A"]]);
  expect(note(set.text, "B", NOW + 61 * DAY).former).toEqual([[]]);
});
