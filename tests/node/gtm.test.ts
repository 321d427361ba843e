/** The templates for Google Tag Manager: their form, the server's in front of a forwarder, their own scenarios. */
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Host, runScenario, runTemplate } from "../gtm/emulator.ts";
import { problemsOf, readTemplate, type Template } from "../gtm/template.ts";
import { both, SECRET } from "./forwarder-in-process.ts";

const web = readTemplate("examples/gtm/web.tpl");
const server = readTemplate("examples/gtm/server.tpl");

const PLATFORM = {
  hash: (input: string, encoding: string) =>
    createHash("sha256")
      .update(input)
      .digest(encoding as "hex"),
  hmac: (input: string, key: string, encoding: string) =>
    createHmac("sha256", Buffer.from(key, "base64"))
      .update(input)
      .digest(encoding as "base64"),
};

describe.each([
  ["web", web],
  ["server", server],
] as const)("the %s template", (kind, template) => {
  test("is one that GTM takes: sandboxed JavaScript, and no permission more or less than it needs", () => {
    expect([template.kind, template.info.type, template.info.containerContexts]).toEqual([
      kind,
      "TAG",
      [kind.toUpperCase()],
    ]);
    expect(problemsOf(template)).toEqual([]);
    const read = [...template.code.matchAll(/\bdata\.(\w+)/g)].map(([, name]) => name);
    const own = new Set(template.parameters.map(({ name }) => name));
    for (const { name, valueHint, valueValidators = [] } of template.parameters) {
      for (const { args } of valueValidators.filter(({ type }) => type === "REGEX")) {
        expect(valueHint, name).toMatch(new RegExp(`${args}`));
        expect("javascript:alert(1)", name).not.toMatch(new RegExp(`${args}`));
      }
    }
    // Each parameter is used, and nothing else is read but the two calls that GTM gives.
    expect(new Set(read)).toEqual(new Set([...own, "gtmOnSuccess", "gtmOnFailure"]));
  });

  test.each(template.scenarios.map(({ name, code }) => [name, code] as const))("its own test: %s", (_, code) => {
    runScenario(code, template.code, template.permissions, PLATFORM);
  });
});

test("what GTM's sandbox does not take is found", () => {
  const found = (code: string, permissions: Template["permissions"] = []) => problemsOf({ ...web, code, permissions });
  for (const code of [
    "this.a = 1;",
    "new Date();",
    "/a/.test('b');",
    "const f = (a = 1) => a;",
    "const {a} = data;",
    "data.f(...data.list);",
    "`a`;",
    "const a = data.b?.c;",
    "const a = data.b ?? 1;",
    "try { data.a(); } catch (e) {}",
    "class A {}",
    "async function f() {}",
    "window.a = 1;",
    "document.title;",
    "setTimeout(data.a);",
    "data.a.includes(1);",
    "delete data.a;",
    "const a = {[data.b]: 1};",
    "const b = 1; const a = {b};",
    "const http = require('sendHttpRequest');",
    "const inject = require('injectScript');",
  ]) {
    expect(found(code), code).not.toEqual([]);
  }
  expect(found("const getType = require('getType'); data.gtmOnSuccess();")).toEqual([]);
  expect(found("data.gtmOnSuccess();", [{ id: "logging" }])).toEqual(["the permission logging is not needed"]);
});

