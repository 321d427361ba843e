/** Edge capture's decisions by the shared vectors, in Node. */
import { readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import {
  type CaptureOptions,
  captureClick,
  createConversionToken,
  findClick,
  isCakeError,
  readClickCookie,
  withClickCapture,
} from "../../dist/entry/edge.inline.js";
import { checkSecret } from "../../js/secret.ts";

interface Vector {
  readonly name: string;
  readonly url: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly options?: Partial<CaptureOptions>;
  readonly at?: number;
  readonly secrets?: string[];
  readonly want: { readonly clickId?: string; readonly setCookie?: string; readonly reason?: string };
  readonly code: string;
}

const vectors: { secrets: string[]; decide: Vector[]; refuse: Vector[] } = JSON.parse(
  readFileSync("tests/vectors/capture.json", "utf8"),
);
const { secrets } = vectors;

const requestOf = ({ url, method = "GET", headers = {} }: Vector) => new Request(url, { method, headers });

afterEach(() => {
  vi.useRealTimers();
});

test("every request has its decision, as in Rust", () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  for (const vector of vectors.decide) {
    vi.setSystemTime(vector.at ?? 0);
    expect(captureClick(requestOf(vector), { secrets, ...vector.options }), vector.name).toEqual(vector.want);
  }
});

test("what is set is read back where the conversion is recorded, and by no other secret", () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  for (const { at = 0, options, want, name } of vectors.decide) {
    if (want.setCookie === undefined) continue;
    vi.setSystemTime(at);
    const request = new Request("https://shop.example/cake", {
      headers: { cookie: want.setCookie.split(";")[0] ?? "" },
    });
    const { touch = "last" } = options ?? {};
    expect(readClickCookie(request, { secrets, touch }), name).toBe(want.clickId);
    expect(readClickCookie(request, { secrets: ["a foreign secret of 32 bytes or more"] }), name).toBeUndefined();
  }
});

interface QueryVector {
  readonly name: string;
  readonly query: string;
  readonly parameters?: string[];
  readonly clickId?: string;
  readonly parameter?: string;
}
const { queries }: { queries: QueryVector[] } = JSON.parse(readFileSync("tests/vectors/click_ids.json", "utf8"));

test.each(queries)("an address has its click id, as in Rust and in the page: $name", (vector) => {
  const { query, parameters = [], clickId, parameter } = vector;
  const found = findClick(`https://shop.example/${query}`, { parameters });
  expect([found?.clickId, found?.parameter]).toEqual([clickId, parameter]);
  const headers = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  const captured = captureClick(new Request(`https://shop.example/${query}`, { headers }), { secrets, parameters });
  expect(captured.clickId).toBe(clickId);
});

const LANDING = "https://shop.example/?reqid=abc-1";
const NAVIGATION = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
const capture = (headers: Record<string, string>, options: Partial<CaptureOptions> = {}, url = LANDING) =>
  captureClick(new Request(url, { headers: { ...NAVIGATION, ...headers } }), { secrets, ...options });
/** The value of a visit's cookie. */
const cookieOf = (options: Partial<CaptureOptions> = {}, url = LANDING) =>
  capture({}, options, url).setCookie?.split(";")[0] ?? "";

test("of several cookies the newest that verifies counts, and a good one is not deleted for a bad one", () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(1_781_879_400_000);
  const old = cookieOf({ domain: "shop.example" });
  vi.setSystemTime(1_781_879_500_000);
  const fresh = cookieOf({ domain: "shop.example" }, "https://shop.example/?reqid=abc-2");
  const forged = fresh.replace("abc-2", "abc-3");
  for (const cookies of [
    `${old}; ${fresh}`,
    `${fresh}; ${old}`,
    `${forged}; ${fresh}`,
    `__Secure-cake_click=x; ${fresh}`,
  ]) {
    const cookie = cookies;
    const kept = capture({ cookie }, { domain: "shop.example" }, "https://shop.example/thanks");
    expect(kept, cookies).toEqual({ clickId: "abc-2", reason: "known" });
    const request = new Request("https://shop.example/cake", { headers: { cookie } });
    expect(readClickCookie(request, { secrets }), cookies).toBe("abc-2");
  }
});

test("what former settings have set is read, and written by the present ones", () => {
  const cookie = cookieOf();
  const kept = capture({ cookie }, { domain: "Shop.Example" }, "https://shop.example/thanks");
  expect(kept.clickId).toBe("abc-1");
  expect(kept.setCookie).toMatch(/^__Secure-cake_click=1!.*; Domain=shop\.example;/);
});

test("denial leaves the click under no name and no domain", () => {
  const cookie = "__Host-cake_click=a; __Secure-cake_click=b; cake_click=c; other=1";
  for (const options of [{ consent: "denied" as const }, { consent: false }, {}]) {
    const captured = capture({ cookie, ...(options.consent === undefined ? { "sec-gpc": "1" } : {}) }, options);
    expect(captured.clickId).toBeUndefined();
    const places = captured.setCookies?.map((text) => /^([^=]+)=;(?: Domain=([^;]+);)?/.exec(text)?.slice(1));
    expect(places).toEqual([
      ["__Host-cake_click", undefined],
      ["__Secure-cake_click", "shop.example"],
      ["__Secure-cake_click", undefined],
      ["cake_click", "shop.example"],
      ["cake_click", undefined],
    ]);
    for (const text of captured.setCookies ?? []) expect(text).toContain("Max-Age=0");
  }
});

