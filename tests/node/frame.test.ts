/** The tracker of frames and workers by itself: what its options, its store, its token and its network may do. */
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  type CakeError,
  connectShopifyPixel,
  createFrameTracker,
  type FrameTrackerOptions,
} from "../../dist/page/frame.js";
import { BESIDE_WORDS, MISSING_WORDS } from "../../scripts/missing.ts";

// The build puts them into the page's script.
Object.assign(globalThis, { MISSING_WORDS, BESIDE_WORDS });
const { isPlaceholder } = await import("../../js/page/placeholder.ts");
const { missing, ids } = JSON.parse(
  readFileSync(new URL("../vectors/missing_values.json", import.meta.url), "utf8"),
) as { missing: string[]; ids: string[] };

const TOKEN = "12345!click-1!https://shop.example!0123456789abcdef.tgvuy0.signature";
const endpoint = "https://shop.example/cake";
const accepted = () => Response.json({ id: "1", state: "pending", duplicate: false }, { status: 202 });
const refused = (status: number, code: string, retryable = false) =>
  Response.json({ error: { code, rule: "says so", retryable } }, { status });

let posted: { url: string; body: { token: string; conversion: Record<string, unknown> } }[] = [];
/** How the forwarder answers. */
let answer: () => Response | Promise<Response> = accepted;
const errors: CakeError[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  posted = [];
  errors.length = 0;
  answer = accepted;
  vi.stubGlobal("fetch", async (url: string, { body }: { body: string }) => {
    posted.push({ url, body: JSON.parse(body) });
    return answer();
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const open = (more: Partial<FrameTrackerOptions> = {}) =>
  createFrameTracker({ endpoint, token: TOKEN, onError: (error) => errors.push(error), ...more });

/** A store, as a bridge brings it. */
function store(items: Record<string, string> = {}) {
  const has = new Map(Object.entries(items));
  return {
    has,
    getItem: async (key: string) => has.get(key) ?? null,
    setItem: async (key: string, text: string) => void has.set(key, text),
    removeItem: async (key: string) => void has.delete(key),
  };
}

const run = (ms: number) => vi.advanceTimersByTimeAsync(ms);

test.each([
  [undefined, "invalid_setting", "endpoint"],
  [null, "invalid_setting", "endpoint"],
  [{}, "invalid_setting", "endpoint"],
  [{ endpoint: "/cake" }, "invalid_setting", "endpoint"],
  [{ endpoint: "ftp://shop.example" }, "invalid_setting", "endpoint"],
  [{ endpoint, end: 1 }, "invalid_field", "end"],
  [{ endpoint, consent: "yes" }, "invalid_setting", "consent"],
  [{ endpoint, storage: "localStorage" }, "invalid_setting", "storage"],
  [{ endpoint, storage: { getItem: () => null } }, "invalid_setting", "storage"],
])("createFrameTracker(%o) throws nothing, and says what is wrong", async (wrong, code, parameter) => {
  const options = wrong && { token: TOKEN, onError: (error: CakeError) => errors.push(error), ...wrong };
  const tracker = createFrameTracker(options as unknown as FrameTrackerOptions);
  const converted = tracker.convert({ uniqueId: "1" });
  await run(20_000);
  const { state } = await converted;
  if (parameter === "endpoint") expect([state, posted.length]).toEqual(["refused", 0]);
  if (parameter === "consent") expect([state, posted.length]).toEqual(["queued", 0]);
  if (wrong) expect(errors.map((error) => [error.code, error.parameter])).toEqual([[code, parameter]]);
});

test("an error of onError, of the token and of the network reaches nobody", async () => {
  answer = () => Promise.reject(new TypeError("offline"));
  const onError = () => {
    throw new Error("the site's own");
  };
  const rejects = () => Promise.reject(new Error("no token"));
  const throws = () => {
    throw new Error("no token");
  };
  for (const token of [rejects, throws, () => new Promise(() => undefined)]) {
    const tracker = open({ token, onError });
    const converted = [
      tracker.convert({ uniqueId: "1" }),
      tracker.convert(undefined as never),
      tracker.convert({ x: 1 } as never),
    ];
    await run(15_000);
    expect(await Promise.all(converted)).toEqual([
      { state: "queued", code: "no_token" },
      { state: "refused", code: "invalid_field" },
      { state: "refused", code: "invalid_field" },
    ]);
    tracker.dispose();
  }
  expect(posted).toEqual([]);
  const converted = open({ onError }).convert({ uniqueId: "1" });
  await run(0);
  expect(await converted).toEqual({ state: "queued", code: "network" });
});

test("a number that has lost digits is no id, and a platform's odd event is no error", async () => {
  const tracker = open();
  for (const lossy of [{ uniqueId: 2 ** 63 }, { uniqueId: "1", orderId: 1e21 }]) {
    expect(await tracker.convert(lossy as never)).toEqual({ state: "refused", code: "invalid_unique_id" });
  }
  expect(errors.map(({ message }) => message)).toEqual(new Array(2).fill("uniqueId has lost digits: give ids as text"));

  let tell: (event: unknown) => void = () => undefined;
  const api = { analytics: { subscribe: (_: string, listener: typeof tell) => (tell = listener) } };
  connectShopifyPixel(api as never, { endpoint, token: TOKEN });
  for (const data of [null, {}, { checkout: {} }, { checkout: { order: { id: 5001 }, attributes: [null, {}] } }]) {
    tell({ data });
  }
  tell(undefined);
  expect(posted).toEqual([]);
});

test.each(["undefined", "null", "none", "CLICK_ID", "REPLACE", "__reqid__", "{{reqid}}", "0", "", " ", null])(
  "a cart's attribute of %o is no click id: the token's counts",
  async (value) => {
    let tell: (event: unknown) => void = () => undefined;
    const api = {
      analytics: { subscribe: (_: string, listener: typeof tell) => (tell = listener) },
      init: { customerPrivacy: { marketingAllowed: true } },
      browser: { localStorage: store() },
    };
    connectShopifyPixel(api as never, { endpoint, token: TOKEN });
    tell({ data: { checkout: { order: { id: "5001" }, attributes: [{ key: "reqid", value }] } } });
    await run(0);
    expect(posted.map(({ body }) => body.conversion)).toEqual([
      { offerId: 12_345, clickId: "click-1", uniqueId: "5001" },
    ]);
  },
);

test("white space around a cart's attribute is none of its click id, as in the webhook of the order", async () => {
  let tell: (event: unknown) => void = () => undefined;
  const api = {
    analytics: { subscribe: (_: string, listener: typeof tell) => (tell = listener) },
    init: { customerPrivacy: { marketingAllowed: true } },
    browser: { localStorage: store() },
  };
  connectShopifyPixel(api as never, { endpoint, token: TOKEN, clickIdNames: ["_REQID"] });
  const placed = (id: string, value: string) =>
    tell({ data: { checkout: { order: { id }, attributes: [{ key: " _ReqId ", value }] } } });
  // The token is of click-1.
  placed("5001", " click-2\n");
  placed("5002", " click-1 ");
  await run(0);
  expect(posted.map(({ body }) => body.conversion)).toEqual([
    { offerId: 12_345, clickId: "click-1", uniqueId: "5002" },
  ]);
});

test.each([
  ["token", undefined],
  [undefined, undefined],
  ["order_click", "order_click"],
  [null, null],
])("the name %o of a cart's attribute may come without its list", async (key, clickIdNames) => {
  let tell: (event: unknown) => void = () => undefined;
  const api = {
    analytics: { subscribe: (_: string, listener: typeof tell) => (tell = listener) },
    init: { customerPrivacy: { marketingAllowed: true } },
    browser: { localStorage: store() },
  };
  connectShopifyPixel(api as never, { endpoint, token: TOKEN, clickIdNames: clickIdNames as never });
  const attributes = [{ key: clickIdNames ?? "reqid", value: "click-1" }];
  tell({ data: { checkout: { order: { id: "5001" }, attributes: key === "token" ? [] : attributes } } });
  await run(0);
  expect(posted.map(({ body }) => body.conversion)).toEqual([
    { offerId: 12_345, clickId: "click-1", uniqueId: "5001" },
  ]);
});

test("it resolves within 15 seconds, and tries again after 5, 10, 20 … seconds, or as it is asked to", async () => {
  answer = () => new Promise(() => undefined);
  const tracker = open();
  const converted = tracker.convert({ uniqueId: "1" });
  await run(15_000);
  expect(await converted).toEqual({ state: "queued", code: "network" });
  answer = () => refused(503, "outbox_unavailable", true);
  await run(6_000);
  expect(posted.length).toBe(2);
  answer = () => new Response("busy", { status: 429, headers: { "retry-after": "600" } });
  await run(12_000);
  expect(posted.length).toBe(3);
  answer = accepted;
  await run(590_000);
  expect(posted.length).toBe(3);
  await run(140_000);
  expect(posted.length).toBe(4);
  await run(3_600_000);
  expect(posted.length).toBe(4);
  expect(posted[3]).toEqual({
    url: "https://shop.example/cake/conversions",
    body: { token: TOKEN, conversion: { uniqueId: "1", offerId: 12_345, clickId: "click-1" } },
  });
});

test.each([
  ["conversion_conflict", 409],
  ["click_converted", 409],
  ["invalid_unique_id", 400],
])("%s ends a conversion, and the site hears of it", async (code, status) => {
  answer = () => refused(status, code);
  const { has, ...storage } = store({ cake_click_token: TOKEN });
  const converted = open({ storage, token: undefined }).convert({ uniqueId: "1" });
  await run(100);
  expect(await converted).toEqual({ state: "refused", code });
  expect(errors.map((error) => error.code)).toEqual([code]);
  await run(3_600_000);
  expect([posted.length, has.size]).toEqual([1, 0]);
});

test.each(["token_used", "token_expired", "token_refused"])(
  "%s gives the token up and keeps the conversion",
  async (code) => {
    answer = () => refused(code === "token_used" ? 409 : 401, code);
    const { has, ...storage } = store({ cake_click_token: TOKEN });
    const tracker = open({ storage, token: undefined });
    const converted = tracker.convert({ uniqueId: "1", clickId: "click-1" });
    await run(100);
    expect(await converted).toEqual({ state: "queued", code });
    expect([...has.keys()]).toEqual(["cake_click_frame"]);
    // The page has got another one meanwhile.
    has.set("cake_click_token", TOKEN.replace("0123", "ffff"));
    answer = accepted;
    await run(7_000);
    expect(posted.map(({ body }) => body.token.includes("ffff"))).toEqual([false, true]);
    expect(has.size).toBe(0);
  },
);

test("what the store holds is read with care: no more than 20, none that has lived its 7 days twice, and no other text", async () => {
  const now = Date.now();
  const day = 86_400_000;
  const left = (uniqueId: unknown, at: unknown = now) => ({ at, fields: { uniqueId, clickId: "click-1" } });
  for (const text of ["", "null", "{}", "[null, 1, {}]", "nonsense"]) {
    open({ storage: store({ cake_click_frame: text }) });
    await run(100);
  }
  expect(posted).toEqual([]);
  const items = JSON.stringify([
    { ...left("old", now - 8 * day), again: true },
    // A clock may have been wrong once.
    left("late", now - 8 * day),
    left(5),
    left("soon", now + 9 * day),
    left("good"),
    left("x", "y"),
  ]);
  open({
    storage: store({ cake_click_frame: items }),
    token: () => TOKEN.replace("0123", `${Math.random()}`.slice(2, 6)),
  });
  await run(100);
  expect(posted.map(({ body }) => body.conversion["uniqueId"])).toEqual(["late", "soon", "good"]);
  const { has, ...storage } = store();
  const tracker = open({ storage, token: undefined });
  for (let number = 0; number < 30; number += 1) void tracker.convert({ uniqueId: `${number}`, clickId: "click-1" });
  await run(1_000);
  const kept = JSON.parse(has.get("cake_click_frame") ?? "[]") as { fields: { uniqueId: string } }[];
  expect(kept.map(({ fields }) => Number(fields.uniqueId))).toEqual(
    Array.from({ length: 20 }, (_, index) => index + 10),
  );
});

test("two frames of one browser lose nothing of each other", async () => {
  const { has, ...storage } = store();
  const [one, other] = [open({ storage, token: undefined }), open({ storage, token: undefined })];
  void one.convert({ uniqueId: "1", clickId: "click-1" });
  await run(50);
  void other.convert({ uniqueId: "2", clickId: "click-1" });
  await run(50);
  const kept = () =>
    (JSON.parse(has.get("cake_click_frame") ?? "[]") as { fields: { uniqueId: string } }[]).map(
      ({ fields }) => fields.uniqueId,
    );
  expect(kept()).toEqual(["1", "2"]);
  has.set("cake_click_token", TOKEN);
  await run(12_000);
  expect(posted.length).toBeGreaterThan(0);
  expect(kept().length).toBeLessThan(2);
});

test("consent is asked before a store is read, and a no forgets all, what is under way as well", async () => {
  const asked: string[] = [];
  const { has, ...good } = store({ cake_click_token: TOKEN, cake_click_frame: "[]", other: "stays" });
  const getItem = (key: string) => {
    asked.push(key);
    return good.getItem(key);
  };
  const storage = { ...good, getItem };
  const tracker = open({ storage, token: undefined, consent: "pending" });
  const converted = tracker.convert({ uniqueId: "1" });
  await run(100);
  expect([await converted, asked, posted]).toEqual([{ state: "queued", code: "consent_pending" }, [], []]);
  tracker.setConsent(true);
  await run(100);
  expect(posted.length).toBe(1);
  answer = () => refused(503, "outbox_unavailable", true);
  void tracker.convert({ uniqueId: "2", clickId: "click-1" });
  tracker.setConsent("denied");
  await run(3_600_000);
  expect([[...has.keys()], posted.length]).toEqual([["other"], 1]);
  expect(await tracker.convert({ uniqueId: "3" })).toEqual({ state: "refused", code: "consent_denied" });
});

test("a sale is of the click that its first token names, and no later token makes it another's", async () => {
  answer = () => refused(503, "outbox_unavailable", true);
  const { has, ...storage } = store({ cake_click_token: TOKEN });
  const tracker = open({ storage, token: undefined });
  void tracker.convert({ uniqueId: "1" });
  await run(100);
  expect(has.get("cake_click_frame")).toContain('"clickId":"click-1"');
  answer = accepted;
  has.set("cake_click_token", TOKEN.replace("click-1", "click-2"));
  await run(60_000);
  tracker.dispose();
  open({ storage, token: undefined });
  await run(60_000);
  expect(posted.map(({ body }) => body.conversion["clickId"])).toEqual(["click-1"]);
  // Where no click is known yet, nothing is left to a frame that may know another one.
  const hangs = { ...store(), getItem: () => new Promise(() => undefined) };
  const { has: kept } = hangs;
  void open({ storage: hangs, token: undefined }).convert({ uniqueId: "2" });
  await run(20_000);
  expect(kept.get("cake_click_frame")).toBe(undefined);
});

test("a conversion of another offer or click waits for its own token", async () => {
  let token = TOKEN;
  const tracker = open({ token: () => token });
  const results = [
    tracker.convert({ uniqueId: "1", offerId: 999 }),
    tracker.convert({ uniqueId: "2", clickId: "click-2" }),
  ];
  await run(100);
  expect(await Promise.all(results)).toEqual(Array(2).fill({ state: "queued", code: "no_token" }));
  token = TOKEN.replace("click-1", "click-2");
  await run(8_000);
  expect(posted.map(({ body }) => body.conversion)).toEqual([{ uniqueId: "2", offerId: 12_345, clickId: "click-2" }]);
});

test("whatever is handed in, nothing throws or rejects, and nothing is sent", async () => {
  const hostile = () => {
    throw new Error("hostile");
  };
  const odd = [
    Symbol("x"),
    Object.create(null),
    { toString: hostile },
    { valueOf: hostile, toString: hostile },
    {},
    [],
  ];
  for (const value of [...odd.slice(0, 5), "undefined", "null", "{{ id }}", "[object Object]", "N.A."]) {
    for (const field of ["uniqueId", "orderId", "clickId", "offerId"]) {
      const tracker = open();
      const { state } = await tracker.convert({ uniqueId: "A-1", [field]: value } as never);
      expect([field, state, errors.at(-1)?.parameter]).toEqual([field, "refused", field]);
      tracker.dispose();
    }
  }
  const throwing = {
    get uniqueId() {
      return hostile();
    },
  };
  const all = new Proxy({}, { get: hostile, ownKeys: hostile });
  for (const given of [throwing, all, ...odd]) {
    expect((await open().convert(given as never)).state).toBe("refused");
    expect((await createFrameTracker(given as never).convert({ uniqueId: "A-1" })).state).toBe("refused");
    expect(() => open({ consent: given as never }).setConsent(given as never)).not.toThrow();
    expect(() => connectShopifyPixel(given as never, { endpoint, token: TOKEN })).not.toThrow();
    expect(() => connectShopifyPixel({ browser: given, init: given } as never, given as never)).not.toThrow();
  }
  expect(posted).toEqual([]);
});

test("a placeholder is no id in a frame either, by the list of the core", () => {
  const wrong = [
    ...missing.filter((text) => text.trim() && !isPlaceholder(text)),
    ...[...ids, "__1001__"].filter((text) => isPlaceholder(text)),
  ];
  expect(wrong).toEqual([]);
});

test.each(["/cake?x=1", "/cake#x", "/cake?", "/cake#"])(
  "an endpoint that ends in %s is refused by name",
  async (end) => {
    const tracker = open({ endpoint: `https://shop.example${end}` });
    expect((await tracker.convert({ uniqueId: "1" })).code).toBe("invalid_setting");
    expect(errors.map(({ parameter }) => parameter)).toEqual(["endpoint"]);
  },
);
