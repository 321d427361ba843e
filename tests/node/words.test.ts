/** The check of plain words: prose is judged sentence by sentence, and other parts of a document are not prose. */
import { expect, test } from "vitest";
import { findingsIn } from "../../scripts/words.ts";

const found = (markdown: string) => findingsIn(markdown).map(({ line, rule }) => `${line} ${rule}`);
const LONG = `The ${"very ".repeat(24)}end.`;
const FULL = `The ${"very ".repeat(23)}end.`;

test("a sentence that opens with Of, What, Whoever or So that is found, wherever it stands", () => {
  for (const opening of ["Of", "What", "Whoever", "So that"]) {
    const sentence = `${opening} is kept counts.`;
    const rule = `opens with "${opening}"`;
    for (const [markdown, line] of [
      [sentence, 1],
      [`One. ${sentence}`, 1],
      [`One.\nTwo goes on\nhere. ${sentence}`, 3],
      [`- one\n- ${sentence}\n  and goes on`, 2],
      [`1. [ ] ${sentence}`, 1],
      [`| a | b |\n| --- | --- |\n| c | ${sentence} |`, 3],
      [`> [!NOTE]\n> ${sentence}`, 2],
      [`## ${sentence}`, 1],
      [`**${sentence}** Then`, 1],
      [`**One.** ${sentence}`, 1],
      [`"${sentence}"`, 1],
      [`[${sentence}](a.md)`, 1],
      [`\`\`\`js\nOf();\n\`\`\`\n${sentence}`, 4],
      [`It runs \`a. b\`. ${sentence}`, 1],
      [`<!-- one\ntwo -->\n${sentence}`, 3],
    ] as const) {
      expect(found(markdown), markdown).toEqual([`${line} ${rule}`]);
    }
  }
});

test("a sentence has at most 25 words, and its code, targets and tags have none", () => {
  expect(found(FULL)).toEqual([]);
  expect(found(LONG)).toEqual(["1 26 words, at most 25"]);
  expect(
    found(`${FULL.slice(0, -1)} \`one two. Of three\` — [](https://a.example/b c) <br> ![an image](c.png).`),
  ).toEqual([]);
  expect(found(`${FULL} ${FULL}`)).toEqual([]);
  expect(found(`${FULL.slice(0, -1)}, e.g. this.`)).toEqual(["1 27 words, at most 25"]);
  expect(found(`- ${FULL.slice(0, -1)}\n- ${FULL.slice(0, -1)}`)).toEqual([]);
  expect(found(`| ${FULL.slice(0, -1)} | ${FULL.slice(0, -1)} |`)).toEqual([]);
  expect(found(`So that ${LONG}`)).toEqual(['1 opens with "So that"', "1 28 words, at most 25"]);
});

test("code, front matter, comments, link targets and a heading that asks are no violation", () => {
  for (const markdown of [
    "# What does it cost?",
    "Often this happens. Whatever follows is fine.",
    "`What` is a name. The text of `Of` too.",
    `~~~\nWhat ${LONG}\n~~~`,
    `1. Step:\n\n   \`\`\`sh\n   What ${LONG}\n   \`\`\``,
    `---\ntitle: ${LONG}\n---\nText.`,
    `<!-- What ${LONG} -->`,
    "[a]: https://a.example/ What",
  ]) {
    expect(found(markdown), markdown).toEqual([]);
  }
  expect(found("What does it cost?")).toEqual(['1 opens with "What"']);
});

test("a finding has the sentence as the document has it", () => {
  expect(findingsIn("One. What `a` is\nin [b](c.md), counts. Two.")).toEqual([
    { line: 1, rule: 'opens with "What"', sentence: "What `a` is in [b](c.md), counts." },
  ]);
});
