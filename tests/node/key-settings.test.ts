/** What a forwarder remembers of the settings of keys, who is the same sender, and what a postback of before is. */
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createForwarderInProcess, type StoreSnapshot } from "../../dist/entry/forwarder-memory.inline.js";
import { keepSenders } from "../../dist/forwarder/id-secret.js";
import { type Noted, noteSenders, type Sender } from "../../dist/forwarder/key-settings.js";
import { createIds } from "../../dist/forwarder/setup.js";
import { OPERATOR, type Options, SITE } from "./forwarder-in-process.ts";
import { type Platform, SIGNATURE, secrets, sign, TOPIC } from "./shop-webhook.ts";

const DAY = 86_400_000;
const shop = (keys: string, digests = ["s1"], isSole = false): Sender => ({ name: "shopify", digests, keys, isSole });

/** Starts, one after the other: `day` is the time of each. Returns what the last one had before, and all writes. */
function starts(all: readonly (readonly [day: number, senders: readonly Sender[]])[], retention = 30) {
  let text = "";
  let writes = 0;
  let last: Omit<Noted, "text"> = { former: [], spans: [], held: [] };
  for (const [day, senders] of all) {
    const noted = noteSenders(text, senders, day * DAY, retention * DAY);
    if (noted.text !== text) writes += 1;
    ({ text, ...last } = noted);
  }
  return { ...last, writes, text };
}

