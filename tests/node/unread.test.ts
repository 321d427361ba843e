/** What stands in an answer and cannot be read is absent in its row, and told once for each call and field. */
import { expect, test } from "vitest";
import { type AnswerWarning, type CakeClient, createCakeClient } from "../../dist/entry/edge.inline.js";

const days = { startDate: "2026-01-01", endDate: "2026-01-31" };

/** A client whose account answers so, and what it was told. */
function clientOf(answer: (url: URL) => unknown, services: "young" | "older" = "young") {
  const told: AnswerWarning[] = [];
  const cake = createCakeClient({
    baseUrl: "http://127.0.0.1",
    apiKey: "sandbox-key",
    services,
    retries: 0,
    fetch: async (request) => {
      const given = answer(new URL(request.url));
      return typeof given === "string" ? new Response(given) : Response.json(given);
    },
    onWarning: (warning) => told.push(warning),
  });
  return { cake, told };
}

const success = (response: object) => ({ request_status: "Success", success: true, response });

const CLICK = {
  click_id: "a1",
  click_date: "2026-01-15 14:42:11",
  offer_id: 1,
  affiliate_id: 2,
  sub_id_1: "spring",
  sub_id_2: "b",
  sub_id_3: "c",
  sub_id_4: "d",
  sub_id_5: "e",
  ip_address: "192.0.2.1",
  country: "US",
  converted: false,
  conversion_id: 9,
};
const CONVERSION = {
  conversion_id: 9,
  offer: { offer_id: 1, offer_name: "Shoes" },
  affiliate: { affiliate_id: 2, affiliate_name: "Ada" },
  payout: 18,
  revenue: "22.00",
  conversion_status: "approved",
  conversion_date: "2026-01-15 14:42:11",
  click_id: "a1",
  unique_id: "ORD-1",
  order_id: "1001",
};
const { offer: _, affiliate: __, ...facts } = CONVERSION;
const REPORTED = { ...facts, offer_id: 1, affiliate_id: 2 };

interface Kind {
  readonly call: string;
  readonly row: Readonly<Record<string, unknown>>;
  read(cake: CakeClient): Promise<readonly object[]>;
  answer(rows: readonly unknown[]): unknown;
}

const KINDS: readonly Kind[] = [
  {
    call: "listClicks",
    row: CLICK,
    read: async (cake) => (await cake.listClicks(days).page()).rows,
    answer: (clicks) => success({ clicks, total_rows: clicks.length }),
  },
  {
    call: "listConversions",
    row: CONVERSION,
    read: async (cake) => (await cake.listConversions(days).page()).rows,
    answer: (conversions) => success({ conversions, total_rows: conversions.length }),
  },
  {
    call: "listConversionReport",
    row: REPORTED,
    read: async (cake) => (await cake.listConversionReport(days).page()).rows,
    answer: (conversions) => success({ data: { conversions }, total_rows: conversions.length }),
  },
];

const camel = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Of no type that any field has. */
const ODD: readonly unknown[] = [{ date: { y: 2026 } }, [1, 2], { a: 1, b: 2 }, [["x", "y"]]];

test.each(KINDS)("$call tells each field that it cannot read, once, and its neighbours come", async (kind) => {
  for (const name of Object.keys(kind.row)) {
    for (const odd of ODD) {
      const { cake, told } = clientOf(() =>
        kind.answer([kind.row, { ...kind.row, [name]: odd }, { ...kind.row, [name]: odd }]),
      );
      const rows = await kind.read(cake);
      const why = `${name}: ${JSON.stringify(odd)}`;
      expect(rows, why).toHaveLength(3);
      const isPart = name === "offer" || name === "affiliate";
      const fields = told.map(({ field }) => field);
      // An offer that is a list is told; what an object of other names lacks is absent.
      if (!isPart) expect(fields, why).toEqual([camel(name)]);
      else if (Array.isArray(odd)) expect(fields, why).toEqual([name]);
      else expect(fields.length, why).toBeLessThan(2);
      for (const { code, call, value, message } of told) {
        expect({ code, call }).toEqual({ code: "unreadable_field", call: kind.call });
        expect(message).toContain(kind.call);
        expect(JSON.stringify(odd)).toContain(value);
      }
      // The rest of the row is as it is beside a row that is well.
      const [well, row] = rows as [Record<string, unknown>, Record<string, unknown>];
      for (const [field, value] of Object.entries(well)) {
        const isOf = field.startsWith(camel(name)) || field === `${camel(name).replace(/Date$/, "At")}`;
        if (!isOf) expect(row[field], `${why}, ${field}`).toEqual(value);
      }
      expect("unread" in row).toBe(false);
      await kind.read(cake);
      expect(told.length, why).toBeLessThan(2);
    }
  }
});

