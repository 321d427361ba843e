/** The click that the edge has signed into its cookie, in the forwarder. */
import { createHmac, randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { createCakeClient } from "../../dist/entry/edge.inline.js";
import { both, event, KEY, SITE } from "./forwarder-in-process.ts";

test("what the edge has signed into its cookie goes before a body's click id", async () => {
  const secret = "a cookie secret of thirty-two bytes or more";
  const { ask, click, sandbox } = both({ cookieSecrets: [secret] });
  const [real, claimed] = [await click(), await click()];
  const value = `1!${Math.floor(Date.now() / 1_000).toString(36)}*${Math.floor(Date.now() / 1_000).toString(36)}!reqid!${real}`;
  const expires = Math.floor(Date.now() / 1_000 + 86_400).toString(36);
  const name = "__Host-cake_click";
  const signature = createHmac("sha256", secret).update(`${name}=${value};${expires}`).digest("base64url");
  const convert = (cookie: string, body: object) =>
    ask("conversions?wait=1", {
      method: "POST",
      headers: { origin: SITE, "content-type": "text/plain", cookie },
      body: JSON.stringify(body),
    });
  const signed = `${name}=${value}.${expires}.${signature}`;
  expect(await (await convert(signed, event(claimed))).json()).toMatchObject({ state: "delivered" });
  expect(await (await convert(signed, { offerId: 12_345, uniqueId: randomUUID() })).json()).toMatchObject({
    error: { code: "click_converted" },
  });
  const cake = createCakeClient({ baseUrl: "http://127.0.0.1", apiKey: KEY, fetch: sandbox.fetch });
  expect((await cake.getClick(real))?.converted).toBe(true);
  expect((await cake.getClick(claimed))?.converted).toBe(false);
  const forged = signed.replace(real, claimed);
  expect(await (await convert(forged, { offerId: 12_345, uniqueId: randomUUID() })).json()).toMatchObject({
    error: { code: "invalid_click_id" },
  });
});