describe("the memory of settings", () => {
  test.each<[string, readonly (readonly [number, string])[], readonly string[]]>([
    [
      "the one before",
      [
        [0, "A"],
        [1, "B"],
      ],
      ["A"],
    ],
    [
      "all of a chain, the latest first",
      [
        [0, "A"],
        [1, "B"],
        [2, "C"],
      ],
      ["B", "A"],
    ],
    [
      "set back",
      [
        [0, "A"],
        [1, "B"],
        [2, "A"],
      ],
      ["B"],
    ],
    [
      "in use until the change, however long ago it was noted",
      [
        [0, "A"],
        [400, "B"],
      ],
      ["A"],
    ],
    [
      "out of use for longer than events are kept",
      [
        [0, "A"],
        [10, "B"],
        [41, "B"],
      ],
      [],
    ],
    [
      "set back, and out of use since",
      [
        [0, "A"],
        [50, "B"],
        [51, "A"],
        [60, "A"],
        [82, "A"],
      ],
      [],
    ],
    [
      "set back, and used on without a start",
      [
        [0, "A"],
        [1, "B"],
        [2, "A"],
        [100, "C"],
      ],
      ["A", "B"],
    ],
  ])("%s", (_, all, wanted) => {
    const { former } = starts(all.map(([day, keys]) => [day, [shop(keys)]]));
    expect([...(former[0] ?? [])].sort()).toEqual([...wanted].sort());
    expect(former[0]?.[0]).toBe(wanted[0]);
  });

  test("starts of two releases at once write once a day at most, starts without a change never", () => {
    const alternating = Array.from(
      { length: 1_000 },
      (_, index) => [index / 1_000, [shop("AB"[index % 2] ?? "")]] as const,
    );
    expect(starts(alternating).writes).toBeLessThanOrEqual(4);
    const years = Array.from({ length: 1_000 }, (_, index) => [index, [shop("A"), shop("P", [], true)]] as const);
    expect(starts(years).writes).toBe(1);
    expect(starts(years.map(([day]) => [day, []] as const)).text).toBe("[]");
  });

  test("a shop is the same by one of its secrets, over all of its rotations", () => {
    const rotated = [
      [0, [shop("A", ["s1"])]],
      [1, [shop("A", ["s2", "s1"])]],
      [2, [shop("B", ["s3", "s2"])]],
    ] as const;
    expect(starts(rotated).former).toEqual([["A"]]);
    expect(starts([...rotated, [3, [shop("C", ["s1"])]]]).former).toEqual([["B", "A"]]);
    expect(starts([...rotated, [3, [shop("C", ["s9"])]]]).former).toEqual([[]]);
    // The only one there is, of ids that no other shop has.
    expect(starts([...rotated, [3, [shop("C", ["s9"], true)]]]).former).toEqual([["B", "A"]]);
    expect(starts([...rotated, [3, [shop("C", ["s9"], true)]], [4, [shop("D", ["s9"])]]]).former).toEqual([
      ["C", "B", "A"],
    ]);
  });

  test("two shops have each their own, a shop that was split has that of before", () => {
    const two = [shop("A", ["s1"]), shop("B", ["s2"])];
    expect(
      starts([
        [0, two],
        [1, [shop("C", ["s1"]), shop("D", ["s2"])]],
      ]).former,
    ).toEqual([["A"], ["B"]]);
    const split = starts([
      [0, [shop("A", ["s1", "s2"])]],
      [1, [shop("A", ["s1"]), shop("B", ["s2"])]],
    ]).former;
    expect(split).toEqual([["B"], ["A"]]);
    expect(
      starts([
        [0, two],
        [1, [shop("A", ["s1", "s2"])]],
      ]).former,
    ).toEqual([["B"]]);
  });

  test("of two shops it is known when each had what, also after one has left", () => {
    const [one, two] = [shop("A", ["s1"]), shop("B", ["s2"])];
    const span = (keys: string, since: number, until?: number) => ({
      ...{ keys, sinceMs: since * DAY },
      untilMs: until === undefined ? undefined : until * DAY,
    });
    expect(starts([[0, [one]]]).spans).toEqual([]);
    const both = [
      [0, [one, two]],
      [10, [shop("C", ["s1"]), two]],
    ] as const;
    expect(starts(both).spans).toEqual([
      { own: [span("A", 0, 17), span("C", 10)], others: [span("B", 0)] },
      { own: [span("B", 0)], others: [span("A", 0, 17), span("C", 10)] },
    ]);
    // It was there until a start without it, however long ago that setting was noted. A release may roll for a week.
    for (const day of [400, 401, 420, 429]) {
      const left = starts([...both, [400, [two]], [day, [two]]]).spans[0]?.others;
      expect(left).toEqual([span("C", 10, 407)]);
    }
    expect(starts([...both, [400, [two]], [431, [two]]]).spans).toEqual([]);
    const rolling = [
      [400, [two]],
      [400.1, [shop("C", ["s1"]), two]],
      [400.2, [two]],
    ] as const;
    expect(starts([...both, ...rolling]).spans[0]?.others).toEqual([span("C", 10, 407.2)]);
    // What was one sender was each one's; what one of them has now is no other one's.
    const split = starts([
      [0, [shop("A", ["s1", "s2"])]],
      [5, [shop("A", ["s1"]), shop("B", ["s2"])]],
    ]).spans;
    expect(split[1]).toEqual({ own: [span("A", 0), span("B", 5)], others: [{ keys: "A" }] });
  });

  test("settings that are new to a shop, and were those of one beside it", () => {
    const held = (...all: Parameters<typeof starts>[0]) => starts(all).held;
    const first = [0, [shop("A", ["s1"])]] as const;
    const taken = [shop("B", ["s1"]), shop("A", ["s2"])];
    expect(held(first, [10, taken])).toEqual([[], [{ keys: "A", by: 0, untilMs: 40 * DAY }]]);
    expect(held(first, [10, taken], [11, taken])).toEqual([[], []]);
    expect(held(first, [10, [shop("B", ["s1"])]], [39, taken])[1]).toHaveLength(1);
    expect(held(first, [10, [shop("B", ["s1"])]], [41, taken])[1]).toEqual([]);
    expect(held(first, [10, [shop("A", ["s2"])]])).toEqual([[]]);
  });

  test("a memory of an older release does not say since when", () => {
    const older = JSON.stringify([{ name: "shopify", digests: ["s1"], uses: [{ keys: "A", atMs: 0, isOpen: true }] }]);
    const { spans } = noteSenders(older, [shop("A", ["s1"]), shop("B", ["s2"])], DAY, 30 * DAY);
    expect(spans[1]?.others).toEqual([{ keys: "A", sinceMs: undefined, untilMs: undefined }]);
  });

  test("eight of before at most, and a bound for senders", () => {
    const many = Array.from({ length: 40 }, (_, index) => [index / 10, [shop(`keys ${index}`)]] as const);
    expect(starts(many).former[0]).toEqual(Array.from({ length: 8 }, (_, index) => `keys ${38 - index}`));
    const names = Array.from(
      { length: 300 },
      (_, index) => [index, [{ ...shop("A", [`s${index}`]), name: `n${index}` }]] as const,
    );
    expect(JSON.parse(starts(names, 400).text)).toHaveLength(128);
  });

  test("a memory that cannot be read or kept stops nothing", () => {
    const broken = () => {
      throw new Error("the disk is full");
    };
    const given = JSON.stringify([shop("B")]);
    for (const text of ["", "{", "7", '[{"name":"shopify"}]', "null"]) {
      expect(keepSenders({ getMeta: () => text, setMeta: () => undefined }, given, 0, 1, 0)).toBe("[[]]");
    }
    expect(keepSenders({ getMeta: broken, setMeta: broken }, given, 0, 1, 0)).toBe("[]");
    expect(keepSenders({ getMeta: () => "", setMeta: broken }, given, 0, 1, 0)).toBe("[]");
  });

  test("a shard of an older release says nothing of them", async () => {
    const sender = shop("B");
    const of = async (told: string) => {
      const ids = createIds([{ idSecret: async () => told }] as never, { account: "a", senders: [sender] });
      const { formerOf, spansOf } = await ids();
      return [formerOf(sender), spansOf(sender).others];
    };
    expect(await of("ab.cd")).toEqual([[], []]);
    expect(await of("ab.cd|a")).toEqual([[], []]);
    expect(await of('ab.cd|a|[["A|1","C"]]')).toEqual([["A|1", "C"], []]);
    const spans = [{ own: [], others: [{ keys: "D" }] }];
    expect(await of(`ab.cd|a|${JSON.stringify([["A|1"], spans])}`)).toEqual([["A|1"], [{ keys: "D" }]]);
  });
});

