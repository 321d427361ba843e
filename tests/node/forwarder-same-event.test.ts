/** When two events are the same, whose amounts count, and which event claims a click. */
import { expect, test } from "vitest";
import { createForwarderInProcess } from "../../dist/entry/forwarder-memory.inline.js";
import { both, event, KEY, OPERATOR, SECRET, SITE } from "./forwarder-in-process.ts";

type Answer = { id: string; state: string; duplicate: boolean; moneyUsed?: boolean; error?: { code: string } };
const read = async (response: Response) => (await response.json()) as Answer;

test.each([
  ["an amount with more zeros", { payout: "18.00" }, { payout: "18.000" }],
  ["an amount with fewer", { revenue: "7.50" }, { revenue: "7.5" }],
  ["an amount as a number", { payout: "18.00" }, { payout: 18 }],
  ["an empty order id", {}, { orderId: "" }],
  ["empty fields of one's own", {}, { adv1: "", adv5: "" }],
  ["empty money and date", {}, { payout: "", revenue: "", conversionDate: "" }],
  ["null", {}, { orderId: null, payout: null }],
  ["an id that ends in .0", {}, {}],
])("%s is the same event", async (name, first, again) => {
  const { ask, click, recorded } = both();
  const { signConversion } = await import("../../dist/entry/edge.inline.js");
  const mine = event(await click());
  const send = async (body: string) => {
    const headers = { "content-type": "application/json", ...(await signConversion(body, SECRET)) };
    return read(await ask("conversions?wait=1", { method: "POST", headers, body }));
  };
  expect(await send(JSON.stringify({ ...mine, ...first }))).toMatchObject({ state: "delivered", duplicate: false });
  const body = JSON.stringify({ ...mine, ...again });
  const spelt = name.endsWith(".0") ? body.replace("12345", "12345.0") : body;
  expect(await send(spelt)).toMatchObject({ state: "delivered", duplicate: true });
  expect(await send(`\ufeff${body}`)).toMatchObject({ state: "delivered", duplicate: true });
  expect(await recorded()).toHaveLength(1);
});

test("a backend's money for a page's event wins while that waits, and afterwards is said not to be used", async () => {
  const { page, backend, click, faults, recorded } = both({ clockSpeed: 20 });
  await faults([{ share: 1, kinds: ["rate_limit"] }]);
  const mine = event(await click());
  expect(await read(await page(mine, ""))).toMatchObject({ state: "pending", duplicate: false });
  const signed = await read(await backend({ ...mine, payout: "5.25" }, ""));
  expect(signed).toMatchObject({ state: "pending", duplicate: true, moneyUsed: true });
  await faults([]);
  // The page sends the same event again, without an amount.
  await expect
    .poll(async () => read(await page(mine, "")), { timeout: 15_000 })
    .toMatchObject({ state: "delivered", duplicate: true });
  const [conversion] = (await recorded()) as unknown as { payout: string }[];
  expect(Number(conversion?.payout)).toBe(5.25);
  const late = event(await click());
  expect(await read(await page(late))).toMatchObject({ state: "delivered" });
  expect(await read(await backend({ ...late, payout: "5.25" }))).toMatchObject({
    state: "delivered",
    duplicate: true,
    moneyUsed: false,
  });
  // Different amounts from two backends are a conflict, and so is another order id.
  expect((await read(await backend({ ...mine, payout: "5.26" }))).error?.code).toBe("conversion_conflict");
  expect((await read(await backend({ ...late, orderId: "other" }))).error?.code).toBe("conversion_conflict");
});

test.each([true, false])(
  "money that comes after an attempt without it that may be recorded is not used, and not shown (deduplicated: %s)",
  async (upstreamDedupe) => {
    const { page, backend, click, faults, recorded, operator } = both({ clockSpeed: 20, upstreamDedupe });
    await faults([{ share: 1, kinds: ["server_error"], recorded: true }]);
    const mine = event(await click());
    expect(await read(await page(mine, ""))).toMatchObject({ state: "pending", duplicate: false });
    await expect.poll(async () => (await recorded()).length).toBe(1);
    const rows = async () => {
      const told = await (await operator("conversions")).json();
      return (told as { rows: { state: string; isInDoubt: boolean; conversion: object }[] }).rows;
    };
    await expect.poll(async () => (await rows())[0]?.isInDoubt).toBe(true);
    expect(await read(await backend({ ...mine, payout: "5.25" }, ""))).toMatchObject({
      duplicate: true,
      moneyUsed: false,
    });
    expect((await rows())[0]?.conversion).not.toHaveProperty("payout");
    await faults([]);
    await expect
      .poll(async () => read(await page(mine, "")), { timeout: 15_000 })
      .toMatchObject({ state: "delivered", duplicate: true });
    expect((await rows())[0]?.conversion).not.toHaveProperty("payout");
    expect(await recorded()).toHaveLength(1);
  },
);

