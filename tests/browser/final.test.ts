/** Final outcomes, in Chromium: only the forwarder's own answer about this very conversion ends it. */
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Tracker } from "../../js/page/index.ts";
import vector from "../vectors/final_codes.json" with { type: "json" };
import { launch } from "./chromium.ts";
import { Site, type Trouble } from "./site.ts";
import { type Visit, visit } from "./visit.ts";

declare const tracker: Tracker;

let site: Site;
let browser: Browser;
beforeAll(async () => {
  site = await Site.start();
  browser = await launch();
  site.addTrackerPage("/");
  site.addTrackerPage("/thanks");
  site.addTrackerPage("/edge", "{ edge: true }");
});
beforeEach(() => {
  site.trouble = undefined;
  site.received.length = 0;
  site.recorded.clear();
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});

const buyer = (): Promise<Visit> => visit(browser, site, "/?reqid=abc-1");
const convert = (page: Page) => page.evaluate(() => tracker.convert({ offerId: 1, uniqueId: "u" }));
const waiting = (page: Page) =>
  page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("cake_click_outbox:")).length);

/** An error as the forwarder writes it. */
const own = (code: string, retryable = false) => ({ error: { code, rule: "is wrong", retryable } });

/** The list that the forwarder's tests read too. */
const isOfPage = ({ page }: { readonly page?: boolean }) => page !== false;
const FINAL = vector.final.filter(isOfPage).map(({ status, code }) => [status, code] as const);

test.each(FINAL)("%i %s is about this conversion: it ends", async (status, code) => {
  const { page, said } = await buyer();
  site.trouble = { status, body: own(code) };
  expect(await convert(page)).toEqual({ state: "refused", code });
  expect(await waiting(page)).toBe(0);
  expect(said.join("\n")).toContain(code);
});

/** Answers that somebody else must correct elsewhere: the conversion waits. */
const WAITS: readonly (Trouble & { readonly what: string; readonly code?: string })[] = [
  ...vector.final
    .filter((final) => !isOfPage(final))
    .map(({ code, status }) => ({ what: `${code}, of a body that no page sends,`, status, body: own(code), code })),
  // The forwarder's own answers about its configuration, its caller or its load.
  { what: "origin_refused", status: 403, body: own("origin_refused"), code: "origin_refused" },
  { what: "not_found", status: 404, body: own("not_found"), code: "not_found" },
  { what: "method_not_allowed", status: 405, body: own("method_not_allowed"), code: "method_not_allowed" },
  { what: "unsupported_type", status: 415, body: own("unsupported_type"), code: "unsupported_type" },
  { what: "signature_refused", status: 401, body: own("signature_refused"), code: "signature_refused" },
  { what: "operator_refused", status: 401, body: own("operator_refused"), code: "operator_refused" },
  { what: "webhook_id_reused", status: 409, body: own("webhook_id_reused"), code: "webhook_id_reused" },
  { what: "too_many_requests", status: 429, body: own("too_many_requests", true), code: "too_many_requests" },
  { what: "missing_api_key", status: 500, body: own("missing_api_key", true), code: "missing_api_key" },
  { what: "weak_secret", status: 500, body: own("weak_secret", true), code: "weak_secret" },
  {
    what: "a setting that is a placeholder",
    status: 500,
    body: own("placeholder_text", true),
    code: "placeholder_text",
  },
  { what: "an internal error", status: 500, body: own("internal", true), code: "internal" },
  { what: "outbox_full", status: 503, body: own("outbox_full", true), code: "outbox_full" },
  { what: "a code of a newer forwarder", status: 400, body: own("not_yet_invented") },
  { what: "its own code that it says may pass", status: 400, body: own("invalid_id", true) },
  { what: "a final code with a server's error", status: 502, body: own("invalid_id") },
  { what: "a final code with a status of success", status: 200, body: own("invalid_id") },
  // Answers of a system in front of the forwarder, or in its place.
  { what: "a firewall's JSON", status: 403, body: { error: { code: 1020, message: "Access denied" } } },
  {
    what: "a firewall's JSON with words of ours",
    status: 400,
    body: { error: { code: "invalid_id", message: "blocked" } },
  },
  { what: "a platform's JSON", status: 404, body: { error: { code: "DEPLOYMENT_NOT_FOUND", message: "gone" } } },
  { what: "a framework's JSON", status: 400, body: { error: "Bad Request", statusCode: 400, message: "x" } },
  { what: "a GraphQL answer", status: 400, body: { errors: [{ code: "invalid_id" }] } },
  { what: "JSON null", status: 400, body: null },
  { what: "JSON null and success", status: 200, body: null },
  { what: "a JSON text", status: 400, body: '"invalid_id"', headers: { "content-type": "application/json" } },
  { what: "a list", status: 200, body: [] },
  { what: "success with somebody else's id", status: 200, body: { id: "r-1" } },
  { what: "success with a numeric id", status: 201, body: { id: 7, duplicate: false } },
  { what: "success that says ok", status: 200, body: { ok: true } },
  { what: "an id and an error's status", status: 403, body: { id: "r-1", duplicate: false } },
  { what: "a challenge page", status: 403, body: "<h1>Just a moment…</h1>" },
  { what: "a page of the site's", status: 200, body: "<h1>Home</h1>" },
  { what: "an empty answer", status: 200, body: "" },
  { what: "no content", status: 204, body: "" },
  { what: "a web server's 413", status: 413, body: "<h1>413 Request Entity Too Large</h1>" },
  { what: "a proxy's 400", status: 400, body: "<h1>400 Bad Request</h1>" },
  { what: "gone", status: 410, body: "" },
  { what: "unavailable for legal reasons", status: 451, body: "" },
  { what: "not modified", status: 304, body: "" },
  {
    what: "a redirect that turned the POST into a GET",
    status: 302,
    body: "",
    headers: { location: "/cake/conversions" },
  },
  { what: "a redirect to the site's home page", status: 301, body: "", headers: { location: "/" } },
  { what: "a redirect to a sign-in elsewhere", status: 303, body: "", headers: { location: "http://127.0.0.1:9/" } },
  { what: "a redirect in a circle", status: 307, body: "", headers: { location: "/cake/conversions" } },
  { what: "a redirect to nowhere", status: 302, body: "" },
  { what: "an answer that breaks off", reset: true },
  { what: "JSON that is cut", status: 202, body: '{"id":"x","dupl', headers: { "content-type": "application/json" } },
];