/** Forwarders in memory, one after the other on the same rows; CAKE refuses what `refuses` says. */
function restarts() {
  let conversionId = 0;
  let kept: StoreSnapshot | undefined;
  let forwarder: ReturnType<typeof createForwarderInProcess> | undefined;
  const get = async (path: string, init: RequestInit = {}) => {
    const answer = await forwarder?.fetch(new Request(`${SITE}/cake/${path}`, init));
    const told = (await answer?.json()) as Record<string, unknown>;
    return { ...told, status: answer?.status } as Record<string, unknown>;
  };
  return {
    get,
    meta: () => kept?.meta ?? [],
    async set(options: object, refuses = false) {
      await forwarder?.settle();
      const answer = () =>
        refuses
          ? { success: false, message: "Affiliate Not Authorized" }
          : { conversion: { conversion_id: ++conversionId } };
      forwarder = createForwarderInProcess({
        ...{ baseUrl: "https://acme.cakemarketing.com", apiKey: "CANARY-key-4c1d9e", operatorSecret: OPERATOR },
        ...{ log: () => undefined, fetch: async () => Response.json(answer()), kept },
        keep: async (snapshot) => {
          kept = structuredClone(snapshot);
        },
        ...options,
      } as Options);
    },
    settle: async () => forwarder?.settle(),
    tell: (platform: Platform, topic: string, body: object, secret = secrets[platform]) => {
      const text = JSON.stringify(body);
      const headers: Record<string, string> = { [SIGNATURE[platform]]: sign(platform, text, secret) };
      if (platform !== "stripe") headers[TOPIC[platform]] = topic;
      return get(`webhooks/${platform}`, { method: "POST", headers, body: text });
    },
    rows: async () => {
      const listed = await get("operator/conversions", { headers: { authorization: `Bearer ${OPERATOR}` } });
      return (
        listed["rows"] as { state: string; kind: string; conversion?: { offerId: number; uniqueId: string } }[]
      ).map(({ kind, state, conversion: it }) => `${kind} ${it?.offerId} ${it?.uniqueId} ${state}`);
    },
  };
}

