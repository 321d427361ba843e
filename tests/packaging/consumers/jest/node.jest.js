/** @jest-environment node */
import { EXPECTED, walk } from "./shared/server.js";

test("a conversion comes home", async () => {
  expect(await walk()).toBe(EXPECTED);
});