test("consent is taken in a platform's own words, and any other is told", () => {
  for (const consent of ["Granted", " granted ", true, "TRUE"] as const) {
    expect(capture({}, { consent: consent as "granted" }).setCookie).toBeDefined();
  }
  for (const consent of ["yes", "", 1, null]) {
    expect(() => capture({}, { consent: consent as "granted" }), String(consent)).toThrow("consent");
  }
});

test("a site's own service worker leaves a navigation one; a script's fetch is none", () => {
  const html = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";
  const empty = { "sec-fetch-dest": "empty", accept: html };
  // Measured values: Chromium, Firefox, and a worker that copies the request.
  for (const mode of ["navigate", "same-origin", "cors"]) {
    const headers = { ...empty, "sec-fetch-mode": mode, "upgrade-insecure-requests": "1" };
    expect(capture(headers).setCookie, mode).toBeDefined();
  }
  for (const mode of ["same-origin", "cors", "no-cors"]) {
    expect(capture({ ...empty, "sec-fetch-mode": mode }).reason, mode).toBe("not_navigation");
  }
  expect(capture({ "sec-fetch-dest": "iframe", "upgrade-insecure-requests": "1" }).reason).toBe("not_navigation");
});

test("behind a proxy that ends TLS the visitor's own scheme and host count, where the site says so", () => {
  const url = "http://10.0.0.7:3000/?reqid=abc-1";
  const proxies: Record<string, string>[] = [
    { "x-forwarded-proto": "https", "x-forwarded-host": "shop.example" },
    { "x-forwarded-proto": "HTTPS, http", "x-forwarded-host": "Shop.Example:443, inner" },
    { forwarded: 'for=1.2.3.4;proto=https;host="shop.example", for=10.0.0.1;proto=http' },
  ];
  for (const headers of proxies) {
    expect(capture(headers, {}, url).reason).toBe("insecure");
    const captured = capture(headers, { trustProxy: true, domain: "shop.example" }, url);
    expect(captured.setCookie).toMatch(/^__Secure-cake_click=.*; Domain=shop\.example;.*Secure/);
  }
  expect(capture({ "x-forwarded-proto": "http" }, { trustProxy: true }, url).reason).toBe("insecure");
  expect(capture({}, { trustProxy: true }, url).reason).toBe("insecure");
});

test("a click that is lost to plain http is told, once", async () => {
  const heard: unknown[] = [];
  const options = { secrets, onError: (error: unknown) => void heard.push(error) };
  const site = withClickCapture(() => new Response("shop"), options);
  for (let count = 0; count < 2; count += 1) {
    await site(new Request("http://shop.example/?reqid=abc-1", { headers: { accept: "text/html" } }), {});
  }
  expect(heard.map((error) => isCakeError(error) && [error.code, error.parameter])).toEqual([
    ["invalid_setting", "trustProxy"],
  ]);
});

test("no network's cache may share an answer that has a click's cookie", async () => {
  const names = [
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "netlify-cdn-cache-control",
    "vercel-cdn-cache-control",
    "surrogate-control",
    "edge-control",
    "x-accel-expires",
    "x-litespeed-cache-control",
    "expires",
  ];
  const headers = Object.fromEntries(names.map((name) => [name, "max-age=3600"]));
  const site = withClickCapture(() => new Response("shop", { headers }), { secrets });
  const answer = await site(new Request(LANDING, { headers: NAVIGATION }), {});
  expect(answer.headers.get("cache-control")).toBe("private, no-store");
  for (const name of names) expect(answer.headers.has(name), name).toBe(false);
  const other = await site(new Request("https://shop.example/about", { headers: NAVIGATION }), {});
  for (const name of names) expect(other.headers.has(name), name).toBe(true);
});

test("bad settings are refused with their code, as in Rust", () => {
  for (const vector of vectors.refuse) {
    let thrown: unknown;
    try {
      captureClick(requestOf(vector), { secrets: vector.secrets ?? secrets, ...vector.options });
    } catch (error) {
      thrown = error;
    }
    expect(isCakeError(thrown) && thrown.code, vector.name).toBe(vector.code);
  }
});

test("JavaScript without types gets a CakeError too", () => {
  const request = new Request("https://shop.example/");
  for (const options of [
    undefined,
    {},
    { secrets: "a secret that is no list, of 32 bytes" },
    { secrets: [7] },
    { secrets, touch: "middle" },
    { secrets, window: 30 },
    { secrets, consent: () => undefined },
  ]) {
    expect(() => captureClick(request, options as never), JSON.stringify(options)).toThrow(
      expect.objectContaining({ name: "CakeError" }),
    );
  }
});

