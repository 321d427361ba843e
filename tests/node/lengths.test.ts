/** The check of lengths finds what it shall find, and nothing else. */
import { expect, test } from "vitest";
import { lengthProblems } from "../../scripts/lengths.ts";

const lines = (count: number) => "x\n".repeat(count);

test("a file of source or of tests has at most 500 lines; data and documents may have more", () => {
  const sources = new Map([
    ["src/link.rs", lines(500)],
    ["src/no_end.rs", `${lines(499)}x`],
    ["src/long.rs", lines(501)],
    ["src/long_without_end.rs", `${lines(500)}x`],
    ["tests/node/long.test.ts", lines(777)],
    ["www/long.tsx", lines(501)],
    ["tests/vectors/long.json", lines(3_000)],
    ["docs/long.md", lines(600)],
  ]);
  expect(lengthProblems(sources)).toEqual([
    "src/long.rs has 501 lines, at most 500: split it into files of one idea each",
    "src/long_without_end.rs has 501 lines, at most 500: split it into files of one idea each",
    "tests/node/long.test.ts has 777 lines, at most 500: split it into files of one idea each",
    "www/long.tsx has 501 lines, at most 500: split it into files of one idea each",
  ]);
});
