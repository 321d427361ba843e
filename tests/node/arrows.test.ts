/** The arrows of `npm run check`: each kind of forbidden arrow is found, and an allowed one is not. */
import { expect, test } from "vitest";
import { arrowProblems } from "../../scripts/arrows.ts";

const problemsOf = (sources: Record<string, string>) => arrowProblems(new Map(Object.entries(sources)));

test("what a room may use is no problem, whatever stands in comments and tests", () => {
  expect(
    problemsOf({
      "js/edge/client.ts": 'import { a } from "../option.js";\nimport * as wasm from "../wasm/edge.js";',
      "js/option.ts": '// import { x } from "./edge/client.js";\n/** from "./edge/client.js" */\nexport const a = 1;',
      "src/sandbox/mod.rs": "mod click;\nuse click::Click;",
      "src/sandbox/click.rs": "use super::Network;\nuse crate::url;\n#[cfg(test)]\nmod tests { use crate::api; }",
      "src/sandbox/tests/mod.rs": "use crate::api;",
      "src/api/mod.rs": "use crate::url;",
      "src/url.rs": "//! See `crate::api`.",
    }),
  ).toEqual([]);
});

test("a room that uses a forbidden one is named, its types too, and in Rust in every spelling", () => {
  expect(
    problemsOf({
      "js/edge/client.ts": 'import type { T } from "../forwarder/options.js";',
      "js/forwarder/options.ts": "export interface T {}",
    }),
  ).toEqual(["js/edge/client.ts uses js/forwarder/options.ts: js/edge may use js, js/wasm; see scripts/arrows.ts"]);
  for (const use of ["use crate::api::Key;", "use crate::{Error, api};", "fn f() { crate::api::call() }"]) {
    expect(problemsOf({ "src/url.rs": use, "src/api/mod.rs": "" }), use).toEqual([
      "src/url.rs uses src/api/mod.rs: src may use nothing else; see scripts/arrows.ts",
    ]);
  }
  expect(problemsOf({ "src/sandbox/a.rs": "use super::super::api::Key;", "src/api/mod.rs": "" })).toHaveLength(1);
  expect(problemsOf({ "js/new/a.ts": 'import "../option.js";', "js/option.ts": "" })).toEqual([
    "js/new/a.ts: its room is not in scripts/arrows.ts: add it there",
  ]);
});

test("a circle is seen, whether of two files or of three", () => {
  expect(
    problemsOf({
      "js/sandbox/a.ts": 'import { b } from "./b.js";',
      "js/sandbox/b.ts": 'import type { C } from "./c.js";',
      "js/sandbox/c.ts": 'export { a } from "./a.js";',
    }),
  ).toEqual(["a circle: js/sandbox/a.ts -> js/sandbox/b.ts -> js/sandbox/c.ts -> js/sandbox/a.ts"]);
  expect(
    problemsOf({
      "src/sandbox/mod.rs": "",
      "src/sandbox/fixture.rs": "use super::{payout::Rate, row};",
      "src/sandbox/payout.rs": "use super::fixture::{Cap, Offer};",
      "src/sandbox/row.rs": "",
    }),
  ).toEqual(["a circle: src/sandbox/fixture.rs -> src/sandbox/payout.rs -> src/sandbox/fixture.rs"]);
});
