/** The plugin for WordPress: its own tests in PHP, its decisions beside `captureClick`'s, and a sale through a forwarder. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, get, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { captureClick } from "../../dist/entry/edge.inline.js";
import { freePort } from "../../js/bin/workerd.ts";
import { isWithoutPhp, phpVersion } from "../php.ts";
import { both, SECRET } from "./forwarder-in-process.ts";

const FOLDER = "examples/wordpress/tests";
const COOKIE_SECRET = "a cookie secret that the forwarder has as well";
const WEBHOOK_SECRET = "a webhook secret of WooCommerce's, of 32 characters";

test.skipIf(isWithoutPhp)("PHP is here", () => {
  expect(phpVersion ?? "PHP is missing: install php-cli").toMatch(/^\d+\.\d+/);
});

describe.skipIf(phpVersion === undefined)("the plugin for WordPress", () => {
  test("its own tests hold its rules to the shared vectors", async () => {
    const { stdout } = await promisify(execFile)("php", [`${FOLDER}/run.php`]).catch((failed) => failed);
    expect(stdout).toMatch(/^\d{3,} passed, 0 failed\n$/);
  });

  test("it decides about every request as captureClick does, byte for byte", async () => {
    const visits = randomVisits(1_500);
    const running = promisify(execFile)("php", [`${FOLDER}/decide.php`], { maxBuffer: 1e8 });
    running.child.stdin?.end(JSON.stringify(visits.map(({ wanted, ...visit }) => visit)));
    const found = JSON.parse((await running).stdout) as unknown[];
    expect(found).toHaveLength(visits.length);
    for (const [index, visit] of visits.entries()) expect(found[index], JSON.stringify(visit)).toEqual(visit.wanted);
    // The visits are of many kinds.
    expect(new Set(visits.map(({ wanted }) => wanted.reason)).size).toBe(13);
    expect(visits.filter(({ wanted }) => wanted.reason === "").length).toBeGreaterThan(300);
  });

  describe("a shop in front of a forwarder", () => {
    const folder = mkdtempSync(join(tmpdir(), "cake-edge-wordpress-"));
    const outbox = both({
      cookieSecrets: [COOKIE_SECRET],
      timeZone: "America/New_York",
      shops: { woocommerce: { secrets: WEBHOOK_SECRET, offerId: 12_345, currency: "USD" } },
    });
    let isDown = false;
    const server = createServer(async (request, response) => {
      if (isDown) return void response.writeHead(502).end("<h1>Bad gateway</h1>");
      const body: Buffer[] = [];
      for await (const chunk of request) body.push(chunk);
      const headers = new Headers(
        Object.entries(request.headers).map(([name, value]): [string, string] => [name, `${value}`]),
      );
      const url = `https://shop.example${request.url}`;
      const answer = await outbox.forwarder.fetch(
        new Request(url, { method: "POST", headers, body: Buffer.concat(body) }),
      );
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
    });
    let shop: ChildProcess;
    let origin: string;

    interface Told {
      readonly noCache: boolean;
      readonly check?: string;
      readonly wrong: string[];
      readonly jobs: { by: string }[];
      readonly orders: { id: number; notes: string[]; meta_data: { key: string; value: unknown }[] }[];
    }
    const tell = async (path: string, given: object = {}, headers: Record<string, string> = {}) => {
      const answer = await fetch(origin + path, { method: "POST", headers, body: JSON.stringify(given) });
      return (await answer.json()) as Told;
    };
    /** As a browser opens a page: `fetch` would say that it is none. */
    const land = (path: string) =>
      new Promise<{ headers: IncomingHttpHeaders; told: Told }>((resolve, reject) => {
        const headers = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
        get(origin + path, { headers }, async (response) => {
          const { headers } = response;
          resolve({ headers, told: (await json(response)) as Told });
        }).on("error", reject);
      });
    const rows = async () => (await (await outbox.operator("conversions")).json()).rows as Row[];
    interface Row {
      readonly state: string;
      readonly conversion?: { uniqueId: string; clickId: string; revenue: string; conversionDate: string };
      readonly correction?: Record<string, string>;
    }

    beforeAll(async () => {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const state = join(folder, "site.json");
      const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/cake`;
      const options = { cake_edge: { endpoint, offer_id: 12_345, time_zone: "America/New_York" } };
      const constants = { CAKE_EDGE_SIGNING_SECRET: SECRET, CAKE_EDGE_COOKIE_SECRETS: [COOKIE_SECRET] };
      writeFileSync(state, JSON.stringify({ options, constants }));
      const port = await freePort();
      origin = `http://127.0.0.1:${port}`;
      shop = spawn("php", ["-S", `127.0.0.1:${port}`, `${FOLDER}/site.php`], {
        env: { ...process.env, CAKE_EDGE_SITE: state },
        stdio: "ignore",
      });
      await vi.waitFor(() => land("/"), { timeout: 20_000 });
    });
    afterAll(async () => {
      shop?.kill();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    });

    test("a landing, a checkout, a payment, a refund: each is delivered once, also when the webhook tells it too", async () => {
      const clickId = await outbox.click();
      expect((await tell("/check")).check).toMatch(/^PASS/);

      // A page without a click may be cached; the landing may not, and sets the cookie that the forwarder believes.
      const home = await land("/");
      expect([home.headers["set-cookie"], home.told.noCache]).toEqual([undefined, false]);
      const landing = await land(`/landing?reqid=${clickId}`);
      const cookie = landing.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
      expect([landing.headers["cache-control"], landing.told.noCache]).toEqual(["private, no-store", true]);
      const byCookie = await outbox.ask("conversions?wait=1", {
        method: "POST",
        headers: { origin: "https://shop.example", cookie },
        body: JSON.stringify({ offerId: 12_345, uniqueId: "by-cookie" }),
      });
      expect(await byCookie.json()).toMatchObject({ state: "delivered" });

      // Two checkouts, classic and block.
      const order = { total: "29.35", line_items: [{ total: "18.00" }] };
      await tell("/checkout", { ...order, id: 727 }, { cookie });
      const { orders } = await tell("/store-api", { ...order, id: 728 }, { cookie });
      expect(orders.map(({ meta_data }) => meta_data)).toEqual([
        [{ key: "_reqid", value: clickId }],
        [{ key: "_reqid", value: clickId }],
      ]);

      // Paid while the forwarder is down: nothing is lost, and nothing is sent twice.
      isDown = true;
      const now = new Date();
      const paid = { status: "processing", date_paid_gmt: now.toISOString().slice(0, 19) };
      await tell("/orders/727", { fields: paid, hook: "woocommerce_payment_complete" });
      const once = await tell("/orders/727", { fields: paid, hook: "woocommerce_order_status_changed" });
      expect(once.jobs).toHaveLength(1);
      expect((await tell("/jobs")).jobs).toHaveLength(1);
      isDown = false;
      expect((await tell("/jobs", { ahead: 120 })).orders[0]?.notes).toEqual([
        "CAKE: woocommerce-sale-727 is accepted by the forwarder.",
      ]);
      const webhook = async (fields: object) => {
        const meta_data = [{ key: "_reqid", value: clickId }];
        const body = JSON.stringify({
          id: 727,
          number: "727",
          currency: "USD",
          ...order,
          ...paid,
          meta_data,
          ...fields,
        });
        const signature = createHmac("sha256", WEBHOOK_SECRET).update(body).digest("base64");
        const headers = { "x-wc-webhook-signature": signature, "x-wc-webhook-topic": "order.updated" };
        return (await (await outbox.ask("webhooks/woocommerce", { method: "POST", headers, body })).json()) as object;
      };
      expect(await webhook({})).toMatchObject({ outcome: "duplicate" });

      // A part is refunded, then the order is.
      const refunds = [{ id: 730, total: "-9.35" }];
      await tell("/orders/727", { fields: { refunds }, hook: "woocommerce_order_refunded" });
      await tell("/jobs");
      await tell("/orders/727", { fields: { status: "refunded" }, hook: "woocommerce_order_status_changed" });
      await tell("/jobs");
      const last = await tell("/jobs", { ahead: 1_000_000 });
      expect([last.jobs, last.wrong]).toEqual([[], []]);
      expect(await webhook({ refunds })).toMatchObject({ outcome: "duplicate" });
      expect(await webhook({ refunds, status: "refunded" })).toMatchObject({ outcome: "refund_duplicate" });

      await expect.poll(async () => (await rows()).map(({ state }) => state)).toEqual(Array(4).fill("delivered"));
      const date = new Intl.DateTimeFormat("sv-SE", {
        timeZone: "America/New_York",
        dateStyle: "short",
        timeStyle: "medium",
      }).format(now);
      const told = (await rows()).map(({ conversion, correction }) => conversion ?? correction).reverse();
      expect(told).toMatchObject([
        { uniqueId: "by-cookie", clickId },
        { uniqueId: "727", clickId, revenue: "29.35", conversionDate: date },
        { correctionId: "woocommerce-refund-727-730", uniqueId: "727", revenue: "20.00" },
        { correctionId: "woocommerce-refunded-727", uniqueId: "727", status: "returned" },
      ]);
      expect((await outbox.recorded()).filter(({ unique_id }) => unique_id === "727")).toHaveLength(1);
    });
  });
});

