/** `cake-edge` in Node, as a user calls it. */
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import {
  CakeError,
  createCakeClient,
  createConversionToken,
  createTrackingLink,
  isCakeError,
  readClickCookie,
  signConversion,
} from "../../dist/entry/edge.inline.js";
import { createForwarderInProcess } from "../../dist/entry/forwarder-memory.inline.js";
import { filesOfCodes } from "../../scripts/errors.ts";

const parts = { domain: "track.yournetwork.com", affiliateId: 67_890, creativeId: 12 };

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(CakeError);
    return (error as CakeError).code;
  }
  return "nothing was thrown";
}

test("a link is built", () => {
  expect(createTrackingLink({ ...parts, s1: "spring sale" })).toBe(
    "https://track.yournetwork.com/?a=67890&c=12&s1=spring%20sale",
  );
});

test("a bad link is refused with a code, a parameter and a sentence", () => {
  expect(codeOf(() => createTrackingLink({ ...parts, domain: "" }))).toBe("invalid_domain");
  expect(codeOf(() => createTrackingLink({ ...parts, domain: "https://x.example" }))).toBe("invalid_domain");
  expect(codeOf(() => createTrackingLink({ ...parts, affiliateId: 0 }))).toBe("invalid_id");
  expect(codeOf(() => createTrackingLink({ ...parts, s1: "x".repeat(51) }))).toBe("sub_id_too_long");
  try {
    createTrackingLink({ ...parts, creativeId: 0 });
  } catch (error) {
    expect(String(error)).toBe("CakeError: creativeId must be a whole number from 1 to 9007199254740991");
  }
});

test("JavaScript without types gets a CakeError too", () => {
  expect(codeOf(() => createTrackingLink({} as never))).toBe("invalid_domain");
  expect(codeOf(() => createTrackingLink({ ...parts, domain: 7 } as never))).toBe("invalid_field");
  expect(codeOf(() => createTrackingLink({ ...parts, affiliateId: "12" } as never))).toBe("invalid_id");
  expect(codeOf(() => createCakeClient({} as never))).toBe("invalid_base_url");
  expect(codeOf(() => createCakeClient({ baseUrl: 7, apiKey: "k" } as never))).toBe("invalid_field");
});

test("a client needs a key and an https origin, and shows nothing of the key", () => {
  const baseUrl = "https://yourdomain.cakemarketing.com";
  expect(codeOf(() => createCakeClient({ baseUrl, apiKey: "" }))).toBe("missing_api_key");
  expect(codeOf(() => createCakeClient({ baseUrl } as never))).toBe("missing_api_key");
  // As the documents write it, also in strict TypeScript.
  expect(codeOf(() => createCakeClient({ baseUrl, apiKey: process.env["CAKE_NO_SUCH_KEY"] }))).toBe("missing_api_key");
  expect(codeOf(() => createCakeClient({ baseUrl: "http://cake.example", apiKey: "k" }))).toBe("invalid_base_url");
  const cake = createCakeClient({ baseUrl, apiKey: "CANARY" });
  expect(inspect(cake, { depth: 9, showHidden: true }) + JSON.stringify(cake)).not.toContain("CANARY");
});

test("secrets of an environment compile as the documents write them, and one that is missing is told", async () => {
  const secret = process.env["CAKE_NO_SUCH_SECRET"];
  const request = new Request("https://shop.example/");
  expect(codeOf(() => readClickCookie(request, { secrets: [secret] }))).toBe("weak_secret");
  const order = { offerId: 1, clickId: "abc", origin: "https://shop.example" };
  expect(codeOf(() => createConversionToken({ ...order, secrets: [secret] }))).toBe("weak_secret");
  await expect(signConversion("{}", secret)).rejects.toMatchObject({ code: "weak_secret" });
  const account = { baseUrl: "http://127.0.0.1:1", apiKey: "k-1234567" };
  const forwarder = { ...account, operatorSecret: "o-4fJ7".repeat(6) };
  expect(codeOf(() => createForwarderInProcess({ ...account, operatorSecret: secret }))).toBe("weak_secret");
  expect(
    codeOf(() =>
      createForwarderInProcess({ ...forwarder, shops: { shopify: { offerId: 1, currency: "USD", secrets: secret } } }),
    ),
  ).toBe("weak_secret");
});

test("a Date of another realm is a Date", async () => {
  const ForeignDate = runInNewContext("Date") as DateConstructor;
  const sent: (string | null)[] = [];
  const cake = createCakeClient({
    baseUrl: "https://yourdomain.cakemarketing.com",
    apiKey: "k",
    timeZone: "UTC",
    fetch: async ({ url }) => {
      sent.push(new URL(url).searchParams.get("conversion_date"));
      return Response.json({ request_status: "Success", conversion: { conversion_id: 7 } });
    },
  });
  for (const Each of [Date, ForeignDate]) {
    const conversionDate = new Each("2026-07-01T16:00:00Z");
    await cake.recordConversion({ clickId: "abc", offerId: 1, conversionDate });
    await expect(cake.listConversionChanges({ since: conversionDate as never }).page()).rejects.toThrow("is a Date");
    const at = new Each("2026-07-01T16:00:00Z");
    const headers = await signConversion("{}", `whsec_${btoa("s".repeat(32))}`, { at });
    expect(headers["webhook-timestamp"]).toBe("1782921600");
  }
  expect(sent).toEqual(["2026-07-01 16:00:00", "2026-07-01 16:00:00"]);
  for (const none of [{ [Symbol.toStringTag]: "Date" }, Object.create(Date.prototype), "2026-07-01"]) {
    await expect(signConversion("{}", `whsec_${btoa("s".repeat(32))}`, { at: none })).rejects.toThrow("must be a Date");
  }
});

test("the page of codes and the shared vectors are what the one list makes of them", () => {
  for (const [path, text] of Object.entries(filesOfCodes())) expect(readFileSync(path, "utf8"), path).toBe(text);
});

test("isCakeError knows an error of another copy of the package", () => {
  const foreign = Object.assign(new Error("x"), { name: "CakeError", code: "network" });
  expect(isCakeError(foreign)).toBe(true);
  const elsewhere = runInNewContext(`Object.assign(new Error("x"), { name: "CakeError", code: "network" })`);
  expect(elsewhere instanceof Error).toBe(false);
  expect(isCakeError(elsewhere)).toBe(true);
  expect(isCakeError(null)).toBe(false);
  expect(isCakeError(new Error("x"))).toBe(false);
  expect(isCakeError("network")).toBe(false);
});