test("consent may be a function of the request", () => {
  const consent = (request: Request) => (request.headers.get("cookie")?.includes("agreed=1") ? "granted" : "pending");
  const visit = (cookie: string) =>
    captureClick(new Request("https://shop.example/?reqid=abc-1", { headers: { cookie, accept: "text/html" } }), {
      secrets,
      consent,
    });
  expect(visit("agreed=1").setCookie).toMatch(/^__Host-cake_click=/);
  expect(visit("")).toEqual({ clickId: "abc-1", reason: "consent_pending" });
});

test("a Node server's handler captures as a Worker's does", async () => {
  const handler = withClickCapture(() => new Response("shop"), { secrets });
  const request = new Request("https://shop.example/?reqid=abc-1", { headers: { accept: "text/html" } });
  expect((await handler(request, undefined)).headers.getSetCookie()).toHaveLength(1);
});

test("a domain in another script, or with a dot at its end, is the request's own", () => {
  const secrets = ["0123456789abcdef0123456789abcdef"];
  const domainOf = (host: string, domain: string) => {
    const request = new Request(`https://${host}/?reqid=abc-1`, { headers: { accept: "text/html" } });
    return /Domain=([^;]*)/.exec(captureClick(request, { secrets, domain }).setCookie ?? "")?.[1];
  };
  for (const host of ["m\u00fcller.example", "www.m\u00fcller.example"]) {
    for (const domain of [
      "m\u00fcller.example",
      "M\u00dcLLER.example",
      ".m\u00fcller.example",
      "xn--mller-kva.example",
    ]) {
      expect([domain, domainOf(host, domain)]).toEqual([domain, "xn--mller-kva.example"]);
    }
  }
  for (const [host, domain] of [
    ["shop.example.", "shop.example."],
    ["www.shop.example", "shop.example."],
    ["shop.example.", "shop.example"],
  ] as const) {
    expect([domain, domainOf(host, domain)]).toEqual([domain, "shop.example"]);
  }
  expect(() => domainOf("shop.example", "m\u00fcller.example")).toThrow("must be the host of the request");
});

test("a parameter that can be no name is refused, and white space around one is none of it", () => {
  const secrets = ["0123456789abcdef0123456789abcdef"];
  const address = "https://shop.example/?own=abc-1";
  const request = new Request(address, { headers: { accept: "text/html" } });
  for (const parameters of [["own"], [" own\n"], ["other", "own"]]) {
    expect(captureClick(request, { secrets, parameters }).clickId).toBe("abc-1");
    expect(findClick(address, { parameters })?.clickId).toBe("abc-1");
  }
  for (const name of ["", " ", "own,reqid", "own;reqid", "own|reqid", "[own]", '["own"]', "own reqid", "{own}"]) {
    const refusal = expect.objectContaining({ code: "invalid_field", parameter: "parameters" });
    expect(() => captureClick(request, { secrets, parameters: [name] })).toThrow(refusal);
    expect(() => findClick(address, { parameters: [name] })).toThrow(refusal);
  }
});

test.each([
  "x".repeat(40),
  "REPLACE_WITH_THE_OUTPUT_OF_openssl_rand",
  "YOUR_COOKIE_SECRET_OF_32_CHARACTERS_OR_MORE",
  "<the output of openssl rand -hex 32>",
  "two lines of a file of secrets,\nof which each is one",
])("a secret that the forwarder refuses signs no click: %j", (secret) => {
  const headers = { ...NAVIGATION, cookie: "__Host-cake_click=1" };
  const request = new Request(LANDING, { headers });
  const parts = { offerId: 1, clickId: "abc-1", origin: "https://shop.example" };
  for (const use of [
    () => checkSecret("cookieSecrets", secret, 32),
    () => captureClick(request, { secrets: [secret] }),
    () => captureClick(request, { secrets: [...secrets, secret] }),
    () => readClickCookie(request, { secrets: [secret] }),
    () => createConversionToken({ ...parts, secrets: [secret] }),
  ]) {
    expect(use).toThrow(expect.objectContaining({ code: "placeholder_text" }));
  }
});

test("days and clicks to keep are numbers, or the digits of a text", () => {
  for (const odd of [true, [7], new Date(5), "0x12", "7.5", 7.5, Number.NaN, "", {}, 2 ** 32 + 5, -1]) {
    for (const name of ["windowDays", "journey"]) {
      expect(() => capture({}, { [name]: odd as never }), `${name} ${String(odd)}`).toThrow(name);
    }
  }
  for (const right of [7, "7", " 7 ", 7n]) {
    expect(capture({}, { windowDays: right as never, journey: right as never }).setCookie).toBeDefined();
  }
});

test("a promise of consent is told to be awaited", () => {
  expect(() => capture({}, { consent: (async () => "granted") as never })).toThrow(/"granted".*await it/);
});

test("a function of the environment that returns nothing is told so", async () => {
  const told: unknown[] = [];
  const log = console.error;
  console.error = (text: unknown) => told.push(text);
  try {
    const site = withClickCapture(async () => new Response("site"), (() => undefined) as never);
    expect(await (await site(new Request("https://shop.example/?reqid=a1"), {})).text()).toBe("site");
  } finally {
    console.error = log;
  }
  expect(String(told)).toMatch(/options must be an object: write \(env\)/);
});
