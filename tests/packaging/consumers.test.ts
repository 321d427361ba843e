/**
 * The packed tarball in the projects of its users: installed by npm, imported as its page says, and run. `npm test` has a
 * quick dozen of them, `npm run test:package` and CI all.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { EXPECTED } from "./consumers/shared/server.js";
import { openProject, type Project } from "./project.ts";
import { closeBrowser, LOOSE, landOn, serveFolder, STRICT, WITH_WASM, WITHOUT_WASM } from "./site.ts";

const isAll = process.env["CAKE_EDGE_CONSUMERS"] === "all";

/** One set-up: where it lives, and what is run in it. */
function setUp(project: string, name: string, run: (project: Project) => Promise<void>): void {
  if (isAll) test.concurrent(name, async () => run(await openProject(project)));
}
/** One of the dozen that every `npm test` runs. */
function quick(project: string, name: string, run: (project: Project) => Promise<void>): void {
  test.concurrent(name, async () => run(await openProject(project)));
}

afterAll(closeBrowser);

/** A folder with a bundle, as a page under two policies, with and without WebAssembly. */
async function expectPage(folder: string, html?: string): Promise<void> {
  if (html !== undefined) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "index.html"), `<!doctype html><title>Landing page</title>${html}`);
  }
  for (const policy of [LOOSE, STRICT]) {
    const { origin, close } = await serveFolder(folder, policy);
    try {
      if (policy === LOOSE) expect(await landOn(origin)).toBe(WITH_WASM);
      else expect(await landOn(origin)).toMatch(WITHOUT_WASM);
      expect(await landOn(origin, { hasWasm: false })).toMatch(WITHOUT_WASM);
    } finally {
      close();
    }
  }
}
const MODULE = `<script type="module" src="landing.js"></script>`;
const CLASSIC = `<script src="landing.js"></script>`;

/** What a bundle in one file prints where there is no package beside it. */
async function expectAlone(project: Project, file: string, node = process.execPath): Promise<void> {
  const { out } = await project.run(node, [file], { cwd: "/" });
  expect(out).toBe(`${EXPECTED}\n`);
}

describe("Vite", () => {
  for (const version of ["5", "6", "7", "8"]) {
    const add = version === "8" ? quick : setUp;
    const vite = `node_modules/vite-${version}/bin/vite.js`;
    add("vite", `${version}, build`, async (project) => {
      await project.run(process.execPath, [vite, "build", "--outDir", `built/${version}`]);
      await expectPage(project.path("built", version));
    });
    setUp("vite", `${version}, dev`, async (project) => {
      const server = await project.start(
        process.execPath,
        [vite, "--host", "127.0.0.1", "--port", `51${version}3`, "--strictPort"],
        /(http:\/\/127\.0\.0\.1:\d+)/,
      );
      try {
        expect(await landOn(server.match[1] ?? "")).toBe(WITH_WASM);
        expect(await landOn(server.match[1] ?? "", { hasWasm: false })).toMatch(WITHOUT_WASM);
      } finally {
        await server.stop();
      }
    });
    setUp("vite", `${version}, a server in one file`, async (project) => {
      const out = `built/${version}-ssr`;
      await project.run(process.execPath, [vite, "build", "--ssr", "shared/print.js", "--outDir", out]);
      await expectAlone(project, project.path(out, "print.js"));
    });
  }
});

describe("bundlers", () => {
  for (const bundler of ["webpack", "@rspack/core"]) {
    const add = bundler === "webpack" ? quick : setUp;
    add("bundlers", `${bundler}, a page`, async (project) => {
      await project.run(process.execPath, ["webpack.js", bundler, "web"]);
      await expectPage(project.path("built", `${bundler.replace("/", "-")}-web`), CLASSIC);
    });
    setUp("bundlers", `${bundler}, a server`, async (project) => {
      await project.run(process.execPath, ["webpack.js", bundler, "node"]);
      await expectAlone(project, project.path("built", `${bundler.replace("/", "-")}-node`, "landing.js"));
    });
  }
  quick("bundlers", "Rollup, es", async (project) => {
    await project.run(process.execPath, ["rollup.js", "es"]);
    writeFileSync(project.path("built/rollup-es/index.html"), "");
    await expectPage(project.path("built/rollup-es"), MODULE);
  });
  setUp("bundlers", "Rollup, iife", async (project) => {
    await project.run(process.execPath, ["rollup.js", "iife"]);
    await expectPage(project.path("built/rollup-iife"), CLASSIC);
  });
  setUp("bundlers", "Rollup, a server in CommonJS", async (project) => {
    await project.run(process.execPath, ["rollup.js", "cjs"]);
    await expectAlone(project, project.path("built/rollup-cjs/landing.cjs"));
  });
  quick("bundlers", "esbuild, esm", async (project) => {
    const out = project.path("built/esbuild-esm");
    await project.run("node_modules/.bin/esbuild", [
      "landing=shared/page.js",
      "--bundle",
      "--format=esm",
      "--splitting",
      `--outdir=${out}`,
      "--log-override:empty-import-meta=error",
    ]);
    await expectPage(out, MODULE);
  });
  quick("bundlers", "esbuild, iife by default", async (project) => {
    const out = project.path("built/esbuild-iife");
    await project.run("node_modules/.bin/esbuild", ["landing=shared/page.js", "--bundle", `--outdir=${out}`]);
    await expectPage(out, CLASSIC);
  });
  for (const [format, extension] of [
    ["esm", "mjs"],
    ["cjs", "cjs"],
  ] as const) {
    quick("bundlers", `esbuild, a server in one file, ${format}`, async (project) => {
      const out = project.path(`built/esbuild-node/print.${extension}`);
      const { all } = await project.run("node_modules/.bin/esbuild", [
        "shared/print.js",
        "--bundle",
        "--platform=node",
        `--format=${format}`,
        `--outfile=${out}`,
      ]);
      expect(all).not.toMatch(/warning/i);
      await expectAlone(project, out);
    });
  }
});