test.each(KINDS)("$call tells nothing of what is well, and once of entries without any field", async (kind) => {
  const absent = Object.fromEntries(Object.keys(kind.row).map((name) => [name, null]));
  const empty = Object.fromEntries(Object.keys(kind.row).map((name) => [name, ""]));
  const wrapped = Object.fromEntries(
    Object.entries(kind.row).map(([name, value]) => [
      name,
      typeof value === "object" ? value : { "#text": `${value}` },
    ]),
  );
  const well = clientOf(() => kind.answer([kind.row, wrapped]));
  expect(await kind.read(well.cake)).toHaveLength(2);
  expect(well.told).toEqual([]);
  // A row without any field is no row.
  for (const blank of [absent, empty, {}, null]) {
    const { cake, told } = clientOf(() => kind.answer([kind.row, blank, wrapped, blank]));
    expect(await kind.read(cake)).toHaveLength(2);
    expect(told.map(({ field }) => field)).toEqual([kind.call === "listClicks" ? "clicks" : "conversions"]);
  }
});

test.each(KINDS)("$call tells of what is no row, and its neighbours come", async (kind) => {
  for (const odd of ["a1", 7, true, [1]]) {
    const { cake, told } = clientOf(() => kind.answer([kind.row, odd, kind.row]));
    expect(await kind.read(cake)).toHaveLength(2);
    const list = kind.call === "listClicks" ? "clicks" : "conversions";
    expect(told.map(({ field }) => field)).toEqual([list]);
  }
});

test("words where a number or a yes belongs are told as well", async () => {
  const rows = [
    { ...CLICK, offer_id: "many", affiliate_id: "Ada", converted: "perhaps", conversion_id: -7 },
    { ...CLICK, click_id: "a2" },
  ];
  const { cake, told } = clientOf(() => success({ clicks: rows, total_rows: 2 }));
  const [first, second] = (await cake.listClicks(days).page()).rows;
  expect(told.map(({ field }) => field).sort()).toEqual(["affiliateId", "conversionId", "converted", "offerId"]);
  expect(first).toMatchObject({ clickId: "a1" });
  expect(first?.converted).toBeUndefined();
  expect(second).toMatchObject({ clickId: "a2", converted: false, offerId: 1 });
});

test("an amount that is no number is told, and its text comes", async () => {
  const { cake, told } = clientOf(() => success({ conversions: [{ ...CONVERSION, payout: "18 USD" }], total_rows: 1 }));
  const [row] = (await cake.listConversions(days).page()).rows;
  expect(row).toMatchObject({ payoutText: "18 USD", revenue: 22 });
  expect(row?.payout).toBeUndefined();
  expect(told).toMatchObject([{ code: "unreadable_field", call: "listConversions", field: "payout", value: "18 USD" }]);
});

test("each call tells for itself, single reads and writes too", async () => {
  const odd = { ...CLICK, click_date: { at: 1 } };
  const { cake, told } = clientOf(({ pathname }) =>
    pathname.endsWith("/conversion.json")
      ? success({ conversion: { conversion_id: 9, click_id: "a1", offer_id: 1, conversion_date: ["x", "y"] } })
      : success({ clicks: [odd], total_rows: 1 }),
  );
  for (let times = 0; times < 2; times += 1) {
    expect(await cake.getClick("a1")).toMatchObject({ clickId: "a1", offerId: 1 });
    expect(await cake.getClick("a1")).not.toHaveProperty("unread");
    await cake.listClicks(days).page();
    const recorded = await cake.recordConversion({ clickId: "a1", offerId: 1, uniqueId: "ORD-1" });
    expect(recorded).toMatchObject({ conversionId: 9 });
    expect(recorded).not.toHaveProperty("unread");
  }
  expect(told.map(({ call, field }) => `${call} ${field}`)).toEqual([
    "getClick clickDate",
    "listClicks clickDate",
    "recordConversion conversionDate",
  ]);
});

test("the older services' rows are told of too", async () => {
  const row = {
    request_session_id: "a1",
    click_date: "2026-01-15T14:42:11",
    site_offer: { site_offer_id: "many" },
    sub_id_1: { a: 1, b: 2 },
  };
  const { cake, told } = clientOf(() => ({ d: { success: true, row_count: 1, clicks: [row] } }), "older");
  expect((await cake.listClicks(days).page()).rows).toMatchObject([{ clickId: "a1" }]);
  expect(told.map(({ field }) => field).sort()).toEqual(["siteOfferId", "subId1"]);
});

