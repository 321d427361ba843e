/**
 * The packed tarball in consumer projects: installed by npm, imported as documented, and run. `npm test` runs a quick
 * dozen of them, `npm run test:package` and CI run all.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, describe, expect } from "vitest";
import { freePort } from "../../js/bin/workerd.ts";
import { EXPECTED } from "./consumers/shared/server.js";
import { closeNetwork } from "./network.ts";
import { EXAMPLES, openEmpty, type Project } from "./project.ts";
import { CLASSIC, describeAll, expectAlone, expectPage, MODULE, quick, setUp } from "./set-up.ts";
import { closeBrowser, LOOSE, landed, landOn, serveFolder, visit, WITH_WASM, WITHOUT_WASM } from "./site.ts";
import { expectSite, expectStarter, navigate, starterEnvironment } from "./starter.ts";

afterAll(async () => {
  await Promise.all([closeBrowser(), closeNetwork()]);
});

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
      const { all } = await project.run("npx", ["cake-edge", "init", "--forwarder", "--capture", "--sandbox", "--yes"]);
      expect(all).toMatch(/ok +forwarder/);
      expect(all).toMatch(/0 failed/);
      await project.run("npm", ["test"]);
      const port = await freePort();
      const args = ["run", "forwarder", "--", "--port", String(port), "--ip", "127.0.0.1", "--inspector-port", "0"];
      const server = await project.start("npm", args, /Ready on http/);
      try {
        const origin = `http://127.0.0.1:${port}`;
        const click = async () => {
          const answer = await fetch(`${origin}/?a=67890&c=12`, { redirect: "manual" });
          return new URL(answer.headers.get("location") ?? "").searchParams.get("reqid") ?? "";
        };
        const answer = await fetch(`${origin}/cake/conversions?wait=1`, {
          method: "POST",
          headers: { origin, "content-type": "application/json" },
          body: JSON.stringify({ clickId: await click(), offerId: 12_345, uniqueId: "ORD-1" }),
        });
        expect(await answer.json()).toMatchObject({ state: "delivered" });
        // The forwarder reads the cookie of the site that was written with it.
        const cookie = await cookieOf(project, await click());
        const captured = await fetch(`${origin}/cake/conversions`, {
          method: "POST",
          headers: { origin, "content-type": "application/json", cookie },
          body: JSON.stringify({ offerId: 12_345, uniqueId: "ORD-2" }),
        });
        expect(captured.status, await captured.text()).toBe(202);
        // An idle machine needs a quarter of this time.
        expect(Date.now() - start).toBeLessThan(90_000 * (process.env["CI"] ? 2 : 1));
      } finally {
        await server.stop();
        project.remove();
      }
    },
  );
});

/** The cookie of a landing on the site that `init` has written, as it is served on this machine. */
async function cookieOf(project: Project, clickId: string): Promise<string> {
  const port = await freePort();
  const args = ["wrangler", "dev", "--config", "site/wrangler.jsonc", "--port", String(port), "--ip", "127.0.0.1"];
  const server = await project.start("npx", [...args, "--inspector-port", "0"], /Ready on http/);
  try {
    // Not by fetch, whose requests are no navigations.
    const asked = get(`http://127.0.0.1:${port}/?reqid=${clickId}`, { headers: { accept: "text/html" } });
    const [landing] = (await once(asked, "response")) as [IncomingMessage];
    expect(await text(landing)).toContain("Welcome");
    return landing.headers["set-cookie"]?.[0]?.split(";", 1)[0] ?? "";
  } finally {
    await server.stop();
  }
}

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
