/** What callers and CAKE write: nothing silently dropped, nothing wrongly refused, and the broken rule in each sentence. */
import { domainToASCII, domainToUnicode } from "node:url";
import { describe, expect, test } from "vitest";
import {
  applyCorrections,
  type CakeError,
  captureClick,
  checkPostbacks,
  checkPostbackUrl,
  createCakeClient,
  createConversionToken,
  createPixel,
  createTrackingLink,
  dayRange,
  isCakeError,
  lintTrackingLink,
} from "../../dist/entry/edge.inline.js";
import { createForwarderInProcess } from "../../dist/entry/forwarder-memory.inline.js";
import { openReport } from "../../dist/entry/report.node.js";
import { connectShopifyPixel, createFrameTracker } from "../../dist/page/frame.js";

const LINK = { domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 };
const PIXEL = { domain: "track.yournetwork.com", offerId: 1, clickId: "abc" };
const LONG = "9f8e7d6c5b4a39281706f5e4d3c2b1a098765432";
const SIGNING = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
const FORWARDER = { baseUrl: "http://127.0.0.1", apiKey: "sandbox-key", operatorSecret: LONG };

async function errorOf(run: () => unknown): Promise<CakeError> {
  try {
    await run();
  } catch (thrown) {
    if (isCakeError(thrown)) return thrown;
    throw thrown;
  }
  throw new Error("nothing was refused");
}

test.each([[""], [" "], [null], [undefined]])("a check of nothing is no clean bill: %j", async (nothing) => {
  expect(lintTrackingLink(nothing as string).map(({ code }) => code)).toEqual(["unreadable_link"]);
  expect((await errorOf(() => checkPostbackUrl(nothing as string))).code).toBe("invalid_postback_url");
});

describe("keys and secrets have one rule", () => {
  const missing = ["undefined", "NULL", " nan ", "{{CAKE_API_KEY}}", `$\{CAKE_API_KEY}`, "$KEY", "[object Object]"];
  const placeholders = [
    "none",
    "YOUR_API_KEY",
    "your-secret-of-at-least-32-characters",
    "<key>",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "api_key",
  ];
  const request = new Request("https://shop.example/?reqid=abc");
  const places: [string, (secret: string) => unknown][] = [
    ["apiKey", (apiKey) => createCakeClient({ baseUrl: "https://a.cakemarketing.com", apiKey })],
    ["apiKey", (apiKey) => createForwarderInProcess({ ...FORWARDER, apiKey })],
    ["operatorSecret", (operatorSecret) => createForwarderInProcess({ ...FORWARDER, operatorSecret })],
    ["signingSecrets", (secret) => createForwarderInProcess({ ...FORWARDER, signingSecrets: [SIGNING, secret] })],
    ["cookieSecrets", (secret) => createForwarderInProcess({ ...FORWARDER, cookieSecrets: [secret] })],
    ["tokenSecrets", (secret) => createForwarderInProcess({ ...FORWARDER, tokenSecrets: [LONG, secret] })],
    [
      "shops.stripe.secrets",
      (secrets) =>
        createForwarderInProcess({ ...FORWARDER, shops: { stripe: { secrets, offerId: 1, currency: "USD" } } }),
    ],
    ["secrets", (secret) => captureClick(request, { secrets: [secret] })],
    [
      "secrets",
      (secret) => createConversionToken({ offerId: 1, clickId: "a", origin: "https://a.de", secrets: [LONG, secret] }),
    ],
  ];
  test.each(places)("%s, place %#", async (parameter, use) => {
    // An example's key may go to the sandbox or a stub; a forwarder is deployed.
    const isDeployed = String(use).includes("createForwarderInProcess");
    for (const word of [...missing, ...(isDeployed ? placeholders : [])]) {
      const error = await errorOf(() => use(word));
      expect([error.code, error.parameter], word).toEqual(["placeholder_text", parameter]);
      expect(error.message).toMatch(new RegExp(`^${parameter} (stands for a missing value|is a placeholder)`));
    }
  });
  test.each(places)("with quotes, of two lines or of another encoding: %s, place %#", async (parameter, use) => {
    const secret = LONG.slice(0, 40);
    for (const broken of [
      `"${secret}"`,
      `'${secret}'`,
      `\`${secret}\``,
      ` "${secret}"\n`,
      `${secret}\n${secret}`,
      `${secret}\r\nOTHER=1`,
      `${secret}\u0000`,
      `\ufffd\ufffd${secret}`,
    ]) {
      const error = await errorOf(() => use(broken));
      expect([error.code, error.parameter], JSON.stringify(broken)).toEqual(["placeholder_text", parameter]);
      expect(error.message).toMatch(new RegExp(`^${parameter} has (quotes around it|a line break)`));
      expect(error.message).not.toContain(secret);
    }
  });
  test("a key that is one is taken", () => {
    for (const apiKey of [
      "k",
      "KEY",
      "none",
      "YOUR_API_KEY",
      "sandbox-key",
      "Yv4qk",
      "nullable-7f",
      "none-of-yours-1",
      `k"1"`,
      "o'k'",
    ]) {
      expect(createCakeClient({ baseUrl: "https://a.cakemarketing.com", apiKey })).toBeDefined();
    }
  });
});