/** Every way in which an account may echo the key in place of a value. */
const KEY = "k3y-ABCDEF-12345678";
const ECHOES = [
  `Invalid API Key ${KEY}`,
  `at ?api_key=${encodeURIComponent(KEY)}`,
  btoa(`the key is ${KEY}`),
  KEY.repeat(9),
];

test.each(ECHOES)("a warning never holds the key: %s", async (echo) => {
  const told: AnswerWarning[] = [];
  const click = { ...CLICK, click_date: echo, offer_id: echo, conversion_id: echo, converted: echo };
  const conversion = { conversion_id: 9, offer: echo, offer_id: echo, payout: echo, conversion_date: echo };
  const cake = createCakeClient({
    baseUrl: "http://127.0.0.1",
    apiKey: KEY,
    retries: 0,
    timeZone: "UTC",
    onWarning: (warning) => told.push(warning),
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname.includes("click")) return Response.json(success({ clicks: [click], total_rows: 1 }));
      if (pathname.includes("report")) return Response.json(success({ data: { conversions: [conversion] } }));
      return Response.json({ request_status: "Success", conversions: [{ conversion }], total_rows: 1 });
    },
  });
  await cake.getClick("a1");
  await cake.listClicks().page();
  await cake.listConversions(days).page();
  await cake.listConversionReport(days).page();
  const calls = ["getClick", "listClicks", "listConversions", "listConversionReport"];
  expect([...new Set(told.map(({ call }) => call))]).toEqual(calls);
  // Half of the key is too much too.
  const secrets = [KEY, KEY.slice(0, 10), KEY.slice(-10), btoa(`the key is ${KEY}`).slice(16, 28)];
  for (const secret of secrets) expect(JSON.stringify(told)).not.toContain(secret);
});

/** As an XML-to-JSON gateway writes it: each element is a list. */
const listed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(listed);
  if (typeof value !== "object" || value === null) return [value];
  return [Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, listed(inner)]))];
};

test.each(KINDS)(
  "$call reads a list wrapped at every level, and an empty one in any dress has no rows",
  async (kind) => {
    const row = kind.call === "listClicks" ? "click" : "conversion";
    const list = `${row}s`;
    const bare = await kind.read(clientOf(() => kind.answer([kind.row, kind.row])).cake);
    const inner = { [row]: [kind.row, kind.row].flatMap((each) => listed(each)) };
    for (const rows of [
      inner,
      [inner],
      [[kind.row], [kind.row]],
      [kind.row, kind.row].map((each) => ({ [row]: [each] })),
    ]) {
      const response =
        row === "click" || kind.call === "listConversions" ? { [list]: rows } : { data: [{ [list]: rows }] };
      const { cake, told } = clientOf(() => ({
        request_status: ["Success"],
        response: [{ ...response, total_rows: ["2"] }],
      }));
      expect(await kind.read(cake), JSON.stringify(rows)).toEqual(bare);
      expect(told).toEqual([]);
    }
    const empty = [{ [row]: null }, [{ [row]: null }], { [row]: "" }, { [row]: [] }, [{ [row]: [""] }], [""], [{}], ""];
    for (const rows of empty) {
      let requests = 0;
      const { cake, told } = clientOf(() => {
        requests += 1;
        return { request_status: "Success", response: { data: { [list]: rows }, total_rows: 0 } };
      });
      expect(await kind.read(cake), JSON.stringify(rows)).toEqual([]);
      expect([told, requests]).toEqual([[], 1]);
    }
  },
);

test("null rows keep their places: the rows behind them come, whatever the page's size", async () => {
  for (const isGap of [(at: number) => at === 4, (at: number) => at >= 4 && at < 8, (at: number) => at % 3 === 0]) {
    const rows = Array.from({ length: 12 }, (_, at) => (isGap(at) ? null : { click_id: `c${at}` }));
    const ids = rows.flatMap((row) => row?.click_id ?? []);
    for (const total of [12, undefined]) {
      for (const rowLimit of [1, 2, 3, 4, 12]) {
        const { cake, told } = clientOf((url) => {
          const start = Number(url.searchParams.get("start_at_row"));
          const clicks = rows.slice(start, start + Number(url.searchParams.get("row_limit")));
          return success({ clicks, ...(total !== undefined && { total_rows: total }) });
        });
        const seen: unknown[] = [];
        for await (const { clickId } of cake.listClicks({ ...days, rowLimit })) seen.push(clickId);
        expect(seen, `${total} ${rowLimit}`).toEqual(ids);
        expect(told.map(({ code }) => code)).toEqual(["unreadable_field"]);
        const some: unknown[] = [];
        for await (const { clickId } of cake.listClicks({ ...days, rowLimit }, { maxRows: 5 })) some.push(clickId);
        expect(some).toEqual(ids.slice(0, 5));
      }
    }
  }
});