const SECRET = "a-network-secret-of-32-characters-or-more";
const net = (more: object, map: object = {}) => ({
  postbacks: { net: { secrets: SECRET, ...more, map: { clickId: "sub1", uniqueId: "txid", payout: "sum", ...map } } },
});
const call = (parameters: object) =>
  `postback/net/${SECRET}?${new URLSearchParams({ sub1: "a1b2c3", txid: "t-1", ref: "r-1", o: "111", sum: "2.00", ...parameters })}`;
const JSON_TOO = { headers: { accept: "application/json" } };

describe("a postback of before", () => {
  test.each<[string, object, object, boolean]>([
    ["another offer", net({ offerId: 111 }), net({ offerId: 222 }), true],
    ["another parameter of the id", net({ offerId: 111 }), net({ offerId: 111 }, { uniqueId: "ref" }), true],
    ["a parameter in place of the offer", net({ offerId: 222 }), net({}, { offerId: "o" }), true],
    ["an offer that the sender tells", net({}, { offerId: "o" }), net({ offerId: 222 }), true],
    ["an id that was the click's", net({ offerId: 111 }, { uniqueId: "sub1" }), net({ offerId: 111 }), false],
  ])("%s: it is a duplicate, and was refused, it converts once", async (_, before, after, isKnown) => {
    for (const refuses of [false, true]) {
      const { set, get, settle, rows } = restarts();
      await set(before, refuses);
      const first = await get(call({}), JSON_TOO);
      expect(first).toMatchObject({ status: 200, duplicate: false });
      await settle();
      await set(after);
      const again = await get(call({}), JSON_TOO);
      const isDuplicate = isKnown && !refuses;
      expect(again).toMatchObject({ status: 200, duplicate: isDuplicate });
      if (isDuplicate) expect(again["id"]).toBe(first["id"]);
      expect(await get(call({}), JSON_TOO)).toMatchObject({ duplicate: true });
      expect(await get(call({ txid: "t-2", ref: "r-2" }), JSON_TOO)).toMatchObject({ duplicate: false });
      expect(await get(call({ ref: "r-3", txid: "t-3", sub1: "d4e5f6" }), JSON_TOO)).toMatchObject({
        duplicate: false,
      });
      await settle();
      const states = (await rows()).map((row) => row.split(" ").at(-1));
      expect(states.filter((state) => state === "delivered")).toHaveLength(isDuplicate || refuses ? 3 : 4);
    }
  });

  test("a parameter that was no unique id takes no sale of another click", async () => {
    const { set, get } = restarts();
    await set(net({ offerId: 111 }, { uniqueId: "ref" }));
    await get(call({}), JSON_TOO);
    await set(net({ offerId: 111 }));
    expect(await get(call({ txid: "t-9", sub1: "d4e5f6" }), JSON_TOO)).toMatchObject({ duplicate: false });
  });
});

const order = (id: number, clickId: string, more: object = {}) => ({
  ...{ id, number: `N-${id}`, status: "processing", currency: "USD", total: "10.00", refunds: [] },
  ...{ meta_data: [{ key: "reqid", value: clickId }], ...more },
});
const woo = (...all: readonly object[]) => ({
  shops: { woocommerce: all.map((each) => ({ currency: "USD", ...each })) },
});
const [ONE, TWO] = [secrets.woocommerce, "another shop's secret of 32 characters, or more"];

describe("an order of another shop is none of before", () => {
  test.each<[string, object, object, string, string]>([
    [
      "two shops that were set as one",
      woo({ secrets: [ONE, TWO], offerId: 111 }),
      woo({ secrets: ONE, offerId: 111 }, { secrets: TWO, offerId: 111, idPrefix: "b-" }),
      TWO,
      "d4e5f6-click",
    ],
    [
      "another shop in its place",
      woo({ secrets: ONE, offerId: 111 }),
      woo({ secrets: TWO, offerId: 222 }),
      TWO,
      "a1b2c3-click",
    ],
    [
      "a shop that counts anew with the secret of before",
      woo({ secrets: ONE, offerId: 111 }),
      woo({ secrets: ONE, offerId: 111, idPrefix: "b-" }),
      ONE,
      "d4e5f6-click",
    ],
  ])("%s", async (_, before, after, secret, clickId) => {
    const { set, tell, settle } = restarts();
    await set(before);
    expect(await tell("woocommerce", "order.updated", order(9, "a1b2c3-click"))).toMatchObject({ outcome: "accepted" });
    await settle();
    await set(after);
    const told = await tell("woocommerce", "order.updated", order(9, clickId), secret);
    expect(told).toMatchObject({ outcome: "accepted" });
  });
});