/** What a CAKE that refuses one click, and amounts that are missing, says of a request. */
function picky(url: string, sent: string[]) {
  const { searchParams } = new URL(url);
  const isBad = searchParams.get("click_id") === "forged" || searchParams.get("revenue") === null;
  sent.push(`${isBad ? "no" : "yes"} ${searchParams.get("click_id")}`);
  return isBad
    ? Response.json({ success: false, message: "Invalid conversion" })
    : Response.json({ conversion: { conversion_id: sent.length } });
}

test.each([
  ["names a forged click", { clickId: "forged" }],
  ["has no revenue", {}],
])("a page's order that CAKE refused, since it %s, leaves its place to the backend's", async (_, wrong) => {
  const sent: string[] = [];
  const { page, backend, operator } = both({ fetch: async ({ url }) => picky(url, sent) });
  const mine = event("k1");
  expect(await read(await page({ ...mine, ...wrong }))).toMatchObject({ state: "refused" });
  // A page takes no place, and neither does the same event.
  expect((await read(await page({ ...mine, clickId: "k2" }))).error?.code).toBe("conversion_conflict");
  const good = { ...mine, revenue: "100.00" };
  expect(await read(await backend(good))).toMatchObject({ state: "delivered", duplicate: true, moneyUsed: true });
  expect(await read(await backend(good))).toMatchObject({ state: "delivered", duplicate: true });
  expect(sent).toEqual([expect.stringMatching(/^no /), "yes k1"]);
  const { rows } = (await (await operator("conversions")).json()) as { rows: object[] };
  expect(rows).toHaveLength(1);
  expect((await read(await backend({ ...good, clickId: "k2" }))).error?.code).toBe("conversion_conflict");
});

test("a backend's word about a page's order that waits counts, and not about one that is refused in doubt or cancelled", async () => {
  let answer = () => new Response("", { status: 429 });
  const { page, backend, operator } = both({ clockSpeed: 20, fetch: async () => answer() });
  const [mine, doubted] = [event("k1"), event("k3")];
  await page({ ...mine, clickId: "k2" }, "");
  expect(await read(await backend({ ...mine, revenue: "1.00" }, ""))).toMatchObject({
    state: "pending",
    moneyUsed: true,
  });
  answer = () => new Response("", { status: 500 });
  const { id } = await read(await page(doubted, ""));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const body = JSON.stringify({ id, reason: "a test" });
  await operator("cancel", { method: "POST", headers: { "content-type": "application/json", origin: SITE }, body });
  expect(await read(await backend({ ...doubted, revenue: "1.00" }))).toMatchObject({
    state: "cancelled",
    moneyUsed: false,
  });
  expect((await read(await backend({ ...doubted, clickId: "k4" }))).error?.code).toBe("conversion_conflict");
});

