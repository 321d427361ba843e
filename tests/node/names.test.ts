/** Every public call refuses an unknown name; the error has that name and the nearest known one. */
import { expect, test } from "vitest";
import * as edge from "../../dist/entry/edge.inline.js";
import * as forwarder from "../../dist/entry/forwarder-memory.inline.js";
import * as forwarderNode from "../../dist/entry/forwarder-node.node.js";
import * as report from "../../dist/entry/report.node.js";
import * as sandbox from "../../dist/entry/sandbox-memory.inline.js";
import * as link from "../../dist/page/link.js";

const domain = "track.yournetwork.com";
const linkParts = { domain, affiliateId: 1, creativeId: 2 };
const secrets = ["0123456789abcdef0123456789abcdef"];
const request = new Request("https://shop.example/?reqid=a1");
const days = { startDate: "2026-01-01", endDate: "2026-01-31" };
const conversion = { clickId: "a1", offerId: 1, uniqueId: "u1" };
const refund = { conversionId: 1, offerId: 1, status: "returned" } as const;
const operatorSecret = "0123456789abcdef0123456789abcdef";

/** A client without a network: a call with a wrong name must not send anything. */
const cake = edge.createCakeClient({
  baseUrl: "http://127.0.0.1",
  apiKey: "sandbox-key",
  fetch: () => Promise.reject(new Error("sent")),
});

const journal = { read: () => [], append: () => undefined };

async function withReport(run: (opened: report.Report) => unknown): Promise<unknown> {
  using opened = await report.openReport();
  return await run(opened);
}

const withResult = (run: (result: report.ReportResult) => unknown) =>
  withReport(async (opened) => run(await opened.reconcile()));

type Call = (wrong: Record<string, unknown>) => unknown;

