/** How a set-up of the consumers is run, and how its page and its bundle are checked. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EXPECTED } from "./consumers/shared/server.js";
import { openProject, type Project } from "./project.ts";
import { LOOSE, landOn, STRICT, serveFolder, WITH_WASM, WITHOUT_WASM } from "./site.ts";

const isAll = process.env["CAKE_EDGE_CONSUMERS"] === "all";

/** One set-up: its project, and its test. */
export function setUp(project: string, name: string, run: (project: Project) => Promise<void>): void {
  if (isAll) test.concurrent(name, async () => run(await openProject(project)));
}
/** One of the dozen set-ups that every `npm test` runs. */
export function quick(project: string, name: string, run: (project: Project) => Promise<void>): void {
  test.concurrent(name, async () => run(await openProject(project)));
}

/** Set-ups outside the dozen. */
export const describeAll = isAll ? describe : () => {};

/** Checks a folder with a bundle as a page, under two policies, with and without WebAssembly. */
export async function expectPage(folder: string, html?: string, sources = ""): Promise<void> {
  if (html !== undefined) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "index.html"), `<!doctype html><title>Landing page</title>${html}`);
  }
  for (const policy of [LOOSE, STRICT]) {
    const { origin, close } = await serveFolder(folder, policy + sources);
    try {
      if (policy === LOOSE) expect(await landOn(origin)).toBe(WITH_WASM);
      else expect(await landOn(origin)).toMatch(WITHOUT_WASM);
      expect(await landOn(origin, { hasWasm: false })).toMatch(WITHOUT_WASM);
    } finally {
      close();
    }
  }
}
export const MODULE = `<script type="module" src="landing.js"></script>`;
export const CLASSIC = `<script src="landing.js"></script>`;

/** Checks the output of a single-file bundle without the package beside it. */
export async function expectAlone(project: Project, file: string, node = process.execPath): Promise<void> {
  const { out } = await project.run(node, [file], { cwd: "/" });
  expect(out).toBe(`${EXPECTED}\n`);
}
