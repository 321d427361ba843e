/** Links, landing pages, postback URLs and pixels in Node, as a user calls them. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  type CakeError,
  checkPostbackUrl,
  createPixel,
  createTrackingLink,
  findClick,
  lintTrackingLink,
  parseTrackingLink,
  type TrackingLinkParts,
  type TrackingLinkRules,
} from "../../dist/entry/edge.inline.js";
import * as link from "../../dist/page/link.js";

interface LinkVector {
  readonly parts: TrackingLinkParts;
  readonly rules?: TrackingLinkRules;
  readonly link: string;
  readonly code: string;
}

const vectors: { build: LinkVector[]; refuse: LinkVector[] } = JSON.parse(
  readFileSync("tests/vectors/links.json", "utf8"),
);

function refusal(run: () => unknown): CakeError {
  try {
    run();
  } catch (error) {
    expect(link.isCakeError(error)).toBe(true);
    return error as CakeError;
  }
  throw new Error("nothing was thrown");
}

/** Slips of a caller without types. The page's core has no room for each rule in words; both refuse, and lose no link. */
test.each([
  [{ deepLink: "https://shop.example/a", deepLinkHosts: "shop.example" }, "deepLink"],
  [{ deepLink: "https://shop.example/a", deepLinkHosts: new Set(["shop.example"]) }, "deepLink"],
  [{ deepLink: "https://shop.example/a", deepLinkHosts: ["https://shop.example"] }, "deepLink"],
  [{ domain: "http://127.0.0.1:8787", sandbox: "false" }, "domain"],
  [{ s2: "x".repeat(101), spill: "false" }, "s2"],
  [{ affiliateId: -1, testAffiliate: "true" }, "affiliateId"],
  [{ extra: { "": "x" } }, "extra"],
  [{ extra: { a1: ["x"] } }, "extra"],
])("%o is refused by both cores with a CakeError", (wrong, subject) => {
  const parts = { domain: "track.example.com", affiliateId: 1, creativeId: 2, ...wrong } as never;
  expect(refusal(() => createTrackingLink(parts)).code).not.toBe("internal");
  const inPage = refusal(() => link.createTrackingLink(parts));
  expect(inPage.code).not.toBe("internal");
  expect(inPage.message).toContain(subject);
});

test("half a character is left out of a link, a value that is null too", () => {
  const parts = { domain: "track.example.com", affiliateId: 1, creativeId: 2 };
  for (const build of [createTrackingLink, link.createTrackingLink]) {
    expect(build({ ...parts, s1: "Sale \u{1f600}".slice(0, 6) })).toBe("https://track.example.com/?a=1&c=2&s1=Sale%20");
    expect(build({ ...parts, s1: "\udc00\u{1f600}\ud83d!", extra: { "x\ud83d": "\ud83dy" } })).toBe(
      "https://track.example.com/?a=1&c=2&s1=%F0%9F%98%80%21&x=y",
    );
    expect(build({ ...parts, extra: { g: null as never, h: "1" } })).toBe("https://track.example.com/?a=1&c=2&h=1");
  }
});

test("parts become links and links parts, as in Rust", () => {
  for (const { parts, rules, link } of vectors.build) {
    expect(createTrackingLink({ ...parts, ...rules })).toBe(link);
    const parsed = parseTrackingLink(link, rules);
    // The rules that the link needs come with its parts.
    expect(createTrackingLink(parsed)).toBe(link);
    if (!rules?.spill) expect(parsed).toEqual({ ...parts, ...rules, domain: parts.domain.toLowerCase() });
  }
});

test.each([
  ["https://track.example.com/?a=-1&c=2", { testAffiliate: true }, { testAffiliate: true }],
  [`https://track.example.com/?a=1&c=2&s2=${"x".repeat(101)}`, { spill: true }, { spill: true }],
  [
    "https://track.example.com/?a=1&c=2&ckmrdr=https%3A%2F%2Fshop.example%2F",
    { deepLinkHosts: ["shop.example"] },
    { deepLinkHosts: ["shop.example"] },
  ],
  ["https://track.example.com/?a=1&c=2", { testAffiliate: true, spill: true, deepLinkHosts: ["shop.example"] }, {}],
] as const)("a link's parts come with the rules that it needs, and no other: %s", (text, rules, needed) => {
  const { domain, affiliateId, creativeId, s2, deepLink, ...came } = parseTrackingLink(text, rules);
  expect(came).toEqual(needed);
  const normal = createTrackingLink(parseTrackingLink(text, rules));
  expect(createTrackingLink(parseTrackingLink(normal, rules))).toBe(normal);
});

