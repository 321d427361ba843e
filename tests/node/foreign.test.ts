/** Texts of other tools and damage by editors, from the vectors that the core's own tests also read. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type CakeError, checkPostbackUrl, createPixel, lintTrackingLink } from "../../dist/entry/edge.inline.js";

const read = (name: string) => JSON.parse(readFileSync(`tests/vectors/${name}.json`, "utf8"));

const { macros, plain, spoiled, postbacks } = read("foreign") as {
  macros: Record<string, string[]>;
  plain: string[];
  spoiled: { link: string; code: string }[];
  postbacks: { url: string; code: string; parameter?: string }[];
};

const linted = (value: string) =>
  lintTrackingLink(`https://track.yournetwork.com/?a=1&c=2&s2=${value}&s3=x`).map(({ code }) => code);
const checked = (value: string) =>
  checkPostbackUrl(`https://p.example/?id=#reqsessid#&x=${value}&y=z`).findings.map(({ code }) => code);

test.each(Object.entries(macros))("what %s writes is named in links and postback URLs", (_, texts) => {
  for (const text of texts) {
    const once = encodeURIComponent(text);
    for (const spelling of [text, once, encodeURIComponent(once)]) {
      expect(linted(spelling).join(), spelling).toMatch(/unexpanded_macro|placeholder_text/);
      if (/[ \\]/.test(spelling)) continue;
      expect(checked(spelling).join(), spelling).toMatch(/foreign_macro|unknown_macro|placeholder_text/);
    }
  }
});

test("plain texts make no false alarm", () => {
  for (const text of plain) {
    const spellings = text.includes("%") ? [text] : [text, encodeURIComponent(text)];
    for (const spelling of spellings) {
      expect(
        linted(spelling).filter((code) => code !== "raw_fragment" || !spelling.includes("#")),
        spelling,
      ).toEqual([]);
      if (spelling.includes(" ")) continue;
      expect(
        checked(spelling).filter((code) => code !== "raw_fragment" || !spelling.includes("#")),
        spelling,
      ).toEqual([]);
    }
  }
});

test("every damage has its code, and every finding says what to do", () => {
  for (const { link, code } of spoiled) {
    const findings = lintTrackingLink(link);
    expect(
      findings.map((finding) => finding.code),
      link,
    ).toContain(code);
    for (const { sentence } of findings) expect(sentence).toMatch(/^[A-Z].*[.?]$/s);
  }
  for (const { url, code, parameter } of postbacks) {
    const { findings } = checkPostbackUrl(url);
    const found = findings.filter((finding) => finding.code === code).map((finding) => finding.parameter);
    expect(found, url).not.toEqual([]);
    if (parameter !== undefined) expect(found, url).toContain(parameter);
  }
});

test("what the way has done to a postback URL is a finding, and what must not be fetched is refused", () => {
  for (const [url, code] of [
    ["https://p.example/?id=#reqsessid#&x={{ clickid }}", "foreign_macro"],
    ["https://p.example/?id=#reqsessid#&x=[click id]", "foreign_macro"],
    [" https://p.example/?id=#reqsessid#", "stray_space"],
    ["https://p.example/?id=#reqsessid#&\nx=1", "line_break"],
    ['"https://p.example/?id=#reqsessid#"', "text_around_link"],
    ["https:\\/\\/p.example\\/?id=#reqsessid#", "escaped_text"],
  ] as const) {
    const { uses, findings } = checkPostbackUrl(url);
    expect(uses, url).toEqual(["reqsessid"]);
    expect(findings.map((finding) => finding.code)).toContain(code);
  }
  for (const url of ["http://p.example/", "https://u:p@p.example/", "https://127.0.0.1/", "p.example", ""]) {
    expect(() => checkPostbackUrl(url), url).toThrow(expect.objectContaining({ code: "invalid_postback_url" }));
  }
  const [finding] = checkPostbackUrl("https://p.example/?id=#click_id#").findings;
  expect(finding?.sentence).toContain("#reqsessid#");
});

test("transaction ids are taken as shops write them, and words for a missing value are not", () => {
  const transactionOf = (transactionId: string | number) => {
    try {
      const { url } = createPixel({ domain: "track.yournetwork.com", offerId: 1, clickId: "a1", transactionId });
      return { id: new URL(url).searchParams.get("t") };
    } catch (error) {
      return { code: (error as CakeError).code };
    }
  };
  const { taken, refused } = read("transaction_ids") as {
    taken: { given: string | number; id: string }[];
    refused: { given: string | number; code: string }[];
  };
  for (const { given, id } of taken) expect(transactionOf(given), String(given)).toEqual({ id });
  for (const { given, code } of refused) {
    // A number that is not an exact whole number cannot become a text for the core.
    const isInexact = typeof given === "number" && (!Number.isSafeInteger(given) || given < 0);
    expect(transactionOf(given), String(given)).toEqual({ code: isInexact ? "invalid_field" : code });
  }
  const { missing, leftovers, ids } = read("missing_values") as Record<"missing" | "leftovers" | "ids", string[]>;
  for (const text of [...missing, ...leftovers])
    expect(transactionOf(text), text).toEqual({ code: "placeholder_text" });
  for (const text of ids) expect(transactionOf(text), text).toEqual({ id: text });
});

test("a domain that no URL parser takes is refused", () => {
  const domainOf = (domain: string) => {
    try {
      return createPixel({ domain, offerId: 1, clickId: "a1" }).url;
    } catch (error) {
      return (error as CakeError).code;
    }
  };
  for (const domain of ["xn--a.example", "xn--.example", "xn--abc-.example", "a.xn--zzzzzz.example", "XN--0.example"]) {
    expect(domainOf(domain), domain).toBe("invalid_domain");
  }
  expect(domainOf("xn--kse-qla.example")).toMatch(/^https:\/\/xn--kse-qla\.example\//);
});
