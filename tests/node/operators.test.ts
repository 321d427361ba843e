/** The operator's view and actions: filters, replays, cancelling, doubt, sign-ins; in one process. */
import { randomUUID } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import type { StoreSnapshot } from "../../dist/entry/forwarder-memory.inline.js";
import { both, event, OPERATOR, SITE } from "./forwarder-in-process.ts";

interface Listed {
  readonly id: string;
  readonly state: string;
  readonly isInDoubt: boolean;
  readonly code: string;
  readonly waitsFor: string | null;
  readonly nextAt: string | null;
  readonly cancelReason?: string;
  readonly conversion: { readonly uniqueId: string; readonly offerId: number };
}

const no = (message: string) => Response.json({ success: false, message });

/** A forwarder in front of a CAKE with a configured answer for each unique id. */
function answering(answers: Record<string, () => Response | Promise<Response>>, more: Parameters<typeof both>[0] = {}) {
  const kit = both({
    fetch: async (request) => {
      const uniqueId = new URL(request.url).searchParams.get("unique_id") ?? "";
      return (answers[uniqueId] ?? (() => Response.json({ conversion: { conversion_id: 7 } })))();
    },
    ...more,
  });
  const rows = async (query = "") =>
    ((await (await kit.operator(`conversions?${query}`)).json()) as { rows: Listed[] }).rows;
  const post = (path: string, body: object) => kit.operator(path, { method: "POST", body: JSON.stringify(body) });
  const handOver = async (uniqueId: string, more: object = {}) =>
    (await (await kit.backend({ ...event(randomUUID()), uniqueId, ...more })).json()) as { id: string; state: string };
  return { ...kit, rows, post, handOver };
}

describe("filters", () => {
  const make = async () => {
    const kit = answering({
      closed: () => no("Offer is closed"),
      other: () => no("Offer is closed"),
      bad: () => new Response("", { status: 400 }),
    });
    await kit.handOver("closed");
    await kit.handOver("other", { offerId: 777 });
    await kit.handOver("bad");
    await kit.handOver("fine");
    return kit;
  };

  test.each([
    ["", ["fine", "bad", "other", "closed"]],
    ["state=failed", ["bad", "other", "closed"]],
    ["state=refused&offerId=12345", ["bad", "closed"]],
    ["code=http_status", ["bad"]],
    ["offerId=777", ["other"]],
    ["state=delivered", ["fine"]],
    ["isInDoubt=true", []],
    ["since=2020-01-01&until=2999-01-01T00:00Z&state=failed", ["bad", "other", "closed"]],
    ["since=2020-01-01&state=delivered", ["fine"]],
    ["until=2020-01-01T00:00", []],
    ["state=&offerId=&code=&since=&until=", ["fine", "bad", "other", "closed"]],
  ])("%s lists what it says", async (query, expected) => {
    const { rows } = await make();
    expect((await rows(query)).map(({ conversion }) => conversion.uniqueId)).toEqual(expected);
  });

  test.each([
    [{ offerId: 777 }, ["other"]],
    [{ code: "http_status" }, ["bad"]],
    [{ state: "refused", offerId: "12345", code: "refused" }, ["closed"]],
    [{ state: "failed" }, ["bad", "closed", "other"]],
    [{ until: "2020-01-01" }, []],
    [{ since: "2020-01-01T00:00:00+02:00" }, ["bad", "closed", "other"]],
    [{ isInDoubt: true }, []],
    [{ isInDoubt: false, offerId: 12_345 }, ["bad", "closed"]],
  ])("a replay of %j sends those and no others", async (filter, expected) => {
    const { post, lines } = await make();
    const before = lines.length;
    expect(await (await post("replay", filter)).json()).toEqual({ replayed: expected.length });
    const again = new Set(
      lines
        .slice(before)
        .filter(({ attempt }) => attempt === 0)
        .map(({ id }) => id),
    );
    expect(again.size).toBe(expected.length);
  });

  test.each([
    [{}, 400],
    [{ state: "" }, 400],
    [{ state: "delivered" }, 400],
    [{ state: "pending", offerId: 777 }, 400],
    [{ state: "elsewhere" }, 400],
    [{ ofer: 777 }, 400],
    [{ offerId: 777, stat: "dead" }, 400],
    [{ offerId: 1.5 }, 400],
    [{ offerId: "x" }, 400],
    [{ since: "yesterday" }, 400],
    [{ since: "2026-13-01" }, 400],
    [{ isInDoubt: "perhaps" }, 400],
    [{ id: "0".repeat(32), offerId: 777 }, 400],
    [{ id: "x" }, 404],
    [[], 400],
    [null, 400],
  ])("a replay of %j is refused and sends nothing", async (filter, status) => {
    const { post, lines } = await make();
    const before = lines.length;
    const answer = await post("replay", filter as object);
    expect(answer.status).toBe(status);
    const told = await answer.text();
    if (filter === null || Array.isArray(filter)) expect(told).toContain("must be a JSON object or a form");
    else if ("offerId" in filter && "id" in filter) expect(told).toContain("is not taken beside id");
    expect(lines.length).toBe(before);
  });

  test.each([
    ["1", 200],
    ["500", 200],
    ["100000", 200],
    ["", 200],
    ["1.5", 400],
    ["0", 400],
    ["-1", 400],
    ["1e2", 400],
    ["0x10", 400],
    ["NaN", 400],
    ["ten", 400],
  ])("limit=%s is answered %i", async (limit, status) => {
    const { operator } = await make();
    const answer = await operator(`conversions?limit=${limit}`);
    expect(answer.status).toBe(status);
    if (status === 400)
      expect(await answer.json()).toMatchObject({ error: { code: "invalid_field", parameter: "limit" } });
  });
});