test("what is built reads back in the platform's URL", () => {
  for (const { parts, rules, link } of vectors.build) {
    if (rules?.spill) continue;
    const url = new URL(link);
    expect(url.href).toBe(link);
    expect(url.searchParams.get("a")).toBe(String(parts.affiliateId));
    for (const name of ["s1", "s2", "s3", "s4", "s5"] as const)
      expect(url.searchParams.get(name) ?? undefined).toBe(parts[name]);
    expect(url.searchParams.get("ckmrdr") ?? undefined).toBe(parts.deepLink);
  }
});

test("bad parts are refused with their code, as in Rust", () => {
  for (const { parts, rules, code } of vectors.refuse) {
    expect(refusal(() => createTrackingLink({ ...parts, ...rules })).code, JSON.stringify(parts)).toBe(code);
  }
});

test("a refusal names the parameter, and the next link is built as if nothing had been", () => {
  const parts = { domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 };
  expect(refusal(() => createTrackingLink({ ...parts, s2: "a\nb" })).message).toBe(
    "s2 must not contain control characters",
  );
  expect(refusal(() => createTrackingLink({ ...parts, domain: "" })).parameter).toBe("domain");
  expect(refusal(() => createTrackingLink({ ...parts, s1: "x".repeat(100_000) })).code).toBe("link_too_long");
  expect(createTrackingLink(parts)).toBe("https://track.yournetwork.com/?a=1&c=2");
  // The core caches the last domain; another domain, or another kind, must not be confused with it.
  expect(createTrackingLink({ ...parts, domain: "other.example" })).toBe("https://other.example/?a=1&c=2");
  expect(refusal(() => createTrackingLink({ ...parts, domain: "other.example", sandbox: true })).code).toBe(
    "invalid_domain",
  );
  expect(refusal(() => createTrackingLink({ ...parts, domain: "" })).code).toBe("invalid_domain");
});

test("links are built while the module's memory grows", () => {
  const parts = { domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 };
  const extra = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`x${index}`, "1"]));
  for (let round = 0; round < 30; round += 1) {
    lintTrackingLink("x".repeat(round * 100_000));
    expect(createTrackingLink({ ...parts, s1: `r${round}` })).toBe(
      `https://track.yournetwork.com/?a=1&c=2&s1=r${round}`,
    );
    expect(createTrackingLink({ ...parts, extra })).toMatch(/&x199=1$/);
  }
});

test("a lint names what is probably a mistake", () => {
  const findings = lintTrackingLink(
    "https://t.example.com/?a=1&c=2&s1=8fca1b5e-9c1e-4b58-9d8a-3a1f6f0d2c11&utm_source=x",
  );
  expect(findings.map(({ code, parameter }) => [code, parameter])).toEqual([
    ["unique_s1", "s1"],
    ["utm_parameter", "utm_source"],
  ]);
  expect(lintTrackingLink("").map(({ code }) => code)).toEqual(["unreadable_link"]);
});

test("a click is found with what comes along", () => {
  expect(findClick("https://shop.example/?reqid=abc&s1=spring&affid=67890&oid=12345")).toEqual({
    clickId: "abc",
    parameter: "reqid",
    isRepeated: false,
    s1: "spring",
    affiliateId: "67890",
    offerId: "12345",
  });
  expect(findClick(new URL("https://shop.example/?reqid=%23reqid%23"))).toBeUndefined();
  expect(findClick("https://shop.example/#x=1", { parameters: ["x"], fragment: true })?.clickId).toBe("1");
});

test("a postback URL is checked", () => {
  const checked = checkPostbackUrl("https://tracking.partner.com/postback?click_id=#reqsessid#&payout={payout}");
  expect(checked.uses).toEqual(["reqsessid"]);
  expect(checked.findings.map(({ code }) => code)).toEqual(["foreign_macro"]);
  expect(refusal(() => checkPostbackUrl("http://127.0.0.1/")).code).toBe("invalid_postback_url");
});

test("a pixel has its URL and its tag", () => {
  const parts = {
    domain: "track.yournetwork.com",
    offerId: 12345,
    clickId: "abc",
    transactionId: "ORD-1",
    price: "22.5",
  };
  expect(createPixel(parts)).toEqual({
    url: "https://track.yournetwork.com/p.ashx?o=12345&r=abc&t=ORD-1&p=22.50&f=pb",
  });
  expect(createPixel({ ...parts, format: "img" }).tag).toContain("&amp;f=img");
  expect(refusal(() => createPixel({ ...parts, transactionId: "TRANSACTION_ID" })).code).toBe("placeholder_text");
  expect(refusal(() => createPixel({ domain: "track.yournetwork.com" })).code).toBe("invalid_id");
  expect(refusal(() => createPixel({ ...parts, format: "gif" } as never)).code).toBe("invalid_field");
});
