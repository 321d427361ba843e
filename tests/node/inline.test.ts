/** The text that an entry holds its wasm in. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fromText } from "../../dist/inline.js";
import { asInline } from "../../scripts/glue.ts";

/** The text of a module that scripts/glue.ts has written, as its importer gets it. */
function textOf(module: string): string {
  const [, text = ""] = /export const BYTES = "(.*)";\n$/.exec(module) ?? [];
  return text;
}

const ALL = Uint8Array.from({ length: 256 }, (_, byte) => byte);

test.each<[string, Uint8Array]>([
  ["nothing", new Uint8Array(0)],
  ["one byte", Uint8Array.of(255)],
  ["each byte once", ALL],
  ["each byte, the rare ones at the end", Uint8Array.from([...ALL.map((byte) => byte % 7), ...ALL])],
  ["each pair of bytes", Uint8Array.from([...ALL].flatMap((one) => [...ALL].flatMap((other) => [one, other])))],
])("%s comes back as it was", (_, bytes) => {
  const text = textOf(asInline(bytes));
  // What stands for itself in a string, in a template and in a page's script.
  expect(text).toMatch(/^[ -~]*$/);
  expect(text).not.toMatch(/["\\<]/);
  expect(fromText(text)).toEqual(bytes);
});

test.each(["edge", "client", "checks", "forwarder", "report", "sandbox"])("the text of %s is its wasm", (audience) => {
  const file = (name: string) => readFileSync(new URL(`../../dist/wasm/${audience}${name}`, import.meta.url));
  expect(Buffer.compare(fromText(textOf(file("_inline.js").toString())), file("_bg.wasm"))).toBe(0);
});