describe("a question that cannot be meant", () => {
  test.each([
    ["from=zzz", "from"],
    ["from=-1", "from"],
    ["from=1.5.7.9.11.13.15.17.19.21.23.25.27.29.31.33.35.37", "from"],
    ["from=1e3", "from"],
    ["since=2026-02-30", "since"],
    ["since=2026-13-01", "since"],
    ["since=2026-02-29T10:00Z", "since"],
    ["until=2026-02-31T10:00:00Z", "until"],
    ["until=2026-04-31", "until"],
    ["until=2026-01-01T25:00Z", "until"],
    ["state=delivered&state=dead", "state"],
    ["offerId=1&offerId=2", "offerId"],
    ["limit=1&limit=2", "limit"],
    ["from=&from=", "from"],
  ])("%s is refused, by the list and as CSV", async (query, parameter) => {
    const { operator } = both();
    const isOfTheList = /^(from|limit)/.test(query);
    for (const path of ["conversions", ...(isOfTheList ? [] : ["export.csv"])]) {
      const answer = await operator(`${path}?${query}`);
      expect(answer.status, path).toBe(400);
      expect(await answer.json()).toMatchObject({ error: { code: "invalid_field", parameter } });
    }
  });

  test.each(["from=", "since=2024-02-29", "since=2026-01-31T23:59:59.999Z&until=2026-12-31", "since=1970-01-01"])(
    "%s is answered",
    async (query) => {
      const { operator } = both();
      expect((await operator(`conversions?${query}`)).status).toBe(200);
    },
  );
});

