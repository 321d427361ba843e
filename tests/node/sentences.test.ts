/** An error names the broken rule, and not another rule with the same code. */
import { expect, test } from "vitest";
import {
  CakeError,
  captureClick,
  checkPostbackUrl,
  createCakeClient,
  createPixel,
  createTrackingLink,
  dayRange,
  parseTrackingLink,
  signConversion,
} from "../../dist/entry/edge.inline.js";
import { createForwarderInProcess } from "../../dist/entry/forwarder-memory.inline.js";

const secrets = ["0123456789abcdef0123456789abcdef"];
const request = new Request("https://shop.example/?reqid=a1");
const link = { domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 };
const pixel = { domain: "track.yournetwork.com", offerId: 1, clickId: "a1" };
const cake = createCakeClient({ baseUrl: "http://127.0.0.1", apiKey: "k", fetch: () => Promise.reject(new Error()) });
const client = (baseUrl: string) => createCakeClient({ baseUrl, apiKey: "k" });
const capture = (options: object) => captureClick(request, { secrets, ...options } as never);

test.each<[string, string, () => unknown]>([
  ["invalid_domain", "domain must be a host name", () => createTrackingLink({ ...link, domain: "xn--.example" })],
  [
    "invalid_domain",
    "must be the origin of a sandbox on this machine",
    () => createTrackingLink({ ...link, sandbox: true }),
  ],
  ["invalid_id", "affiliateId must be a whole number", () => createTrackingLink({ ...link, affiliateId: 0 })],
  ["sub_id_too_long", "s1 is longer than 50", () => createTrackingLink({ ...link, s1: "x".repeat(51) })],
  ["sub_id_too_long", "s3 is longer than 100", () => createTrackingLink({ ...link, s3: "x".repeat(101) })],
  ["invalid_text", "s2 must not contain control characters", () => createTrackingLink({ ...link, s2: "a\tb" })],
  ["link_too_long", "longer than 2,000 bytes", () => createTrackingLink({ ...link, extra: { x: "y".repeat(2_000) } })],
  ["invalid_link", "link must be a tracking link", () => parseTrackingLink("ftp://x.example/?a=1")],
  ["invalid_price_format", "priceFormat must be 1 to 20", () => createTrackingLink({ ...link, priceFormat: "!" })],
  [
    "invalid_deep_link",
    "deepLink must begin with https://",
    () => createTrackingLink({ ...link, deepLink: "http://x" }),
  ],
  [
    "invalid_deep_link",
    "must not have a port",
    () => createTrackingLink({ ...link, deepLink: "https://a.example:8/" }),
  ],
  [
    "invalid_deep_link",
    "must not have a user name",
    () => createTrackingLink({ ...link, deepLink: "https://u@a.example/" }),
  ],
  [
    "invalid_deep_link",
    "must not contain white space",
    () => createTrackingLink({ ...link, deepLink: "https://a.example/a b" }),
  ],
  [
    "invalid_deep_link",
    "must not contain a backslash",
    () => createTrackingLink({ ...link, deepLink: "https://a.example\\x" }),
  ],
  [
    "invalid_deep_link",
    "must be on a host name",
    () => createTrackingLink({ ...link, deepLink: "https://127.0.0.1/" }),
  ],
  ["invalid_deep_link", "must be on a host name", () => createTrackingLink({ ...link, deepLink: "https://[::1]/" })],
  [
    "invalid_deep_link",
    "must have its host in ASCII",
    () => createTrackingLink({ ...link, deepLink: "https://münchen.de/" }),
  ],
  ["deep_link_host", "not in deepLinkHosts", () => createTrackingLink({ ...link, deepLink: "https://x.example/" })],
  ["reserved_parameter", "CAKE's own", () => createTrackingLink({ ...link, extra: { s1: "x" } })],
  ["repeated_parameter", "comes more than once", () => createTrackingLink({ ...link, extra: { x: "1", X: "2" } })],
  ["invalid_click_id", "no placeholder", () => createPixel({ ...pixel, clickId: "#reqid#" })],
  ["invalid_click_id", "clickId is empty", () => createPixel({ ...pixel, clickId: "" })],
  ["invalid_click_id", "clickId is longer than 128", () => createPixel({ ...pixel, clickId: "x".repeat(129) })],
  ["invalid_click_id", "clickId is missing", () => createPixel({ domain: pixel.domain, offerId: 1 })],
  ["invalid_unique_id", "transactionId is empty", () => createPixel({ ...pixel, transactionId: " " })],
  ["invalid_unique_id", "transactionId is longer", () => createPixel({ ...pixel, transactionId: "x".repeat(129) })],
  ["invalid_unique_id", "must not contain line feeds", () => createPixel({ ...pixel, transactionId: "a\nb" })],
  ["invalid_unique_id", "has lost digits", () => cake.recordConversion({ clickId: "a1", offerId: 1, uniqueId: 1.5 })],
  ["invalid_unique_id", "no e-mail address", () => createPixel({ ...pixel, transactionId: "jane@example.com" })],
  ["placeholder_text", "missing value", () => createPixel({ ...pixel, transactionId: "undefined" })],
  ["invalid_money", "payout must be an amount", () => createPixel({ ...pixel, payout: "1,00" })],
  ["invalid_postback_url", "postbackUrl must begin with https://", () => checkPostbackUrl("http://p.example/")],
  ["invalid_postback_url", "must be on a host name", () => checkPostbackUrl("https://localhost/?id=#s2#")],
  ["invalid_postback_url", "must have its host in ASCII", () => checkPostbackUrl("https://münchen.de/?id=#s2#")],
  ["invalid_postback_url", "must not have a user name", () => checkPostbackUrl("https://u:p@p.example/?id=#s2#")],
  ["invalid_postback_url", "has a port that is no number", () => checkPostbackUrl("https://p.example:x/?id=#s2#")],
  ["invalid_postback_url", "must not contain a backslash", () => checkPostbackUrl("https://p.example\\x/?id=#s2#")],
  [
    "invalid_postback_url",
    "is longer than 2,000 bytes",
    () => checkPostbackUrl(`https://p.example/?id=#s2#${"x".repeat(2_000)}`),
  ],
  ["invalid_base_url", "baseUrl must begin with https://", () => client("http://a.example")],
  ["invalid_base_url", "must be an origin alone", () => client("https://a.example/api")],
  ["invalid_base_url", "must not have a user name", () => client("https://u:p@a.example")],
  ["invalid_base_url", "must be on a host name", () => client("https://10.0.0.1")],
  ["invalid_base_url", "must begin with http:// on this machine", () => client("https://localhost:8443")],
  ["invalid_base_url", "must begin with http:// on this machine", () => client("https://[::1]:8443")],
  ["invalid_base_url", "must have its host in ASCII", () => client("https://münchen.de")],
  ["invalid_time", "first must be a day that exists, written YYYY-MM-DD", () => dayRange("2026-02-30", "2026-03-01")],
  ["invalid_time", "last must not be before the first day", () => dayRange("2026-03-02", "2026-03-01")],
  [
    "invalid_time",
    "conversionDate must be a time that exists",
    () => cake.recordConversion({ clickId: "a1", offerId: 1, conversionDate: "2026-02-30 00:00:00" }),
  ],
  ["invalid_setting", "consent must be granted, denied or pending", () => capture({ consent: "yes" })],
  ["invalid_setting", "windowDays must be a whole number of days from 1 to 400", () => capture({ windowDays: 401 })],
  ["invalid_setting", "journey must be a whole number from 1 to 20", () => capture({ journey: 21 })],
  [
    "invalid_cookie",
    "domain must be the host of the request, or a domain above",
    () => capture({ domain: "x.example" }),
  ],
  ["weak_secret", "at least 32 bytes", () => capture({ secrets: ["short"] })],
  ["invalid_field", "touch must be one of last, first", () => capture({ touch: "middle" })],
  ["invalid_id", "creativeId is missing: the link has no c", () => parseTrackingLink("https://t.example.com/?a=1")],
  ["invalid_id", "affiliateId is missing: the link has no a", () => parseTrackingLink("https://t.example.com/?c=1")],
  [
    "invalid_unique_id",
    "uniqueId is a negative number",
    () => cake.recordConversion({ clickId: "a1", offerId: 1, uniqueId: -5 }),
  ],
  [
    "invalid_field",
    "startDate must be text, YYYY-MM-DD in the account's time zone, and is a Date",
    () => cake.listClicks({ startDate: new Date() as never, endDate: "2026-01-02" }).page(),
  ],
  [
    "invalid_field",
    "offerId must be a whole number",
    () => cake.recordConversion({ clickId: "a1", offerId: 1n as never }),
  ],
  [
    "invalid_field",
    "clickId must be text",
    () => cake.recordConversion({ clickId: 123n as never, offerId: 1, uniqueId: "u" }),
  ],
  [
    "invalid_field",
    "adv1 must be text",
    () => cake.recordConversion({ clickId: "a1", offerId: 1, adv1: new Date() as never }),
  ],
  [
    "invalid_field",
    "postbackUrl must be text",
    () =>
      cake.createPostback({ affiliateId: 1, offerId: 1, postbackUrl: new URL("https://p.example/?id=#s2#") as never }),
  ],
  [
    "invalid_money",
    "payout must be an amount",
    () => cake.recordConversion({ clickId: "a1", offerId: 1, payout: new Date() as never }),
  ],
  [
    "invalid_field",
    "did you mean uniqueId?",
    () => cake.correctConversion({ orderId: "A-1", offerId: 1, payout: "1" } as never, { dryRun: true }),
  ],
  ["invalid_field", "onError must be a function", () => capture({ onError: "x" } as never)],
  [
    "invalid_id",
    "CAKE's test affiliate, -1, with testAffiliate: true",
    () => parseTrackingLink("https://t.example.com/?a=-1&c=1"),
  ],
  [
    "invalid_field",
    "startDate must be text, written YYYY-MM-DD",
    () => cake.listClicks({ startDate: 20_260_101 as never, endDate: "2026-01-02" }).page(),
  ],
  ["invalid_postback_url", "no number up to 65535", () => checkPostbackUrl("https://p.example:65536/?id=#s2#")],
  ["invalid_base_url", "no number up to 65535", () => client("https://cake.example:99999")],
  [
    "invalid_field",
    "webhook-id must be 1 to 256 visible ASCII characters",
    () => signConversion("{}", secrets[0] as string, { id: "a b" }),
  ],
])("%s: %s", async (code, sentence, run) => {
  const error = await Promise.resolve()
    .then(run)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CakeError);
  expect((error as CakeError).code).toBe(code);
  expect((error as CakeError).message).toContain(sentence);
});