const DATE = new Date("2026-06-19T12:00:00Z");
const row = { affiliateId: 1, offerId: 2, postbackUrl: "https://a.de/?id=#s2#" };
const postback = (more: object) => ({
  ...FORWARDER,
  postbacks: { n: { secrets: LONG, offerId: 1, map: { clickId: "c", uniqueId: "u" }, ...more } },
});
const shop = (more: object) => ({
  ...FORWARDER,
  shops: { woocommerce: { secrets: LONG, offerId: 1, currency: "USD", ...more } },
});
const client = createCakeClient({ baseUrl: "https://a.cakemarketing.com", apiKey: "k" });
const list = (conversionStatus: string) => ({ startDate: "2026-06-01", endDate: "2026-06-02", conversionStatus });
const journal = { read: () => [], append: () => undefined };

const SALE = { clickId: "abc", offerId: 1 };

type Broken = [parameter: string, rule: RegExp, call: (given: never) => unknown, given: unknown];

// Callers may have no types.
test.each<Broken>([
  ["extra", /empty name/, createTrackingLink, { ...LINK, extra: { "": "x" } }],
  ["extra.x", /must be text/, createTrackingLink, { ...LINK, extra: { y: "a", x: 5 } }],
  [
    "deepLinkHosts",
    /without scheme or path/,
    createTrackingLink,
    { ...LINK, deepLink: "https://a.de", deepLinkHosts: ["https://a.de"] },
  ],
  [
    "deepLinkHosts",
    /without scheme or path/,
    createTrackingLink,
    { ...LINK, deepLink: "https://a.de", deepLinkHosts: ["a.de/shop"] },
  ],
  ["transactionId", /whole number/, createPixel, { ...PIXEL, transactionId: 1.5 }],
  ["transactionId", /digits/, createPixel, { ...PIXEL, transactionId: 2 ** 60 }],
  ["transactionId", /digits/, createPixel, { ...PIXEL, transactionId: Number.NaN }],
  ["transactionId", /digits/, createPixel, { ...PIXEL, transactionId: -1 }],
  ["advertiserId", /beside an offerId/, createPixel, { ...PIXEL, advertiserId: 5 }],
  ["now", /Date that exists/, (now: never) => dayRange("today", { timeZone: "UTC", now }), new Date(Number.NaN)],
  ["first", /day as text/, (day: never) => dayRange(day, day), DATE],
  ["last", /day as text/, (day: never) => dayRange("2026-06-01", day), DATE],
  ["rows[1]", /must be an object/, checkPostbacks, [row, null]],
  ["affilateId", /of rows\[1\] is not one .*did you mean affiliateId\?$/, checkPostbacks, [row, { affilateId: 1 }]],
  ["rows[1]", /^rows\[1\] must be an object$/, checkPostbacks, [row, [1, 2]]],
  ["rows[0]", /^rows\[0\] must be a plain object, and not a Map$/, checkPostbacks, [new Map()]],
  ["offerId", /from 1 to .*, or 0 for all$/, (given: never) => client.createPostback(given), { ...row, offerId: -1 }],
  [
    "effectiveDate",
    /"today", "conversion_date" or YYYY-MM-DD in/,
    (given: never) => client.correctConversion(given),
    { offerId: 1, uniqueId: "u", effectiveDate: DATE },
  ],
  ...["A-\ud83d", "A-\ude00", "\ud83dA", "A-\ufffd"].flatMap((id): Broken[] => [
    ["transactionId", /half a character/, createPixel, { ...PIXEL, transactionId: id }],
    ["uniqueId", /half a character/, (given: never) => client.recordConversion(given), { ...SALE, uniqueId: id }],
    ["orderId", /half a character/, (given: never) => client.recordConversion(given), { ...SALE, orderId: id }],
    [
      "correctionId",
      /half a character/,
      (given: never) => client.correctConversion(given),
      { offerId: 1, uniqueId: "u", payout: "1", correctionId: id },
    ],
  ]),
  ["rows[0]", /must be an object/, (rows: never) => applyCorrections(rows, { client, journal }), [null]],
  [
    "conversionStatus",
    /did you mean approved/,
    (given: never) => client.listConversions(given).page(),
    list("aproved"),
  ],
  [
    "conversionStatus",
    /did you mean pending/,
    (given: never) => client.listConversionReport(given).page(),
    list("Pendng"),
  ],
  ["shops.woocommerce", /null/, createForwarderInProcess, { ...FORWARDER, shops: { woocommerce: null } }],
  ["shops.woocommerce.offerId", /null/, createForwarderInProcess, shop({ offerId: null, map: () => undefined })],
  ["shops.woocommerce.revenue", /null/, createForwarderInProcess, shop({ revenue: null })],
  ["shops.woocommerce.statuses", /did you mean completed/, createForwarderInProcess, shop({ statuses: ["complete"] })],
  ["shops.woocommerce.statuses", /takes a sale back/, createForwarderInProcess, shop({ statuses: ["wc-refunded"] })],
  ["postbacks.n", /null/, createForwarderInProcess, { ...FORWARDER, postbacks: { n: null } }],
  ["postbacks.n.by", /null/, createForwarderInProcess, postback({ by: null })],
  [
    "postbacks.n.map.payout",
    /null/,
    createForwarderInProcess,
    postback({ map: { clickId: "c", uniqueId: "u", payout: null } }),
  ],
  [
    "postbacks.n.map.payout",
    /is empty/,
    createForwarderInProcess,
    postback({ map: { clickId: "c", uniqueId: "u", payout: "" } }),
  ],
  ["postbacks.n.secretParameter", /another name/, createForwarderInProcess, postback({ secretParameter: "u" })],
  [
    "postbacks.n.secretParameter",
    /another name/,
    createForwarderInProcess,
    postback({ map: { clickId: "secret", uniqueId: "u" } }),
  ],
])("%s is named, and the rule that it breaks: %s", async (parameter, rule, call, given) => {
  const error = await errorOf(() => call(given as never));
  expect(error.parameter).toBe(parameter);
  expect(error.message).toMatch(rule);
});