/** By the name of the export: each of its arguments with named fields, and one field to misspell. */
const CALLS: Record<string, readonly (readonly [right: string, call: Call])[]> = {
  createTrackingLink: [
    ["s1", (wrong) => edge.createTrackingLink({ ...linkParts, ...wrong })],
    ["spill", (wrong) => edge.createTrackingLink({ ...linkParts, ...wrong })],
  ],
  parseTrackingLink: [["sandbox", (wrong) => edge.parseTrackingLink(`https://${domain}/?a=1&c=2`, wrong)]],
  findClick: [["parameters", (wrong) => edge.findClick("https://shop.example/?reqid=a1", wrong)]],
  createPixel: [
    ["transactionId", (wrong) => edge.createPixel({ domain, offerId: 1, clickId: "a1", ...wrong })],
    ["orderTotal", (wrong) => edge.createPixel({ domain, offerId: 1, clickId: "a1", ...wrong })],
    [
      "quantity",
      (wrong) => {
        const items = [{ sku: "S-1", quantity: 1, price: "1.00", ...wrong }];
        return edge.createPixel({ domain, offerId: 1, clickId: "a1", items });
      },
    ],
  ],
  captureClick: [["windowDays", (wrong) => edge.captureClick(request, { secrets, ...wrong })]],
  readClickCookie: [["touch", (wrong) => edge.readClickCookie(request, { secrets, ...wrong })]],
  createConversionToken: [
    [
      "clickId",
      (wrong) =>
        edge.createConversionToken({ offerId: 1, clickId: "a1", origin: "https://shop.example", secrets, ...wrong }),
    ],
  ],
  signConversion: [["at", (wrong) => edge.signConversion("{}", operatorSecret, wrong)]],
  dayRange: [["now", (wrong) => edge.dayRange("yesterday", { timeZone: "UTC", ...wrong })]],
  createCakeClient: [
    ["readOnly", (wrong) => edge.createCakeClient({ baseUrl: "http://127.0.0.1", apiKey: "k", ...wrong })],
    ["timeoutMs", (wrong) => cake.getClick("a1", wrong)],
    ["offerId", (wrong) => cake.listClicks(wrong).page()],
    ["maxRows", (wrong) => cake.listClicks({}, wrong).page()],
    ["uniqueId", (wrong) => cake.recordConversion({ ...conversion, ...wrong })],
    ["verify", (wrong) => cake.recordConversion(conversion, wrong)],
    ["affiliateId", (wrong) => cake.listConversions({ ...days, ...wrong }).page()],
    ["retries", (wrong) => cake.listConversions(days, wrong).page()],
    [
      "postbackStatus",
      (wrong) =>
        cake.createPostback({ affiliateId: 1, offerId: 0, postbackUrl: "https://p.example/?i=#s2#", ...wrong }),
    ],
    [
      "signal",
      (wrong) => cake.createPostback({ affiliateId: 1, offerId: 0, postbackUrl: "https://p.example/?i=#s2#" }, wrong),
    ],
    ["domainStatus", (wrong) => cake.listTrackingDomains(wrong)],
    ["timeoutMs", (wrong) => cake.listTrackingDomains({}, wrong)],
    ["since", (wrong) => cake.listConversionChanges({ since: "2026-06-01", ...wrong }).page()],
    ["maxRows", (wrong) => cake.listConversionChanges({ since: "2026-06-01" }, wrong).page()],
    ["effectiveDate", (wrong) => cake.correctConversion({ ...refund, ...wrong })],
    ["dryRun", (wrong) => cake.correctConversion(refund, wrong)],
    ["services", (wrong) => edge.createCakeClient({ baseUrl: "http://127.0.0.1", apiKey: "k", ...wrong })],
    ["clickId", (wrong) => cake.check(wrong)],
  ],
  createForwarderInProcess: [
    [
      "signingSecrets",
      (wrong) =>
        forwarder.createForwarderInProcess({
          baseUrl: "http://127.0.0.1",
          apiKey: "sandbox-key",
          operatorSecret,
          ...wrong,
        }),
    ],
  ],
  applyPostbacks: [
    ["rateLimit", (wrong) => edge.applyPostbacks([], { client: cake, journal, ...wrong })],
    ["postbackUrl", (wrong) => edge.applyPostbacks([wrong as never], { client: cake, journal })],
  ],
  applyCorrections: [
    ["maxRows", (wrong) => edge.applyCorrections([], { client: cake, journal, ...wrong })],
    [
      "payout",
      // A row's own mistake is in the report, and stops no other row.
      async (wrong) => {
        const report = await edge.applyCorrections([wrong as never], { client: cake, journal });
        throw report.rows[0]?.error;
      },
    ],
  ],
  checkPostbacks: [
    ["sandbox", (wrong) => edge.checkPostbacks([], wrong)],
    ["affiliateId", (wrong) => edge.checkPostbacks([wrong as never])],
  ],
  openReport: [
    ["ordersTimeZone", (wrong) => report.openReport(wrong)],
    ["dialect", (wrong) => withReport((opened) => opened.addOrders("orders.csv", wrong))],
    ["delimiter", (wrong) => withReport((opened) => opened.addConversions("conversions.csv", wrong))],
    ["idPrefix", (wrong) => withReport((opened) => opened.addClicks("clicks.csv", wrong))],
    ["encoding", (wrong) => withReport((opened) => opened.addDeliveries("deliveries.csv", wrong))],
    [
      "percent",
      (wrong) =>
        withReport((opened) =>
          opened.addOrders(new TextEncoder().encode("id\n1\n"), { revenue: { of: "id", percent: "1", ...wrong } }),
        ),
    ],
    ["signal", (wrong) => withReport((opened) => opened.reconcile(wrong))],
    ["unique", (wrong) => withReport((opened) => opened.breakDown({ by: ["offer"], ...wrong }))],
    [
      "label",
      (wrong) =>
        withReport((opened) =>
          opened.breakDown({ by: [{ name: "x", of: ["s1"], label: () => "x", ...wrong } as never] }),
        ),
    ],
    ["channel", (wrong) => withReport((opened) => opened.attribute({ models: ["last"], ...wrong }))],
    [
      "halfLifeDays",
      (wrong) => withReport((opened) => opened.attribute({ models: [{ timeDecay: { halfLifeDays: 1, ...wrong } }] })),
    ],
    [
      "first",
      (wrong) => withReport((opened) => opened.attribute({ models: [{ position: { first: 1, last: 1, ...wrong } }] })),
    ],
    [
      "payout",
      (wrong) =>
        withReport((opened) =>
          opened.attribute({ models: ["last"], journeys: [{ touches: [], converted: true, ...wrong }] }),
        ),
    ],
    [
      "secondsBefore",
      (wrong) =>
        withReport((opened) =>
          opened.attribute({
            models: ["last"],
            journeys: [{ touches: [{ channel: "a", ...wrong }], converted: true }],
          }),
        ),
    ],
    ["classes", (wrong) => withResult((result) => [...result.rows(wrong)])],
    ["classes", (wrong) => withResult((result) => result.csv(wrong))],
    ["maxRows", (wrong) => withResult((result) => result.html(wrong))],
    ["offerId", (wrong) => withResult((result) => result.corrections(wrong))],
    ["amount", (wrong) => withResult((result) => result.corrections({ cap: wrong }))],
  ],
  openForwarder: [
    ["folder", (wrong) => forwarderNode.openForwarder({ operatorSecret, folder: "none", ...wrong })],
    ["retentionDays", (wrong) => forwarderNode.openForwarder({ operatorSecret, folder: "none", ...wrong })],
  ],
  serveForwarder: [
    ["proxies", (wrong) => forwarderNode.serveForwarder({ operatorSecret, folder: "none", ...wrong })],
    ["shards", (wrong) => forwarderNode.serveForwarder({ operatorSecret, folder: "none", ...wrong })],
  ],
  createSandbox: [["allowedHosts", (wrong) => sandbox.createSandbox(wrong)]],
};