describe("cancelling", () => {
  test("what waits is sent no more, says why, and can be sent once more", async () => {
    let isDown = true;
    const { post, rows, backend, operator, lines, ask } = answering(
      {
        late: () => (isDown ? new Response("", { status: 503 }) : Response.json({ conversion: { conversion_id: 9 } })),
      },
      { clockSpeed: 100 },
    );
    const mine = event(randomUUID(), { uniqueId: "late" });
    const { id, state } = (await (await backend(mine, "")).json()) as { id: string; state: string };
    expect(state).toBe("pending");
    await expect.poll(() => lines.some(({ attempt }) => attempt === 1)).toBe(true);
    const reason = "ordered by mistake";
    expect(await (await post("cancel", { id, reason })).json()).toEqual({ id, state: "cancelled" });
    const count = lines.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(lines.length).toBe(count);
    expect(lines.at(-1)).toMatchObject({ id, state: "cancelled", code: "cancelled" });
    expect(await rows("state=cancelled")).toMatchObject([{ id, cancelReason: reason, waitsFor: null, nextAt: null }]);
    expect(await (await ask(`conversions/${id}`)).json()).toMatchObject({ state: "cancelled" });
    // The same event again is a duplicate, and stays cancelled.
    expect(await (await backend(mine)).json()).toMatchObject({ id, state: "cancelled", duplicate: true });
    expect(await (await operator("counts")).json()).toMatchObject({ counts: { pending: 0, cancelled: 1 } });
    isDown = false;
    // A filter covers failed events; a cancelled event must be named by its id.
    expect(await (await post("replay", { offerId: 12_345 })).json()).toEqual({ replayed: 0 });
    expect(await (await post("replay", { id })).json()).toEqual({ replayed: 1 });
    await expect.poll(async () => (await rows("state=delivered")).length).toBe(1);
    expect((await post("cancel", { id, reason })).status).toBe(409);
  });

  test("what is on its way is waited for: recorded, it is delivered", async () => {
    let answer = (_: Response) => {};
    const { backend, post, lines } = answering({
      slow: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    });
    const { id } = (await (await backend(event(randomUUID(), { uniqueId: "slow" }), "")).json()) as { id: string };
    const cancelled = post("cancel", { id, reason: "too late" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    answer(Response.json({ conversion: { conversion_id: 7 } }));
    expect((await cancelled).status).toBe(409);
    expect(lines.at(-1)).toMatchObject({ id, state: "delivered" });
  });

  test.each([
    [{ reason: "no id" }, 404],
    [{ id: "0".repeat(32), reason: "unknown" }, 404],
    [{ id: "ID" }, 400],
    [{ id: "ID", reason: " " }, 400],
    [{ id: "ID", reason: "two\nlines" }, 400],
    [{ id: "ID", reason: "x".repeat(201) }, 400],
    [{ id: "ID", reason: 7 }, 400],
    [{ id: "ID", reason: "fine", state: "dead" }, 400],
  ] as readonly (readonly [Record<string, unknown>, number])[])("%j is refused", async (fields, status) => {
    const { handOver, post, rows } = answering({ bad: () => no("closed") });
    const { id } = await handOver("bad");
    const body = fields["id"] === "ID" ? { ...fields, id } : fields;
    expect((await post("cancel", body)).status).toBe(status);
    expect((await rows("state=refused")).length).toBe(1);
  });

  test("a reason is text in the page and no markup", async () => {
    const { handOver, post, operator } = answering({ bad: () => no("closed") });
    const { id } = await handOver("bad");
    await post("cancel", { id, reason: "<img src=x onerror=alert(1)>&amp;" });
    const page = await (await operator("?state=cancelled")).text();
    expect(page).toContain("&#60;img src=x onerror=alert(1)&#62;&#38;amp;");
    expect(page).not.toContain("<img");
  });
});

describe("why an event waits", () => {
  test("for its next attempt; with all others while CAKE fails", async () => {
    const { backend, operator, lines } = both({
      clockSpeed: 1,
      fetch: async () => new Response("", { status: 503 }),
    });
    const list = async () => ((await (await operator("conversions")).json()) as { rows: Listed[] }).rows;
    await backend(event(randomUUID()), "");
    await expect.poll(() => lines.length).toBe(2);
    const [waiting] = await list();
    expect(waiting?.waitsFor).toMatch(/^(next_attempt|outcome)$/);
    expect(Date.parse(waiting?.nextAt ?? "")).toBeGreaterThan(Date.now() + 3_000);
    for (let count = 0; count < 14; count += 1) await backend(event(randomUUID()), "");
    await expect.poll(async () => (await list())[0]?.waitsFor, { timeout: 5_000 }).toBe("outage");
    const counts = (await (await operator("counts")).json()) as { holds: { reason: string; until: string }[] };
    expect(counts.holds).toMatchObject([{ reason: "outage", until: expect.stringMatching(/^\d{4}-.*Z$/) }]);
    expect(await (await operator("")).text()).toContain("CAKE fails");
  });

  test.each([
    ["wrong_address", 404, "Every event meets 404"],
    ["limited", 429, "CAKE limits"],
  ] as const)(
    "%s, which every event meets by status %i, is an alert and no heap of refusals",
    async (reason, status, words) => {
      const headers = { "retry-after": "600" };
      const { backend, operator, lines } = both({
        clockSpeed: 1,
        fetch: async () => new Response("", { status, headers }),
      });
      for (let count = 0; count < 20; count += 1) await backend(event(randomUUID()), "");
      const list = async () => ((await (await operator("conversions")).json()) as { rows: Listed[] }).rows;
      await expect.poll(async () => (await list())[0]?.waitsFor, { timeout: 5_000 }).toBe(reason);
      expect((await list()).filter(({ state }) => state === "refused").length).toBeLessThanOrEqual(2);
      const counts = (await (await operator("counts")).json()) as { holds: { reason: string }[] };
      expect(counts.holds.map((hold) => hold.reason)).toEqual([reason]);
      expect(await (await operator("")).text()).toMatch(new RegExp(`role="alert">${words}`));
      if (reason === "wrong_address") expect(lines.some(({ alert }) => alert)).toBe(true);
    },
  );

  test("another key is tried at once, and the one before no sooner than its time", async () => {
    let kept: StoreSnapshot | undefined;
    let sent = 0;
    const open = (apiKey: string) =>
      both({
        ...{ clockSpeed: 1, apiKey, kept },
        keep: async (snapshot) => {
          kept = structuredClone(snapshot);
        },
        fetch: async (request) => {
          sent += 1;
          const isRight = request.url.includes("right-key-9");
          return isRight
            ? Response.json({ success: true, conversion: { conversion_id: sent } })
            : new Response("", { status: 401 });
        },
      });
    const { backend } = open("wrong-key-1");
    for (let count = 0; count < 3; count += 1) await backend(event(randomUUID()), "");
    await expect.poll(() => sent, { timeout: 10_000 }).toBeGreaterThan(1);
    const holdsOf = async ({ operator }: ReturnType<typeof both>) =>
      ((await (await operator("counts")).json()) as { holds: { reason: string; until: string | null }[] }).holds;
    await vi.waitFor(() => expect(kept?.meta.some(([name]) => name === "paused")).toBe(true));
    // The probes of the first object end with it.
    const before = structuredClone(kept);
    const same = open("wrong-key-1");
    await vi.waitFor(async () => expect((await holdsOf(same))[0]?.until).toMatch(/^20/));
    kept = before;
    const other = open("right-key-9");
    const counts = async () => ((await (await other.operator("counts")).json()) as { counts: object }).counts;
    await expect.poll(counts, { timeout: 3_000 }).toMatchObject({ delivered: 3, paused: 0 });
    expect(await holdsOf(other)).toEqual([]);
  });

  test("a refused key is told as what it is, with its alert on the page", async () => {
    const { backend, operator } = both({ fetch: async () => new Response("", { status: 401 }) });
    for (let count = 0; count < 5; count += 1) await backend(event(randomUUID()), "");
    const list = async () => ((await (await operator("conversions")).json()) as { rows: Listed[] }).rows;
    await expect.poll(async () => (await list())[0]?.waitsFor).toBe("key_refused");
    const page = await (await operator("")).text();
    expect(page).toMatch(/role="alert">[^<]*API key/);
  });
});

test.each([
  ["state", "bad", "must be one of"],
  ["state", "paused", "events that a pause holds up are pending"],
  ["kind", "bad", "must be conversion or correction"],
  ["offerId", "x", "must be a whole number"],
])("a filter that selects nothing is refused by its name: %s=%s", async (parameter, value, rule) => {
  const { operator } = both();
  for (const path of [`conversions?${parameter}=${value}`, `export.csv?${parameter}=${value}`]) {
    const answer = await operator(path);
    expect(answer.status).toBe(400);
    const { error } = (await answer.json()) as { error: { rule: string } };
    expect(error).toMatchObject({ code: "invalid_field", parameter });
    expect(error.rule).toContain(rule);
  }
});

test("a doubt is told apart from a refusal", async () => {
  let count = 0;
  const { handOver, rows, operator } = answering({
    doubt: () => {
      count += 1;
      if (count === 1) throw new Error("connection lost");
      return new Response("", { status: 409 });
    },
    refused: () => no("Offer is closed"),
  });
  await handOver("refused");
  expect(await handOver("doubt")).toMatchObject({ state: "refused" });
  expect((await rows("isInDoubt=true")).map(({ conversion }) => conversion.uniqueId)).toEqual(["doubt"]);
  expect((await rows("isInDoubt=false&state=refused")).map(({ conversion }) => conversion.uniqueId)).toEqual([
    "refused",
  ]);
  expect(await (await operator("counts")).json()).toMatchObject({ counts: { refused: 2 }, inDoubt: 1 });
  const page = await (await operator("")).text();
  expect(page.match(/<b>in doubt<\/b>/g)).toHaveLength(1);
  expect(page).toContain("not delivered, but in doubt");
});

test("a certain no that is replayed stays a certain no", async () => {
  const { handOver, post, rows, operator } = answering({ refused: () => no("Offer is closed") });
  const { id } = await handOver("refused");
  expect(await (await post("replay", { id })).json()).toEqual({ replayed: 1 });
  await expect.poll(async () => (await rows("state=refused")).length).toBe(1);
  expect(await rows()).toMatchObject([{ state: "refused", isInDoubt: false }]);
  expect(await (await operator("counts")).json()).toMatchObject({ inDoubt: 0 });
});

describe("sign-ins", () => {
  const form = (ask: ReturnType<typeof both>["ask"], secret: string, address?: string) =>
    ask("operator/login", {
      method: "POST",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        origin: SITE,
        ...(address === undefined ? {} : { "cf-connecting-ip": address }),
      },
      body: new URLSearchParams({ secret }).toString(),
    });
  const cookieOf = (answer: Response) => (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";

  test.each(["browser", "bearer"])("are limited by %s, for the one who fails, whatever comes next", async (by) => {
    const { ask, operatorLines } = both();
    const attempt = (secret: string, address: string) =>
      by === "browser"
        ? form(ask, secret, address)
        : ask("operator/counts", { headers: { authorization: `Bearer ${secret}`, "cf-connecting-ip": address } });
    const session = cookieOf(await form(ask, OPERATOR, "203.0.113.1"));
    const statuses: number[] = [];
    for (let tries = 0; tries < 15; tries += 1) statuses.push((await attempt("wrong", "203.0.113.1")).status);
    expect(statuses).toEqual([...Array(10).fill(401), ...Array(5).fill(429)]);
    const right = await attempt(OPERATOR, "203.0.113.1");
    expect(right.status).toBe(429);
    expect(Number(right.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(Number(right.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    expect((await attempt(OPERATOR, "203.0.113.2")).status).toBeLessThan(400);
    // An operator who is signed in stays signed in.
    const inside = await ask("operator/counts", { headers: { cookie: session, "cf-connecting-ip": "203.0.113.1" } });
    expect(inside.status).toBe(200);
    const outcomes = operatorLines.map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === "refused")).toHaveLength(10);
    expect(outcomes.filter((outcome) => outcome === "limited")).toHaveLength(6);
    expect(operatorLines.filter(({ alert }) => alert)).toHaveLength(6);
    expect(JSON.stringify(operatorLines)).not.toMatch(/203\.0\.113|wrong|correct-horse/);
  });

  test("count a whole IPv6 network as one, however its addresses are written", async () => {
    const { ask } = both();
    const attempt = async (address: string) => (await form(ask, "wrong", address)).status;
    const statuses: number[] = [];
    for (let tries = 0; tries < 12; tries += 1) statuses.push(await attempt(`2001:db8:1:2::${tries.toString(16)}`));
    expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
    for (const same of ["2001:DB8:0001:2:9:8:7:6", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::192.0.2.1"])
      expect(await attempt(same), same).toBe(429);
    for (const other of ["2001:db8:1:3::1", "2001:db8::1:2", "2001:db8:1::2", "::1", "::ffff:192.0.2.1", "192.0.2.2"])
      expect(await attempt(other), other).toBe(401);
  });

  test("signing out ends the session and no other, wherever its cookie has been copied to", async () => {
    const { ask, operatorLines } = both();
    const [mine, other] = [cookieOf(await form(ask, OPERATOR)), cookieOf(await form(ask, OPERATOR))];
    expect(mine).not.toBe(other);
    const counts = async (cookie: string) => (await ask("operator/counts", { headers: { cookie } })).status;
    expect([await counts(mine), await counts(other)]).toEqual([200, 200]);
    const out = await ask("operator/logout", { method: "POST", headers: { cookie: mine, origin: SITE } });
    expect([out.status, out.headers.get("set-cookie")]).toEqual([303, expect.stringContaining("Max-Age=0")]);
    expect([await counts(mine), await counts(other)]).toEqual([401, 200]);
    expect((await ask("operator", { headers: { cookie: mine } })).status).toBe(200);
    expect(await (await ask("operator", { headers: { cookie: mine } })).text()).toContain("Operator's secret");
    expect(operatorLines.map(({ action }) => action)).toEqual(["sign_in", "sign_in", "sign_out"]);
  });

  test("a session that was ended stays ended in the next process", async () => {
    let kept: StoreSnapshot | undefined;
    const keep = async (snapshot: StoreSnapshot) => {
      kept = structuredClone(snapshot);
    };
    const first = both({ keep });
    const cookie = cookieOf(await form(first.ask, OPERATOR));
    await first.ask("operator/logout", { method: "POST", headers: { cookie, origin: SITE } });
    const second = both({ kept });
    expect((await second.ask("operator/counts", { headers: { cookie } })).status).toBe(401);
  });

  test("an address that another site would see leads nowhere but here", async () => {
    const { forwarder } = both();
    const answer = await forwarder.fetch(
      new Request(`${SITE}//evil.example/operator/login`, {
        method: "POST",
        headers: { origin: SITE },
        body: new URLSearchParams({ secret: OPERATOR }).toString(),
      }),
    );
    expect(answer.headers.get("location")).toBe("/evil.example/operator");
  });
});
