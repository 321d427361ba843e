/** The client's lists: their pages, their rows and their end; Node and workerd both run this file. */
import { expect, test } from "vitest";
import { clientsOf, type Edge } from "./clients.ts";

interface Click {
  click_id: string;
  offer_id: number;
  affiliate_id: number;
}

export function listTests(edge: Edge): void {
  const { client, codeOf, plain } = clientsOf(edge);

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
      [{}, undefined],
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

  test("rows whose id stands for none, or is the same in many, all come", async () => {
    const zeros = "00000000-0000-0000-0000-000000000000";
    const count = 25;
    const ids: ((index: number) => unknown)[] = [
      ...[
        0,
        "0",
        zeros,
        "null",
        "undefined",
        "N/A",
        "",
        null,
        undefined,
        "none",
        "nil",
        "(not set)",
        "unknown",
        "FALSE",
        "{}",
        "-",
        "old-system",
      ].map((id) => () => id),
      (index) => (index % 2 === 0 ? 0 : `c${index}`),
      // One in each page, and two.
      (index) => (index % 10 === 5 ? "0" : `c${index}`),
      (index) => (index % 5 === 3 ? "no-id-7" : `c${index}`),
    ];
    for (const idOf of ids) {
      for (const total of [count, undefined]) {
        const rows = Array.from({ length: count }, (_, index) => ({ click_id: idOf(index), offer_id: index + 1 }));
        const cake = client((request) => {
          const query = new URL(request.url).searchParams;
          const start = Number(query.get("start_at_row") ?? 0);
          const clicks = rows.slice(start, start + Number(query.get("row_limit")));
          return Response.json({ response: { clicks, total_rows: total } });
        });
        const offers = [];
        for await (const { offerId } of cake.listClicks({ rowLimit: 10 })) offers.push(offerId);
        expect(offers, String(idOf(3))).toEqual(rows.map(({ offer_id }) => offer_id));
      }
    }
  });

  test("a row that is listed twice comes once, on one page or two, from 0 or from 1", async () => {
    const upTo = (count: number) => Array.from({ length: count }, (_, index) => `c${index + 1}`);
    const lists: string[][] = [
      ["a", "a", "b"],
      ["a", "b", "b"],
      ["a", "a", "a"],
      [...upTo(10), "c10", "c11"],
      [...upTo(10), "c10", "c10", "c11", "c12"],
      [...upTo(9), "c9", "c10", "c10", ...upTo(25).slice(10)],
    ];
    for (const listed of lists) {
      for (const [isFromOne, rowLimit, hasTotal] of [false, true].flatMap((one) =>
        [1, 2, 5, 10, 100].flatMap((limit) => [false, true].map((total) => [one, limit, total] as const)),
      )) {
        const cake = client((request) => {
          const query = new URL(request.url).searchParams;
          const start = Math.max(0, Number(query.get("start_at_row") ?? 0) - (isFromOne ? 1 : 0));
          const ids = listed.slice(start, start + Number(query.get("row_limit")));
          const clicks = ids.map((click_id) => ({ click_id, offer_id: 1 }));
          return Response.json({ response: { clicks, ...(hasTotal ? { total_rows: listed.length } : {}) } });
        });
        const read = await idsOf(cake.listClicks({ rowLimit }));
        expect(read, `${listed}, ${rowLimit} a page, ${isFromOne} ${hasTotal}`).toEqual([...new Set(listed)]);
      }
    }
  });

  test("a list that shows fewer rows than it says is told of, each time", async () => {
    const warnings: { code: string; call: string; value: string }[] = [];
    const shows = (shown: number, total: number) => {
      const rows = Array.from({ length: shown }, (_, id) => ({ click_id: `c${id}` }));
      return client(
        (request) => {
          const start = Number(new URL(request.url).searchParams.get("start_at_row") ?? 0);
          return Response.json({ response: { clicks: rows.slice(start, start + 10), total_rows: total } });
        },
        { onWarning: (warning: (typeof warnings)[number]) => warnings.push(warning) },
      );
    };
    for (const [shown, total] of [
      [25, 100],
      [10, 100],
      [9, 100],
      [40, 41],
    ] as const) {
      const cake = shows(shown, total);
      for (const _ of [1, 2]) {
        warnings.length = 0;
        expect(await idsOf(cake.listClicks({ rowLimit: 10 }))).toHaveLength(shown);
        expect(warnings, `${shown} of ${total}`).toMatchObject([
          { code: "rows_missing", call: "listClicks", value: `${total}` },
        ]);
      }
    }
    warnings.length = 0;
    expect(await idsOf(shows(40, 40).listClicks({ rowLimit: 10 }))).toHaveLength(40);
    expect(await idsOf(shows(40, 100).listClicks({ rowLimit: 10 }, { maxRows: 15 }))).toHaveLength(15);
    expect(await idsOf(shows(40, 40).listClicks({ rowLimit: 10, startAtRow: 7 }))).toHaveLength(33);
    expect(warnings).toEqual([]);
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
          // A row with an id that came before is the same row.
          const expected = rows[0] === known && rows[2] === known ? 2 : rows.length;
          expect(await listOfBodies(cake.listConversionReport({ ...range, rowLimit })), about).toBe(expected);
          expect(await listOfBodies(cake.listClicks({ rowLimit })), about).toBe(rows === large ? 2 : expected);
        }
      }
    }
    // Where the server ignores `start_at_row`, nothing shows the list's end.
    const body = `{"response":{"clicks":[${same},${same}]}}`;
    const ignored = listOfBodies(client(() => new Response(body)).listClicks({ rowLimit: 2 }));
    await expect(ignored).rejects.toMatchObject({ code: "list_changed" });
  });
}
