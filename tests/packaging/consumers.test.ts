/**
 * The packed tarball in consumer projects: installed by npm, imported as documented, and run. `npm test` runs a quick
 * dozen of them, `npm run test:package` and CI run all.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { freePort } from "../../js/bin/workerd.ts";
import { EXPECTED } from "./consumers/shared/server.js";
import { closeNetwork, openNetwork } from "./network.ts";
import { install } from "./pack.ts";
import { EXAMPLES, openEmpty, openProject, type Project } from "./project.ts";
import {
  buy,
  closeBrowser,
  LOOSE,
  landed,
  landOn,
  STRICT,
  serveFolder,
  visit,
  WITH_WASM,
  WITHOUT_WASM,
} from "./site.ts";

const isAll = process.env["CAKE_EDGE_CONSUMERS"] === "all";

/** One set-up: its project, and its test. */
function setUp(project: string, name: string, run: (project: Project) => Promise<void>): void {
  if (isAll) test.concurrent(name, async () => run(await openProject(project)));
}
/** One of the dozen set-ups that every `npm test` runs. */
function quick(project: string, name: string, run: (project: Project) => Promise<void>): void {
  test.concurrent(name, async () => run(await openProject(project)));
}

/** Set-ups outside the dozen. */
const describeAll = isAll ? describe : () => {};

afterAll(async () => {
  await Promise.all([closeBrowser(), closeNetwork()]);
});