test.each(WAITS)("$what is not about this conversion: it waits, and is sent after the mend", async (trouble) => {
  const { page, go, said } = await buyer();
  site.trouble = trouble;
  const result = await convert(page);
  expect(result.state).toBe("queued");
  if (trouble.code) expect(result.code).toBe(trouble.code);
  expect(typeof result.code).toBe("string");
  expect(await waiting(page)).toBe(1);
  site.trouble = undefined;
  await go("/thanks");
  await expect.poll(() => [...site.recorded.keys()]).toEqual(["1 u"]);
  await expect.poll(() => waiting(page)).toBe(0);
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

test("a click id that this page has not sent is the cookie's affair: it waits, and is sent after the mend", async () => {
  const { page, go } = await visit(browser, site, "/edge?reqid=abc-1");
  site.trouble = { status: 400, body: own("invalid_click_id") };
  expect(await convert(page)).toEqual({ state: "queued", code: "invalid_click_id" });
  site.trouble = undefined;
  await go("/edge");
  await expect.poll(() => [...site.recorded.keys()]).toEqual(["1 u"]);
});

test("a redirect that keeps the POST is followed, and its answer counts", async () => {
  const { page } = await buyer();
  site.trouble = (number) =>
    number === first ? { status: 308, headers: { location: "/cake/conversions" } } : undefined;
  const first = site.attempts;
  expect(await convert(page)).toEqual({ state: "accepted", id: "id-u" });
});

test("it waits for seven days, and once more, since a clock may have been wrong", async () => {
  const { page, go } = await buyer();
  await page.evaluate(() => {
    const days = (count: number) => Date.now() + count * 86_400_000;
    const add = (name: string, at: number, again?: boolean) =>
      localStorage.setItem(
        `cake_click_outbox:${name}`,
        JSON.stringify({ at, again, fields: { offerId: 1, uniqueId: name, clickId: "abc-1" } }),
      );
    add("eight-days-again", days(-8), true);
    add("eight-days", days(-8));
    add("six-days", days(-6));
    // The clock was wrong when the conversion was stored.
    add("next-year", days(365));
  });
  site.trouble = { status: 503, body: own("outbox_full", true) };
  await go("/thanks");
  const kept = () =>
    page.evaluate(() =>
      Object.entries(localStorage)
        .filter(([key]) => key.startsWith("cake_click_outbox:"))
        .map(([key, text]) => {
          const { at, again } = JSON.parse(text as string);
          return [key.split(":")[1], at <= Date.now() && at > Date.now() - 7 * 86_400_000, again];
        }),
    );
  await expect
    .poll(async () => (await kept()).sort())
    .toEqual([
      ["eight-days", true, true],
      ["next-year", true, false],
      ["six-days", true, false],
    ]);
  site.trouble = undefined;
  await go("/thanks");
  await expect.poll(() => [...site.recorded.keys()].sort()).toEqual(["1 eight-days", "1 next-year", "1 six-days"]);
});

test("a script that changes what fetch sends loses no sale: the next try goes another way", async () => {
  const { page } = await buyer();
  await page.evaluate((body) => {
    window.fetch = async () => new Response(JSON.stringify(body), { status: 400 });
  }, own("invalid_field"));
  expect(await convert(page)).toEqual({ state: "queued", code: "invalid_field" });
  await expect.poll(() => [...site.recorded.keys()], { timeout: 10_000 }).toEqual(["1 u"]);
  await expect.poll(() => waiting(page)).toBe(0);
});
