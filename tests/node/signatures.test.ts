/** Standard Webhooks by the shared vectors, which the plugin for WordPress and the templates for tag managers read too. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { signConversion } from "../../dist/entry/edge.inline.js";

const { signed, weak } = JSON.parse(readFileSync(new URL("../vectors/signatures.json", import.meta.url), "utf8")) as {
  signed: { name: string; id: string; timestamp: number; body: string; secret: string; signature: string }[];
  weak: string[];
};

test.each(signed)("$name", async ({ id, timestamp, body, secret, signature }) => {
  expect(await signConversion(body, secret, { id, at: new Date(timestamp * 1_000) })).toEqual({
    "webhook-id": id,
    "webhook-timestamp": `${timestamp}`,
    "webhook-signature": signature,
  });
});

test("a secret that is none signs nothing", async () => {
  for (const secret of weak) {
    await expect(signConversion("{}", secret), secret).rejects.toMatchObject({ code: "weak_secret" });
  }
});