test("money that comes while an attempt is under way waits for what becomes of it", async () => {
  let answer: (response: Response) => void = () => undefined;
  const sent: string[] = [];
  const { page, backend, click } = both({
    fetch: (request) => {
      sent.push(request.url);
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
  });
  const mine = event(await click());
  await page(mine, "");
  await expect.poll(() => sent.length).toBe(1);
  const signed = backend({ ...mine, payout: "5.25" }, "");
  await new Promise((resolve) => setTimeout(resolve, 50));
  answer(Response.json({ conversion: { conversion_id: 7 } }));
  expect(await read(await signed)).toMatchObject({ state: "delivered", moneyUsed: false });
  expect(sent).toHaveLength(1);
});

test("of two events of one key in one batch the first counts, each time", async () => {
  for (let round = 0; round < 10; round += 1) {
    const { backend, click, recorded } = both();
    const mine = event(await click());
    const conversions = [
      { ...mine, adv1: "first" },
      { ...mine, adv1: "second" },
      { ...mine, adv1: "first" },
    ];
    const { results } = (await (await backend({ conversions })).json()) as { results: Answer[] };
    expect(results).toMatchObject([
      { state: "delivered", duplicate: false },
      { error: { code: "conversion_conflict" } },
      { state: "delivered", duplicate: true },
    ]);
    expect(await recorded()).toHaveLength(1);
  }
});

test("a click id in capitals is the same click, and is sent as its caller spells it", async () => {
  const urls: string[] = [];
  const { page, backend, operator } = both({
    fetch: async ({ url }) => {
      urls.push(url);
      return Response.json({ conversion: { conversion_id: urls.length } });
    },
  });
  const [lower, upper] = ["13b9ae60-4f60-4c9e-bf75-626dca035acf", "13B9AE60-4F60-4C9E-BF75-626DCA035ACF"];
  const mine = event(upper);
  expect(await read(await page(mine))).toMatchObject({ state: "delivered", duplicate: false });
  expect(urls.join()).toContain(`click_id=${upper}`);
  // A page converts a click once.
  expect((await read(await page(event(lower)))).error?.code).toBe("click_converted");
  expect(await read(await page({ ...mine, clickId: lower }))).toMatchObject({ duplicate: true });
  expect(await read(await backend({ ...mine, clickId: lower }))).toMatchObject({ duplicate: true });
  expect(urls).toHaveLength(1);
  // A refused order gives the click up, in whichever spelling.
  const refusing = both({ fetch: async () => Response.json({ success: false, message: "Offer is paused" }) });
  expect(await read(await refusing.page(event(upper)))).toMatchObject({ state: "refused" });
  expect(await read(await refusing.page(event(lower)))).toMatchObject({ state: "refused", duplicate: false });
  expect(((await (await operator("conversions")).json()) as { rows: object[] }).rows).toHaveLength(1);
});

test.each([
  ["the same click in capitals", "13B9AE60-4F60-4C9E-BF75-626DCA035ACF"],
  ["another click, of which Get Click says the same", "another-click"],
])("a conversion that this outbox has for another event delivers no second one: %s", async (_, clickId) => {
  for (const report of [
    () => new Response("", { status: 404 }),
    () => Response.json({ request_status: "Success", response: { data: { conversions: [] } } }),
  ]) {
    let sent = 0;
    const { backend, operator } = both({
      upstreamDedupe: false,
      fetch: async ({ url }) => {
        const { pathname, searchParams } = new URL(url);
        if (pathname.endsWith("/report/conversion.json")) return report();
        if (pathname.endsWith("/click.json")) {
          const click = { click_id: searchParams.get("click_id"), offer_id: 12_345, converted: true };
          return Response.json({ response: { clicks: [{ ...click, conversion_id: 998_877 }] } });
        }
        sent += 1;
        if (sent > 1) throw new TypeError("the connection is reset");
        return Response.json({ conversion: { conversion_id: 998_877 } });
      },
    });
    const first = event("13b9ae60-4f60-4c9e-bf75-626dca035acf");
    expect(await read(await backend(first))).toMatchObject({ state: "delivered", conversionId: 998_877 });
    await backend(event(clickId), "");
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { rows } = (await (await operator("conversions")).json()) as {
      rows: { state: string; isInDoubt: boolean }[];
    };
    expect(rows[0]).toMatchObject({ isInDoubt: true });
    expect(rows[0]?.state).not.toBe("delivered");
  }
});

test("a claim is made for what is kept, and for nothing else", async () => {
  const { page, click } = both({ clockSpeed: 1 });
  const [one, other] = [await click(), await click()];
  const mine = event(one);
  expect(await read(await page(mine))).toMatchObject({ state: "delivered" });
  // The same key with another click is a conflict; the event claims no click.
  expect((await read(await page({ ...mine, clickId: other }))).error?.code).toBe("conversion_conflict");
  expect(await read(await page(event(other)))).toMatchObject({ state: "delivered" });
  expect((await read(await page(event(other)))).error?.code).toBe("click_converted");
});

test.each([
  ["refused", () => Response.json({ success: false, message: "Offer is paused" })],
  ["refused", () => new Response("{}", { status: 400 })],
  ["cancelled", () => new Response("", { status: 429 })],
])("a page's order that ends %s gives its click up to the next order, and is not replayed", async (state, answer) => {
  let isGood = false;
  const sent: string[] = [];
  const { page, operate, ask } = at(async ({ url }) => {
    const { searchParams } = new URL(url);
    sent.push(searchParams.get("unique_id") ?? "");
    return isGood ? Response.json({ conversion: { conversion_id: sent.length } }) : answer();
  });
  const mine = (uniqueId: string) => ({ offerId: 12_345, clickId: "k1", uniqueId });
  const first = await read(await page(mine("ORD-1")));
  // An order that may still be recorded keeps its click.
  if (state === "cancelled") {
    expect((await read(await page(mine("ORD-2")))).error?.code).toBe("click_converted");
    await operate("cancel", { id: first.id, reason: "a test" });
  }
  isGood = true;
  sent.length = 0;
  const [second, third] = await Promise.all(
    [page(mine("ORD-2")), page(mine("ORD-3"))].map(async (each) => read(await each)),
  );
  expect([second?.state ?? second?.error?.code, third?.state ?? third?.error?.code].sort()).toEqual([
    "click_converted",
    "delivered",
  ]);
  expect(sent).toHaveLength(1);
  // The same order again is a repetition, and a replay would convert the click twice.
  expect(await read(await page(mine("ORD-1")))).toMatchObject({ state, duplicate: true, code: "click_converted" });
  for (const what of [{ id: first.id }, { state }, { code: "click_converted", state }]) {
    expect(await (await operate("replay", what)).json()).toEqual({ replayed: 0 });
  }
  await operate("cancel", { id: first.id, reason: "another one" });
  expect(await (await operate("replay", { id: first.id })).json()).toEqual({ replayed: 0 });
  expect((await (await ask(`conversions/${first.id}`)).json()) as object).toMatchObject({ code: "click_converted" });
  expect(sent).toHaveLength(1);
  // So would an upload of the export.
  const headers = { authorization: `Bearer ${OPERATOR}` };
  const csv = async (of: string) => (await ask(`operator/export.csv?state=${of}`, { headers })).text();
  expect(await csv(state)).not.toContain("ORD-1");
  expect(await csv("delivered")).toMatch(/ORD-[23]/);
});

test("an order in doubt keeps its click when it ends", async () => {
  let attempts = 0;
  const { page, operate } = at(async () => {
    attempts += 1;
    return new Response("", { status: attempts === 1 ? 500 : 400 });
  });
  const mine = (uniqueId: string) => ({ offerId: 12_345, clickId: "k1", uniqueId });
  const first = await read(await page(mine("ORD-1"), ""));
  await operate("cancel", { id: first.id, reason: "a test" });
  expect((await read(await page(mine("ORD-2")))).error?.code).toBe("click_converted");
  expect(await (await operate("replay", { id: first.id })).json()).toEqual({ replayed: 1 });
});

/** A forwarder in front of a CAKE that answers so. */
function at(fetch: (request: Request) => Promise<Response>) {
  const forwarder = createForwarderInProcess({
    baseUrl: "https://a.cakemarketing.com",
    apiKey: KEY,
    operatorSecret: OPERATOR,
    origins: [SITE],
    clockSpeed: 1,
    log: () => {},
    fetch,
  });
  const ask = (path: string, init: RequestInit = {}) => forwarder.fetch(new Request(`${SITE}/cake/${path}`, init));
  const json = { origin: SITE, "content-type": "application/json" };
  const page = (body: object, query = "?wait=1") =>
    ask(`conversions${query}`, { method: "POST", headers: json, body: JSON.stringify(body) });
  const operate = (path: string, body: object) =>
    ask(`operator/${path}`, {
      method: "POST",
      headers: { ...json, authorization: `Bearer ${OPERATOR}` },
      body: JSON.stringify(body),
    });
  return { ask, page, operate };
}

test("a full outbox claims nothing", async () => {
  const { page, click, faults } = both({ capacity: 1, clockSpeed: 100 });
  await faults([{ share: 1, kinds: ["server_error"] }]);
  const [one, other] = [await click(), await click()];
  await page(event(one), "");
  expect((await read(await page(event(other), ""))).error?.code).toBe("outbox_full");
  await faults([]);
  await expect.poll(async () => (await read(await page(event(other), ""))).state, { timeout: 20_000 }).toBe("pending");
});

test("of two events that claim one click in one batch the first counts", async () => {
  const { page, click } = both();
  const clickId = await click();
  const conversions = [event(clickId), event(clickId)];
  const { results } = (await (await page({ conversions })).json()) as { results: Answer[] };
  expect(results).toMatchObject([{ state: "delivered" }, { error: { code: "click_converted" } }]);
});

test("a log that throws, now or later, holds nothing up", async () => {
  for (const log of [
    () => {
      throw new Error("the log is full");
    },
    () => Promise.reject(new Error("the log is full")) as never,
  ]) {
    const { page, click } = both({ log });
    expect(await read(await page(event(await click())))).toMatchObject({ state: "delivered" });
  }
});

test("what cannot be kept once is not promised, and kept and delivered later", async () => {
  let failures = 2;
  let kept: { rows: readonly { state: string }[] } | undefined;
  const { page, click } = both({
    keep: async (snapshot) => {
      if (failures-- > 0) throw new Error("the disk is full");
      kept = structuredClone(snapshot);
    },
  });
  const mine = event(await click());
  const refused = await page(mine, "");
  expect(refused.status).toBe(503);
  expect((await read(refused)).error?.code).toBe("outbox_unavailable");
  expect(await read(await page(mine))).toMatchObject({ state: "delivered", duplicate: true });
  await expect.poll(() => kept?.rows[0]?.state, { timeout: 5_000 }).toBe("delivered");
});

test("a store that cannot be written for a while ends no process and loses no event", async () => {
  let isBroken = true;
  const { page, click, recorded } = both({
    keep: async () => {
      if (isBroken) throw new Error("the disk is full");
    },
  });
  const mine = event(await click());
  expect((await page(mine, "")).status).toBe(503);
  // What is not kept is not sent: after the process, nobody would know of it.
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(await recorded()).toEqual([]);
  isBroken = false;
  await expect.poll(async () => (await recorded()).length, { timeout: 5_000 }).toBe(1);
});

test("no request leaves before its event is kept, and a process that ends before sends nothing", async () => {
  for (const ends of ["kept", "refused", "never"] as const) {
    const sent: string[] = [];
    let isKept = false;
    const make = (more: object) =>
      createForwarderInProcess({
        baseUrl: "http://127.0.0.1",
        apiKey: KEY,
        operatorSecret: OPERATOR,
        upstreamDedupe: false,
        log: () => undefined,
        fetch: async () => {
          sent.push(isKept ? "after" : "before");
          return Response.json({ request_status: "Success", conversion: { conversion_id: 7 } });
        },
        ...more,
      });
    const forwarder = make({
      keep: async () => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        if (ends === "refused") throw new Error("closed");
        if (ends === "never") await new Promise(() => undefined);
        isKept = true;
      },
    });
    const body = JSON.stringify(event(crypto.randomUUID()));
    const post = (to: typeof forwarder) =>
      to.fetch(new Request(`${SITE}/cake/conversions?wait=1`, { method: "POST", headers: { origin: SITE }, body }));
    const first = post(forwarder);
    if (ends === "kept") expect((await (await first).json()) as object).toMatchObject({ state: "delivered" });
    else await new Promise((resolve) => setTimeout(resolve, 500));
    expect(sent).toEqual(ends === "kept" ? ["after"] : []);
  }
});

test("a fetch that throws at once is an attempt that failed", async () => {
  let isBroken = true;
  const lines: string[] = [];
  const forwarder = createForwarderInProcess({
    baseUrl: "http://127.0.0.1",
    apiKey: KEY,
    operatorSecret: OPERATOR,
    clockSpeed: 1_000,
    log: (line) => {
      if (line.event === "conversion") lines.push(`${line.state} ${line.code}`);
    },
    fetch: () => {
      if (isBroken) {
        isBroken = false;
        throw new TypeError("no such binding");
      }
      return Promise.resolve(Response.json({ conversion: { conversion_id: 7 } }));
    },
  });
  const answer = await forwarder.fetch(
    new Request(`${SITE}/cake/conversions?wait=1`, {
      method: "POST",
      headers: { origin: SITE, "content-type": "application/json" },
      body: JSON.stringify(event("abc")),
    }),
  );
  expect(await answer.json()).toMatchObject({ state: "delivered", attempts: 2 });
  expect(lines).toEqual(["pending ", "pending network", "delivered "]);
});