const NAMELESS = [{ RequestSession: "b" }, { a: 1 }, { a: { b: 2 } }];
const XML =
  "<r><success>true</success><row_count>3</row_count><clicks><click><x>5</x></click><click/><click><y/></click></clicks></r>";

test.each([
  ["young", success({ clicks: NAMELESS, total_rows: 3 }), '{"RequestSession":"b"}'],
  ["older", XML, "<x>5</x></click>"],
  ["older", { d: { success: true, row_count: 3, clicks: NAMELESS } }, '{"RequestSession":"b"}'],
] as const)("rows that have none of the known names are told of: %s services", async (services, answer, value) => {
  const { cake, told } = clientOf(() => answer, services);
  for await (const row of cake.listClicks(days)) expect.unreachable(JSON.stringify(row));
  expect(told).toMatchObject([{ code: "unreadable_field", field: "clicks", value }]);
});

test.each([1, 3, 10])(
  "a server that shows its first %s rows again and again is left after a few requests",
  async (count) => {
    for (const [row, requests] of [
      [(at: number) => ({ click_id: `c${at}` }), 5],
      [(at: number) => ({ x: at }), 52],
    ] as const) {
      let asked = 0;
      const { cake } = clientOf(() => {
        asked += 1;
        return success({ clicks: Array.from({ length: count }, (_, at) => row(at)), total_rows: 470_134 });
      });
      const seen: unknown[] = [];
      const read = async () => {
        for await (const { clickId } of cake.listClicks(days)) seen.push(clickId);
      };
      await expect(read()).rejects.toMatchObject({ code: "list_changed" });
      expect(seen).toEqual("click_id" in row(0) ? Array.from({ length: count }, (_, at) => `c${at}`) : []);
      expect(asked).toBeLessThanOrEqual(requests);
    }
  },
);

test("a server that cuts a page and counts only the page is read on", async () => {
  const { cake } = clientOf((url) => {
    const start = Number(url.searchParams.get("start_at_row"));
    const limit = Math.min(100, Number(url.searchParams.get("row_limit")));
    const clicks = Array.from({ length: 250 }, (_, at) => ({ click_id: `c${at}` })).slice(start, start + limit);
    return success({ clicks, total_rows: clicks.length });
  });
  let rows = 0;
  for await (const _ of cake.listClicks(days)) rows += 1;
  expect(rows).toBe(250);
});

test("the older services' reader tells what it cannot read, and each amount has its own currency", async () => {
  const amount = (currency: number, digits: string) => ({ currency_id: currency, amount: digits });
  const answer = (row: object) => () => ({
    d: { success: true, row_count: 1, event_conversions: [{ event_conversion_id: 1, ...row }] },
  });
  const read = async (row: object) => {
    const { cake, told } = clientOf(answer(row), "older");
    const { rows } = await cake.listConversions(days).page();
    return { row: rows[0], told: told.map(({ field }) => field) };
  };
  const mixed = await read({ paid: amount(1, "18.00"), received: amount(2, "22.00"), order_total: amount(3, "99.00") });
  expect(mixed.row).toMatchObject({ payoutCurrency: "USD", revenueCurrency: "EUR", orderTotalCurrency: "GBP" });
  expect(mixed.row?.currency).toBeUndefined();
  const alike = await read({ paid: amount(2, "18.00"), received: amount(2, "22.00") });
  expect(alike.row).toMatchObject({ currency: "EUR", payoutCurrency: "EUR", revenueCurrency: "EUR" });
  const plain = await read({ paid: 18, received: "22.00" });
  expect(plain).toMatchObject({ row: { payoutText: "18", revenueText: "22.00" }, told: [] });
  for (const [row, told] of [
    [{ site_offer: "Auto" }, ["siteOffer"]],
    [{ site_offer: ["a", "b"] }, ["siteOffer"]],
    [{ paid: { amount: { a: 1 } } }, ["paidAmount"]],
    [{ paid: amount(77, "1.00") }, ["paidCurrencyId"]],
    [{ site_offer: { site_offer_id: { a: 1 } } }, ["siteOfferId"]],
    [{ transaction_id: true }, ["transactionId"]],
    [{ returned: "maybe" }, ["returned"]],
    [{ returned: true, site_offer: { site_offer_id: 7 } }, []],
  ] as const) {
    expect((await read(row)).told, JSON.stringify(row)).toEqual(told);
  }
});

