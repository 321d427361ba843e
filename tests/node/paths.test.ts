/** The check of paths finds what it shall find, and nothing else. */
import { expect, test } from "vitest";
import { lostPaths } from "../../scripts/paths.ts";

const exists = (path: string) => path === "src/link.rs";

test("a comment and a document may name only files that are there", () => {
  const code = [
    "// By src/link.rs, as src/lost.rs had it.",
    "/** See `js/lost.ts`. */",
    " * and tests/lost.json",
    'const made = "src/made.rs"; // like DOCS/lost.md',
    'const other = "src/other.rs";',
  ]
    .join("\n")
    .replace("DOCS", "docs"); // This file passes the check too.
  expect(lostPaths("js/a.ts", code, exists)).toEqual([
    "1: src/lost.rs",
    "2: js/lost.ts",
    "3: tests/lost.json",
    "4: docs/lost.md",
  ]);
  expect(lostPaths("docs/a.md", "`src/link.rs` and `src/lost.rs`", exists)).toEqual(["1: src/lost.rs"]);
});

test("a name for several files, a file that the build makes and a path elsewhere are no findings", () => {
  const text =
    "scripts/NAME.ts js/wasm/page.js js/generated/view.ts https://a.example/src/x.rs ./src/x.ts dist/a/src/x.ts";
  expect(lostPaths("docs/a.md", text, exists)).toEqual([]);
});