test("a part that is null is left out, as an extra too", () => {
  const link = createTrackingLink({ ...LINK, s1: null, extra: { x: null, y: "1" } } as never);
  expect(link).toBe("https://track.yournetwork.com/?a=1&c=2&y=1");
});

describe("labels in punycode", () => {
  /** Is a domain taken wherever one is? */
  const isTaken = (domain: string) => {
    const took = [
      () => createTrackingLink({ ...LINK, domain }),
      () => createPixel({ ...PIXEL, domain }),
      () => checkPostbackUrl(`https://${domain}/?id=#s2#`),
      () => createCakeClient({ baseUrl: `https://${domain}`, apiKey: "k" }),
    ].map((take) => {
      try {
        take();
        return true;
      } catch {
        return false;
      }
    });
    expect(new Set(took).size, domain).toBe(1);
    return took[0];
  };

  /** Does the platform read the label, and write it as it is? Some parsers take a few labels more. */
  const isName = (host: string) => {
    const read = domainToUnicode(host);
    return URL.canParse(`https://${host}/`) && read !== host && domainToASCII(read) === host;
  };

  test("each that the URL parser reads is taken, and no other", () => {
    // Of each script some letters, alone and between Latin ones; a linear congruence in place of chance.
    let seed = 7;
    const next = (most: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * most);
    };
    const hosts = [
      "xn--80ak6aa92e.com",
      "xn--e1afmkfd.com",
      "xn--mgbh0fb.com",
      "xn--4dbrk0ce.com",
      "xn--abc-.com",
      "xn--.com",
    ];
    for (let count = 0; count < 1_500; count += 1) {
      const letter = String.fromCodePoint(0xa1 + next(0x2ffff));
      const label = [letter, `a${letter}b`, `${letter}${letter}`][count % 3] as string;
      const url = `https://${label}.com/`;
      if (URL.canParse(url) && new URL(url).hostname.startsWith("xn--")) hosts.push(new URL(url).hostname);
      const letters = Array.from({ length: 1 + next(9) }, () => "abcdefghijklmnopqrstuvwxyz0123456789-"[next(37)]);
      hosts.push(`xn--${letters.join("")}.com`);
    }
    for (const host of hosts) {
      const isHere = isTaken(host);
      if (isName(host)) expect(isHere, host).toBe(true);
      if (!URL.canParse(`https://${host}/`)) expect(isHere, host).toBe(false);
    }
  });
});

