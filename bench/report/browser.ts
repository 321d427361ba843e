// The candidates in Chromium, each in a page of its own. Measured is the time from the files as Blobs to the result.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { build } from "esbuild";
import { root } from "../../scripts/build.ts";
import { launch } from "../../tests/browser/chromium.ts";

const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

const DUCKDB = join(root, "bench/node_modules/@duckdb/duckdb-wasm/dist");

/** A candidate of the page. */
export type PageCandidate = "ours" | "careful" | "duckdb";

/** Can DuckDB-wasm run? */
export function hasDuckdb(): boolean {
  return existsSync(DUCKDB);
}

/** The times of each candidate over the files of a folder, interleaved; every candidate must find the same classes. */
export async function compareInBrowser(
  folder: string,
  candidates: readonly PageCandidate[],
  rounds: number,
): Promise<Record<string, number[]>> {
  const bundled = async (entry: string) => {
    const made = await build({ entryPoints: [entry], bundle: true, write: false, format: "esm", target: "es2022" });
    return made.outputFiles[0]?.contents ?? new Uint8Array();
  };
  const scripts = new Map<string, Uint8Array>([["/page.js", await bundled(join(root, "bench/report/page.ts"))]]);
  if (candidates.includes("duckdb")) scripts.set("/duckdb.js", await bundled(join(DUCKDB, "duckdb-browser.mjs")));
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    const script = scripts.get(path);
    response.setHeader("Content-Type", TYPES[extname(path)] ?? (path === "/" ? "text/html" : "text/plain"));
    if (path === "/") response.end("<!doctype html><title>report</title>");
    else if (script !== undefined) response.end(script);
    else {
      const home = path.startsWith("/dist/") ? root : path.startsWith("/duckdb-") ? DUCKDB : folder;
      createReadStream(join(home, path))
        .on("error", () => response.writeHead(404).end())
        .pipe(response);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await launch();
  const times: Record<string, number[]> = {};
  let expected: string | undefined;
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const candidate of candidates) {
        const page = await browser.newPage();
        page.setDefaultTimeout(300_000);
        await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
        const { answer, ms } = await page.evaluate(async (name) => {
          const module = "/page.js";
          const { race } = (await import(module)) as typeof import("./page.ts");
          return race(name);
        }, candidate);
        await page.close();
        const sorted = JSON.stringify(Object.entries(answer).sort(([one], [other]) => one.localeCompare(other)));
        expected ??= sorted;
        if (sorted !== expected) throw new Error(`Chromium: ${candidate} comes to ${sorted}, not ${expected}`);
        console.error(`reconcile in Chromium, ${candidate}: ${ms.toFixed(0)} ms`);
        times[candidate] ??= [];
        times[candidate].push(ms);
      }
    }
  } finally {
    await browser.close();
    server.close();
  }
  return times;
}
