/** `cake-edge/page` from the packed tarball: through two bundlers, and as files beside a page without a bundler. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build as esbuild } from "esbuild";
import type { Browser } from "playwright-core";
import { build as vite } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch } from "../browser/chromium.ts";
import { install } from "./pack.ts";

const home = mkdtempSync(join(tmpdir(), "cake-edge-page-"));
const MODULE = `import { createTracker, isCakeError } from "cake-edge/page";
const errors = [];
const tracker = createTracker({ onError: (error) => errors.push(isCakeError(error) && error.code) });
tracker.link({ domain: "", affiliateId: 1, creativeId: 2 }).then(() => tracker.convert({ offerId: 1, uniqueId: "u" })).then(({ state }) => {
  document.title = [tracker.engine, tracker.clickId, state, errors].join(" ");
});`;

let browser: Browser;
let server: Server;
let origin: string;

beforeAll(async () => {
  install(home);
  writeFileSync(join(home, "package.json"), `{ "type": "module" }`);
  writeFileSync(join(home, "landing.js"), MODULE);

  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://x");
    if (request.method === "POST") {
      response
        .writeHead(202, { "content-type": "application/json" })
        .end(`{"id":"1","duplicate":false,"state":"pending"}`);
      return;
    }
    const [, folder = "", name = ""] = pathname.split("/");
    const path = join(home, "sites", folder, name || "index.html");
    try {
      const type = path.endsWith(".html") ? "text/html" : "text/javascript";
      const file = readFileSync(path);
      response.writeHead(200, { "content-type": type }).end(file);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  server?.close();
  rmSync(home, { recursive: true, force: true });
});

/** Writes a page of this name beside its files. */
function site(name: string, script: string): string {
  const folder = join(home, "sites", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "index.html"), `<!doctype html><title>waiting</title>${script}`);
  return folder;
}

async function titleOf(name: string, hasWasm = true): Promise<string> {
  const context = await browser.newContext();
  if (!hasWasm) await context.addInitScript(() => Reflect.deleteProperty(globalThis, "WebAssembly"));
  const page = await context.newPage();
  await page.goto(`${origin}/${name}/?reqid=abc-1`);
  await page.waitForFunction(() => document.title !== "waiting");
  const title = await page.title();
  await context.close();
  return title;
}

test.each(["esbuild", "Vite"])("%s bundles it, and what is loaded later is found", async (bundler) => {
  const folder = site(bundler, `<script type="module" src="./landing.js"></script>`);
  if (bundler === "esbuild") {
    await esbuild({
      absWorkingDir: home,
      entryPoints: ["landing.js"],
      bundle: true,
      minify: true,
      splitting: true,
      format: "esm",
      outdir: folder,
      logLevel: "silent",
    });
  } else {
    await vite({
      configFile: false,
      root: home,
      logLevel: "silent",
      base: "./",
      build: {
        outDir: folder,
        emptyOutDir: false,
        rollupOptions: {
          input: join(home, "landing.js"),
          output: { entryFileNames: "landing.js", assetFileNames: "[name].js", chunkFileNames: "[name].js" },
        },
      },
    });
  }
  expect(await titleOf(bundler)).toBe("wasm abc-1 accepted invalid_domain");
  expect(await titleOf(bundler, false)).toBe("js abc-1 accepted invalid_domain");
});

test("one tag and the files beside it need no bundler", async () => {
  const folder = site(
    "tag",
    `<script src="cake-edge.js" data-endpoint="/cake"></script>
     <script>cakeEdge((tracker) => tracker.convert({ offerId: 1 }).then(({ state }) => {
       document.title = [tracker.engine, tracker.clickId, state].join(" ");
     }))</script>`,
  );
  const files = join(home, "node_modules/cake-edge/dist/page");
  for (const file of readdirSync(files)) if (file.endsWith(".js")) cpSync(join(files, file), join(folder, file));
  expect(await titleOf("tag")).toBe("wasm abc-1 accepted");
  expect(await titleOf("tag", false)).toBe("js abc-1 accepted");
});

test("the files of the page hold no word of the API client", () => {
  const files = join(home, "node_modules/cake-edge/dist/page");
  for (const file of readdirSync(files))
    expect(readFileSync(join(files, file), "latin1")).not.toMatch(/api_key|apiKey/);
});
