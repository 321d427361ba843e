/** The client's requests, answers and options; Node and workerd both run this file. */
import { expect, test } from "vitest";
import vectors from "../vectors/api_samples.json" with { type: "json" };
import { clientsOf, type Edge } from "./clients.ts";
import { CANARY, expectNoKey } from "./faults.ts";

export function callTests(edge: Edge): void {
  const { createCakeClient } = edge;
  const { base, client, nobody, run, plain, codeOf } = clientsOf(edge);

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

  test("a tracking domain has what its row has, and a default only where the account tells it", async () => {
    const rows = [{ domain: "a.example", is_default: "false" }, { tracking_domain_id: 7 }, { is_default: true }];
    for (const services of ["young", "older"] as const) {
      const cake = client(() => Response.json({ request_status: "Success", tracking_domains: rows }), { services });
      expect(plain(await cake.listTrackingDomains()), services).toEqual([
        { domain: "a.example", isDefault: false },
        { trackingDomainId: 7 },
        { isDefault: true },
      ]);
    }
  });

  test("a Retry-After that is a date is measured by the clock of the server that wrote it", async () => {
    const HOUR = 3_600_000;
    for (const wrong of [0, HOUR, -HOUR]) {
      const at = (ms: number) => new Date(Math.floor(Date.now() / 1_000) * 1_000 + wrong + ms).toUTCString();
      const limited = () => new Response("", { status: 429, headers: { date: at(0), "retry-after": at(90_000) } });
      const thrown = await client(limited)
        .getClick("a")
        .catch((error) => error);
      expect(thrown, `${wrong}`).toMatchObject({ code: "rate_limited", retryAfterMs: 90_000 });
    }
  });

  /** A list of clicks on a server that counts rows from 0 or from 1. */
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