/** These take no names: texts, errors, and a site's own functions, whose options come with each request. */
const WITHOUT_NAMES = [
  "CakeError",
  "isCakeError",
  "lintTrackingLink",
  "checkPostbackUrl",
  // What it reads is checked by whom it is given to.
  "parseOptions",
  // The sandbox's rules check the fixture's own names.
  "checkFixture",
  // Only openReport creates these.
  "Report",
  "ReportResult",
  "Output",
  "clickCapture",
  "pagesClickCapture",
  "withClickCapture",
  "CAKE_ERROR_CODES",
  "init",
];

async function refusal(call: Call, wrong: Record<string, unknown>): Promise<unknown> {
  try {
    await call(wrong);
    return "nothing was refused";
  } catch (error) {
    const { code, parameter, message } = error as edge.CakeError;
    return { code, parameter, message };
  }
}

test("the list of public calls is whole", () => {
  const exported = [edge, forwarder, forwarderNode, sandbox, report].flatMap((entry) =>
    Object.entries(entry).flatMap(([name, value]) => (typeof value === "function" ? [name] : [])),
  );
  const known = [...Object.keys(CALLS), ...WITHOUT_NAMES];
  expect(exported.filter((name) => !known.includes(name))).toEqual([]);
});

const calls = Object.entries(CALLS).flatMap(([name, list]) =>
  list.map(([right, call]) => [name, right, call] as const),
);

test.each(calls)("%s refuses a misspelt %s, and a name from elsewhere", async (_, right, call) => {
  for (const wrong of [`${right}s`, right.toUpperCase(), `${right.slice(0, -1)}_${right.slice(-1)}`]) {
    expect(await refusal(call, { [wrong]: 1 }), wrong).toEqual({
      code: "invalid_field",
      parameter: wrong,
      message: expect.stringContaining(`did you mean ${right}?`),
    });
  }
  expect(await refusal(call, { colour: 1 })).toMatchObject({ code: "invalid_field", parameter: "colour" });
  const own = JSON.parse('{"__proto__": 1}') as Record<string, unknown>;
  if (!/^(?:create|capture|dayRange|read)/.test(_)) {
    expect(await refusal(call, own)).toMatchObject({ code: "invalid_field", parameter: "__proto__" });
  }
});

test.each([
  [{ sub1: "spring" }, "s1"],
  [{ S1: "spring" }, "s1"],
  [{ subId1: "spring" }, "s1"],
  [{ sub_id_2: "spring" }, "s2"],
  [{ aff_sub3: "spring" }, "s3"],
  [{ extras: {} }, "extra"],
  [{ affiliate: 1 }, "affiliateId"],
  [{ creative_id: 1 }, "creativeId"],
  [{ deeplink: "" }, "deepLink"],
  [{ price: "c" }, "priceFormat"],
])("a tracking link's %j is refused: %s", async (wrong, right) => {
  expect(await refusal((name) => edge.createTrackingLink({ ...linkParts, ...name }), wrong)).toMatchObject({
    parameter: Object.keys(wrong)[0],
    message: expect.stringContaining(`did you mean ${right}?`),
  });
});

test.each(["sub1", "S1", "subId1", "extras", "colour"])("a page's link refuses %s by its name", async (name) => {
  await link.ready();
  const given = () => link.createTrackingLink({ ...linkParts, [name]: "spring" });
  const meant = name === "colour" ? "is unknown" : `did you mean ${name === "extras" ? "extra" : "s1"}?`;
  const refused = { code: "invalid_field", parameter: name, message: expect.stringContaining(meant) };
  expect(await refusal(given, {})).toMatchObject(refused);
});

test("a fixture's unknown name is refused with its place", async () => {
  for (const fixture of [{ offer: [] }, { settings: { dresses: [] } }, { offers: [{ offer_id: 1, payot: "1" }] }]) {
    const refused = await refusal(() => sandbox.createSandbox({ fixture } as never).fetch(request), {});
    expect(refused).toMatchObject({
      code: "invalid_fixture",
      message: expect.stringMatching(/unknown field `\w+`: did you mean `(offers|dress|payout)`\?/),
    });
  }
});

test("what is no object is refused as such", () => {
  for (const given of [null, undefined, 7, "x", [], () => 1]) {
    expect(() => edge.createTrackingLink(given as never), String(given)).toThrow(edge.CakeError);
    expect(() => edge.createPixel(given as never), String(given)).toThrow(edge.CakeError);
  }
});