describe("the server template in front of a forwarder", () => {
  const KEYS = { keys: { "cake-edge": SECRET.replace("whsec_", "") } };
  const used = new Set<string>();
  const order = (clickId: string) => ({
    cake_click_id: clickId,
    transaction_id: "ORD-98765",
    value: 29.35,
    currency: "USD",
  });

  /** Runs the tag once, and says what became of it and what was logged. */
  const run = (eventData: object, host: Partial<Host>, data: object = {}) =>
    new Promise<{ outcome: string; logged: unknown[][] }>((resolve, reject) => {
      const logged: unknown[][] = [];
      const given = {
        url: "https://shop.example/cake/conversions",
        offerId: "12345",
        currency: "USD",
        ...data,
        gtmOnSuccess: () => resolve({ outcome: "success", logged }),
        gtmOnFailure: () => resolve({ outcome: "failure", logged }),
      };
      try {
        runTemplate(server.code, given, {
          ...PLATFORM,
          permissions: server.permissions,
          credentials: KEYS,
          eventData: eventData as Record<string, unknown>,
          log: (...words) => logged.push(words),
          onPermission: (each) => used.add(each),
          ...host,
        });
      } catch (error) {
        reject(error);
      }
    });

  test("a sale is signed, accepted, and delivered with its revenue; the tag twice is one conversion", async () => {
    const all = both();
    const clickId = await all.click();
    const send = { fetch: (url: string, init: RequestInit) => all.forwarder.fetch(new Request(url, init)) };
    expect(await run(order(clickId), send)).toEqual({ outcome: "success", logged: [] });
    expect(await run(order(clickId), send)).toEqual({ outcome: "success", logged: [] });
    // The web tag's report of the same order, by its unique id alone.
    await all.page({ offerId: 12_345, uniqueId: "ORD-98765", clickId });
    const { rows } = (await (await all.operator("conversions")).json()) as { rows: { conversion: object }[] };
    expect(rows.map(({ conversion }) => conversion)).toEqual([
      { clickId, offerId: 12_345, uniqueId: "ORD-98765", revenue: "29.35" },
    ]);
    await expect.poll(() => all.recorded()).toHaveLength(1);
  });

  test("a sale in another currency counts without revenue, and a sale of no click is none", async () => {
    const all = both();
    const clickId = await all.click();
    let requests = 0;
    const send = {
      fetch: (url: string, init: RequestInit) => {
        requests += 1;
        return all.forwarder.fetch(new Request(url, init));
      },
    };
    expect((await run({ ...order(clickId), currency: "EUR" }, send)).outcome).toBe("success");
    expect((await run({ ...order(clickId), cake_click_id: undefined }, send)).outcome).toBe("success");
    expect(requests).toBe(1);
    const { rows } = (await (await all.operator("conversions")).json()) as { rows: { conversion: object }[] };
    expect(rows.map(({ conversion }) => conversion)).toEqual([{ clickId, offerId: 12_345, uniqueId: "ORD-98765" }]);
  });

  test.each([
    [29.35, "29.35"],
    [0.1 + 0.2, "0.30"],
    [49.95 * 0.9, "44.955"],
    [100 / 3, "33.3333"],
    [0.00001, "0.00"],
    [0, "0.00"],
    ["29.350000000000001", "29.35"],
    [-5, undefined],
    ["1,234.50", undefined],
    ["€ 5", undefined],
    [" ", undefined],
    [Number.NaN, undefined],
    [1e9, undefined],
    [undefined, undefined],
  ])("a value of %s is the revenue %s, and no sale is lost by it", async (value, revenue) => {
    const all = both();
    const clickId = await all.click();
    const send = { fetch: (url: string, init: RequestInit) => all.forwarder.fetch(new Request(url, init)) };
    const { outcome, logged } = await run({ ...order(clickId), value, currency: "usd" }, send);
    const isLeftOut = value !== undefined && revenue === undefined;
    const why = [["cake-edge: without revenue, since the value is no amount"]];
    expect([outcome, logged]).toEqual(["success", isLeftOut ? why : []]);
    const { rows } = (await (await all.operator("conversions")).json()) as { rows: { conversion: object }[] };
    expect(rows.map(({ conversion }) => conversion)).toEqual([
      { clickId, offerId: 12_345, uniqueId: "ORD-98765", ...(revenue === undefined ? {} : { revenue }) },
    ]);
  });

  test("another secret, a missing order id and an outage fail, and say why without an address or a key", async () => {
    const all = both();
    const clickId = await all.click();
    const send = { fetch: (url: string, init: RequestInit) => all.forwarder.fetch(new Request(url, init)) };
    const other = { keys: { "cake-edge": Buffer.alloc(32, 1).toString("base64") } };
    expect(await run(order(clickId), { ...send, credentials: other })).toEqual({
      outcome: "failure",
      logged: [["cake-edge: not accepted", 401, "signature_refused"]],
    });
    expect(await run({ ...order(clickId), transaction_id: undefined }, send)).toMatchObject({
      outcome: "failure",
      logged: [["cake-edge: not accepted", 400, expect.stringMatching(/^invalid_/)]],
    });
    let attempts = 0;
    const outage = {
      fetch: async () => {
        attempts += 1;
        throw new Error("nobody is there");
      },
    };
    expect((await run(order(clickId), outage)).logged).toEqual(
      Array(3).fill(["cake-edge: not accepted", 0, "network"]),
    );
    expect(attempts).toBe(3);
    // A short outage costs nothing.
    let isDown = true;
    const short = {
      fetch: async (url: string, init: RequestInit) => {
        if (!isDown) return all.forwarder.fetch(new Request(url, init));
        isDown = false;
        return new Response("<h1>Bad gateway</h1>", { status: 502 });
      },
    };
    expect((await run(order(clickId), short)).outcome).toBe("success");
    await expect.poll(() => all.recorded()).toHaveLength(1);
    await expect(run(order(clickId), send, { url: "https://shop.example/other" })).rejects.toThrow("permission denied");
  });

  test("every permission was used, so none is more than it needs", () => {
    const declared = server.permissions.flatMap(({ id, keyPatterns, keyIds }) =>
      (keyPatterns ?? keyIds ?? [""]).map((what) => `${id} ${what}`),
    );
    expect(used).toEqual(new Set(declared));
  });

  test("the emulated signature is Standard Webhooks'", () => {
    const { signed } = JSON.parse(readFileSync("tests/vectors/signatures.json", "utf8"));
    for (const { id, timestamp, body, secret, signature } of signed) {
      expect(`v1,${PLATFORM.hmac(`${id}.${timestamp}.${body}`, secret.replace("whsec_", ""), "base64")}`).toBe(
        signature,
      );
    }
  });
});