test("an order of one of two shops that were set as one is found by its click", async () => {
  const { set, tell } = restarts();
  await set(woo({ secrets: [ONE, TWO], offerId: 111 }));
  await tell("woocommerce", "order.updated", order(9, "a1b2c3-click"), TWO);
  await set(woo({ secrets: ONE, offerId: 111 }, { secrets: TWO, offerId: 111, idPrefix: "b-" }));
  for (const clickId of ["a1b2c3-click", "d4e5f6-click"]) {
    const outcome = clickId.startsWith("a") ? "changed" : "accepted";
    expect(await tell("woocommerce", "order.updated", order(9, clickId), TWO)).toMatchObject({ outcome });
  }
});

test("a shop of Shopify's with all secrets new is the one of before, where it is the only one", async () => {
  const { set, tell } = restarts();
  const paid = {
    ...{ id: 77, name: "#7", currency: "USD", total_price: "10.00", financial_status: "paid" },
    note_attributes: [{ name: "reqid", value: "a1b2c3-click" }],
  };
  await set({ shops: { shopify: { secrets: ONE, offerId: 111, currency: "USD" } } });
  await tell("shopify", "orders/paid", paid, ONE);
  await set({ shops: { shopify: { secrets: TWO, offerId: 222, currency: "USD" } } });
  expect(await tell("shopify", "orders/paid", paid, TWO)).toMatchObject({ outcome: "changed" });
});

test("a mapping whose first offer CAKE has surely refused may choose another", async () => {
  const { set, tell, settle, rows } = restarts();
  let offerId = 111;
  const map = (_: object, __: string, found: object | undefined) => found && { ...found, offerId };
  await set(woo({ secrets: ONE, map }), true);
  await tell("woocommerce", "order.updated", order(9, "a1b2c3-click"));
  await settle();
  await set(woo({ secrets: ONE, map }));
  offerId = 222;
  for (const outcome of ["accepted", "duplicate"]) {
    expect(await tell("woocommerce", "order.updated", order(9, "a1b2c3-click"))).toMatchObject({ outcome });
  }
  offerId = 333;
  await settle();
  expect(await tell("woocommerce", "order.updated", order(9, "a1b2c3-click"))).toMatchObject({ outcome: "changed" });
  expect(await rows()).toEqual(["conversion 222 9 delivered", "conversion 111 9 refused"]);
});

test("with pixels alone an order of before is one conversion, too", async () => {
  const { set, tell, rows } = restarts();
  const pixel = { baseUrl: undefined, apiKey: undefined, pixelDomain: "track.yournetwork.com" };
  for (const [offerId, outcome] of [
    [111, "accepted"],
    [222, "changed"],
    [111, "duplicate"],
  ] as const) {
    await set({ ...woo({ secrets: ONE, offerId }), ...pixel });
    expect(await tell("woocommerce", "order.updated", order(9, "a1b2c3-click"))).toMatchObject({ outcome });
  }
  expect(await rows()).toHaveLength(1);
});

test("the memory has no secret, and starts and sales without a change leave it as it is", async () => {
  const { set, tell, meta } = restarts();
  const kept = () => JSON.stringify(meta().filter(([name]) => name === "key settings"));
  const settings = { ...woo({ secrets: [ONE, TWO], offerId: 111 }), ...net({ offerId: 111 }) };
  await set(settings);
  await tell("woocommerce", "order.updated", order(9, "a1b2c3-click"));
  const first = kept();
  expect(first).toContain("111");
  for (const secret of [ONE, TWO, SECRET]) expect(JSON.stringify(meta())).not.toContain(secret);
  for (let time = 0; time < 3; time += 1) {
    await set(settings);
    await tell("woocommerce", "order.updated", order(10 + time, randomUUID()));
    expect(kept()).toBe(first);
  }
});