/** Checks a folder with a bundle as a page, under two policies, with and without WebAssembly. */
async function expectPage(folder: string, html?: string, sources = ""): Promise<void> {
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
const MODULE = `<script type="module" src="landing.js"></script>`;
const CLASSIC = `<script src="landing.js"></script>`;

/** Checks the output of a single-file bundle without the package beside it. */
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

describeAll("more than once in a page", () => {
  setUp("vite", "8, dev: hot reload makes the next tracker, and no second conversion", async (project) => {
    const server = await project.start(
      process.execPath,
      ["node_modules/vite-8/bin/vite.js", "--host", "127.0.0.1", "--port", "5193", "--strictPort"],
      /(http:\/\/127\.0\.0\.1:\d+)/,
    );
    try {
      await visit(`${server.match[1]}/hot.html`, {}, async (page, sent) => {
        const first = await landed(page);
        expect(first).toBe("1 abc-1 accepted");
        const file = project.path("hot.js");
        writeFileSync(file, readFileSync(file, "utf8").replace("VERSION = 1", "VERSION = 2"));
        expect(await landed(page, first)).toBe("2 abc-1 accepted");
        // The same order of the same click has the same unique id, from any reporter.
        const ids = sent.map((body) => JSON.parse(body).uniqueId);
        expect(new Set(ids).size).toBe(1);
        // Only the newest tracker handles later events. A busy Vite may have loaded the module once more.
        const before = sent.length;
        expect(before).toBeGreaterThanOrEqual(2);
        await page.evaluate(() => dispatchEvent(new Event("online")));
        expect(sent).toHaveLength(before);
      });
    } finally {
      await server.stop();
    }
  });
  setUp("bundlers", "two copies of the package", async (project) => {
    cpSync(project.path("node_modules/cake-edge"), project.path("node_modules/cake-edge-copy"), { recursive: true });
    const { out } = await project.run(process.execPath, ["copies.js"]);
    expect(out).toBe("invalid_domain true true\n");
    const folder = project.path("built/copies");
    await project.run("node_modules/.bin/esbuild", ["landing=copies.page.js", "--bundle", `--outdir=${folder}`]);
    writeFileSync(project.path("built/copies/index.html"), `<!doctype html><title>Landing page</title>${CLASSIC}`);
    const { origin, close } = await serveFolder(folder, LOOSE);
    try {
      await visit(origin, {}, async (page, sent) => {
        expect(await landed(page)).toBe("abc-1 accepted abc-1 accepted");
        expect(new Set(sent.map((body) => JSON.parse(body).uniqueId)).size).toBe(1);
      });
    } finally {
      close();
    }
  });
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
      await expectAlone(project, project.path("built", `${bundler.replace("/", "-")}-node`, "landing.cjs"));
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

/** Requests like a browser's address bar; the headers of Node's `fetch` say that it is a script. */
async function navigate(
  url: string,
  headers: Record<string, string>,
): Promise<{ text: string; cookie: string; caching: string }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(
      url,
      { headers: { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", ...headers } },
      resolve,
    ).on("error", reject);
  });
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  const signed = response.headers["set-cookie"]?.find((cookie) => cookie.startsWith("cake_click_signed=")) ?? "";
  return { text, cookie: signed.split(";")[0] ?? "", caching: response.headers["cache-control"] ?? "" };
}

interface SiteOptions {
  /** Routes that walk through the package on the server. @default `/walk` */
  readonly routes?: readonly string[];
  /** The page that walks through it in the browser. @default `/consumer` */
  readonly page?: string;
  readonly ready?: RegExp;
  readonly env?: Record<string, string>;
  /** Is it the starter, with pages that a visitor goes through? */
  readonly isStarter?: boolean;
}

/** Checks a framework's server: its page and its route, and the starter's own pages. */
async function expectSite(
  project: Project,
  command: string,
  args: readonly string[],
  { routes = ["/walk"], page = "/consumer", isStarter = true, ...options }: SiteOptions = {},
): Promise<void> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const server = await project.start(
    command,
    args.map((arg) => arg.replace("PORT", String(port))),
    options.ready ?? /(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):\d+/,
    {
      env: {
        ...(await starterEnvironment(origin)),
        PORT: String(port),
        HOST: "127.0.0.1",
        HOSTNAME: "127.0.0.1",
        // What a proxy says, as a host has one in front: SvelteKit takes a request for https otherwise.
        PROTOCOL_HEADER: "x-forwarded-proto",
        ...options.env,
      },
    },
  );
  try {
    await answers(`${origin}/`);
    for (const route of routes) expect(await (await fetch(origin + route)).text()).toBe(EXPECTED);
    expect(await landOn(origin + page)).toBe(WITH_WASM);
    expect(await landOn(origin + page, { hasWasm: false })).toMatch(WITHOUT_WASM);
    if (isStarter) await expectStarter(origin);
  } finally {
    await server.stop();
  }
}

const SECRET = "5f0c4bd2a9e6417380cd1e2fa7b49638";

/** What a starter takes from its environment: a CAKE of ours, and secrets. */
async function starterEnvironment(origin: string): Promise<Record<string, string>> {
  return {
    SITE_ORIGIN: origin,
    CAKE_BASE_URL: (await openNetwork()).origin,
    CAKE_API_KEY: "key-of-a-test",
    CAKE_OPERATOR_SECRET: SECRET,
    CAKE_COOKIE_SECRET: SECRET,
  };
}

/** A visitor's way through a starter: from the click to the conversion in CAKE. */
async function expectStarter(origin: string): Promise<void> {
  const network = await openNetwork();
  const clickId = await network.click();
  const { shown, state, cookie } = await buy(`${origin}/?reqid=${clickId}`);
  // The tracker knows the click, and the server has signed it, out of the page's sight.
  expect({ shown, state }).toEqual({ shown: clickId, state: "accepted" });
  expect(cookie).toMatch(new RegExp(`^1!.*!${clickId}\\.\\w+\\.[\\w-]{43}$`));
  expect(await network.hasConverted(clickId)).toBe(true);
  // The cookie alone says whose order it is.
  const other = await network.click();
  const landing = await navigate(`${origin}/?reqid=${other}`, {});
  expect(landing.caching).toMatch(/no-store/);
  const answer = await fetch(`${origin}/cake/conversions?wait=1`, {
    method: "POST",
    headers: { origin, cookie: landing.cookie, "content-type": "application/json" },
    body: JSON.stringify({ offerId: 12_345, uniqueId: crypto.randomUUID() }),
  });
  expect(await answer.json()).toMatchObject({ state: "delivered" });
  expect(await network.hasConverted(other)).toBe(true);
}

/** Some servers announce that they listen before they do. */
async function answers(url: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await (await fetch(url)).text();
      return;
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

describeAll("frameworks", () => {
  for (const [version, bundlers] of [
    ["15", { webpack: [], Turbopack: ["--turbopack"] }],
    ["16", { webpack: ["--webpack"], Turbopack: [] }],
  ] as const) {
    for (const [bundler, options] of Object.entries(bundlers)) {
      setUp(
        version === "16" ? "next" : "next15",
        `Next ${version} by ${bundler}: client component, routes on Node and at the edge, ${version === "15" ? "middleware" : "proxy"}`,
        async (project) => {
          const env = { DIST_DIR: `.built-${bundler}` };
          const next = "node_modules/next/dist/bin/next";
          await project.run(process.execPath, [next, "build", ...options], { env });
          await expectSite(project, process.execPath, [next, "start", "-p", "PORT"], {
            env,
            routes: ["/api/walk", "/api/edge"],
            page: version === "16" ? "/consumer" : "/",
            isStarter: version === "16",
            ready: /Ready in/,
          });
        },
      );
    }
  }
  setUp("nuxt", "Nuxt", async (project) => {
    await project.run("node_modules/.bin/nuxt", ["build"]);
    await expectSite(project, process.execPath, [".output/server/index.mjs"], { routes: ["/api/walk"] });
  });
  setUp("sveltekit", "SvelteKit", async (project) => {
    await project.run("node_modules/.bin/vite", ["build"]);
    await expectSite(project, process.execPath, ["build/index.js"]);
  });
  setUp("astro", "Astro", async (project) => {
    await project.run("node_modules/.bin/astro", ["build"]);
    await expectSite(project, process.execPath, ["dist/server/entry.mjs"]);
  });
  setUp("react-router", "React Router", async (project) => {
    await project.run("node_modules/.bin/react-router", ["build"]);
    await expectSite(project, "node_modules/.bin/react-router-serve", ["build/server/index.js"]);
  });
});

test("without a disk the starters' server hands conversions on, with their cookie", async () => {
  const asked: object[] = [];
  const elsewhere = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const { method, url, headers } = request;
    asked.push({ method, url, cookie: headers.cookie, origin: headers.origin, body });
    response.writeHead(202, { "content-type": "application/json" }).end(`{"state":"pending"}`);
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  const home = mkdtempSync(join(tmpdir(), "cake-edge-starter-"));
  try {
    install(home);
    cpSync(join(EXAMPLES, "next/cake-edge.server.js"), join(home, "server.mjs"));
    writeFileSync(
      join(home, "ask.mjs"),
      `import { answerCake } from "./server.mjs";
       const headers = { origin: "https://shop.example", cookie: "__Host-cake_click=1", "content-type": "text/plain", host: "inside" };
       const request = new Request("http://127.0.0.1:3000/cake/conversions?wait=1", { method: "POST", headers, body: '{"offerId":1}' });
       const answer = await answerCake(request);
       console.log(answer.status, await answer.text());`,
    );
    const { stdout } = await promisify(execFile)(process.execPath, [join(home, "ask.mjs")], {
      env: {
        ...process.env,
        SITE_ORIGIN: "https://shop.example",
        CAKE_EDGE_ENDPOINT: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/forwarder`,
      },
    });
    expect(stdout).toBe(`202 {"state":"pending"}\n`);
    expect(asked).toEqual([
      {
        method: "POST",
        url: "/forwarder/conversions?wait=1",
        cookie: "__Host-cake_click=1",
        origin: "https://shop.example",
        body: `{"offerId":1}`,
      },
    ]);
  } finally {
    elsewhere.close();
    rmSync(home, { recursive: true, force: true });
  }
});

test("the starters' server part is one file", () => {
  const files = ["next", "sveltekit/src/lib", "nuxt/server/utils", "astro/src/lib", "react-router/app"];
  const texts = files.map((folder) => readFileSync(join(EXAMPLES, folder, "cake-edge.server.js"), "utf8"));
  expect(new Set(texts).size).toBe(1);
});

describeAll("test runners", () => {
  setUp("vitest", "Vitest, node and jsdom", async (project) => {
    const { all } = await project.run("node_modules/.bin/vitest", ["run"]);
    expect(all).toMatch(/Tests {2}2 passed/);
  });
  setUp("vitest-workers", "Vitest, workers", async (project) => {
    const { all } = await project.run("node_modules/.bin/vitest", ["run"]);
    expect(all).toMatch(/Tests {2}2 passed/);
  });
  setUp("jest", "Jest, node and jsdom in CommonJS", async (project) => {
    const { all } = await project.run("node_modules/.bin/jest");
    expect(all).toMatch(/Tests: +3 passed/);
  });
  setUp("jest", "Jest, ES modules", async (project) => {
    const { all } = await project.run("node_modules/.bin/jest", ["--config", "jest.esm.json"], {
      env: { NODE_OPTIONS: "--experimental-vm-modules" },
    });
    expect(all).toMatch(/Tests: +1 passed/);
  });
});

describeAll("Workers", () => {
  /** A click at a site's own Worker sets a cookie, and the next request sends it. */
  async function expectCapture(url: string): Promise<void> {
    const landing = await navigate(`${url}?reqid=abc-1`, {});
    expect(landing.text).toBe(EXPECTED.split(" ")[0]);
    expect((await navigate(url, { cookie: landing.cookie })).text).toBe("abc-1");
  }
  const wrangler = (project: Project) => project.path("node_modules/.bin/wrangler");
  const READY = /Ready on http:\/\/(127\.0\.0\.1|localhost):(\d+)/;

  setUp("workers", "wrangler dev: capture, forwarder and sandbox", async (project) => {
    const port = await freePort();
    const args = [
      "dev",
      "--config",
      "fetch.wrangler.jsonc",
      "--port",
      String(port),
      "--ip",
      "127.0.0.1",
      "--inspector-port",
      "0",
      "--persist-to",
      "built/rows",
    ];
    const server = await project.start(wrangler(project), args, READY);
    try {
      await expectCapture(`http://127.0.0.1:${port}/`);
      const walked = await fetch(`http://127.0.0.1:${port}/walk`);
      expect(await walked.json()).toMatchObject({ state: "delivered" });
    } finally {
      await server.stop();
    }
  });
  setUp("workers", "wrangler deploy --dry-run", async (project) => {
    const { all } = await project.run(wrangler(project), [
      "deploy",
      "--config",
      "fetch.wrangler.jsonc",
      "--dry-run",
      "--outdir",
      "built/dry",
    ]);
    expect(all).toMatch(/--dry-run: exiting now/);
  });
  setUp("workers", "Hono, the starter", async (project) => {
    // The packages of the project serve the starter too.
    cpSync(join(EXAMPLES, "hono"), project.path("hono"), { recursive: true });
    symlinkSync(project.path("node_modules"), project.path("hono/node_modules"));
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const variables = Object.entries(await starterEnvironment(origin)).flatMap(([name, value]) => [
      "--var",
      `${name}:${value}`,
    ]);
    const args = ["dev", "--port", String(port), "--ip", "127.0.0.1", "--inspector-port", "0", ...variables];
    const server = await project.start(wrangler(project), args, READY, { cwd: project.path("hono") });
    try {
      await expectStarter(origin);
    } finally {
      await server.stop();
    }
  });
  setUp("workers", "Pages Functions", async (project) => {
    const port = await freePort();
    const args = [
      "pages",
      "dev",
      "public",
      "--port",
      String(port),
      "--ip",
      "127.0.0.1",
      "--inspector-port",
      "0",
      "--compatibility-date",
      "2026-10-01",
    ];
    const server = await project.start(wrangler(project), args, READY, { cwd: project.path("pages") });
    try {
      await expectCapture(`http://127.0.0.1:${port}/link`);
    } finally {
      await server.stop();
    }
  });
  setUp("workers", "Cloudflare's Vite plugin, build and dev", async (project) => {
    await project.run("node_modules/.bin/vite", ["build"]);
    const port = await freePort();
    const args = ["--host", "127.0.0.1", "--port", String(port), "--strictPort"];
    const server = await project.start("node_modules/.bin/vite", args, /127\.0\.0\.1:\d+/);
    try {
      await expectCapture(`http://127.0.0.1:${port}/`);
      expect(await (await fetch(`http://127.0.0.1:${port}/walk`)).json()).toMatchObject({ state: "delivered" });
    } finally {
      await server.stop();
    }
  });
});

describeAll("npx cake-edge init", () => {
  setUp(
    "runtimes",
    "an empty folder has a forwarder that runs, a doctor who is content, and a test that passes",
    async () => {
      const project = await openEmpty();
      const start = Date.now();
      const { all } = await project.run("npx", ["cake-edge", "init", "--forwarder", "--sandbox", "--yes"]);
      expect(all).toMatch(/ok +forwarder/);
      expect(all).toMatch(/0 failed/);
      await project.run("npm", ["test"]);
      const port = await freePort();
      const args = ["run", "forwarder", "--", "--port", String(port), "--ip", "127.0.0.1", "--inspector-port", "0"];
      const server = await project.start("npm", args, /Ready on http/);
      try {
        const origin = `http://127.0.0.1:${port}`;
        const click = await fetch(`${origin}/?a=67890&c=12`, { redirect: "manual" });
        const clickId = new URL(click.headers.get("location") ?? "").searchParams.get("reqid");
        const answer = await fetch(`${origin}/cake/conversions?wait=1`, {
          method: "POST",
          headers: { origin, "content-type": "application/json" },
          body: JSON.stringify({ clickId, offerId: 12_345, uniqueId: "ORD-1" }),
        });
        expect(await answer.json()).toMatchObject({ state: "delivered" });
        // An idle machine needs a quarter of this time.
        expect(Date.now() - start).toBeLessThan(90_000 * (process.env["CI"] ? 2 : 1));
      } finally {
        await server.stop();
        project.remove();
      }
    },
  );
});

describe("TypeScript", () => {
  for (const version of ["5.4", "5.7", "5.9", "6.0", "7.0"]) {
    const add = version === "7.0" ? quick : setUp;
    add(
      "typescript",
      `${version}, strict, without skipLibCheck: Node, DOM, Workers' types of two years`,
      async (project) => {
        const configs = readdirSync(project.home).filter((file) => file.startsWith("tsconfig."));
        expect(configs).toHaveLength(8);
        for (const config of configs)
          await project.run(process.execPath, [`node_modules/typescript-${version}/bin/tsc`, "-p", config]);
      },
    );
  }
});

describe("runtimes", () => {
  /** The Node that runs the tests, and those of the project. */
  const nodes: [string, (project: Project) => string | undefined][] = [
    [`Node ${process.versions.node}`, () => process.execPath],
    ["Node 20.19", (project) => nodeOf(project, "node-20.19")],
    ["Node 22", (project) => nodeOf(project, "node-22")],
  ];
  for (const [name, find] of nodes) {
    const add = find.length === 0 ? quick : setUp;
    for (const kind of ["ESM", "CommonJS", "ESM without bytes"] as const) {
      add("node", `${name}, ${kind}`, async (project) => {
        const node = find(project);
        // Not available for this machine; its own Node has run.
        if (node === undefined) return;
        const file = { ESM: "shared/print.js", CommonJS: "require.cjs", "ESM without bytes": "slim.js" }[kind];
        const { all } = await project.run(node, [file]);
        expect(all.replace(/^\(node:\d+\) ExperimentalWarning: CommonJS.*\n\(Use.*\n/m, "")).toBe(
          {
            ESM: `${EXPECTED}\n`,
            CommonJS: `wrong_runtime, cake-edge/forwarder/memory\nwrong_runtime, cake-edge/sandbox/memory\nhttps://track.yournetwork.com/?a=1&c=2\n${EXPECTED}\n`,
            "ESM without bytes":
              "wasm_unavailable\n".repeat(3) +
              "https://track.yournetwork.com/?a=1&c=2\nwasm_unavailable\nwasm_unavailable\n" +
              "https://track.yournetwork.com/?a=1&c=2\n0\nfunction\n",
          }[kind],
        );
      });
    }
  }
  quick("runtimes", "Deno", async (project) => {
    const args = ["run", "--node-modules-dir=manual", "--allow-read", "--allow-env", "shared/print.js"];
    expect((await project.run("deno", args)).out).toBe(`${EXPECTED}\n`);
  });
  quick("runtimes", "Bun", async (project) => {
    expect((await project.run("bun", ["shared/print.js"])).out).toBe(`${EXPECTED}\n`);
  });
  setUp("runtimes", "Bun, compiled into one program", async (project) => {
    await project.run("bun", ["build", "--compile", "shared/print.js", "--outfile", "built/print"]);
    expect((await project.run(project.path("built/print"), [], { cwd: "/" })).out).toBe(`${EXPECTED}\n`);
  });
  setUp("parcel", "Parcel", async (project) => {
    const args = ["build", "index.html", "--dist-dir", "built", "--no-cache", "--public-url", "./"];
    await project.run("node_modules/.bin/parcel", args);
    // Parcel adds an import map to the page: a site with a policy adds the map's hash to it.
    const [, map = ""] =
      /<script type="?importmap"?>(.*?)<\/script>/.exec(readFileSync(project.path("built/index.html"), "utf8")) ?? [];
    const hash = createHash("sha256").update(map).digest("base64");
    await expectPage(project.path("built"), undefined, ` 'sha256-${hash}'`);
  });
});

function nodeOf(project: Project, name: string): string | undefined {
  const node = project.path("node_modules", name, "bin/node");
  return existsSync(node) ? node : undefined;
}
