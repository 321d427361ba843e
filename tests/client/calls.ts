/** The client's requests and answers, its options and its lists; Node and workerd both run this file. */
import { expect, test } from "vitest";
import vectors from "../vectors/api_samples.json" with { type: "json" };
import { CANARY, expectNoKey } from "./faults.ts";

type Edge = typeof import("../../dist/edge/index.js");
type Cake = ReturnType<Edge["createCakeClient"]>;
type Options = Partial<Parameters<Edge["createCakeClient"]>[0]>;

interface Click {
  click_id: string;
  offer_id: number;
  affiliate_id: number;
}

export function callTests({ createCakeClient, isCakeError }: Edge): void {
  const base = { baseUrl: vectors.base_url, apiKey: vectors.api_key };
  const client = (fetch: (request: Request) => Response | Promise<Response>, options: Options = {}) =>
    createCakeClient({ ...base, fetch: async (request) => fetch(request as never) as never, ...options });
  const nobody = () => Promise.reject(new Error("nothing may be sent"));

  /** The calls by name, as in the vectors; a list call returns its page. */
  const run = (cake: Cake, action: string, params: unknown): Promise<unknown> => {
    if (action === "getClick") return cake.getClick((params as { clickId: string }).clickId);
    const result = (cake[action as keyof Cake] as (params: unknown) => unknown)(params);
    return action === "listClicks" || action === "listConversions"
      ? (result as ReturnType<Cake["listClicks"]>).page()
      : (result as Promise<unknown>);
  };
  /** The value as JSON, without the numbers that JavaScript adds to amounts. */
  const plain = (value: unknown) =>
    value === undefined
      ? null
      : JSON.parse(JSON.stringify(value, (name, each) => (name === "payout" || name === "revenue" ? undefined : each)));
  const codeOf = (promise: Promise<unknown> | (() => unknown)) =>
    new Promise((resolve) => resolve(typeof promise === "function" ? promise() : promise)).then(
      (value) => `resolved to ${JSON.stringify(value)}`,
      (error: unknown) => {
        if (!isCakeError(error)) return String(error);
        return error.parameter === undefined ? error.code : `${error.code} ${error.parameter}`;
      },
    );

  test.each(vectors.calls)("$action is sent and read as the article shows", async ({ action, ...vector }) => {
    const sent: unknown[] = [];
    const cake = client(async (request) => {
      sent.push([request.method, request.url, request.redirect, await request.text()]);
      return new Response(vector.answer, { headers: { "content-type": "application/json" } });
    });
    expect(plain(await run(cake, action, vector.params))).toEqual(vector.outcome);
    // In a URL a macro's # would begin a fragment; a body sends it unchanged.
    expect(sent).toEqual([[vector.method, vector.url, "manual", vector.body ?? ""]]);
  });

  test.each(vectors.other_answers)("$action reads $about", async ({ action, params, answer, outcome }) => {
    const read = await run(
      client(() => new Response(answer)),
      action,
      params,
    );
    expect(plain(read)).toEqual(outcome);
  });

  test.each(vectors.refused_params)("$action refuses $params before anything is sent", async (vector) => {
    const expected = `${vector.code} ${vector.parameter}`;
    expect(await codeOf(run(client(nobody), vector.action, vector.params))).toBe(expected);
  });

  test("money comes as exact text and as a number beside it", async () => {
    const { answer, params } = vectors.calls[2] as unknown as { answer: string; params: never };
    const conversion = await client(() => new Response(answer)).recordConversion(params);
    expect(conversion).toMatchObject({ payout: 18, payoutText: "18.00", revenue: 22, revenueText: "22.00" });
  });

  test("JavaScript's own traps are refused, with the parameter's name", async () => {
    const cake = client(nobody);
    const record = (more: object) => codeOf(cake.recordConversion({ clickId: "c", offerId: 1, ...more } as never));
    expect(await record({ payout: Number.NaN })).toBe("invalid_money payout");
    expect(await record({ payout: 0.1 + 0.2 })).toBe("invalid_money payout");
    expect(await record({ payout: 1e21 })).toBe("invalid_money payout");
    expect(await record({ revenue: Number.POSITIVE_INFINITY })).toBe("invalid_money revenue");
    expect(await record({ offerId: 1n })).toBe("invalid_field offerId");
    expect(await record({ uniqueId: () => "x" })).toBe("invalid_field uniqueId");
    expect(await record({ conversionDate: new Date() })).toBe("invalid_field conversionDate");
    expect(await codeOf(cake.recordConversion(null as never))).toBe("invalid_field params");
    expect(await codeOf(cake.recordConversion([] as never))).toBe("invalid_field params");
    expect(await codeOf(cake.getClick(7 as never))).toBe("invalid_field clickId");
    expect(await codeOf(cake.listConversions(undefined as never).page())).toBe("invalid_field params");
    const cyclic: Record<string, unknown> = {};
    cyclic["adv1"] = cyclic;
    expect(await record(cyclic)).toBe("invalid_field params");
  });

  test("a misspelt option is refused by its name, and so is a wrong value", async () => {
    for (const [options, parameter] of [
      [{ retires: 1 }, "retires"],
      [{ retries: -1 }, "retries"],
      [{ retries: 1.5 }, "retries"],
      [{ timeoutMs: 0 }, "timeoutMs"],
      [{ timeoutMs: "5" }, "timeoutMs"],
      [{ rateLimit: 0 }, "rateLimit"],
      [{ verify: "no" }, "verify"],
      [{ readOnly: "yes" }, "readOnly"],
      [{ fetch: {} }, "fetch"],
      [{ onRequest: 1 }, "onRequest"],
      [{ timeZone: "Mars/Olympus" }, "timeZone"],
    ] as const) {
      const open = () => createCakeClient({ ...base, ...(options as object) });
      expect(await codeOf(open)).toBe(`invalid_field ${parameter}`);
    }
    const cake = client(nobody);
    expect(await codeOf(cake.getClick("a", { signl: 1 } as never))).toBe("invalid_field signl");
    expect(await codeOf(cake.getClick("a", { signal: 1 } as never))).toBe("invalid_field signal");
    expect(await codeOf(cake.listClicks({}, { max: 1 } as never).page())).toBe("invalid_field max");
    expect(await codeOf(() => createCakeClient(undefined as never))).toMatch(/^invalid_(field|base_url)/);
  });

  test("in a page no client is opened", async () => {
    Object.assign(globalThis, { document: {}, window: globalThis });
    try {
      expect(await codeOf(() => createCakeClient(base))).toBe("key_in_page");
    } finally {
      const page = globalThis as { document?: unknown; window?: unknown };
      delete page.document;
      delete page.window;
    }
  });

  test("a read-only client reads, and refuses to write", async () => {
    const cake = client(() => new Response('{"response":{"clicks":[]}}'), { readOnly: true });
    expect(await cake.getClick("abc")).toBeUndefined();
    expect(await codeOf(cake.recordConversion({ clickId: "c", offerId: 1 }))).toBe("read_only");
    const postback = { affiliateId: 1, offerId: 0, postbackUrl: "https://partner.example/" };
    expect(await codeOf(cake.createPostback(postback))).toBe("read_only");
  });

  test("hooks are told everything but the key, and their failures harm nothing", async () => {
    const told: unknown[] = [];
    const cake = client(() => new Response('{"response":{"clicks":[]}}'), {
      apiKey: CANARY,
      onRequest(request) {
        told.push(request);
        throw new Error("the hook's own");
      },
      async onResponse(response) {
        told.push(response);
        throw new Error("the hook's own, later");
      },
    });
    await cake.getClick("abc");
    const request = { method: "GET", path: "/api/2/click.json", query: "click_id=abc", attempt: 1 };
    expect(told).toEqual([request, { ...request, status: 200, ms: expect.any(Number) }]);
    expectNoKey(JSON.stringify(told), cake, JSON.stringify(cake));
  });

  test("a rate limit spaces requests, also those that start together", async () => {
    const starts: number[] = [];
    const cake = client(
      () => {
        starts.push(Date.now());
        return new Response('{"response":{"clicks":[]}}');
      },
      { rateLimit: 20 },
    );
    await Promise.all([1, 2, 3].map(() => cake.getClick("abc")));
    const [first = 0, , third = 0] = starts;
    expect(third - first).toBeGreaterThanOrEqual(90);
  });

  test("with the account's time zone dates come with their instant, and a Date can be sent", async () => {
    let sent = "";
    const click = '{"click_id":"a","offer_id":1,"affiliate_id":1,"click_date":"2026-07-01 12:00:00"}';
    const cake = client(
      (request) => {
        sent = new URL(request.url).searchParams.get("conversion_date") ?? "";
        return new Response(
          sent === ""
            ? `{"response":{"clicks":[${click}]}}`
            : `{"conversion":{"conversion_id":1,"conversion_date":"${sent}"}}`,
        );
      },
      { timeZone: "America/New_York" },
    );
    const noon = new Date("2026-07-01T16:00:00Z");
    expect((await cake.getClick("a"))?.clickAt).toEqual(noon);
    expect((await cake.listClicks().page()).rows[0]?.clickAt).toEqual(noon);
    const { conversionAt } = await cake.recordConversion({ clickId: "a", offerId: 1, conversionDate: noon });
    expect(sent).toBe("2026-07-01 12:00:00");
    expect(conversionAt).toEqual(noon);
    // The hour that occurs twice: its first time. The hour that does not exist: an hour later.
    for (const [civil, instant] of [
      ["2026-11-01 01:30:00", "2026-11-01T05:30:00Z"],
      ["2026-03-08 02:30:00", "2026-03-08T07:30:00Z"],
      ["2026-03-08 01:59:59", "2026-03-08T06:59:59Z"],
      ["2026-03-08 03:00:00", "2026-03-08T07:00:00Z"],
      ["2026-11-01 02:00:00", "2026-11-01T07:00:00Z"],
      ["2026-01-15 00:00:00", "2026-01-15T05:00:00Z"],
    ] as const) {
      const conversion = await cake.recordConversion({ clickId: "a", offerId: 1, conversionDate: civil });
      expect(conversion.conversionAt, civil).toEqual(new Date(instant));
    }
  });

  /** A list of clicks on a server that counts rows from 0 or from 1. */
  const listOf = (count: number, { from = 0, most = 10_000, sent = [] as string[] } = {}) => {
    const rows: Click[] = Array.from({ length: count }, (_, i) => ({
      click_id: `click-${i}`,
      offer_id: 1,
      affiliate_id: 2,
    }));
    return (request: Request) => {
      const query = new URL(request.url).searchParams;
      sent.push(`${query.get("start_at_row")}+${query.get("row_limit")}`);
      const start = Math.max(Number(query.get("start_at_row") ?? 0) - from, 0);
      const limit = Math.min(Number(query.get("row_limit") ?? 100), most);
      return Response.json({
        request_status: "Success",
        response: { clicks: rows.slice(start, start + limit), total_rows: rows.length },
      });
    };
  };
  const idsOf = async (list: AsyncIterable<{ clickId?: string | undefined }>) => {
    const ids = [];
    for await (const { clickId } of list) ids.push(clickId);
    return ids;
  };
  const expected = (count: number) => Array.from({ length: count }, (_, i) => `click-${i}`);

  test.each([
    [0, 10_000],
    [1, 10_000],
    [0, 7],
    [1, 7],
  ])("iterating brings every row once where rows count from %i and a page holds %i", async (from, most) => {
    for (const rowLimit of [1, 2, 10, 100]) {
      const cake = client(listOf(25, { from, most }));
      expect(await idsOf(cake.listClicks({ rowLimit }))).toEqual(expected(25));
    }
  });

  test("iterating asks for large pages, stops at maxRows and tells how far it is", async () => {
    const sent: string[] = [];
    const cake = client(listOf(1_500, { sent }));
    expect(await idsOf(cake.listClicks())).toHaveLength(1_500);
    // Each page begins with the last row of the page before, so that a removed row is noticed.
    expect(sent).toEqual(["0+1000", "999+1000"]);
    const progress: unknown[] = [];
    const options = { maxRows: 15, onPage: (each: unknown) => progress.push(each) };
    expect(await idsOf(cake.listClicks({ rowLimit: 10 }, options))).toEqual(expected(15));
    expect(progress).toEqual([
      { rows: 10, totalRows: 1_500, pages: 1 },
      { rows: 15, totalRows: 1_500, pages: 2 },
    ]);
    expect(sent.slice(2)).toEqual(["0+10", "9+6"]);
  });

  test("a list sends nothing before it is read, and no more once it is left", async () => {
    const sent: string[] = [];
    const list = client(listOf(50, { sent })).listClicks({ rowLimit: 10 });
    expect(sent).toEqual([]);
    for await (const _ of list) break;
    expect(sent).toEqual(["0+10"]);
  });

  test("an abort ends a list between two rows", async () => {
    const controller = new AbortController();
    const list = client(listOf(50)).listClicks({ rowLimit: 10 }, { signal: controller.signal });
    let rows = 0;
    const reading = (async () => {
      for await (const _ of list) if (++rows === 5) controller.abort();
    })();
    expect(await codeOf(reading)).toBe("aborted");
    expect(rows).toBe(5);
  });

  test("what a row lacks is absent in it, and its neighbours come", async () => {
    const good = { click_id: "good", offer_id: 1, affiliate_id: 2, converted: false };
    const odd: [unknown, object | undefined][] = [
      [
        { click_id: "a", offer_id: null, affiliate_id: 1 },
        { clickId: "a", affiliateId: 1 },
      ],
      [{ click_id: "a", offer_id: "x", affiliate_id: [] }, { clickId: "a" }],
      [{ offer_id: 1 }, { offerId: 1 }],
      [
        { click_id: { "#text": "a" }, converted: "TRUE", conversion_id: "7" },
        { clickId: "a", conversionId: 7 },
      ],
      [
        { ClickId: "a", OfferId: "12", SubId1: "x", Converted: 1 },
        { clickId: "a", offerId: 12, subId1: "x" },
      ],
      [{ click: { click_id: "a" } }, { clickId: "a" }],
      [{ click_id: "a", sub_id_1: { "@nil": "true" }, conversion_id: 0 }, { clickId: "a" }],
      [{}, {}],
      [7, undefined],
      [null, undefined],
    ];
    for (const [row, expected] of odd) {
      const cake = client(() => Response.json({ response: { clicks: [good, row, good] } }));
      const { rows } = await cake.listClicks().page();
      const read = { clickId: "good", offerId: 1, affiliateId: 2, converted: false };
      // Whoever says nothing of a conversion says nothing; an empty id says that there is none.
      const text = JSON.stringify(row) ?? "";
      const said = /onverted":(1|"TRUE")/.test(text) ? { converted: true } : {};
      const told = /conversion_id":0/.test(text) ? { converted: false } : said;
      expect(rows.map(plain), JSON.stringify(row)).toEqual(
        expected === undefined ? [read, read] : [read, { ...told, ...expected }, read],
      );
    }
  });

  test("lists and totals are read in the dress of services and gateways", async () => {
    const row = { click_id: "a" };
    for (const [response, ids] of [
      [{ clicks: row, total_rows: "1" }, ["a"]],
      [{ clicks: { click: [row, { click_id: "b" }] }, total_rows: { "#text": "2" } }, ["a", "b"]],
      [{ clicks: { $values: [row] }, total_rows: "?" }, ["a"]],
      [{ clicks: "", total_rows: 0 }, []],
      [{ clicks: null, total_rows: 0 }, []],
      [{ Clicks: [row], TotalRows: 1 }, ["a"]],
      [{ data: { clicks: [row] } }, ["a"]],
    ] as const) {
      for (const body of [{ response }, { d: { request_status: "Success", response } }]) {
        const { rows } = await client(() => Response.json(body))
          .listClicks()
          .page();
        expect(
          rows.map(({ clickId }) => clickId),
          JSON.stringify(body),
        ).toEqual(ids);
      }
    }
    const conversion = { conversion_id: "7", payout: { amount: "18.5000" }, offer_id: 3 };
    for (const conversions of [
      [conversion],
      conversion,
      { conversion },
      [{ conversion }],
      [{ Conversion: conversion }],
    ]) {
      const { rows } = await client(() => Response.json({ success: true, conversions, row_count: 1 }))
        .listConversions({ startDate: "2026-06-01", endDate: "2026-06-19" })
        .page();
      expect(rows, JSON.stringify(conversions)).toMatchObject([
        { conversionId: 7, payoutText: "18.5000", payout: 18.5, offer: { offerId: 3 } },
      ]);
    }
  });

  test("numbers keep their digits, in lists as in single reads", async () => {
    const row =
      '{"click_id":12345678901234567890,"offer_id":1,"affiliate_id":2,"sub_id_1":"a:1.50,\\"b","sub_id_2":98765432109876543210,"sub_id_3":1.50}';
    const cake = client(() => new Response(`{"response":{"clicks":[${row}]}}`));
    const expected = {
      clickId: "12345678901234567890",
      subId1: 'a:1.50,"b',
      subId2: "98765432109876543210",
      subId3: "1.50",
    };
    expect((await cake.listClicks().page()).rows).toMatchObject([expected]);
    expect(await cake.getClick("12345678901234567890")).toMatchObject(expected);
  });

  test("an instant is one in every spelling, and what cannot be read is told once", async () => {
    const at = new Date("2026-06-19T14:30:00Z");
    const told: string[] = [];
    const read = async (date: string, timeZone?: string) => {
      const rows = [
        { click_id: "a", click_date: date },
        { click_id: "b", click_date: date },
      ];
      const options = {
        onWarning: ({ field, value }: { field: string; value: string }) => told.push(`${field} ${value}`),
      };
      const cake = client(() => Response.json({ response: { clicks: rows } }), {
        ...options,
        ...(timeZone === undefined ? {} : { timeZone }),
      });
      return (await cake.listClicks().page()).rows[0]?.clickAt;
    };
    for (const date of [
      "2026-06-19T14:30:00Z",
      "2026-06-19 14:30:00Z",
      "2026-06-19T14:30:00.000Z",
      "2026-06-19T10:30:00-04:00",
      "2026-06-19T10:30:00-0400",
      "2026-06-19 16:30:00 +02:00",
      "2026-06-19 14:30:00 UTC",
      "/Date(1781879400000)/",
      "/Date(1781879400000-0400)/",
      "6/19/2026 2:30:00 PM +00:00",
      "Fri, 19 Jun 2026 14:30:00 GMT",
    ]) {
      expect(await read(date), date).toEqual(at);
    }
    for (const date of [
      "2026-06-19 10:30:00",
      "2026-06-19T10:30:00",
      "2026-06-19T10:30:00.000",
      "6/19/2026 10:30:00 AM",
      "06/19/2026 10:30",
    ]) {
      expect(await read(date, "America/New_York"), date).toEqual(at);
      expect(await read(date), date).toBeUndefined();
    }
    expect(told).toEqual([]);
    for (const date of ["yesterday", "2026-02-30 10:00:00", "19.06.2026"]) expect(await read(date)).toBeUndefined();
    expect(told).toEqual(["clickDate yesterday", "clickDate 2026-02-30 10:00:00", "clickDate 19.06.2026"]);
  });

  test("a list that shrinks by a row a call loses none that stood, and one that fills faster than it is read ends", async () => {
    let rows = Array.from({ length: 300 }, (_, index) => index);
    const serve = (change: () => void) => (request: Request) => {
      const query = new URL(request.url).searchParams;
      const start = Number(query.get("start_at_row") ?? 0);
      const clicks = rows.slice(start, start + Number(query.get("row_limit"))).map((id) => ({ click_id: `c${id}` }));
      const answer = Response.json({ response: { clicks, total_rows: rows.length } });
      change();
      return answer;
    };
    let calls = 0;
    const shrinking = client(
      serve(() => {
        if (++calls <= 100) rows = rows.slice(1);
      }),
    );
    const seen = await idsOf(shrinking.listClicks({ rowLimit: 10 }));
    expect(new Set(seen).size).toBe(seen.length);
    expect(rows.filter((id) => !seen.includes(`c${id}`))).toEqual([]);

    rows = Array.from({ length: 50 }, (_, index) => index);
    const growing = client(
      serve(() => {
        rows = [...rows, ...Array.from({ length: 20 }, (_, index) => rows.length + index)];
      }),
    );
    const found = await idsOf(growing.listClicks({ rowLimit: 10 }));
    expect(new Set(found).size).toBe(found.length);
    expect(Array.from({ length: 50 }, (_, id) => `c${id}`).filter((id) => !found.includes(id))).toEqual([]);
  });

  test("a length that is false hides no row, and a list without an end is left with a CakeError", async () => {
    const rows = Array.from({ length: 40 }, (_, id) => ({ click_id: `c${id}` }));
    const list = (total: unknown, most = 7, calls = { count: 0 }) =>
      client((request) => {
        calls.count += 1;
        const start = Number(new URL(request.url).searchParams.get("start_at_row") ?? 0);
        return Response.json({ response: { clicks: rows.slice(start, start + most), total_rows: total } });
      }).listClicks({ rowLimit: 10 });
    for (const total of [0, 1, 5, "6", -1, null, "many", 40, 41, 90, 5_000]) {
      const calls = { count: 0 };
      expect((await idsOf(list(total, 7, calls))).length, String(total)).toBe(40);
      expect(calls.count, String(total)).toBeLessThan(16);
    }
    const repeated = client((request) => {
      const start = Number(new URL(request.url).searchParams.get("start_at_row") ?? 0);
      const clicks = start > 39 ? [] : Array.from({ length: 10 }, (_, id) => ({ click_id: `c${start + id}` }));
      return Response.json({ response: { clicks, total_rows: 90 } });
    });
    const given = await idsOf(repeated.listClicks({ rowLimit: 10 })).catch((error: unknown) => error);
    if (!Array.isArray(given)) expect(given).toMatchObject({ name: "CakeError", code: "list_changed" });
    const changing = client(() => {
      const clicks = Array.from({ length: 10 }, () => ({ click_id: crypto.randomUUID() }));
      return Response.json({ response: { clicks, total_rows: 40 + Math.random() * 20 } });
    });
    const left = await idsOf(changing.listClicks({ rowLimit: 10 })).catch((error: unknown) => error);
    if (!Array.isArray(left)) expect(left).toMatchObject({ name: "CakeError" });
  });

  test("the report is read with its unique ids, row by row and as CAKE's own bytes", async () => {
    const sent: string[] = [];
    const conversions = [1, 2].map((id) => ({ conversion_id: id, payout: 18.5, unique_id: `ORD-${id}` }));
    const cake = client((request) => {
      sent.push(new URL(request.url).pathname);
      const start = Number(new URL(request.url).searchParams.get("start_at_row"));
      return Response.json({
        request_status: "Success",
        response: { data: { conversions: conversions.slice(start) } },
      });
    });
    const range = { startDate: "2026-06-01", endDate: "2026-06-19" };
    const ids: unknown[] = [];
    for await (const { uniqueId, payoutText } of cake.listConversionReport(range)) ids.push([uniqueId, payoutText]);
    expect(ids).toEqual([
      ["ORD-1", "18.5"],
      ["ORD-2", "18.5"],
    ]);
    let text = "";
    for await (const bytes of cake.listConversionReport(range).bytes()) text += new TextDecoder().decode(bytes);
    expect(text).toContain('"unique_id":"ORD-2"');
    expect(new Set(sent)).toEqual(new Set(["/api/2/report/conversion.json"]));
    expect(await codeOf(cake.listConversionReport({ ...range, rowLimit: 10_001 }).page())).toBe(
      "invalid_field rowLimit",
    );
  });

  test("equal days are refused, with the helper that names whole days", async () => {
    const day = { startDate: "2026-06-19", endDate: "2026-06-19" };
    const cake = client(() => Response.json({}));
    for (const list of [cake.listClicks(day), cake.listConversions(day), cake.listConversionReport(day)]) {
      await expect(list.page()).rejects.toThrow(/endDate must be after startDate: .*dayRange/);
    }
  });

  test("CAKE's words reach the caller, wherever an answer has them", async () => {
    for (const body of [
      '{"d":{"success":false,"message":"No such offer"}}',
      '{"d":"{\\"success\\":false,\\"message\\":\\"No such offer\\"}"}',
      '{"error":"No such offer"}',
      '{"error":{"message":"No such offer"}}',
      '{"errors":["No such offer"]}',
      '{"Message":"No such offer"}',
      '[{"success":false,"message":"No such offer"}]',
      '{"d":[{"success":false,"message":"No such offer"}]}',
      '{"d":"No such offer"}',
      '{"result":{"success":false,"message":"No such offer"}}',
      '{"success":true,"error":"No such offer"}',
      '{"Message":"The request is invalid.","ModelState":{"offer_id":["No such offer"]}}',
      '{"error":"invalid_request","error_description":"No such offer"}',
      '{"request_status":"Failed","request_message":"No such offer"}',
      '{"request_status":"Failure","response":{"message":"No such offer"}}',
      '{"request_status":"Failure","errors":[{"detail":"No such offer"}]}',
      "<R><success>false</success><message>No such offer</message></R>",
      "<s:Envelope xmlns:s='x'><s:Body><s:Fault><faultcode>x</faultcode><faultstring>No such offer</faultstring></s:Fault></s:Body></s:Envelope>",
      "<html><head><title>No such offer</title></head></html>",
    ]) {
      const cake = client(() => new Response(body), { retries: 0 });
      await expect(cake.getClick("abc"), body).rejects.toThrow("No such offer");
      const range = { startDate: "2026-06-01", endDate: "2026-06-19" };
      await expect(cake.listConversions(range).page(), body).rejects.toThrow("No such offer");
      await expect(cake.recordConversion({ clickId: "abc", offerId: 1 }), body).rejects.toSatisfy((error) =>
        String((error as Error).message + String((error as Error).cause)).includes("No such offer"),
      );
    }
    for (const body of [
      '{"Message":"Quota used"}',
      '[{"message":"Quota used"}]',
      "Quota used",
      "<h1>Quota used</h1>",
    ]) {
      const limited = client(() => new Response(body, { status: 429 }), { retries: 0 });
      await expect(limited.getClick("abc"), body).rejects.toMatchObject({
        code: "rate_limited",
        message: expect.stringContaining("Quota used"),
      });
    }
  });

  test("conversions are listed page by page, each with its money", async () => {
    const cake = client((request) => {
      const start = Number(new URL(request.url).searchParams.get("start_at_row") ?? 0);
      const conversions = [1, 2, 3]
        .map((id) => ({ conversion: { conversion_id: id, payout: 18.5, offer: {}, affiliate: {} } }))
        .slice(start, start + 2);
      return Response.json({ request_status: "Success", total_rows: 3, conversions });
    });
    const ids: (number | undefined)[] = [];
    const range = { startDate: "2026-06-01", endDate: "2026-06-19", rowLimit: 2 };
    for await (const { conversionId, payout } of cake.listConversions(range)) {
      expect(payout).toBe(18.5);
      ids.push(conversionId);
    }
    expect(ids).toEqual([1, 2, 3]);
  });

  test("the doctor says check by check what is well and what to do", async () => {
    const domain = {
      tracking_domain_id: 1,
      domain: "track.yournetwork.com",
      domain_status: "active",
      is_default: true,
    };
    const headers = { date: new Date(Date.now() - 120_000).toUTCString() };
    const cake = client((request) =>
      request.url.includes("tracking_domains")
        ? Response.json({ request_status: "Success", tracking_domains: [domain] }, { headers })
        : new Response('{"response":{"clicks":[]}}'),
    );
    const { ok, checks } = await cake.check({ clickId: "abc" });
    expect(ok).toBe(false);
    expect(checks.map(({ name, status }) => `${name} ${status}`)).toEqual([
      "reachable ok",
      "key ok",
      "domains ok",
      "default_domain ok",
      "clock failed",
      "click failed",
      "services skipped",
      "get_click ok",
      "get_conversions failed",
      "conversion_report skipped",
    ]);
    for (const { status, advice } of checks) expect(advice === undefined).toBe(status === "ok");
    const badKey = client(() => new Response('{"success":false,"message":"Invalid API key: CANARY"}'), {
      apiKey: "CANARY",
    });
    const report = await badKey.check();
    expect(report.checks[1]).toMatchObject({ name: "key", status: "failed" });
    expect(JSON.stringify(report)).not.toContain("CANARY");
    expect(await codeOf(badKey.check({ clickId: "#reqid#" }))).toBe("invalid_click_id clickId");
    expect(await codeOf(badKey.check({ clickId: "YOUR_CLICK_ID" }))).toBe("placeholder_text clickId");
  });

  test("a word for a missing value is no click id, and nothing is sent", async () => {
    let sent = 0;
    const cake = client(() => {
      sent += 1;
      return Response.json({ conversion: { conversion_id: 1 } });
    });
    for (const clickId of [
      "undefined",
      "null",
      "NaN",
      "0",
      "true",
      "none",
      "REPLACE",
      "CLICK_ID",
      "clickid",
      "reqid",
    ]) {
      expect(await codeOf(cake.getClick(clickId))).toBe("placeholder_text clickId");
      expect(await codeOf(cake.recordConversion({ clickId, offerId: 1 }))).toBe("placeholder_text clickId");
    }
    expect(sent).toBe(0);
  });

  test("null is no absent id, and an id with a missing value in it is none: nothing is sent", async () => {
    const cake = client(nobody);
    for (const name of ["uniqueId", "orderId"]) {
      const conversion = { clickId: "abc", offerId: 1, [name]: null };
      expect(await codeOf(cake.recordConversion(conversion))).toBe(`invalid_field ${name}`);
      for (const id of [
        "ORD-undefined",
        "ORD-null",
        "ORD-NaN",
        "ORD-[object Object]",
        "%23reqid%23",
        "%7Border_id%7D",
      ]) {
        const code = await codeOf(cake.recordConversion({ ...conversion, [name]: id }));
        expect(code, id).toBe(`placeholder_text ${name}`);
      }
    }
    const correction = { uniqueId: null as unknown as string, offerId: 1, status: "returned", note: "refund" } as const;
    expect(await codeOf(cake.correctConversion(correction))).toBe("invalid_field uniqueId");
  });

  const listOfBodies = async (list: AsyncIterable<unknown>) => {
    let rows = 0;
    for await (const _ of list) rows += 1;
    return rows;
  };

  test("rows without an id that can be read are all rows", async () => {
    const range = { startDate: "2026-01-01", endDate: "2026-01-02" };
    const paged = (rows: readonly string[], total?: number) =>
      client((request) => {
        const query = new URL(request.url).searchParams;
        const start = Number(query.get("start_at_row") ?? 0);
        const page = rows.slice(start, start + Number(query.get("row_limit"))).join();
        const told = total === undefined ? "" : `,"total_rows":${total}`;
        return new Response(`{"response":{"clicks":[${page}],"data":{"conversions":[${page}]}${told}}}`);
      });
    const same = '{"click_id":null,"conversion_id":0,"offer_id":1,"payout":18.00}';
    const large = ["9007199254740993", "9007199254740995"].map((id) => `{"conversion_id":${id},"payout":18.00}`);
    const known = '{"click_id":"a","conversion_id":7}';
    for (const rows of [[same, same, same], large, [known, same, known], Array(7).fill(same), [known, same, same]]) {
      for (const total of [undefined, rows.length]) {
        for (const rowLimit of [2, 3, 100]) {
          const cake = paged(rows, total);
          const about = `${rows.join()} ${total} ${rowLimit}`;
          // A row with an id from an earlier page is the same row.
          const expected = rows[0] === known && rows[2] === known && rowLimit === 2 ? 2 : rows.length;
          expect(await listOfBodies(cake.listConversionReport({ ...range, rowLimit })), about).toBe(expected);
          expect(await listOfBodies(cake.listClicks({ rowLimit })), about).toBe(rows === large ? 2 : expected);
        }
      }
    }
    // The list also ends where the server ignores `start_at_row`.
    const body = `{"response":{"clicks":[${same},${same}]}}`;
    expect(await listOfBodies(client(() => new Response(body)).listClicks({ rowLimit: 2 }))).toBe(2);
  });

  const doubtful = { clickId: "abc", offerId: 5, uniqueId: "U1" };
  const other = { conversion_id: 9, offer_id: 5, unique_id: "OTHER" };

  /**
   * A Record Conversion whose first answer is lost, and a look-up with this answer and no rows after its first page.
   */
  const lookedUp = async (verify: "click" | "report", answer: object, isEndless = false) => {
    let [writes, looks] = [0, 0];
    const cake = client(
      (request) => {
        const { pathname, searchParams } = new URL(request.url);
        if (pathname.endsWith("/2/conversion.json")) {
          writes += 1;
          return writes === 1
            ? new Response("", { status: 500 })
            : Response.json({ conversion: { conversion_id: 77, unique_id: "U1" } });
        }
        looks += 1;
        const isBehind = !isEndless && Number(searchParams.get("start_at_row") ?? 0) > 0;
        return Response.json({ response: isBehind ? { data: { conversions: [] } } : answer });
      },
      { retries: 1, verify },
    );
    const outcome = await cake.recordConversion(doubtful).then(
      ({ conversionId, isRecovered }) => `${conversionId}${isRecovered ? " recovered" : ""}`,
      (error) => error.code,
    );
    return { outcome, writes, looks };
  };

  test.each([
    ["click", { clicks: [], total_rows: 1 }, "outcome_unknown"],
    ["click", { clicks: [null], total_rows: 1 }, "outcome_unknown"],
    ["click", { clicks: [{ click_id: null, offer_id: 5, converted: false }] }, "outcome_unknown"],
    ["click", { clicks: [{ click_id: "zzz", offer_id: 5, converted: false }] }, "outcome_unknown"],
    ["click", { clicks: [{ click_id: "zzz", offer_id: 5, converted: true, conversion_id: 4 }] }, "outcome_unknown"],
    ["click", { clicks: [{ click_id: "ABC", offer_id: 5, converted: true, conversion_id: 4 }] }, "4 recovered"],
    ["click", { clicks: [], total_rows: 0 }, "77"],
    ["report", { data: { conversions: [] }, total_rows: 5 }, "outcome_unknown"],
    ["report", { data: { conversions: [null] } }, "outcome_unknown"],
    ["report", { data: { conversions: [other, null] }, total_rows: 2 }, "outcome_unknown"],
    ["report", { data: { conversions: [{}] } }, "outcome_unknown"],
    ["report", { data: { conversions: [{ offer_id: 5, unique_id: "U1" }] } }, "outcome_unknown"],
    ["report", { data: { conversions: [{ ...other, unique_id: " U1 " }] } }, "9 recovered"],
    ["report", { data: { conversions: [other] } }, "77"],
    ["report", { data: { conversions: [] }, total_rows: 0 }, "77"],
  ] as const)("a look-up by %s that brings %j is %s", async (verify, answer, expected) => {
    const { outcome, writes } = await lookedUp(verify, answer);
    expect(outcome).toBe(expected);
    expect(writes).toBe(expected === "77" ? 2 : 1);
  });

  test("a report that repeats its rows for ever is not read for ever, and settles nothing", async () => {
    for (const more of [{}, { total_rows: 5 }]) {
      const { outcome, looks } = await lookedUp("report", { data: { conversions: [other] }, ...more }, true);
      expect(outcome).toBe("outcome_unknown");
      expect(looks).toBeLessThan(60);
    }
  });

  test("the core's reader and the platform's agree on every click", async () => {
    const values = [undefined, null, "", "x", "12", 12, 0, -1, 1.5, true, false, "True", "1", 2 ** 53, [], {}];
    let seed = 7;
    const any = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return values[(seed >> 8) % values.length];
    };
    for (let i = 0; i < 500; i += 1) {
      const row = {
        click_id: i % 5 === 0 ? any() : "abc",
        offer_id: i % 4 === 0 ? any() : 1,
        affiliate_id: i % 3 === 0 ? any() : -1,
        click_date: any(),
        sub_id_1: any(),
        ip_address: any(),
        converted: any(),
        conversion_id: i % 2 === 0 ? any() : null,
      };
      const cake = client(() => Response.json({ response: { clicks: [row] } }));
      const one = await cake.getClick("abc").then(plain, (error) => error.code);
      const listed = await cake
        .listClicks()
        .page()
        .then(
          ({ rows }) => plain(rows[0]),
          (error) => error.code,
        );
      const isOther = typeof row.click_id === "number" || (typeof row.click_id === "string" && row.click_id !== "");
      // A row of another click does not answer a request for one click.
      if (isOther && row.click_id !== "abc") expect(one, JSON.stringify(row)).toBe("unexpected_answer");
      else expect(listed, JSON.stringify(row)).toEqual(one);
    }
  });
}
