/** A misconfigured Worker names the binding that is wrong. */
import { expect, test } from "vitest";
import { CakeError } from "../../dist/error.js";
import { byBinding } from "../../dist/forwarder/binding.js";

const list = (text = "") => text.split(/\s+/);
const refuse = (parameter: string) => () => {
  throw new CakeError({ code: "weak_secret", parameter, rule: "must have at least 32 characters" });
};

test.each([
  [
    "a binding that is not there",
    { OTHER: "x" },
    (env: Record<string, string>) => ({ apiKey: env["CAKE_API_KEY"], other: env["OTHER"] }),
    "apiKey",
    "CAKE_API_KEY",
  ],
  [
    "a binding of any name, by its value",
    { KEY: "short" },
    (env: Record<string, string>) => ({ apiKey: env["KEY"] }),
    "apiKey",
    "KEY",
  ],
  [
    "one of several that are not there, by its name",
    {},
    (env: Record<string, string>) => ({ a: env["CAKE_OPERATOR_SECRET"], apiKey: env["CAKE_API_KEY"] }),
    "apiKey",
    "CAKE_API_KEY",
  ],
  [
    "a list in one binding",
    { SECRETS: "short also" },
    (env: Record<string, string>) => ({ signingSecrets: list(env["SECRETS"]) }),
    "signingSecrets",
    "SECRETS",
  ],
  [
    "an option within another, and not one that is absent",
    { SHOPIFY_SECRET: "short" },
    (env: Record<string, string>) => ({
      pixelDomain: env["CAKE_PIXEL_DOMAIN"],
      shops: { shopify: [{ secrets: env["SHOPIFY_SECRET"] }] },
    }),
    "shops.shopify.0.secrets",
    "SHOPIFY_SECRET",
  ],
  [
    "an option that is in no binding",
    { A: "x" },
    (env: Record<string, string>) => ({ shards: 100, a: env["A"] }),
    "shards",
    "shards",
  ],
])("%s", (_, env, configure, option, named) => {
  expect(() =>
    byBinding(env as Record<string, string>, configure as (env: Record<string, string>) => object, refuse(option)),
  ).toThrow(
    expect.objectContaining({
      code: "weak_secret",
      parameter: named,
      message: `${named} must have at least 32 characters`,
    }),
  );
});