test("a range from a day to its own midnight is empty in every spelling", async () => {
  const { cake } = clientOf(() => ({ d: { success: true, row_count: 0, event_conversions: [], clicks: [] } }), "older");
  const spellings = ["2026-01-01", "2026-01-01 00:00:00"];
  for (const startDate of spellings) {
    for (const endDate of spellings) {
      for (const list of [cake.listClicks({ startDate, endDate }), cake.listConversions({ startDate, endDate })]) {
        await expect(list.page(), `${startDate} ${endDate}`).rejects.toMatchObject({ parameter: "endDate" });
      }
    }
  }
  expect((await cake.listClicks({ startDate: "2026-01-01", endDate: "2026-01-01 00:00:01" }).page()).rows).toEqual([]);
});

const COUNTED = (
  count: string,
) => `<?xml version="1.0"?><response><success>true</success><row_count>${count}</row_count>
  <clicks><click><request_session_id>a1</request_session_id></click></clicks>
  <event_conversions><event_conversion><event_conversion_id>9</event_conversion_id></event_conversion></event_conversions>
  </response>`;

test.each(["1,000", "many", "1000.5", { a: 1 }, true])("a number of rows that is none is told: %j", async (total) => {
  for (const kind of KINDS) {
    const { cake, told } = clientOf(() => {
      const answer = kind.answer([kind.row]) as { response: Record<string, unknown> };
      return { ...answer, response: { ...answer.response, total_rows: total } };
    });
    expect(await kind.read(cake)).toHaveLength(1);
    expect(told.map(({ call, field }) => [call, field])).toEqual([[kind.call, "totalRows"]]);
  }
  if (typeof total === "object") return;
  for (const call of ["listClicks", "listConversions", "listConversionChanges"] as const) {
    const { cake, told } = clientOf(() => COUNTED(`${total}`), "older");
    const range = call === "listConversionChanges" ? { since: days.startDate } : days;
    expect((await cake[call](range as never).page()).rows).toHaveLength(1);
    expect(told.map(({ call, field, value }) => [call, field, value])).toEqual([[call, "rowCount", `${total}`]]);
  }
});

test("an empty list among the rows is told as any other entry that is no row", async () => {
  for (const kind of KINDS) {
    let asked = 0;
    const { cake, told } = clientOf(() => {
      asked += 1;
      return kind.answer([kind.row, []]);
    });
    expect(await kind.read(cake)).toHaveLength(1);
    expect(told.map(({ field, value }) => [field, value])).toEqual([
      [kind.call === "listClicks" ? "clicks" : "conversions", "[]"],
    ]);
    expect(asked).toBe(1);
  }
});

test("an amount that JavaScript alone would read is none", async () => {
  for (const payout of ["0x12", "0b1", "Infinity", "1_000", "1e999", "١٨"]) {
    const { cake, told } = clientOf(() => success({ conversions: [{ ...CONVERSION, payout }], total_rows: 1 }));
    const [row] = (await cake.listConversions(days).page()).rows;
    expect([row?.payout, row?.payoutText], payout).toEqual([undefined, payout]);
    expect(told.map(({ field }) => field)).toEqual(["payout"]);
  }
  for (const [payout, amount] of [
    ["18.00", 18],
    ["-.5", -0.5],
    ["1.8e1", 18],
    [18, 18],
  ] as const) {
    const { cake, told } = clientOf(() => success({ conversions: [{ ...CONVERSION, payout }], total_rows: 1 }));
    expect((await cake.listConversions(days).page()).rows[0]?.payout).toBe(amount);
    expect(told).toEqual([]);
  }
});

test("two rows of one click that contradict each other are told", async () => {
  const yes = { ...CLICK, converted: true, conversion_id: 9 };
  const no = { ...CLICK, converted: false, conversion_id: 0 };
  for (const clicks of [
    [yes, no],
    [no, yes],
  ]) {
    const { cake, told } = clientOf(() => success({ clicks, total_rows: 2 }));
    const click = await cake.getClick("a1");
    expect([click?.clickId, click?.converted, click?.conversionId]).toEqual(["a1", undefined, undefined]);
    expect(told.map(({ code, field }) => [code, field])).toEqual([
      ["unreadable_field", "converted"],
      ["unreadable_field", "conversionId"],
    ]);
    expect(told[0]?.value).toMatch(/^two rows: (true and false|false and true)$/);
  }
});