interface DecidedVisit {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly at: number;
  readonly options: { secrets: string[] };
  readonly wanted: { click_id: string; set_cookies: string[]; reason: string };
}

/** Visits of one browser after the other, each with the cookies that `captureClick` has set; the same in every run. */
function randomVisits(count: number): DecidedVisit[] {
  let seed = 20_261_126;
  const random = (below: number) => {
    // A linear congruential generator is random enough.
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((seed / 0x8000_0000) * below);
  };
  const one = <T>(of: readonly T[]): T => of[random(of.length)] as T;
  const often = <T>(usual: T, others: readonly T[]): T => (random(4) > 0 ? usual : one(others));
  const secrets = ["a newer secret of 32 bytes or more", "an old secret of 32 bytes or more"];
  const text = [
    "abc-1",
    "undefined",
    "%23reqid%23",
    "%F0%9F%8D%B0",
    "%C3",
    "a%E2%82b",
    "%80%FF",
    "b%20c",
    "",
    "x".repeat(51),
    "%C2%85",
    "+",
    "#",
  ];
  const visits: DecidedVisit[] = [];
  let at = 1_781_879_400_000;
  let jar = new Map<string, string>();
  vi.useFakeTimers({ toFake: ["Date"] });
  for (let index = 0; index < count; index += 1) {
    if (random(12) === 0) jar = new Map();
    at += one([1_000, 60_000, 86_400_000, 9 * 86_400_000, 31 * 86_400_000, -3 * 86_400_000]);
    vi.setSystemTime(at);
    const query = Array.from({ length: random(5) }, () => {
      const name = one(["reqid", "ReqId", "clickid", "s1", "s2", "S5", "p", "amp;reqid", "%20click_id", "cid"]);
      const value = often(`id-${random(9)}`, text);
      return `${name}${often("=", ["", "%3D"])}${value}${often("", ["?", ";", "%3F", "%2526", "&amp;"])}`;
    });
    const host = often("https://www.shop.example", [
      "http://127.0.0.1:8080",
      "http://127.1.2.3",
      "http://my_app.localhost:3000",
      "http://mylocalhost",
      "http://www.shop.example",
      "https://shop.example",
    ]);
    const path = often("/", ["/landing&", "/landing;", "/a%3Freqid=z-1", "/reqid=y-1/"]);
    const method = often("GET", ["POST", "HEAD", "GET"]);
    const headers: Record<string, string> = often<Record<string, string>>(
      { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
      [
        { accept: "text/html, */*" },
        { accept: "image/avif" },
        { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
        { "sec-fetch-mode": "same-origin", "sec-fetch-dest": "empty", "upgrade-insecure-requests": "1" },
        { "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
        { "sec-fetch-mode": "navigate", purpose: "prefetch" },
        { "sec-fetch-mode": "navigate", "sec-purpose": "Prefetch; prerender" },
        { upgrade: "websocket" },
      ],
    );
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const spoiled = often(cookie, [`${cookie}x`, `a=1; ${cookie}; ${cookie}`, `cake_click=1!t*t!reqid!x; ${cookie}`]);
    if (spoiled !== "") headers["cookie"] = spoiled;
    if (random(9) === 0) headers["sec-gpc"] = one(["1", "0", "1, 1", "1,1", "?1", `"1"`, "1;x", "0, 0", "10", "0, 1"]);
    const options = {
      secrets: often(secrets, [secrets.toReversed()]),
      ...(random(9) === 0 ? { consent: one(["denied", "pending", "GRANTED"]) } : {}),
      ...(random(3) === 0 ? { touch: one(["first", "last"]), journey: 1 + random(3) } : {}),
      ...(random(5) === 0 ? { windowDays: one([1, 7, 400]) } : {}),
      ...(random(6) === 0 ? { domain: "shop.example" } : {}),
      ...(random(6) === 0 ? { parameters: ["cid", "reqid"] } : {}),
      ...(random(9) === 0 ? { ignoreGlobalPrivacyControl: true } : {}),
    } as { secrets: string[] };
    const request = new Request(`${host}${path}?${query.join("&")}`, { method, headers });
    let wanted: DecidedVisit["wanted"];
    try {
      const found = captureClick(request, options);
      const setCookies = found.setCookies ?? (found.setCookie === undefined ? [] : [found.setCookie]);
      wanted = { click_id: found.clickId ?? "", set_cookies: [...setCookies], reason: found.reason ?? "" };
    } catch {
      continue; // The host is not one of `domain`: the shared vectors have that.
    }
    for (const each of wanted.set_cookies) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(each) ?? [];
      if (value === "") jar.delete(name);
      else jar.set(name, value);
    }
    visits.push({ method, url: request.url, headers, at, options, wanted });
  }
  vi.useRealTimers();
  return visits;
}
