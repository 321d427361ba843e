import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";
import { EXPECTED, walk } from "./shared/server.js";

test("a conversion comes home inside of workerd", async () => {
  expect(await walk()).toBe(EXPECTED);
});

test("the Worker itself builds a link", async () => {
  const response = await exports.default.fetch("https://shop.example/");
  expect(await response.text()).toBe(EXPECTED.split(" ")[0]);
});
