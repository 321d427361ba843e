/** The client's page and the forwarder's show one table of what an answer says. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

test("docs/client.md and docs/forwarder.md have the same table of certainty", async () => {
  const tableOf = async (name: string) => {
    const text = await readFile(new URL(`../../docs/${name}`, import.meta.url), "utf8");
    const from = text.indexOf("| CAKE answers a conversion | it is |");
    return text.slice(from, text.indexOf("\n\n", from)).split("\n");
  };
  const table = await tableOf("client.md");
  expect(table.length).toBeGreaterThan(8);
  expect(await tableOf("forwarder.md")).toEqual(table);
});