test("the forwarder says of a body and of a webhook id what is wrong with them", async () => {
  const forwarder = createForwarderInProcess({
    baseUrl: "http://127.0.0.1",
    apiKey: "sandbox-key",
    operatorSecret: secrets[0] as string,
    signingSecrets: secrets,
  });
  const refusalOf = async (init: RequestInit) => {
    const headers = {
      origin: "https://shop.example",
      "content-type": "application/json",
      ...(init.headers as Record<string, string>),
    };
    const request = new Request("https://shop.example/cake/conversions", { method: "POST", ...init, headers });
    const answer = await forwarder.fetch(request);
    expect(answer.ok).toBe(false);
    return JSON.stringify(await answer.json());
  };
  const zipped = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0xff]);
  expect(await refusalOf({ body: zipped, headers: { "content-encoding": "gzip" } })).toContain("is compressed");
  expect(await refusalOf({ body: zipped })).toContain("compressed, or of another encoding");
  const id = { "webhook-id": "a b", "webhook-timestamp": "1", "webhook-signature": "v1,x" };
  expect(await refusalOf({ body: "{}", headers: id })).toContain("must be 1 to 256 visible ASCII characters");
  for (const [body, words] of [
    ["", "is empty"],
    ["offerId=1&uniqueId=A-1", "is a form"],
    ['{"offerId":1,}', "is not JSON"],
    ["[]", 'must be an object; several go as {\\"conversions\\": […]}'],
    [
      '{"offerId":1,"uniqueId":"A-1","clickId":"a1","currency":"EUR"}',
      'callers only","retryable":false,"parameter":"currency"',
    ],
    ['{"offerId":1,"uniqueId":"A-1"}', "is missing"],
  ] as const) {
    expect(await refusalOf({ body }), body).toContain(words);
  }
});

test("a scheme is compared without case", () => {
  expect(checkPostbackUrl("HTTPS://p.example/?id=#s2#").uses).toEqual(["s2"]);
  expect(parseTrackingLink("HTTPS://t.example.com/?a=1&c=2").creativeId).toBe(2);
  const deepLink = "HTTPS://shop.example/x";
  const rules = { deepLinkHosts: ["shop.example"] };
  expect(parseTrackingLink(createTrackingLink({ ...link, deepLink, ...rules }), rules).deepLink).toBe(deepLink);
  expect(() => client("HTTPS://cake.example")).not.toThrow();
});
