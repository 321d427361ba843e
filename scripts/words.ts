// `node scripts/words.ts`: plain words in the documents. A sentence of prose starts with its subject, and has at most
// 25 words. Code, link targets and HTML are not prose; a list item and a table cell are sentences of their own.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./build.ts";

const DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "RELEASING.md", "docs/*.md"];
const MAX_WORDS = 25;
const OPENING = /^["“(]*(Of|What|Whoever|So that)\b/;
const SENTENCE_END = /(?<=[.!?][)"”*_]*)(?<!\b(?:e\.g|i\.e|etc|vs)\.)\s+/;
const CODE_SPAN = /(?<!`)(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g;
const FENCE = /^[\s>]*(?:(?:[-*+]|\d+[.)])\s+)?(`{3,}|~{3,})/;
const LINE = /^[\s>]*(?<item>(?:[-*+]|\d+[.)])\s+(?:\[[ x]\]\s+)?)?(?<heading>#{1,6}\s+)?(?<content>.*)$/;

export interface Finding {
  /** The line on which the sentence begins, from 1. */
  readonly line: number;
  readonly rule: string;
  readonly sentence: string;
}

interface Block {
  /** The text, with the line breaks of the document. */
  text: string;
  readonly line: number;
  readonly isHeading: boolean;
}

/** The violations in a Markdown document, in its order. */
export function findingsIn(markdown: string): Finding[] {
  return blocksOf(markdown).flatMap(({ text, line, isHeading }) => {
    // A masked code span has no words, and no end of a sentence.
    const prose = text.replace(CODE_SPAN, (code) => code.replace(/[^\n]/g, "`"));
    let end = 0;
    return prose.split(SENTENCE_END).flatMap((part): Finding[] => {
      const begin = prose.indexOf(part, end);
      end = begin + part.length;
      const plain = withoutMarkup(part);
      const words = plain.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
      const opening = isHeading && plain.endsWith("?") ? undefined : OPENING.exec(plain)?.[1];
      return [
        ...(opening === undefined ? [] : [`opens with "${opening}"`]),
        ...(words > MAX_WORDS ? [`${words} words, at most ${MAX_WORDS}`] : []),
      ].map((rule) => ({
        line: line + text.slice(0, begin).split("\n").length - 1,
        rule,
        sentence: text.slice(begin, end).replace(/\s+/g, " ").trim(),
      }));
    });
  });
}

/** The text without emphasis, images, tags and the targets of links. */
function withoutMarkup(text: string): string {
  return text
    .replace(/!\[[^\]]*\]\([^)]*\)|<[^>]*>/g, "")
    .replace(/\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, "$1")
    .replace(/[*_]+(?=\S)|(?<=\S)[*_]+/g, "")
    .trim();
}

/** Paragraphs, headings, list items and table cells. */
function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  let fence: string | undefined;
  const text = markdown.replace(/^---\n[\s\S]*?\n---\n|<!--[\s\S]*?-->/g, (cut) => cut.replace(/[^\n]/g, ""));
  for (const [index, row] of text.split("\n").entries()) {
    const begin = (text = "", isHeading = false): Block => ({ text, line: index + 1, isHeading });
    const mark = FENCE.exec(row)?.[1];
    const { item, heading, content = "" } = LINE.exec(row)?.groups ?? {};
    if (fence !== undefined || mark !== undefined) {
      open = undefined;
      if (fence === undefined) fence = mark;
      else if (mark?.startsWith(fence)) fence = undefined;
    } else if (content.trim() === "" || /^\[(?:!\w+\]$|[^\]]+\]:\s)/.test(content)) {
      open = undefined;
    } else if (content.startsWith("|")) {
      open = undefined;
      if (!/^[|\s:-]+$/.test(content)) blocks.push(...content.split(/(?<!\\)\|/).map((cell) => begin(cell)));
    } else if (open === undefined || item !== undefined || heading !== undefined) {
      const block = begin(content, heading !== undefined);
      blocks.push(block);
      open = heading === undefined ? block : undefined;
    } else {
      open.text += `\n${content}`;
    }
  }
  return blocks;
}

if (import.meta.main) {
  for (const file of globSync(DOCUMENTS, { cwd: root }).sort()) {
    for (const { line, rule, sentence } of findingsIn(readFileSync(join(root, file), "utf8"))) {
      console.log(`${file}:${line}: ${rule}: ${sentence}`);
      process.exitCode = 1;
    }
  }
}
