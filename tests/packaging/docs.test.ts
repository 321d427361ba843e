/** Every code block of README and docs, unchanged, with the packed tarball: each block compiles and runs. */
import { execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort, startWorkerd } from "../../js/bin/workerd.ts";
import { launch } from "../browser/chromium.ts";
import { isWithoutPhp } from "../php.ts";
import { install, pack } from "./pack.ts";
import { serveFolder } from "./site.ts";

const DOCS = [
  "README.md",
  ...readdirSync("docs")
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`),
];

interface Block {
  /** A place such as `docs/client.md:12`. */
  readonly place: string;
  readonly language: string;
  readonly code: string;
}

const blocks: Block[] = DOCS.flatMap((file) => {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(({ 1: language = "", 2: code = "", index }) => ({
    place: `${file}:${text.slice(0, index).split("\n").length}`,
    language,
    code,
  }));
});
const scripts = blocks.filter(({ language }) => language === "js");
const isPage = ({ code }: Block) => code.includes("cake-edge/page");
const isWorker = ({ code }: Block) => /^export /m.test(code);

const home = mkdtempSync(join(tmpdir(), "cake-edge-docs-"));
const SECRET = "5f0c4bd2a9e6417380cd1e2fa7b49638";
let browser: Browser;

beforeAll(async () => {
  install(home);
  writeFileSync(join(home, "package.json"), `{ "private": true, "type": "module" }`);
  symlinkSync(realpathSync("node_modules/hono"), join(home, "node_modules/hono"));
  // The account and the site of the documents, for blocks that use them.
  writeFileSync(
    join(home, "world.js"),
    `import { createCakeClient } from "cake-edge";
     import { createForwarderInProcess } from "cake-edge/forwarder/memory";
     import { createSandbox } from "cake-edge/sandbox/memory";
     const CLICK_ID = "13b9ae60-4f60-4c9e-bf75-626dca035acf";
     const apiKey = process.env.CAKE_API_KEY;
     const sandbox = createSandbox({ apiKey, fixture: ${JSON.stringify(JSON.stringify(fixture()))} });
     const forwarder = createForwarderInProcess({
       baseUrl: "http://127.0.0.1", apiKey, fetch: sandbox.fetch, log() {}, operatorSecret: "${SECRET}",
       signingSecrets: [process.env.CAKE_SIGNING_SECRET],
     });
     globalThis.fetch = async (input, init) => {
       const request = new Request(input, init);
       const { origin, pathname, search } = new URL(request.url);
       if (origin === "https://shop.example") return forwarder.fetch(request);
       if (origin !== "https://yourdomain.cakemarketing.com") throw new TypeError("nobody is at " + origin);
       // The documents' click id stands for one that CAKE has logged.
       const click = await sandbox.fetch(new Request("http://127.0.0.1/?a=67890&c=12"));
       const logged = new URL(click.headers.get("location")).searchParams.get("reqid");
       const url = "http://127.0.0.1" + (pathname + search).replaceAll(CLICK_ID, logged);
       const body = request.method === "POST" ? (await request.text()).replaceAll(CLICK_ID, logged) : undefined;
       const answer = await sandbox.fetch(new Request(url, { method: request.method, headers: request.headers, body }));
       return new Response((await answer.text()).replaceAll(logged, CLICK_ID), answer);
     };
     const uniqueId = process.env.SOLD;
     if (uniqueId) {
       const cake = createCakeClient({ baseUrl: "https://yourdomain.cakemarketing.com", apiKey });
       await cake.recordConversion({ clickId: CLICK_ID, offerId: 12345, uniqueId });
     }`,
  );
  writeFileSync(join(home, "index.html"), "<p>Welcome</p>");
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  rmSync(home, { recursive: true, force: true });
});

function fixture(): unknown {
  return JSON.parse(readFileSync("js/sandbox/fixture.json", "utf8"));
}

/** The block as a file in a folder of its own. */
function write({ place, code }: Block): string {
  const file = join(home, place.replace(/\W/g, "_"), "block.js");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, code);
  return file;
}

test.each(scripts.filter((block) => !isPage(block) && !isWorker(block)))("$place runs in Node", async (block) => {
  const { stderr } = await promisify(execFile)(process.execPath, ["--import", join(home, "world.js"), write(block)], {
    cwd: home,
    env: {
      ...process.env,
      CAKE_API_KEY: "key-of-a-test",
      CAKE_BASE_URL: "https://acme.cakemarketing.com",
      // A refunded order must have been sold before.
      ...(block.code.includes("correctConversion") && { SOLD: "ORD-98765" }),
      CAKE_TOKEN_SECRET: SECRET,
      CAKE_SIGNING_SECRET: `whsec_${Buffer.from(SECRET).toString("base64")}`,
    },
  });
  expect(stderr).toBe("");
});

test.each(scripts.filter(isPage))("$place runs in a page, and reports its conversion", async (block) => {
  const file = write(block);
  const folder = join(dirname(file), "site");
  await build({
    absWorkingDir: home,
    entryPoints: [file],
    bundle: true,
    format: "esm",
    splitting: true,
    outdir: folder,
    logLevel: "silent",
  });
  writeFileSync(join(folder, "index.html"), `<!doctype html><script type="module" src="block.js"></script>`);
  const { origin, close } = await serveFolder(folder, "script-src 'self'");
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  try {
    const converted = new Promise<string>((resolve) => {
      void page.route("**/cake/conversions", async (route) => {
        await route.fulfill({
          status: 202,
          contentType: "application/json",
          body: `{"id":"1","duplicate":false,"state":"pending"}`,
        });
        resolve(route.request().postData() ?? "");
      });
    });
    await page.goto(`${origin}/?reqid=abc-1`);
    expect(JSON.parse(await converted)).toMatchObject({ clickId: "abc-1", offerId: 12_345, orderId: "ORD-98765" });
    expect(problems).toEqual([]);
  } finally {
    await page.close();
    close();
  }
});

test.each(scripts.filter((block) => !isPage(block) && isWorker(block)))("$place runs in workerd", async (block) => {
  const file = write(block);
  const isFunction = block.code.includes("export const onRequest");
  if (isFunction) {
    // Cloudflare Pages wraps a function in this way.
    writeFileSync(
      join(dirname(file), "pages.js"),
      `import { onRequest } from "./block.js";
       export default { fetch: (request, env) => onRequest({ request, env, next: () => new Response("<p>", { headers: { "content-type": "text/html" } }) }) };`,
    );
  }
  const outdir = join(dirname(file), "worker");
  await build({
    absWorkingDir: home,
    entryPoints: { worker: isFunction ? join(dirname(file), "pages.js") : file },
    bundle: true,
    format: "esm",
    outdir,
    conditions: ["workerd", "worker"],
    external: ["cloudflare:*"],
    loader: { ".wasm": "copy" },
    assetNames: "[name]",
    logLevel: "silent",
    plugins: [
      {
        name: "module",
        setup: ({ onResolve }) =>
          onResolve({ filter: /\.wasm\?module$/ }, ({ path, resolveDir }) => ({
            path: join(resolveDir, path.replace("?module", "")),
          })),
      },
    ],
  });
  const hasOutbox = block.code.includes("CakeOutbox");
  mkdirSync(join(outdir, "rows"));
  const site = await serveFolder(home);
  const port = await freePort();
  const environment = {
    CAKE_COOKIE_SECRET: SECRET,
    CAKE_OPERATOR_SECRET: SECRET,
    CAKE_API_KEY: "key-of-a-test",
    CAKE_BASE_URL: "https://acme.cakemarketing.com",
  };
  const workerd = await startWorkerd({
    program: createRequire(import.meta.url)("workerd").default,
    home: outdir,
    rows: join(outdir, "rows"),
    host: "127.0.0.1",
    port,
    front: "docs",
    logs: true,
    environment,
    workers: [
      {
        name: "docs",
        modules: ["worker.js", ...readdirSync(outdir).filter((name) => name.endsWith(".wasm"))],
        variables: Object.keys(environment),
        ...(hasOutbox ? { durableObject: { binding: "OUTBOX", className: "CakeOutbox", uniqueKey: "outbox" } } : {}),
      },
    ],
  });
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      // The site behind the Worker, to which the Worker passes the request.
      const headers = { host: new URL(site.origin).host, accept: "text/html" };
      get({ host: "127.0.0.1", port, path: hasOutbox ? "/cake/health" : "/?reqid=abc-1", headers }, resolve).on(
        "error",
        reject,
      );
    });
    response.resume();
    expect(response.statusCode).toBe(200);
    if (/apture\(/.test(block.code)) expect(response.headers["set-cookie"]?.[0]).toMatch(/^[\w-]+=/);
  } finally {
    await workerd.stop();
    site.close();
  }
});

test.each(blocks.filter(({ language }) => language === "json"))("$place is JSON", ({ code }) => {
  JSON.parse(code);
});

test.each(blocks.filter(({ language }) => language === "csv"))("$place is a file of postbacks", async ({ code }) => {
  const file = join(home, "postbacks.csv");
  writeFileSync(file, code);
  const command = join(home, "node_modules/cake-edge/dist/bin/cake-edge.js");
  const { stdout } = await promisify(execFile)(process.execPath, [command, "postbacks", "--file", file]);
  expect(stdout).toContain("67890");
});

test.skipIf(isWithoutPhp).each(blocks.filter(({ language }) => language === "php"))(
  "$place runs in a request beside the plugin for WordPress, and says what the visitor wants",
  async ({ code }) => {
    const file = join(home, "block.php");
    const plugin = realpathSync("examples/wordpress");
    const request = `array( 'REQUEST_METHOD' => 'GET', 'HTTPS' => 'on', 'HTTP_HOST' => 'shop.example',
      'REQUEST_URI' => '/?cid=abc-1', 'HTTP_SEC_FETCH_MODE' => 'navigate' )`;
    writeFileSync(
      file,
      `<?php ob_start(); require '${plugin}/tests/wordpress.php'; require '${plugin}/cake-edge/cake-edge.php';
      function my_banner_says() { return getenv( 'SAID' ); }
      ${code}
      $_SERVER = ${request};
      do_action( 'init' );
      ob_end_clean();
      echo json_encode( array( defined( 'DONOTCACHEPAGE' ), $cake_edge_stub['wrong'] ) );`,
    );
    const kept = async (said: string) =>
      JSON.parse((await promisify(execFile)("php", [file], { env: { ...process.env, SAID: said } })).stdout);
    expect(await Promise.all(["granted", "pending", "denied", "maybe"].map(kept))).toEqual([
      [true, []],
      [false, []],
      [false, []],
      [false, ["invalid_setting: consent"]],
    ]);
  },
);

test("every block says what it is, and is among those that run", () => {
  expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(["js", "json", "sh", "html", "csv", "php"]));
  expect(scripts.length).toBeGreaterThan(15);
});

test("every relative link of what travels in the tarball leads into the tarball", () => {
  const files = new Set(pack().files);
  const broken = [...DOCS, "SECURITY.md", "CHANGELOG.md"].flatMap((file) => {
    const text = readFileSync(file, "utf8");
    return [...text.matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)[^)]*\)/g)]
      .map(({ 1: link = "" }) => normalize(join(dirname(file), link)))
      .filter((path) => !files.has(path))
      .map((path) => `${file}: ${path}`);
  });
  expect(broken).toEqual([]);
});