describe("what a row or a total does not say", () => {
  const CLICK = "13b9ae60-4f60-4c9e-bf75-626dca035acf";
  const answering = (body: object) =>
    createCakeClient({
      ...{ baseUrl: "https://a.cakemarketing.com", apiKey: "k", retries: 0, onWarning: () => undefined },
      fetch: async () => Response.json(body),
    });
  test.each([
    [{}, undefined],
    [{ converted: null }, undefined],
    [{ converted: {} }, undefined],
    [{ converted: "maybe" }, undefined],
    [{ converted: "no" }, false],
    [{ conversion_id: 0 }, false],
    [{ conversion_id: 7 }, true],
  ])("%j", async (said, converted) => {
    const clicks = [{ click_id: CLICK, offer_id: 1, ...said }];
    const click = await answering({ request_status: "Success", response: { clicks, total_rows: 1 } }).getClick(CLICK);
    expect(click?.converted).toBe(converted);
  });

  test.each([-1, "-1", "many", 1.5])("an empty list beside a total of %j is no whole list", async (row_count) => {
    const cake = answering({ request_status: "Success", row_count, response: { clicks: [], conversions: [] } });
    const range = { startDate: "2026-06-01", endDate: "2026-06-02" };
    // It must not prove that the click is unknown, or has no conversion. A list ends at an empty page as ever.
    expect((await errorOf(() => cake.getClick(CLICK))).message).toMatch(/total that cannot be read/);
    const sale = { clickId: CLICK, offerId: 1, uniqueId: "u-1" };
    for (const verify of ["click", "report"] as const) {
      expect((await errorOf(() => cake.recordConversion(sale, { verify, retries: 1 }))).code).toBe("outcome_unknown");
    }
    expect((await cake.listConversions(range).page()).totalRows).toBeUndefined();
  });
});

test("a declared column that a file lacks is named, with the nearest that it has", async () => {
  const report = await openReport({ from: "2026-06-01", to: "2026-06-30" });
  const file = new TextEncoder().encode("Order Nr,Date,Total\n1,2026-06-02 10:00:00,5.00\n");
  const error = await errorOf(async () => {
    await report.addOrders(new Blob([file]), { name: "june.csv", columns: { uniqueId: "Order No" } });
    await report.reconcile();
  });
  expect(error.message).toMatch(
    /column Order No, declared for uniqueId of the orders, is not in its header: Order Nr, Date, Total\. Did you mean Order Nr\?/,
  );
});

describe("a frame throws nothing, and tells onError", () => {
  const endpoint = "https://a.de/cake";
  test.each<[unknown, string, string]>([
    [
      () => {
        throw new Error("x");
      },
      "no_token",
      "threw",
    ],
    [() => Promise.reject(new Error("x")), "no_token", "threw"],
    [() => 5, "no_token", "must return text"],
    [5, "invalid_setting", "must be text"],
  ])("token %#", async (token, code, rule) => {
    const told: CakeError[] = [];
    const tracker = createFrameTracker({ endpoint, token: token as string, onError: (error) => told.push(error) });
    expect((await tracker.convert({ uniqueId: "U" })).code).toBe(code);
    tracker.dispose();
    expect(told.map(({ parameter, message }) => [parameter, message])).toEqual([
      ["token", expect.stringContaining(rule)],
    ]);
  });

  test("an argument too many", () => {
    const told: string[] = [];
    const options = { endpoint, onError: (error: CakeError) => told.push(error.code) };
    (createFrameTracker as (...given: unknown[]) => unknown)(options, { bogus: 1 });
    expect(told).toEqual(["invalid_field"]);
  });

  test("whatever Shopify's sandbox is, or tells", async () => {
    const told: string[] = [];
    const options = { endpoint, onError: (error: CakeError) => told.push(error.code), clickIdNames: ["reqid"] };
    let completed: (event: unknown) => unknown = () => undefined;
    const storage = { getItem: async () => null, setItem: async () => undefined, removeItem: async () => undefined };
    const analytics = {
      subscribe: (_: string, listener: typeof completed) => {
        completed = listener;
      },
    };
    const connect = connectShopifyPixel as (...given: unknown[]) => unknown;
    for (const api of [undefined, null, {}, { analytics: {} }, { analytics: null, browser: null, init: null }]) {
      connect(api, options);
      connect(api, undefined);
    }
    connect({ analytics, browser: { localStorage: storage } }, options);
    for (const checkout of [
      null,
      { order: { id: "5" }, attributes: [null, 7] },
      { order: { id: "6" }, attributes: 7 },
    ]) {
      await completed({ data: { checkout } });
    }
    for (const event of [undefined, null, {}, { data: null }]) await completed(event);
    expect(told.length).toBeGreaterThan(0);
    expect(new Set(told)).toEqual(new Set(["invalid_field"]));
  });
});
